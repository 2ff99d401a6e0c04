"""The controls of heat maps, on arrays of a few pixels."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import spearmanr

from skvision.inspection.controls import blurred, hidden, hottest, likeness, moved


def test_the_hottest_tenth_is_exactly_a_tenth():
    maps = np.random.default_rng(0).random((5, 20, 30))
    marked = hottest(maps)
    assert marked.sum(axis=(1, 2)).tolist() == [60] * 5
    for values, mask in zip(maps, marked, strict=True):
        assert values[mask].min() > values[~mask].max()


@pytest.mark.parametrize("value", [0.0, 0.5])
def test_equal_values_are_marked_from_the_first_on(value):
    marked = hottest(np.full((1, 5, 8), value))
    np.testing.assert_array_equal(np.flatnonzero(marked), [0, 1, 2, 3])


def test_one_pixel_of_a_small_image_is_marked():
    assert hottest(np.eye(2)[None]).sum() == 1


def test_a_random_tenth_has_the_shape_of_the_hottest():
    marked = np.zeros((200, 6, 6), bool)
    marked[:, 1, 1:4] = marked[:, 2, 1] = True
    random = moved(marked, np.random.default_rng(0))
    assert (random.sum(axis=(1, 2)) == 4).all()
    # some place of the image takes each back
    back = [
        any(
            np.array_equal(np.roll(each, (down, right), (0, 1)), marked[0])
            for down in range(6)
            for right in range(6)
        )
        for each in random
    ]
    assert all(back)
    # every pixel is hidden about as often
    assert random.mean(axis=0).min() > 0.05
    assert random.mean(axis=0).max() < 0.2
    again = moved(marked, np.random.default_rng(0))
    np.testing.assert_array_equal(random, again)


def test_a_blurred_image_keeps_its_colour_and_loses_its_parts():
    image = np.zeros((1, 30, 40, 3), np.uint8)
    image[:, :, :20] = (200, 100, 0)
    image[0, 10:14, 30:34] = 255
    result = blurred(image)
    assert result.shape == image.shape
    assert result.dtype == np.uint8
    assert result[0, :, 0, 0].mean() > 150
    assert result[0, 11, 32].max() < 80
    np.testing.assert_array_equal(image[0, 11, 32], [255] * 3)


def test_only_marked_pixels_change():
    images = np.arange(8, dtype=np.uint8).reshape(2, 2, 2, 1)
    marked = np.zeros((2, 2, 2), bool)
    marked[0, 0, 1] = marked[1, 1, 1] = True
    changed = hidden(images, marked, np.full_like(images, 99))
    assert changed.ravel().tolist() == [0, 99, 2, 3, 4, 5, 6, 99]


def test_likeness_is_the_rank_correlation():
    one, two = np.random.default_rng(0).random((2, 6, 4, 5)).round(1)
    expected = [abs(spearmanr(a.ravel(), b.ravel())[0]) for a, b in zip(one, two, strict=True)]
    np.testing.assert_allclose(likeness(one, two), expected)
    np.testing.assert_allclose(likeness(one, np.exp(one)), 1)
    np.testing.assert_allclose(likeness(one, -one), 1)
    np.testing.assert_array_equal(likeness(one, np.ones_like(one)), 0)
