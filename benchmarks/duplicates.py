"""Near duplicates: recall and precision on photos with planted copies, per kind of change.

The threshold was chosen on the first folder, and holds on the second one: pass folders of photos
of two kinds, for example `duplicates.py animals/cat animals/dog -- animals/panda`. Without
folders, photos are made, which shows that the benchmark runs and little else. Pairs of photos
that the folder holds twice itself are no mistakes: list them by `--known FIRST,SECOND`.
"""

from __future__ import annotations

import io
import sys
import tempfile
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import cv2
import numpy as np
from _common import report
from decode import photos
from PIL import Image, ImageEnhance

from skvision.datasets import list_images
from skvision.datasets.copies import SIMILAR, similar_pairs, thumbnails_of

PLANTED = 500
Draw = np.random.Generator
Change = Callable[[Image.Image, Draw], Image.Image]


def stored(image: Image.Image, quality: int = 92) -> Image.Image:
    """The image after it was written as a JPEG and read again."""
    file = io.BytesIO()
    image.save(file, "JPEG", quality=quality)
    return Image.open(file).convert("RGB")


def scaled(image: Image.Image, factor: float) -> Image.Image:
    size = max(8, round(image.width * factor)), max(8, round(image.height * factor))
    return image.resize(size, Image.Resampling.LANCZOS)


def cropped(image: Image.Image, draw: Draw) -> Image.Image:
    """Up to a tenth of the width and of the height is cut off, anywhere."""
    shares, places = draw.uniform(0, 0.1, 2), draw.uniform(0, 1, 2)
    left, top = shares * places * image.size
    right, bottom = (left, top) + (1 - shares) * image.size
    return image.crop(tuple(round(each) for each in (left, top, right, bottom)))


def cropped_at_each_edge(image: Image.Image, draw: Draw) -> Image.Image:
    left, top, right, bottom = draw.uniform(0, 0.1, 4) * (*image.size, *image.size)
    edges = left, top, image.width - right, image.height - bottom
    return image.crop(tuple(round(each) for each in edges))


def mirrored(image: Image.Image, draw: Draw) -> Image.Image:
    return image.transpose(Image.Transpose.FLIP_LEFT_RIGHT)


def lit(low: float, high: float) -> Change:
    return lambda image, draw: ImageEnhance.Brightness(image).enhance(draw.uniform(low, high))


def all_of_them(image: Image.Image, draw: Draw) -> Image.Image:
    changed = lit(0.7, 1.3)(mirrored(cropped(image, draw), draw), draw)
    return stored(scaled(changed, 2 ** draw.uniform(-1, 0.5)), int(draw.integers(30, 96)))


CHANGES: dict[str, Change] = {
    "re-encoded, quality 30 to 95": lambda image, draw: stored(image, int(draw.integers(30, 96))),
    "resized, 0.25 to 2 times": lambda image, draw: scaled(image, 2 ** draw.uniform(-2, 1)),
    "cropped by up to a tenth": cropped,
    "cropped by up to a tenth at each edge": cropped_at_each_edge,
    "mirrored": mirrored,
    "brightened by up to 30 %": lit(1.0, 1.3),
    "darkened by up to 30 %": lit(0.7, 1.0),
    "grey": lambda image, draw: image.convert("L").convert("RGB"),
    "cropped, mirrored, lit, resized and re-encoded": all_of_them,
}


def series(image: Image.Image, draw: Draw) -> Image.Image:
    """The next photo of a series: the camera moved a little, and the animal by a twentieth."""
    pixels = np.asarray(image)
    height, width = pixels.shape[:2]
    y, x = np.mgrid[:height, :width].astype(np.float32)
    middle, angle, shake = (
        draw.uniform(0.35, 0.65, 2),
        draw.uniform(0, 2 * np.pi),
        draw.normal(size=2),
    )
    far = ((x / width - middle[0]) ** 2 + (y / height - middle[1]) ** 2) / 0.2**2
    part = np.exp(-far / 2)
    right = (0.05 * np.cos(angle) * part + 0.005 * shake[0]) * width
    down = (0.05 * np.sin(angle) * part + 0.005 * shake[1]) * height
    moved = cv2.remap(
        pixels,
        x + right.astype(np.float32),
        y + down.astype(np.float32),
        cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_REFLECT,
    )
    return Image.fromarray(moved)


