"""Compare and clean names of classes."""

from __future__ import annotations

import re
import unicodedata
import warnings
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any

__all__ = ["as_label", "one_spelling", "reading", "warn_of_spellings"]

# letters of other scripts that look like Latin ones
_LOOK_ALIKES = str.maketrans(
    "АВЕЅІЈКМНОРСТУХаеѕіјорсухԁԛԝΑΒΕΖΗΙΚΜΝΟΡΤΥΧοıѵ’‘ʼ",  # noqa: RUF001
    "ABESIJKMHOPCTYXaesijopcyxdqwABEZHIKMNOPTYXoiv'''",
)
_DASHES_AND_SPACES = re.compile(r"[\s_]+|(?<=\w)[-\u2010-\u2015\u2212](?=\w)")


def as_label(name: str) -> str:
    """Return the class of a folder's name or a table's cell.

    It is the text in Unicode's composed form, with plain spaces and none at the ends.

    Examples
    --------
    >>> from skvision.datasets.class_names import as_label
    >>> as_label("Dog\\u00a0")
    'Dog'
    """
    cleaned = re.sub(r"\s", " ", unicodedata.normalize("NFC", name)).strip(" \u200b\ufeff")
    return cleaned or name


@lru_cache(maxsize=4096)
def reading(name: Any) -> str:
    """Return a normalised name, equal for names that look the same to a reader.

    It ignores case, width, the encoding of accents, spaces, underscores and dashes between
    words, dots at the end, invisible characters, and differences of look-alike letters. It
    keeps the case of a single letter: handwritten ``a`` and ``A`` are two classes.

    Examples
    --------
    >>> from skvision.datasets.class_names import reading
    >>> reading("Polar_Bear ") == reading("polar bear"), reading("a") == reading("A")
    (True, False)
    """
    text = unicodedata.normalize("NFKC", str(name))
    text = "".join(each for each in text if unicodedata.category(each) != "Cf")
    text = _DASHES_AND_SPACES.sub(" ", text.translate(_LOOK_ALIKES)).strip().rstrip(". ")
    return text.casefold() if len(text) > 1 else text or str(name)


def one_spelling(counts: Mapping[str, int], known: Iterable[str] = ()) -> dict[str, str]:
    """Choose one spelling for names that look the same.

    Parameters
    ----------
    counts : mapping of str to int
        Number of images of each name. The most frequent spelling is chosen; of equally
        frequent ones the first in the alphabet.
    known : iterable of str, default=()
        Preferred spellings, such as those of a model's classes.

    Returns
    -------
    dict of str to str
        The spelling of each name.

    Examples
    --------
    >>> from skvision.datasets.class_names import one_spelling
    >>> one_spelling({"Cat": 1, "cat": 8, "dog": 2})
    {'Cat': 'cat', 'cat': 'cat', 'dog': 'dog'}
    """
    chosen: dict[str, str] = {}
    for name in sorted(counts, key=lambda name: (-counts[name], name)):
        chosen.setdefault(reading(name), as_label(name))
    chosen.update({reading(name): name for name in known})
    exact = set(known)
    return {name: name if name in exact else chosen[reading(name)] for name in counts}


def warn_of_spellings(spelling: Mapping[str, str]) -> None:
    """Warn once of names that look the same and become one class."""
    names_of: dict[str, list[str]] = {}
    for name, label in spelling.items():
        names_of.setdefault(label, []).append(name)
    joined = [
        f"{' and '.join(map(repr, sorted(names)))} as {label!r}"
        for label, names in names_of.items()
        if len(names) > 1 or as_label(names[0]) != label
    ]
    if joined:
        more = f", and {len(joined) - 3} more" if len(joined) > 3 else ""
        warnings.warn(
            f"Names of classes that look the same count as one class: {', '.join(joined[:3])}"
            f"{more}. If they are different classes, give them names that differ in more than "
            "case, spaces or look-alike letters."
        )
