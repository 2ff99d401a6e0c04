"""Parameters, versions and use of a model, for the reader of a report."""

from __future__ import annotations

import shlex
from pathlib import PurePath
from typing import Any

from ..._sklearn.estimator import installed_versions
from ...persistence.description import describe
from .page_contents import ModelFacts

__all__ = ["model_facts"]

_LONGEST = 300
# facts that a report shows elsewhere, or as a table
_ELSEWHERE = {"kind", "classes", "parameters", "trained_with"}


def model_facts(estimator: Any, file: str | None) -> ModelFacts:
    """Describe a model; `file` is its file if it has one.

    Examples
    --------
    >>> from sklearn.dummy import DummyClassifier
    >>> from skvision.inspection.html_report.model_facts import model_facts
    >>> facts = model_facts(DummyClassifier(strategy="prior"), "models/cats.skv")
    >>> print(facts.shell)
    skvision predict cats.skv IMAGE...
    """
    known = describe(estimator)
    trained_with = known.get("trained_with", {})
    here = installed_versions()
    versions = [
        (name, str(trained_with.get(name, "")), here.get(name, "none"))
        for name in dict.fromkeys([*trained_with, *here])
    ]
    facts = [
        (name.replace("_", " ").capitalize(), _said(name, value))
        for name, value in known.items()
        if name not in _ELSEWHERE
    ]
    if "classes" in known:
        facts.insert(0, ("Classes", f"{len(known['classes'])}"))
    parameters = [(name, _short(repr(value))) for name, value in known["parameters"].items()]
    return ModelFacts(known["kind"], facts, parameters, versions, *_use(file))


def _said(name: str, value: Any) -> str:
    if name == "input_size":
        return f"{value['height']} x {value['width']} pixels, {value['channels']} channels"
    if name == "weights":
        return f"{value:,}"
    if name == "held_out":
        return f"accuracy {value['accuracy']:.4f} on {value['n_samples']} images after the training"
    if isinstance(value, dict):
        return ", ".join(f"{it}: {_number(one)}" for it, one in value.items())
    return _short(", ".join(map(str, value)) if isinstance(value, list) else str(value))


def _number(value: Any) -> str:
    return f"{value:.4f}" if isinstance(value, float) else str(value)


def _short(text: str) -> str:
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}..."


def _use(file: str | None) -> tuple[str, str]:
    """Return the lines of Python and of the shell that load and use the model."""
    name = PurePath(file).name if file else "model.skv"
    lines = [] if file else [f"# after skvision.save(estimator, {name!r})"]
    if name.endswith(".joblib"):
        lines += [
            "import joblib",
            "",
            "# loading a joblib file can run any code in it: only if you trust its source",
            f"model = joblib.load({name!r})",
        ]
    else:
        lines += ["import skvision", "", f"model = skvision.load({name!r})"]
    lines.append('model.predict(["image.jpg"])')
    trust = " --trust" if name.endswith(".joblib") else ""
    return "\n".join(lines), f"skvision predict {shlex.quote(name)} IMAGE...{trust}"
