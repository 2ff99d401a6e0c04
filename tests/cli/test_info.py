"""``skvision info``."""

from __future__ import annotations

import json

import joblib
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skvision import load, save
from skvision.cli.info import _as_text, _facts, _layers

from .command import called, ran


def test_json(model):
    facts = json.loads(ran("info", model, "--format", "json", "--summary", by=called))
    net = load(model)
    assert facts["kind"] == "MiniVGGClassifier"
    assert facts["classes"] == list(net.classes_)
    assert facts["parameters"] == {
        "image_size": 8,
        "learning_rate": 0.05,
        "epochs": 12,
        "random_state": 1,
    }
    assert facts["input_size"] == {"height": 8, "width": 8, "channels": 3}
    assert facts["weights"] == sum(layer["weights"] for layer in facts["layers"])
    assert facts["epochs"] == 12
    assert facts["last_epoch"]["loss"] == pytest.approx(net.history_["loss"][-1])
    assert facts["held_out"] == net.held_out_
    assert facts["file_size"] == model.stat().st_size
    assert facts["trained_with"] == facts["installed"] == net._versions


def test_a_safe_file_is_not_loaded(model, monkeypatch):
    expected = ran("info", model, "--summary", by=called)
    monkeypatch.setattr("skvision.cli.info.load_model", None)
    assert expected.startswith(ran("info", model, by=called).rstrip())


def test_table(model, tmp_path):
    net = load(model)
    net._versions = {"keras": "0.1", "nonesuch": "2", "python": net._versions["python"]}
    facts = _facts(save(net, tmp_path / "m.skv"), summary=True, trust=False)
    printed = _as_text(facts)
    lines = printed.splitlines()
    values = dict(line.split("  ", 1) for line in lines[: lines.index("")])
    assert values["kind"].strip() == "MiniVGGClassifier"
    assert "learning_rate=0.05" in values["parameters"]
    assert "on 30 held-out images" in values["held out"]
    assert f"keras 0.1 (here: {facts['installed']['keras']})" in values["trained with"]
    assert "nonesuch 2 (here: none)" in values["trained with"]
    assert lines[lines.index("") + 1].split() == ["layer", "kind", "output", "weights"]


@pytest.mark.parametrize(("suffix", "keep"), [("skv", save), ("joblib", joblib.dump)])
def test_a_search_over_a_pipeline(tmp_path, suffix, keep):
    """Any estimator of scikit-learn, with the facts that it provides."""
    pipeline = make_pipeline(StandardScaler(), LogisticRegression())
    search = GridSearchCV(pipeline, {"logisticregression__C": [1, 10]}, cv=2)
    search.fit([[0.0], [0.1], [1.0], [1.1]], ["cat", "cat", "dog", "dog"])
    path = tmp_path / f"m.{suffix}"
    keep(search, path)
    facts = _facts(path, summary=False, trust=True)
    assert facts["kind"] == "GridSearchCV"
    assert facts["steps"] == ["GridSearchCV", "Pipeline", "StandardScaler", "LogisticRegression"]
    assert facts["classes"] == ["cat", "dog"]
    assert "weights" not in facts
    assert "GridSearchCV, Pipeline" in _as_text(facts)
    with pytest.raises(ValueError, match="LogisticRegression has no network"):
        _layers(search)
