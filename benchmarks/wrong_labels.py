"""How well does `find_label_issues` rank labels that were swapped at random?

By hand: python benchmarks/wrong_labels.py FOLDER, with one subfolder per class.
"""

from __future__ import annotations

import sys

import numpy as np
from _common import report
from sklearn.metrics import average_precision_score

SHARE, DRAWS = 0.05, 3


def main() -> None:
    from skvision import find_label_issues, load_image_folder

    X, y = load_image_folder(sys.argv[1], return_X_y=True)
    classes, codes = np.unique(y, return_inverse=True)
    for draw in range(DRAWS):
        rng = np.random.default_rng(draw)
        wrong = rng.permutation(len(y))[: round(SHARE * len(y))]
        swapped = codes.copy()
        swapped[wrong] = (codes[wrong] + rng.integers(1, len(classes), len(wrong))) % len(classes)
        found = find_label_issues(X, classes[swapped])
        is_wrong = np.isin(np.arange(len(y)), wrong)
        report(
            f"{len(wrong)} of {len(y)} labels swapped, draw {draw}: average precision of the "
            "ranking; share of suggested labels that are the first ones",
            f"{average_precision_score(is_wrong, found.scores):.4f}; "
            f"{(found.suggested[wrong] == y[wrong]).mean():.3f}",
            ">= 0.97",
        )


if __name__ == "__main__":
    main()
