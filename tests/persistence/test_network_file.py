from __future__ import annotations

import subprocess
import sys

import keras
import numpy as np
import pytest
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

from skvision import load_network, network_summary, save_network

SUFFIXES = ["hdf5", "h5", "keras"]


@pytest.fixture
def compiled():
    """The user's own small model, with an optimiser that has been used."""
    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(2, name="out")])
    model.compile(keras.optimizers.Adam(0.123), keras.losses.MeanSquaredError())
    rng = np.random.default_rng(0)
    model.fit(rng.normal(size=(20, 4)), rng.normal(size=(20, 2)), verbose=0)
    return model


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_a_loaded_network_gives_the_same_predictions(fitted, digits, tmp_path, suffix):
    path = save_network(fitted, tmp_path / f"digits.{suffix}")
    network = load_network(str(path))
    rgb = np.repeat(digits[0][:16, :, :, None], 3, axis=-1)
    np.testing.assert_allclose(
        network.predict(rgb, verbose=0), fitted.predict_proba(digits[0][:16]), atol=1e-6
    )
    assert [p.name for p in tmp_path.iterdir()] == [path.name]


@pytest.mark.slow
def test_another_process_reads_it_without_skvision(fitted, digits, tmp_path):
    path = save_network(fitted, tmp_path / "digits.hdf5")
    code = (
        "import sys, keras, numpy as np\n"
        "network = keras.models.load_model(sys.argv[1])\n"
        "X = np.full((1, 8, 8, 3), 100, 'uint8')\n"
        "print(*network.predict(X, verbose=0)[0], 'skvision' in sys.modules)\n"
    )
    run = subprocess.run(
        [sys.executable, "-c", code, str(path)], capture_output=True, text=True, check=True
    )
    *numbers, ours = run.stdout.split()
    expected = fitted.predict_proba(np.full((1, 8, 8), 100, np.uint8))[0]
    np.testing.assert_allclose([float(n) for n in numbers], expected, atol=1e-5)
    assert ours == "False"


def test_one_format_does_not_spoil_the_next(compiled, tmp_path):
    """With Keras' own save, a .keras file after an .h5 file has another optimiser."""
    for suffix in SUFFIXES:
        save_network(compiled, tmp_path / f"own.{suffix}")
    loaded = load_network(tmp_path / "own.keras")
    assert type(loaded.optimizer) is keras.optimizers.Adam
    assert float(loaded.optimizer.learning_rate) == pytest.approx(0.123)
    pairs = zip(loaded.optimizer.variables, compiled.optimizer.variables, strict=True)
    for ours, theirs in pairs:
        np.testing.assert_array_equal(ours, theirs)
    # and saving didn't change the model
    assert type(compiled.optimizer) is keras.optimizers.Adam


def test_pipelines_and_searches_are_unwrapped(fitted, tiny, digits, tmp_path):
    pipeline = make_pipeline(FunctionTransformer(), fitted)
    search = GridSearchCV(
        make_pipeline(FunctionTransformer(), tiny),
        {"minivggclassifier__epochs": [1]},
        cv=2,
    ).fit(*digits)
    inner = make_pipeline(GridSearchCV(tiny, {"epochs": [1]}, cv=2)).fit(*digits)
    for estimator in (pipeline, search, inner):
        assert load_network(save_network(estimator, tmp_path / "n.keras")).output_shape == (None, 3)


def test_estimators_without_a_network_are_refused(tiny, tmp_path):
    with pytest.raises(ValueError, match=r"Expected a fitted classifier.*LogisticRegression"):
        save_network(LogisticRegression(), tmp_path / "n.h5")
    with pytest.raises(NotFittedError):
        save_network(tiny, tmp_path / "n.h5")
    with pytest.raises(ValueError, match=r"ends in .h5, .hdf5, .keras. Received: 'n.pkl'"):
        save_network(tiny, tmp_path / "n.pkl")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_a_failed_save_leaves_the_earlier_file(fitted, tmp_path, monkeypatch, suffix):
    path = tmp_path / f"n.{suffix}"
    path.write_bytes(b"earlier")

    def half(self, filepath, **how):
        filepath.write_bytes(b"half")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(keras.Model, "save", half)
    with pytest.raises(OSError, match="No space left"):
        save_network(fitted, path)
    assert path.read_bytes() == b"earlier"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_bad_files(fitted, tmp_path, suffix):
    path = tmp_path / f"n.{suffix}"
    with pytest.raises(FileNotFoundError, match="There is no network file"):
        load_network(path)
    path.write_text("hello")
    with pytest.raises(ValueError, match=r"damaged, holds code, or isn't a network"):
        load_network(path)
    save_network(fitted, path)
    path.write_bytes(path.read_bytes()[:5000])
    with pytest.raises(ValueError, match="damaged"):
        load_network(path)


@pytest.mark.parametrize("suffix", SUFFIXES)
@pytest.mark.parametrize("nested", [False, True])
def test_code_in_a_file_is_never_run(tmp_path, suffix, nested):
    marker = tmp_path / "ran"
    layer = keras.layers.Lambda(eval(f"lambda x: (open({str(marker)!r}, 'w'), x)[1]"))
    model = keras.Sequential([keras.Input((4,)), layer])
    if nested:
        model = keras.Sequential([keras.Input((4,)), model])
    model.save(tmp_path / f"bomb.{suffix}")
    marker.unlink(missing_ok=True)
    with pytest.raises(ValueError, match="Lambda|lambda"):
        load_network(tmp_path / f"bomb.{suffix}")
    assert not marker.exists()


def test_a_file_of_weights_alone_is_refused(fitted, tmp_path):
    import h5py

    with h5py.File(tmp_path / "w.h5", "w") as file:
        file["weights"] = np.zeros(3)
    with pytest.raises(ValueError, match="only weights"):
        load_network(tmp_path / "w.h5")


def test_a_network_whose_compilation_is_unreadable_still_predicts(tmp_path):
    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(2)])
    model.compile("sgd", "mse")  # Keras 3.15 can't read that back from HDF5
    X = np.ones((1, 4))
    path = save_network(model, tmp_path / "n.h5")
    try:
        keras.models.load_model(path)
        pytest.skip("this Keras reads it back")
    except ValueError:
        pass
    with pytest.warns(UserWarning, match=r"It can predict; call its compile\(\)"):
        loaded = load_network(path)
    np.testing.assert_array_equal(loaded.predict(X, verbose=0), model.predict(X, verbose=0))


def test_summary_lists_the_layers(fitted):
    text = network_summary(fitted)
    assert "block1_conv1 (Conv2D)" in text
    assert f"Total params: {fitted.model_.count_params():,}" in text
    assert max(len(line) for line in text.splitlines()) <= 80
