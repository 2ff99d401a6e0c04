"""Models that can't be written to their place are saved elsewhere."""

from __future__ import annotations

import shutil
import tempfile

import joblib
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV

from skvision import (
    FineTunedClassifier,
    ImageNetClassifier,
    MiniVGGClassifier,
    make_feature_classifier,
)
from skvision._system.threads import thread_limit
from skvision.cli._models import model_writer, reads_as
from skvision.cli._start import use_threads
from skvision.cli._trainable import MODELS


@pytest.fixture
def out(tmp_path, monkeypatch):
    """A file in a folder, and a temporary directory beside it."""
    (tmp_path / "folder").mkdir()
    (tmp_path / "spare").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "spare"))
    return tmp_path / "folder" / "m.joblib"


def write_to_what_goes(out, *folders):
    with model_writer(out) as write:
        for folder in folders:
            shutil.rmtree(folder)
        write("a model")


def test_a_model_is_written(out):
    with model_writer(out) as write:
        write("a model")
    assert joblib.load(out) == "a model"


def test_a_second_place(out, tmp_path):
    with pytest.raises(OSError, match="but it is saved as") as caught:
        write_to_what_goes(out, out.parent)
    (spare,) = (tmp_path / "spare").glob("skvision-*/m.joblib")
    assert str(spare) in str(caught.value)
    assert joblib.load(spare) == "a model"


def test_no_place_at_all(out, tmp_path):
    with pytest.raises(OSError, match="It is lost"):
        write_to_what_goes(out, out.parent, tmp_path / "spare")


def test_an_error_of_the_training_is_not_blamed_on_the_file(out):
    with pytest.raises(FileNotFoundError, match="^an image$"), model_writer(out):
        raise FileNotFoundError("an image")


class MyNet(MiniVGGClassifier):
    pass


def test_a_model_that_a_safe_file_cannot_hold_is_not_lost(out):
    out = out.with_suffix(".skv")
    with (
        pytest.raises(ValueError, match=r"saved as .*m.joblib, not as .*MyNet is a class"),
        model_writer(out) as write,
    ):
        write(MyNet())
    assert type(joblib.load(out.with_suffix(".joblib"))) is MyNet
    assert not out.exists()


def test_threads(monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "7")
    use_threads(None)
    assert thread_limit() == 7
    use_threads(3)
    assert thread_limit() == 3


def test_how_a_model_reads_images(fitted):
    assert reads_as(fitted) == ((8, 8), "stretch", "auto", False)
    assert reads_as(FineTunedClassifier(fitted)).size == (8, 8)
    named = FineTunedClassifier("Xception", cache=True)
    assert reads_as(named) == ((299, 299), "stretch", "auto", True)
    features = make_feature_classifier(image_size=(9, 7), resize="pad", value_range=(0, 9))
    assert reads_as(features) == ((9, 7), "pad", (0, 9), False)
    search = GridSearchCV(MiniVGGClassifier(), {"epochs": [1]})
    assert reads_as(search) is None  # not before it is fitted
    search.best_estimator_ = features
    assert reads_as(search).size == (9, 7)
    assert reads_as(ImageNetClassifier(image_size=20)).size == (20, 20)
    assert reads_as(LogisticRegression()) is None
    with pytest.raises(ValueError, match="resize"):
        reads_as(MiniVGGClassifier(resize="squeeze"))


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize(
    "given",
    [
        {},
        {"image_size": 20, "resize": "crop"},
        {"image_size": (40, 60), "value_range": (0, 4095)},
        {"backbone": "inception_v3", "cache": None},
        {"backbone": "vgg16", "cache": "somewhere"},
        {"checkpoint_dir": "somewhere"},
    ],
)
def test_how_images_are_read_is_known_before_the_backend_starts(
    model, given, monkeypatch, tmp_path
):
    monkeypatch.chdir(tmp_path)
    row = MODELS[model]
    given = {name: given[name] for name in given.keys() & row.constructor().types.keys()}
    arguments = {**row.defaults, **given}
    assert row.reads_as(arguments) == reads_as(row.make(arguments))


@pytest.mark.parametrize("given", [{"image_size": -1}, {"backbone": "mine.keras"}])
def test_what_only_the_estimator_knows_about_images_is_left_to_it(given):
    row = MODELS["features"]
    assert row.reads_as({**row.defaults, **given}) is None
