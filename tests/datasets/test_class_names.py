"""Names that look the same are one class."""

from __future__ import annotations

import unicodedata
import warnings

import pytest

from skvision import ImageAugmenter, augment_folder, load_image_folder
from skvision.datasets.class_names import as_label, one_spelling, reading

CAFE = "café"


@pytest.mark.parametrize(
    "names",
    [
        ("Cat", "cat"),
        ("Dog", "Dog "),
        (unicodedata.normalize("NFC", CAFE), unicodedata.normalize("NFD", CAFE)),
        ("cat", "ｃａｔ"),  # noqa: RUF001
        ("polar bear", "polar\u00a0bear"),
        ("polar bear", "Polar_Bear"),
        ("polar bear", "polar-bear"),
        ("dog", "dog."),
        ("dog", "do\u200bg"),
        ("cat", "с\u0430t"),  # noqa: RUF001  Cyrillic
        ("STRASSE", "Straße"),
    ],
)
def test_names_that_look_the_same(made, names):
    first, second = names
    data = made(f"{first}/1.jpg", f"{first}/2.jpg", f"{second}/3.jpg", "other/1.jpg")
    with pytest.warns(UserWarning, match="that look the same count as one class") as caught:
        found = load_image_folder(data)
    assert len(caught) == 1
    assert all(repr(name) in str(caught[0].message) for name in names)
    # the most frequent spelling; files keep their names
    assert found.target_names == sorted([as_label(first), "other"])
    assert sorted(found.data) == sorted(str(path) for path in data.glob("*/*"))


@pytest.mark.parametrize(
    "names", [("a", "A"), ("cat", "cats"), ("1", "01"), ("C", "C++"), ("x1", "x 1"), ("-1", "1")]
)
def test_names_that_look_different(made, names):
    data = made(*(f"{name}/1.jpg" for name in names))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert load_image_folder(data).target_names == sorted(names)


@pytest.mark.parametrize(
    ("name", "label"),
    [("Dog ", "Dog"), ("\u00a0a\u2003b", "a b"), ("cafe\u0301", "caf\u00e9"), (" ", " ")],
)
def test_a_label_is_clean(made, name, label):
    data = made(f"{name}/1.jpg", "other/1.jpg")
    found = load_image_folder(data)
    assert found.target_names == sorted([label, "other"])
    assert f"{data}/{name}/1.jpg" in found.data.tolist()


def test_names_across_folders_and_with_the_classes_of_a_model(made, tmp_path):
    first = made("Cat/1.jpg", "dog/1.jpg", root=tmp_path / "a")
    second = made("cat/1.jpg", "cat/2.jpg", "dog/1.jpg", root=tmp_path / "b")
    with pytest.warns(UserWarning, match="'Cat' and 'cat' as 'cat'"):
        assert load_image_folder([first, second]).target_names == ["cat", "dog"]
    assert one_spelling({"cat": 5, "Dog": 1}, ["Cat", "Dog"]) == {"cat": "Cat", "Dog": "Dog"}
    assert one_spelling({"cat": 5, "Cat": 1}, ["Cat", "cat"]) == {"cat": "cat", "Cat": "Cat"}


def test_augmented_copies_are_beside_their_originals(made, tmp_path):
    data = made("Cat/1.jpg", "cat/1.jpg", "dog /1.jpg")
    with pytest.warns(UserWarning, match="look the same"):
        augment_folder(
            data,
            tmp_path / "more",
            ImageAugmenter(rotation_range=9),
            sampling_strategy=3,
            random_state=0,
        )
    files = sorted(str(path.relative_to(tmp_path / "more")) for path in tmp_path.rglob("more/*/*"))
    assert len(files) == 6
    assert {"Cat/1.jpg", "cat/1.jpg", "dog /1.jpg", "dog /1-1.jpg", "dog /1-2.jpg"} < set(files)


def test_names_that_are_not_text_stay_unchanged():
    assert reading("caf\udce9") == "caf\udce9"
    assert reading(3) == "3"
