"""The batches that a phase trains and validates on, with their network."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..images import KEEP_BYTES, ImageReader
from ..networks import CompiledNetwork, network_pool
from .phases import Phase
from .spec import TrainingData, TrainingSpec
from .split import split_validation
from .stream import BatchStream, FeatureStream

__all__ = ["Batches", "lent_network"]


@dataclass(frozen=True)
class Batches:
    """The streams of batches of a phase.

    Parameters
    ----------
    training : BatchStream or FeatureStream
        Training data.
    validation : BatchStream, default=None
        Validation data; None for none.
    """

    training: BatchStream | FeatureStream
    validation: BatchStream | None = None


@dataclass(frozen=True)
class _Part:
    """Some images of data: those to train on, or those to validate with."""

    data: TrainingData
    indices: np.ndarray


@contextmanager
def lent_network(
    spec: TrainingSpec, data: TrainingData, phase: Phase, verbose: int = 0
) -> Iterator[tuple[CompiledNetwork, Batches]]:
    """Borrow a phase's network from the pool, and make its batches."""
    training, validation = _parts(spec, data)

    def stream(reader: Any, part: _Part, **drawn: Any) -> BatchStream:
        return BatchStream(
            reader,
            part.indices,
            part.data.targets[part.indices],
            part.data.relative_weights[part.indices],
            batch_size=spec.batch_size,
            n_classes=None if spec.mixing is None else len(data.classes),
            **drawn,
        )

    drawn = {
        "order_seed": spec.seeds.order,
        "augment": spec.augment,
        "augment_seed": spec.seeds.augmentation,
        "mixing": spec.mixing,
    }
    extraction = phase.extraction
    with (
        _readers(spec, phase, data) as readers,
        network_pool.borrow(phase.recipe) as network,
    ):
        batches: BatchStream | FeatureStream
        if extraction is None:
            batches = stream(readers[id(data)], training, **drawn)
        else:
            images = readers[id(data)]
            # without augmentation, features are computed once
            is_fixed = spec.augment is None and spec.mixing is None
            once = [part for part in (validation, training if is_fixed else None) if part]
            readers = {
                key: extraction.table(
                    reader.images,
                    [part.indices for part in once if id(part.data) == key],
                    spec.resize,
                    verbose,
                )
                for key, reader in readers.items()
            }
            if is_fixed:
                batches = stream(readers[id(data)], training, order_seed=spec.seeds.order)
            else:
                batches = FeatureStream(stream(images, training, **drawn), extraction.run)
        checked = None
        if validation is not None:
            checked = stream(readers[id(validation.data)], validation, order_seed=None)
        yield network, Batches(batches, checked)


def _parts(spec: TrainingSpec, data: TrainingData) -> tuple[_Part, _Part | None]:
    """Return the images to train on, and those to validate with."""
    used = data.used
    if data.validation is not None:
        return _Part(data, used), _Part(data.validation, data.validation.used)
    if spec.validation_fraction is None:
        return _Part(data, used), None
    training, validation = split_validation(
        data.targets[used],
        spec.validation_fraction,
        data.classes,
        spec.seeds.split,
        None if data.groups is None else data.groups[used],
    )
    return _Part(data, used[training]), _Part(data, used[validation])


@contextmanager
def _readers(spec: TrainingSpec, phase: Phase, data: TrainingData) -> Iterator[dict[int, Any]]:
    """Open the readers of the training data and of their own validation data, by identity."""
    sources = [data] if data.validation is None else [data, data.validation]
    n_images = sum(len(source.images) for source in sources)
    with ExitStack() as readers:
        yield {
            id(source): readers.enter_context(
                ImageReader(
                    source.images,
                    phase.image_size,
                    spec.resize,
                    # they share the memory for decoded images
                    keep_bytes=KEEP_BYTES * len(source.images) // n_images,
                )
            )
            for source in sources
        }
