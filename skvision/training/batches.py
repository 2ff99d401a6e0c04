"""The batches that a phase trains and validates on, with their network."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..images import ImageReader
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


@contextmanager
def lent_network(
    spec: TrainingSpec, data: TrainingData, phase: Phase, verbose: int = 0
) -> Iterator[tuple[CompiledNetwork, Batches]]:
    """Borrow a phase's network from the pool, and make its batches."""
    indices = np.flatnonzero(data.weights)
    weights = (data.weights / data.weights[indices].mean()).astype(np.float32)
    training, validation = indices, None
    if spec.validation_fraction is not None:
        training, validation = (
            indices[part]
            for part in split_validation(
                data.targets[indices], spec.validation_fraction, data.classes, spec.seeds.split
            )
        )

    def stream(reader: Any, chosen: np.ndarray, **drawn: Any) -> BatchStream:
        return BatchStream(
            reader,
            chosen,
            data.targets[chosen],
            weights[chosen],
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
        ImageReader(data.images, phase.image_size, spec.resize) as images,
        network_pool.borrow(phase.recipe) as network,
    ):
        reader: Any = images
        batches: BatchStream | FeatureStream
        if extraction is None:
            batches = stream(images, training, **drawn)
        else:
            # without augmentation, features are computed once
            is_fixed = spec.augment is None and spec.mixing is None
            once = [] if validation is None else [validation]
            if is_fixed:
                once.append(training)
            reader = extraction.table(data.images, once, spec.resize, verbose)
            if is_fixed:
                batches = stream(reader, training, order_seed=spec.seeds.order)
            else:
                batches = FeatureStream(stream(images, training, **drawn), extraction.run)
        checked = None if validation is None else stream(reader, validation, order_seed=None)
        yield network, Batches(batches, checked)
