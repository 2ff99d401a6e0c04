"""What all classifiers share: fit, predict, and what becomes of a fitted network."""

from __future__ import annotations

import copy
import hashlib
import os
import reprlib
import warnings
from abc import abstractmethod
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, replace
from numbers import Integral, Real
from pathlib import Path
from types import SimpleNamespace
from typing import Any, ClassVar, NamedTuple

import keras
import numpy as np
from keras.optimizers.schedules import LearningRateSchedule
from sklearn.base import BaseEstimator
from sklearn.utils._param_validation import Interval, Options, StrOptions
from sklearn.utils.multiclass import _check_partial_fit_first_call
from sklearn.utils.validation import _check_sample_weight, check_is_fitted

from .._sklearn.callbacks import NO_TASK, CallbackSupportMixin, FitTask, fit_as_task, training_data
from .._sklearn.estimator import DocumentationLink, all_or_nothing, installed_versions
from .._sklearn.labels import validate_labels
from .._sklearn.scikeras_bridge import KerasClassifierBridge, sample_weights
from .._system.progress import progress
from ..augmentation import Mixing
from ..exceptions import TrainingInterruptedWarning
from ..images import RESIZE_POLICIES, ImageBatch, ImageReader, image_key, validate_images
from ..networks import (
    PREDICT_BATCH,
    Architecture,
    CompiledNetwork,
    LearningPart,
    NetworkRecipe,
    NetworkState,
    View,
    match_name,
    network_pool,
    optimizer_recipe,
    views,
)
from ..training import (
    SCHEDULES,
    BatchStream,
    Checkpoints,
    FeatureStream,
    Plan,
    Seeds,
    TrainingState,
    augment_function,
    joined,
    losses_at_rates,
    split_validation,
    train,
)
from ..training.checkpoint import described
from ..training.schedules import Schedule
from .phases import Phase, prefixed

__all__ = ["PRECISIONS", "BaseImageClassifier"]

# As MLPClassifier sets aside where early stopping is asked for and no share is named.
DEFAULT_VALIDATION_FRACTION = 0.1

#: what numbers a network computes with, and Keras' name for it
PRECISIONS = {"float32": "float32", "bfloat16": "mixed_bfloat16"}


#: pictures, class indices, sample weights
Data = tuple[ImageBatch, np.ndarray, np.ndarray]


class Trained(NamedTuple):
    """What a phase's training made."""

    history: dict[str, list[Any]]
    #: of the whole network
    weights: list[np.ndarray]
    interrupted: bool
    state: NetworkState | None

    @property
    def lowest(self) -> float:
        """The lowest validation loss, without NaN."""
        return float(np.nanmin([*self.history.get("val_loss", ()), np.inf]))


