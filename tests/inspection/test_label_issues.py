"""Wrong labels come first, and are known from other folds only."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image
from sklearn.datasets import load_sample_images
from sklearn.metrics import average_precision_score

from skvision import check_images, find_label_issues
from skvision.inspection.label_issues import doubts


@pytest.fixture(scope="module")
def features():
    """Three classes that lie apart, 40 each, with 10 wrong labels."""
    draw = np.random.default_rng(0)
    true = np.repeat(np.arange(3), 40)
    rows = draw.normal(0, 1, (120, 20)) + 2 * np.eye(3, 20)[true] * 2
    y = true.copy()
    wrong = draw.choice(120, 10, replace=False)
    y[wrong] = (y[wrong] + 1) % 3
    return rows, true, y, np.isin(np.arange(120), wrong)


def test_wrong_labels_come_first(features):
    rows, true, y, wrong = features
    scores, best = doubts(rows, y)
    assert average_precision_score(wrong, scores) > 0.95
    assert (best == true).mean() > 0.95
    assert ((scores >= 0) & (scores <= 1)).all()
    # above one half exactly where another class is more probable
    assert np.array_equal(scores > 0.5, best != y)


def test_a_group_does_not_vouch_for_itself():
    draw = np.random.default_rng(0)
    y = np.repeat([0, 1], 40)
    rows = draw.normal(0, 1, (80, 5)) + 4 * y[:, np.newaxis]
    rows[:8] = rows[0] + draw.normal(0, 0.01, (8, 5)) + [30, 0, 0, 0, 0]  # one animal, eight photos
    groups = np.concatenate([np.zeros(8), np.arange(1, 73)])
    alone, together = doubts(rows, y)[0][:8], doubts(rows, y, groups)[0][:8]
    assert together.mean() > alone.mean() + 0.2


def test_images_with_swapped_labels_are_found(monkeypatch, tmp_path):
    monkeypatch.setenv("SKVISION_CACHE", str(tmp_path))
    draw = np.random.default_rng(0)
    images = []
    for k in range(50):  # parts of a photo of a palace, and of a photo of a flower
        top, left = draw.integers(0, 180), draw.integers(120, 280)
        images.append(Image.fromarray(load_sample_images().images[k % 2][top:, left:][:240, :240]))
    y = np.where(np.arange(50) % 2, "flower", "palace")
    y[[4, 31]] = y[[31, 4]]
    found = find_label_issues(images, y, groups=np.arange(50), cv=5)
    assert set(found.ranking[:2].tolist()) == {4, 31}
    assert sorted(found.ranking.tolist()) == list(range(50))
    assert found.suggested[[4, 31]].tolist() == ["palace", "flower"]
    check = check_images(images, y, cache=tmp_path)
    doubtful = [each for each in check.findings if each.code == "label"]
    assert {each.places for each in doubtful} == {(4,), (31,)}
    assert "labelled 'flower', and looks more like 'palace'" in " ".join(
        x.message for x in doubtful
    )

    def fail(*_):
        raise AssertionError("computed again")

    monkeypatch.setattr("skvision.inspection.check.label_check._features", fail)
    assert check_images(images, y, cache=tmp_path).findings == check.findings


@pytest.mark.parametrize(
    ("y", "how", "words"),
    [
        (["a"] * 6, {}, "one class"),
        (["a"] * 6 + ["b"] * 3, {}, "'b' has 3 images, and cv=5"),
        (["a"] * 6 + ["b"] * 6, {"groups": [0] * 6 + list(range(6))}, "'a' has 1 groups"),
        (["a", "b"] * 5, {"cv": 1}, "cv must be"),
        (["a", "b"] * 5, {"cv": 2.5}, "cv must be"),
        (["a", "b"] * 4, {"cv": 2}, "X holds 9 images, and y holds 8"),
    ],
)
def test_bad_input(y, how, words, monkeypatch, tmp_path):
    monkeypatch.setenv("SKVISION_CACHE", str(tmp_path))
    with pytest.raises(ValueError, match=words):
        find_label_issues(np.zeros((9, 8, 8), np.uint8), y, **how)
