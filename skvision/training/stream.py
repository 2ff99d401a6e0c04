"""All batches of a fit as one Python generator.

Keras takes a generator as it takes an array, and reads it ahead in a thread of
its own while the network trains; measured on two cores it costs what a ready
array costs (``benchmarks/``). One generator over all
epochs, and not one an epoch: the next epoch's first batches are ready when it begins,
and the epoch number that decides order and augmentation is the loop's own, never a
callback's.
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

# tells the draws of mixing from those of augmentation
_MIXING = 1


class BatchStream:
    """Batches (images, targets, weights), epoch after epoch.

    Always with weights, be they all 1: a batch without them would be another
    signature, and trace the network a second time.

    Parameters
    ----------
    reader : ImageReader or FeatureTable
        Where the images, or their features, come from.
    indices : ndarray of shape (n,), int
        Which of the reader's images belong to this stream.
    targets : ndarray of shape (n,), int
        Their class indices.
    weights : ndarray of shape (n,), float32
        Their sample weights.
    batch_size : int
        Images a batch at most. An epoch is cut evenly (450 by 32 into 15 of 30):
        a last batch of 2 would be the last thing that batch normalisation sees
        before the network is used, and spoil its averages.
    order_seed : int or None
        Decides each epoch's order together with the epoch's number; None keeps
        the order as it is.
    augment : callable or AugmentsBySample, default=None
        Called for every batch: ``f(images, rng) -> images``, or what draws for each
        image on its own.
    augment_seed : int, default=0
        Decides the draws: together with epoch and batch number, or with epoch and the
        image's index.
    n_classes : int, default=None
        Where set, targets are shares of each of so many classes, else class indices.
    mixing : Mixing, default=None
        How images and targets are mixed; needs ``n_classes``. Drawn as
        ``f(images, rng)`` is.
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
        #: what went wrong in the reading thread, where Keras would bury it
        self.error: Exception | None = None

    @property
    def steps_per_epoch(self) -> int:
        return -(-len(self.indices) // self.batch_size)

    def batches(self, epochs: range, first_step: int = 0) -> Iterator[Batch]:
        """Yield the batches of these epochs, of the first of them from `first_step` on."""
        try:
            for epoch in epochs:
                yield from self._epoch(epoch, first_step)
                first_step = 0
        except Exception as error:
            self.error = error
            raise

    def images(self) -> Iterator[np.ndarray]:
        """Yield the images of the first epoch's batches as they are, not augmented."""
        for chosen in self._cut(0):
            yield self.reader.read(self.indices[chosen])

    def _cut(self, epoch: int) -> list[np.ndarray]:
        """Which images are in each batch of an epoch: their positions in this stream."""
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
        # a copy, which it may change: the images may be kept for the next epoch
        return _checked(np.asarray(augment(images.copy(), rng)), images)


class ValidationBatches(keras.utils.PyDataset):
    """A stream's batches, from the first to the last in each evaluation.

    Of a generator Keras would read its first two batches again in each evaluation, and
    then go on after those that it had read ahead in the one before.

    Parameters
    ----------
    stream : BatchStream
        Without an order of its own.
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
        Which images they are of, ascending.
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
    """Batches of a stream of images, the images turned to features on the way.

    Parameters
    ----------
    images : BatchStream
        The images, augmented or not.
    run : callable
        Batches of images in, their features out, in order; it may read ahead.
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
        """What went wrong in the reading thread."""
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
    """Class indices as shares of each class: all of one, none of the others."""
    shares: np.ndarray = np.eye(n_classes, dtype=np.float32)[targets]
    return shares


def _checked(result: np.ndarray, images: np.ndarray) -> np.ndarray:
    """Hold what a function returned against what it got."""
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
