"""The engine of Keras itself, which is always available."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import keras
import numpy as np

from ..cache import KeptNetwork
from .base import Build, Engine

__all__ = ["KerasEngine"]


class KerasEngine(Engine):
    """Runs batches of one fixed shape by ``predict_on_batch``, so that Keras traces once."""

    def __init__(
        self, build: Build, precision: str, batch_size: int, kept: KeptNetwork | None = None
    ) -> None:
        self._network = build()
        self._batch_size = batch_size

    @staticmethod
    def is_installed() -> bool:
        return True

    @staticmethod
    def precisions() -> tuple[str, ...]:
        return ("float32",)

    @staticmethod
    def version() -> str:
        return f"keras {keras.__version__} on {keras.backend.backend()}"

    @property
    def n_features(self) -> int:
        return int(self._network.output_shape[-1])

    def run(self, batches: Iterable[np.ndarray]) -> Iterator[np.ndarray]:
        for batch in batches:
            missing = self._batch_size - len(batch)
            full = np.concatenate([batch, np.repeat(batch[-1:], missing, 0)]) if missing else batch
            features = self._network.predict_on_batch([full])
            yield np.asarray(features, np.float32)[: len(batch)]
