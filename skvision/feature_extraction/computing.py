"""Pictures -> feature vectors, through an engine and the cache."""

from __future__ import annotations

import multiprocessing
from collections.abc import Hashable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np

from .._sklearn.callbacks import NO_TASK, FitTask
from .._system.progress import progress
from .._system.store import Store
from ..images import ImageBatch, ImageReader, image_key
from ..networks import BUILDING
from .cache import FeatureCache, KeptNetwork
from .engines import ENGINES, Engine, EngineChoice, make_engine
from .network_key import network_key
from .recipe import FeatureRecipe

__all__ = ["compute_features", "engine_for", "fit_channels", "running_engines"]

#: the engines used last, each with its network in memory, so that a search loads each once; two,
#: since VGG16 alone takes half a gigabyte
running_engines: Store[Hashable, Engine] = Store(2, making=BUILDING)


def compute_features(
    images: ImageBatch,
    recipe: FeatureRecipe,
    choice: EngineChoice,
    *,
    resize: str,
    batch_size: int,
    cache: Any = None,
    verbose: int = 0,
    indices: np.ndarray | None = None,
    task: FitTask = NO_TASK,
) -> np.ndarray:
    """Compute the features of pictures, or read them where they are kept.

    Parameters
    ----------
    images : ImageBatch
        The pictures.
    recipe : FeatureRecipe
        The network.
    choice : EngineChoice
        What runs it.
    resize : {"stretch", "crop", "pad"}
        The resize policy.
    batch_size : int
        Pictures computed at a time.
    cache : None, bool, str or path-like, default=None
        Where features are kept; True for the user's cache folder.
    verbose : int, default=0
        Whether to show a progress bar.
    indices : ndarray of shape (n,), int, default=None
        Which pictures; None for all.
    task : FitTask, default=NO_TASK
        What batches are parts of, for scikit-learn's callbacks.

    Returns
    -------
    ndarray of shape (n, n_features), float32
    """
    indices = np.arange(len(images)) if indices is None else indices
    engine = engine_for(recipe, choice, batch_size, cache)
    with ImageReader(images, recipe.image_size, resize, keep_bytes=0) as reader:

        def compute(positions: np.ndarray) -> Iterator[tuple[np.ndarray, np.ndarray]]:
            """Yield (positions, features) of batches; the next is decoded meanwhile."""
            n_batches = -(-len(positions) // batch_size)
            chunks = np.array_split(positions, n_batches) if n_batches else []
            batches = reader.read_ahead(indices[chunk] for chunk in chunks)
            features = engine.run(fit_channels(batch, recipe.n_channels) for batch in batches)
            bar = progress(chunks, "computing features", verbose)
            yield from zip(task.each(bar, "batch"), features, strict=True)

        if cache is None or cache is False:
            table = np.empty((len(indices), engine.n_features), np.float32)
            for positions, rows in compute(np.arange(len(indices))):
                table[positions] = rows
            return table
        key = network_key(
            **recipe.key_parts(),
            resize=resize,
            value_range="pictures" if images.dtype == np.uint8 else None,
            engine=ENGINES[choice.engine].version(),
            precision=choice.precision,
        )
        table = FeatureCache(cache).fetch_or_compute(
            key, _image_keys(images, indices), compute, engine.n_features
        )
        if multiprocessing.parent_process() is not None:
            # what workers hold adds up, and they will seldom compute these pictures again
            engine.rest()
        return table


def engine_for(
    recipe: FeatureRecipe, choice: EngineChoice, batch_size: int, cache: Any = None
) -> Engine:
    """Return the engine that runs a network, the one that is running already if there is one.

    With a cache, what an engine makes of the network is kept beside the features.
    """
    kept = None
    if cache is not None and cache is not False:
        key = network_key(**recipe.key_parts(), engine=ENGINES[choice.engine].version())
        kept = KeptNetwork(FeatureCache(cache).path.parent, key)
    return running_engines.get(
        (recipe, choice, batch_size), lambda: make_engine(choice, recipe.build, batch_size, kept)
    )


def fit_channels(batch: np.ndarray, n_channels: int) -> np.ndarray:
    """Repeat grey numbers in as many channels as a network reads."""
    if batch.shape[-1] == n_channels:
        return batch
    return np.repeat(batch, n_channels, axis=-1)


def _image_keys(images: ImageBatch, indices: np.ndarray) -> list[bytes]:
    with ThreadPoolExecutor() as threads:
        return list(threads.map(lambda index: image_key(images.item(int(index))), indices))
