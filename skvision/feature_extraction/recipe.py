"""What a feature network is, as a value: which backbone, weights, layer, pooling, size."""

from __future__ import annotations

import copy
from dataclasses import dataclass, field
from typing import Any

import keras
from sklearn.base import BaseEstimator

from .._system.forks import backend_runs
from ..networks import BUILDING, OwnNetwork
from ..networks.backbone_table import NETWORKS_VERSION
from ..networks.backbone_weights import weights_digest
from ..networks.backbones import BACKBONES, backbone_name, build_backbone, pooled
from .own_backbone import is_own, own_bodies, own_body

__all__ = [
    "POOLINGS",
    "FeatureRecipe",
    "classification_recipe",
    "clone_around_backbone",
    "feature_recipe",
]

POOLINGS = ("avg", "max", "flatten")


@dataclass(frozen=True)
class FeatureRecipe:
    """What builds a network from images to feature vectors.

    Two recipes are equal if their features are: a backbone of the user's own is
    told apart by the digest of its weights.

    Parameters
    ----------
    backbone : str
        A name in `skvision.networks.backbones.BACKBONES`, or what the user's own
        network shall be called in feature names.
    weights : str or None
        ``"imagenet"``, a weights file, or None for random ones.
    layer : str or None
        Whose output is taken; None for the last feature map.
    pooling : {"avg", "max", "flatten"}
        How a feature map becomes a vector.
    image_size : tuple of int
        (height, width) in pixels.
    digest : str
        Identity of the weights.
    seed : int, default=0
        Decides random weights.
    top : bool, default=False
        Whether the vector is ImageNet's classes with their probabilities.
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
        """Make the network: (n, height, width, 3) pixels 0..255 to (n, n_features)."""
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
        # it takes any size: settle it
        pixels = keras.Input((*self.image_size, own.input_shape[-1]), name="pixels")
        return keras.Model(pixels, own(pixels), name=own.name)

    def key_parts(self) -> dict[str, Any]:
        """All that the network's outputs depend on, as `network_key` takes it."""
        return {
            "network": self.backbone,
            "weights": self.digest,
            "size": self.image_size,
            "layer": self.layer,
            "pooling": self.pooling,
            "top": self.top,
            # which build the network around the weights
            "built by": [NETWORKS_VERSION, keras.__version__],
        }

    @property
    def n_channels(self) -> int:
        """Channels of the images that the network reads."""
        return 3 if self.own is None else int(self.own.input_shape[-1] or 3)


def classification_recipe(
    backbone: Any, *, weights: Any, image_size: tuple[int, int] | None
) -> FeatureRecipe:
    """What makes ImageNet's classes of images; its vector is their probabilities."""
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
    """Read the transformer's parameters; what is left open is filled in.

    Raises
    ------
    ValueError
        If there is no such backbone or layer, or an own network has another size.
    """
    if not is_own(backbone):
        name = backbone_name(backbone)
        row = BACKBONES[name]
        size = image_size or (row.size, row.size)
        digest = weights_digest(name, weights, seed)
        own = None
        if weights not in ("imagenet", None):
            # what a file holds goes with the estimator: elsewhere there may be no such file
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
            # of random weights only: two recipes of the same weights are one, so that a search
            # without a random_state builds one engine, and not one a fit
            seed=seed if weights is None else 0,
            own=own,
        )
    return _own_recipe(own_body(backbone, layer), layer, pooling, image_size)


def _own_recipe(
    own: OwnNetwork, layer: str | None, pooling: str, image_size: tuple[int, int] | None
) -> FeatureRecipe:
    """The recipe of a network of the user's own, which ends with `layer` where one is named."""
    own_size: Any = own.input_shape[1:3]
    if None in own_size:  # it takes any size: the recipe settles it
        own_size = image_size
    if own_size is None or image_size not in (None, own_size):
        raise ValueError(
            f"The backbone {own.name} reads images of {own.input_shape[1:3]} pixels. "
            f"Received: image_size={image_size}"
        )
    return FeatureRecipe(
        backbone=own.name,
        weights=None,
        layer=layer,
        pooling="avg" if pooling == "auto" else pooling,
        image_size=own_size,
        digest=own.digest,
        own=own,
    )


def clone_around_backbone(estimator: Any) -> Any:
    """Clone an estimator, but keep a fitted classifier as its ``backbone`` fitted."""
    unfitted = copy.copy(estimator).set_params(backbone=None)
    # what `clone` does where no class has its own way: with metadata requests, callbacks and the
    # form of the output, too
    return BaseEstimator.__sklearn_clone__(unfitted).set_params(backbone=estimator.backbone)
