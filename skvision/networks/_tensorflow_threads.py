"""Keep TensorFlow within this process's share of the cores.

TensorFlow takes all cores in every process, so ``n_jobs=2`` would run two times
as many threads as there are cores. joblib tells its workers their share through
``OMP_NUM_THREADS``, which TensorFlow does not read; it reads the variables below
when its first operation runs. Whoever sets them himself is obeyed.
"""

import os

from ..threads import thread_limit

if "OMP_NUM_THREADS" in os.environ:
    for _name in ("TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS"):
        os.environ.setdefault(_name, str(thread_limit()))
