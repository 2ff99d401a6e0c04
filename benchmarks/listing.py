"""100,000 empty files in class folders: `load_image_folder` against walking over them."""

from __future__ import annotations

import os
import statistics
import tempfile
from pathlib import Path

from _common import report, turns

from skvision import load_image_folder

CLASSES, FILES = 10, 10_000
ROUNDS = 7


def make(folder: Path) -> None:
    for label in range(CLASSES):
        (folder / f"class_{label}").mkdir()
        for number in range(FILES):
            (folder / f"class_{label}" / f"IMG_{number:05d}.jpg").touch()


def walk(folder: Path) -> None:
    for _ in os.walk(folder):
        pass


def main() -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        make(folder)
        taken = turns(
            {"walk": lambda: walk(folder), "ours": lambda: load_image_folder(folder)}, ROUNDS
        )
    ratios = sorted(ours / walked for ours, walked in zip(*reversed(taken.values()), strict=True))
    walked, ours = (statistics.median(taken[name]) for name in ("walk", "ours"))
    report(
        f"`load_image_folder` over `os.walk`, {CLASSES * FILES:,} files, {ROUNDS} pairs",
        f"{statistics.median(ratios):.2f} (median; {ratios[0]:.2f} to {ratios[-1]:.2f}; "
        f"{ours:.3f} s, {walked:.3f} s)",
        "<= 3",
    )


if __name__ == "__main__":
    main()
