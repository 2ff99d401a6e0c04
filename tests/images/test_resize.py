from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from skvision.images import RESIZE_POLICIES, resize_array, resize_image


@pytest.mark.parametrize("resize", RESIZE_POLICIES)
def test_size_and_identity(noise, resize):
    image = Image.fromarray(noise[0])
    assert resize_image(image, (7, 9), resize).size == (9, 7)
    assert resize_image(image, (12, 10), resize) is image
    np.testing.assert_array_equal(resize_array(noise[0], (12, 10), resize), noise[0])


def test_stretch_averages_when_halving():
    pixels = np.array([[0, 0, 200, 200]] * 2, np.uint8)
    shrunk = np.asarray(resize_image(Image.fromarray(pixels), (1, 2), "stretch"))
    # antialiased: the filter covers more than the pixels of one target pixel
    assert shrunk[0, 0] < shrunk[0, 1]
    assert shrunk.sum() == 200


def test_crop_takes_the_middle():
    pixels = np.zeros((2, 6), np.uint8)
    pixels[:, 2:4] = 9
    np.testing.assert_array_equal(
        resize_image(Image.fromarray(pixels), (2, 2), "crop"), [[9, 9]] * 2
    )


def test_crop_of_a_tall_image():
    pixels = np.zeros((6, 2), np.uint8)
    pixels[2:4] = 9
    np.testing.assert_array_equal(
        resize_image(Image.fromarray(pixels), (2, 2), "crop"), [[9, 9]] * 2
    )


def test_crop_survives_rounding():
    # 29 / 7 * 7 is slightly above 29, so the box to crop would begin at -1e-15
    assert 7 * (29 / 7) > 29
    assert resize_image(Image.new("L", (29, 40)), (1, 7), "crop").size == (7, 1)
    assert resize_image(Image.new("L", (200, 29)), (7, 1), "crop").size == (1, 7)


@pytest.mark.parametrize("resize", RESIZE_POLICIES)
def test_only_the_box_is_used(noise, resize):
    image = Image.fromarray(np.tile(noise[0], (3, 3, 1)))
    box = (7, 5, 17, 17)
    np.testing.assert_array_equal(
        resize_image(image, (12, 10), resize, box), np.asarray(image.crop(box))
    )


def test_the_aspect_ratio_of_the_box_is_used():
    # 16 x 4 pixels, of which 8 x 4 are the image, or its left half
    image = Image.new("L", (16, 4), 9)
    padded = np.asarray(resize_image(image, (8, 8), "pad", (0, 0, 8, 4)))
    np.testing.assert_array_equal(padded[:, 0], [0, 0, 9, 9, 9, 9, 0, 0])
    image.paste(0, (6, 0, 16, 4))
    image.paste(0, (0, 0, 2, 4))
    cropped = resize_image(image, (4, 4), "crop", (0, 0, 8, 4))  # from 2 to 6
    np.testing.assert_array_equal(cropped, np.full((4, 4), 9))


def test_pad_keeps_the_whole_image_and_adds_black():
    pixels = np.full((2, 4), 9, np.uint8)
    padded = np.asarray(resize_image(Image.fromarray(pixels), (4, 4), "pad"))
    np.testing.assert_array_equal(padded, [[0] * 4, [9] * 4, [9] * 4, [0] * 4])


def test_pad_of_an_extreme_shape_keeps_one_pixel():
    assert resize_image(Image.new("RGB", (1000, 1)), (4, 4), "pad").size == (4, 4)


@pytest.mark.parametrize("resize", RESIZE_POLICIES)
def test_array_and_image_agree(noise, resize):
    by_image = np.asarray(resize_image(Image.fromarray(noise[0]), (5, 6), resize))
    np.testing.assert_array_equal(resize_array(noise[0], (5, 6), resize), by_image)


def test_numbers_keep_their_precision():
    X = np.array([[[1e6], [1e6 + 2]]], np.float32)
    assert resize_array(X, (1, 4), "stretch")[0, :, 0].tolist() == [
        1e6,
        1e6 + 0.5,
        1e6 + 1.5,
        1e6 + 2,
    ]
