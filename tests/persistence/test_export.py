"""Each format is read by its own runtime, and predicts as the classifier does."""

from __future__ import annotations

import copy
import importlib.util
import json
import os

import numpy as np
import pytest
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

from skvision import FineTunedClassifier, ImageNetClassifier, MiniVGGClassifier, export_model

from ..conftest import TINY

SUFFIXES = {"onnx": ".onnx", "openvino": ".xml", "tflite": ".tflite", "savedmodel": ""}


def in_onnx(path, pixels):
    import onnxruntime

    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    return session.run(None, {session.get_inputs()[0].name: pixels})[0]


def in_openvino(path, pixels):
    from skvision.networks.openvino_compat import import_openvino

    core = import_openvino().Core()
    # without the hint it computes in bfloat16 if the processor supports it
    compiled = core.compile_model(path, "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
    return compiled(pixels)[0]


def in_tflite(path, pixels):
    import tensorflow as tf

    interpreter = tf.lite.Interpreter(str(path))
    given = interpreter.get_input_details()[0]["index"]
    interpreter.resize_tensor_input(given, pixels.shape)
    interpreter.allocate_tensors()
    interpreter.set_tensor(given, pixels)
    interpreter.invoke()
    return interpreter.get_tensor(interpreter.get_output_details()[0]["index"])


def in_tensorflow(path, pixels):
    import tensorflow as tf

    loaded = tf.saved_model.load(path)  # it owns its variables
    return np.asarray(loaded.serve(pixels))


RUNTIMES = {
    "onnx": in_onnx,
    "openvino": in_openvino,
    "tflite": in_tflite,
    "savedmodel": in_tensorflow,
}


@pytest.fixture(scope="module")
def tuned(digits):
    """A body with batch normalisation and swapped colours, as in caffe."""
    from ..classifiers.test_finetuned import small_body

    X, y = digits
    return FineTunedClassifier(
        small_body(), warmup_epochs=2, fine_tune_epochs=1, resize="crop", engine="keras",
        random_state=0,
    ).fit(X[:90], y[:90])  # fmt: skip


@pytest.fixture(scope="module")
def squeezed(digits):
    return MiniVGGClassifier(**TINY, se_ratio=0.25).fit(*digits)


@pytest.fixture(scope="module")
def mirrored(fitted):
    return copy.deepcopy(fitted).set_params(predict_mirrored=True)


@pytest.fixture(scope="module")
def cropped(mirrored):
    return copy.deepcopy(mirrored).set_params(predict_crops=(1.0, 0.7))


def test_averaging_over_views_changes_predictions(fitted, mirrored, cropped, digits):
    plain, both, four = (net.predict_proba(digits[0][:5]) for net in (fitted, mirrored, cropped))
    assert np.abs(plain - both).max() > 0.01
    assert np.abs(both - four).max() > 0.01


#: other structures, and predictions averaged over views
KINDS = ("squeezed", "tuned", "mirrored", "cropped")
QUICK = ("fitted", "onnx")


@pytest.mark.parametrize(
    ("kind", "format"),
    [
        pytest.param(kind, format, marks=[] if (kind, format) == QUICK else [pytest.mark.slow])
        for kind in ("fitted", *KINDS)
        for format in RUNTIMES
    ],
)
@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::UserWarning")
def test_its_own_runtime_gives_the_same_probabilities(request, digits, tmp_path, kind, format):
    net = request.getfixturevalue(kind)
    X = digits[0][:5]
    path, beside = export_model(net, tmp_path / f"net{SUFFIXES[format]}", format=format)
    pixels = np.repeat(X[..., None], 3, axis=-1).astype(np.float32)
    found = RUNTIMES[format](path, pixels)
    np.testing.assert_allclose(found, net.predict_proba(X), atol=1e-3)
    # no other files are left, and a second export replaces the first
    assert {each.name for each in tmp_path.iterdir()} <= {
        path.name, beside.name, path.with_suffix(".bin").name
    }  # fmt: skip
    export_model(net, path, format=format)


def test_the_description_says_how_to_prepare_images(tuned, tmp_path):
    _, beside = export_model(tuned, tmp_path / "net.tflite")
    assert beside.name == "net.tflite.json"
    text = json.loads(beside.read_text())
    assert text["classes"] == ["one", "two", "zero"]
    assert text["input"]["shape"] == ["batch", 8, 8, 3]
    assert text["input"]["range"] == [0, 255]
    assert text["resizing"]["policy"] == "crop"
    assert text["output"]["shape"] == ["batch", 3]


@pytest.mark.slow
def test_a_pipeline_and_a_pretrained_network(fitted, digits, tmp_path):
    pipeline = make_pipeline(FunctionTransformer(), fitted)
    assert export_model(pipeline, tmp_path / "pipeline.tflite")[0].stat().st_size > 1000
    net = ImageNetClassifier(image_size=32, engine="keras")
    path, beside = export_model(net, tmp_path / "imagenet.tflite")
    pixels = np.random.default_rng(0).integers(0, 256, (2, 32, 32, 3)).astype(np.uint8)
    found = in_tflite(path, pixels.astype(np.float32))
    # the file has the classes in the network's order, the classifier in the order of names
    classes = json.loads(beside.read_text())["classes"]
    assert classes[:2] == ["tench", "goldfish"]
    by_name = np.argsort(classes)
    np.testing.assert_allclose(found[:, by_name], net.predict_proba(pixels), atol=1e-3)
    assert np.array(classes)[by_name].tolist() == net.classes_.tolist()


def test_bad_arguments(fitted, tmp_path):
    with pytest.raises(
        ValueError, match=r"ending of 'net.bin' is not that of a format.*onnx \(.onnx\)"
    ):
        export_model(fitted, tmp_path / "net.bin")
    with pytest.raises(ValueError, match="format must be one of.*Received: 'coreml'"):
        export_model(fitted, tmp_path / "net.onnx", format="coreml")
    with pytest.raises(ValueError, match=r"A file of onnx ends in .onnx. Received: 'net.tflite'"):
        export_model(fitted, tmp_path / "net.tflite", format="onnx")
    with pytest.raises(ValueError, match="Expected a fitted classifier"):
        export_model(LogisticRegression(), tmp_path / "net.onnx")
    with pytest.raises(NotFittedError):
        export_model(MiniVGGClassifier(), tmp_path / "net.onnx")
    with pytest.raises(FileNotFoundError, match="There is no folder"):
        export_model(fitted, tmp_path / "nowhere" / "net.tflite")
    (tmp_path / "mine").mkdir()
    with pytest.raises(FileExistsError, match="isn't a SavedModel"):
        export_model(fitted, tmp_path / "mine", format="savedmodel")
    assert os.listdir(tmp_path) == ["mine"]


def test_the_error_of_a_missing_converter_has_the_pip_command(fitted, tmp_path, monkeypatch):
    real = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name: None if name == "tf2onnx" else real(name)
    )
    with pytest.raises(ImportError, match=r'tf2onnx.*pip install "skvision\[onnx\]"'):
        export_model(fitted, tmp_path / "net.onnx")
