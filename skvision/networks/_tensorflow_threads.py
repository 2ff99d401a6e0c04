"""Keep TensorFlow within this process's share of the cores.

TensorFlow takes all cores in every process, so ``n_jobs=2`` would run two times
as many threads as there are cores. joblib tells its workers their share through
``OMP_NUM_THREADS``, which TensorFlow does not read. It is told here and not through
its own variables, because worker processes inherit those. Whoever sets them himself is
obeyed.
"""

import os
from contextlib import suppress

import keras

from ..threads import thread_limit

if "OMP_NUM_THREADS" in os.environ and keras.backend.backend() == "tensorflow":
    import tensorflow as tf

    _threading = tf.config.threading
    for _name, _set in (
        ("TF_NUM_INTRAOP_THREADS", _threading.set_intra_op_parallelism_threads),
        ("TF_NUM_INTEROP_THREADS", _threading.set_inter_op_parallelism_threads),
    ):
        # once its first operation has run, TensorFlow's threads are what they are
        with suppress(RuntimeError):
            if _name not in os.environ:
                _set(thread_limit())
