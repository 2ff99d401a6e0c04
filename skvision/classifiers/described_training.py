"""Turn constructor parameters into the description of a training."""

from __future__ import annotations

import os
from abc import abstractmethod
from collections.abc import Sequence
from numbers import Integral, Real
from typing import Any, ClassVar

import keras
from keras.optimizers.schedules import LearningRateSchedule

from .._sklearn.compat import Interval, Options, StrOptions
from .._sklearn.scikeras_bridge import KerasClassifierBridge
from ..augmentation import Mixing
from ..images import RESIZE_POLICIES, ImageBatch
from ..networks import Architecture, LearningPart, NetworkRecipe, optimizer_recipe
from ..training import (
    CheckpointFolder,
    Phase,
    Plan,
    Seeds,
    TrainingSpec,
    augment_function,
    named_schedule,
)

__all__ = ["PRECISIONS", "DescribedTraining"]

# the default of MLPClassifier
DEFAULT_VALIDATION_FRACTION = 0.1

#: the parameter ``precision`` and Keras' name for it
PRECISIONS = {"float32": "float32", "bfloat16": "mixed_bfloat16"}


class DescribedTraining(KerasClassifierBridge):
    """The training parameters that all trained classifiers share."""

    optimizer: Any
    learning_rate_schedule: Any
    label_smoothing: float
    mixup: float
    cutmix: float
    mix_probability: float
    batch_size: int
    augmentation: Any
    validation_fraction: float | None
    early_stopping: bool
    patience: int
    keras_callbacks: Any
    checkpoint_dir: Any
    # defaults for subclasses without these parameters
    checkpoint_every: int | None = None
    resize: str

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "optimizer": [
            str,
            keras.optimizers.Optimizer,
            type,
        ],
        "learning_rate": [Interval(Real, 0, None, closed="neither"), None],
        "learning_rate_schedule": [str, LearningRateSchedule, None],
        "label_smoothing": [Interval(Real, 0, 1, closed="left")],
        "mixup": [Interval(Real, 0, None, closed="left")],
        "cutmix": [Interval(Real, 0, None, closed="left")],
        "mix_probability": [Interval(Real, 0, 1, closed="both")],
        "predict_mirrored": ["boolean"],
        "precision": [StrOptions(set(PRECISIONS))],
        "epochs": [Interval(Integral, 1, None, closed="left")],
        "batch_size": [Interval(Integral, 1, None, closed="left")],
        "class_weight": [dict, StrOptions({"balanced"}), None],
        "validation_fraction": [Interval(Real, 0, 1, closed="neither"), None],
        "early_stopping": ["boolean"],
        "patience": [Interval(Integral, 0, None, closed="left")],
        "checkpoint_dir": [str, os.PathLike, None],
        "checkpoint_every": [Interval(Integral, 1, None, closed="left"), None],
        "warm_start": ["boolean"],
        "resize": [StrOptions(set(RESIZE_POLICIES))],
        "random_state": ["random_state"],
        "verbose": [Options(Integral, {0, 1, 2}), "boolean"],
    }

    #: names of the phases of a training; parameters of a phase begin with its name
    _phase_names: ClassVar[tuple[str, ...]] = ("",)

    @abstractmethod
    def _phases(self, images: ImageBatch, seeds: Seeds) -> tuple[list[Phase], NetworkRecipe]:
        """Make the phases that the parameters describe, and the recipe of the whole network."""

    @property
    def _validation_share(self) -> float | None:
        """The share of the images that is held out, unless there is validation_data."""
        if self.validation_fraction is None and self.early_stopping:
            return DEFAULT_VALIDATION_FRACTION
        return self.validation_fraction

    def _spec(
        self,
        phases: Sequence[Phase],
        recipe: NetworkRecipe,
        seeds: Seeds,
        *,
        splits: bool = True,
        **options: Any,
    ) -> TrainingSpec:
        """Describe the training of these phases; `splits` is False with validation_data."""
        return TrainingSpec(
            tuple(phases),
            recipe,
            seeds,
            batch_size=int(self.batch_size),
            resize=self.resize,
            augment=augment_function(self.augmentation),
            mixing=self._mixing,
            validation_fraction=self._validation_share if splits else None,
            **options,
        )

    @property
    def _checkpoint_folder(self) -> CheckpointFolder | None:
        if self.checkpoint_dir is None:
            return None
        return CheckpointFolder(
            self.checkpoint_dir,
            self.checkpoint_every,
            self.get_params(deep=False),
            self._phase_names,
        )

    def _recipe_and_rate(
        self, architecture: Architecture, rate: Any, part: LearningPart | None = None
    ) -> tuple[NetworkRecipe, float | None]:
        """Return the network to compile and its learning rate (None: its optimiser's schedule)."""
        schedule = self.learning_rate_schedule
        optimizer, learning_rate = optimizer_recipe(
            self.optimizer, rate, self._routed_to("optimizer")
        )
        if learning_rate is None and isinstance(schedule, str):
            raise ValueError(
                f"learning_rate_schedule={schedule!r} sets the learning rate, but the optimizer "
                "has a schedule of its own. Leave one of them out."
            )
        recipe = NetworkRecipe(
            architecture,
            optimizer,
            float(self.label_smoothing),
            part,
            soft_targets=self._mixing is not None,
        )
        return recipe, learning_rate

    @property
    def _mixing(self) -> Mixing | None:
        """MixUp and CutMix of a training, None if both are off."""
        amounts = float(self.mixup), float(self.cutmix)
        return Mixing(*amounts, float(self.mix_probability)) if any(amounts) else None

    def _plan(self, epochs: int, learning_rate: float | None) -> Plan:
        schedule = self.learning_rate_schedule
        return Plan(
            int(epochs),
            learning_rate,
            schedule=named_schedule(schedule) if isinstance(schedule, str) else None,
            patience=int(self.patience),
            early_stopping=bool(self.early_stopping),
        )

    @property
    def _callbacks(self) -> list[keras.callbacks.Callback]:
        given = self.keras_callbacks
        if given is None:
            return []
        callbacks = list(given) if isinstance(given, list | tuple) else [given]
        for callback in callbacks:
            if not isinstance(callback, keras.callbacks.Callback):
                raise ValueError(
                    "keras_callbacks must be None, a keras.callbacks.Callback or a list of them; "
                    f"objects, not classes. Received: {callback!r}"
                )
        return callbacks
