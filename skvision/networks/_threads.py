"""Keep Keras' backend within this process's share of the cores.

TensorFlow and JAX take all cores in every process, so ``n_jobs=2`` would run two times
as many threads as there are cores. joblib tells its workers their share through
``OMP_NUM_THREADS``, which PyTorch reads and these two do not. They are told here and not
through variables of their own, because worker processes inherit those. Whoever sets them
himself is obeyed.
"""

import os
from contextlib import suppress

import keras

from .._system.threads import thread_limit


def _limit_tensorflow() -> None:
    import tensorflow as tf

    threading = tf.config.threading
    for name, set_number in (
        ("TF_NUM_INTRAOP_THREADS", threading.set_intra_op_parallelism_threads),
        ("TF_NUM_INTEROP_THREADS", threading.set_inter_op_parallelism_threads),
    ):
        # once its first operation has run, TensorFlow's threads are what they are
        with suppress(RuntimeError):
            if name not in os.environ:
                set_number(thread_limit())


def _limit_jax() -> None:
    import jax

    if "NPROC" in os.environ:
        return
    # its only way; read once, when JAX looks for devices
    os.environ["NPROC"] = str(thread_limit())
    try:
        # where there are none it says so when one is needed
        with suppress(RuntimeError):
            jax.devices()
    finally:
        del os.environ["NPROC"]


if "OMP_NUM_THREADS" in os.environ:
    _limit = {"tensorflow": _limit_tensorflow, "jax": _limit_jax}.get(keras.config.backend())
    if _limit is not None:
        _limit()
