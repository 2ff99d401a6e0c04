"""MixUp and CutMix: mix pairs of images of a batch, and their labels.

For training only, since a mixed image has several labels. Pure functions of arrays and a
random generator.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

__all__ = ["Mixing", "blended", "mixed_targets", "patched"]


@dataclass(frozen=True)
class Mixing:
    """The settings of MixUp and CutMix.

    Parameters
    ----------
    mixup, cutmix : float, default=0.0
        Parameter of the symmetric beta distribution that the shares are drawn from: 1 is
        uniform, below 1 most images change only a little, 0 is off. If both are above 0,
        each batch is mixed by one of them.
    probability : float, default=1.0
        Share of the batches that are mixed.

    References
    ----------
    H. Zhang and others, mixup: Beyond Empirical Risk Minimization, 2017.
    S. Yun and others, CutMix: Regularization Strategy to Train Strong Classifiers with
    Localizable Features, 2019.

    Examples
    --------
    >>> import numpy as np
    >>> from skvision.augmentation import Mixing
    >>> images, targets = np.zeros((2, 4, 4, 1), np.uint8), np.eye(2, dtype=np.float32)
    >>> mixing, rng = Mixing(mixup=1.0), np.random.default_rng(0)
    >>> images, targets, weights = mixing.apply(images, targets, np.ones(2, np.float32), rng)
    >>> targets.sum(axis=1).tolist(), weights.tolist()
    ([1.0, 1.0], [1.0, 1.0])
    """

    mixup: float = 0.0
    cutmix: float = 0.0
    probability: float = 1.0

    def apply(
        self, images: np.ndarray, targets: np.ndarray, weights: np.ndarray, rng: np.random.Generator
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Mix each image of a batch with another image of the batch.

        Parameters
        ----------
        images : ndarray of shape (n, height, width, n_channels), uint8 or float32
        targets : ndarray of shape (n, n_classes), float32
            Share of each class; rows sum to 1.
        weights : ndarray of shape (n,), float32
            Sample weights above 0.
        rng : numpy.random.Generator

        Returns
        -------
        images, targets, weights : ndarray
            Arrays of the same shapes and types.
        """
        if rng.random() >= self.probability:
            return images, targets, weights
        partners = rng.permutation(len(images))
        if not self.cutmix or (self.mixup and rng.random() < 0.5):
            share = float(rng.beta(self.mixup, self.mixup))
            images = blended(images, partners, share)
        else:
            box = _box(float(rng.beta(self.cutmix, self.cutmix)), images.shape[1:3], rng)
            images, share = patched(images, partners, box)
        return images, *mixed_targets(targets, weights, partners, share)


def blended(images: np.ndarray, partners: np.ndarray, share: float) -> np.ndarray:
    """Blend each image with its partner.

    Examples
    --------
    >>> import numpy as np
    >>> from skvision.augmentation.mixing import blended
    >>> images = np.array([0, 100], np.uint8).reshape(2, 1, 1, 1)
    >>> blended(images, np.array([1, 0]), 0.75).ravel().tolist()
    [25, 75]
    """
    first, second = np.float32(share), np.float32(1 - share)
    mixed: np.ndarray = images * first + images[partners] * second
    if images.dtype == np.uint8:
        mixed = np.rint(mixed)
    return mixed.astype(images.dtype)


def patched(
    images: np.ndarray, partners: np.ndarray, box: tuple[int, int, int, int]
) -> tuple[np.ndarray, float]:
    """Paste a part of its partner into each image; return the remaining share of the image.

    Examples
    --------
    >>> import numpy as np
    >>> from skvision.augmentation.mixing import patched
    >>> images = np.array([[1, 1], [2, 2]], np.uint8).reshape(2, 1, 2, 1)
    >>> mixed, share = patched(images, np.array([1, 0]), (0, 1, 1, 2))
    >>> mixed[..., 0].tolist(), share
    ([[[1, 2]], [[2, 1]]], 0.5)
    """
    top, bottom, left, right = box
    height, width = images.shape[1:3]
    mixed = images.copy()
    mixed[:, top:bottom, left:right] = images[partners, top:bottom, left:right]
    return mixed, 1 - (bottom - top) * (right - left) / (height * width)


def mixed_targets(
    targets: np.ndarray, weights: np.ndarray, partners: np.ndarray, share: float
) -> tuple[np.ndarray, np.ndarray]:
    """Mix targets as the images were mixed; samples of larger weight count more.

    Examples
    --------
    >>> import numpy as np
    >>> from skvision.augmentation.mixing import mixed_targets
    >>> swap = np.array([1, 0])
    >>> mixed_targets(np.eye(2), np.array([1.0, 3.0]), swap, 0.5)[0].tolist()
    [[0.25, 0.75], [0.25, 0.75]]
    """
    own, other = share * weights, (1 - share) * weights[partners]
    total = own + other
    mixed = (targets * own[:, np.newaxis] + targets[partners] * other[:, np.newaxis]) / total[
        :, np.newaxis
    ]
    return mixed.astype(targets.dtype), total.astype(weights.dtype)


def _box(
    share: float, size: tuple[int, ...], rng: np.random.Generator
) -> tuple[int, int, int, int]:
    """Draw a box that leaves `share` of an image, centred anywhere and clipped to the image."""
    edges = []
    for length in size:
        half = length * np.sqrt(1 - share) / 2
        middle = rng.uniform(0, length)
        edges += [int(np.clip(np.rint(middle + side * half), 0, length)) for side in (-1, 1)]
    top, bottom, left, right = edges
    return top, bottom, left, right
