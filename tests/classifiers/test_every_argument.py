"""Each constructor argument has an effect; none is stored and ignored."""

from __future__ import annotations

import inspect
import shutil

import keras
import numpy as np
import pytest
from sklearn.base import clone

from skvision import FineTunedClassifier, MiniVGGClassifier
from skvision.feature_extraction.extraction import running_engines

from ..conftest import TINY, small_body

# plain SGD, whose steps are compiled in half of Adam's time
BASE = MiniVGGClassifier(**{**TINY, "epochs": 1, "image_size": 12, "optimizer": "sgd"})


TUNED = FineTunedClassifier(
    small_body(),
    image_size=12,
    dense_units=(8,),
    warmup_epochs=1,
    fine_tune_epochs=0,  # faster, and enough for most arguments
    optimizer="sgd",
    engine="keras",
    random_state=0,
)


def layers(net, capfd, tmp_path):
    return [(layer.name, str(layer.get_config())) for layer in net.model_.layers]


def answers(net, capfd, tmp_path):
    X = np.random.default_rng(1).integers(0, 256, (8, 12, 10, 3), dtype=np.uint8)
    return net.predict_proba(X).tolist()


def epochs(net, capfd, tmp_path):
    return net.n_epochs_


def figures(net, capfd, tmp_path):
    return sorted(net.history_)


def output(net, capfd, tmp_path):
    return capfd.readouterr().out.count("accuracy")


def files(net, capfd, tmp_path):
    return len(list(tmp_path.rglob("*.npz")))


def written(net, capfd, tmp_path):
    """Return the checkpoints and remove them, so that the next training begins from the start."""
    names = sorted(path.name for path in tmp_path.rglob("*.npz"))
    shutil.rmtree(tmp_path / "checkpoints")
    return names


SEEN = []


class Count(keras.callbacks.Callback):
    def on_epoch_end(self, epoch, logs=None):
        SEEN.append(epoch)


def calls(net, capfd, tmp_path):
    return len(SEEN)


def engines(net, capfd, tmp_path):
    """Return the engines that the last fit used."""
    used = sorted({type(engine).__name__ for engine in running_engines.values()})
    running_engines.clear()
    return used


def databases(net, capfd, tmp_path):
    return len(list(tmp_path.rglob("*.sqlite")))


#: argument: (another value, the result that it must change, other arguments to set in both);
#: those that all trained classifiers share
SHARED = {
    "image_size": ((14, 12), layers, {}),
    "dense_units": ((32, 16), layers, {}),
    "activation": ("tanh", layers, {}),
    "dense_dropout": (0.2, layers, {}),
    "precision": ("bfloat16", layers, {}),
    "optimizer": ("adam", answers, {}),
    "label_smoothing": (0.2, answers, {}),
    "mixup": (0.5, answers, {}),
    "cutmix": (1.0, answers, {}),
    "mix_probability": (0.0, answers, {"mixup": 1.0}),
    "predict_crops": ((0.5,), answers, {}),
    "predict_mirrored": (True, answers, {}),
    "batch_size": (16, answers, {}),
    "augmentation": (lambda images, rng: 255 - images, answers, {}),
    "class_weight": ({0: 5, 1: 1}, answers, {}),
    "validation_fraction": (0.2, figures, {}),
    "early_stopping": (True, figures, {}),
    "keras_callbacks": (Count(), calls, {}),
    "checkpoint_dir": ("checkpoints", files, {}),
    "checkpoint_every": (1, written, {"checkpoint_dir": "checkpoints"}),
    "warm_start": (True, epochs, {}),
    "resize": ("crop", answers, {}),
    "random_state": (1, answers, {}),
    "verbose": (2, output, {}),
}
#: those of one classifier
OWN = {
    MiniVGGClassifier: {
        "filters": ((16, 8), layers, {}),
        "convs_per_block": (2, layers, {}),
        "kernel_size": (5, layers, {}),
        "batch_norm": (False, layers, {}),
        "norm_first": (True, layers, {}),
        "pooling": ("avg", layers, {}),
        "se_ratio": (0.5, layers, {}),
        "conv_dropout": (0.5, layers, {}),
        "learning_rate": (0.001, answers, {}),
        "learning_rate_schedule": ("cosine", answers, {"epochs": 2}),
        "epochs": (2, epochs, {}),
        "patience": (1, epochs, {"early_stopping": True, "epochs": 6, "learning_rate": 3.0}),
    },
    FineTunedClassifier: {
        "backbone": (small_body(5), layers, {}),
        "pooling": ("flatten", layers, {}),
        "warmup_epochs": (2, epochs, {}),
        "warmup_learning_rate": (0.01, answers, {}),
        "unfreeze": ("two", answers, {"fine_tune_epochs": 1}),
        "fine_tune_epochs": (1, epochs, {}),
        "fine_tune_learning_rate": (0.01, answers, {"fine_tune_epochs": 1}),
        "layer_decay": (0.5, answers, {"fine_tune_epochs": 1}),
        "learning_rate_schedule": ("cosine", answers, {"warmup_epochs": 2}),
        "patience": (
            1,
            epochs,
            {"early_stopping": True, "warmup_epochs": 6, "warmup_learning_rate": 3.0},
        ),
        "engine": ("openvino", engines, {}),
        "cache": ("features", databases, {}),
    },
}
#: tested with its files, in test_finetuned
ELSEWHERE = {MiniVGGClassifier: set(), FineTunedClassifier: {"weights"}}
#: arguments that control the accepted X; tested below
CONTRACT = {"row_shape", "value_range"}


