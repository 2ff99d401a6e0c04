"""Names of activations and optimisers, matched in any spelling."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from typing import Any, TypeVar

import keras

__all__ = ["ACTIVATIONS", "OPTIMIZERS", "match_name"]

T = TypeVar("T")

# not element-wise functions
_NOT_ELEMENTWISE = {"deserialize", "get", "serialize", "glu"}
# base classes and wrappers around other optimisers
_NOT_BY_NAME = {"Optimizer", "LossScaleOptimizer", "MultiOptimizer", "OptimizerMap"}

#: all activations of Keras by name
ACTIVATIONS: dict[str, Any] = {
    name: getattr(keras.activations, name)
    for name in dir(keras.activations)
    if not name.startswith("_") and name not in _NOT_ELEMENTWISE
}

#: all optimiser classes of Keras by name
OPTIMIZERS: dict[str, type[keras.optimizers.Optimizer]] = {
    name: value
    for name, value in vars(keras.optimizers).items()
    if isinstance(value, type)
    and issubclass(value, keras.optimizers.Optimizer)
    and name not in _NOT_BY_NAME
}


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
    >>> from skvision.networks import ACTIVATIONS, match_name
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
