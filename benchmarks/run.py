"""Run all benchmarks, each in its own process; write the table to results.md."""

from __future__ import annotations

import platform
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

from joblib import cpu_count

HERE = Path(__file__).parent
ORDER = (
    "start",
    "decode",
    "augment",
    "fit_overhead",
    "feeds",
    "engines",
    "feature_search",
    "many_fits",
    "mixed_fits",
    "memory",
    "warm_up",
    "jobs",
    "determinism",
)


def main() -> None:
    chosen = sys.argv[1:] or ORDER
    packages = ("tensorflow", "keras", "scikit-learn", "numpy")
    versions = ", ".join(f"{package} {version(package)}" for package in packages)
    machine = f"{cpu_count()} cores, {platform.machine()}"
    lines = [
        "# Results of `make bench`",
        "",
        f"Python {platform.python_version()}, {versions}; {machine}.",
        "",
        "| what | measured | goal |",
        "|---|---|---|",
    ]
    for name in chosen:
        run = subprocess.run(
            [sys.executable, HERE / f"{name}.py"], stdout=subprocess.PIPE, text=True, check=True
        )
        rows = [line for line in run.stdout.splitlines() if line.startswith("|")]
        print("\n".join(rows), flush=True)
        lines += rows
    if not sys.argv[1:]:
        (HERE / "results.md").write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
