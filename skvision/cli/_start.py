"""Start Keras' backend with as many threads as asked for, without its remarks."""

from __future__ import annotations

import os

from .._system.quiet import hidden_remarks

__all__ = ["start_quietly", "use_threads"]


def use_threads(number: int | None) -> None:
    """Cap the threads that decode images and those of NumPy and TensorFlow.

    To be called before any of them is imported: NumPy's and TensorFlow's number of
    threads is fixed when they start.
    """
    if number is not None:
        # whence skvision._system.threads takes it, and skvision.networks TensorFlow's
        os.environ["OMP_NUM_THREADS"] = str(number)


def start_quietly() -> None:
    """Import the backend and have TensorFlow look for devices, without their remarks."""
    with hidden_remarks():
        from .. import networks  # noqa: F401  sets the backend's threads first

        import keras  # isort: skip

        if keras.config.backend() == "tensorflow":
            import tensorflow as tf

            tf.config.list_logical_devices()
        # on file formats that the user has chosen, and networks that nobody trains
        from absl import logging

        logging.set_verbosity(logging.ERROR)
