"""How good are heat maps on a folder of photos, and what do they cost?

Not part of `make bench`: it needs a folder with one folder per class as its argument, and trains
three models for minutes. 200 photos are explained that no model saw in training.
"""

from __future__ import annotations

import statistics
import sys

import numpy as np
from _common import report, turns
from sklearn.model_selection import train_test_split

from skvision import (
    FineTunedClassifier,
    MiniVGGClassifier,
    explain,
    load_image_folder,
    make_feature_classifier,
)
from skvision.images import ImageReader, as_image_batch

N_TEST, N_TUNED, N_OCCLUDED, N_TIMED, ROUNDS = 200, 600, 30, 64, 3

MODELS = {
    "MiniVGG at 64x64": MiniVGGClassifier(
        image_size=64, filters=(16, 32, 64), dense_units=(128,), epochs=12, optimizer="adam",
        random_state=0,
    ),
    "features and logistic regression": make_feature_classifier(random_state=0),
    "fine-tuned EfficientNetLite0": FineTunedClassifier(
        unfreeze=20, fine_tune_epochs=1, random_state=0
    ),
}  # fmt: skip
METHODS = {
    "MiniVGG at 64x64": ("gradcam", "gradcam++", "hirescam"),
    "features and logistic regression": ("cam", "gradcam++"),
    "fine-tuned EfficientNetLite0": ("gradcam", "gradcam++", "hirescam"),
}


def quality(name: str, model, files) -> None:
    for method in (*METHODS[name], "occlusion"):
        some = files[:: len(files) // N_OCCLUDED] if method == "occlusion" else files
        found = explain(model, some, method=method)
        sanity = "" if method == "occlusion" else f", likeness {found.sanity_.mean():.2f}"
        report(
            f"{name}, {method}: share of {len(some)} maps whose deletion beats random",
            f"{found.beats_random.mean():.3f} (mean drop {found.deletion_.mean():.3f}, random "
            f"{found.random_deletion_.mean():.3f}{sanity})",
            "> 0.5",
        )


def cost(name: str, model, files) -> None:
    size = model.reads_images_as().size if hasattr(model, "reads_images_as") else (224, 224)
    with ImageReader(as_image_batch(files[:N_TIMED]), size, "stretch") as reader:
        arrays = reader.read(np.arange(N_TIMED))
    for what, X in (("arrays", arrays), ("files", files[:N_TIMED])):
        taken = turns(
            {
                "explain": lambda X=X: explain(model, X),
                "predict": lambda X=X: model.predict_proba(X),
            },
            ROUNDS,
        )
        ratio = statistics.median(
            a / b for a, b in zip(taken["explain"], taken["predict"], strict=True)
        )
        report(
            f"{name}: `explain` over `predict_proba`, {N_TIMED} {what}, {ROUNDS} pairs",
            f"{ratio:.2f} ({N_TIMED / min(taken['explain']):.0f} images/s)",
            "<= 3",
        )


def main() -> None:
    files, y = load_image_folder(sys.argv[1], return_X_y=True)
    train, test = train_test_split(
        np.arange(len(files)), test_size=N_TEST, stratify=y, random_state=0
    )
    for name, model in MODELS.items():
        some = train[:N_TUNED] if name.startswith("fine") else train
        model.fit(files[some], y[some])
        report(f"{name}: accuracy on the photos explained", f"{model.score(files[test], y[test])}")
        quality(name, model, files[test])
        cost(name, model, files[test])


if __name__ == "__main__":
    main()
