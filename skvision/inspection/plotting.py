"""matplotlib, an optional dependency that is imported only to plot."""

from __future__ import annotations

from typing import Any

__all__ = ["import_matplotlib", "new_axes"]


def import_matplotlib() -> Any:
    """Return the package matplotlib.

    Raises
    ------
    ImportError
        If it is not installed; the message says how to install it.
    """
    try:
        import matplotlib.pyplot
    except ImportError as error:
        raise ImportError(
            'Plots need matplotlib. Install it by: pip install "skvision[plot]"'
        ) from error
    return matplotlib


def new_axes(ax: Any = None) -> Any:
    """Return `ax`, or the axes of a new figure.

    Raises
    ------
    ImportError
        If matplotlib is not installed; the message says how to install it.
    """
    if ax is not None:
        return ax
    return import_matplotlib().pyplot.subplots(layout="constrained")[1]
