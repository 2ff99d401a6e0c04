"""Features of pretrained networks: the engines against `keras.Model.predict`, same weights."""

from __future__ import annotations

import statistics
from functools import partial

import numpy as np
from _common import pictures, report, turns

from skvision import PretrainedFeatureTransformer
from skvision.feature_extraction.engines import resolve
from skvision.networks.backbones import BACKBONES, build_backbone, pooled

NETWORKS = ("VGG16", "ResNet50", "Xception", "EfficientNetLite0")
N = 64
ROUNDS = 2


def compare(name: str) -> None:
    network = pooled(build_backbone(name, weights=None), BACKBONES[name].pooling)
    X, _ = pictures(N, size=BACKBONES[name].size)
    transformers = {
        f"{choice.engine} {choice.precision}": PretrainedFeatureTransformer(
            network, pooling="flatten", engine=choice.engine, precision=choice.precision
        ).fit(X)
        for choice in dict.fromkeys(
            resolve(*wanted)
            for wanted in (("auto", "auto"), ("auto", "float32"), ("keras", "float32"))
        )
    }
    predict = partial(network.predict, X, batch_size=32, verbose=0)
    expected = predict()
    for how, transformer in transformers.items():
        # one at a time: of three engines in turn, each would be loaded anew for each turn
        taken = turns({"ours": partial(transformer.transform, X), "predict": predict}, ROUNDS)
        ours = taken["ours"]
        ratios = [theirs / mine for theirs, mine in zip(taken["predict"], ours, strict=True)]
        difference = np.abs(transformer.transform(X) - expected).max() / np.abs(expected).max()
        report(
            f"{name}, {how}: speed over `keras.Model.predict`, {ROUNDS} pairs",
            f"{statistics.median(ratios):.2f} (median; {min(ratios):.2f} to {max(ratios):.2f}; "
            f"{N / statistics.median(ours):.1f} images/s; largest difference {difference:.1e})",
            ">= 2.0 with bfloat16" if "bfloat16" in how else "difference <= 1e-4",
        )


def main() -> None:
    for name in NETWORKS:
        compare(name)


if __name__ == "__main__":
    main()
