"""Unreadable images are refused, with name and reason, before they need time or memory."""

from __future__ import annotations

import io
import os
import struct
import subprocess
import sys
import tracemalloc
import warnings
import zlib
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from PIL import Image

from skvision import ImageDecodeError
from skvision.datasets import find_unreadable
from skvision.images import decode, decode_resized
from skvision.images.opening import MAX_PIXELS


def encoded(image, kind, **options):
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return bytearray(buffer.getvalue())


SMALL = Image.new("RGB", (8, 8), (1, 2, 3))


def claiming(kind, width, height):
    """Return a small file whose header declares width x height."""
    data = encoded(SMALL, kind, **({"lossless": True} if kind == "WEBP" else {}))
    if kind == "PNG":
        data[16:24] = struct.pack(">II", width, height)
        data[29:33] = struct.pack(">I", zlib.crc32(data[12:29]))
    elif kind == "GIF":
        data[6:10] = struct.pack("<HH", width, height)
    elif kind == "JPEG":
        start = data.index(b"\xff\xc0") + 5
        data[start : start + 4] = struct.pack(">HH", height, width)
    elif kind == "BMP":
        data[18:26] = struct.pack("<ii", width, height)
    elif kind == "TIFF":
        n_entries = struct.unpack_from("<H", data, struct.unpack_from("<I", data, 4)[0])[0]
        first = struct.unpack_from("<I", data, 4)[0] + 2
        for entry in range(first, first + 12 * n_entries, 12):
            tag = struct.unpack_from("<H", data, entry)[0]
            if tag in (256, 257):
                value = width if tag == 256 else height
                data[entry + 2 : entry + 12] = struct.pack("<HII", 4, 1, value)
    elif kind == "PPM":
        data = bytearray(f"P6 {width} {height} 255 ".encode() + bytes(3))
    elif kind == "WEBP":
        data[21:25] = struct.pack("<I", (width - 1) | (height - 1) << 14)
    return bytes(data)


def animated_webp(width, height):
    """A small animation on a canvas of this size."""
    frames = [Image.new("RGB", (8, 8), colour) for colour in ("red", "green")]
    data = encoded(frames[0], "WEBP", save_all=True, append_images=frames[1:])
    assert data[12:16] == b"VP8X"
    for place, side in ((24, width), (27, height)):
        data[place : place + 3] = struct.pack("<I", side - 1)[:3]
    return bytes(data)


@pytest.mark.parametrize("kind", ["PNG", "GIF", "JPEG", "BMP", "TIFF", "PPM"])
def test_decompression_bombs_are_refused(kind, tmp_path):
    path = tmp_path / "bomb"
    path.write_bytes(claiming(kind, 60_000, 60_000))
    reason = "60,000 x 60,000 pixels, more than the limit of 178,956,970"
    for read in (decode, lambda source: decode_resized(source, (32, 32), "stretch")):
        with pytest.raises(ImageDecodeError, match=reason):
            read(path)
        with pytest.raises(ImageDecodeError, match=reason):
            read(path.read_bytes())


@pytest.mark.parametrize("side", [14_000, 16_383])
def test_webp_bombs_are_refused(side):
    # 16,383 is the maximum of WebP; Pillow checks while it opens one
    with pytest.raises(ImageDecodeError, match="178,956,970"):
        decode(claiming("WEBP", side, side))


def test_an_opened_bomb_is_refused():
    image = Image.new("RGB", (1, 1))
    image._size = (60_000, 60_000)
    with pytest.raises(ImageDecodeError, match="60,000 x 60,000 pixels"):
        decode(image)


def test_bombs_need_no_memory(tmp_path):
    for kind in ("PNG", "GIF", "JPEG", "BMP", "TIFF", "PPM"):
        (tmp_path / f"bomb.{kind}").write_bytes(claiming(kind, 60_000, 60_000))
    (tmp_path / "bomb.WEBP").write_bytes(claiming("WEBP", 16_383, 16_383))
    (tmp_path / "animation.WEBP").write_bytes(animated_webp(14_000, 12_000))
    code = """
import resource, sys
from pathlib import Path
from PIL import Image
from skvision.datasets import find_unreadable
def peak(): return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
files = sorted(Path(sys.argv[1]).iterdir())
Image.init()
before = peak()
assert len(find_unreadable(files)) == len(files) == 8
print(peak() - before)
"""
    run = subprocess.run(
        [sys.executable, "-c", code, tmp_path], capture_output=True, text=True, check=True
    )
    assert int(run.stdout) < 16 * 1024  # KiB; a single one of them would need gigabytes


