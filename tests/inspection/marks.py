"""Drawn images whose answer is known: a class is a bright mark in one corner."""

from __future__ import annotations

import numpy as np

CLASSES = np.array(["bottom left", "bottom right", "top left", "top right"])

#: side of an image and of a mark, in pixels
SIDE, MARK = 16, 5


def marked(n, seed=0):
    """Return dim noise with a bright mark in a corner, uint8 (n, 16, 16, 3), and its place."""
    random = np.random.default_rng(seed)
    X = random.integers(0, 60, (n, SIDE, SIDE, 3), dtype=np.uint8)
    y = CLASSES[np.arange(n) % 4]
    for image, name in zip(X, y, strict=True):
        rows, columns = corner(name)
        image[rows, columns] = random.integers(200, 256, 3)
    return X, y


def corner(name):
    vertical, horizontal = name.split()
    first, last = slice(0, MARK), slice(SIDE - MARK, SIDE)
    return (first if vertical == "top" else last), (first if horizontal == "left" else last)


def share_on_mark(explanation, y):
    """Return the share of maps whose hottest point lies on the mark."""
    hits = 0
    for heat, name in zip(explanation.maps, y, strict=True):
        place = np.unravel_index(heat.argmax(), heat.shape)
        times = heat.shape[0] / SIDE
        hits += all(
            each.start * times <= at < each.stop * times
            for at, each in zip(place, corner(name), strict=True)
        )
    return hits / len(y)
