"use strict";
(function () {
  const root = document.documentElement;
  root.classList.add("script");
  const byId = (id) => document.getElementById(id);

  // colours: as the system says, light or dark
  const themes = ["system", "light", "dark"];
  const toggle = byId("theme");
  let theme = "system";
  const show = () => {
    if (theme === "system") delete root.dataset.theme;
    else root.dataset.theme = theme;
    toggle.textContent = "Colours: " + theme;
  };
  try {
    // a browser may forbid storage to local files
    const kept = localStorage.getItem("skvision-theme");
    if (themes.includes(kept)) theme = kept;
  } catch (error) { /* the choice is not kept */ }
  show();
  toggle.addEventListener("click", () => {
    theme = themes[(themes.indexOf(theme) + 1) % themes.length];
    show();
    try { localStorage.setItem("skvision-theme", theme); } catch (error) { /* as above */ }
  });

  // small images are enlarged without smoothing, so that their pixels can be seen
  const watch = (image) => {
    const mark = () => image.classList.toggle("tiny", image.naturalWidth < 48);
    if (image.complete && image.naturalWidth) mark();
    else image.addEventListener("load", mark, { once: true });
  };
  document.querySelectorAll("img").forEach(watch);

  const gallery = byId("gallery");
  if (!gallery) return;
  const PAGE = 60;
  const form = byId("filter");
  const more = byId("more");
  const cards = Array.from(gallery.children, (element, place) => ({
    element,
    place,
    isRight: element.dataset.true === element.dataset.predicted,
    name: element.dataset.name.toLowerCase(),
    confidence: Number(element.dataset.confidence),
  }));
  const orders = {
    "": (a, b) => a.place - b.place,
    high: (a, b) => b.confidence - a.confidence || a.place - b.place,
    low: (a, b) => a.confidence - b.confidence || a.place - b.place,
    name: (a, b) => a.name.localeCompare(b.name, undefined, { numeric: true }) || a.place - b.place,
  };
  let limit = PAGE;
  let order = "";

  const update = () => {
    const wanted = Object.fromEntries(new FormData(form));
    const text = wanted.name.trim().toLowerCase();
    if (wanted.sort !== order) {
      order = wanted.sort;
      cards.sort(orders[order]);
      gallery.append(...cards.map((card) => card.element));
    }
    let found = 0;
    for (const card of cards) {
      const data = card.element.dataset;
      const fits =
        (!wanted.verdict || (wanted.verdict === "right") === card.isRight) &&
        (!wanted.true || wanted.true === data.true) &&
        (!wanted.predicted || wanted.predicted === data.predicted) &&
        (!text || card.name.includes(text));
      if (fits) found += 1;
      card.element.hidden = !fits || found > limit;
    }
    const shown = Math.min(found, limit);
    byId("count").textContent =
      found === 1 ? "1 image" : found.toLocaleString("en") + " images" +
      (shown < found ? ", the first " + shown + " shown" : "");
    more.hidden = shown === found;
  };
  const restart = () => { limit = PAGE; update(); };
  form.addEventListener("input", restart);
  form.addEventListener("submit", (event) => event.preventDefault());
  form.addEventListener("reset", () => setTimeout(restart));
  more.addEventListener("click", () => {
    const first = gallery.querySelectorAll(":scope > :not([hidden])").length;
    limit += PAGE;
    update();
    const next = gallery.querySelectorAll(":scope > :not([hidden])")[first];
    if (more.hidden && next) { next.tabIndex = -1; next.focus(); }
  });
  update();

  // the cells of the confusion matrix
  const dialog = byId("cell");
  document.addEventListener("click", (event) => {
    const cell = event.target.closest(".cell");
    if (!cell) return;
    const { true: label, predicted } = cell.dataset;
    const images = cards.filter(({ element }) =>
      element.dataset.true === label && element.dataset.predicted === predicted);
    const total = Number(cell.textContent);
    byId("cell-title").textContent = cell.getAttribute("aria-label").replace(/: show$/, "");
    byId("cell-note").textContent =
      images.length < total ? images.length + " of " + total + " are in this page." : "";
    byId("cell-images").replaceChildren(...images.map(({ element }) => {
      const copy = element.cloneNode(true);
      copy.hidden = false;
      watch(copy.querySelector("img"));
      return copy;
    }));
    dialog.showModal();
    dialog.scrollTop = 0;
  });
  byId("close").addEventListener("click", () => dialog.close());
  dialog.addEventListener("click", (event) => {
    // on the backdrop
    if (event.target === dialog) dialog.close();
  });
})();
