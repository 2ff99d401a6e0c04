"""The report in a browser: what people click, type, see and hear."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from .conftest import AXE, HTML, N_PER_CLASS

pytestmark = pytest.mark.browser

LOOKS = [(width, scheme) for width in (1280, 390) for scheme in ("light", "dark")]
# three classes, five wrong labels, one name that is HTML
N = 3 * N_PER_CLASS + 5 + 1
CARDS = "#gallery > li:visible"
#: the number of visible images that didn't load
BROKEN = (
    "[...document.images].filter(it => it.offsetParent && !(it.complete && it.naturalWidth)).length"
)


@pytest.fixture
def page(opened):
    return opened()


def count_of(page):
    return int(re.match(r"[\d,]+", page.locator("#count").inner_text())[0].replace(",", ""))


@pytest.mark.parametrize(("width", "scheme"), LOOKS)
def test_everything_is_shown_and_nothing_is_fetched(opened, width, scheme):
    page = opened(width, scheme)
    assert page.evaluate(BROKEN) == 0
    # hidden images load when they are shown
    while page.locator("#more").is_visible():
        page.locator("#more").click()
    for card in page.locator(CARDS).all()[60:]:
        card.scroll_into_view_if_needed()
    page.wait_for_function(f"{BROKEN} === 0")
    assert page.evaluate("document.images.length") > N
    # the page doesn't scroll sideways
    assert page.evaluate("document.documentElement.scrollWidth") == width
    dark = page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(20, 23, 27)"
    assert dark == (scheme == "dark")
    for name in ("accuracy", "classes", "confusion", "mistakes", "confidence", "groups"):
        expect(page.locator(f"#{name} h2")).to_be_visible()
        assert page.locator(f"#{name} .missing").count() == 0


@pytest.mark.parametrize(("width", "scheme"), LOOKS)
def test_axe_finds_nothing(opened, width, scheme):
    page = opened(width, scheme)
    page.evaluate(AXE.read_text(encoding="utf-8"))
    for opens_dialog in (False, True):
        if opens_dialog:
            page.locator(".cell").first.click()
        found = page.evaluate("axe.run().then(found => found.violations)")
        assert [
            (each["id"], each["impact"], [node["html"][:150] for node in each["nodes"][:3]])
            for each in found
        ] == []


def test_the_gallery_shows_more(page):
    assert count_of(page) == N
    expect(page.locator(CARDS)).to_have_count(60)
    page.locator("#more").click()
    expect(page.locator(CARDS)).to_have_count(120)
    page.locator("#more").click()
    expect(page.locator(CARDS)).to_have_count(N)
    expect(page.locator("#more")).to_be_hidden()
    # the keyboard goes on at the first new image
    assert page.evaluate("document.activeElement.dataset.name") is not None


def test_the_gallery_is_filtered(page):
    page.get_by_label("Verdict").select_option("wrong")
    wrong = count_of(page)
    assert wrong == int(page.locator(".tile:has-text('Wrong') dd").first.inner_text()) >= 5
    expect(page.locator(f"{CARDS}.right")).to_have_count(0)
    page.get_by_label("Verdict").select_option("right")
    assert count_of(page) == N - wrong
    page.get_by_label("Verdict").select_option("")
    page.get_by_label("True class").select_option("two")
    assert count_of(page) == N_PER_CLASS + 5
    page.get_by_label("Name contains").fill("WRONG ")
    expect(page.locator("#count")).to_have_text("5 images")
    page.get_by_label("Predicted class").select_option("zero")
    assert count_of(page) < 5
    page.get_by_role("button", name="Reset").click()
    expect(page.locator("#count")).to_have_text(f"{N} images, the first 60 shown")


def test_the_gallery_is_sorted(page):
    def confidences():
        return page.locator(CARDS).evaluate_all("them => them.map(it => +it.dataset.confidence)")

    page.get_by_label("Sort by").select_option("high")
    assert confidences() == sorted(confidences(), reverse=True)
    page.get_by_label("Sort by").select_option("low")
    assert confidences() == sorted(confidences())
    page.get_by_label("Sort by").select_option("name")
    names = page.locator(CARDS).evaluate_all("them => them.map(it => it.dataset.name)")
    assert names == sorted(names)
    assert names[0].startswith("one/scan/one_0001")


@pytest.mark.parametrize("by", ["mouse", "keyboard"])
def test_a_cell_opens_its_images(page, by):
    cell = page.locator(".matrix .wrong .cell").first
    n = int(cell.inner_text())
    if by == "mouse":
        cell.click()
    else:
        cell.focus()
        page.keyboard.press("Enter")
    dialog = page.locator("#cell")
    expect(dialog).to_be_visible()
    expect(dialog.locator("li.wrong")).to_have_count(n)
    expect(dialog.get_by_role("heading")).to_have_text(
        re.compile("^[0-9]+ images of .*, predicted")
    )
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    assert page.evaluate("document.activeElement.className") == "cell"


def test_colours_are_chosen(page):
    def colour():
        return page.evaluate("getComputedStyle(document.body).backgroundColor")

    button = page.get_by_role("button", name="Colours")
    light = colour()
    button.click()
    assert colour() == light
    button.click()
    expect(button).to_have_text("Colours: dark")
    assert colour() != light
    page.reload()
    expect(button).to_have_text("Colours: dark")


def test_the_keyboard_skips_to_the_report(page):
    page.keyboard.press("Tab")
    link = page.get_by_role("link", name="Skip to the report")
    expect(link).to_be_focused()
    expect(link).to_be_in_viewport()
    page.keyboard.press("Enter")
    expect(page.locator("main")).to_be_focused()
    page.keyboard.press("Tab")
    outline = page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
    assert outline == "solid"


def test_headings_and_tables_are_named(page):
    assert page.locator("h1").count() == 1
    levels = page.locator("main :is(h2, h3)").evaluate_all("them => them.map(it => it.tagName)")
    assert levels[0] == "H2"
    for table in page.locator("table").all():
        assert table.locator("th[scope=col]").count() > 0
        assert table.locator("tbody tr").count() == table.locator("tbody tr:has(th)").count()


def test_names_that_are_html_are_text(page):
    assert page.title() != "run"
    shown = page.locator("#gallery li", has_text=HTML.replace("/", "-"))
    assert shown.count() == 1
    expect(page.locator("#confusion")).to_contain_text("<script>nine")


def test_the_page_works_without_scripts(opened):
    page = opened(java_script_enabled=False)
    expect(page.locator(CARDS)).to_have_count(N)
    expect(page.locator("#filter")).to_be_hidden()


def test_paper_has_no_buttons(page):
    page.emulate_media(media="print")
    for hidden in ("nav", "#filter", "#theme", "#more"):
        expect(page.locator(hidden)).to_be_hidden()
    expect(page.locator("#accuracy")).to_be_visible()
