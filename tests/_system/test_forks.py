"""A process that was forked after a backend ran refuses to compute, and never hangs."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

import skvision

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")

PARENT = """
import os, signal, sys, warnings
warnings.simplefilter("ignore")
import joblib, keras, numpy as np, skvision
from skvision import (
    FineTunedClassifier, ImageNetClassifier, MiniVGGClassifier, PretrainedFeatureTransformer
)
from skvision.networks.backbones import build_backbone
path = sys.argv[1]
X = np.random.default_rng(0).integers(0, 256, (8, 8, 8), dtype=np.uint8)
y = np.arange(8) % 2

def child(what):
    reading, writing = os.pipe()
    pid = os.fork()
    if not pid:
        signal.alarm(90)  # against hanging
        try:
            what()
            text = "went well"
        except BaseException as error:
            text = f"{type(error).__name__}: {error}"
        os.write(writing, text.encode())
        os._exit(0)
    os.close(writing)
    print(os.fdopen(reading).read(), flush=True)
    os.waitpid(pid, 0)
"""


def run(code, path):
    result = subprocess.run(
        [sys.executable, "-c", PARENT + code, str(path)],
        capture_output=True,
        text=True,
        check=True,
        timeout=300,
    )
    return result.stdout.splitlines()


@pytest.mark.slow
def test_after_a_prediction_every_entry_point_raises_advice(fitted, tmp_path):
    # a parent that only loads may fork; one process for all, since each needs to start Keras
    lines = run(
        "net = skvision.load(path)\n"
        "for what in (lambda: net.predict(X), lambda: skvision.load(path).predict(X)):\n"
        "    child(what)\n"
        "net.predict(X); skvision.save_network(net, path + '.keras')\n"
        "seen = PretrainedFeatureTransformer(net).fit(X); seen.transform(X)\n"
        "flip = keras.layers.RandomFlip()\n"
        "for what in (\n"
        "    lambda: net.predict(X), lambda: net.score(X, y), lambda: net.model_,\n"
        "    lambda: skvision.load(path).predict_proba(X), lambda: net.fit(X, y),\n"
        "    lambda: net.partial_fit(X, net.classes_[y]),\n"
        "    lambda: MiniVGGClassifier(augmentation=flip).fit(X, y),\n"
        "    lambda: FineTunedClassifier(net).fit(X, y),\n"
        "    lambda: seen.transform(X), lambda: PretrainedFeatureTransformer().fit(X),\n"
        "    lambda: ImageNetClassifier().predict(X),\n"
        "    lambda: skvision.save_network(net, path + '.keras'),\n"
        "    lambda: skvision.find_learning_rate(net, X, y),\n"
        "    lambda: skvision.load_network(path + '.keras'),\n"
        "    lambda: build_backbone('MobileNet', image_size=(32, 32), weights=None),\n"
        "):\n"
        "    child(what)\n",
        skvision.save(fitted, tmp_path / "net.skv"),
    )
    assert lines[:2] == ["went well", "went well"]
    assert len(lines) == 2 + 15
    for line in lines[2:]:
        assert line.startswith("RuntimeError: This process was forked from one that had already")
        assert "Load the model in each worker" in line
