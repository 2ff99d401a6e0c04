"""How much too good is a validation split that related images straddle?

A hundred digits are copied, turned and zoomed a little, until there are a hundred of each class. A
split of single images has copies of one digit on both sides; a split by group doesn't.
"""

from __future__ import annotations

import numpy as np
from _common import report
from sklearn.datasets import load_digits


def main() -> None:
    from skvision import ImageAugmenter, ImageOverSampler, MiniVGGClassifier

    digits = load_digits()
    X, y = np.round(digits.images * 255 / 16).astype(np.uint8), digits.target
    found = []
    for seed in range(5):
        order = np.random.default_rng(seed).permutation(len(X))
        few, unseen = order[:100], order[100:]
        augmenter = ImageAugmenter(rotation_range=8, zoom_range=0.05)
        sampler = ImageOverSampler(augmenter, 100, random_state=seed)
        X_more, y_more = sampler.fit_resample(X[few], y[few])
        row = []
        for groups in (None, sampler.sample_indices_):
            net = MiniVGGClassifier(
                image_size=8,
                filters=(16, 32),
                dense_units=(64,),
                optimizer="adam",
                epochs=8,
                validation_fraction=0.2,
                random_state=seed,
            ).fit(X_more, y_more, groups=groups)
            row += [net.history_["val_accuracy"][-1], net.score(X[unseen], y[unseen])]
        found.append(row)
    means = np.mean(found, axis=0)
    for name, (validation, new) in (("images", means[:2]), ("groups", means[2:])):
        report(
            f"100 digits and 900 copies, a split by {name}: validation accuracy, and accuracy on "
            "1,697 other digits, mean of 5 seeds",
            f"{validation:.3f}, {new:.3f}",
        )


if __name__ == "__main__":
    main()
