"""JPEGs for small targets are decoded at reduced scale, to the same image within a tolerance."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from skvision import ImageDecodeError
from skvision.datasets import find_unreadable
from skvision.images import (
    RESIZE_POLICIES,
    ImageReader,
    as_image_batch,
    decode,
    decode_resized,
    resize_array,
)

ANIMALS = Path(__file__).parents[3] / "shared/data/animals"
SIZE = (32, 24)


def jpeg(pixels, orientation=1, kind="JPEG", **options):
    exif = Image.Exif()
    exif[0x0112] = orientation
    buffer = io.BytesIO()
    image = pixels if isinstance(pixels, Image.Image) else Image.fromarray(pixels)
    image.save(buffer, kind, quality=95, exif=exif, **options)
    return buffer.getvalue()


@pytest.fixture(scope="module")
def scene():
    """A smooth image with four different sides, of a size that isn't divisible by a scale."""
    x, y = np.linspace(0, 1, 403), np.linspace(0, 1, 277)[:, None]
    return np.stack(
        [255 * x * np.ones_like(y), 255 * y * np.ones_like(x), 127 + 120 * np.sin(9 * x + 7 * y)],
        axis=2,
    ).astype(np.uint8)


def whole(source, size, resize):
    """Return the image without reduced decoding."""
    return resize_array(decode(source), size, resize)


def apart(source, size, resize):
    reduced = decode_resized(source, size, resize).astype(int)
    return np.abs(reduced - whole(source, size, resize))


@pytest.fixture
def scales(monkeypatch):
    """The scales at which images are decoded."""
    from PIL import JpegImagePlugin

    seen = []
    original = JpegImagePlugin.JpegImageFile.draft

    def draft(self, mode, size):
        before = self.size
        result = original(self, mode, size)
        seen.append(round(before[0] / self.size[0]))
        return result

    monkeypatch.setattr(JpegImagePlugin.JpegImageFile, "draft", draft)
    return seen


@pytest.mark.parametrize("resize", RESIZE_POLICIES)
@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_reduced_image_is_not_shifted(scene, orientation, resize):
    # the scene rises by 8 to 11 levels per pixel, so a shift by half a pixel would be visible
    difference = apart(jpeg(scene, orientation), SIZE, resize)
    assert difference.mean() < 0.6
    assert difference.max() <= 5


@pytest.mark.parametrize(
    ("size", "scale"),
    [((8, 8), 8), ((22, 22), 8), ((23, 23), 4), ((46, 46), 4), ((47, 47), 2), ((93, 60), 1)],
)
def test_images_are_reduced_to_at_least_one_and_a_half_times_the_target(scene, scales, size, scale):
    decode_resized(jpeg(scene), size, "stretch")  # 277 pixels high: 277 / 8 = 34.6
    assert scales == [scale]


def test_a_sideways_image_is_measured_upright(scene, scales):
    upright = (100, 20)  # height, width; stored as 403 x 277, the height along the 403
    decode_resized(jpeg(scene, orientation=6), upright, "stretch")
    decode_resized(jpeg(scene), upright, "stretch")
    assert scales == [2, 1]


@pytest.mark.parametrize("mode", ["L", "CMYK"])
def test_grey_and_cmyk_are_reduced_too(scene, scales, mode):
    data = jpeg(Image.fromarray(scene).convert(mode))
    assert apart(data, SIZE, "crop").mean() < 0.6
    assert scales == [4]


def test_the_first_image_of_a_stereo_jpeg_is_reduced_too(scene, scales):
    other = Image.new("RGB", (403, 277))
    data = jpeg(scene, 6, "MPO", save_all=True, append_images=[other])
    assert apart(data, SIZE, "crop").mean() < 0.6
    assert len(scales) == 1


@pytest.mark.parametrize("resize", RESIZE_POLICIES)
@pytest.mark.parametrize("orientation", [1, 3, 6])
def test_images_less_than_three_times_as_large_agree_exactly(scene, orientation, resize):
    data = jpeg(scene, orientation)
    for size in ((277, 403), (403, 277), (277, 277), (93, 110)):
        np.testing.assert_array_equal(decode_resized(data, size, resize), whole(data, size, resize))


def test_other_formats_agree_exactly(scene, tmp_path):
    for suffix in ("png", "webp", "tiff", "bmp"):
        path = tmp_path / f"a.{suffix}"
        Image.fromarray(scene).save(path)
        np.testing.assert_array_equal(
            decode_resized(path, (8, 8), "crop"), whole(path, (8, 8), "crop")
        )


def test_full_decoding_is_never_reduced(scene, scales):
    assert decode(jpeg(scene)).shape == scene.shape
    assert scales == []


def test_an_opened_image_is_not_changed(scene, scales):
    with Image.open(io.BytesIO(jpeg(scene))) as image:
        small = decode_resized(image, (8, 8), "stretch")
        assert image.size == (403, 277)
        np.testing.assert_array_equal(small, whole(image, (8, 8), "stretch"))
    assert scales == []


def test_files_bytes_and_batches_read_the_same(scene, tmp_path):
    path = tmp_path / "a.jpg"
    path.write_bytes(jpeg(scene, 8))
    expected = decode_resized(path, SIZE, "pad")
    for source in (str(path), path.read_bytes()):
        with ImageReader(as_image_batch([source]), SIZE, "pad") as reader:
            np.testing.assert_array_equal(reader.read(np.array([0]))[0], expected)


def readable(source, size):
    try:
        decode_resized(source, size, "stretch")
    except ImageDecodeError:
        return False
    return True


@pytest.mark.parametrize("options", [{}, {"progressive": True}, {"restart_marker_rows": 1}])
def test_truncation_is_found_at_every_scale(scene, tmp_path, options):
    """Reduced decoding refuses the same files as checking, and no others."""
    data = jpeg(scene, **options)
    path = tmp_path / "a.jpg"
    for end in (*range(600, len(data) - 40, len(data) // 12), *range(len(data) - 40, len(data))):
        path.write_bytes(data[:end])
        by_scale = [readable(path, (side, side)) for side in (8, 30, 60, 120)]
        assert by_scale == [not find_unreadable([path])] * 4
    path.write_bytes(data[: len(data) // 2])
    with pytest.raises(ImageDecodeError, match=r"a\.jpg: .*truncated"):
        decode_resized(path, (8, 8), "stretch")


@pytest.mark.skipif(not ANIMALS.is_dir(), reason="needs the photos of animals")
@pytest.mark.parametrize("resize", RESIZE_POLICIES)
@pytest.mark.parametrize("side", [8, 32])
def test_photos_stay_within_the_stated_tolerance(side, resize):
    photos = sorted(ANIMALS.glob("*/*.jpg"))[::25]
    means = [apart(photo, (side, side), resize).mean() for photo in photos]
    assert np.mean(means) < 1.2
    assert np.max(means) < 4
