"""``--group-by``: related images stay on one side, and figures of each group."""

from __future__ import annotations

import csv
import io
import json
import re
import shutil
from collections import Counter

import numpy as np
import pytest

from skvision import load
from skvision.cli._labelled import Labelled
from skvision.cli.evaluate import Answer, _by_group
from skvision.cli.train import _split
from skvision.inspection.measures import proportion_interval

from .command import called, ran, refused

#: tens of the number of a digit's file: ten groups of images of several classes
NUMBER = r"(\d)\d\.png$"
QUICK = ("--epochs", 1, "--image-size", 8, "--set", "filters=4,", "--set", "dense_units=()")


def test_groups_are_held_out_whole():
    groups = np.repeat(list("abcdefgh"), 3)
    y = np.where(groups < "e", "cat", "dog")
    images = Labelled(np.arange(24).astype(object), y, groups)
    seen, kept_back = _split(images, 0.25, 0)
    assert sorted([*seen.X, *kept_back.X]) == list(range(24))
    assert (y[seen.X.astype(int)] == seen.y).all()
    assert (groups[kept_back.X.astype(int)] == kept_back.groups).all()
    assert not set(seen.groups) & set(kept_back.groups)
    assert np.unique(kept_back.y, return_counts=True)[1].tolist() == [3, 3]
    with pytest.raises(ValueError, match="--test-fraction 0.25 holds out whole groups"):
        _split(Labelled(images.X, y, y), 0.25, 0)


def test_an_estimator_gets_groups_if_it_takes_them():
    class Taking:
        def fit(self, X, y, groups=None):
            return groups

    class Plain:
        def fit(self, X, y):
            return "fitted"

    groups = np.array(["a", "b"])
    assert Labelled(["1", "2"], [0, 1], groups).fit(Taking()) is groups
    assert Labelled(["1", "2"], [0, 1]).fit(Taking()) is None
    assert Labelled(["1", "2"], [0, 1], groups).fit(Plain()) == "fitted"


def test_train(digits_folder, tmp_path):
    out = tmp_path / "m.skv"
    words = ("--out", out, *QUICK, "--early-stopping", "--group-by", NUMBER)
    result = called("train", digits_folder, *words)
    assert result.returncode == 0, result.stderr
    assert "12 nine" in result.stdout or "12 zero" in result.stdout
    assert ", in 10 groups\n" in result.stdout
    n_images = int(re.search(r"Accuracy [01]\.\d+ on (\d+) images held out", result.stdout)[1])
    assert 20 <= n_images <= 40
    net = load(out)
    n_groups = net.held_out_["n_groups"]
    assert n_groups in (2, 3)
    assert len(net.history_["val_loss"]) == 1
    said = f"on {n_images} held-out images, in {n_groups} groups"
    assert said in ran("info", out, by=called)


def test_a_search_by_groups(digits_folder, tmp_path):
    words = ("--out", tmp_path / "m.skv", *QUICK, "--group-by", NUMBER, "--cv", 2)
    result = called("train", digits_folder, *words, "--search", "learning_rate=0.1,0.01")
    assert result.returncode == 0, result.stderr
    assert "2 folds each" in result.stdout
    assert "failed" not in result.stdout


def test_test_images_of_training_groups_are_refused(digits_folder, tmp_path):
    for name in ("one", "two"):
        files = sorted((digits_folder / name).iterdir())
        for file, part, number in zip(
            files, ("train", "train", "test"), (10, 20, 29), strict=False
        ):
            (tmp_path / part / name).mkdir(parents=True, exist_ok=True)
            shutil.copy(file, tmp_path / part / name / f"{number}.png")
    words = ("--out", tmp_path / "m.skv", *QUICK, "--group-by", NUMBER)
    said = refused("train", tmp_path / "train", "--test", tmp_path / "test", *words)
    assert "1 groups of --test are in the training images too, the first: '2'" in said


@pytest.mark.parametrize(
    ("expression", "said"),
    [
        (r"(\d+", "isn't a regular one"),
        (r"\d+", "no groups in parentheses"),
        (r"animal(\d+)", "none of the 120 images"),
    ],
)
def test_expressions_that_find_nothing_are_refused(
    digits_folder, model, tmp_path, expression, said
):
    words = ("--group-by", expression)
    assert said in refused("train", digits_folder, "--out", tmp_path / "m.skv", *words)
    assert said in refused("evaluate", model, digits_folder, *words)


# evaluation


def test_groups_are_ranked_by_accuracy():
    answers = [
        Answer("1", "cat", "cat", 0.9),
        Answer("2", "cat", "dog", 0.9),
        Answer("3", "dog", "dog", 0.9),
        Answer("4", "cat", "cat", 0.9),
    ]
    found = _by_group(answers, {"1": "tom", "2": "tom", "3": "rex", "4": "ann"})
    assert list(found) == ["tom", "ann", "rex"]
    assert found["tom"]["accuracy"] == 0.5
    assert found["tom"]["n"] == 2
    low, high = proportion_interval(1, 2)
    assert found["tom"]["interval"] == [pytest.approx(low), pytest.approx(high)]


def test_json_has_the_accuracy_of_each_group(model, digits_folder):
    words = ("evaluate", model, digits_folder, "--group-by", NUMBER)
    figures = json.loads(ran(*words, "--format", "json", by=called))
    groups = figures["groups"]
    names = [re.search(NUMBER, str(file))[1] for file in digits_folder.glob("*/*.png")]
    assert {name: each["n"] for name, each in groups.items()} == Counter(names)
    n_correct = sum(round(each["accuracy"] * each["n"]) for each in groups.values())
    assert n_correct == round(figures["accuracy"] * 120)
    wrong = [re.search(NUMBER, each["file"])[1] for each in figures["misclassified"]]
    for name, each in groups.items():
        low, high = each["interval"]
        assert 0 <= low <= each["accuracy"] <= high <= 1
        assert each["accuracy"] == pytest.approx(1 - wrong.count(name) / each["n"])
    printed = ran(*words, by=called)
    rows = printed.split("95 % interval)\n")[1].split("\n\n")[0].splitlines()
    assert rows[0].split() == ["group", "accuracy", "from", "to", "images"]
    assert [row.split()[0] for row in rows[1:]] == list(groups)
    table = csv.DictReader(io.StringIO(ran(*words, "--format", "csv", by=called)))
    assert all(re.search(NUMBER, row["file"])[1] == row["group"] for row in table)
