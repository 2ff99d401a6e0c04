"""Run benchmarks, each in its own process; put what they measured into results.md.

Rows of the same name are replaced, all others stay: also those that are measured by hand.
"""

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
    "listing",
    "folder_to_model",
    "augment",
    "fit_overhead",
    "feeds",
    "engines",
    "feature_search",
    "cache_sharing",
    "many_fits",
    "mixed_fits",
    "memory",
    "warm_up",
    "jobs",
    "determinism",
    "straddling",
)


def main() -> None:
    chosen = sys.argv[1:] or ORDER
    packages = ("tensorflow", "keras", "scikit-learn", "numpy")
    versions = ", ".join(f"{package} {version(package)}" for package in packages)
    machine = f"{cpu_count()} cores, {platform.machine()}"
    head = [
        "# Results of `make bench`",
        "",
        f"The last call: Python {platform.python_version()}, {versions}; {machine}. Each row is of",
        "the last call that measured it.",
        "",
        "| what | measured | goal |",
        "|---|---|---|",
    ]
    file = HERE / "results.md"
    rows = file.read_text().splitlines()[len(head) :]
    for name in chosen:
        run = subprocess.run(
            [sys.executable, HERE / f"{name}.py"], stdout=subprocess.PIPE, text=True, check=True
        )
        new = [line for line in run.stdout.splitlines() if line.startswith("|")]
        print("\n".join(new), flush=True)
        rows = merged(rows, new)
        file.write_text("\n".join([*head, *rows]) + "\n")


def merged(rows: list[str], new: list[str]) -> list[str]:
    """Put new rows in the place of those of the same name, or at the end.

    >>> merged(["| a | 1 | |", "| b | 1 | |"], ["| a | 2 | |", "| c | 2 | |"])
    ['| a | 2 | |', '| b | 1 | |', '| c | 2 | |']
    """
    by_name = {row.split("|")[1]: row for row in [*rows, *new]}
    return list(by_name.values())


if __name__ == "__main__":
    main()
