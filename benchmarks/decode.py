"""Photo files to 32x32: skvision's reader against plain Pillow in one thread.

The folder of photos is the argument; without one, photo-like JPEGs are made.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
from pathlib import Path

import numpy as np
from _common import report, turns
from PIL import Image

from skvision.datasets import list_images
from skvision.images import ImageReader, as_image_batch

SIZE = (32, 32)
ROUNDS = 7


def photos(folder: Path, n: int = 300) -> list[str]:
    """Blurred noise of many scales compresses about as photos do; half are portraits."""
    rng = np.random.default_rng(0)
    files = []
    for index in range(n):
        width, height = (500, 375) if index % 2 else (375, 500)
        pixels = np.zeros((height, width, 3))
        for cells in (3, 9, 27, 81):
            coarse = rng.integers(0, 256, (cells, cells, 3), dtype=np.uint8)
            fine = Image.fromarray(coarse).resize((width, height), Image.Resampling.BICUBIC)
            pixels += np.asarray(fine) / 4
        pixels += rng.normal(0, 6, pixels.shape)
        file = folder / f"{index}.jpg"
        Image.fromarray(pixels.clip(0, 255).astype(np.uint8)).save(file, quality=90)
        files.append(str(file))
    return files


def by_pillow(files: list[str]) -> None:
    for file in files:
        Image.open(file).convert("RGB").resize(SIZE)


def by_skvision(files: list[str], batch_size: int) -> None:
    with ImageReader(as_image_batch(files), SIZE, "stretch", keep_bytes=0) as reader:
        for start in range(0, len(files), batch_size):
            reader.read(np.arange(start, min(start + batch_size, len(files))))


def compare(files: list[str], which: str) -> None:
    taken = turns(
        {
            "pillow": lambda: by_pillow(files),
            "in batches of 32": lambda: by_skvision(files, 32),
            "at once": lambda: by_skvision(files, len(files)),
        },
        ROUNDS,
    )
    pillow = taken.pop("pillow")
    for how, ours in taken.items():
        ratios = sorted(theirs / mine for theirs, mine in zip(pillow, ours, strict=True))
        speed = len(files) / statistics.median(ours)
        report(
            f"{len(files):,} {which} to 32x32, {how}: speed over one-threaded Pillow, "
            f"{ROUNDS} pairs",
            f"{statistics.median(ratios):.2f} (median; {ratios[0]:.2f} to {ratios[-1]:.2f}; "
            f"{speed:,.0f} images/s)",
            ">= 2.5",
        )
        report("the same, fastest over fastest", f"{min(pillow) / min(ours):.2f}")


def main() -> None:
    if len(sys.argv) > 1:
        files, _ = list_images(sys.argv[1])
        compare(files, "photos")
    else:
        with tempfile.TemporaryDirectory() as folder:
            compare(photos(Path(folder)), "made photos")


if __name__ == "__main__":
    main()
