"""Errors for calls in Keras' style that say what to write instead.

A Keras model is trained by ``fit(X, y, epochs=5)``; an estimator of scikit-learn has training
parameters in its constructor. A call in Keras' style raises a TypeError or an AttributeError, as
for any class, and the message has advice from these tables.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import wraps
from typing import TYPE_CHECKING, Any

__all__ = ["ATTRIBUTES", "METHODS", "WORDS", "KerasWords", "unexpected_argument"]

#: methods that give advice about unexpected arguments
METHODS = (
    "__init__",
    "fit",
    "partial_fit",
    "fit_transform",
    "fit_resample",
    "transform",
    "predict",
    "predict_proba",
    "predict_top",
    "score",
)
_FITTING = ("__init__", "fit", "partial_fit", "fit_transform", "fit_resample")
_ASKING = tuple(name for name in METHODS if name not in _FITTING)


@dataclass(frozen=True)
class Word:
    """A name of Keras, and the advice for it.

    Parameters
    ----------
    name : str
        The name in Keras.
    way_out : str, default=""
        What to do instead; ``{cls}`` stands for the estimator's class.
    ours : tuple of str, default=()
        Arguments of the method, else of the constructor, that do the same.
    needs : str, default=""
        A method, property or argument that an estimator must have for the advice to apply.
    methods : tuple of str, default=METHODS
        Methods for which the advice applies.
    """

    name: str
    way_out: str = ""
    ours: tuple[str, ...] = ()
    needs: str = ""
    methods: tuple[str, ...] = METHODS


#: arguments of Keras' methods and constructors; the first row that applies is used
WORDS = (
    Word("x", ours=("X",)),
    Word("epochs", ours=("warmup_epochs", "fine_tune_epochs")),
    *(
        Word(name, ours=("epochs", "warmup_epochs", "fine_tune_epochs"))
        for name in ("nb_epoch", "n_epochs", "num_epochs", "max_epochs")
    ),
    Word("sample_weights", ours=("sample_weight",)),
    Word("dropout", ours=("conv_dropout", "dense_dropout")),
    Word("data_augmentation", ours=("augmentation",)),
    *(
        Word(name, "Leave it out: fit learns the classes from y.", needs="partial_fit")
        for name in ("num_classes", "n_classes")
    ),
    Word("training", "Leave it out: only fit trains.", methods=_ASKING),
    Word("learning_rate", ours=("warmup_learning_rate", "fine_tune_learning_rate")),
    Word("lr", ours=("learning_rate", "warmup_learning_rate", "fine_tune_learning_rate")),
    Word("callbacks", ours=("keras_callbacks",)),
    Word("validation_split", ours=("validation_fraction",)),
    *(
        Word(
            name,
            "Pass images of your choice to fit(X, y, validation_data=(X_validation, "
            "y_validation)), or hold out a share of X by {cls}(validation_fraction=0.1).",
            needs="validation_fraction",
        )
        for name in ("validation_data", "eval_set")
    ),
    Word(
        "batch_size",
        "Leave it out: the size of these batches is fixed and doesn't affect results.",
        needs="partial_fit",
        methods=_ASKING,
    ),
    Word("steps", "Leave it out: all of X is computed.", methods=_ASKING),
    Word("top", ours=("k",)),
    Word(
        "shuffle",
        "Leave it out: training images are shuffled in each epoch, by random_state.",
        needs="partial_fit",
    ),
    Word(
        "steps_per_epoch",
        "Leave it out: an epoch is one pass over X, in steps of batch_size images.",
        needs="partial_fit",
    ),
    Word(
        "initial_epoch",
        "To continue the last fit, use {cls}(warm_start=True); after a crash, "
        "{cls}(checkpoint_dir=...).",
        needs="warm_start",
    ),
    *(
        Word(
            name,
            "Leave it out: all held-out images are evaluated after each epoch.",
            needs="validation_fraction",
        )
        for name in ("validation_steps", "validation_batch_size", "validation_freq")
    ),
    *(
        Word(name, "Leave it out: images are read ahead automatically.")
        for name in ("workers", "use_multiprocessing", "max_queue_size")
    ),
    Word(
        "loss",
        "Leave it out: classifiers minimise the cross-entropy of their classes.",
        needs="partial_fit",
    ),
    Word(
        "metrics",
        "Leave it out: history_ holds loss and accuracy; use sklearn.metrics for others.",
        needs="partial_fit",
    ),
    *(Word(name, ours=("image_size",)) for name in ("input_shape", "target_size")),
    Word(
        "include_top",
        "Leave it out: {cls} uses the part of the network that it needs.",
        needs="backbone",
    ),
    *(
        Word(name, "Leave it out: networks scale their input images themselves.")
        for name in ("rescale", "preprocessing_function")
    ),
    Word("seed", ours=("random_state",)),
)

#: attributes of Keras' models and generators; the first row that applies is used
ATTRIBUTES = (
    *(
        Word(name, "Use score(X, y).", needs="score")
        for name in ("evaluate", "evaluate_generator", "test_on_batch")
    ),
    Word(
        "compile",
        "Set optimizer and learning rates in the constructor; nothing needs compiling.",
        needs="partial_fit",
    ),
    *(
        Word(name, "Use print(skvision.network_summary(estimator)).", needs="predict_proba")
        for name in ("summary", "count_params")
    ),
    Word("predict_classes", "Use predict(X).", needs="predict"),
    *(
        Word(name, "Use predict_proba(X).", needs="predict_proba")
        for name in ("predict_generator", "predict_on_batch")
    ),
    Word("predict", "Use transform(X).", needs="transform"),
    Word("train_on_batch", "Use partial_fit(X, y, classes).", needs="partial_fit"),
    Word("fit_generator", "Use fit(X, y): X may be file names, which are decoded batch by batch."),
    Word("history", "Use history_.", needs="partial_fit"),
    *(
        Word(name, "Use classes_.", needs="predict_proba")
        for name in ("class_indices", "class_names")
    ),
    *(
        Word(name, f"Use model_.{name}.", needs="model_")
        for name in (
            *("layers", "get_layer", "get_weights", "set_weights", "inputs", "outputs", "to_json"),
            *("weights", "trainable_weights", "input_shape", "output_shape", "get_config"),
        )
    ),
    Word("save", 'Use skvision.save(estimator, "NAME.skv").'),
    Word("save_weights", 'Use skvision.save(estimator, "NAME.skv").'),
    Word("load_weights", 'Use skvision.load("NAME.skv"), which returns the estimator.'),
    Word("export", "Use skvision.export_model(estimator, path).", needs="predict_proba"),
    *(
        Word(
            name,
            "Use skvision.load_image_folder to list images, and the augmenter as augmentation= "
            "of a classifier.",
            needs="augment_batch",
        )
        for name in ("flow", "flow_from_directory", "flow_from_dataframe")
    ),
)


class KerasWords:
    """Mixin: errors name the estimator's own class, and give advice for calls in Keras' style.

    Signatures stay unchanged, for tools that read them.
    """

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        for name in METHODS:
            method = inspect.getattr_static(cls, name, None)
            if inspect.isfunction(method) and not hasattr(method, "explains_errors"):
                setattr(cls, name, _explaining(method))

    # hidden from mypy, which would otherwise accept any attribute
    if not TYPE_CHECKING:

        def __getattr__(self, name: str) -> Any:
            way_out = _way_out(self, _of_use(ATTRIBUTES, self, name))
            if not way_out:
                # again, for the original error
                return super().__getattribute__(name)
            raise AttributeError(
                f"{type(self).__name__!r} object has no attribute {name!r}. {way_out}", name=name
            )


def unexpected_argument(estimator: Any, method: str, name: str, value: Any) -> TypeError:
    """Return the error for a call with an unexpected argument.

    Examples
    --------
    >>> from skvision import MiniVGGClassifier
    >>> from skvision._sklearn.keras_words import unexpected_argument
    >>> print(unexpected_argument(MiniVGGClassifier(), "fit", "epochs", 5))
    MiniVGGClassifier.fit() got an unexpected keyword argument 'epochs'. Set it in the \
