"""The figures of a report, from answers that are known."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

from skvision.inspection.html_report.page_contents import Answers, Missing
from skvision.inspection.html_report.sections import (
    LARGEST_MATRIX,
    calibration,
    class_rows,
    confusions,
    group_rows,
    history_charts,
    selective,
    summary,
    unknown_rows,
)

NAMES = np.array(["cat", "dog", "panda", "bear"])
# a bear is neither true nor predicted
TRUE = np.array([0, 0, 0, 0, 1, 1, 2, 2])
PREDICTED = np.array([0, 0, 0, 1, 1, 0, 2, 1])


@pytest.fixture
def answers():
    probabilities = np.full((8, 4), 0.1)
    confidence = np.array([0.9, 0.8, 0.7, 0.6, 0.9, 0.5, 0.7, 0.4])
    probabilities[np.arange(8), PREDICTED] = confidence
    return Answers(NAMES, TRUE, PREDICTED, probabilities)


@pytest.fixture
def without_probabilities():
    return Answers(NAMES, TRUE, PREDICTED)


def test_summary(answers):
    it = summary(answers)
    assert (it.n, it.n_wrong, it.accuracy.value) == (8, 3, 5 / 8)
    assert it.balanced.value == pytest.approx((3 / 4 + 1 / 2 + 1 / 2) / 3)
    assert (it.guess, it.largest) == (0.5, "cat")
    assert it.accuracy.low < it.accuracy.value < it.accuracy.high
    assert it.balanced.low < it.balanced.value < it.balanced.high


def test_a_perfect_accuracy_has_an_interval_too():
    it = summary(Answers(NAMES, TRUE, TRUE))
    assert (it.accuracy.value, it.accuracy.high) == (1, 1)
    assert 0.6 < it.accuracy.low < 0.8
    assert it.balanced.low is None


def test_figures_of_classes(answers):
    rows = {row.name: row for row in class_rows(answers)}
    assert list(rows) == ["cat", "dog", "panda"]
    assert (rows["cat"].precision, rows["cat"].recall) == (0.75, 0.75)
    assert (rows["dog"].precision, rows["dog"].n_predicted) == (pytest.approx(1 / 3), 3)
    assert rows["panda"].f1 == pytest.approx(2 / 3)


def test_undefined_figures_are_none():
    rows = class_rows(Answers(NAMES, np.array([0, 0]), np.array([0, 1])))
    assert (rows[1].name, rows[1].recall, rows[1].f1, rows[1].precision) == ("dog", None, None, 0)


def test_confusions(answers):
    it = confusions(answers)
    assert it.places == [0, 1, 2]
    assert it.counts == [[3, 1, 0], [1, 1, 0], [0, 1, 1]]
    assert it.pairs == [(0, 1, 1), (1, 0, 1), (2, 1, 1)]
    assert it.n_left_out == 1


def test_many_classes_have_pairs_but_no_matrix():
    k = LARGEST_MATRIX + 1
    true = np.repeat(np.arange(k), 3)
    predicted = true.copy()
    predicted[:2] = 7
    it = confusions(Answers(np.arange(k), true, predicted))
    assert (it.places, it.pairs) == ([], [(0, 7, 2)])


def test_calibration(answers):
    it = calibration(answers, "Net")
    assert it.mean_confidence == pytest.approx(5.5 / 8)
    assert it.accuracy == 5 / 8
    assert sum(row[2] for row in it.bins) == 8
    assert len(it.chart.dots) == len(it.bins)
    assert it.error.low <= it.error.value <= it.error.high


def test_selective(answers):
    it = selective(answers, "Net")
    assert it.rows[0] == (1, 5 / 8, 0.4)
    share, accuracy, threshold = it.rows[-1]
    assert (share, accuracy, threshold) == (0.25, 1, 0.9)


def test_sections_without_probabilities_say_so(without_probabilities):
    for section in (calibration, selective):
        missing = section(without_probabilities, "LinearSVC")
        assert isinstance(missing, Missing)
        assert "LinearSVC has no predict_proba" in missing.reason


def test_groups_are_sorted_by_accuracy(answers):
    rows = group_rows(np.array(["a", "a", "b", "b", "a", "b", "b", "b"]), answers.correct)
    assert [(row.name, row.n, row.n_wrong) for row in rows] == [("b", 5, 3), ("a", 3, 0)]
    assert rows[0].accuracy.low < 0.4 < rows[0].accuracy.high
    assert "--group-by" in group_rows(None, answers.correct).reason


def test_unknown_labels_are_counted():
    rows = unknown_rows(np.array(["owl", "emu", "owl"]), np.array(["cat", "cat", "dog"]))
    assert [(row.name, row.n) for row in rows] == [("emu", 1), ("owl", 2)]
    assert rows[1].predicted == [("cat", 1), ("dog", 1)]


def test_history_of_two_phases():
    history = {
        "phase": ["warmup", "warmup", "fine_tune"],
        "loss": [2.0, 1.0, 0.5],
        "accuracy": [0.3, 0.6, 0.9],
        "val_accuracy": [0.3, 0.5, 0.6],
    }
    loss, accuracy = history_charts(SimpleNamespace(history_=history), "Net")
    assert [label for label, _, _ in loss.lines] == ["training"]
    assert [label for label, _, _ in accuracy.lines] == ["training", "validation"]
    assert [text for _, text in loss.marks] == ["fine-tune begins"]
    # between the second epoch, in the middle, and the third, on the right
    assert (loss.left + loss.right) / 2 < loss.marks[0][0] < loss.right


@pytest.mark.parametrize(
    ("kind", "reason"),
    [
        ("Pipeline", "No history: the model is a Pipeline that ends in SimpleNamespace"),
        ("SimpleNamespace", "No history: the model is a SimpleNamespace, which"),
    ],
)
def test_no_history(kind, reason):
    assert history_charts(SimpleNamespace(), kind).reason.startswith(reason)
