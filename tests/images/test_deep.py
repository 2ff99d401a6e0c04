"""Files of more than 8 bits have the scale that they declare, or an explicit one."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from skvision import ImageDecodeError
from skvision.images import as_image_batch, decode, image_key
from skvision.images.decode import read_samples

from .deep_files import packed12, png, saved, tiff

RAMP = np.linspace(0, 4095, 48).round().astype(np.uint16).reshape(6, 8)
COLOUR = np.stack([RAMP, RAMP[::-1], RAMP[:, ::-1]], axis=2)
ROOM = 65535


def scaled(values, white):
    """Return values from 0..white in 8 bits."""
    grey = np.floor(values * (255 / white) + 0.5).astype(np.uint8)
    return grey if grey.ndim == 3 else np.repeat(grey[..., np.newaxis], 3, axis=2)


def pgm(values, white):
    kind = b"P6" if values.ndim == 3 else b"P5"
    height, width = values.shape[:2]
    return b"%s %d %d %d\n" % (kind, width, height, white) + values.astype(">u2").tobytes()


def jpeg2000(values):
    """Return a lossless file of 16 bits."""
    buffer = io.BytesIO()
    Image.fromarray(values).save(buffer, "JPEG2000", no_jp2=True)
    return buffer.getvalue()


OME = '<OME><Image><Pixels SignificantBits="12"/></Image></OME>'
DECLARED = {
    "TIFF of 12 bits": (tiff(packed12(RAMP), RAMP.shape, 12), RAMP, 4095),
    "TIFF of 16 bits": (saved(RAMP), RAMP, ROOM),
    "big-endian TIFF": (tiff(RAMP.astype(">u2").tobytes(), RAMP.shape, 16, order=">"), RAMP, ROOM),
    "TIFF with MaxSampleValue": (saved(RAMP, tiffinfo={281: 4095}), RAMP, 4095),
    "TIFF with SMaxSampleValue": (
        tiff(RAMP.tobytes(), RAMP.shape, 16, t341=(4095,)),
        RAMP,
        4095,
    ),
    "TIFF with its own largest number": (saved(RAMP, tiffinfo={281: 4094}), RAMP, ROOM),
    "TIFF of a microscope": (saved(RAMP, tiffinfo={270: OME}), RAMP, 4095),
    "signed TIFF": (tiff(RAMP.tobytes(), RAMP.shape, 16, t339=(2,)), RAMP, 32767),
    "signed big-endian TIFF, compressed": (
        tiff(RAMP.astype(">i2").tobytes(), RAMP.shape, 16, order=">", compress=True, t339=(2,)),
        RAMP,
        32767,
    ),
    "TIFF of 32-bit integers": (saved(RAMP.astype(np.int32)), RAMP, ROOM),
    "colour TIFF": (tiff(COLOUR.tobytes(), COLOUR.shape, 16), COLOUR, ROOM),
    "colour TIFF, compressed": (
        tiff(COLOUR.tobytes(), COLOUR.shape, 16, compress=True),
        COLOUR,
        ROOM,
    ),
    "colour TIFF with MaxSampleValue": (
        tiff(COLOUR.tobytes(), COLOUR.shape, 16, t281=(4095, 4095, 4095)),
        COLOUR,
        4095,
    ),
    "PNG": (png(RAMP), RAMP, ROOM),
    "colour PNG": (png(COLOUR), COLOUR, ROOM),
    "PNG with sBIT": (png(RAMP, significant=12), RAMP, 4095),
    "colour PNG with sBIT": (png(COLOUR, significant=12), COLOUR, 4095),
    "PNG with sBIT, scaled up": (png(RAMP << 4 | RAMP >> 8, significant=12), RAMP << 4, ROOM),
    "dark PNG with sBIT, scaled up": (
        png(RAMP // 256 * 16, significant=12),
        RAMP // 256 * 16,
        ROOM,
    ),
    "PGM of 12 bits": (pgm(RAMP, 4095), RAMP, 4095),
    "PGM of 10 bits": (pgm(RAMP // 4, 1023), RAMP // 4, 1023),
    "PGM of 16 bits": (pgm(RAMP, ROOM), RAMP, ROOM),
    "PPM of 12 bits": (pgm(COLOUR, 4095), COLOUR, 4095),
    "plain PGM": (
        b"P2 2 1 4095 0 4095",
        np.array([[0, 4095]]),
        4095,
    ),
    "PIL image": (Image.fromarray(RAMP), RAMP, ROOM),
    "PIL image of a TIFF of 12 bits": (
        Image.open(io.BytesIO(tiff(packed12(RAMP), RAMP.shape, 12))),
        RAMP,
        4095,
    ),
}


@pytest.mark.parametrize("form", DECLARED)
def test_the_declared_depth_is_the_scale(form):
    source, values, white = DECLARED[form]
    np.testing.assert_array_equal(decode(source), scaled(values, white))


NUMBERS = [name for name in DECLARED if "scaled up" not in name]


@pytest.mark.parametrize("form", NUMBERS)
def test_an_explicit_range_refers_to_the_numbers_in_the_file(form):
    source, values, _ = DECLARED[form]
    np.testing.assert_array_equal(decode(source, (0, 5000)), scaled(values, 5000))
    with pytest.raises(ImageDecodeError, match=r"numbers from 0 to \d+, outside 0..500, which is"):
        decode(source, (0, 500))


@pytest.mark.parametrize("form", NUMBERS)
def test_files_and_arrays_agree(form):
    source, values, _ = DECLARED[form]
    if isinstance(source, Image.Image):
        return
    size = values.shape[:2]
    array = as_image_batch(values[np.newaxis].astype(np.uint16), value_range=(0, 5000))
    files = as_image_batch([source], value_range=(0, 5000))
    np.testing.assert_array_equal(files.image(0, size, "stretch"), array.image(0, size, "stretch"))


def test_floats_have_the_explicit_scale():
    floats = saved(RAMP.astype(np.float32) / 4095)
    big_endian = tiff(
        (RAMP / 4095).astype(">f4").tobytes(), RAMP.shape, 32, order=">", compress=True, t339=(3,)
    )
    for source in (floats, big_endian, Image.fromarray(RAMP.astype(np.float32) / 4095)):
        with pytest.raises(
            ImageDecodeError, match=r"no standard range; pass their range by value_range="
        ):
            decode(source)
        expected = scaled((RAMP / 4095).astype(np.float32), 1.0)
        np.testing.assert_array_equal(decode(source, (0, 1)), expected)
    declared = tiff((RAMP / 4095).astype("<f4").tobytes(), RAMP.shape, 32, t339=(3,), t341=(1,))
    np.testing.assert_array_equal(decode(declared), expected)
    with pytest.raises(ImageDecodeError, match="NaN"):
        decode(saved(np.full((2, 2), np.nan, np.float32)), (0, 1))


def test_integers_beyond_their_scale_are_refused_with_advice():
    depths = np.array([[0, 70_000]], np.int32)
    with pytest.raises(
        ImageDecodeError, match=r"outside 0..65535; pass their scale by value_range"
    ):
        decode(saved(depths))
    np.testing.assert_array_equal(decode(saved(depths), (0, 70_000)), scaled(depths, 70_000))
    below = tiff(np.array([[-5, 5]], "<i2").tobytes(), (1, 2), 16, t339=(2,))
    with pytest.raises(ImageDecodeError, match="from -5 to 5, outside 0..32767"):
        decode(below)
    assert decode(below, (-5, 5))[0, :, 0].tolist() == [0, 255]


def test_white_may_be_the_smallest_number():
    source = tiff(RAMP.tobytes(), RAMP.shape, 16, t262=(0,))
    np.testing.assert_array_equal(decode(source), 255 - scaled(RAMP, ROOM))
    np.testing.assert_array_equal(decode(source, (0, 4095)), 255 - scaled(RAMP, 4095))


@pytest.mark.parametrize("value_range", ["auto", (0, 4095)])
def test_transparency_has_its_own_scale(value_range):
    opaque = np.concatenate([COLOUR, np.full((*RAMP.shape, 1), ROOM, np.uint16)], axis=2)
    see_through = opaque.copy()
    see_through[..., 3] = 0
    expected = decode(png(COLOUR), value_range)
    np.testing.assert_array_equal(decode(png(opaque), value_range), expected)
    assert (decode(png(see_through), value_range) == 255).all()
    grey = np.stack([RAMP, np.full_like(RAMP, ROOM)], axis=2)
    np.testing.assert_array_equal(decode(png(grey), value_range), decode(png(RAMP), value_range))


def test_one_colour_may_be_transparent():
    hidden = decode(png(COLOUR, transparent=COLOUR[2, 3].tolist()), (0, 4095))
    expected = decode(png(COLOUR), (0, 4095)).copy()
    expected[2, 3] = 255
    np.testing.assert_array_equal(hidden, expected)
    assert (decode(png(RAMP, transparent=[4095]), (0, 4095))[-1, -1] == 255).all()


@pytest.mark.parametrize(
    "source",
    [
        saved(np.zeros((2, 2), np.uint8), "PNG"),
        saved(np.zeros((2, 2, 3), np.uint8), "JPEG"),
        saved(np.zeros((2, 2, 3), np.uint8), "BMP"),
        Image.new("RGB", (2, 2)),
        b"P5 1 1 255\n\0",
    ],
    ids=["PNG", "JPEG", "BMP", "PIL", "PGM"],
)
@pytest.mark.parametrize("value_range", [(0, 4095), (0, 255), ((0.0,), (9.0,))])
def test_an_explicit_range_is_refused_for_8_bits(source, value_range):
    with pytest.raises(ImageDecodeError, match=r"more than 8 bits, .*use value_range='auto'"):
        decode(source, value_range)


def test_planar_channels_are_refused_if_pillow_misreads_them():
    planes = np.moveaxis(COLOUR, 2, 0).tobytes()
    with pytest.raises(ImageDecodeError, match="planarconfig='contig'"):
        decode(tiff(planes, COLOUR.shape, 16, t284=(2,)))


def test_the_error_of_an_unreadable_tiff_describes_it():
    with pytest.raises(ImageDecodeError, match="3 channels of 12-bit unsigned integers"):
        decode(tiff(packed12(COLOUR), COLOUR.shape, 12))
    with pytest.raises(ImageDecodeError, match="64-bit floats; convert it to integers"):
        decode(tiff(RAMP.astype("<f8").tobytes(), RAMP.shape, 64, t339=(3,)))
    with pytest.raises(ImageDecodeError, match="of a kind that Pillow can't read"):
        decode(b"II*\0" + bytes(20))


def test_a_truncated_deep_file_is_refused():
    for source in (pgm(RAMP, 4095), png(COLOUR), tiff(COLOUR.tobytes(), COLOUR.shape, 16)):
        with pytest.raises(ImageDecodeError):
            decode(source[: len(source) // 2])


def test_jpeg_2000_of_16_bits():
    source = jpeg2000(RAMP)
    np.testing.assert_array_equal(decode(source), scaled(RAMP, ROOM))
    # the place of the precision, which is 16 bits
    place = source.index(b"\xff\x51") + 2 + 38
    assert source[place] == 15
    twelve = bytearray(source)
    twelve[place] = 11
    assert read_samples(bytes(twelve), (1, 1)).scale == (0, 4095)


def test_keys_of_opened_images_distinguish_depths():
    pictures = [
        Image.open(io.BytesIO(source))
        for source in (saved(RAMP), saved(RAMP, tiffinfo={281: 4095}))
    ]
    assert len({image_key(picture) for picture in pictures}) == 2


@pytest.mark.parametrize("value_range", [(0, 4095), ((0.0, 0.0, 0.0), (4095.0, 4095.0, 4095.0))])
def test_resizing_and_augmentation_come_after(value_range):
    from skvision import AugmentedImage
    from skvision.augmentation import Draw

    files = [png(COLOUR), AugmentedImage(png(COLOUR), Draw.of(flip_x=True))]
    batch = as_image_batch(files, value_range=value_range)
    expected = scaled(COLOUR, 4095)
    np.testing.assert_array_equal(batch.image(0, (6, 8), "stretch"), expected)
    np.testing.assert_array_equal(batch.image(1, (6, 8), "stretch"), expected[:, ::-1])
    np.testing.assert_array_equal(batch.whole(1), expected[:, ::-1])
