"""All batches of a fit as one Python generator.

Keras reads a generator ahead in a thread while the network trains; on two cores this is as
fast as an array in memory (``benchmarks/``). One generator yields all epochs: then the next
epoch's first batches are ready when it begins, and the loop itself counts the epochs, whose
number controls order and augmentation.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator

import keras
import numpy as np

from ..augmentation import Mixing
from ..images import ImageReader
from .augmenting import Augment, AugmentsBySample, refuse_another_scale

__all__ = ["BatchStream", "FeatureStream", "FeatureTable", "ValidationBatches"]

Batch = tuple[np.ndarray, np.ndarray, np.ndarray]

# separates the draws of mixing from those of augmentation
_MIXING = 1


class BatchStream:
    """Batches (images, targets, weights), epoch after epoch.

    A batch always has weights, even if all are 1: a batch without weights has another
    signature, for which the network would be traced again.

    Parameters
    ----------
    reader : ImageReader or FeatureTable
        Source of the images or of their features.
    indices : ndarray of shape (n,), int
        Indices of this stream's images in the reader.
    targets : ndarray of shape (n,), int
        Their class indices.
    weights : ndarray of shape (n,), float32
        Their sample weights.
    batch_size : int
        Maximum number of images per batch. An epoch is cut evenly (450 images by 32 into 15
        batches of 30): a last batch of 2 would spoil the averages of batch normalisation.
    order_seed : int or None
        Seed of each epoch's order, together with the epoch's number; None for no shuffling.
    augment : callable or AugmentsBySample, default=None
        Augmentation of each batch: ``f(images, rng) -> images``, or an object that draws for
        each image separately.
    augment_seed : int, default=0
        Seed of the augmentation, together with the epoch and the number of the batch or the
        index of the image.
    n_classes : int, default=None
        Number of classes if targets are to be shares of each class; None for class indices.
    mixing : Mixing, default=None
        MixUp and CutMix; needs ``n_classes``. Seeded as ``f(images, rng)``.
    """

    def __init__(
        self,
        reader: ImageReader | FeatureTable,
        indices: np.ndarray,
        targets: np.ndarray,
        weights: np.ndarray,
        *,
        batch_size: int,
        order_seed: int | None,
        augment: Augment | None = None,
        augment_seed: int = 0,
        n_classes: int | None = None,
        mixing: Mixing | None = None,
    ) -> None:
        self.reader = reader
        self.indices = indices
        self.targets = targets if n_classes is None else _shares(targets, n_classes)
        self.weights = weights
        self.batch_size = batch_size
        self.order_seed = order_seed
        self.augment = augment
        self.augment_seed = augment_seed
        self.mixing = mixing
        #: error of the reading thread, which Keras would hide
        self.error: Exception | None = None

    @property
    def steps_per_epoch(self) -> int:
        return -(-len(self.indices) // self.batch_size)

    def batches(self, epochs: range, first_step: int = 0) -> Iterator[Batch]:
        """Yield the batches of these epochs; in the first of them begin at `first_step`."""
        try:
            for epoch in epochs:
                yield from self._epoch(epoch, first_step)
                first_step = 0
        except Exception as error:
            self.error = error
            raise

    def images(self) -> Iterator[np.ndarray]:
        """Yield the images of the first epoch's batches, not augmented."""
        for chosen in self._cut(0):
            yield self.reader.read(self.indices[chosen])

    def _cut(self, epoch: int) -> list[np.ndarray]:
        """Return the positions in this stream of the images of each batch of an epoch."""
        order = np.arange(len(self.indices))
        if self.order_seed is not None:
            order = np.random.default_rng([self.order_seed, epoch]).permutation(order)
        return np.array_split(order, self.steps_per_epoch)

    def _epoch(self, epoch: int, first_step: int) -> Iterator[Batch]:
        steps = list(enumerate(self._cut(epoch)))
        for step, chosen in steps[first_step:]:
            images = self.reader.read(self.indices[chosen])
            if self.augment is not None:
                images = self._augmented(self.augment, images, [epoch, step], self.indices[chosen])
            batch = images, self.targets[chosen], self.weights[chosen]
            if self.mixing is not None:
                rng = np.random.default_rng([self.augment_seed, epoch, step, _MIXING])
                batch = self.mixing.apply(*batch, rng)
            yield batch

    def _augmented(
        self, augment: Augment, images: np.ndarray, place: list[int], indices: np.ndarray
    ) -> np.ndarray:
        """Augment a batch; `place` is its epoch and step."""
        epoch, step = place
        if isinstance(augment, AugmentsBySample):
            return augment.augment_batch(images, [self.augment_seed, epoch], indices)
        rng = np.random.default_rng([self.augment_seed, epoch, step])
        # pass a copy, which the function may change: the reader may keep the images
        return _checked(np.asarray(augment(images.copy(), rng)), images)


