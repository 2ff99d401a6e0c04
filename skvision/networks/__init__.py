"""Keras networks as tables plus one loop; compiled networks and their pool.

The package imports `skvision._sklearn`, `skvision._system`, `skvision.exceptions` and Keras.
"""

# first: check that Keras is available, and limit threads before its backend starts
from .keras_backend import BACKENDS, computes_on_processor  # isort: skip
from . import _threads  # noqa: F401  isort: skip
from .building import BUILDING
from .comparison import refuse_another_network
from .finetuned_architecture import FineTunedArchitecture, HeadArchitecture, LearningPart
from .minivgg_architecture import MiniVGGArchitecture
from .names import ACTIVATIONS, OPTIMIZERS
from .optimizers import OptimizerRecipe, optimizer_recipe
from .own_network import OwnNetwork, digest_of_weights
from .pool import (
    PREDICT_BATCH,
    Architecture,
    CompiledNetwork,
    NetworkPool,
    NetworkRecipe,
    NetworkState,
    network_pool,
)
from .views import WHOLE, View, views

__all__ = [
    "ACTIVATIONS",
    "BACKENDS",
    "BUILDING",
    "OPTIMIZERS",
    "PREDICT_BATCH",
    "WHOLE",
    "Architecture",
    "CompiledNetwork",
    "FineTunedArchitecture",
    "HeadArchitecture",
    "LearningPart",
    "MiniVGGArchitecture",
    "NetworkPool",
    "NetworkRecipe",
    "NetworkState",
    "OptimizerRecipe",
    "OwnNetwork",
    "View",
    "computes_on_processor",
    "digest_of_weights",
    "network_pool",
    "optimizer_recipe",
    "refuse_another_network",
    "views",
]
