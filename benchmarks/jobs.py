"""A grid search with two jobs against one, once the workers are up; threads of a worker."""

from __future__ import annotations

import numpy as np
from _common import pictures, report, turns
from joblib import Parallel, delayed
from sklearn.model_selection import GridSearchCV

from skvision import MiniVGGClassifier

GRID = {"learning_rate": [0.1, 0.05, 0.03, 0.01, 0.003, 0.001]}


def threads() -> int:
    import tensorflow as tf

    import skvision.networks  # noqa: F401

    return int(tf.config.threading.get_intra_op_parallelism_threads())


def main() -> None:
    nets = {
        "the lecture's network at 32x32": (32, MiniVGGClassifier(epochs=2, random_state=0)),
        "a small one at 8x8": (8, MiniVGGClassifier(image_size=8, epochs=10, random_state=0)),
    }
    for name, (size, net) in nets.items():
        X, y = pictures(300, size=size)

        def search(n_jobs: int, net=net, X=X, y=y) -> GridSearchCV:
            return GridSearchCV(net, GRID, cv=2, refit=False, n_jobs=n_jobs).fit(X, y)

        # the first round, in which workers start and compile, is not counted
        taken = turns({"one": lambda: search(1), "two": lambda: search(2)}, rounds=2)
        one, two = (float(np.median(taken[name])) for name in ("one", "two"))
        ratio = f"{two / one:.2f} ({two:.1f} s, {one:.1f} s)"
        report(f"a search with 2 jobs over 1 job, {name}", ratio, "<= 0.75")
    counts = set(Parallel(n_jobs=2)(delayed(threads)() for _ in range(4)))
    report("TensorFlow threads of each of its workers", ", ".join(map(str, counts)), "1 on 2 cores")


if __name__ == "__main__":
    main()