class ValidationBatches(keras.utils.PyDataset):
    """A stream's batches for evaluation, from the first to the last each time.

    With a generator, each evaluation would read the first two batches again and then
    continue after the batches that the evaluation before had read ahead.

    Parameters
    ----------
    stream : BatchStream
        A stream without shuffling.
    """

    def __init__(self, stream: BatchStream) -> None:
        super().__init__()
        self._stream = stream

    def __len__(self) -> int:
        return self._stream.steps_per_epoch

    def __getitem__(self, step: int) -> Batch:
        return next(self._stream.batches(range(1), step))


class FeatureTable:
    """Features that were computed once, read like images.

    Parameters
    ----------
    indices : ndarray of shape (n,), int
        Indices of the images, ascending.
    rows : ndarray of shape (n, n_features), float32
        Their features.
    """

    def __init__(self, indices: np.ndarray, rows: np.ndarray) -> None:
        self.indices = indices
        self.rows = rows

    def read(self, indices: np.ndarray) -> np.ndarray:
        """Return the features of the images at `indices`."""
        return self.rows[np.searchsorted(self.indices, indices)]


class FeatureStream:
    """Batches of features, computed from a stream of images.

    Parameters
    ----------
    images : BatchStream
        The images, augmented or not.
    run : callable
        Maps batches of images to their features, in order; it may read ahead.
    """

    def __init__(
        self,
        images: BatchStream,
        run: Callable[[Iterable[np.ndarray]], Iterator[np.ndarray]],
    ) -> None:
        self.images = images
        self.run = run

    @property
    def steps_per_epoch(self) -> int:
        return self.images.steps_per_epoch

    @property
    def error(self) -> Exception | None:
        """The error of the reading thread."""
        return self.images.error

    def batches(self, epochs: range, first_step: int = 0) -> Iterator[Batch]:
        """Yield (features, class indices, weights) of these epochs, as `BatchStream` does."""
        others: deque[tuple[np.ndarray, np.ndarray]] = deque()

        def images() -> Iterator[np.ndarray]:
            for batch, targets, weights in self.images.batches(epochs, first_step):
                others.append((targets, weights))
                yield batch

        for features in self.run(images()):
            yield (features, *others.popleft())


def _shares(targets: np.ndarray, n_classes: int) -> np.ndarray:
    """Return class indices as one-hot rows."""
    shares: np.ndarray = np.eye(n_classes, dtype=np.float32)[targets]
    return shares


def _checked(result: np.ndarray, images: np.ndarray) -> np.ndarray:
    """Check a function's result against its input, and return it."""
    if result.shape != images.shape:
        raise ValueError(
            f"augmentation must return images of the shape it got, {images.shape}. "
            f"Received: {result.shape}"
        )
    refuse_another_scale(result, images)
    if result.dtype == images.dtype:
        return result
    if images.dtype != np.uint8:
        return result.astype(images.dtype)
    if not (np.isfinite(result).all() and result.min() >= 0 and result.max() <= 255):
        raise ValueError(
            f"augmentation got uint8 images and returned {result.dtype} from {result.min():g} to "
            f"{result.max():g}. It must return pixels from 0 to 255: clip them, and leave scaling "
            "to the network."
        )
    return np.round(result).astype(np.uint8)
