"""Every operation and fill mode on tiny exact arrays; agreement with Keras."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.ndimage import affine_transform

from skvision.augmentation.operations import (
    DRAW,
    FILL_MODES,
    augmented,
    neutral_draws,
    warp_matrices,
)

ROW = np.array([10, 20, 30, 40], np.uint8)
SQUARE = np.array([[1, 2, 3], [4, 5, 6], [7, 8, 9]], np.uint8)


def draw(**parameters):
    draws = neutral_draws(1)
    for name, value in parameters.items():
        draws[name] = value
    return draws


def apply(pixels, draws, **how):
    """Apply draws to one image (height, width) or (height, width, channels)."""
    grey = pixels.ndim == 2
    images = pixels[np.newaxis, ..., np.newaxis] if grey else pixels[np.newaxis]
    result = augmented(images, draws, **how)[0]
    return result[..., 0] if grey else result


@pytest.fixture(scope="module")
def photo():
    """Smooth colours like a photo, including black and white."""
    rng = np.random.default_rng(0)
    coarse = rng.integers(0, 256, (6, 6, 3)).astype(np.float32)
    import cv2

    smooth = cv2.resize(coarse, (40, 40), interpolation=cv2.INTER_LINEAR)
    smooth[0, 0], smooth[0, 1] = 0, 255
    return smooth.round().astype(np.uint8)


# geometry

FILLED = {
    "nearest": [30, 40, 40, 40],
    "constant": [30, 40, 7, 7],
    "reflect": [30, 40, 40, 30],
    "wrap": [30, 40, 10, 20],
}


def test_every_fill_mode_is_tested():
    assert set(FILLED) == set(FILL_MODES)


@pytest.mark.parametrize("fill_mode", FILLED)
@pytest.mark.parametrize("along", ["x", "y"])
@pytest.mark.parametrize("unit", ["pixels", "share"])
def test_shift_and_fill_modes(fill_mode, along, unit):
    parameters = {f"shift_{along}_pixels": 2} if unit == "pixels" else {f"shift_{along}": 0.5}
    # an image of a single row along this axis
    pixels = ROW[np.newaxis] if along == "x" else ROW[:, np.newaxis]
    result = apply(pixels, draw(**parameters), fill_mode=fill_mode, cval=7)
    assert result.ravel().tolist() == FILLED[fill_mode]


def test_shift_by_half_a_pixel_is_interpolated():
    result = apply(ROW[np.newaxis], draw(shift_x_pixels=0.5))
    assert result.ravel().tolist() == [15, 25, 35, 40]


@pytest.mark.parametrize(
    ("parameters", "expected"),
    [
        ({"rotation": 90}, [[3, 6, 9], [2, 5, 8], [1, 4, 7]]),
        ({"rotation": -90}, [[7, 4, 1], [8, 5, 2], [9, 6, 3]]),
        ({"rotation": 180}, [[9, 8, 7], [6, 5, 4], [3, 2, 1]]),
        ({"flip_x": True}, [[3, 2, 1], [6, 5, 4], [9, 8, 7]]),
        ({"flip_y": True}, [[7, 8, 9], [4, 5, 6], [1, 2, 3]]),
        ({"flip_x": True, "flip_y": True}, [[9, 8, 7], [6, 5, 4], [3, 2, 1]]),
    ],
)
def test_turns_and_flips(parameters, expected):
    assert apply(SQUARE, draw(**parameters)).tolist() == expected


def test_zoom():
    # above 1 more is shown, filled with the edge
    wide = np.array([[0, 0, 10, 20, 30, 40, 50, 60, 60]], np.uint8)[:, 1:-1]
    assert apply(wide, draw(zoom_x=2.0)).tolist() == [[0, 0, 10, 30, 50, 60, 60]]
    assert apply(wide, draw(zoom_x=0.5)).tolist() == [[15, 20, 25, 30, 35, 40, 45]]
    tall = apply(wide.T, draw(zoom_y=2.0))
    assert tall.ravel().tolist() == [0, 0, 10, 30, 50, 60, 60]


def test_shear():
    pixels = np.tile(ROW, (3, 1))
    # by 30 degrees rows move by half of their distance from the middle one
    result = apply(pixels, draw(shear=30), fill_mode="nearest")
    assert result.tolist() == [[15, 25, 35, 40], ROW.tolist(), [10, 15, 25, 35]]


def test_crop_enlarges_a_part():
    pixels = np.array(
        [[0, 0, 100, 100], [0, 0, 100, 100], [9, 9, 50, 50], [9, 9, 50, 50]], np.uint8
    )
    corners = [
        (0, 0, 0), (1, 0, 100), (0, 1, 9), (1, 1, 50),
    ]  # fmt: skip
    for x, y, level in corners:
        result = apply(pixels, draw(crop=0.5, crop_x=x, crop_y=y))
        # from 0 to 1.5 or from 1.5 to 3: the innermost row and column lie between two colours
        assert (result[y : 3 + y, x : 3 + x] == level).all()


@pytest.mark.parametrize("fill_mode", FILL_MODES)
def test_a_crop_contains_no_filling(fill_mode):
    pixels = np.tile(np.array([100, 200], np.uint8).repeat(4), (8, 1))
    for y in (0, 1):
        left = apply(pixels, draw(crop=0.5, crop_y=y), fill_mode=fill_mode, cval=0)
        assert left.tolist() == [[100] * 7 + [150]] * 8
        right = apply(pixels, draw(crop=0.5, crop_x=1, crop_y=y), fill_mode=fill_mode, cval=0)
        assert right.tolist() == [[150] + [200] * 7] * 8


def test_geometry_is_one_warp_in_the_order_of_keras():
    draws = draw(rotation=20, shift_x=0.1, shear=10, zoom_x=0.8, flip_x=True, crop=0.9)
    matrices = warp_matrices(draws, 30, 40)
    assert matrices.shape == (1, 2, 3)
    whole = np.vstack([matrices[0], [0, 0, 1]])

    def one(**parameters):
        return np.vstack([warp_matrices(draw(**parameters), 30, 40)[0], [0, 0, 1]])

    expected = (
        one(rotation=20) @ one(shift_x=0.1) @ one(shear=10) @ one(zoom_x=0.8)
        @ one(flip_x=True) @ one(crop=0.9)
    )  # fmt: skip
    np.testing.assert_allclose(whole, expected, atol=1e-12)


TRANSFORMS = [
    {"theta": 33.0},
    {"tx": 5.3},
    {"ty": -3.6},
    {"shear": 12.0},
    {"zx": 0.8, "zy": 1.15},
    {"flip_horizontal": True},
    {"flip_vertical": True},
    {"theta": -40.0, "tx": 4.0, "ty": -7.5, "shear": 8.0, "zx": 1.2, "zy": 0.85,
     "flip_horizontal": True},
]  # fmt: skip
OURS = {
    "theta": "rotation",
    # Keras uses its first axis as x when it composes, whatever the name of the draw
    "tx": "shift_x_pixels",
    "ty": "shift_y_pixels",
    "shear": "shear",
    "zx": "zoom_x",
    "zy": "zoom_y",
    "flip_horizontal": "flip_x",
    "flip_vertical": "flip_y",
}


def generator(**options):
    from keras.src.legacy.preprocessing.image import ImageDataGenerator

    return ImageDataGenerator(**options)


@pytest.mark.parametrize("fill_mode", ["nearest", "reflect", "constant"])
@pytest.mark.parametrize("parameters", TRANSFORMS)
def test_agreement_with_image_data_generator(photo, parameters, fill_mode):
    keras_says = generator(fill_mode=fill_mode, cval=40).apply_transform(
        photo.astype(np.float32), parameters
    )
    draws = draw(**{OURS[name]: value for name, value in parameters.items()})
    ours = apply(photo, draws, fill_mode=fill_mode, cval=40).astype(float)
    off = np.abs(ours - keras_says)
    if fill_mode == "constant":
        # SciPy cuts off at the centres of the outermost pixels, OpenCV blends one pixel further
        assert (off > 1).any(axis=2).mean() < 0.12
        assert np.median(off) <= 0.5
    else:
        # to the nearest whole number, and a rounding of the coordinates
        assert off.max() < 0.6


def test_wrap_agrees_with_scipy_and_the_documented_pattern(photo):
    # the wrap of ImageDataGenerator has a period that is one pixel shorter
    matrix = warp_matrices(draw(rotation=25, shift_x=0.4), 40, 40)[0]
    expected = [
        affine_transform(
            photo[..., c].astype(float),
            matrix[::-1, 1::-1],
            matrix[::-1, 2],
            order=1,
            mode="grid-wrap",
        )
        for c in range(3)
    ]
    ours = apply(photo, draw(rotation=25, shift_x=0.4), fill_mode="wrap")
    assert np.abs(ours - np.stack(expected, axis=-1)).max() < 0.6


def test_images_that_are_not_square_rotate_about_their_centre():
    pixels = np.zeros((5, 9), np.uint8)
    pixels[2, 4] = 200
    pixels[2, 6] = 100
    turned = apply(pixels, draw(rotation=90))
    assert turned[2, 4] == 200
    assert turned[0, 4] == 100


@pytest.mark.parametrize(("name", "value", "ours"), [
    ("channel_shift_intensity", 31.0, "channel_shift"),
    ("channel_shift_intensity", -64.0, "channel_shift"),
    ("brightness", 0.4, "brightness"),
    ("brightness", 1.7, "brightness"),
])  # fmt: skip
def test_colour_agrees_with_image_data_generator(photo, name, value, ours):
    # on an image from 0 to 255: Keras clips to the image's own extremes
    assert (photo.min(), photo.max()) == (0, 255)
    keras_says = generator().apply_transform(photo.astype(np.float32), {name: value})
    off = np.abs(apply(photo, draw(**{ours: value})) - np.asarray(keras_says))
    assert off.max() <= 1  # Pillow, by which Keras brightens, cuts off where we round


# colour

COLOURS = np.array([[[255, 0, 0], [0, 128, 0], [10, 20, 30], [100, 100, 100]]], np.uint8)


@pytest.mark.parametrize(
    ("parameters", "expected"),
    [
        ({"channel_shift": 10}, [[255, 10, 10], [10, 138, 10], [20, 30, 40], [110, 110, 110]]),
        ({"channel_shift": -20}, [[235, 0, 0], [0, 108, 0], [0, 0, 10], [80, 80, 80]]),
        ({"brightness": 1.5}, [[255, 0, 0], [0, 192, 0], [15, 30, 45], [150, 150, 150]]),
        ({"brightness": 0.0}, [[0, 0, 0]] * 4),
        ({"saturation": 0.0}, [[76] * 3, [75] * 3, [18] * 3, [100] * 3]),
        ({"hue": 1 / 3}, [[0, 255, 0], [0, 0, 128], [30, 10, 20], [100, 100, 100]]),
        ({"hue": -1 / 3}, [[0, 0, 255], [128, 0, 0], [20, 30, 10], [100, 100, 100]]),
        # the mean colour is (91.25, 62, 32.5), its grey 67.38
        ({"contrast": 0.0}, [[67] * 3] * 4),
        ({"contrast": 2.0}, [[255, 0, 0], [0, 189, 0], [0, 0, 0], [133, 133, 133]]),
    ],
)
def test_colour_operations(parameters, expected):
    assert apply(COLOURS, draw(**parameters))[0].tolist() == expected


def test_colours_in_order_and_clipped_once():
    # values beyond white are not clipped in between: (100 + 200) / 2
    assert apply(COLOURS, draw(channel_shift=200, brightness=0.5))[0, 3].tolist() == [150] * 3


def test_grey_images_have_no_hue_nor_saturation():
    assert apply(SQUARE, draw(hue=0.3, saturation=0.0)).tolist() == SQUARE.tolist()
    assert apply(SQUARE, draw(brightness=2.0)).tolist() == (2 * SQUARE).tolist()


def test_constant_filling_is_opaque():
    pixels = np.full((1, 4, 4), 90, np.uint8)
    result = apply(pixels, draw(shift_x_pixels=2), fill_mode="constant", cval=7)
    assert result[0].tolist() == [[90] * 4, [90] * 4, [7, 7, 7, 255], [7, 7, 7, 255]]


def test_transparency_is_warped_but_not_recoloured():
    pixels = np.array([[[10, 20, 30, 0], [40, 50, 60, 255]]], np.uint8)
    result = apply(pixels, draw(flip_x=True, brightness=2.0, noise=0.1, noise_seed=3))
    assert result[0, :, 3].tolist() == [255, 0]


@pytest.mark.parametrize("n_channels", [2, 5, 9])
def test_any_number_of_channels(n_channels):
    pixels = np.random.default_rng(0).integers(0, 256, (6, 6, n_channels)).astype(np.uint8)
    result = apply(pixels, draw(flip_x=True, rotation=180, channel_shift=300))
    assert (result == 255).all()
    np.testing.assert_array_equal(apply(pixels, draw(flip_x=True)), pixels[:, ::-1])


# lost information


def test_noise_has_its_standard_deviation_and_depends_on_its_seed():
    pixels = np.full((64, 64, 3), 128, np.uint8)
    first = apply(pixels, draw(noise=0.1, noise_seed=1))
    assert abs(first.astype(float).std() - 25.5) < 1
    assert abs(first.mean() - 128) < 1
    np.testing.assert_array_equal(first, apply(pixels, draw(noise=0.1, noise_seed=1)))
    assert (first != apply(pixels, draw(noise=0.1, noise_seed=2))).mean() > 0.9


def test_noise_of_floats_is_on_their_scale():
    pixels = np.full((64, 64, 1), 0.5, np.float32)
    result = apply(pixels, draw(noise=0.1, noise_seed=1), pixel_range=(0.0, 1.0))
    assert abs(result.std() - 0.1) < 0.01


def test_erased_patch():
    draws = draw(erase_left=0.25, erase_top=0.5, erase_width=0.5, erase_height=0.5)
    result = apply(np.full((4, 8), 9, np.uint8), draws, cval=200)
    expected = np.full((4, 8), 9)
    expected[2:, 2:6] = 200
    assert result.tolist() == expected.tolist()


@pytest.mark.parametrize("dtype", [np.uint8, np.float32])
@pytest.mark.parametrize(("cval", "level"), [(300, 255), (-5, 0), (127.9, None)])
def test_patches_and_edges_have_one_level_that_is_on_the_scale(dtype, cval, level):
    pixels = np.full((4, 8), 9, dtype)
    draws = draw(shift_x_pixels=4, erase_width=0.25, erase_height=1.0)
    result = apply(pixels, draws, fill_mode="constant", cval=cval)
    assert np.unique(result[:, :2]) == np.unique(result[:, 4:])
    expected = level if level is not None else 128 if dtype == np.uint8 else np.float32(127.9)
    assert np.unique(result[:, 4:]) == expected


# dtype, shape, range, identity


@pytest.mark.parametrize("dtype", [np.uint8, np.float32, np.float64])
def test_neutral_draw_is_bit_for_bit(dtype):
    images = np.random.default_rng(0).random((3, 7, 5, 3))
    images = (images * 255).astype(dtype) if dtype == np.uint8 else images.astype(dtype)
    before = images.copy()
    result = augmented(images, neutral_draws(3), pixel_range=(0.0, 255.0))
    assert result.dtype == dtype
    assert result is not images
    np.testing.assert_array_equal(result, before)


def test_floats_stay_on_their_scale(photo):
    pixels = (photo / 255).astype(np.float32)
    draws = draw(rotation=30, contrast=3.0, brightness=1.5, noise=0.2, noise_seed=5)
    result = apply(pixels, draws, pixel_range=(0.0, 1.0))
    assert result.dtype == np.float32
    assert result.min() == 0
    assert result.max() == 1


def test_float_and_byte_images_agree(photo):
    draws = draw(rotation=30, contrast=1.3, hue=0.1, saturation=0.5, channel_shift=20, zoom_x=0.9)
    bytes_ = apply(photo, draws)
    floats = apply((photo / 255), draws, pixel_range=(0.0, 1.0))
    # bytes are rounded between the warp and the colours, and after them
    assert np.abs(bytes_ / 255 - floats).max() < 2.5 / 255


@pytest.mark.parametrize("n_channels", [1, 3, 5])
@pytest.mark.parametrize(("dtype", "tolerance"), [("u1", 0.501), ("f4", 0.002), ("f8", 0.002)])
def test_sharp_images_are_interpolated_as_by_scipy(dtype, tolerance, n_channels):
    sharp = np.random.default_rng(0).integers(0, 2, (40, 33, n_channels)) * 255
    draws = draw(rotation=13, shift_x_pixels=0.02, zoom_y=0.8)
    (a, b, x), (c, d, y) = warp_matrices(draws, 40, 33)[0]
    result = apply(sharp.astype(dtype), draws, fill_mode="nearest")
    for channel in range(n_channels):
        expected = affine_transform(
            sharp[..., channel].astype(float), [[d, c], [b, a]], (y, x), order=1, mode="nearest"
        )
        assert np.abs(result[..., channel] - expected).max() < tolerance


def test_a_very_wide_image_of_any_type():
    for dtype in ("u1", "f4", "f8"):
        assert apply(np.zeros((1, 33_000), dtype), draw(rotation=5)).shape == (1, 33_000)


def test_scale_that_does_not_begin_at_zero():
    pixels = np.array([[[-1.0], [0.0], [1.0]]])
    assert apply(pixels, draw(brightness=0.0), pixel_range=(-1.0, 1.0)).tolist() == [[[-1.0]] * 3]
    shifted = apply(pixels, draw(channel_shift=127.5), pixel_range=(-1.0, 1.0))
    assert shifted.ravel().tolist() == [0.0, 1.0, 1.0]
    filled = apply(
        pixels, draw(shift_x_pixels=1), pixel_range=(-1.0, 1.0), fill_mode="constant", cval=255
    )
    assert filled.ravel().tolist() == [0.0, 1.0, 1.0]


def test_numbers_without_a_scale_are_not_clipped():
    pixels = np.array([[[-500.0], [1000.0]]])
    result = apply(pixels, draw(channel_shift=700, flip_x=True), pixel_range=None)
    assert result.ravel().tolist() == [1700.0, 200.0]


def test_result_is_the_same_in_threads_and_the_input_unchanged(monkeypatch):
    images = np.random.default_rng(0).integers(0, 256, (9, 200, 200, 3)).astype(np.uint8)
    before = images.copy()
    draws = np.concatenate(
        [draw(rotation=angle, noise=0.1, noise_seed=angle) for angle in range(9)]
    )
    results = []
    for n_threads in ("1", "3"):
        monkeypatch.setenv("OMP_NUM_THREADS", n_threads)
        results.append(augmented(images, draws))
    np.testing.assert_array_equal(*results)
    np.testing.assert_array_equal(images, before)


def test_an_empty_array():
    assert augmented(np.empty((0, 4, 4, 3), np.uint8), np.empty(0, DRAW)).shape == (0, 4, 4, 3)
