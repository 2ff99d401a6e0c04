"""The history of a training: figures by name, one number per epoch."""

from __future__ import annotations

from typing import Any

__all__ = ["joined"]


def joined(earlier: dict[str, list[Any]], later: dict[str, list[Any]]) -> dict[str, list[Any]]:
    """Append epochs to a history; figures that one part lacks are NaN there.

    Examples
    --------
    >>> from skvision.training import joined
    >>> joined({"loss": [2.0]}, {"loss": [1.0], "val_loss": [3.0]})
    {'loss': [2.0, 1.0], 'val_loss': [nan, 3.0]}
    """
    counts = [len(history.get("loss", ())) for history in (earlier, later)]
    return {
        name: [
            value
            for history, count in zip((earlier, later), counts, strict=True)
            for value in history.get(name, [float("nan")] * count)
        ]
        for name in {**earlier, **later}
    }
