"""Draws are uniform within their range, and separate for each image."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import kstest

from skvision import ImageAugmenter
from skvision.augmentation.drawing import uniform_numbers
from skvision.augmentation.operations import NEUTRAL

N = 4000


def drawn(**parameters):
    return ImageAugmenter(**parameters).draw([0], np.arange(N))


def test_numbers_are_uniform_and_independent():
    numbers = uniform_numbers([3, 1], np.arange(N), 21)
    assert all(kstest(column, "uniform").pvalue > 1e-4 for column in numbers.T)
    correlations = np.corrcoef(numbers.T) - np.eye(21)
    assert np.abs(correlations).max() < 0.08
    one_after_the_other = np.corrcoef(numbers[:-1, 0], numbers[1:, 0])[0, 1]
    assert abs(one_after_the_other) < 0.08
    assert (
        abs(np.corrcoef(numbers[:, 0], uniform_numbers([3, 2], np.arange(N), 1)[:, 0])[0, 1]) < 0.08
    )


@pytest.mark.parametrize(
    ("parameters", "name", "low", "high"),
    [
        ({"rotation_range": 40}, "rotation", -40, 40),
        ({"width_shift_range": 0.2}, "shift_x", -0.2, 0.2),
        ({"height_shift_range": 0.2}, "shift_y", -0.2, 0.2),
        ({"width_shift_range": 3.5}, "shift_x_pixels", -3.5, 3.5),
        ({"shear_range": 0.2}, "shear", -0.2, 0.2),
        ({"zoom_range": 0.2}, "zoom_x", 0.8, 1.2),
        ({"zoom_range": 0.2}, "zoom_y", 0.8, 1.2),
        ({"zoom_range": (0.5, 0.9)}, "zoom_y", 0.5, 0.9),
        ({"crop_range": 0.4}, "crop", 0.6, 1.0),
        ({"crop_range": 0.4}, "crop_x", 0.0, 1.0),
        ({"brightness_range": (0.5, 1.1)}, "brightness", 0.5, 1.1),
        ({"contrast_range": [0.5, 1.1]}, "contrast", 0.5, 1.1),
        ({"channel_shift_range": 20}, "channel_shift", -20, 20),
        ({"hue_range": 0.5}, "hue", -0.5, 0.5),
        ({"saturation_range": (0, 2)}, "saturation", 0, 2),
    ],
)
def test_every_parameter_is_uniform_over_its_range(parameters, name, low, high):
    draws = drawn(**parameters)
    assert kstest(draws[name], "uniform", (low, high - low)).pvalue > 1e-4
    others = set(NEUTRAL) - {name, "zoom_x", "zoom_y", "crop", "crop_x", "crop_y"}
    assert all((draws[other] == NEUTRAL[other]).all() for other in others)


def test_width_and_height_are_drawn_separately():
    draws = drawn(zoom_range=0.2, width_shift_range=0.1, height_shift_range=0.1)
    assert abs(np.corrcoef(draws["zoom_x"], draws["zoom_y"])[0, 1]) < 0.08
    assert abs(np.corrcoef(draws["shift_x"], draws["shift_y"])[0, 1]) < 0.08


@pytest.mark.parametrize("name", ["flip_x", "flip_y"])
def test_half_of_the_images_are_flipped(name):
    option = {"flip_x": "horizontal_flip", "flip_y": "vertical_flip"}[name]
    assert abs(drawn(**{option: True})[name].mean() - 0.5) < 0.04
    assert not drawn()[name].any()


def test_shifts_by_whole_pixels_and_from_a_list():
    assert set(drawn(width_shift_range=2)["shift_x_pixels"]) == {-1, 0, 1}
    assert set(drawn(width_shift_range=[-1, 0, 1])["shift_x_pixels"]) == {-1, 0, 1}
    draws = drawn(height_shift_range=[0.1, 0.3])
    assert sorted(set(draws["shift_y"])) == [-0.3, -0.1, 0.1, 0.3]
    assert set(drawn(width_shift_range=(1, 3))["shift_x_pixels"]) == {-3, -1, 1, 3}


def test_patches_lie_within_the_image_and_their_area_is_uniform():
    draws = drawn(erase_fraction=0.9)
    area = draws["erase_width"] * draws["erase_height"]
    assert kstest(area, "uniform", (0, 0.9)).pvalue > 1e-4
    for first, span in (("erase_left", "erase_width"), ("erase_top", "erase_height")):
        assert draws[first].min() >= 0
        assert (draws[first] + draws[span]).max() <= 1 + 1e-12


def test_noise_seeds_differ():
    draws = drawn(noise_std=0.1)
    assert set(draws["noise"]) == {0.1}
    assert len(set(draws["noise_seed"])) == N


def test_a_draw_depends_on_seed_and_number_only():
    augmenter = ImageAugmenter(rotation_range=40, noise_std=0.1, erase_fraction=0.2)
    both = augmenter.draw([1, 5], np.array([12, 7, 12]))
    np.testing.assert_array_equal(both[:1], augmenter.draw([1, 5], np.array([12])))
    assert both[0] == both[2]
    assert both[0] != both[1]
    assert both[0] != augmenter.draw([1, 6], np.array([12]))[0]
    # other operations don't change it
    more = augmenter.set_params(zoom_range=0.2).draw([1, 5], np.array([12]))
    assert more["rotation"][0] == both["rotation"][0]


def test_nothing_is_drawn_by_default():
    draws = drawn()
    assert all((draws[name] == value).all() for name, value in NEUTRAL.items())
