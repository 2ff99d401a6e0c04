"""Keep Keras' backend within this process's share of the cores.

TensorFlow and JAX use all cores in every process, so ``n_jobs=2`` would start twice as many
threads as there are cores. joblib passes its workers their share in ``OMP_NUM_THREADS``,
which PyTorch reads and these two don't. This module sets their threads directly and not
through environment variables, because worker processes inherit those. Variables that you
set yourself have priority.
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
        # TensorFlow's threads are fixed after its first operation
        with suppress(RuntimeError):
            if name not in os.environ:
                set_number(thread_limit())


def _limit_jax() -> None:
    import jax

    if "NPROC" in os.environ:
        return
    # JAX has no other way; it reads the flag once, when it looks for devices
    os.environ["NPROC"] = str(thread_limit())
    try:
        # without devices JAX raises an error when it needs one
        with suppress(RuntimeError):
            jax.devices()
    finally:
        del os.environ["NPROC"]


if "OMP_NUM_THREADS" in os.environ:
    _limit = {"tensorflow": _limit_tensorflow, "jax": _limit_jax}.get(keras.config.backend())
    if _limit is not None:
        _limit()
