"""The interface of engines, and the choice between them."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import keras
import numpy as np

from ...networks import BACKENDS, computes_on_processor
from ..cache import KeptNetwork

__all__ = ["PRECISIONS", "Build", "Engine", "EngineChoice", "resolve_engine"]

#: makes a feature network, a keras.Model
Build = Callable[[], Any]

PRECISIONS = ("float32", "bfloat16")


@dataclass(frozen=True)
class EngineChoice:
    """An engine and a precision that are available on this machine."""

    engine: str
    precision: str


class Engine(ABC):
    """Runs one feature network over batches of images.

    Parameters
    ----------
    build : callable
        Makes the network, a `keras.Model` from (n, height, width, channels) pixels to
        (n, n_features). Not called if the engine finds the converted network in `kept`.
    precision : str
        One of `precisions`.
    batch_size : int
        Maximum number of images per batch.
    kept : KeptNetwork, default=None
        Storage for the converted network; None for none.
    """

    #: name of the extra that installs it; None if it is always available
    extra: ClassVar[str | None] = None
    #: Keras' backends whose networks it can run
    backends: ClassVar[tuple[str, ...]] = BACKENDS
    #: whether it computes on the processor, whatever Keras' device
    on_processor: ClassVar[bool] = False

    @abstractmethod
    def __init__(
        self, build: Build, precision: str, batch_size: int, kept: KeptNetwork | None = None
    ) -> None: ...

    @staticmethod
    @abstractmethod
    def is_installed() -> bool:
        """Return whether it can be imported."""

    @staticmethod
    @abstractmethod
    def precisions() -> tuple[str, ...]:
        """Return the precisions that run at full speed on this machine, the fastest first."""

    @staticmethod
    @abstractmethod
    def version() -> str:
        """Return the version of the library, on which its results depend."""

    @property
    @abstractmethod
    def n_features(self) -> int:
        """Length of a feature vector."""

    @abstractmethod
    def run(self, batches: Iterable[np.ndarray]) -> Iterator[np.ndarray]:
        """Yield the features of each batch, (n, n_features) float32, in order."""

    def rest(self) -> None:  # noqa: B027  # most have nothing to do
        """Free memory that the next `run` can restore quickly."""


def resolve_engine(
    engines: Mapping[str, type[Engine]], engine: str, precision: str
) -> EngineChoice:
    """Choose from a table of engines; see `skvision.feature_extraction.engines.resolve`."""
    backend = keras.config.backend()
    if engine == "auto":
        engine = next(
            name
            for name, each in engines.items()
            if each.is_installed()
            and backend in each.backends
            # prefer a graphics card
            and (not each.on_processor or computes_on_processor())
        )
    elif engine not in engines:
        raise ValueError(
            f"engine must be 'auto' or one of {', '.join(map(repr, engines))}. Received: {engine!r}"
        )
    chosen = engines[engine]
    if not chosen.is_installed():
        raise ImportError(
            f"engine={engine!r} is not installed. Install it by: "
            f'pip install "skvision[{chosen.extra}]"'
        )
    if backend not in chosen.backends:
        raise ValueError(
            f"engine={engine!r} can't convert networks of Keras' backend {backend!r}, only of "
            f"{' and '.join(chosen.backends)}. Use engine='auto', or start Python with "
            f"KERAS_BACKEND={chosen.backends[0]}."
        )
    available = chosen.precisions()
    if precision == "auto":
        precision = available[0]
    elif precision not in PRECISIONS:
        raise ValueError(
            f"precision must be 'auto' or one of {', '.join(map(repr, PRECISIONS))}. "
            f"Received: {precision!r}"
        )
    elif precision not in available:
        raise ValueError(
            f"precision={precision!r} is not available with engine={engine!r} on this machine, "
            f"only {', '.join(map(repr, available))}. Use precision='auto'."
        )
    return EngineChoice(engine, precision)
