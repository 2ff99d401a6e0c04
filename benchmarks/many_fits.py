"""60 fits in one process: memory, time and compilations. Nothing is filtered from the log."""

from __future__ import annotations

import itertools

import keras
import numpy as np
from _common import pictures, report, resident_mib, seconds
from sklearn.base import clone

from skvision import MiniVGGClassifier

FITS = 60


def main() -> None:
    X, y = pictures(320, size=16)
    traced = []
    original = keras.Model.train_step
    keras.src.backend.tensorflow.trainer.TensorFlowTrainer.train_step = lambda self, data: (
        traced.append(1) or original(self, data)
    )
    base = MiniVGGClassifier(image_size=16, epochs=2, random_state=0)
    # a grid over learning rates: one architecture
    rates = itertools.cycle([0.1, 0.03, 0.01, 0.003, 0.001])
    base.fit(X, y).predict(X)
    compiled = len(traced)
    assert compiled, "the hook counts nothing"
    before = resident_mib()
    times, halfway = [], before
    for count in range(FITS):
        net = clone(base).set_params(learning_rate=next(rates))
        times.append(seconds(lambda net=net: net.fit(X, y).predict(X)))
        if count == FITS // 2 - 1:
            halfway = resident_mib()
    after = resident_mib()
    report(
        f"memory growth in {FITS} fits",
        f"{(after - before) / FITS:.3f} MB a fit ({(after - halfway) / (FITS / 2):.3f} in the "
        "second half)",
        "< 0.5 MB a fit",
    )
    ratio = np.median(times[-10:]) / np.median(times[:10])
    report(
        "last ten fits over first ten",
        f"{ratio:.3f} (median {np.median(times):.2f} s a fit)",
        "<= 1.2",
    )
    report("compilations after the first fit", str(len(traced) - compiled), "0")


if __name__ == "__main__":
    main()