def thumbnail(image: Image.Image) -> np.ndarray:
    return thumbnails_of(np.asarray(image))


def thumbnails(files: list[str], change: Change | None = None) -> np.ndarray:
    def one(number: int) -> np.ndarray:
        image = Image.open(files[number]).convert("RGB")
        if change is not None:
            image = stored(change(image, np.random.default_rng(number)))
        return thumbnail(image)

    with ThreadPoolExecutor() as pool:
        return np.stack(list(pool.map(one, range(len(files)))))


def measure(name: str, files: list[str], known: set[frozenset[str]]) -> None:
    order = np.random.default_rng(0).permutation(len(files))[:PLANTED]
    sources = [files[place] for place in order]
    originals = thumbnails(files)
    own = set(pairs_of(originals))
    false = [pair for pair in own if frozenset(Path(files[k]).name for k in pair) not in known]
    n_found = n_true = n_false = n_planted = 0
    for what, change in CHANGES.items():
        both = np.concatenate([originals, thumbnails(sources, change)])
        planted = {(int(place), len(files) + k) for k, place in enumerate(order)}
        found = set(pairs_of(both)) - own
        # a copy of a photo that the folder holds twice is a copy of both
        wrong = [pair for pair in found - planted if not is_known(pair, order, files, known)]
        right = len(found & planted)
        report(f"near duplicates, {name}: recall, {what}", f"{right / len(planted):.3f}", ">= 0.98")
        n_found, n_true = n_found + right + len(wrong), n_true + right
        n_false, n_planted = n_false + len(wrong), n_planted + len(planted)
    report(f"near duplicates, {name}: recall, all kinds", f"{n_true / n_planted:.4f}", ">= 0.98")
    report(
        f"near duplicates, {name}: precision, {n_found + len(false)} pairs found",
        f"{n_true / (n_found + len(false)):.4f} ({n_false + len(false)} wrong)",
        ">= 0.99",
    )
    both = np.concatenate([originals, thumbnails(sources, series)])
    planted = {(int(place), len(files) + k) for k, place in enumerate(order)}
    taken = len(set(pairs_of(both)) & planted)
    report(
        f"near duplicates, {name}: next photos of a series, in which a part moves by a twentieth",
        f"{taken / len(planted):.3f} count as copies",
    )


def pairs_of(images: np.ndarray) -> Iterator[tuple[int, int]]:
    found = similar_pairs(images, similar=SIMILAR)
    yield from zip(found.first.tolist(), found.second.tolist(), strict=True)


def is_known(
    pair: tuple[int, int], order: np.ndarray, files: list[str], known: set[frozenset[str]]
) -> bool:
    n = len(files)
    names = [Path(files[k if k < n else int(order[k - n])]).name for k in pair]
    return frozenset(names) in known


def main() -> None:
    words = sys.argv[1:]
    known = set()
    if "--known" in words:
        place = words.index("--known")
        known = {frozenset(each.split(",")) for each in words[place + 1].split(";")}
        del words[place : place + 2]
    if not words:
        with tempfile.TemporaryDirectory() as folder:
            measure("made photos", photos(Path(folder), 120), known)
        return
    parts = {"chosen on": words, "held out": []}
    if "--" in words:
        place = words.index("--")
        parts = {"chosen on": words[:place], "held out": words[place + 1 :]}
    for kind, folders in parts.items():
        files = [file for folder in folders for file in list_images(folder)[0]]
        if files:
            names = ", ".join(Path(folder).name for folder in folders)
            measure(f"{names} ({kind})", files, known)


if __name__ == "__main__":
    main()
