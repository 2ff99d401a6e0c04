"""Workers that ask for the same features at the same time: how many are computed twice."""

from __future__ import annotations

import tempfile
import time

import numpy as np
from _common import pictures, report
from joblib import Parallel, delayed

from skvision import PretrainedFeatureTransformer
from skvision.feature_extraction.engines import ENGINES, resolve

N, SIDE = 2000, 224


def transform(X: np.ndarray, folder: str, start: float = 0) -> tuple[int, float]:
    """Compute features through the cache; return how many this process computed, and when it ended.

    It waits for the time `start` first, so that workers begin together.
    """
    engine, counts = ENGINES[resolve("auto", "auto").engine], []
    run = engine.run

    def counting(self, batches):
        return run(self, (counts.append(len(batch)) or batch for batch in batches))

    engine.run = counting
    try:
        time.sleep(max(0.0, start - time.time()))
        PretrainedFeatureTransformer(image_size=SIDE, cache=folder).fit_transform(X)
    finally:
        engine.run = run
    return sum(counts), time.time()


def share(X: np.ndarray, n_workers: int) -> tuple[list[int], float]:
    """Return how many images each of the workers computed, and the seconds that took them."""
    with tempfile.TemporaryDirectory() as folder, Parallel(n_jobs=n_workers) as parallel:
        # processes that are up, with the network converted
        other = 255 - X[:8]
        parallel(delayed(transform)(other, folder) for _ in range(4 * n_workers))
        start = time.time() + 2
        done = parallel(delayed(transform)(X, folder, start) for _ in range(n_workers))
    return [n for n, _ in done], max(end for _, end in done) - start


def main() -> None:
    X, _ = pictures(N, size=SIDE)
    for n_workers in (2, 4):
        computed, spent = share(X, n_workers)
        twice = sum(computed) - N
        shares = " + ".join(map(str, sorted(computed)))
        report(
            f"{n_workers} workers that want features of the same {N:,} images: computed twice",
            f"{twice / N:.1%} ({shares}; {spent:.1f} s)",
            "<= 5 %" if n_workers == 2 else "",
        )


if __name__ == "__main__":
    main()
