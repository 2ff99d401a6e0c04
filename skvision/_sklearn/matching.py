"""Match names in any spelling."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from typing import TypeVar

__all__ = ["match_name"]

T = TypeVar("T")


def match_name(given: object, known: Mapping[str, T], kind: str) -> str:
    """Return the name in `known` that matches, ignoring case and underscores.

    Parameters
    ----------
    given : object
        The name that the user passed.
    known : mapping of str
        The accepted names.
    kind : str
        The kind of thing that they name, for the error: ``"activation"``.

    Returns
    -------
    str
        A key of `known`.

    Raises
    ------
    ValueError
        If no name matches; the message lists the accepted names.

    Examples
    --------
    >>> from skvision._sklearn.matching import match_name
    >>> from skvision.networks import ACTIVATIONS
    >>> match_name("LeakyReLU", ACTIVATIONS, "activation")
    'leaky_relu'
    """
    plain = {_plain(name): name for name in known}
    key = _plain(given) if isinstance(given, str) else None
    if key in plain:
        return plain[key]
    near = [repr(plain[each]) for each in difflib.get_close_matches(key or "", plain, n=3)]
    hint = f" Did you mean {' or '.join(near)}?" if near else ""
    raise ValueError(
        f"Unknown {kind}: {given!r}.{hint} Accepted, in upper or lower case: "
        f"{', '.join(sorted(known))}."
    )


def _plain(name: str) -> str:
    return name.lower().replace("_", "").replace("-", "").replace(" ", "")
