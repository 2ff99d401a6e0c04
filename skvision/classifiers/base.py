"""The base class of all classifiers that train a network."""

from __future__ import annotations

import os
from abc import abstractmethod
from dataclasses import replace
from typing import Any

import numpy as np

from .._sklearn.callbacks import CallbackSupportMixin, FitTask, fit_as_task, training_data
from .._sklearn.compat import check_sample_weight
from .._sklearn.estimator import DocumentationLink, all_or_nothing, installed_versions, unchanged
from .._sklearn.groups import group_codes
from .._sklearn.labels import listed, starts_partial_fit, validate_labels
from .._sklearn.network_estimator import ReadAs
from .._sklearn.scikeras_bridge import class_weights, sample_weights
from .._system.forks import refuse_after_fork
from ..images import known_range, validate_images
from ..networks import refuse_another_network
from ..training import (
    SETTLED,
    Listeners,
    Seeds,
    TrainingData,
    TrainingResult,
    losses_at_rates,
    matched_phase,
    phases_due,
    prefixed,
    run,
)
from .described_training import DescribedTraining
from .fitted_network import FittedNetwork
from .own_validation import own_validation

__all__ = ["BaseImageClassifier"]


class BaseImageClassifier(
    CallbackSupportMixin, DocumentationLink, FittedNetwork, DescribedTraining
):
    """Base of the classifiers that train a Keras network on images.

    A subclass defines its parameters; its `_phases` turns them into networks and their
    training. `fit` validates, describes the training, runs it and stores the result.
    """

    class_weight: Any
    random_state: Any
    warm_start: bool
    _state: Any

    def fit(
        self,
        X: Any,
        y: Any = None,
        sample_weight: Any = None,
        *,
        groups: Any = None,
        validation_data: Any = None,
    ) -> BaseImageClassifier:
        """Train the network, from its initial state unless ``warm_start=True``.

        If fit fails, an estimator that was fitted before stays unchanged. Ctrl-C ends
        the training; once one epoch is complete, the estimator keeps the weights
        reached by then.

        Parameters
        ----------
        X : array, sequence, Series or frame of n_samples images
            Arrays of images, file names (decoded batch by batch), or 2-D rows
            with ``row_shape``.
        y : array-like of shape (n_samples,), default=None
            Labels: str, int or bool, of at least two classes. None is refused.
        sample_weight : array-like of shape (n_samples,), default=None
            Relative weights of the samples. They are divided by their mean, so that
            the learning rate keeps its meaning. Samples of weight 0 are left out.
        groups : array-like of shape (n_samples,), default=None
            What related images have in common, such as a patient or a camera: text or
            numbers. The validation split keeps a group on one side, and spreads the classes
            as evenly as the groups allow. Without a validation split they have no effect.
        validation_data : tuple (X, y) or (X, y, sample_weight), default=None
            Images to validate with, in the form of X, and their labels, of the classes of y.
            They take the place of a validation split for ``val_loss``, ``val_accuracy``,
            early stopping and schedules, so ``validation_fraction`` must be None.
            ``class_weight`` applies to them as to training images.

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
        UserWarning
            If groups leave a class out of the validation, or make it much larger or smaller
            than ``validation_fraction``.
        """
        self._validate_params()
        self._refuse_two_validations(validation_data)
        continued = bool(self.warm_start) and self.__sklearn_is_fitted__()
        with all_or_nothing(self):
            before = self._result if continued else None
            known = getattr(self, "classes_", None)
            data = self._training_data(
                X,
                y,
                sample_weight,
                reset=not continued,
                groups=groups,
                validation_data=validation_data,
            )
            if continued and listed(known) != listed(self.classes_):
                raise ValueError(
                    "warm_start=True continues with the classes of the last fit, "
                    f"{listed(known)}. Received: {listed(self.classes_)}. Set "
                    "warm_start=False to train a new network."
                )
            self._train(data, training_data(X, y, sample_weight), before)
        return self

    def partial_fit(
        self,
        X: Any,
        y: Any = None,
        classes: Any = None,
        sample_weight: Any = None,
        *,
        groups: Any = None,
        validation_data: Any = None,
    ) -> BaseImageClassifier:
        """Train for one more epoch on these images, from the current weights.

        For data that come in parts. The optimiser's state is kept from call to call;
        the first call after a fit resets it.

        Parameters
        ----------
        X : array, sequence, Series or frame of n_samples images
            In any form that fit takes.
        y : array-like of shape (n_samples,), default=None
            Labels, all of them in ``classes``. None is refused.
        classes : array-like of shape (n_classes,), default=None
            All labels that any call will contain. Required in the first call,
            optional later.
        sample_weight : array-like of shape (n_samples,), default=None
            As in fit.
        groups : array-like of shape (n_samples,), default=None
            As in fit. Images of one group in two calls are split separately.
        validation_data : tuple (X, y) or (X, y, sample_weight), default=None
            As in fit, with labels in ``classes``.

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
        self._refuse_two_validations(validation_data)
        for name in ("early_stopping", "learning_rate_schedule", "checkpoint_dir", "class_weight"):
            value = getattr(self, name)
            if value is True or isinstance(value, str | os.PathLike):
                raise ValueError(
                    f"partial_fit sees one part of the data and one epoch at a time, so it can't "
                    f"be used with {name}={value!r}. Use fit, or set {name}="
                    f"{False if value is True else None}."
                )
        with all_or_nothing(self):
            first = starts_partial_fit(self, classes)
            data = self._training_data(
                X,
                y,
                sample_weight,
                reset=first,
                classes=self.classes_,
                groups=groups,
                validation_data=validation_data,
            )
            before = None if first else self._result
            self._train(data, training_data(X, y, sample_weight), before, partial=True)
        return self

    def losses_at_rates(
        self,
        X: Any,
        y: Any,
        learning_rates: np.ndarray,
        *,
        sample_weight: Any = None,
        phase: str | None = None,
    ) -> np.ndarray:
        """Measure the losses of one training step at each learning rate.

        `skvision.find_learning_rate` calls it. The estimator isn't changed.

        Parameters
        ----------
        X : array, sequence, Series or frame of n_samples images
            In any form that fit takes.
        y : array-like of shape (n_samples,)
            Labels.
        learning_rates : ndarray of shape (n_rates,), float
            Rates to try, in ascending order.
        sample_weight : array-like of shape (n_samples,), default=None
            As in fit.
        phase : str, default=None
            Phase to try the rates in; earlier phases are trained first. None if the
            training has only one phase.

        Returns
        -------
        ndarray of shape (at most n_rates,), float64
            One loss per rate. It ends early if the loss reaches four times the lowest
            loss or isn't finite.

        Raises
        ------
        ValueError
            If a parameter, X or y is not as described, or the phase doesn't exist.
        """
        name = matched_phase(phase, self._phase_names, type(self).__name__)
        with unchanged(self):
            self.set_params(
                **{prefixed(name, "learning_rate"): None, "learning_rate_schedule": None}
            )
            self._validate_params()
            data = self._training_data(X, y, sample_weight, reset=True)
            seeds = Seeds.draw(self.random_state)
            phases, recipe = self._phases(data.images, seeds)
            names = [each.name for each in phases]
            if name not in names:
                raise ValueError(
                    f"The parameters leave no phase {name!r} to find a learning rate for."
                )
            phases = phases[: names.index(name) + 1]
            if phases[-1].plan.learning_rate is None:
                raise ValueError(
                    "The optimizer has a learning-rate schedule of its own, so no learning rate "
                    "can be found for it. Give it a plain learning rate first."
                )
            return losses_at_rates(self._spec(phases, recipe, seeds), data, learning_rates)

    def reads_images_as(self) -> ReadAs:
        """Return how images will be read, by fit or, once fitted, by predict.

        Returns
        -------
        ReadAs
            Size, resize policy, scale, and whether the keys of the images are needed.
        """
        self._validate_params()
        if hasattr(self, "_weights"):
            reads = self.network_input()
            return ReadAs((reads.height, reads.width), self.resize, known_range(self))
        kept = (getattr(self, "cache", None), self.checkpoint_dir)
        is_keyed = any(where not in (None, False) for where in kept)
        return ReadAs(self._input_size, self.resize, self.value_range, is_keyed)

    @property
    @abstractmethod
    def _input_size(self) -> tuple[int, int]:
        """The (height, width) that the parameters say images are resized to."""

    def _validate_params(self) -> None:
        refuse_after_fork()
        super()._validate_params()
        # fail now, not after the training or after computing the body's features
        _ = self.network_views(), self._callbacks

    def _refuse_two_validations(self, validation_data: Any) -> None:
        if validation_data is not None and self.validation_fraction is not None:
            raise ValueError(
                "validation_data takes the place of a validation split, but "
                f"validation_fraction={self.validation_fraction}. Set validation_fraction=None, "
                "or leave validation_data out."
            )

    def _training_data(
        self,
        X: Any,
        y: Any,
        sample_weight: Any,
        *,
        reset: bool,
        classes: np.ndarray | None = None,
        groups: Any = None,
        validation_data: Any = None,
    ) -> TrainingData:
        """Validate images, labels and weights, and learn ``classes_``."""
        images = validate_images(self, X, reset=reset)
        y = validate_labels(self, y, len(images))
        if classes is not None:
            unknown = np.setdiff1d(y, classes)
            if len(unknown):
                raise ValueError(
                    f"y holds labels that are not in classes: {listed(unknown)}. "
                    f"classes are: {listed(classes)}."
                )
        targets = self._encode_labels(y, y if classes is None else classes)
        if len(self.classes_) < 2:
            raise ValueError(
                f"y holds only one class, {str(self.classes_[0])!r}; a classifier needs at "
                "least two classes."
            )
        if sample_weight is not None:
            sample_weight = check_sample_weight(sample_weight, images, ensure_non_negative=True)
        weights = sample_weights(sample_weight, self.class_weight, targets, self.classes_)
        if not weights.any():
            raise ValueError("All sample weights are 0: there is nothing to train on.")
        validation = None
        if groups is not None:
            groups = group_codes(groups, len(images))
        if validation_data is not None:
            of_classes = class_weights(self.class_weight, targets, self.classes_)
            validation = own_validation(self, validation_data, of_classes)
        if validation is not None or self._validation_share is None:
            groups = None  # nothing is split
        return TrainingData(images, targets, weights, self.classes_, groups, validation)

    def _train(
        self,
        data: TrainingData,
        callback_data: dict[str, Any],
        before: TrainingResult | None,
        *,
        partial: bool = False,
    ) -> None:
        """Run the training and store its result."""
        if before is not None and not partial:
            before = replace(before, state=None)  # the optimiser's state from partial_fit
        # the command line measured it for the previous training
        self.__dict__.pop("held_out_", None)
        folder = self._checkpoint_folder
        # random weights of a body follow from the seeds, so a resumed training needs the same seeds
        seeds = (folder and folder.seeds) or Seeds.draw(self.random_state)
        phases, recipe = self._phases(data.images, seeds)
        if before is not None:
            refuse_another_network(before.recipe.architecture, recipe.architecture)
        done = 0 if before is None else before.n_epochs
        due = phases_due(phases, done, continued=before is not None, partial=partial)
        if folder is not None:
            folder.try_writing(due)
        options = {"checkpoints": folder, "keep_state": partial}
        spec = self._spec(due, recipe, seeds, splits=data.validation is None, **options)

        def learn(task: FitTask) -> None:
            listeners = Listeners(self._callbacks, int(self.verbose), task, _without_bar)
            self._store(run(spec, data, before=before, listeners=listeners))

        name = "partial-fit" if partial else "fit"
        n_subtasks = len(due) if due[0].name else due[0].plan.epochs
        fit_as_task(self, learn, callback_data, name, n_subtasks)

    def _store(self, result: TrainingResult) -> None:
        self.__dict__.pop("_model", None)
        self.__dict__.update(_fitted_attributes(result), _state=result.state)

    @property
    def _result(self) -> TrainingResult:
        """The result of the last fit, for a training that continues it."""
        state = getattr(self, "_state", None)
        # estimators of earlier versions don't know it: assume enough steps
        n_steps = getattr(self, "_steps", SETTLED)
        return TrainingResult(
            self._recipe, self.history_, self._weights, state=state, n_steps=n_steps
        )


def _fitted_attributes(result: TrainingResult) -> dict[str, Any]:
    """Return the fitted attributes that a training sets on an estimator."""
    return {
        "history_": result.history,
        "n_epochs_": result.n_epochs,
        "_recipe": result.recipe,
        "_weights": result.weights,
        "_steps": result.n_steps,
        "_versions": installed_versions(),
    }


def _without_bar(result: TrainingResult) -> dict[str, Any]:
    """Return the fitted attributes of a callback's copy, without its own progress bar."""
    return {**_fitted_attributes(result), "_state": None, "verbose": 0}
