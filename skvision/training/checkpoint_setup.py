"""What checkpoints tell a training apart by: its data, parameters and phase, as JSON."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from numbers import Integral
from types import CodeType
from typing import Any

import keras
import numpy as np

from ..images import ImageBatch, image_key
from .phases import Phase, prefixed

__all__ = ["data_identity", "described", "phase_setup"]

# they change nothing in the course of a training
_WITHOUT_EFFECT = {
    "cache",
    "checkpoint_dir",
    "checkpoint_every",
    "keras_callbacks",
    "predict_crops",
    "predict_mirrored",
    "verbose",
    "warm_start",
}


def data_identity(
    images: ImageBatch, targets: np.ndarray, weights: np.ndarray, classes: np.ndarray
) -> dict[str, Any]:
    """What the course of a training depends on of its data."""
    digest = hashlib.sha256()
    for index in np.flatnonzero(weights):
        digest.update(image_key(images.item(int(index))))
    return {
        "classes": described(classes.tolist()),
        "n_samples": len(images),
        "labels and weights": hashlib.sha256(targets.tobytes() + weights.tobytes()).hexdigest(),
        "images": digest.hexdigest(),
        "scale": described(images.pixel_range),
    }


def phase_setup(
    parameters: Mapping[str, Any], phase: Phase, phase_names: Sequence[str], first_epoch: int
) -> dict[str, Any]:
    """What the course of a phase depends on besides its data.

    Parameters
    ----------
    parameters : mapping of str to object
        The estimator's.
    phase : Phase
        The phase.
    phase_names : sequence of str
        All phases that the estimator's parameters name, in order.
    first_epoch : int
        Epochs that were trained before.
    """
    left_out = set(_WITHOUT_EFFECT)
    # how long later phases are changes nothing in this one; nor does its own length: more
    # epochs are a training that continues
    left_out |= {prefixed(name, "epochs") for name in phase_names[phase_names.index(phase.name) :]}
    if phase.plan.schedule is not None:
        left_out.discard(prefixed(phase.name, "epochs"))
    if not isinstance(parameters.get("random_state"), Integral):
        left_out.add("random_state")
    if phase.identity:
        # its digest says more than its configuration
        left_out.add("backbone")
    return {
        **{name: described(value) for name, value in parameters.items() if name not in left_out},
        **({"backbone": phase.identity} if phase.identity else {}),
        "epochs trained before": first_epoch,
        # another one draws other dropout
        "backend": keras.config.backend(),
    }


def described(value: Any) -> Any:
    """A parameter's value as JSON takes it, the same in every process.

    Numbers, text and tuples of them are themselves. Of an object with a
    configuration the configuration counts, of a function its name and its code, of any
    other only its name.

    Examples
    --------
    >>> from skvision.training.checkpoint_setup import described
    >>> described((1, None, max))
    [1, None, 'builtins.max']
    """
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, Mapping):
        return {str(key): described(each) for key, each in sorted(value.items(), key=str)}
    if isinstance(value, list | tuple):
        return [described(each) for each in value]
    if hasattr(value, "get_config"):
        return {"class": type(value).__name__, **described(value.get_config())}
    if hasattr(value, "get_params"):
        return {"class": type(value).__name__, **described(value.get_params())}
    named = value if hasattr(value, "__qualname__") else type(value)
    name = f"{named.__module__}.{named.__qualname__}"
    code = getattr(value, "__code__", None)
    return name if code is None else f"{name} {_digest_of_code(code)}"


def _digest_of_code(code: CodeType) -> str:
    """The same wherever a function stands in its file, and in every process."""
    constants = [
        _digest_of_code(each)
        if isinstance(each, CodeType)
        else repr(sorted(each, key=repr) if isinstance(each, frozenset) else each)
        for each in code.co_consts
    ]
    parts = repr((code.co_code, code.co_names, constants))
    return hashlib.sha256(parts.encode()).hexdigest()[:16]
