"""Bodies of networks for fine-tuning: their layers and initial weights."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from .._system.bounded_store import Store
from ..networks import BUILDING
from ..networks.finetuned_architecture import flattened, is_kernel_layer
from .recipe import FeatureRecipe

__all__ = ["Body", "body_of"]


@dataclass(frozen=True)
class Body:
    """A body with flat layers.

    Parameters
    ----------
    names : sequence of str
        Names of its layers, from the first to the last.
    kernels : sequence of bool
        Whether each of them has a kernel.
    weights : sequence of ndarray
        Initial weights in Keras' order.
    n_features : int
        Length of a feature vector.
    config : str
        The configuration of the user's own network, as JSON; "" for a pretrained network.
    """

    names: Sequence[str]
    kernels: Sequence[bool]
    weights: Sequence[np.ndarray]
    n_features: int
    config: str


# two, so that a search over two networks reads each only once
_bodies: Store[FeatureRecipe, Body] = Store(2, making=BUILDING)


def body_of(recipe: FeatureRecipe) -> Body:
    """Return the body that computes a recipe's features; read it if it isn't in memory."""
    return _bodies.get(recipe, lambda: _read(recipe))


def _read(recipe: FeatureRecipe) -> Body:
    # the network of a weights file is known by its name
    own = recipe.own if recipe.weights is None else None
    flat = flattened(recipe.build(), renumber=own is None)
    layers = flat.layers[1:]
    return Body(
        names=[layer.name for layer in layers],
        kernels=[is_kernel_layer(layer) for layer in layers],
        weights=flat.get_weights(),
        n_features=int(flat.output_shape[-1]),
        config="" if own is None else own.config,
    )
