"""What a notebook shows of a data set, and what reports list."""

from __future__ import annotations

import pickle

import pytest

from skvision import SkippedImageWarning, load_image_folder
from skvision.datasets.folders import unchecked_images


def test_a_notebook_shows_the_first_images_of_each_class(made):
    folder = made(*(f"cat/{k}.png" for k in range(9)), "<b>dog/1.png", "<b>dog/2.jpg")
    (folder / "<b>dog" / "2.jpg").write_text("damaged")
    data = load_image_folder(folder)
    html = data._repr_html_()
    assert html.count("<img") == 6 + 1
    assert "can't be read" in html
    assert "&lt;b&gt;dog" in html
    assert "<b>" not in html
    assert "11 images of 2 classes" in html


def test_many_classes_are_cut(made):
    data = load_image_folder(made(*(f"{k:02}/1.png" for k in range(25))))
    assert data._repr_html_().count("<img") == 20
    assert "The table has the first 20 classes." in data._repr_html_()


def test_it_is_a_bunch_that_can_be_pickled(made):
    data = load_image_folder(made("cat/1.png", "dog/1.png"))
    again = pickle.loads(pickle.dumps(data))
    assert list(again) == list(data)
    assert again.target.tolist() == ["cat", "dog"]
    assert again._repr_html_() == data._repr_html_()


def test_images_are_listed_unchecked(made):
    folder = made("cat/1.png", "owl/1.png", "owl/2.png")
    (folder / "owl" / "2.png").write_text("damaged")
    data = unchecked_images(folder, known=["cat", "dog"])
    assert data.target.tolist() == ["cat", "owl", "owl"]
    only = unchecked_images(folder, known=["cat", "dog"], classes=["cat"])
    assert only.target.tolist() == ["cat"]
    assert unchecked_images(folder / "cat", known=["cat", "dog"]).target.tolist() == ["cat"]


def test_unlisted_files_are_warned_of(made):
    with pytest.warns(SkippedImageWarning, match="raw"):
        unchecked_images(made("cat/1.png", "dog/1.png", "dog/1.nef"), known=["cat", "dog"])
