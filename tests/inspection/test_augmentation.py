"""`AugmentationDisplay` shows the true augmentation."""

from __future__ import annotations

import matplotlib.pyplot as plt
import numpy as np
import pytest
from PIL import Image

from skvision import AugmentationDisplay, ImageAugmenter, RandAugmenter

FLIP = ImageAugmenter(horizontal_flip=True, random_state=0)


def shown(display):
    return np.asarray(display.ax_.images[0].get_array())


def test_grid_of_originals_and_draws(noise):
    display = AugmentationDisplay.from_estimator(FLIP, noise, n_images=3, n_draws=4)
    np.testing.assert_array_equal(display.originals, noise[[0, 2, 5]])
    grid = shown(display)
    # images of 12 x 10, one pixel of white between them
    assert grid.shape == (3 * 13 - 1, 5 * 11 - 1, 3)
    np.testing.assert_array_equal(grid[13:25, :10], noise[2])
    cells = [grid[13:25, left : left + 10] for left in range(11, 55, 11)]
    mirrored = [np.array_equal(cell, noise[2][:, ::-1]) for cell in cells]
    same = [np.array_equal(cell, noise[2]) for cell in cells]
    assert all(a or b for a, b in zip(mirrored, same, strict=True))
    assert any(mirrored)
    assert (grid[12:13] == 255).all()
    labels = [text.get_text() for text in display.ax_.get_xticklabels()]
    assert labels == ["original", "draw 1", "draw 2", "draw 3", "draw 4"]
    assert display.figure_ is display.ax_.figure


def test_seed_and_forms_of_X(noise, tmp_path):
    augmenter = ImageAugmenter(rotation_range=40, random_state=3)
    first = shown(AugmentationDisplay.from_estimator(augmenter, noise))
    np.testing.assert_array_equal(
        first, shown(AugmentationDisplay.from_estimator(augmenter, noise))
    )
    files = []
    for index, pixels in enumerate(noise):
        Image.fromarray(pixels).save(tmp_path / f"{index}.png")
        files.append(tmp_path / f"{index}.png")
    for X in (files, noise / 255, [Image.fromarray(pixels) for pixels in noise]):
        np.testing.assert_array_equal(
            first, shown(AugmentationDisplay.from_estimator(augmenter, X))
        )
    rows = ImageAugmenter(rotation_range=40, random_state=3, row_shape=(12, 10, 3))
    again = AugmentationDisplay.from_estimator(rows, noise.reshape(6, -1))
    np.testing.assert_array_equal(first, shown(again))


def test_sizes_may_differ_and_large_images_are_reduced():
    X = [Image.new("RGB", (400, 100), "red"), Image.new("RGB", (30, 60), "blue")]
    display = AugmentationDisplay.from_estimator(
        RandAugmenter(random_state=0), X, longest_side=80, n_draws=2
    )
    assert [picture.shape for picture in display.originals] == [(20, 80, 3), (60, 30, 3)]
    # each row has the height of its image
    assert shown(display).shape == (20 + 3 + 60, 80 * 3 + 6, 3)


def test_a_shift_in_pixels_is_shown_in_proportion():
    picture = Image.new("RGB", (400, 200), "white")
    augmenter = ImageAugmenter(width_shift_range=[100], fill_mode="constant", random_state=0)
    display = AugmentationDisplay.from_estimator(augmenter, [picture], longest_side=80)
    for version in display.augmented[0]:
        assert (version == 0).mean() == 0.25


def test_plot_into_given_axes(noise):
    _, ax = plt.subplots()
    display = AugmentationDisplay.from_estimator(FLIP, noise, ax=ax)
    assert display.ax_ is ax
    assert display.plot().ax_ is not ax


@pytest.mark.parametrize(
    ("how", "message"),
    [
        ({"n_images": 0}, "n_images must be a whole number of at least 1"),
        ({"n_draws": 1.5}, "n_draws must be a whole number"),
        ({"longest_side": -1}, "longest_side must be"),
    ],
)
def test_bad_parameters(noise, how, message):
    with pytest.raises(ValueError, match=message):
        AugmentationDisplay.from_estimator(FLIP, noise, **how)


def test_bad_augmenters(noise):
    with pytest.raises(ValueError, match="needs an ImageAugmenter or a RandAugmenter"):
        AugmentationDisplay.from_estimator("flip", noise)
    with pytest.raises(ValueError, match="value_range=None"):
        AugmentationDisplay.from_estimator(ImageAugmenter(value_range=None), noise)
