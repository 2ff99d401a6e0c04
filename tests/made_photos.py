"""Photos that are made: noise of many scales, which looks different in each."""

from __future__ import annotations

import numpy as np
from PIL import Image

__all__ = ["made_photo"]


def made_photo(number, width=125, height=140):
    """Return one of many RGB images that have nothing in common."""
    draw = np.random.default_rng(number)
    pixels = draw.normal(0, 10, (height, width, 3))
    for cells, strength in ((3, 0.4), (7, 0.3), (20, 0.2)):
        for channels, share in ((1, 0.8), (3, 0.2)):  # photos have little colour
            noise = draw.normal(0, 80, (cells, cells, channels)).clip(-127, 127) + 128
            noise = np.broadcast_to(noise, (cells, cells, 3)).astype(np.uint8)
            part = Image.fromarray(noise).resize((width, height), Image.Resampling.BICUBIC)
            pixels += share * strength * np.asarray(part)
    return Image.fromarray((1.2 * (pixels - 110) + 110).clip(0, 255).astype(np.uint8))
