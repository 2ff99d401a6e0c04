"""`report`: whole pages, in all cases that a page must tell apart."""

from __future__ import annotations

import re
import shutil
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from sklearn.dummy import DummyClassifier
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.metrics import precision_recall_fscore_support
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer
from sklearn.svm import LinearSVC

import skvision.inspection.html_report.making as making
from skvision import PredictionTable, report
from skvision.datasets.folders import unchecked_images
from skvision.images import as_image_batch
from skvision.inspection.html_report.one_pass import read_and_predict

VOID = {"meta", "link", "img", "br", "input"}


class Page(HTMLParser):
    """The text of each section; fails if tags aren't closed in order."""

    def __init__(self, text):
        super().__init__()
        self.open, self.text, self.ids, self.addresses = [], {}, [], []
        self.section = ""
        self.feed(text)
        assert self.open == []

    def handle_starttag(self, tag, attributes):
        attributes = dict(attributes)
        self.ids += [attributes["id"]] if "id" in attributes else []
        self.addresses += [attributes[it] for it in ("src", "href") if it in attributes]
        if tag == "section":
            self.section = attributes.get("id", "notices")
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attributes):
        pass

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if self.open[-1:] not in (["style"], ["script"]):
            text = f"{self.text.get(self.section, '')} {data}"
            self.text[self.section] = " ".join(text.split())


@pytest.fixture(scope="module")
def page_of(fitted, tmp_path_factory):
    """What writes a report and reads it."""

    def make(estimator, X, y, **how):
        out = report(estimator, X, y, tmp_path_factory.mktemp("report") / "r.html", **how)
        return Page(out.read_text(encoding="utf-8"))

    return make


@pytest.fixture(scope="module")
def flawed(digits):
    """The digits with ten wrong labels, so that there are mistakes."""
    X, y = digits
    y = y.copy()
    y[:10] = np.where(y[:10] == "one", "two", "one")
    return X, y


@pytest.fixture(scope="module")
def whole(page_of, fitted, flawed):
    X, y = flawed
    return page_of(fitted, X, y, groups=np.arange(len(X)) % 2, X_train=X[:20], verbose=1)


@pytest.fixture
def folder(digits_folder, tmp_path):
    for name in ("zero", "one", "two"):
        shutil.copytree(digits_folder / name, tmp_path / "test" / name)
    return tmp_path / "test"


def test_a_page_has_every_section(whole, fitted, flawed):
    X, y = flawed
    assert f"{fitted.score(X, y):.1%}" in whole.text["accuracy"]
    assert "95% interval" in whole.text["accuracy"]
    figures = precision_recall_fscore_support(y, fitted.predict(X), labels=["zero"])
    row = " ".join(f"{float(figure[0]):.3f}" for figure in figures[:3])
    assert f"zero {row} {figures[3][0]}" in whole.text["classes"]
    assert "first. A wrong label is often among them" in whole.text["mistakes"]
    assert "heat map (hirescam)" in whole.text["mistakes"]
    assert "expected calibration error" in whole.text["confidence"]
    assert "Group Accuracy Interval" in whole.text["groups"]
    assert "300 images" in whole.text["images"]
    assert "epoch" in whole.text["history"]
    assert "Size of all images 8 x 8 pixels" in whole.text["data"]
    assert "skvision.load('model.skv')" in whole.text["model"]
    assert "image_size 8" in whole.text["model"]
    assert len(whole.ids) == len(set(whole.ids))


def test_nothing_is_fetched(whole):
    assert {address.partition(":")[0] for address in whole.addresses if address[0] != "#"} == {
        "data"
    }
    links = [address[1:] for address in whole.addresses if address.startswith("#")]
    assert set(links) <= set(whole.ids)


def test_training_images_are_told_at_the_top(whole, page_of, fitted, digits):
    assert "trained on 20 of these 300 images" in whole.text["notices"]
    X, y = digits
    other = page_of(fitted, X[:50], y[:50], X_train=X[50:])
    assert "notices" not in other.text
    assert "None of the 50 images here is among the 250" in other.text["history"]
    unchecked = page_of(fitted, X[:50], y[:50])
    assert "Not checked" in unchecked.text["history"]


