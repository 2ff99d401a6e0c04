"""Progress bars on standard error, so that output can be piped."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sized
from typing import Protocol, TypeVar

from rich.console import Console
from rich.progress import Progress

__all__ = ["progress"]

T = TypeVar("T", covariant=True)


class Items(Sized, Iterable[T], Protocol[T]):
    """An iterable of known length."""


def progress(items: Items[T], description: str, verbose: int) -> Iterable[T]:
    """Iterate over `items`, with a bar if `verbose` is above 0.

    Examples
    --------
    >>> from skvision._system.progress import progress
    >>> list(progress([1, 2], "counting", verbose=0))
    [1, 2]
    """
    return with_bar(items, len(items), description) if verbose else items


def with_bar(items: Iterable[T], total: int, description: str) -> Iterator[T]:
    """Iterate over `items`, with a bar if standard error is a terminal."""
    console = Console(stderr=True)
    if not console.is_terminal:
        yield from items
        return
    with Progress(console=console, transient=True, redirect_stdout=False) as bar:
        yield from bar.track(items, total=total, description=description)
