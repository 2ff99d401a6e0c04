"""The 1,000 classes of ImageNet, in the order of the networks' outputs."""

from __future__ import annotations

import csv
from functools import cache
from importlib.resources import files

__all__ = ["imagenet_classes"]

# each of these names belongs to two classes
_TOLD_APART = {
    "n02012849": "crane (bird)",
    "n03126707": "crane (machine)",
    "n03710637": "maillot (tights)",
    "n03710721": "maillot (tank suit)",
}


@cache
def imagenet_classes() -> dict[str, str]:
    """Return the classes' names by WordNet id; both are unique, the ids are sorted.

    References
    ----------
    O. Russakovsky and others, ImageNet Large Scale Visual Recognition Challenge, 2015.

    Examples
    --------
    >>> from skvision.networks.imagenet_classes import imagenet_classes
    >>> list(imagenet_classes().items())[:2]
    [('n01440764', 'tench'), ('n01443537', 'goldfish')]
    """
    table = files(__package__) / "data" / "imagenet_classes.csv"
    lines = table.read_text(encoding="utf-8").splitlines()
    return {row["wnid"]: _TOLD_APART.get(row["wnid"], row["name"]) for row in csv.DictReader(lines)}
