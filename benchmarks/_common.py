"""What the benchmarks share."""

from __future__ import annotations

import gc
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

__all__ = ["pictures", "report", "resident_mib", "seconds", "turns"]


def pictures(n: int, size: int = 32, n_classes: int = 3) -> tuple[np.ndarray, np.ndarray]:
    """Random images and labels: speed does not depend on what they show."""
    rng = np.random.default_rng(0)
    X = rng.integers(0, 256, (n, size, size, 3), dtype=np.uint8)
    return X, rng.integers(0, n_classes, n)


def seconds(call: Callable[[], object]) -> float:
    start = time.perf_counter()
    call()
    return time.perf_counter() - start


def turns(calls: dict[str, Callable[[], object]], rounds: int) -> dict[str, list[float]]:
    """Time each call `rounds` times, in turn; the first round is not counted."""
    taken: dict[str, list[float]] = {name: [] for name in calls}
    for round_ in range(rounds + 1):
        for name, call in calls.items():
            spent = seconds(call)
            if round_:
                taken[name].append(spent)
    return taken


def resident_mib() -> float:
    """Memory of this process, once nothing is left to collect."""
    gc.collect()
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * 4096 / 2**20


def report(what: str, figure: str, goal: str = "") -> None:
    """Print a row of the results table."""
    print(f"| {what} | {figure} | {goal} |", flush=True)
