"""MiniVGGClassifier.fit against keras.Model.fit: the same network, array and epochs."""

from __future__ import annotations

import numpy as np
from _common import pictures, report, turns

from skvision import MiniVGGClassifier

N, EPOCHS, ROUNDS = 960, 2, 9


def main() -> None:
    X, y = pictures(N)
    ours = MiniVGGClassifier(epochs=EPOCHS, random_state=0)
    network = ours.fit(X, y).model_
    network.compile("sgd", "sparse_categorical_crossentropy", metrics=["accuracy"])
    taken = turns(
        {
            "keras": lambda: network.fit(X, y, batch_size=32, epochs=EPOCHS, verbose=0),
            "skvision": lambda: ours.fit(X, y),
        },
        ROUNDS,
    )
    ratios = np.array(taken["skvision"]) / np.array(taken["keras"])
    rate = N * EPOCHS / np.median(taken["keras"])
    report(
        f"fit over plain `keras.Model.fit`, 32x32, {ROUNDS} pairs of {N * EPOCHS // 32} steps, of "
        "which computing the averages of batch normalisation is worth 4",
        f"{np.median(ratios):.3f} (median; {ratios.min():.3f} to {ratios.max():.3f}; Keras "
        f"{rate:.0f} images/s)",
        "<= 1.05",
    )
    fastest = min(taken["skvision"]) / min(taken["keras"])
    report("the same, fastest over fastest", f"{fastest:.3f}")


if __name__ == "__main__":
    main()
