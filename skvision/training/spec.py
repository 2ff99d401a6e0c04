"""The description of a training: data, phases, parameters, listeners; and its result."""

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
from .checkpoint_setup import array_identity, data_identity
from .phases import Phase
from .seeding import Seeds

__all__ = ["Listeners", "TrainingData", "TrainingResult", "TrainingSpec"]


@dataclass(frozen=True)
class TrainingData:
    """The data of a training.

    Parameters
    ----------
    images : ImageBatch
        The images, not yet decoded.
    targets : ndarray of shape (n,), int
        Their class indices.
    weights : ndarray of shape (n,), float
        Their relative sample weights, at least 0. Images of weight 0 are left out.
    classes : ndarray of shape (n_classes,)
        The labels of the class indices.
    groups : ndarray of shape (n,), int, default=None
        Group numbers from 0 of related images, which a validation split keeps together; None if
        there are none, or if nothing is split.
    validation : TrainingData, default=None
        Images to validate with, of the same classes; None to split them off, or for none.
    """

    images: ImageBatch
    targets: np.ndarray
    weights: np.ndarray
    classes: np.ndarray
    groups: np.ndarray | None = None
    validation: TrainingData | None = None

    @property
    def used(self) -> np.ndarray:
        """Indices of the images that have a weight."""
        return np.flatnonzero(self.weights)

    @property
    def relative_weights(self) -> np.ndarray:
        """The weights divided by their mean, float32; images of weight 0 don't count."""
        relative: np.ndarray = self.weights / self.weights[self.used].mean()
        return relative.astype(np.float32)

    @cached_property
    def identity(self) -> dict[str, Any]:
        """Return the identity of these data, as JSON; it reads each file once."""
        identity = data_identity(self.images, self.targets, self.weights, self.classes)
        # only if there are any, so that folders of earlier versions stay valid
        if self.groups is not None:
            identity["groups"] = array_identity(self.groups)
        if self.validation is not None:
            for name, value in self.validation.identity.items():
                identity[f"{name} of validation_data"] = value
        return identity


@dataclass(frozen=True)
class TrainingSpec:
    """Everything besides the data that the result of a training depends on.

    Parameters
    ----------
    phases : tuple of Phase
        The phases in order. Each has its network's recipe (architecture, precision, optimiser,
        loss) and its plan (epochs, learning rate, early stopping).
    recipe : NetworkRecipe
        The whole network, whose weights the result holds.
    seeds : Seeds
        Seeds of order, augmentation, dropout, initial weights and the validation split.
    batch_size : int, default=32
        Maximum number of images per step.
    resize : {"stretch", "crop", "pad"}, default="stretch"
        The resize policy.
    augment : callable or AugmentsBySample, default=None
        Augmentation of the training images.
    mixing : Mixing, default=None
        MixUp and CutMix of the images of a batch and their targets.
    validation_fraction : float, default=None
        Share of the images that is held out for validation, above 0 and below 1. None if the
        data have images to validate with.
    checkpoints : CheckpointFolder, default=None
        Folder in which the state of the training is saved.
    keep_state : bool, default=False
        Whether the result holds the optimiser's state, for a training that continues it.
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
    """The result of a training, from which another may continue.

    Parameters
    ----------
    recipe : NetworkRecipe
        The whole network.
    history : dict of str to list
        Figures by name, one entry per epoch, earlier trainings included.
    weights : list of ndarray
        Weights of the whole network, in Keras' order.
    interrupted : bool, default=False
        Whether Ctrl-C ended it.
    state : tuple of NetworkRecipe and NetworkState, default=None
        The state for the next step of the phase with this recipe, if the spec asks for it.
    n_steps : int, default=0
        Number of steps, earlier trainings included.
    """

    recipe: NetworkRecipe
    history: dict[str, list[Any]]
    weights: list[np.ndarray]
    interrupted: bool = False
    state: tuple[NetworkRecipe, NetworkState] | None = None
    n_steps: int = 0

    @property
    def n_epochs(self) -> int:
        """Number of epochs, earlier trainings included."""
        return len(self.history.get("loss", ()))


@dataclass(frozen=True)
class Listeners:
    """Callbacks and output of a training.

    Parameters
    ----------
    callbacks : sequence of keras.callbacks.Callback, default=()
        The user's callbacks; copied for each phase.
    verbose : {0, 1, 2}, default=0
        Silent, a progress bar, or one line per epoch.
    task : FitTask, default=NO_TASK
        The parent task of phases and epochs, for scikit-learn's callbacks.
    as_fitted : callable, default=None
        Turns a `TrainingResult` into the attributes of a fitted estimator, for scikit-learn's
        callbacks.
    """

    callbacks: Sequence[keras.callbacks.Callback] = ()
    verbose: int = 0
    task: FitTask = NO_TASK
    as_fitted: Callable[[TrainingResult], Mapping[str, Any]] | None = None
