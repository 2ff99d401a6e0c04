"""Models that can't be written to their place are saved elsewhere."""

from __future__ import annotations

import shutil
import tempfile

import joblib
import pytest

from skvision import MiniVGGClassifier
from skvision._system.threads import thread_limit
from skvision.cli._models import model_writer
from skvision.cli._start import use_threads


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
