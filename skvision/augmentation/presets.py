"""Presets of augmentation in three strengths."""

from __future__ import annotations

from typing import Any

__all__ = ["PRESETS"]

#: parameters of `skvision.ImageAugmenter`, by the preset's name
PRESETS: dict[str, dict[str, Any]] = {
    "light": {
        "rotation_range": 10,
        "width_shift_range": 0.05,
        "height_shift_range": 0.05,
        "zoom_range": 0.1,
        "horizontal_flip": True,
    },
    # half of the usual rotations and shifts, a visible shear, and colours
    "medium": {
        "rotation_range": 20,
        "width_shift_range": 0.1,
        "height_shift_range": 0.1,
        "shear_range": 10,
        "zoom_range": 0.2,
        "horizontal_flip": True,
        "brightness_range": (0.8, 1.2),
        "contrast_range": (0.8, 1.2),
        "saturation_range": (0.8, 1.2),
    },
    "strong": {
        "rotation_range": 40,
        "width_shift_range": 0.2,
        "height_shift_range": 0.2,
        "shear_range": 20,
        "zoom_range": 0.2,
        "horizontal_flip": True,
        "crop_range": 0.3,
        "brightness_range": (0.6, 1.4),
        "contrast_range": (0.6, 1.4),
        "saturation_range": (0.5, 1.5),
        "hue_range": 0.05,
        "noise_std": 0.03,
        "erase_fraction": 0.15,
    },
}
