"""`FeatureExtraction`: compute feature vectors of images by an engine and the cache."""

from __future__ import annotations

import math
import multiprocessing
import tempfile
from collections.abc import Hashable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import tee
from typing import Any

import numpy as np

from .._sklearn.callbacks import NO_TASK, FitTask
from .._system.bounded_store import Store
from .._system.forks import backend_runs
from .._system.progress import progress
from ..images import ImageBatch, ImageReader, image_key
from ..networks import BUILDING
from ..training import FeatureTable
from .cache import Batches, FeatureCache, KeptNetwork
from .engines import ENGINES, Engine, EngineChoice, make_engine
from .network_key import network_key
from .recipe import FeatureRecipe

__all__ = ["FeatureExtraction", "running_engines"]

#: the last engines with their networks, so that a search loads each once; only two, since VGG16
#: alone takes half a gigabyte
running_engines: Store[Hashable, Engine] = Store(2, making=BUILDING)

# larger feature tables are stored in a temporary file, so that memory stays bounded
TABLE_BYTES = 2**28
ROWS_AT_A_TIME = 4096


@dataclass(frozen=True)
class FeatureExtraction:
    """Computes the features of images, or reads them from the cache.

    It implements `skvision.training.Extraction`, so a phase can be trained on these features.

    Parameters
    ----------
    recipe : FeatureRecipe
        The network.
    choice : EngineChoice
        The engine and its precision.
    batch_size : int
        Number of images per batch.
    cache : None, bool, str or path-like, default=None
        Folder of the feature cache; True for the user's cache folder.
    """

    recipe: FeatureRecipe
    choice: EngineChoice
    batch_size: int
    cache: Any = None

    @property
    def image_size(self) -> tuple[int, int]:
        """Size (height, width) of the network's input."""
        return self.recipe.image_size

    @property
    def engine(self) -> Engine:
        """The engine that runs the network, created once and shared.

        With a cache, the engine's converted network is kept beside the features.
        """
        backend_runs()
        kept = None
        if self._has_cache:
            version = ENGINES[self.choice.engine].version()
            key = network_key(**self.recipe.key_parts(), engine=version)
            kept = KeptNetwork(FeatureCache(self.cache).path.parent, key)
        return running_engines.get(
            (self.recipe, self.choice, self.batch_size),
            lambda: make_engine(self.choice, self.recipe.build, self.batch_size, kept),
        )

    def compute(
        self,
        images: ImageBatch,
        *,
        resize: str,
        verbose: int = 0,
        indices: np.ndarray | None = None,
        task: FitTask = NO_TASK,
    ) -> np.ndarray:
        """Compute the features of images, or read them from the cache.

        Parameters
        ----------
        images : ImageBatch
            The images.
        resize : {"stretch", "crop", "pad"}
            The resize policy.
        verbose : int, default=0
            Whether to show a progress bar.
        indices : ndarray of shape (n,), int, default=None
            Indices of the images; None for all.
        task : FitTask, default=NO_TASK
            The parent task of the batches, for scikit-learn's callbacks.

        Returns
        -------
        ndarray of shape (n, n_features), float32
        """
        indices = np.arange(len(images)) if indices is None else indices
        engine = self.engine
        with ImageReader(images, self.image_size, resize, keep_bytes=0) as reader:

            def compute(batches: Batches) -> Iterator[tuple[np.ndarray, np.ndarray]]:
                """Yield (positions, features) of batches, and decode the next one meanwhile."""
                asked, ahead = tee(batches)
                features = self.run(reader.read_ahead(indices[positions] for positions in ahead))
                bar = progress(Batches(asked, len(batches)), "computing features", verbose)
                yield from zip(task.each(bar, "batch"), features, strict=True)

            if not self._has_cache:
                table = np.empty((len(indices), engine.n_features), np.float32)
                n_batches = -(-len(indices) // self.batch_size)
                chunks = np.array_split(np.arange(len(indices)), n_batches) if n_batches else []
                for positions, rows in compute(Batches(chunks, n_batches)):
                    table[positions] = rows
                return table
            table = FeatureCache(self.cache).fetch_or_compute(
                self._key(images, resize),
                _image_keys(images, indices),
                compute,
                engine.n_features,
                batch_size=self.batch_size,
            )
            if multiprocessing.parent_process() is not None:
                # free memory, since the memory of several workers adds up and they seldom
                # compute these images again
                engine.rest()
            return table

    def run(self, batches: Iterable[np.ndarray]) -> Iterator[np.ndarray]:
        """Compute the features of batch after batch."""
        n_channels = self.recipe.n_channels
        return self.engine.run(_with_channels(batch, n_channels) for batch in batches)

    def table(
        self, images: ImageBatch, parts: Sequence[np.ndarray], resize: str, verbose: int
    ) -> FeatureTable:
        """Compute the features of the images in all `parts` (lists of positions) once."""
        indices = np.sort(np.concatenate([np.arange(0), *parts]))
        rows = _table(len(indices), self.engine.n_features)
        for start in range(0, len(indices), ROWS_AT_A_TIME):
            some = slice(start, start + ROWS_AT_A_TIME)
            rows[some] = self.compute(images, resize=resize, verbose=verbose, indices=indices[some])
        return FeatureTable(indices, rows)

    @property
    def _has_cache(self) -> bool:
        return self.cache is not None and self.cache is not False

    def _key(self, images: ImageBatch, resize: str) -> str:
        """Return the network's key in the cache."""
        return network_key(
            **self.recipe.key_parts(),
            resize=resize,
            value_range=(images.stored_range or "pictures") if images.dtype == np.uint8 else None,
            engine=ENGINES[self.choice.engine].version(),
            precision=self.choice.precision,
        )


def _with_channels(batch: np.ndarray, n_channels: int) -> np.ndarray:
    """Repeat a grey channel for each channel of the network's input."""
    if batch.shape[-1] == n_channels:
        return batch
    return np.repeat(batch, n_channels, axis=-1)


def _image_keys(images: ImageBatch, indices: np.ndarray) -> list[bytes]:
    with ThreadPoolExecutor() as threads:
        return list(threads.map(lambda index: image_key(images.item(int(index))), indices))


def _table(*shape: int) -> np.ndarray:
    if 4 * math.prod(shape) <= TABLE_BYTES:
        return np.empty(shape, np.float32)
    with tempfile.TemporaryFile(prefix="skvision-features-") as file:
        # the memory map keeps the file open until the map is freed
        return np.memmap(file, np.float32, "w+", shape=shape)
