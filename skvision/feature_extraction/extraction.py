"""`FeatureExtraction`: turns images into what a phase of a training is trained on."""

from __future__ import annotations

import math
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..images import ImageBatch
from ..training import FeatureTable
from .computing import compute_features, engine_for, fit_channels
from .engines import Engine, EngineChoice
from .recipe import FeatureRecipe

__all__ = ["FeatureExtraction"]


# Beyond it features lie in a temporary file, so that memory stays bounded.
TABLE_BYTES = 2**28
ROWS_AT_A_TIME = 4096


@dataclass(frozen=True)
class FeatureExtraction:
    """What turns pictures into the features that a phase trains on.

    Parameters
    ----------
    recipe : FeatureRecipe
        The network.
    choice : EngineChoice
        What runs it.
    batch_size : int
        Pictures at a time.
    cache : None, bool, str or path-like, default=None
        Where features are kept.
    """

    recipe: FeatureRecipe
    choice: EngineChoice
    batch_size: int
    cache: Any = None

    @property
    def image_size(self) -> tuple[int, int]:
        """(height, width) that the network reads."""
        return self.recipe.image_size

    def run(self, batches: Iterable[np.ndarray]) -> Iterator[np.ndarray]:
        """Compute the features of batch after batch."""
        n_channels = self.recipe.n_channels
        return self._engine.run(fit_channels(batch, n_channels) for batch in batches)

    def table(
        self, images: ImageBatch, parts: Sequence[np.ndarray], resize: str, verbose: int
    ) -> FeatureTable:
        """Compute the features of pictures once, those of all `parts` (lists of positions)."""
        indices = np.sort(np.concatenate([np.arange(0), *parts]))
        rows = _table(len(indices), self._engine.n_features)
        for start in range(0, len(indices), ROWS_AT_A_TIME):
            some = slice(start, start + ROWS_AT_A_TIME)
            rows[some] = compute_features(
                images,
                self.recipe,
                self.choice,
                resize=resize,
                batch_size=self.batch_size,
                cache=self.cache,
                verbose=verbose,
                indices=indices[some],
            )
        return FeatureTable(indices, rows)

    @property
    def _engine(self) -> Engine:
        return engine_for(self.recipe, self.choice, self.batch_size, self.cache)


def _table(*shape: int) -> np.ndarray:
    if 4 * math.prod(shape) <= TABLE_BYTES:
        return np.empty(shape, np.float32)
    with tempfile.TemporaryFile(prefix="skvision-features-") as file:
        # the map keeps the file until it is forgotten itself
        return np.memmap(file, np.float32, "w+", shape=shape)