TABLES = [(base, {**SHARED, **OWN[type(base)]}) for base in (BASE, TUNED)]


@pytest.mark.parametrize(("base", "table"), TABLES, ids=["minivgg", "finetuned"])
def test_every_argument_is_in_the_table(base, table):
    named = set(table) | CONTRACT | ELSEWHERE[type(base)]
    assert set(inspect.signature(type(base)).parameters) == named


@pytest.fixture(scope="module")
def pictures():
    """Colour noise that is taller than wide, the lighter half of it one class."""
    X = np.random.default_rng(0).integers(0, 256, (40, 16, 10, 3), dtype=np.uint8)
    return X, (X.mean(axis=(1, 2, 3)) > np.median(X.mean(axis=(1, 2, 3)))).astype(int)


#: what depends on the fitted net alone, neither on files nor on what was printed
OF_THE_NET = (layers, answers, epochs, figures)
#: (classifier, what is observed, what else is set): what is seen where no argument is changed
AS_IT_IS = {}


def is_shown_elsewhere(base, name, case):
    """Whether the second classifier inherits it, or one quick test shows all such arguments."""
    return (base is TUNED and name in TABLES[0][1]) or (base is BASE and case[1] is layers)


@pytest.mark.parametrize(
    ("base", "name", "case"),
    [
        pytest.param(
            base,
            name,
            case,
            id=f"{type(base).__name__}-{name}",
            marks=[pytest.mark.slow] if is_shown_elsewhere(base, name, case) else [],
        )
        for base, table in TABLES
        for name, case in table.items()
    ],
)
def test_an_argument_has_its_effect(pictures, base, name, case, capfd, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    value, observe, also = case
    plain = clone(base).set_params(**also)

    def seen(net):
        SEEN.clear()
        # twice, for arguments that affect only the second fit
        return observe(net.fit(*pictures).fit(*pictures), capfd, tmp_path)

    key = type(base), observe, repr(also)
    if observe not in OF_THE_NET or key not in AS_IT_IS:
        AS_IT_IS[key] = seen(clone(plain))
        assert seen(clone(plain)) == AS_IT_IS[key]
    assert seen(clone(plain).set_params(**{name: value})) != AS_IT_IS[key]


def test_arguments_of_the_architecture_set_the_layers(pictures):
    net = MiniVGGClassifier(
        image_size=(14, 12),
        filters=(8, 6),
        convs_per_block=1,
        kernel_size=5,
        dense_units=(9, 7),
        activation="tanh",
        batch_norm=True,
        norm_first=True,
        pooling="avg",
        se_ratio=0.5,
        conv_dropout=0.1,
        dense_dropout=0.2,
        precision="bfloat16",
        optimizer="sgd",
        epochs=1,
        random_state=0,
    ).fit(*pictures)
    found = [(type(layer).__name__, layer.get_config()) for layer in net.model_.layers]

    def values(layer, key):
        return [config[key] for kind, config in found if kind == layer]

    assert net.model_.input_shape == (None, 14, 12, 3)
    assert values("Conv2D", "filters") == [8, 6]
    assert values("Conv2D", "kernel_size") == [(5, 5), (5, 5)]
    assert values("Dense", "units") == [4, 8, 3, 6, 9, 7, 2]  # two pairs of squeeze-and-excite
    assert values("Dropout", "rate") == [0.1, 0.1, 0.2, 0.2]
    assert values("Activation", "activation") == ["tanh"] * 4
    assert len(values("GlobalAveragePooling2D", "name")) == 3
    kinds = [kind for kind, _ in found]
    assert kinds.index("BatchNormalization") < kinds.index("Activation")
    assert net.model_.layers[2].compute_dtype == "bfloat16"


def test_row_shape_reshapes_rows_to_images(pictures):
    X, y = pictures
    rows = X.reshape(len(X), -1)
    with pytest.raises(ValueError, match="row_shape"):
        clone(BASE).fit(rows, y)
    net = clone(BASE).set_params(row_shape=(16, 10, 3)).fit(rows, y)
    expected = clone(BASE).fit(X, y).predict_proba(X)
    np.testing.assert_array_equal(net.predict_proba(rows), expected)


def test_value_range_sets_the_scale_of_numbers(pictures):
    X, y = pictures
    with pytest.raises(ValueError, match="accepted are float64 pixels from 0 to 1"):
        clone(BASE).fit(X / 1.0, y)
    net = clone(BASE).set_params(value_range=(0, 255)).fit(X / 1.0, y)
    expected = clone(BASE).fit(X, y).predict_proba(X)
    np.testing.assert_array_equal(net.predict_proba(X / 1.0), expected)
    raw = clone(BASE).set_params(value_range=None).fit(X * 1000.0 - 7, y)
    assert raw.predict_proba(X * 1000.0 - 7).shape == (40, 2)