def test_missing_memory_for_the_pixels_is_a_clear_error(noise, monkeypatch):
    def full(image, *args):
        raise MemoryError

    monkeypatch.setattr(Image.Image, "tobytes", full)
    png = encoded(Image.fromarray(noise[0]), "PNG")
    for read in (decode, lambda source: decode_resized(source, (4, 4), "pad")):
        with pytest.raises(ImageDecodeError, match="not enough memory"):
            read(png)


def test_a_file_needs_no_memory_for_bytes_that_it_lacks(tmp_path, noise):
    png = encoded(Image.fromarray(noise[0]), "PNG")
    place = png.index(b"IDAT") - 4
    claims = png[:place] + b"\xff\xff\xff\xf0" + png[place + 4 :]
    (tmp_path / "claims.png").write_bytes(claims)
    tracemalloc.start()
    try:
        pixels = decode(tmp_path / "claims.png")
        assert tracemalloc.get_traced_memory()[1] < 2**20
    finally:
        tracemalloc.stop()
    np.testing.assert_array_equal(pixels, decode(claims))
    np.testing.assert_array_equal(pixels, noise[0])


@pytest.mark.parametrize("orientation", [1, 6])
def test_a_tiff_without_its_last_strips_is_refused(noise, orientation):
    exif = Image.Exif()
    exif[0x0112] = orientation
    tiff = encoded(Image.fromarray(noise[0]), "TIFF", exif=exif)
    assert decode(tiff).shape == ((12, 10, 3) if orientation == 1 else (10, 12, 3))
    # the height: tag 257, type 3 or 4, one number
    (place,) = [k for k in range(len(tiff)) if tiff[k : k + 4] in (b"\1\1\3\0", b"\1\1\4\0")]
    tiff[place + 8] = 200
    with pytest.raises(ImageDecodeError, match="it holds 12 of its 200 rows of pixels"):
        decode(tiff)


def large_jpeg(side=14_000, **options):
    """Return a valid JPEG of 196 million grey pixels of one colour; writing it takes a second."""
    return bytes(encoded(Image.new("L", (side, side), 77), "JPEG", **options))


@pytest.fixture(scope="module")
def large():
    return large_jpeg()


def test_the_limit_applies_to_the_decoded_size(large):
    pixels = decode_resized(large, (32, 32), "stretch")
    np.testing.assert_array_equal(pixels, np.full((32, 32, 3), 77))
    with pytest.raises(ImageDecodeError, match=r"14,000 x 14,000 pixels.*MAX_IMAGE_PIXELS"):
        decode(large)
    with pytest.raises(ImageDecodeError, match="14,000 x 14,000 pixels"):
        decode_resized(large, (9_000, 9_000), "stretch")  # too large to be reduced


def test_images_of_a_checked_folder_can_be_trained_on(large, tmp_path):
    (tmp_path / "large.jpg").write_bytes(large)
    assert find_unreadable([tmp_path / "large.jpg"]) == []


@pytest.mark.parametrize("how", ["progressive", "a scan for each channel"])
def test_the_limit_applies_to_the_whole_jpeg_if_it_is_held_in_memory(how):
    small = encoded(Image.new("RGB", (64, 64)), "JPEG", progressive=how == "progressive")
    if how != "progressive":
        small[small.index(b"\xff\xda") + 4] = 1
    start = small.index(b"\xff\xc2" if how == "progressive" else b"\xff\xc0") + 5
    small[start : start + 4] = struct.pack(">HH", 14_000, 14_000)
    with pytest.raises(ImageDecodeError, match="14,000 x 14,000 pixels"):
        decode_resized(bytes(small), (32, 32), "stretch")


@pytest.mark.parametrize("limit", [200_000_000, None])
def test_a_limit_that_the_user_raised_applies(monkeypatch, limit):
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", limit)
    with pytest.raises(ImageDecodeError) as caught:
        decode(claiming("BMP", 14_000, 14_000))
    assert "14,000" not in str(caught.value)  # it is truncated, but isn't a bomb
    if limit is not None:
        with pytest.raises(ImageDecodeError, match="more than the limit of 400,000,000"):
            decode(claiming("BMP", 60_000, 60_000))


