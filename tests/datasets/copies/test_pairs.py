"""Copies are found whatever was done to them, and different photos are not."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image, ImageEnhance

from skvision.datasets.copies import SIMILAR, SimilarPairs, components, similar_pairs, thumbnails_of
from skvision.datasets.copies.alignment import aligned, difference, shrunk, smoothed
from skvision.datasets.copies.descriptors import descriptors_of

from ...made_photos import made_photo


@pytest.fixture(scope="module")
def photos():
    return [made_photo(k, 150, 140) for k in range(24)]


def re_encoded(image):
    file = io.BytesIO()
    image.save(file, "JPEG", quality=30)
    return Image.open(file).convert("RGB")


CHANGES = {
    "re-encoded": re_encoded,
    "smaller": lambda image: image.resize((40, 36)),
    "larger": lambda image: image.resize((300, 280)),
    "stretched": lambda image: image.resize((150, 110)),
    "cropped": lambda image: image.crop((10, 3, 148, 133)),
    "mirrored": lambda image: image.transpose(Image.Transpose.FLIP_LEFT_RIGHT),
    "brighter": ImageEnhance.Brightness,
    "darker": ImageEnhance.Brightness,
    "grey": lambda image: image.convert("L").convert("RGB"),
}
FACTOR = {"brighter": 1.3, "darker": 0.7}


def stacked(images):
    return np.stack([thumbnails_of(np.asarray(image)) for image in images])


@pytest.mark.parametrize("name", CHANGES)
def test_copies_are_found_and_nothing_else(photos, name):
    change = CHANGES[name]
    copies = [change(p).enhance(FACTOR[name]) if name in FACTOR else change(p) for p in photos]
    found = similar_pairs(stacked([*photos, *copies]))
    pairs = set(zip(found.first.tolist(), found.second.tolist(), strict=True))
    assert pairs == {(k, k + 24) for k in range(24)}
    assert found.mirrored.all() == (name == "mirrored")
    assert (found.score >= SIMILAR).all()
    assert (found.score <= 1).all()
    if name == "cropped":
        assert found.cropped.mean() > 0.8


def test_a_moved_part_is_another_photo(photos):
    one = np.asarray(photos[20])
    other = one.copy()
    other[40:100, 40:110] = one[52:112, 30:100]  # an animal that moved by a twelfth of the width
    both = smoothed(stacked([one, other]))
    # laid exactly over one another, the photos differ in the part alone
    assert difference(both[:1], both[1:], np.zeros((1, 4), np.float32))[0] > 1 - SIMILAR
    assert difference(both[:1], both[:1], np.zeros((1, 4), np.float32))[0] < 1e-3
    assert len(similar_pairs(stacked([one, other]))) == 0


def test_alignment_finds_a_crop(photos):
    both = smoothed(stacked([photos[20], photos[20].crop((15, 0, 150, 140))]))
    stretch_x, shift_x, stretch_y, shift_y = aligned(both[1:], both[:1])[0]
    # the crop's left edge is at 0.1 of the width, so its middle is at 0.55: 0.1 right of the middle
    assert stretch_x == pytest.approx(-0.1, abs=0.02)
    assert shift_x == pytest.approx(0.1, abs=0.02)
    assert stretch_y == pytest.approx(0, abs=0.02)
    assert shift_y == pytest.approx(0, abs=0.02)


def test_images_of_one_colour_have_no_copies():
    flat = np.stack([np.full((64, 64), level, np.uint8) for level in (0, 0, 128, 255)])
    assert len(similar_pairs(flat)) == 0
    assert np.isfinite(descriptors_of(flat)).all()


def test_one_image_and_none_have_no_copies(photos):
    assert len(similar_pairs(stacked(photos[:1]))) == 0
    assert len(similar_pairs(np.zeros((0, 64, 64), np.uint8))) == 0


def test_only_some_images_are_compared(photos):
    thumbnails = stacked([photos[20], photos[20], photos[20]])
    found = similar_pairs(thumbnails, np.array([0, 2]))
    assert (found.first.tolist(), found.second.tolist()) == ([0], [2])


def test_more_copies_than_neighbours_stay_connected(photos):
    draw = np.random.default_rng(0)
    noisy = stacked([photos[20]] * 30).astype(int) + draw.integers(-2, 3, (30, 64, 64))
    found = similar_pairs(noisy.clip(0, 255).astype(np.uint8))
    assert len(found) < 30 * 29 / 2
    assert len(set(components(30, found).tolist())) == 1


def test_components():
    ends = np.array([0, 4]), np.array([2, 5])
    pairs = SimilarPairs(*ends, np.ones(2), *[np.zeros(2, bool)] * 2)
    numbers = components(6, pairs)
    assert numbers[0] == numbers[2]
    assert numbers[4] == numbers[5]
    assert len(set(numbers.tolist())) == 4


def test_shrunk_thumbnails_are_means_of_blocks():
    image = np.zeros((1, 64, 64), np.uint8)
    image[0, :4, :4] = np.arange(16).reshape(4, 4)
    assert shrunk(image)[0, 0, 0] == 7
    assert shrunk(image).sum() == 7