class BaseImageClassifier(CallbackSupportMixin, DocumentationLink, KerasClassifierBridge):
    """Base of the classifiers that train a Keras network on pictures.

    A subclass names its parameters and says in `_phases` what networks they make and
    how these are trained. Fitted state is two private values, the network's recipe and
    its weights as arrays; networks themselves belong to the pool.
    """

    # where a subclass has no such parameter
    checkpoint_every: int | None = None

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

    #: the phases of a training; parameters of a phase begin with its name
    _phase_names: ClassVar[tuple[str, ...]] = ("",)

    @abstractmethod
    def _phases(self, images: ImageBatch, seeds: Seeds) -> tuple[list[Phase], NetworkRecipe]:
        """Make the phases that the parameters describe, and the recipe of the whole network."""

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> BaseImageClassifier:
        """Train the network, from its first state unless ``warm_start=True``.

        If anything goes wrong, an estimator that was fitted before is still the
        one it was. Ctrl-C ends the training, once an epoch is complete with what
        was learnt by then.

        Parameters
        ----------
        X : array, sequence, Series or frame of n_samples pictures
            Arrays of pictures, file names (decoded batch by batch), or 2-D rows
            with ``row_shape``.
        y : array-like of shape (n_samples,)
            Labels: str, int or bool, of at least two classes.
        sample_weight : array-like of shape (n_samples,), default=None
            Weights of the samples, relative to each other: they are divided by
            their mean, so that the learning rate keeps its meaning. Samples of
            weight 0 are left out.

        Returns
        -------
        self : object
            The fitted estimator.

        Raises
        ------
        ValueError
            If a parameter, X or y is not as described, or they don't fit
            together.
        ImageDecodeError
            If a file can't be read.
        TrainingDivergedError
            If a loss or a weight becomes infinite or NaN.

        Warns
        -----
        TrainingInterruptedWarning
            If Ctrl-C ended the training.
        CheckpointWarning
            If a checkpoint can't be written or read.
        """
        self._validate_params()
        continued = bool(self.warm_start) and self.__sklearn_is_fitted__()
        with all_or_nothing(self):
            before = self.classes_ if continued else None
            images, targets, weights = self._checked(X, y, sample_weight, reset=not continued)
            if continued and not np.array_equal(before, self.classes_):
                raise ValueError(
                    "warm_start=True goes on with the classes of the last fit, "
                    f"{_listed(before)}. Received: {_listed(self.classes_)}. Set "
                    "warm_start=False to train a new network."
                )
            told = training_data(X, y, sample_weight)
            vars(self).pop("_state", None)  # the optimiser's, of partial_fit
            self._train(images, targets, weights, told, continued=continued)
        return self

    def partial_fit(
        self, X: Any, y: Any, classes: Any = None, sample_weight: Any = None
    ) -> BaseImageClassifier:
        """Train for one epoch on these pictures, going on from where the network is.

        For data that come in parts. The optimiser's state is kept from call to
        call; after a plain fit it starts anew.

        Parameters
        ----------
        X : array, sequence, Series or frame of n_samples pictures
            In any form that fit takes.
        y : array-like of shape (n_samples,)
            Labels, all of them in ``classes``.
        classes : array-like of shape (n_classes,), default=None
            All labels that will ever come. Needed in the first call, optional
            later.
        sample_weight : array-like of shape (n_samples,), default=None
            As in fit.

        Returns
        -------
        self : object
            The fitted estimator.

        Raises
        ------
        ValueError
            If a parameter, X or y is not as described, or ``early_stopping``, a
            named ``learning_rate_schedule``, ``checkpoint_dir`` or
            ``class_weight="balanced"`` is set: they need all data and all epochs at
            once.
        ImageDecodeError
            If a file can't be read.
        TrainingDivergedError
            If a loss or a weight becomes infinite or NaN.
        """
        self._validate_params()
        for name in ("early_stopping", "learning_rate_schedule", "checkpoint_dir", "class_weight"):
            value = getattr(self, name)
            if value is True or isinstance(value, str | os.PathLike):
                raise ValueError(
                    f"partial_fit sees one part of the data and one epoch at a time, so it can't "
                    f"be used with {name}={value!r}. Use fit, or set {name}="
                    f"{False if value is True else None}."
                )
        with all_or_nothing(self):
            first = _check_partial_fit_first_call(self, classes)
            images, targets, weights = self._checked(
                X, y, sample_weight, reset=first, classes=self.classes_
            )
            told = training_data(X, y, sample_weight)
            self._train(images, targets, weights, told, continued=not first, partial=True)
        return self

    def _range_test(
        self, X: Any, y: Any, sample_weight: Any, learning_rates: np.ndarray, phase: str | None
    ) -> np.ndarray:
        """Losses of one training step at each rate; of use on a clone only."""
        name = self._phase_named(phase)
        self.set_params(**{prefixed(name, "learning_rate"): None, "learning_rate_schedule": None})
        self._validate_params()
        data = self._checked(X, y, sample_weight, reset=True)
        seeds = Seeds.draw(self.random_state)
        weights: list[np.ndarray] = []
        n_epochs = 0
        for each in self._phases(data[0], seeds)[0]:
            if each.name == name:
                break
            trained = self._train_phase(each, data, seeds, weights, n_epochs)
            weights = trained.weights
            n_epochs += len(trained.history["loss"])
        else:
            raise ValueError(f"The parameters leave no phase {name!r} to find a learning rate for.")
        if each.plan.learning_rate is None:
            raise ValueError(
                "The optimizer has a learning-rate schedule of its own, so no learning rate can "
                "be found for it. Give it a plain learning rate first."
            )
        with self._ready(each, data, seeds) as (network, training, _):
            self._start(network, each, seeds, weights, n_epochs)
            return losses_at_rates(network, training, learning_rates)

    def _phase_named(self, phase: str | None) -> str:
        """The phase that is meant: None is the only one."""
        if phase is None and len(self._phase_names) == 1:
            return self._phase_names[0]
        if phase in self._phase_names and phase:
            return phase
        if len(self._phase_names) == 1:
            raise ValueError(
                f"{type(self).__name__} trains in one phase: phase must be None. "
                f"Received: {phase!r}"
            )
        raise ValueError(
            f"{type(self).__name__} trains in phases; phase must be one of "
            f"{', '.join(map(repr, self._phase_names))}. Received: {phase!r}"
        )

    def _checked(
        self, X: Any, y: Any, sample_weight: Any, *, reset: bool, classes: np.ndarray | None = None
    ) -> tuple[ImageBatch, np.ndarray, np.ndarray]:
        """Pictures, class indices and weights, each checked; learns ``classes_``."""
        images = validate_images(self, X, reset=reset)
        y = validate_labels(self, y, len(images))
        if classes is not None:
            unknown = np.setdiff1d(y, classes)
            if len(unknown):
                raise ValueError(
                    f"y holds labels that are not in classes: {_listed(unknown)}. "
                    f"classes are: {_listed(classes)}."
                )
        targets = self._encode_labels(y, y if classes is None else classes)
        if len(self.classes_) < 2:
            raise ValueError(
                f"y holds only one class, {str(self.classes_[0])!r}; a classifier needs at "
                "least two classes."
            )
        if sample_weight is not None:
            sample_weight = _check_sample_weight(sample_weight, images, ensure_non_negative=True)
        weights = sample_weights(sample_weight, self.class_weight, targets, self.classes_)
        if not weights.any():
            raise ValueError("All sample weights are 0: there is nothing to train on.")
        return images, targets, weights

    def _train(
        self,
        images: ImageBatch,
        targets: np.ndarray,
        weights: np.ndarray,
        told: Mapping[str, Any],
        *,
        continued: bool,
        partial: bool = False,
    ) -> None:
        """Train all phases or, going on, the one that it is time for; store what came out.

        `told` is what scikit-learn's callbacks get to know of the data.
        """
        data = (images, targets, weights)
        done = self.n_epochs_ if continued else 0
        # what the command line measured on another training
        vars(self).pop("held_out_", None)
        seeds = Seeds.draw(self.random_state)
        phases, recipe = self._phases(images, seeds)
        if continued:
            _refuse_another_network(self._recipe.architecture, recipe.architecture)
        chosen = _phases_to_train(phases, done, continued=continued, partial=partial)
        # for all phases: it reads every file
        identity = None if self.checkpoint_dir is None else self._identity(data)
        checkpoints, resumed = self._opened_checkpoints(chosen[0], identity, done)
        if resumed is not None and resumed.seeds != seeds:
            seeds = resumed.seeds
            # random weights of a body are drawn from the seeds
            phases, recipe = self._phases(images, seeds)
            chosen = _phases_to_train(phases, done, continued=continued, partial=partial)

        with_phases = bool(chosen[0].name)
        fit_as_task(
            self,
            lambda task: self._train_phases(
                chosen,
                recipe,
                data,
                identity,
                seeds,
                checkpoints,
                resumed,
                task,
                continued=continued,
                partial=partial,
            ),
            told,
            "partial-fit" if partial else "fit",
            len(chosen) if with_phases else chosen[0].plan.epochs,
        )

    def _train_phases(
        self,
        phases: list[Phase],
        recipe: NetworkRecipe,
        data: Data,
        identity: dict[str, Any] | None,
        seeds: Seeds,
        checkpoints: Checkpoints | None,
        resumed: TrainingState | None,
        task: FitTask,
        *,
        continued: bool,
        partial: bool,
    ) -> None:
        """Train phase after phase; `checkpoints` and `resumed` are the first one's."""
        done = self.n_epochs_ if continued else 0
        history = self.history_ if continued else {}
        latest = self._weights if continued else []
        results: list[Trained] = []

        def outcome(*so_far: Trained) -> dict[str, Any]:
            return self._outcome(recipe, history, [*results, *so_far])

        def as_fitted(*so_far: Trained) -> dict[str, Any]:
            # a bar for each epoch's predictions would be drawn over that of the training
            return {**outcome(*so_far), "_state": None, "verbose": 0}

        for number, phase in enumerate(phases):
            if number:
                checkpoints, resumed = self._opened_checkpoints(phase, identity, done)
            if resumed is not None and self._have_begun(phases[number + 1 :]):
                # this one is over, also where a callback ended it early
                phase = replace(phase, plan=replace(phase.plan, epochs=resumed.epochs))
            part = task.subtask(phase.name, phase.plan.epochs) if phase.name else task
            try:
                trained = self._train_phase(
                    phase,
                    data,
                    seeds,
                    latest,
                    done,
                    checkpoints=checkpoints,
                    resumed=resumed,
                    keep_state=partial,
                    task=part,
                    as_fitted=as_fitted,
                )
            except KeyboardInterrupt:
                if not results:
                    raise
                warnings.warn(
                    f"Training was interrupted at the beginning of the {phase.name} phase; the "
                    "estimator is fitted with what it had learnt by then.",
                    TrainingInterruptedWarning,
                )
                break
            results.append(trained)
            done, latest = outcome()["n_epochs_"], trained.weights
            stopped = part is not task and part.end(as_fitted)
            if trained.interrupted or stopped:
                break
        vars(self).update(outcome())
        vars(self).pop("_model", None)
        self._state = (phases[0].recipe, results[0].state) if partial else None

    def _outcome(
        self, recipe: NetworkRecipe, earlier: dict[str, list[Any]], results: list[Trained]
    ) -> dict[str, Any]:
        """Fitted attributes, if training ends with these results of its phases."""
        history = earlier
        for trained in results:
            history = joined(history, trained.history)
        # the best epoch is the best of all phases
        best = min(results, key=lambda it: it.lowest) if self.early_stopping else results[-1]
        return {
            "history_": history,
            "n_epochs_": len(history["loss"]),
            "_recipe": recipe,
            "_weights": best.weights,
            "_versions": installed_versions(),
        }

    def _have_begun(self, phases: list[Phase]) -> bool:
        """Whether one of these phases has checkpoints."""
        return any(Checkpoints.exist(Path(self.checkpoint_dir, each.name)) for each in phases)

    def _train_phase(
        self,
        phase: Phase,
        data: Data,
        seeds: Seeds,
        weights: list[np.ndarray],
        first_epoch: int,
        *,
        checkpoints: Checkpoints | None = None,
        resumed: TrainingState | None = None,
        keep_state: bool = False,
        task: FitTask = NO_TASK,
        as_fitted: Callable[[Trained], Mapping[str, Any]] | None = None,
    ) -> Trained:
        """Train one phase; `weights` are the whole network's by now, none at the beginning."""

        def trained(
            history: dict[str, list[Any]],
            learnt: list[np.ndarray],
            interrupted: bool = False,
            state: NetworkState | None = None,
        ) -> Trained:
            if phase.name:
                history = {"phase": [phase.name] * len(history["loss"]), **history}
            return Trained(history, [*phase.given, *learnt], interrupted, state)

        with self._ready(phase, data, seeds) as (network, training, validation):
            self._start(network, phase, seeds, weights, first_epoch)
            result = train(
                network,
                training,
                validation,
                phase.plan,
                seeds=seeds,
                callbacks=self._fresh_callbacks(),
                checkpoints=checkpoints,
                resumed=resumed,
                first_epoch=first_epoch,
                verbose=int(self.verbose),
                task=task,
                as_fitted=as_fitted and (lambda *so_far: as_fitted(trained(*so_far))),
            )
            return trained(*result, network.get_state() if keep_state else None)

    def _start(
        self,
        network: CompiledNetwork,
        phase: Phase,
        seeds: Seeds,
        weights: list[np.ndarray],
        first_epoch: int,
    ) -> None:
        """Set a phase's network to where it begins."""
        network.reset([seeds.weights, first_epoch], phase.plan.learning_rate)
        recipe, state = getattr(self, "_state", None) or (None, None)
        if weights and state is not None and recipe == phase.recipe:
            network.set_state(state)
        elif weights:
            n_given = len(phase.given)
            if not all(map(np.array_equal, weights[:n_given], phase.given)):
                raise ValueError(
                    f"The {phase.name} phase keeps the body as it came, but the body of the "
                    "network to go on with has learnt since. Go on with unfreeze=1 or more, or "
                    "train a new network by fit with warm_start=False."
                )
            network.set_weights(weights[n_given:])
        network.set_learning_rate(phase.plan.learning_rate)

    @contextmanager
    def _ready(
        self, phase: Phase, data: Data, seeds: Seeds
    ) -> Iterator[tuple[CompiledNetwork, BatchStream | FeatureStream, BatchStream | None]]:
        """Lend a phase's network, with a stream of training and one of validation batches."""
        images, targets, weights = data
        augment, mixing = augment_function(self.augmentation), self._mixing
        indices = np.flatnonzero(weights)
        weights = (weights / weights[indices].mean()).astype(np.float32)
        training, validation = self._split(indices, targets, seeds.split)
        extraction = phase.extraction
        batch_size = int(self.batch_size)

        def stream(reader: Any, chosen: np.ndarray, **how: Any) -> BatchStream:
            return BatchStream(
                reader,
                chosen,
                targets[chosen],
                weights[chosen],
                batch_size=batch_size,
                n_classes=None if mixing is None else len(self.classes_),
                **how,
            )

        how = {
            "order_seed": seeds.order,
            "augment": augment,
            "augment_seed": seeds.augmentation,
            "mixing": mixing,
        }
        is_fixed = augment is None and mixing is None
        size = extraction.image_size if extraction else phase.recipe.architecture.input_shape[:2]
        with (
            ImageReader(images, size, self.resize) as pictures,
            network_pool.borrow(phase.recipe) as network,
        ):
            if extraction is None:
                reader: Any = pictures
                batches: BatchStream | FeatureStream = stream(pictures, training, **how)
            else:
                once = [] if validation is None else [validation]
                if is_fixed:
                    once.append(training)
                reader = extraction.table(images, once, self.resize, int(self.verbose))
                if is_fixed:
                    batches = stream(reader, training, order_seed=seeds.order)
                else:
                    batches = FeatureStream(stream(pictures, training, **how), extraction.run)
            checked = None if validation is None else stream(reader, validation, order_seed=None)
            yield network, batches, checked

    def _opened_checkpoints(
        self, phase: Phase, identity: dict[str, Any] | None, first_epoch: int
    ) -> tuple[Checkpoints | None, TrainingState | None]:
        """Where a phase's checkpoints are, and what the newest holds; `identity` is the data's."""
        if identity is None:
            return None, None
        setup = {**self._setup(phase, first_epoch), **identity}
        folder = Path(self.checkpoint_dir, phase.name)
        checkpoints = Checkpoints(folder, setup, self.checkpoint_every)
        state = checkpoints.load()
        if state is not None and state.epochs > phase.plan.epochs:
            name = prefixed(phase.name, "epochs")
            raise ValueError(
                f"checkpoint_dir={str(self.checkpoint_dir)!r} holds {state.epochs} epochs of this "
                f"training, more than {name}={phase.plan.epochs}. Set {name} to at least "
                f"{state.epochs}, or pass another folder."
            )
        return checkpoints, state

    def _recipe_and_rate(
        self, architecture: Architecture, rate: Any, part: LearningPart | None = None
    ) -> tuple[NetworkRecipe, float | None]:
        """The network to compile and its learning rate, None if it has a schedule of its own."""
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
        """How pictures are mixed, where the classifier has arguments for it and they say so."""
        amounts = float(getattr(self, "mixup", 0)), float(getattr(self, "cutmix", 0))
        return Mixing(*amounts, float(self.mix_probability)) if any(amounts) else None

    def _plan(self, epochs: int, learning_rate: float | None) -> Plan:
        schedule = self.learning_rate_schedule
        return Plan(
            int(epochs),
            learning_rate,
            schedule=_named_schedule(schedule) if isinstance(schedule, str) else None,
            patience=int(self.patience),
            early_stopping=bool(self.early_stopping),
        )

    def _identity(self, data: Data) -> dict[str, Any]:
        """What the course of a training depends on of its data, for checkpoints."""
        images, targets, weights = data
        pictures = hashlib.sha256()
        for index in np.flatnonzero(weights):
            pictures.update(image_key(images.item(int(index))))
        return {
            "classes": described(self.classes_.tolist()),
            "n_samples": len(images),
            "labels and weights": hashlib.sha256(targets.tobytes() + weights.tobytes()).hexdigest(),
            "pictures": pictures.hexdigest(),
            "scale": described(self.pixel_range_),
        }

    def _setup(self, phase: Phase, first_epoch: int) -> dict[str, Any]:
        """What the course of a phase depends on besides its data, for its checkpoints."""
        left_out = {
            "checkpoint_dir",
            "checkpoint_every",
            "keras_callbacks",
            "verbose",
            "warm_start",
            "cache",
            "predict_crops",
            "predict_mirrored",
        }
        # how long later phases are changes nothing in this one; nor does its own length: more
        # epochs are a training that goes on
        later = self._phase_names[self._phase_names.index(phase.name) :]
        left_out |= {prefixed(name, "epochs") for name in later}
        if phase.plan.schedule is not None:
            left_out.discard(prefixed(phase.name, "epochs"))
        if not isinstance(self.random_state, Integral):
            left_out.add("random_state")
        params = self.get_params(deep=False)
        if phase.identity:
            # its digest says more than its configuration
            left_out.add("backbone")
        return {
            **{name: described(value) for name, value in params.items() if name not in left_out},
            **({"backbone": phase.identity} if phase.identity else {}),
            "epochs trained before": first_epoch,
            # another one draws other dropout
            "backend": keras.config.backend(),
        }

    def _split(
        self, indices: np.ndarray, targets: np.ndarray, seed: int
    ) -> tuple[np.ndarray, np.ndarray | None]:
        fraction = self.validation_fraction
        if fraction is None and self.early_stopping:
            fraction = DEFAULT_VALIDATION_FRACTION
        if fraction is None:
            return indices, None
        training, validation = split_validation(targets[indices], fraction, self.classes_, seed)
        return indices[training], indices[validation]

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

    def _fresh_callbacks(self) -> list[keras.callbacks.Callback]:
        """Copies, so that fits and clones share no callback's state."""
        return [copy.deepcopy(callback) for callback in self._callbacks]

    def predict_proba(self, X: Any) -> np.ndarray:
        """Predict class probabilities.

        Parameters
        ----------
        X : array, sequence, Series or frame of n_samples pictures
            In any form that fit takes; on the scale of fit where it is an array.

        Returns
        -------
        ndarray of shape (n_samples, n_classes), float64
            Probabilities, in the order of ``classes_``.

        Raises
        ------
        NotFittedError
            If the estimator has not been fitted.
        ValueError
            If X is not as described.
        ImageDecodeError
            If a file can't be read.
        """
        check_is_fitted(self, "classes_")
        seen = self._views
        images = validate_images(self, X, reset=False)
        steps = [
            np.arange(start, min(start + PREDICT_BATCH, len(images)))
            for start in range(0, len(images), PREDICT_BATCH)
        ]
        with (
            ImageReader(images, self._fitted_size, self.resize, keep_bytes=0) as reader,
            network_pool.borrow(self._recipe) as network,
        ):
            network.set_weights(self._weights)
            probabilities = np.concatenate(
                [
                    _mean_over(network, seen, reader.read(step))
                    for step in progress(steps, "predicting", int(self.verbose))
                ],
                dtype=np.float64,
            )
        # rows of 32-bit floats miss 1 by more than scikit-learn's metrics allow
        return probabilities / probabilities.sum(axis=1, keepdims=True)

    @property
    def _views(self) -> list[View]:
        """What predictions are the mean over."""
        return views(self.predict_crops, self.predict_mirrored)

    def _validate_params(self) -> None:
        super()._validate_params()
        # what is needed late must not fail after the training, or after the body's features
        _ = self._views, self._callbacks

    def predict(self, X: Any) -> np.ndarray:
        """Predict labels.

        Parameters
        ----------
        X : array, sequence, Series or frame of n_samples pictures
            In any form that fit takes; on the scale of fit where it is an array.

        Returns
        -------
        ndarray of shape (n_samples,)
            The most probable class of each, of the type of ``classes_``.

        Raises
        ------
        NotFittedError
            If the estimator has not been fitted.
        ValueError
            If X is not as described.
        ImageDecodeError
            If a file can't be read.
        """
        probabilities = self.predict_proba(X)
        return self.classes_[probabilities.argmax(axis=1)]

    @property
    def model_(self) -> keras.Model:
        """The fitted network, a copy: changing it doesn't change the estimator."""
        check_is_fitted(self, "classes_")
        if "_model" not in vars(self):
            network = CompiledNetwork(self._recipe)
            network.set_weights(self._weights)
            self._model = network.model
        return self._model

    @property
    def _fitted_size(self) -> tuple[int, int]:
        height, width, _ = self._recipe.architecture.input_shape
        return height, width

    def _get_fitted_attr_html(self, doc_link: str = "") -> Any:
        """List the fitted attributes for the HTML representation, without making `model_`.

        scikit-learn 1.9 reads every public attribute, and reading that one builds a
        network.
        """
        listed = BaseEstimator._get_fitted_attr_html(SimpleNamespace(**vars(self)), doc_link)
        listed.estimator_class = type(self)
        return listed

    def __getstate__(self) -> dict[str, Any]:
        """Pickle the weights once: as arrays, not as a network too."""
        state = dict(super().__getstate__())
        state.pop("_model", None)
        return state

    def __sklearn_is_fitted__(self) -> bool:
        return hasattr(self, "_weights")