def test_a_lower_limit_of_pillow_is_ignored(monkeypatch, noise):
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 1)
    np.testing.assert_array_equal(decode(encoded(Image.fromarray(noise[0]), "PNG")), noise[0])


def test_the_error_of_a_missing_file_names_the_working_directory(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ImageDecodeError, match=f"no such file; looked in {tmp_path}"):
        decode("cat.jpg")
    with pytest.raises(ImageDecodeError, match=f"no such file; looked in {tmp_path}"):
        decode("pets/cat.jpg")
    with pytest.raises(ImageDecodeError, match=r"cat.jpg: no such file$"):
        decode(tmp_path / "cat.jpg")
    with pytest.raises(ImageDecodeError, match="use os.path.expanduser"):
        decode("~/cat.jpg")
    for url in ("https://example.org/cat.jpg", "s3://bucket/cat.jpg"):
        with pytest.raises(ImageDecodeError, match="it is a URL, .* download it and pass"):
            decode(url)
    with pytest.raises(ImageDecodeError, match="data URL; pass its content as bytes"):
        decode("data:image/png;base64,iVBORw0KGgo=")


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "TIFF", "BMP"])
def test_pillow_never_warns_of_sizes(kind):
    # Pillow itself warns from half of MAX_PIXELS on, and refuses what we refuse
    assert 2 * Image.MAX_IMAGE_PIXELS == MAX_PIXELS
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(ImageDecodeError, match="14,000 x 14,000"):
            decode(claiming(kind, 14_000, 14_000))


def test_the_largest_that_is_accepted():
    side = int(MAX_PIXELS**0.5)
    data = bytes(encoded(Image.new("1", (side, side), 1), "PNG"))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        pixels = decode_resized(data, (2, 2), "stretch")
    np.testing.assert_array_equal(pixels, np.full((2, 2, 3), 255))


@pytest.mark.parametrize("name", ["a.jpg", "a.png", "a.gif", "a.webp", "a.tiff", "a.bmp"])
def test_truncated_files_are_named(tmp_path, noise, name):
    path = tmp_path / name
    Image.fromarray(np.tile(noise[0], (10, 10, 1))).save(path)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with pytest.raises(ImageDecodeError) as caught:
        decode(path)
    assert caught.value.source == str(path)
    assert caught.value.reason


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"<html>not found</html>", "it is a web page, not an image that can be read"),
        ("Grüße".encode(), "it is text, not an image"),
        (b"\xff\xd8", "it is not an image in a format"),
        (b"\0" * 100, "it is not an image in a format"),
        (b"GIF89a", "it is not an image in a format that Pillow reads"),
    ],
)
def test_files_that_are_not_images_are_named(tmp_path, content, reason):
    path = tmp_path / "a.jpg"
    path.write_bytes(content)
    with pytest.raises(ImageDecodeError, match=rf"a\.jpg: {reason}"):
        decode(path)


def test_empty(tmp_path):
    (tmp_path / "a.jpg").touch()
    with pytest.raises(ImageDecodeError, match=r"a\.jpg: the file is empty"):
        decode(tmp_path / "a.jpg")
    with pytest.raises(ImageDecodeError, match="<0 bytes>: the file is empty"):
        decode(b"")


def test_a_pipe_does_not_hang(tmp_path):
    os.mkfifo(tmp_path / "a.jpg")
    with pytest.raises(ImageDecodeError, match=r"a\.jpg: it is a pipe, socket or device"):
        decode(tmp_path / "a.jpg")
    with pytest.raises(ImageDecodeError, match="it is a pipe, socket or device"):
        decode("/dev/zero")


def test_links(tmp_path, noise):
    Image.fromarray(noise[0]).save(tmp_path / "real.png")
    (tmp_path / "good.png").symlink_to(tmp_path / "real.png")
    (tmp_path / "round.jpg").symlink_to(tmp_path / "round.jpg")
    (tmp_path / "lost.jpg").symlink_to(tmp_path / "gone.jpg")
    np.testing.assert_array_equal(decode(tmp_path / "good.png"), noise[0])
    with pytest.raises(ImageDecodeError, match=r"round\.jpg: its symbolic links form a loop"):
        decode(tmp_path / "round.jpg")
    with pytest.raises(ImageDecodeError, match=r"lost\.jpg: it is a link to .*gone\.jpg, which"):
        decode(tmp_path / "lost.jpg")


