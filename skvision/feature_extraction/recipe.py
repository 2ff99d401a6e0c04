"""A feature network as a value: its backbone, weights, layer, pooling and size."""

from __future__ import annotations

# first, since it hides the messages of Keras' backend
from .. import networks  # noqa: F401  isort: skip
import copy
from dataclasses import dataclass, field
from typing import Any

import keras
from sklearn.base import BaseEstimator

from .._system.forks import backend_runs
from ..backbone_table import BACKBONES, NETWORKS_VERSION, backbone_name
from ..networks import BUILDING, OwnNetwork
from ..networks.backbone_weights import weights_digest
from ..networks.backbones import build_backbone, pooled
from .own_backbone import is_own, own_bodies, own_body

__all__ = [
    "POOLINGS",
    "FeatureRecipe",
    "classification_recipe",
    "clone_around_backbone",
    "feature_recipe",
    "input_size",
]

POOLINGS = ("avg", "max", "flatten")


@dataclass(frozen=True)
class FeatureRecipe:
    """The description of a network that maps images to feature vectors.

    Two recipes are equal if their features are. The user's own backbone is identified by
    the digest of its weights.

    Parameters
    ----------
    backbone : str
        A name in `skvision.backbone_table.BACKBONES`, or a name for the user's own
        network in feature names.
    weights : str or None
        ``"imagenet"``, a weights file, or None for random weights.
    layer : str or None
        Name of the output layer; None for the last feature map.
    pooling : {"avg", "max", "flatten"}
        How a feature map becomes a vector.
    image_size : tuple of int
        Size (height, width) in pixels.
    digest : str
        Identity of the weights.
    seed : int, default=0
        Seed of random weights.
    top : bool, default=False
        Whether the vector holds the probabilities of ImageNet's classes.
    own : OwnNetwork, default=None
        The user's network, up to its features.
    """

    backbone: str
    weights: Any
    layer: str | None
    pooling: str
    image_size: tuple[int, int]
    digest: str
    seed: int = 0
    top: bool = False
    own: OwnNetwork | None = field(default=None, compare=False, repr=False)

    def build(self) -> keras.Model:
        """Build the network from pixels 0..255, (n, height, width, 3), to (n, n_features)."""
        backend_runs()
        with BUILDING:
            return pooled(self._body(), self.pooling)

    def _body(self) -> keras.Model:
        if self.own is None:
            return build_backbone(
                self.backbone,
                image_size=self.image_size,
                weights=self.weights,
                layer=None if self.top else self.layer,
                seed=self.seed,
                top=self.top,
            )
        own = self.own.build()
        if own.input_shape[1:3] == self.image_size:
            return own
        # it accepts any size, so fix it
        pixels = keras.Input((*self.image_size, own.input_shape[-1]), name="pixels")
        return keras.Model(pixels, own(pixels), name=own.name)

    def key_parts(self) -> dict[str, Any]:
        """Return everything that the outputs depend on, as parts for `network_key`."""
        return {
            "network": self.backbone,
            "weights": self.digest,
            "size": self.image_size,
            "layer": self.layer,
            "pooling": self.pooling,
            "top": self.top,
            # they build the network around the weights
            "built by": [NETWORKS_VERSION, keras.__version__],
        }

    @property
    def n_channels(self) -> int:
        """Number of channels of the network's input."""
        return 3 if self.own is None else int(self.own.input_shape[-1] or 3)


def classification_recipe(
    backbone: Any, *, weights: Any, image_size: tuple[int, int] | None
) -> FeatureRecipe:
    """Return the recipe whose vector holds the probabilities of ImageNet's classes."""
    name = backbone_name(backbone)
    row = BACKBONES[name]
    return FeatureRecipe(
        backbone=name,
        weights=weights,
        layer="classification",
        pooling="avg",
        image_size=image_size or (row.size, row.size),
        digest=weights_digest(name, weights, seed=0),
        top=True,
    )


def feature_recipe(
    backbone: Any,
    *,
    weights: Any,
    layer: str | None,
    pooling: str,
    image_size: tuple[int, int] | None,
    seed: int,
) -> FeatureRecipe:
    """Turn the transformer's parameters into a recipe, with "auto" and None filled in.

    Raises
    ------
    ValueError
        If the backbone or layer doesn't exist, or the user's own network has another size.
    """
    if not is_own(backbone):
        name = backbone_name(backbone)
        row = BACKBONES[name]
        size = image_size or (row.size, row.size)
        digest = weights_digest(name, weights, seed)
        own = None
        if weights not in ("imagenet", None):
            # the estimator takes the weights along: the file may be missing elsewhere
            own = own_bodies.get(
                (name, digest, size, layer),
                lambda: OwnNetwork.of(
                    build_backbone(name, image_size=size, weights=weights, layer=layer)
                ),
            )
        return FeatureRecipe(
            backbone=name,
            weights=weights,
            layer=layer,
            pooling=row.pooling if pooling == "auto" else pooling,
            image_size=size,
            digest=digest,
            # random weights only: recipes with the same weights must be equal, so that a search
            # without a random_state builds one engine and not one per fit
            seed=seed if weights is None else 0,
            own=own,
        )
    return _own_recipe(own_body(backbone, layer), layer, pooling, image_size)


def input_size(
    backbone: Any, layer: str | None, image_size: tuple[int, int] | None
) -> tuple[int, int]:
    """Return the (height, width) that a backbone's images are resized to; nothing is built.

    Raises
    ------
    ValueError
        If there is no such backbone, or an own network has another size.
    """
    if is_own(backbone):
        return _own_size(own_body(backbone, layer), image_size)
    row = BACKBONES[backbone_name(backbone)]
    return image_size or (row.size, row.size)


def _own_size(own: OwnNetwork, image_size: tuple[int, int] | None) -> tuple[int, int]:
    own_size: Any = own.input_shape[1:3]
    if None in own_size:  # it accepts any size; the recipe fixes it
        own_size = image_size
    if own_size is None or image_size not in (None, own_size):
        raise ValueError(
            f"The backbone {own.name} needs images of {own.input_shape[1:3]} pixels. "
            f"Received: image_size={image_size}"
        )
    size: tuple[int, int] = own_size
    return size


def _own_recipe(
    own: OwnNetwork, layer: str | None, pooling: str, image_size: tuple[int, int] | None
) -> FeatureRecipe:
    """The recipe of a network of the user's own, which ends with `layer` where one is named."""
    return FeatureRecipe(
        backbone=own.name,
        weights=None,
        layer=layer,
        pooling="avg" if pooling == "auto" else pooling,
        image_size=_own_size(own, image_size),
        digest=own.digest,
        own=own,
    )


def clone_around_backbone(estimator: Any) -> Any:
    """Clone an estimator, but keep a ``backbone`` that is a fitted classifier fitted."""
    unfitted = copy.copy(estimator).set_params(backbone=None)
    # scikit-learn's default clone, which also keeps metadata requests, callbacks and the output
    # container
    return BaseEstimator.__sklearn_clone__(unfitted).set_params(backbone=estimator.backbone)
