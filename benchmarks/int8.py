"""Whether 8-bit integers would pay: OpenVINO with NNCF's quantisation against floats.

Not part of `make bench`: it needs a folder of photos as its argument, and `pip install nncf`.
"""

from __future__ import annotations

import statistics
import sys

import nncf
import numpy as np
import openvino
from _common import pictures, report, turns
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skvision import load_image_folder
from skvision.images import ImageReader, as_image_batch
from skvision.networks.backbones import BACKBONES, build_backbone, pooled

CALIBRATION, BATCH, ROUNDS = 64, 16, 2
HINTS = {"float32": "f32", "bfloat16": "bf16"}


def converted(name: str, weights: str | None) -> openvino.Model:
    network = pooled(build_backbone(name, weights=weights), BACKBONES[name].pooling)
    model = openvino.convert_model(network, share_weights=False)
    model.reshape([-1, *network.input_shape[1:]])
    return model


def quantised(model: openvino.Model, X: np.ndarray) -> openvino.Model:
    batches = [X[start : start + BATCH].astype(np.float32) for start in range(0, len(X), BATCH)]
    return nncf.quantize(model, nncf.Dataset(batches), subset_size=len(batches))


def runner(model: openvino.Model, hint: str):
    options = {"INFERENCE_PRECISION_HINT": hint, "PERFORMANCE_HINT": "THROUGHPUT"}
    compiled = openvino.Core().compile_model(model, "CPU", options)

    def run(X: np.ndarray) -> np.ndarray:
        queue, rows = openvino.AsyncInferQueue(compiled), {}
        queue.set_callback(
            lambda request, start: rows.__setitem__(
                start, np.array(request.get_output_tensor(0).data)
            )
        )
        for start in range(0, len(X), BATCH):
            queue.start_async({0: X[start : start + BATCH].astype(np.float32)}, start)
        queue.wait_all()
        return np.concatenate([rows[start] for start in sorted(rows)])

    return run


def speed(name: str) -> None:
    X, _ = pictures(CALIBRATION, size=BACKBONES[name].size)
    able = openvino.Core().get_property("CPU", "OPTIMIZATION_CAPABILITIES")
    peers = [precision for precision in HINTS if precision == "float32" or "BF16" in able]
    runs = {precision: runner(converted(name, None), HINTS[precision]) for precision in peers}
    runs["int8"] = runner(quantised(converted(name, None), X), "f32")
    taken = turns({how: lambda run=run: run(X) for how, run in runs.items()}, ROUNDS)
    mine = taken.pop("int8")
    for how, theirs in taken.items():
        ratio = statistics.median(a / b for a, b in zip(theirs, mine, strict=True))
        report(f"{name}: int8 over {how}, images/s", f"{ratio:.2f}", ">= 1.5 over bfloat16")


def accuracy(folder: str) -> None:
    files, y = load_image_folder(folder, return_X_y=True)
    train, test = train_test_split(np.arange(len(files)), stratify=y, random_state=0)
    with ImageReader(as_image_batch(files), (224, 224), "stretch", keep_bytes=0) as reader:
        X = reader.read(np.arange(len(files)))
    model = converted("EfficientNetLite0", "imagenet")
    scores = {}
    for how, run in {
        "float32": runner(model, "f32"),
        "int8": runner(quantised(model, X[train[:CALIBRATION]]), "f32"),
    }.items():
        features = run(X)
        head = make_pipeline(StandardScaler(), LogisticRegression(C=0.001, max_iter=1000))
        scores[how] = head.fit(features[train], y[train]).score(features[test], y[test])
    report(
        "EfficientNetLite0: accuracy with int8 and float32 features",
        f"{scores['int8']:.4f} and {scores['float32']:.4f}",
        "half a point less at most",
    )


def main() -> None:
    for name in ("EfficientNetLite0", "ResNet50"):
        speed(name)
    accuracy(sys.argv[1])


if __name__ == "__main__":
    main()
