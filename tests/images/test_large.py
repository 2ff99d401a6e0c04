"""Large images take no more memory than is stated, and what would is refused from its header."""

from __future__ import annotations

import os
import struct
import subprocess
import sys
import zlib

import numpy as np
import pytest
from PIL import Image

from skvision import ImageDecodeError
from skvision.images import decode, decode_resized, modes

from .test_formats import png
from .test_opening import animated_webp, claiming, encoded

SIDE = 2000
COLOURS = {"RGB": (10, 200, 30), "RGBA": (9, 8, 7, 128), "CMYK": (1, 2, 3, 4), "P": 3, "L": 9}

#: format, mode -> bytes a pixel at most; a second frame where the format has them
KINDS = {
    ("WEBP", "RGB"): 20,
    ("WEBP", "RGBA"): 20,
    ("PNG", "RGBA"): 12,
    ("PNG", "P"): 12,
    ("GIF", "P"): 12,
    ("AVIF", "RGB"): 12,
    ("TIFF", "RGB"): 12,
    ("TIFF", "CMYK"): 12,
    ("JPEG", "CMYK"): 12,
    ("JPEG2000", "RGB"): 20,
    ("PNG", "deep"): 40,
}

MEASURE = """
import os, resource, sys
from PIL import Image
from skvision.images import decode, decode_resized
Image.init()
def peak(): return 1024 * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
for file in sys.argv[1:]:
    for read in (decode, lambda source: decode_resized(source, (32, 32), "stretch")):
        child = os.fork()  # its peak begins where it begins
        if not child:
            before = peak()
            read(file)
            print(peak() - before, flush=True)
            os._exit(0)
        assert os.waitpid(child, 0)[1] == 0
"""


def animation(kind, mode):
    if mode == "deep":
        return png(np.full((SIDE, SIDE, 3), 40_000, np.uint16))
    image = Image.new(mode, (SIDE, SIDE), COLOURS[mode])
    if mode == "P":
        image.putpalette([*range(256)] * 3)
    other = image.copy()
    other.paste(image.getpixel((0, 0)), (0, 0, 9, 9))
    other.putpixel((0, 0), 7 if mode == "P" else tuple(7 for _ in mode))
    several = {} if kind in ("JPEG", "JPEG2000") else {"save_all": True, "append_images": [other]}
    return encoded(image, kind, **several, **({"speed": 10} if kind == "AVIF" else {}))


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(os, "fork"), reason="measures children")
def test_a_first_frame_takes_what_is_stated(tmp_path):
    files = []
    for kind, mode in KINDS:
        files.append(tmp_path / f"{mode}.{kind}")
        files[-1].write_bytes(animation(kind, mode))
    run = subprocess.run(
        [sys.executable, "-c", MEASURE, *files], capture_output=True, text=True, check=True
    )
    taken = np.array(run.stdout.split(), int).reshape(len(KINDS), 2).max(axis=1) / SIDE**2
    # each decoder has something besides the pixels
    most = np.array(list(KINDS.values())) + 6 * 2**20 / SIDE**2
    assert (taken <= most).all(), dict(zip(KINDS, taken.round(1).tolist(), strict=True))


@pytest.mark.parametrize("read", [decode, lambda it: decode_resized(it, (32, 32), "stretch")])
def test_a_large_animated_webp_is_refused(read):
    with pytest.raises(
        ImageDecodeError, match=r"14,000 x 12,000 pixels, more than the limit of 107,374,182"
    ):
        read(animated_webp(14_000, 12_000))
    assert read(animated_webp(40, 30)).shape[2] == 3


def test_formats_that_take_more_may_have_fewer_pixels(monkeypatch):
    with pytest.raises(ImageDecodeError, match="107,374,182"):
        decode(claiming("WEBP", 11_000, 11_000))
    deep = bytearray(png(np.zeros((1, 1, 3), np.uint16)))
    deep[16:24] = struct.pack(">II", 11_000, 11_000)
    deep[29:33] = struct.pack(">I", zlib.crc32(bytes(deep[12:29])))
    with pytest.raises(ImageDecodeError, match="107,374,182"):
        decode(bytes(deep))
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 2 * Image.MAX_IMAGE_PIXELS)
    with pytest.raises(ImageDecodeError) as caught:
        decode(bytes(deep))
    assert "107" not in str(caught.value)  # it is truncated, but no bomb


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "PA", "RGB", "RGBA", "CMYK", "YCbCr", "HSV"])
@pytest.mark.parametrize("see_through", [None, 3])
def test_a_few_rows_at_a_time_are_as_all_at_once(mode, see_through, noise, monkeypatch):
    bands = len(Image.new(mode, (1, 1)).getbands())
    pixels = np.concatenate([noise[0], noise[1]], axis=2)[..., :bands].squeeze()
    if mode == "1":
        image = Image.fromarray(noise[0][..., 0]).convert("1")
    elif mode in ("P", "PA"):
        image = Image.fromarray(noise[0]).quantize(50).convert(mode)
    else:
        image = Image.frombytes(mode, (10, 12), pixels.tobytes())
    if see_through is not None:
        image.info["transparency"] = (see_through,) * 3 if mode == "RGB" else see_through
    at_once = np.asarray(modes.to_rgb(image)), modes.pixels_of(image)
    monkeypatch.setattr(modes, "_AT_A_TIME", 25)
    by_rows = np.asarray(modes.to_rgb(image)), modes.pixels_of(image)
    for few, all_ in zip(by_rows, at_once, strict=True):
        np.testing.assert_array_equal(few, all_)
