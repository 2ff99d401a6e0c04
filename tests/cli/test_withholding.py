"""``train --coverage``, ``predict --coverage`` and ``predict --at-least``."""

from __future__ import annotations

import csv
import io
import json

import numpy as np
import pytest

from skvision import load

from .command import called, ran, refused

#: ten classes of twelve images, of which three calibrate
TRAINING = ("--image-size", 8, "--learning-rate", 0.05, "--test-fraction", 0)


@pytest.fixture(scope="module")
def calibrated(digits_folder, tmp_path_factory):
    path = tmp_path_factory.mktemp("calibrated") / "m.skv"
    words = ("train", digits_folder, "--out", path, "--epochs", 8, "--coverage", 0.75)
    result = called(*words, *TRAINING)
    assert result.returncode == 0, result.stderr
    return path


def test_a_calibrated_model(calibrated, digits_folder):
    model = load(calibrated)
    assert (model.coverage, model.method_) == (0.75, "probability")
    np.testing.assert_array_equal(model.n_calibration_, 3)
    assert model.estimators_[0].estimator.verbose == 0
    facts = json.loads(ran("info", calibrated, "--format", "json", by=called))
    assert (facts["kind"], facts["coverage"]) == ("ConformalImageClassifier", 0.75)
    assert facts["epochs"] == 8
    assert ran("evaluate", calibrated, digits_folder, by=called).startswith("Accuracy")


def predicted(*words):
    """Return the answers as JSON and as CSV, and the lines of the table."""
    entries = json.loads(ran("predict", *words, "--format", "json", by=called))
    rows = list(csv.DictReader(io.StringIO(ran("predict", *words, "--format", "csv", by=called))))
    return entries, rows, ran("predict", *words, by=called).splitlines()


def test_answers_with_a_coverage(calibrated, digits_folder):
    # of three calibration images per class, one is beyond the limit
    files = sorted(digits_folder.rglob("*.png"))
    model, names = load(calibrated), list(map(str, files))
    sets = model.predict_set(names, coverage=0.5)
    entries, rows, lines = predicted(calibrated, *files, "--coverage", 0.5)
    reasons = set()
    for entry, row, line, inside in zip(entries, rows, lines, sets, strict=True):
        within = model.classes_[inside].tolist()
        likeliest = entry["predictions"][0]
        assert entry["set"] == within
        if len(within) == 1:
            assert (entry["answer"], entry["withheld"]) == (within[0], None)
            assert (row["answer"], row["withheld"]) == (within[0], "")
            assert line.partition(": ")[2].startswith(f"{within[0]} ")
        else:
            reason = " or ".join(within) or "unlike every class"
            assert (entry["answer"], entry["withheld"]) == (None, reason)
            assert (row["answer"], row["withheld"]) == ("", reason)
            said = f"{likeliest['class']} {likeliest['probability']:.3f}"
            assert line.endswith(f": withheld, {reason} ({said})")
            reasons.add(reason)
        assert row["class_1"] == likeliest["class"]
    assert 0 < (sets.sum(axis=1) == 1).sum() < len(files)
    assert "unlike every class" in reasons


def test_answers_of_at_least_a_probability(model, calibrated, digits_folder):
    words = (digits_folder, "--at-least", 0.95, "--top", 2)
    for path, more in ((model, ()), (calibrated, ("--coverage", 0.75))):
        entries, rows, lines = predicted(path, *words, *more)
        answered = 0
        for entry, row, line in zip(entries, rows, lines, strict=True):
            likeliest = entry["predictions"][0]
            assert len(entry["predictions"]) == 2
            assert "class_2" in row
            if entry["answer"]:
                answered += 1
                assert likeliest["probability"] >= 0.95
                assert "withheld" not in line
            elif entry["withheld"] == "below 0.95":
                assert likeliest["probability"] < 0.95
                assert ": withheld, below 0.95 (" in line
            else:
                assert more
            assert row["withheld"] == (entry["withheld"] or "")
        assert 0 < answered < len(entries)


def test_a_set_of_another_class_than_the_likeliest(calibrated, digits_folder):
    """Rare, since it takes classes with very different limits: by hand."""
    from skvision.cli._withholding import Answer, Withholding
    from skvision.cli.predict import _WRITERS, Columns, Prediction

    row, inside = np.array([0.3, 0.7]), np.array([True, False])
    answer = Withholding(0.9, None).answer(["cat", "dog"], row, inside)
    assert answer == Answer("cat", None, ["cat"])
    assert Withholding(0.9, 0.5).answer(["cat", "dog"], row, inside).reason == "below 0.5"
    prediction = Prediction("a.jpg", [("dog", 0.7)], answer=answer)
    (line,) = _WRITERS["table"]([prediction], Columns(1, True, False))
    assert line == "a.jpg: cat (dog 0.700)\n"


def test_mistakes(model, calibrated, one, digits_folder, tmp_path):
    needs = refused("predict", model, one, "--coverage", 0.9)
    assert "m.skv is not calibrated, which --coverage needs" in needs
    assert "skvision train FOLDER --coverage 0.9 --out" in needs
    network = refused("predict", "--network", "EfficientNetLite0", one, "--coverage", 0.9)
    assert "A pretrained network is not calibrated" in network
    few = refused("predict", calibrated, one, "--coverage", 0.9)
    assert (
        "coverage=0.9 needs at least 9 calibration images of each class, but 'eight' has 3" in few
    )
    for words in (("predict", calibrated, one), ("train", digits_folder, "--out", "m.skv")):
        for bad in (0, 1, 95):
            wrong = refused(*words, "--coverage", bad)
            assert f"--coverage must be above 0 and below 1, not {bad}" in wrong
    assert "--at-least" in refused("predict", model, one, "--at-least", 90)
    out = tmp_path / "m.skv"
    early = refused("train", digits_folder, "--out", out, "--coverage", 0.9, "--test-fraction", 0)
    assert "--coverage 0.9 needs at least 9 calibration images of each class, but" in early
    assert "has 3: a quarter of its training images calibrate" in early
    assert not out.exists()
