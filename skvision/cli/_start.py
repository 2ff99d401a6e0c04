"""Start Keras' backend with as many threads as asked for, TensorFlow without its remarks.

It writes a dozen lines about instruction sets and absent graphics cards to
standard error, from C++, before any setting of its own takes effect.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

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
    """Import the backend; TensorFlow looks for devices, standard error closed meanwhile."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    with _no_standard_error():
        from .. import networks  # noqa: F401  sets the backend's threads first

        import keras  # isort: skip

        if keras.config.backend() == "tensorflow":
            import tensorflow as tf

            tf.config.list_logical_devices()
        # on file formats that the user has chosen, and networks that nobody trains
        from absl import logging

        logging.set_verbosity(logging.ERROR)


@contextmanager
def _no_standard_error() -> Iterator[None]:
    kept = os.dup(2)
    nowhere = os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nowhere, 2)
        yield
    finally:
        os.dup2(kept, 2)
        os.close(nowhere)
        os.close(kept)
