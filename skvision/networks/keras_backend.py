"""Keras' backend: the supported ones, and the device that it uses."""

from __future__ import annotations

# before Keras: skops looks up functions of SciPy in all modules, in the order of their import, and
# takes three seconds longer if it meets TensorFlow's thousands of modules first
import sklearn.base  # noqa: F401

from .._system.quiet import hidden_remarks

__all__ = ["BACKENDS", "computes_on_processor"]

#: the backends that can train
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
    raise ImportError(f"Keras can't start with its configured backend: {error}. {_HOW}") from (
        error
    )

if keras.config.backend() not in BACKENDS:
    raise ImportError(
        f"Keras' backend is set to {keras.config.backend()!r}, which can't train. {_HOW}"
    )


def computes_on_processor() -> bool:
    """Return whether Keras computes on the processor, not on a graphics card.

    Examples
    --------
    >>> from skvision.networks import computes_on_processor
    >>> computes_on_processor() in (True, False)
    True
    """
    return "cpu" in str(keras.ops.zeros(()).device).lower()
