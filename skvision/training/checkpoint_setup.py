"""The setup that identifies a training in its checkpoints: data, parameters and phase, as JSON."""

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

__all__ = ["array_identity", "data_identity", "described", "phase_setup"]

# parameters without effect on the steps of a training
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
    """Describe the data that a training depends on."""
    digest = hashlib.sha256()
    for index in np.flatnonzero(weights):
        digest.update(image_key(images.item(int(index))))
    return {
        "classes": described(classes.tolist()),
        "n_samples": len(images),
        "labels and weights": array_identity(targets, weights),
        "images": digest.hexdigest(),
        "scale": described(images.pixel_range),
    }


def array_identity(*arrays: np.ndarray) -> str:
    """Return a digest of arrays' content.

    Examples
    --------
    >>> import numpy as np
    >>> from skvision.training.checkpoint_setup import array_identity
    >>> array_identity(np.array([1], "uint8"))[:8]
    '4bf5122f'
    """
    return hashlib.sha256(b"".join(array.tobytes() for array in arrays)).hexdigest()


def phase_setup(
    parameters: Mapping[str, Any], phase: Phase, phase_names: Sequence[str], first_epoch: int
) -> dict[str, Any]:
    """Describe everything besides the data that a phase depends on.

    Parameters
    ----------
    parameters : mapping of str to object
        The estimator's parameters.
    phase : Phase
        The phase.
    phase_names : sequence of str
        All phases that the estimator's parameters name, in order.
    first_epoch : int
        Number of epochs that were trained before.
    """
    left_out = set(_WITHOUT_EFFECT)
    # the lengths of later phases don't affect this one; nor does its own length, since more
    # epochs continue a training
    left_out |= {prefixed(name, "epochs") for name in phase_names[phase_names.index(phase.name) :]}
    if phase.plan.schedule is not None:
        left_out.discard(prefixed(phase.name, "epochs"))
    if not isinstance(parameters.get("random_state"), Integral):
        left_out.add("random_state")
    if phase.identity:
        # the digest covers the weights too, the configuration doesn't
        left_out.add("backbone")
    return {
        **{name: described(value) for name, value in parameters.items() if name not in left_out},
        **({"backbone": phase.identity} if phase.identity else {}),
        "epochs trained before": first_epoch,
        # another backend draws other dropout
        "backend": keras.config.backend(),
    }


def described(value: Any) -> Any:
    """Return a parameter's value in a form that JSON accepts, equal in every process.

    Numbers, text and tuples of them stay unchanged. An object with a configuration becomes
    its configuration, a function its name and a digest of its code, any other object its
    name.

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
    """Return a digest that doesn't depend on the process or on the place in the file."""
    constants = [
        _digest_of_code(each)
        if isinstance(each, CodeType)
        else repr(sorted(each, key=repr) if isinstance(each, frozenset) else each)
        for each in code.co_consts
    ]
    parts = repr((code.co_code, code.co_names, constants))
    return hashlib.sha256(parts.encode()).hexdigest()[:16]
