"""Accuracy and time of both kinds of transfer learning on a folder of one's own photos.

    python benchmarks/fine_tuning.py animals

A quarter is held out. Not part of `make bench`: it needs photos, and half an hour.
"""

from __future__ import annotations

import sys
import tempfile

from _common import report, seconds
from sklearn.model_selection import train_test_split

from skvision import (
    FineTunedClassifier,
    ImageAugmenter,
    load_image_folder,
    make_feature_classifier,
)

AUGMENTER = ImageAugmenter(
    horizontal_flip=True,
    rotation_range=10,
    width_shift_range=0.1,
    height_shift_range=0.1,
    zoom_range=0.15,
    brightness_range=(0.9, 1.1),
)


def main() -> None:
    X, y = load_image_folder(sys.argv[1], validate=True, return_X_y=True)
    X_train, X_test, y_train, y_test = train_test_split(X, y, stratify=y, random_state=0)
    with tempfile.TemporaryDirectory() as cache:
        features = make_feature_classifier(cache=cache, random_state=0)
        # gentle: the body is good already, and what early stopping keeps is the best of both phases
        tuned = FineTunedClassifier(
            augmentation=AUGMENTER,
            warmup_epochs=4,
            unfreeze="block6",
            fine_tune_epochs=3,
            fine_tune_learning_rate=1e-5,
            early_stopping=True,
            random_state=0,
            verbose=2,
        )
        for name, model in {"features": features, "fine-tuning": tuned}.items():
            taken = seconds(lambda model=model: model.fit(X_train, y_train))
            accuracy = model.score(X_test, y_test)
            right = round(accuracy * len(y_test))
            report(
                f"{name}: accuracy on {len(y_test)} photos held out of {len(y)}",
                f"{accuracy:.4f} ({right} right), {taken / 60:.1f} minutes",
                ">= 0.985" if model is tuned else "",
            )


if __name__ == "__main__":
    main()
