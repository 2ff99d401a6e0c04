"""What becomes of Ctrl-C while a network trains.

The library ends the training with what was learnt by then, and a warning. The
command must know of it: to say so, to exit with 130, and to end a whole search.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

__all__ = ["when_interrupted"]


@contextmanager
def when_interrupted(act: Callable[[Any], None]) -> Iterator[None]:
    """Call `act` in place of showing a `TrainingInterruptedWarning`."""
    from ..exceptions import TrainingInterruptedWarning

    with warnings.catch_warnings():
        warnings.simplefilter("always", TrainingInterruptedWarning)
        show = warnings.showwarning

        def show_or_act(message: Any, category: Any, *rest: Any, **named: Any) -> None:
            if issubclass(category, TrainingInterruptedWarning):
                act(message)
            else:
                show(message, category, *rest, **named)

        warnings.showwarning = show_or_act  # put back by catch_warnings
        yield