def test_names(tmp_path, noise):
    image = Image.fromarray(noise[0])
    longest = "ü" * 125 + "a.png"  # 255 bytes in UTF-8
    not_utf8 = os.fsdecode(b"caf\xe9.png")
    for name in ("Käse 猫 🐈.png", longest, not_utf8):
        image.save(tmp_path / name)
        np.testing.assert_array_equal(decode(tmp_path / name), noise[0])
        np.testing.assert_array_equal(decode(str(tmp_path / name)), noise[0])
    with pytest.raises(ImageDecodeError, match="name is longer than the file system allows"):
        decode(tmp_path / f"{longest}a")
    with pytest.raises(ImageDecodeError, match="no such file") as caught:
        decode(tmp_path / os.fsdecode(b"\xe9.png"))
    assert caught.value.source == str(tmp_path / os.fsdecode(b"\xe9.png"))


def test_a_file_used_as_a_folder(tmp_path):
    (tmp_path / "a").write_text("x")
    with pytest.raises(ImageDecodeError, match="a part of its path is a file"):
        decode(tmp_path / "a" / "b.jpg")


def test_unreadable_file(tmp_path, noise):
    path = tmp_path / "a.png"
    Image.fromarray(noise[0]).save(path)
    path.chmod(0)
    if os.access(path, os.R_OK):
        pytest.skip("permissions don't bind this user")
    with pytest.raises(ImageDecodeError, match="no permission to read it"):
        decode(path)


def test_a_missing_permission_is_a_clear_error(tmp_path, noise, monkeypatch):
    """The same for users without restrictions, such as root."""
    path = tmp_path / "a.png"
    Image.fromarray(noise[0]).save(path)
    original = os.stat

    def stat(name, *rest, **more):
        if str(name) == str(path):
            raise PermissionError(13, "Permission denied", str(path))
        return original(name, *rest, **more)

    monkeypatch.setattr(os, "stat", stat)
    with pytest.raises(ImageDecodeError, match=r"a\.png: no permission to read it"):
        decode(path)


def test_an_opened_image_is_named_by_its_file(tmp_path, noise):
    path = tmp_path / "a.jpg"
    path.write_bytes(bytes(encoded(Image.fromarray(np.tile(noise[0], (9, 9, 1))), "JPEG"))[:2000])
    with (
        Image.open(path) as image,
        pytest.raises(ImageDecodeError, match=r"a\.jpg <PIL image 90x108 RGB>: .*truncated"),
    ):
        decode(image)


def test_a_closed_image_is_refused(tmp_path, noise):
    Image.fromarray(noise[0]).save(tmp_path / "a.png")
    with Image.open(tmp_path / "a.png") as image:
        pass
    with pytest.raises(ImageDecodeError, match=r"a\.png <PIL image 10x12 RGB>"):
        decode(image)


def test_one_opened_image_in_many_threads(tmp_path, noise):
    """Pillow loads an image in place, and two threads would disturb each other."""
    path = tmp_path / "a.png"
    Image.fromarray(noise[0]).resize((300, 300)).save(path)
    expected = decode(path)
    for _ in range(20):
        with Image.open(path) as image, ThreadPoolExecutor(8) as pool:
            for pixels in pool.map(decode, [image] * 8):
                np.testing.assert_array_equal(pixels, expected)


def test_bytes_like_objects(noise):
    data = encoded(Image.fromarray(noise[0]), "PNG")
    for form in (bytes, bytearray, memoryview):
        np.testing.assert_array_equal(decode(form(data)), noise[0])


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("cats/1.jpg", "no such file; looked in {cwd}"),
        ("/nowhere/1.jpg", "no such file"),
        ("~/nowhere/1.jpg", "os.path.expanduser"),
        ("https://example.org/cat.jpg", "it is a URL.*download it"),
        ("s3://bucket/cat.jpg", "it is a URL"),
    ],
)
def test_the_error_of_a_missing_file_gives_the_likely_reason(name, reason, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ImageDecodeError, match=reason.format(cwd=tmp_path)):
        decode(name)
