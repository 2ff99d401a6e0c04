"""Damaged JPEGs: decoding at reduced scale refuses what full decoding refuses, and nothing else."""

from __future__ import annotations

import io
import random

import numpy as np
import pytest
from PIL import Image

from skvision import ImageDecodeError
from skvision.datasets import find_unreadable
from skvision.images import decode, keep_files, read_levels
from skvision.images.kept_files import ReadAs

#: of each way to damage a file
N = 15
SIDES = (4, 14, 30)  # at 1/8, 1/4 and 1/2


@pytest.fixture(scope="module")
def scene():
    x, y = np.linspace(0, 1, 219), np.linspace(0, 1, 147)[:, None]
    waves = [
        255 * x * np.ones_like(y),
        255 * y * np.ones_like(x),
        127 + 120 * np.sin(9 * x + 7 * y),
    ]
    noise = np.random.default_rng(0).normal(0, 9, (147, 219, 3))
    return Image.fromarray((np.stack(waves, axis=2) + noise).clip(0, 255).astype(np.uint8))


#: mode, format, options
KINDS = {
    "usual": ("RGB", "JPEG", {}),
    "full chroma": ("RGB", "JPEG", {"subsampling": 0}),
    "progressive": ("RGB", "JPEG", {"progressive": True}),
    "grey": ("L", "JPEG", {}),
    "CMYK": ("CMYK", "JPEG", {}),
    "restart markers": ("RGB", "JPEG", {"restart_marker_rows": 1}),
    "progressive, restart markers": (
        "RGB",
        "JPEG",
        {"progressive": True, "restart_marker_blocks": 3},
    ),
    "MPO": ("RGB", "MPO", {"save_all": True}),
}


def damaged(data, seed):
    """Cut, changed, shortened, and with markers where none belong."""
    draw = random.Random(seed)
    for _ in range(N):
        place = draw.randrange(2, len(data) - 1)
        yield data[:place]
        changed = bytearray(data)
        changed[place] ^= 1 << draw.randrange(8)
        yield bytes(changed)
        yield data[:place] + data[place + draw.randrange(1, 40) :]
        changed[place : place + 2] = bytes(
            [0xFF, draw.choice([0xC0, 0xC4, 0xD0, 0xD8, 0xD9, 0xDA])]
        )
        yield bytes(changed)


def refuses(read, *arguments):
    try:
        read(*arguments)
    except ImageDecodeError:
        return True
    return False


@pytest.mark.parametrize("kind", KINDS)
def test_every_scale_refuses_the_same(kind, scene, tmp_path):
    mode, format_, options = KINDS[kind]
    buffer = io.BytesIO()
    more = {"append_images": [scene]} if format_ == "MPO" else {}
    scene.convert(mode).save(buffer, format_, **options, **more)
    verdicts = []
    files = []
    for number, data in enumerate(damaged(buffer.getvalue(), seed=len(kind))):
        verdicts.append(refuses(decode, data))
        assert [refuses(read_levels, data, (side, side)) for side in SIDES] == 3 * [verdicts[-1]]
        files.append(str(tmp_path / f"{number}.jpg"))
        (tmp_path / files[-1]).write_bytes(data)
    refused = [file for file, verdict in zip(files, verdicts, strict=True) if verdict]
    assert N // 2 < len(refused) < 4 * N  # else the files are too sound, or too broken
    assert [error.source for error in find_unreadable(files)] == refused
    # as the command line checks them
    kept = keep_files(files, ReadAs((4, 4), "stretch"))
    assert [error.source for error in find_unreadable(kept)] == refused
