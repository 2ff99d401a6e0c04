"""Folders of tiny images, made from a list of names."""

from __future__ import annotations

import itertools

import pytest
from PIL import Image


@pytest.fixture
def made(tmp_path):
    """Write a file for each name, an image if Pillow knows its ending; all files differ."""
    shades = itertools.count()

    def make(*names, root=tmp_path / "data"):
        for name in names:
            path = root / name
            path.parent.mkdir(parents=True, exist_ok=True)
            if path.suffix.lower() in (".jpg", ".png"):
                # different enough for JPEG
                image = Image.new("L", (4, 4), 5 * next(shades) % 256)
                image.paste(255, (0, 0, 2, 2))  # so that the whole scale is used
                image.save(path)
            else:
                path.write_bytes(b"x")
        return root

    return make
