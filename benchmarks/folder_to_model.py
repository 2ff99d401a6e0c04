"""From a folder of photos to a model, by the command line, over what can't be saved.

That is the larger of two: one decoding of each file at reduced scale, with all cores, and one pass
of the network over as many images. The start is subtracted: what the same command takes on a folder
of few tiny images. Before a training, the cache has the converted network but no features. Both are
the faster of two runs. `--photos 2000` makes more photos, each of other bytes.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
from _common import report, seconds
from joblib import cpu_count
from PIL import Image

GOAL = 1.3
ROUNDS = 2
LARGE, SMALL = (4032, 3024), (320, 240)
#: how many different ones are drawn; the others differ by a comment
DRAWN = 10
CLASSES = ("one", "other")


def photos(folder: Path, n: int, size: tuple[int, int], drawn: int = DRAWN) -> list[str]:
    """Write noise of many scales, which compresses about as photos do, in two classes."""
    rng = np.random.default_rng(0)
    width, height = size
    grain = rng.normal(0, 6, (height, width, 1)).astype(np.float32)
    originals = []
    for index in range(min(n, drawn)):
        pixels = np.roll(grain, 17 * index, axis=1) + np.zeros(3, np.float32)
        for cells in (3, 9, 27, 81):
            coarse = Image.fromarray(rng.integers(0, 256, (cells, cells, 3), dtype=np.uint8))
            pixels += np.asarray(coarse.resize(size, Image.Resampling.BILINEAR)) / 4
        file = folder / "drawn.jpg"
        Image.fromarray(pixels.clip(0, 255).astype(np.uint8)).save(file, quality=88)
        originals.append(file.read_bytes())
        file.unlink()
    files = []
    for index in range(n):
        file = folder / CLASSES[index % 2] / f"{index}.jpg"
        file.parent.mkdir(exist_ok=True)
        comment = b"\xff\xfe" + (2 + 8).to_bytes(2, "big") + b"%08d" % index
        data = originals[index % len(originals)]
        file.write_bytes(data[:2] + comment + data[2:])
        files.append(str(file))
    return files


def decoded(files: list[str]) -> None:
    """Decode each file once, as far as a network of 224x224 needs it, by plain Pillow."""

    def draft(file: str) -> None:
        with Image.open(file) as image:
            image.draft("RGB", (336, 336))
            image.load()

    with ThreadPoolExecutor(cpu_count()) as pool:
        list(pool.map(draft, files))


def passed(n: int) -> float:
    """Seconds of a pass of the network over n images in memory."""
    from skvision import PretrainedFeatureTransformer

    net = PretrainedFeatureTransformer().fit(few := np.zeros((64, 224, 224, 3), np.uint8))
    net.transform(few)
    return seconds(lambda: [net.transform(few[: min(64, n - k)]) for k in range(0, n, 64)])


def fitted(n: int, epochs: int) -> float:
    """Seconds of a training on n images of 32x32 in memory."""
    from skvision import MiniVGGClassifier

    X, y = np.random.default_rng(0).integers(0, 256, (n, 32, 32, 3), np.uint8), np.arange(n) % 2
    MiniVGGClassifier(epochs=1, random_state=0).fit(X[:64], y[:64])
    return seconds(lambda: MiniVGGClassifier(epochs=epochs, random_state=0).fit(X, y))


def command(*words: object, cache: Path) -> tuple[float, float]:
    """Seconds and peak MiB of a command."""
    environment = {**os.environ, "SKVISION_CACHE": str(cache), "TF_CPP_MIN_LOG_LEVEL": "3"}
    call = [sys.executable, "-m", "skvision", *map(str, words)]
    # an own process around it, which has no other child
    code = (
        "import resource, subprocess, sys, time; start = time.perf_counter()\n"
        "subprocess.run(sys.argv[1:], check=True, stdout=subprocess.DEVNULL)\n"
        "print(time.perf_counter() - start, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)"
    )
    run = subprocess.run(
        [sys.executable, "-c", code, *call],
        stdout=subprocess.PIPE,
        text=True,
        check=True,
        env=environment,
    )
    taken, peak = map(float, run.stdout.split())
    return taken, peak / 1024


def compare(name: str, words: list[object], places: dict[str, Path], bound: float) -> float:
    """Report a command over a bound; return its peak memory in MiB."""

    def run(folder: str) -> tuple[float, float]:
        given = [places.get(str(word), word) for word in words]
        given[words.index("FOLDER")] = places[folder]
        if words[0] == "train":
            for file in places["CACHE"].glob("features*"):
                file.unlink()  # the converted network stays
        return command(*given, cache=places["CACHE"])

    run("FIRST")  # converts the network, once for all commands
    starts, wholes = [], []
    for _ in range(ROUNDS):
        starts.append(run("FEW")[0])
        wholes.append(run("FOLDER"))
    start, (taken, peak) = min(starts), min(wholes)
    report(
        f"{name}: time over the larger of one reduced decode and one pass of the network",
        f"{(taken - start) / bound:.2f} ({taken:.1f} s, of which the start {start:.1f} s; "
        f"bound {bound:.1f} s; peak {peak:.0f} MB)",
        f"<= {GOAL}",
    )
    return peak


def validated(files: list[str], folder: Path) -> None:
    """Report checking over plain Pillow, in turns."""
    from skvision import load_image_folder

    pairs = []
    load_image_folder(folder, validate=True)
    for _ in range(5):
        plain = seconds(lambda: decoded(files))
        pairs.append(seconds(lambda: load_image_folder(folder, validate=True)) / plain)
    pairs.sort()
    report(
        f"`load_image_folder(validate=True)` of {len(files)} photos of 12 megapixels over Pillow's "
        "`draft` decode in as many threads, 5 pairs",
        f"{pairs[2]:.2f} (median; {pairs[0]:.2f} to {pairs[-1]:.2f})",
        "<= 1.2",
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--photos", type=int, default=200)
    n = parser.parse_args().photos
    with tempfile.TemporaryDirectory() as name:
        place = Path(name)
        for part in ("first", "few", "large", "small"):
            (place / part).mkdir()
        photos(place / "first", 16, (48, 64))
        photos(place / "few", 16, (64, 48))
        large = photos(place / "large", n, LARGE)
        places = {
            "FIRST": place / "first",
            "FEW": place / "few",
            "CACHE": place / "cache",
            "MODEL": place / "model.skv",
        }
        validated(large[:40], _part(place, large[:40]))
        decode = min(seconds(lambda: decoded(large)) for _ in range(2))
        features = ["train", "FOLDER", "--model", "features", "--out", "MODEL"]
        commands = {
            "train --model features": features,
            "predict": ["predict", "MODEL", "FOLDER"],
            "evaluate": ["evaluate", "MODEL", "FOLDER"],
        }
        once = passed(n)
        places["FOLDER"] = place / "large"
        said = f"{n} photos of 12 megapixels"
        for words, given in commands.items():
            compare(f"`skvision {words}`, {said}", given, places, max(decode, once))
        scratch = ["train", "FOLDER", "--out", "MODEL", "--epochs", 5]
        bound = max(decode, fitted(3 * n // 4, 5))
        compare(f"`skvision train --epochs 5` at 32x32, {said}", scratch, places, bound)
        if n > 200:
            return
        small = photos(place / "small", 1000, SMALL, 200)
        places["FOLDER"] = place / "small"
        bound = max(seconds(lambda: decoded(small)), passed(1000))
        name = "`skvision train --model features`, 1,000 photos of 320x240"
        compare(name, features, places, bound)


def _part(place: Path, files: list[str]) -> Path:
    """The same files in a folder of their own."""
    for file in files:
        link = place / "part" / Path(file).parent.name / Path(file).name
        link.parent.mkdir(parents=True, exist_ok=True)
        os.link(file, link)
    return place / "part"


if __name__ == "__main__":
    main()
