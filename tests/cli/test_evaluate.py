"""``skvision evaluate``."""

from __future__ import annotations

import csv
import io
import json
import re

import numpy as np
import pytest
from sklearn.utils import Bunch

from skvision.cli.evaluate import _answers

from .command import called, ran, refused


@pytest.fixture(scope="module")
def figures(model, digits_folder):
    return json.loads(ran("evaluate", model, digits_folder, "--format", "json"))


def test_table(model, digits_folder, figures):
    printed = ran("evaluate", model, digits_folder, by=called)
    assert printed.startswith(f"Accuracy {figures['accuracy']:.4f} on 120 images\n")
    assert "precision" in printed
    rows = printed.split("Confusion matrix")[1].strip().splitlines()[2:]
    counts = np.array([[int(word) for word in row.split()[1:]] for row in rows])
    np.testing.assert_array_equal(counts, figures["confusion_matrix"]["matrix"])
    recall = re.search(r"^one +\S+ +(\S+)", printed, re.MULTILINE)[1]
    assert float(recall) == pytest.approx(figures["classes"]["one"]["recall"], abs=1e-3)


def test_json(figures):
    counts = np.array(figures["confusion_matrix"]["matrix"])
    labels = figures["confusion_matrix"]["labels"]
    np.testing.assert_array_equal(counts.sum(axis=1), np.full(10, 12))
    assert figures["n"] == counts.sum() == 120
    assert figures["accuracy"] == pytest.approx(np.trace(counts) / 120)
    assert list(figures["classes"]) == labels
    for k, figures_of_one in enumerate(figures["classes"].values()):
        assert figures_of_one["n"] == 12
        assert figures_of_one["recall"] == pytest.approx(counts[k, k] / 12)
    wrong = figures["misclassified"]
    assert len(wrong) == 120 - np.trace(counts)
    assert all(set(each) == {"file", "true", "predicted", "probability"} for each in wrong)
    assert all(each["true"] != each["predicted"] for each in wrong)


def test_csv_has_one_row_per_image(model, digits_folder, figures):
    printed = ran("evaluate", model, digits_folder, "--format", "csv", by=called)
    rows = list(csv.DictReader(io.StringIO(printed)))
    assert len(rows) == 120
    assert [row["file"] for row in rows if row["true"] != row["predicted"]] == [
        each["file"] for each in figures["misclassified"]
    ]
    assert all(f"/{row['true']}/" in row["file"] for row in rows)
    assert all(0 <= float(row["probability"]) <= 1 for row in rows)


def test_a_model_without_probabilities():
    """For example a support vector machine on features."""

    class Says:
        def predict(self, X):
            return np.full(len(X), "cat")

    data = Bunch(data=np.array(["1.jpg", "2.jpg"], dtype=object), target=np.array(["cat", "dog"]))
    assert list(_answers(Says(), data)) == [
        ("1.jpg", "cat", "cat", None),
        ("2.jpg", "dog", "cat", None),
    ]


def test_a_folder_with_other_classes(model, tmp_path):
    from PIL import Image

    for name in ("cat", "dog"):
        (tmp_path / name).mkdir()
        Image.new("RGB", (8, 8)).save(tmp_path / name / "1.png")
    assert "doesn't know: cat, dog" in refused("evaluate", model, tmp_path)
