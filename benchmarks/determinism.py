"""What the same result for the same seed costs: nothing is switched on for it.

Against it TensorFlow's own switch, which skvision leaves alone; it can't be turned off
again, so it has a process of its own.
"""

from __future__ import annotations

import subprocess
import sys

import numpy as np
from _common import pictures, report, turns


def main() -> None:
    from skvision import MiniVGGClassifier

    if len(sys.argv) > 1:
        import tensorflow as tf

        tf.keras.utils.set_random_seed(0)
        tf.config.experimental.enable_op_determinism()
    X, y = pictures(600)
    nets = {seed: MiniVGGClassifier(epochs=1, random_state=seed) for seed in (None, 0)}
    taken = turns(
        {str(seed): lambda net=net: net.fit(X, y) for seed, net in nets.items()}, rounds=5
    )
    without, with_seed = (float(np.median(taken[name])) for name in ("None", "0"))
    if len(sys.argv) > 1:
        print(with_seed)
        return
    run = subprocess.run(
        [sys.executable, __file__, "switched"], stdout=subprocess.PIPE, text=True, check=True
    )
    switched = float(run.stdout.split()[-1])
    report("a fit with random_state=0 over None", f"{with_seed / without:.2f}", "<= 1.05")
    report(
        "the same with TensorFlow's op determinism, which skvision doesn't need",
        f"{switched / without:.2f}",
    )


if __name__ == "__main__":
    main()
