"""Model files, as the commands read and write them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, TypeVar

from ._tensorflow import start_quietly

__all__ = ["chunks", "load_model"]

T = TypeVar("T")

# Pictures that are predicted between two moves of the progress bar.
CHUNK = 128


def load_model(path: Path, trust: bool) -> Any:
    """Read a joblib file; refuse to without ``--trust``, since reading it runs code."""
    if not path.is_file():
        raise FileNotFoundError(f"There is no model file {path}.")
    if not trust:
        raise ValueError(
            f"{path} is a joblib file, and loading one can run any code that is in it. Add "
            "--trust if you made it yourself or trust who did."
        )
    start_quietly()
    import joblib

    try:
        model = joblib.load(path)
    except Exception as error:  # a damaged pickle raises anything
        raise ValueError(
            f"{path} is damaged or no model file of skvision: {type(error).__name__}: {error}"
        ) from error
    if not hasattr(model, "predict"):
        raise ValueError(f"{path} holds a {type(model).__name__}, which can't predict.")
    return model


def chunks(items: Sequence[T], description: str) -> Iterator[Sequence[T]]:
    """Cut `items` into chunks, with a progress bar on standard error."""
    from ..training.progress import progress

    for start in progress(range(0, len(items), CHUNK), description, verbose=1):
        yield items[start : start + CHUNK]
