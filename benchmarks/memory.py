"""Peak memory of training on photo files: 20,000 against 2,000 (200 files, repeated)."""

from __future__ import annotations

import resource
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
from _common import report
from PIL import Image, ImageFilter

FEW, MANY = 2_000, 20_000


def photos(folder: Path, n: int = 200) -> list[str]:
    rng = np.random.default_rng(0)
    files = []
    for index in range(n):
        pixels = rng.integers(0, 256, (224, 300, 3), dtype=np.uint8)
        file = folder / f"{index}.jpg"
        Image.fromarray(pixels).filter(ImageFilter.GaussianBlur(3)).save(file)
        files.append(str(file))
    return files


def train(folder: str, n: int) -> None:
    from skvision import MiniVGGClassifier

    files = sorted(map(str, Path(folder).glob("*.jpg")))
    X = [files[index % len(files)] for index in range(n)]
    y = np.arange(n) % 3
    MiniVGGClassifier(epochs=1, filters=(8, 8), convs_per_block=1, random_state=0).fit(X, y)
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)


def peak_mib(folder: str, n: int) -> float:
    words = [sys.executable, __file__, folder, str(n)]
    run = subprocess.run(words, capture_output=True, text=True, check=True)
    return float(run.stdout.split()[-1])


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        photos(Path(folder))
        few, many = peak_mib(folder, FEW), peak_mib(folder, MANY)
    report(
        f"peak memory, {MANY:,} photo files over {FEW:,}",
        f"{many - few:+.0f} MB ({few:.0f} and {many:.0f})",
        "<= +300 MB",
    )


if __name__ == "__main__":
    if len(sys.argv) == 3:
        train(sys.argv[1], int(sys.argv[2]))
    else:
        main()
