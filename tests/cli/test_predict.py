"""``skvision predict``."""

from __future__ import annotations

import csv
import io
import json
import os
import re
import shutil
from pathlib import Path

import joblib
import numpy as np
import pytest
from PIL import Image
from sklearn.utils import Bunch

import skvision
from skvision import MiniVGGClassifier, SkippedImageWarning, load
from skvision.cli.evaluate import _answers

from .command import OnTerminal, called, ran, refused, run


def test_predict_names_files_and_folders(model, one, digits_folder):
    words = ("predict", model, one, digits_folder / "two", "--top", 3)
    lines = ran(*words, by=called).splitlines()
    assert len(lines) == 13
    file, answer = lines[0].split(": ")
    assert file == str(one)
    names_and_scores = [part.split() for part in answer.split(", ")]
    assert len(names_and_scores) == 3
    scores = [float(score) for _, score in names_and_scores]
    assert scores == sorted(scores, reverse=True)


def test_csv_with_more_classes_requested_than_known(model, one):
    text = ran("predict", model, one, "--top", 99, "--format", "csv", by=called)
    (row,) = csv.DictReader(io.StringIO(text))
    assert len(row) == 1 + 2 * 10
    assert row["file"] == str(one)
    numbers = [float(row[f"probability_{k}"]) for k in range(1, 11)]
    assert numbers == sorted(numbers, reverse=True)
    assert sum(numbers) == pytest.approx(1, abs=1e-4)
    assert {row[f"class_{k}"] for k in range(1, 11)} == set(load(model).classes_)


@pytest.mark.slow
def test_json_of_names_on_standard_input(model, one, digits_folder, tmp_path):
    """Names with spaces, in all languages and not text; a folder; unreadable images."""
    names = [os.fsencode(name) for name in ("a b.png", "ñ 犬.png", " c ")] + [b"\xff.png"]
    for name in names:
        shutil.copy(one, os.path.join(os.fsencode(tmp_path), name))
    (tmp_path / "bad.png").write_bytes(b"")
    shutil.copytree(digits_folder / "two", tmp_path / "folder")
    given = b"\n".join([*names, b"", b"bad.png", b"nowhere.png", b"folder"])
    words = ("predict", model, "-", "--format", "json")
    result = run(*words, input=given, cwd=tmp_path, text=False)
    assert result.returncode == 2
    entries = json.loads(result.stdout)
    files = [os.fsencode(entry["file"]) for entry in entries]
    assert files[:6] == [*names, b"bad.png", b"nowhere.png"]
    assert len(files) == 6 + 12
    answers = [entry["predictions"] for entry in entries[:4]]
    assert answers == [answers[0]] * 4
    assert set(answers[0][0]) == {"class", "probability"}
    assert [entry.get("error") for entry in entries[4:6]] == [
        "cannot read the image bad.png: the file is empty",
        f"cannot read the image nowhere.png: no such file; looked in {tmp_path}",
    ]
    assert result.stderr.decode().splitlines() == [
        f"skvision: {entry['error']}" for entry in entries[4:6]
    ]


def test_unreadable_images_do_not_stop_the_others(model, one, tmp_path):
    bad = tmp_path / "bad.png"
    bad.write_bytes(b"")
    result = called("predict", model, bad, one)
    assert result.returncode == 2
    assert len(result.stdout.splitlines()) == 1
    assert result.stderr == f"skvision: cannot read the image {bad}: the file is empty\n"


@pytest.fixture(scope="module")
def deep(tmp_path_factory):
    """A model of images of 12 bits, and a folder of four of them beside one of 8 bits."""
    folder = tmp_path_factory.mktemp("deep")
    files, labels = [], ["low", "low", "high", "high"]
    for place, label in enumerate(labels):
        files.append(folder / label / f"{place}.png")
        files[-1].parent.mkdir(exist_ok=True)
        pixels = np.full((8, 8), 500 if label == "low" else 3500, np.uint16) + place
        Image.fromarray(pixels).save(files[-1])
    net = MiniVGGClassifier(
        image_size=8,
        filters=(2,),
        dense_units=(),
        epochs=1,
        value_range=(0, 4095),
        random_state=0,
    )
    skvision.save(net.fit([str(file) for file in files], labels), folder / "m.skv")
    Image.new("L", (8, 8), 128).save(folder / "low" / "eight.png")
    return folder


def test_an_image_off_the_scale_does_not_stop_the_others(deep):
    result = called("predict", deep / "m.skv", deep / "low", deep / "high", "--format", "json")
    assert result.returncode == 2
    entries = json.loads(result.stdout)
    assert [Path(entry["file"]).name for entry in entries if "error" in entry] == ["eight.png"]
    assert sum("predictions" in entry for entry in entries) == 4
    (line,) = result.stderr.splitlines()
    assert re.search(r"eight\.png: value_range=\(0.0, 4095.0\) is for images of more", line)


def test_evaluate_leaves_out_an_image_off_the_scale_where_it_may(deep):
    assert "eight.png: value_range" in refused("evaluate", deep / "m.skv", deep / "low")
    files = sorted(map(str, (deep / "low").iterdir()))
    data = Bunch(data=np.array(files, dtype=object), target=np.array(["low"] * len(files)))
    net = load(deep / "m.skv")
    with pytest.warns(SkippedImageWarning, match=r"1 unreadable images .*eight\.png: value_range"):
        answers = list(_answers(net, data, skip_unreadable=True))
    assert [answer.file for answer in answers] == files[:2]
    only = Bunch(data=data.data[2:], target=data.target[2:])
    with pytest.warns(SkippedImageWarning), pytest.raises(ValueError, match="None of the images"):
        list(_answers(net, only, skip_unreadable=True))


@pytest.mark.slow
def test_predictions_go_to_standard_output_beside_the_progress_bar(model, digits_folder):
    predicting = OnTerminal("predict", model, digits_folder)
    code, printed, shown = predicting.end()
    assert code == 0
    assert len(printed.splitlines()) == 120
    assert "predicting" in shown
    assert ".png" not in shown


def test_wrong_images(model, tmp_path):
    assert "no images in the folder" in refused("predict", model, tmp_path)
    empty = refused("predict", model, "-", by=run, input="\n")
    assert "no file names on standard input" in empty


def test_wrong_models(tmp_path, model, one, digits_folder):
    assert "There is no model file" in refused("predict", tmp_path / "m.joblib", one, "--trust")
    broken = tmp_path / "broken.joblib"
    broken.write_bytes(model.read_bytes()[:3000])
    assert "damaged" in refused("predict", broken, one, "--trust")
    broken.write_text("hello")
    assert "damaged" in refused("evaluate", broken, digits_folder, "--trust")
    joblib.dump({"no": "model"}, broken)
    assert "holds a dict" in refused("predict", broken, one, "--trust")


def test_a_model_is_not_loaded_without_trust(tmp_path, digits_folder):
    class Bomb:
        def __reduce__(self):
            return (open, (str(tmp_path / "exploded"), "w"))

    for name, reason in (("m.joblib", "--trust"), ("m.skv", "damaged")):
        joblib.dump(Bomb(), tmp_path / name)
        assert reason in refused("predict", tmp_path / name, digits_folder)
    # --trust has no effect on other files
    assert "damaged" in refused("predict", tmp_path / "m.skv", digits_folder, "--trust")
    assert not (tmp_path / "exploded").exists()
