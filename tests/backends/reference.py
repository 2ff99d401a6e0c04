"""Compute the same with TensorFlow: ``python -m tests.backends.reference FOLDER``.

It reads ``theirs.skv``, which another backend wrote, and writes its own results beside it.
"""

from __future__ import annotations

import sys
from pathlib import Path

import joblib
import numpy as np

PICTURES = np.random.default_rng(0).integers(0, 256, (3, 64, 48, 3), dtype=np.uint8)


def main(folder):
    import keras
    from sklearn.base import clone

    from skvision import (
        ImageNetClassifier,
        PretrainedFeatureTransformer,
        explain,
        export_model,
        load,
        save,
    )

    assert keras.config.backend() == "tensorflow"
    X, y = (np.load(folder / f"{name}.npy") for name in "Xy")
    theirs = load(folder / "theirs.skv")
    np.save(folder / "of_theirs.npy", theirs.predict_proba(X))
    found = explain(theirs, X[:20])
    controls = [found.deletion_, found.random_deletion_, found.sanity_]
    np.savez(folder / "explained.npz", maps=found.maps, controls=controls)
    export_model(theirs, folder / "theirs.tflite")
    ours = clone(theirs).fit(X, y)
    np.save(folder / "of_ours.npy", ours.predict_proba(X))
    save(ours, folder / "ours.skv")
    joblib.dump(ours, folder / "ours.joblib")
    features = PretrainedFeatureTransformer(image_size=64, engine="keras").fit_transform(PICTURES)
    np.save(folder / "features.npy", features)
    probabilities = ImageNetClassifier(image_size=64, engine="keras").predict_proba(PICTURES)
    np.save(folder / "imagenet.npy", probabilities)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
