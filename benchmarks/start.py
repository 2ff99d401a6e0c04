"""How long `import skvision` and `skvision --help` take, as whole processes."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
from _common import report, seconds

ROUNDS = 7


def median(words: list[str]) -> float:
    def call() -> None:
        subprocess.run(words, check=True, capture_output=True)

    call()
    return float(np.median([seconds(call) for _ in range(ROUNDS)]))


def main() -> None:
    bare = median([sys.executable, "-c", "pass"])
    imported = median([sys.executable, "-c", "import skvision"])
    report(
        "`import skvision`",
        f"{imported:.3f} s, of which Python itself {bare:.3f} s",
        "< 0.3 s",
    )
    look = "import sys, skvision; print({'keras', 'tensorflow'} & set(sys.modules) or 'neither')"
    run = subprocess.run([sys.executable, "-c", look], capture_output=True, text=True, check=True)
    report("Keras or TensorFlow loaded by it", run.stdout.strip(), "neither")
    report(
        "`skvision --help`",
        f"{median([sys.executable, '-m', 'skvision', '--help']):.3f} s",
        "< 1 s",
    )


if __name__ == "__main__":
    main()
