"""Keras' backend: which there may be, and where it computes."""

from __future__ import annotations

from .._system.quiet import hidden_remarks

__all__ = ["BACKENDS", "computes_on_processor"]

#: those that train
BACKENDS = ("tensorflow", "jax", "torch")

_HOW = (
    f"skvision runs with Keras' backends {', '.join(BACKENDS)}: set the environment variable "
    'KERAS_BACKEND (or "backend" in Keras\' file keras.json) to one that is installed.'
)

try:
    # also TensorFlow, which Keras imports where it's the backend
    with hidden_remarks():
        import keras
except (ImportError, ValueError) as error:
    raise ImportError(
        f"Keras can't start with the backend that it is set to: {error}. {_HOW}"
    ) from (error)

if keras.config.backend() not in BACKENDS:
    raise ImportError(
        f"Keras is set to the backend {keras.config.backend()!r}, which can't train. {_HOW}"
    )


def computes_on_processor() -> bool:
    """Whether Keras puts its numbers into the processor's memory, not a graphics card's.

    Examples
    --------
    >>> from skvision.networks import computes_on_processor
    >>> computes_on_processor() in (True, False)
    True
    """
    return "cpu" in str(keras.ops.zeros(()).device).lower()