def test_files_that_cannot_be_read_are_listed(folder, page_of, fitted):
    (folder / "one" / "broken.png").write_text("not an image")
    (folder / "one" / "gone.png").symlink_to("nowhere.png")
    data = unchecked_images(folder, known=fitted.classes_)
    page = page_of(fitted, data.data, data.target)
    assert "2 images can't be read" in page.text["notices"]
    assert "one/broken.png" in page.text["data"]
    assert "36 images" in page.text["images"]
    with pytest.raises(ValueError, match=r"None of the 1 images can be read.*broken.png"):
        page_of(fitted, [str(folder / "one" / "broken.png")], ["one"])


def test_unknown_labels_are_counted_apart(folder, digits_folder, page_of, fitted):
    shutil.copytree(digits_folder / "nine", folder / "nine")
    data = unchecked_images(folder, known=fitted.classes_)
    page = page_of(fitted, data.data, data.target)
    assert "doesn't know the labels of 12 images" in page.text["notices"]
    assert re.search(r"nine 12 \w+ \(\d+\)", page.text["confusion"])
    assert "of 36 images" in page.text["accuracy"]
    with pytest.raises(ValueError, match="knows none of the labels in y.*nine"):
        page_of(fitted, data.data[:12], ["nine"] * 12)


def test_names_that_are_html_are_escaped(folder, page_of):
    script = "<script>alert(1)<x>"
    shutil.copytree(folder / "one", folder / script)
    shutil.copy(next((folder / "one").iterdir()), folder / "zero" / f"{script}.png")
    (folder / "zero" / "\udcff odd bytes.png").write_bytes(
        next((folder / "zero").iterdir()).read_bytes()
    )
    data = unchecked_images(folder, known=["zero", script])
    guess = DummyClassifier(strategy="stratified", random_state=0).fit(data.data, data.target)
    page = page_of(guess, data.data, data.target)
    assert script in page.text["confusion"]
    assert f"zero/{script}.png" in page.text["images"]
    assert "zero/? odd bytes.png" in page.text["images"]


def test_a_model_without_probabilities(digits, page_of):
    X, y = digits
    flat = FunctionTransformer(lambda X: np.asarray(X).reshape(len(X), -1) / 255)
    model = make_pipeline(flat, LinearSVC(random_state=0)).fit(X[:100], y[:100])
    page = page_of(model, X[100:], y[100:])
    for section in ("mistakes", "confidence"):
        assert "Pipeline has no predict_proba" in page.text[section]
    assert "the model is a Pipeline that ends in LinearSVC" in page.text["history"]
    assert "200 images" in page.text["images"]


def test_numbers_that_are_no_images(digits, page_of):
    X, y = digits
    rows = X.reshape(len(X), -1) / 255
    model = LogisticRegression(max_iter=500).fit(rows[:100], y[:100])
    page = page_of(model, rows[100:], y[100:])
    assert "X holds numbers that aren't images" in page.text["images"]
    assert "X holds numbers that aren't images" in page.text["mistakes"]
    assert "Accuracy" in page.text["accuracy"]


def test_a_model_without_convolution_is_explained_by_occlusion(flawed, page_of):
    X, y = flawed
    flat = FunctionTransformer(lambda X: np.asarray(X).reshape(len(X), -1) / 255)
    model = make_pipeline(flat, LogisticRegression(max_iter=500)).fit(X[50:], y[50:])
    page = page_of(model, X[:50], y[:50])
    assert "heat map (occlusion)" in page.text["mistakes"]


def test_what_cannot_be_explained_says_why(flawed, page_of, fitted, monkeypatch):
    def refuse(*_, **__):
        raise ValueError("it has no convolution")

    monkeypatch.setattr(making, "explain", refuse)
    page = page_of(fitted, *flawed)
    assert "No heat maps: it has no convolution" in page.text["mistakes"]


def test_no_mistakes(page_of, fitted, digits):
    X, y = digits
    right = fitted.predict(X) == y
    page = page_of(fitted, X[right], y[right])
    assert "There are none: all predictions are right" in page.text["mistakes"]
    assert "no interval" in page.text["accuracy"]


