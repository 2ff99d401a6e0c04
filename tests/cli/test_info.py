"""``skvision info``."""

from __future__ import annotations

import json

import joblib
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skvision.cli.info import _as_text, _facts, _layers

from .command import ran


def test_json(model):
    facts = json.loads(ran("info", model, "--trust", "--format", "json", "--summary"))
    net = joblib.load(model)
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


def test_table(model):
    net = joblib.load(model)
    net._versions = {"keras": "0.1", "nonesuch": "2", "python": net._versions["python"]}
    facts = _facts(net, model)
    printed = _as_text({**facts, "layers": _layers(net)})
    lines = printed.splitlines()
    values = dict(line.split("  ", 1) for line in lines[: lines.index("")])
    assert values["kind"].strip() == "MiniVGGClassifier"
    assert "learning_rate=0.05" in values["parameters"]
    assert "on 30 pictures kept back" in values["held out"]
    assert f"keras 0.1 (here: {facts['installed']['keras']})" in values["trained with"]
    assert "nonesuch 2 (here: none)" in values["trained with"]
    assert lines[lines.index("") + 1].split() == ["layer", "kind", "output", "weights"]


def test_a_search_over_a_pipeline(tmp_path):
    """Any estimator of scikit-learn, with what it knows of itself."""
    pipeline = make_pipeline(StandardScaler(), LogisticRegression())
    search = GridSearchCV(pipeline, {"logisticregression__C": [1, 10]}, cv=2)
    search.fit([[0.0], [0.1], [1.0], [1.1]], ["cat", "cat", "dog", "dog"])
    path = tmp_path / "m.joblib"
    joblib.dump(search, path)
    facts = _facts(search, path)
    assert facts["kind"] == "GridSearchCV"
    assert facts["steps"] == ["GridSearchCV", "Pipeline", "StandardScaler", "LogisticRegression"]
    assert facts["classes"] == ["cat", "dog"]
    assert "weights" not in facts
    assert "GridSearchCV, Pipeline" in _as_text(facts)
    with pytest.raises(ValueError, match="LogisticRegression has no network"):
        _layers(search.best_estimator_[-1])