def _phases_to_train(
    phases: list[Phase], done: int, *, continued: bool, partial: bool
) -> list[Phase]:
    """All of them; in a warm start the last; in a partial fit one epoch of the next due."""
    if not partial:
        return phases[-1:] if continued else phases
    ends = np.cumsum([phase.plan.epochs for phase in phases])
    due = phases[min(int(np.searchsorted(ends, done, side="right")), len(phases) - 1)]
    return [replace(due, plan=replace(due.plan, epochs=1))]


def _named_schedule(name: str) -> Schedule:
    return SCHEDULES[match_name(name, SCHEDULES, "learning_rate_schedule")]


def _mean_over(network: CompiledNetwork, views: list[View], pictures: np.ndarray) -> np.ndarray:
    """The mean of a network's outputs for pictures as they are seen in each view."""
    outputs = [network.predict(keras.ops.convert_to_numpy(each.of(pictures))) for each in views]
    return np.mean(outputs, axis=0)


def _listed(labels: Any) -> str:
    return ", ".join(repr(label) for label in np.asarray(labels).tolist())


def _refuse_another_network(before: Any, now: Any) -> None:
    """Raise ValueError if the parameters make another network than the fitted one."""
    if before == now:
        return
    old, new = _flat(asdict(before)), _flat(asdict(now))
    changed = "; ".join(
        f"{k} was {reprlib.repr(old.get(k))} and is {reprlib.repr(new[k])}"
        for k in new
        if old.get(k) != new[k]
    )
    raise ValueError(
        f"The parameters describe another network than the one to go on with: {changed}. Undo "
        "the change, or train a new network by fit with warm_start=False."
    )


def _flat(numbers: dict[str, Any]) -> dict[str, Any]:
    """A table of numbers without the tables in it."""
    flat: dict[str, Any] = {}
    for name, value in numbers.items():
        flat.update(_flat(value) if isinstance(value, dict) else {name: value})
    return flat