def test_many_images_are_sampled(flawed, folder, page_of, fitted, monkeypatch):
    monkeypatch.setattr("skvision.inspection.html_report.gallery.MOST", 20)
    monkeypatch.setattr(making, "_ALL_SMALL", 30)
    monkeypatch.setattr(making, "chosen", lambda *pair: chosen(*pair, most=20))
    from skvision.inspection.html_report.gallery import chosen

    data = unchecked_images(folder, known=fitted.classes_)
    for X, y, n in ((data.data, data.target, 36), (*flawed, 300)):
        page = page_of(fitted, X, y)
        assert f"shows 20 of {n} images" in page.text["notices"]
        assert f"of {n} images" in page.text["accuracy"]
        assert sum(address.startswith("data:image") for address in page.addresses) >= 20


@pytest.mark.parametrize("form", ["files", "bytes", "PIL", "arrays", "frame"])
def test_the_answers_are_those_of_predict(form, folder, fitted):
    files = [str(file) for file in sorted(folder.glob("*/*.png"))]
    if form == "frame":
        import pandas as pd

        X = pd.DataFrame({"file": files})
    else:
        X = {
            "files": lambda: files,
            "bytes": lambda: [Path(file).read_bytes() for file in files],
            "PIL": lambda: [Image.open(file) for file in files],
            "arrays": lambda: np.stack([np.asarray(Image.open(file)) for file in files]),
        }[form]()
    reading = read_and_predict(fitted, X, as_image_batch(X), longest=50, verbose=0)
    np.testing.assert_array_equal(reading.probabilities, fitted.predict_proba(X))
    np.testing.assert_array_equal(reading.predicted, fitted.predict(X))
    assert [(look.width, look.height) for look in reading.looks] == [(8, 8)] * 36
    assert len(set(reading.keys)) == len({Path(file).read_bytes() for file in files})
    assert all(each.startswith("data:image/png") for each in reading.thumbnails)


def test_a_file_that_cannot_be_written_is_found_first(fitted, digits, tmp_path, monkeypatch):
    monkeypatch.setattr(making, "page_of", lambda *_, **__: pytest.fail("it predicted first"))
    with pytest.raises(FileNotFoundError, match="no folder"):
        report(fitted, *digits, tmp_path / "nowhere" / "report.html")
    with pytest.raises(IsADirectoryError, match="is a folder"):
        report(fitted, *digits, tmp_path)


def test_bad_input(fitted, digits, tiny, tmp_path):
    X, y = digits
    out = tmp_path / "report.html"
    for estimator, error in (
        (tiny, NotFittedError),
        (LinearRegression().fit([[0], [1]], [0, 1]), ValueError),
        ("model.skv", ValueError),
    ):
        with pytest.raises(error):
            report(estimator, X, y, out)
    with pytest.raises(ValueError, match="y must hold one entry per image: 300 of them"):
        report(fitted, X, y[:5], out)
    with pytest.raises(ValueError, match="groups must hold one entry per image"):
        report(fitted, X, y, out, groups=["a"])
    with pytest.raises(ValueError, match="y holds numbers"):
        report(fitted, X, np.zeros(len(X), int), out)
    with pytest.raises(ValueError, match="without images"):
        report(fitted, [], [], out)
    assert not out.exists()


def test_a_table_of_predictions(fitted, flawed):
    X, y = flawed
    table = PredictionTable.from_estimator(fitted, X, y=y)
    wrong = int((fitted.predict(X) != y).sum())
    assert repr(table) == f"PredictionTable(n=300, correct={300 - wrong})"
    html = table._repr_html_()
    Page(html)
    assert html.count("<img") == 20
    assert html.count("\u2717") == min(wrong, 20)
    assert f"Accuracy {1 - wrong / 300:.1%}" in html
    assert list(table.frame()["predicted"]) == fitted.predict(X).tolist()
    plain = PredictionTable.from_estimator(fitted, X[:3])
    assert repr(plain) == "PredictionTable(n=3)"
    assert plain._repr_html_().count("<img") == 3
    assert "true" not in plain.frame()
    with pytest.raises(ValueError, match="300 images, and y holds 5 labels"):
        PredictionTable.from_estimator(fitted, X, y=y[:5])


def test_a_table_without_images_or_probabilities(digits):
    X, y = digits
    rows = X.reshape(len(X), -1) / 255
    model = LinearSVC(random_state=0).fit(rows, y)
    html = PredictionTable.from_estimator(model, rows[:5], y=y[:5])._repr_html_()
    assert "<img" not in html
    assert "image 5" in html
