"""100 fits of mixed architectures in one process: memory, time, compilations, retracing.

More architectures than the pool keeps, so that networks are dropped and built again. The log
is not filtered; each line of TensorFlow's that warns of retracing is counted.
"""

from __future__ import annotations

import itertools
import logging

import numpy as np
from _common import pictures, report, resident_mib, seconds

from skvision import MiniVGGClassifier

FITS = 100

# (filters, dense_units, activation, image_size): twelve networks in an order that repeats
SHAPES = list(itertools.product([(8,), (8, 16), (16, 16)], [(32,), ()], ["relu", "tanh"], [16]))


class Retracing(logging.Handler):
    def __init__(self) -> None:
        super().__init__()
        self.count = 0

    def emit(self, record: logging.LogRecord) -> None:
        self.count += "retracing" in record.getMessage()


def main() -> None:
    retracing = Retracing()
    logging.getLogger("tensorflow").addHandler(retracing)
    X, y = pictures(160, size=16)
    times, memory = [], []
    for _, (filters, dense_units, activation, size) in zip(
        range(FITS), itertools.cycle(SHAPES), strict=False
    ):
        net = MiniVGGClassifier(
            image_size=size,
            filters=filters,
            dense_units=dense_units,
            activation=activation,
            epochs=2,
            random_state=0,
        )
        times.append(seconds(lambda net=net: net.fit(X, y).predict(X)))
        memory.append(resident_mib())
    report(
        f"memory after 5 and {FITS} fits of {len(SHAPES)} architectures",
        f"{memory[4]:.0f} and {memory[-1]:.0f} MB ({memory[-1] - memory[4]:+.0f})",
        "<= +150 MB",
    )
    ratio = np.mean(times[-10:]) / np.mean(times[:10])
    report("last ten of them over first ten", f"{ratio:.2f}", "<= 1.2")
    report("warnings of retracing", str(retracing.count), "0")


if __name__ == "__main__":
    main()
