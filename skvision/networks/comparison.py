"""`refuse_another_network`: check that a training can continue with a network."""

from __future__ import annotations

import reprlib
from dataclasses import asdict
from typing import Any

__all__ = ["refuse_another_network"]


def refuse_another_network(before: Any, now: Any) -> None:
    """Raise ValueError if the parameters describe another network than the fitted one."""
    if before == now:
        return
    old, new = _flat(asdict(before)), _flat(asdict(now))
    changed = "; ".join(
        f"{k} was {reprlib.repr(old.get(k))} and is {reprlib.repr(new[k])}"
        for k in new
        if old.get(k) != new[k]
    )
    raise ValueError(
        f"The parameters describe another network than the one to continue: {changed}. Undo "
        "the change, or train a new network by fit with warm_start=False."
    )


def _flat(numbers: dict[str, Any]) -> dict[str, Any]:
    """Return nested tables of numbers as one flat table."""
    flat: dict[str, Any] = {}
    for name, value in numbers.items():
        flat.update(_flat(value) if isinstance(value, dict) else {name: value})
    return flat
