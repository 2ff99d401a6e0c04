"""What a training is, before it begins: what is trained, how, and on what."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import keras
import numpy as np

from .._sklearn.callbacks import NO_TASK, FitTask
from ..augmentation import Mixing
from ..images import ImageBatch
from ..networks import NetworkRecipe, NetworkState
from .augmenting import Augment
from .checkpoint_folder import CheckpointFolder
from .checkpoint_setup import data_identity
from .phases import Phase
from .seeding import Seeds

__all__ = ["Listeners", "TrainingData", "TrainingResult", "TrainingSpec"]


@dataclass(frozen=True)
class TrainingData:
    """What a network is trained on.

    Parameters
    ----------
    images : ImageBatch
        The images, not yet decoded.
    targets : ndarray of shape (n,), int
        Their class indices.
    weights : ndarray of shape (n,), float
        Their sample weights, at least 0, relative to each other. Images of weight 0 are left out.
    classes : ndarray of shape (n_classes,)
        The labels that indices stand for.
    """

    images: ImageBatch
    targets: np.ndarray
    weights: np.ndarray
    classes: np.ndarray

    @cached_property
    def identity(self) -> dict[str, Any]:
        """What tells these data from others, as JSON; to know it, each file is read once."""
        return data_identity(self.images, self.targets, self.weights, self.classes)


@dataclass(frozen=True)
class TrainingSpec:
    """All that decides what comes out of a training, besides its data.

    Parameters
    ----------
    phases : tuple of Phase
        What is trained, in turn, and for how long: each has its network's recipe (architecture,
        precision, optimiser, loss) and its plan (epochs, learning rate, early stopping).
    recipe : NetworkRecipe
        The whole network, which the result has the weights of.
    seeds : Seeds
        What order, augmentation, dropout, first weights and the validation split are drawn from.
    batch_size : int, default=32
        Images a step at most.
    resize : {"stretch", "crop", "pad"}, default="stretch"
        The resize policy.
    augment : callable or AugmentsBySample, default=None
        What is done to training images.
    mixing : Mixing, default=None
        How images of a batch, and their targets, are mixed.
    validation_fraction : float, default=None
        Share of the images that validates, above 0 and below 1.
    checkpoints : CheckpointFolder, default=None
        Where the state of the training is kept.
    keep_state : bool, default=False
        Whether the result has the optimiser's state, for a training that continues it.
    """

    phases: tuple[Phase, ...]
    recipe: NetworkRecipe
    seeds: Seeds
    batch_size: int = 32
    resize: str = "stretch"
    augment: Augment | None = None
    mixing: Mixing | None = None
    validation_fraction: float | None = None
    checkpoints: CheckpointFolder | None = None
    keep_state: bool = False


@dataclass(frozen=True)
class TrainingResult:
    """What a training made, and where another may continue.

    Parameters
    ----------
    recipe : NetworkRecipe
        The whole network.
    history : dict of str to list
        One entry an epoch of each figure, those of earlier trainings included.
    weights : list of ndarray
        The whole network's, in Keras' order.
    interrupted : bool, default=False
        Whether Ctrl-C ended it.
    state : tuple of NetworkRecipe and NetworkState, default=None
        What the next step of the phase with this recipe depends on, where the spec asks for it.
    n_steps : int, default=0
        Steps that were trained, those of earlier trainings included.
    """

    recipe: NetworkRecipe
    history: dict[str, list[Any]]
    weights: list[np.ndarray]
    interrupted: bool = False
    state: tuple[NetworkRecipe, NetworkState] | None = None
    n_steps: int = 0

    @property
    def n_epochs(self) -> int:
        """Epochs that were trained."""
        return len(self.history.get("loss", ()))


@dataclass(frozen=True)
class Listeners:
    """What is told how a training proceeds.

    Parameters
    ----------
    callbacks : sequence of keras.callbacks.Callback, default=()
        The user's own; copied for each phase.
    verbose : {0, 1, 2}, default=0
        Silent, a progress bar, or one line an epoch.
    task : FitTask, default=NO_TASK
        What phases and epochs are parts of, for scikit-learn's callbacks.
    as_fitted : callable, default=None
        Makes attributes of a fitted estimator of a `TrainingResult`, for the same.
    """

    callbacks: Sequence[keras.callbacks.Callback] = ()
    verbose: int = 0
    task: FitTask = NO_TASK
    as_fitted: Callable[[TrainingResult], Mapping[str, Any]] | None = None
