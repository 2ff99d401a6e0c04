"""Start Keras' backend with the requested number of threads, without its messages."""

from __future__ import annotations

import os

from .._system.quiet import hidden_remarks

__all__ = ["start_quietly", "use_threads"]


def use_threads(number: int | None) -> None:
    """Limit the threads that decode images and those of NumPy and TensorFlow.

    Call it before importing any of them, since NumPy and TensorFlow fix their number of threads
    when they start.
    """
    if number is not None:
        # read by skvision._system.threads, and by skvision.networks for TensorFlow
        os.environ["OMP_NUM_THREADS"] = str(number)


def start_quietly() -> None:
    """Import the backend and let TensorFlow look for devices, without their messages."""
    with hidden_remarks():
        from .. import networks  # noqa: F401  sets the backend's threads first

        import keras  # isort: skip

        if keras.config.backend() == "tensorflow":
            import tensorflow as tf

            tf.config.list_logical_devices()
        # warnings of file formats that the user chose, and of networks that aren't trained
        from absl import logging

        logging.set_verbosity(logging.ERROR)
