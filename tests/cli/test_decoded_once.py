"""No command opens an image a second time, so none is decoded a second time."""

from __future__ import annotations

import json
import os
import sys
from collections import Counter

import pytest

from .command import called

#: the folder whose files are counted, and how often each was opened
_watched: list[str] = []
_opened: Counter[str] = Counter()


def _note(event, arguments):
    if event == "open" and _watched and isinstance(arguments[0], str):
        name = arguments[0]
        if name.startswith(_watched[-1]) and name.endswith(".png"):
            _opened[name] += 1


sys.addaudithook(_note)  # none can be taken away


@pytest.fixture
def times(digits_folder, tmp_path, monkeypatch):
    """How often the command opened each image."""
    monkeypatch.setenv("SKVISION_CACHE", str(tmp_path / "cache"))
    _opened.clear()
    _watched.append(str(digits_folder) + os.sep)
    yield _opened
    _watched.clear()


TINY = ("--epochs", 2, "--image-size", 8)
# the model of other tests is a backbone that is quick to build
OWN = ("train", "FOLDER", "--out", "OUT.skv", "--backbone", "MODEL", "--set", "engine=keras")
COMMANDS = {
    "from scratch": (
        *("train", "FOLDER", "--out", "OUT.skv", *TINY, "--set", "validation_fraction=0.2"),
        *("--set", "checkpoint_dir=OUT.checkpoints", "--set", "mixup=0.2"),
    ),
    "a search": (
        *("train", "FOLDER", "--out", "OUT.skv", *TINY),
        *("--search", "learning_rate=0.1,0.01", "--cv", 2),
    ),
    "features": (*OWN, "--model", "features"),
    "features without a cache": (*OWN, "--model", "features", "--set", "cache=none"),
    "fine-tuning": (
        *(*OWN, "--model", "finetune"),
        *("--set", "warmup_epochs=1", "--set", "fine_tune_epochs=1"),
    ),
    "predict": ("predict", "MODEL", "FOLDER"),
    "evaluate": ("evaluate", "MODEL", "FOLDER"),
    "features of a folder": (
        *("features", "FOLDER", "--out", "OUT.npz", "--backbone", "MODEL"),
        *("--set", "engine=keras"),
    ),
}


@pytest.mark.parametrize("what", COMMANDS)
def test_each_image_is_opened_once(what, model, digits_folder, tmp_path, times):
    places = {"FOLDER": str(digits_folder), "MODEL": str(model), "OUT": str(tmp_path / "out")}
    words = []
    for word in map(str, COMMANDS[what]):
        for name, place in places.items():
            word = word.replace(name, place)
        words.append(word)
    result = called(*words)
    assert result.returncode == 0, result.stderr
    files = {str(file) for file in digits_folder.glob("*/*.png")}
    assert times == dict.fromkeys(files, 1)


def test_a_report_opens_only_mistakes_again(model, digits_folder, tmp_path, times):
    result = called("report", model, digits_folder, "--out", tmp_path / "out.html")
    assert result.returncode == 0, result.stderr
    assert set(times) == {str(file) for file in digits_folder.glob("*/*.png")}
    again = {file for file, n in times.items() if n > 1}
    figures = called("evaluate", model, digits_folder, "--format", "json").stdout
    wrong = {each["file"] for each in json.loads(figures)["misclassified"]}
    # to show them larger, and to explain them
    assert again <= wrong
    assert len(again) == min(12, len(wrong))
