"""Folders of tiny images, made of a list of names."""

from __future__ import annotations

import itertools

import pytest
from PIL import Image


@pytest.fixture
def made(tmp_path):
    """Write a file of each name, an image if its ending is Pillow's; no two are the same."""
    shades = itertools.count()

    def make(*names, root=tmp_path / "data"):
        for name in names:
            path = root / name
            path.parent.mkdir(parents=True, exist_ok=True)
            if path.suffix.lower() in (".jpg", ".png"):
                # as different as JPEG tells apart
                image = Image.new("L", (4, 4), 5 * next(shades) % 256)
                image.paste(255, (0, 0, 2, 2))  # all levels of the scale are in use
                image.save(path)
            else:
                path.write_bytes(b"x")
        return root

    return make
