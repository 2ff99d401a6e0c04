"""`NetworkEstimator`: the interface of estimators that predict by a network.

Exports, files, displays, the command line and the learning-rate range test use only these
methods; they work with any estimator that has them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol, runtime_checkable

import numpy as np

__all__ = [
    "NetworkEstimator",
    "NetworkInput",
    "PartedNetwork",
    "RangeTestable",
    "ReadAs",
    "ReadsImages",
]


class ReadAs(NamedTuple):
    """How an estimator reads images: equal values mean equal pixels of the same file.

    Parameters
    ----------
    size : tuple of int
        (height, width) in pixels.
    resize : {"stretch", "crop", "pad"}
        How an image is resized.
    value_range : object, default="auto"
        The scale, as the parameter ``value_range`` takes it, or the one that was learnt.
    is_keyed : bool, default=False
        Whether the keys of the images are needed too, for example by a cache.
    """

    size: tuple[int, int]
    resize: str
    value_range: Any = "auto"
    is_keyed: bool = False


@runtime_checkable
class ReadsImages(Protocol):
    """An estimator that knows before and after fit how it reads images."""

    def reads_images_as(self) -> ReadAs:
        """Return how images will be read."""


@dataclass(frozen=True)
class NetworkInput:
    """The input of a network.

    Parameters
    ----------
    height, width : int
        Size of an image in pixels.
    n_channels : int
        Number of channels of an image.
    resize : {"stretch", "crop", "pad"}
        How images are resized to this size.
    is_image : bool
        Whether the input is pixels from 0 to 255; else any numbers, with ``value_range=None``.
    """

    height: int
    width: int
    n_channels: int
    resize: str
    is_image: bool

    @property
    def size(self) -> dict[str, int]:
        """Height, width and channels by name, as JSON."""
        return {"height": self.height, "width": self.width, "channels": self.n_channels}


@runtime_checkable
class NetworkEstimator(Protocol):
    """A classifier that predicts by one Keras network; these methods need a fitted one."""

    def build_network(self) -> Any:
        """Return the network, a new `keras.Model`: images in, probabilities out."""

    def network_classes(self) -> np.ndarray:
        """Return the labels in the order of the network's outputs."""

    def network_digest(self) -> str:
        """Return the identity of the network, equal for equal layers and weights."""

    def network_input(self) -> NetworkInput:
        """Return the input that the network expects."""

    def network_views(self) -> list[Any]:
        """Return the views (`skvision.networks.View`) that predictions are averaged over."""

    def network_facts(self) -> dict[str, Any]:
        """Return facts about the network that don't need building it, as JSON.

        These are ``input_size``, ``weights`` (their number) and, if skvision trained it,
        ``epochs``, ``last_epoch`` and ``trained_with`` (versions).
        """


@runtime_checkable
class RangeTestable(Protocol):
    """An estimator whose learning rate can be found by a range test."""

    def losses_at_rates(
        self,
        X: Any,
        y: Any,
        learning_rates: np.ndarray,
        *,
        sample_weight: Any = None,
        phase: str | None = None,
    ) -> np.ndarray:
        """Return the losses of one training step at each rate; the estimator isn't changed."""


@runtime_checkable
class PartedNetwork(ReadsImages, Protocol):
    """A fitted estimator whose network can be run in parts, as heat maps need it."""

    def build_network(self) -> Any:
        """Return the network, a new `keras.Model`: images in, probabilities or features out."""

    def network_digest(self) -> str:
        """Return the identity of the network, equal for equal layers and weights."""

    def validated_images(self, X: Any) -> Any:
        """Return X as a `skvision.images.ImageBatch`, checked as for a prediction."""

    def network_engine(self, build: Callable[[], Any], batch_size: int) -> Any:
        """Return an engine for a part of the network, of the kind that predictions use.

        `build` makes the part: images in, vectors out. The engine's ``run`` takes batches of at
        most `batch_size` images, and yields their vectors
        (`skvision.feature_extraction.engines.Engine`).
        """
