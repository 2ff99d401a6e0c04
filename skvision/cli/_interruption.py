"""The handling of Ctrl-C while a network trains.

The library ends the training with the weights reached by then, and a warning. The command
must notice it, to report it, to exit with 130, and to end a whole search.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

__all__ = ["when_interrupted"]


@contextmanager
def when_interrupted(act: Callable[[Any], None]) -> Iterator[None]:
    """Call `act` instead of showing a `TrainingInterruptedWarning`."""
    from ..exceptions import TrainingInterruptedWarning

    with warnings.catch_warnings():
        warnings.simplefilter("always", TrainingInterruptedWarning)
        show = warnings.showwarning

        def show_or_act(message: Any, category: Any, *rest: Any, **named: Any) -> None:
            if issubclass(category, TrainingInterruptedWarning):
                act(message)
            else:
                show(message, category, *rest, **named)

        warnings.showwarning = show_or_act  # catch_warnings restores it
        yield