constructor: MiniVGGClassifier(epochs=5).
    """
    cls = type(estimator).__name__
    said = f"{cls}.{method}() got an unexpected keyword argument {name!r}."
    word = _of_use(WORDS, estimator, name, method)
    way_out = _way_out(estimator, word) or _our_argument(estimator, method, name, value, word)
    return TypeError(f"{said} {way_out}".rstrip())


def _explaining(method: Callable[..., Any]) -> Callable[..., Any]:
    signature = inspect.signature(method)

    @wraps(method)
    def explaining(self: Any, *args: Any, **kwargs: Any) -> Any:
        try:
            signature.bind(self, *args, **kwargs)
        except TypeError as error:
            for name, value in kwargs.items():
                if name not in signature.parameters:
                    raise unexpected_argument(self, method.__name__, name, value) from None
            raise TypeError(f"{type(self).__name__}.{method.__name__}(): {error}") from None
        return method(self, *args, **kwargs)

    explaining.explains_errors = True  # type: ignore[attr-defined]
    return explaining


def _of_use(words: Iterable[Word], estimator: Any, name: str, method: str = "") -> Word | None:
    """Return the first row for this name that applies to this estimator."""
    for word in words:
        if word.name == name and (not method or method in word.methods):
            known = {"", *dir(type(estimator)), *_parameters(estimator)}
            if word.needs in known:
                return word
    return None


def _way_out(estimator: Any, word: Word | None) -> str:
    return word.way_out.format(cls=type(estimator).__name__) if word else ""


def _our_argument(estimator: Any, method: str, name: str, value: Any, word: Word | None) -> str:
    """Return how to pass the equivalent argument, if the estimator has one."""
    words = (name, *(word.ours if word else ()))
    here = inspect.signature(getattr(estimator, method)).parameters
    ours = [each for each in words if each in here]
    if ours:
        return f"It is called {' and '.join(ours)} here."
    ours = [each for each in words if each in _parameters(estimator)]
    if not ours:
        return ""
    shown = repr(value) if value is None or isinstance(value, bool | int | float | str) else "..."
    given = ", ".join(f"{each}={shown if len(shown) < 40 else '...'}" for each in ours)
    if method in _FITTING:
        return f"Set it in the constructor: {type(estimator).__name__}({given})."
    return f"Set it by set_params({given})."


def _parameters(estimator: Any) -> Iterable[str]:
    return inspect.signature(type(estimator)).parameters
