"""``skvision info``."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from ._models import load_model
from ._options import Debug, ModelFile, Trust
from ._output import aligned, as_json, standard_output

__all__ = ["info"]


class InfoFormat(StrEnum):
    """How what is known of a model is written."""

    table = "table"
    json = "json"


def info(
    model: ModelFile,
    summary: Annotated[
        bool, typer.Option("--summary", help="Show the network's layers too.")
    ] = False,
    output: Annotated[
        InfoFormat, typer.Option("--format", help="How to write it to standard output.")
    ] = InfoFormat.table,
    trust: Trust = False,
    debug: Debug = False,
) -> None:
    """Say what a model file holds: classes, parameters, accuracy, versions."""
    estimator = load_model(model, trust)
    facts = _facts(estimator, model)
    if summary:
        facts["layers"] = _layers(_classifier(estimator))
    out = standard_output()
    out.write(as_json(facts) if output is InfoFormat.json else _as_text(facts))


def _facts(estimator: Any, path: Path) -> dict[str, Any]:
    """What there is to know; what a model does not know of itself is left out."""
    final = _classifier(estimator)
    facts: dict[str, Any] = {
        "file": str(path),
        "file_size": path.stat().st_size,
        "kind": type(estimator).__name__,
    }
    steps = [type(step).__name__ for step in _within(estimator)]
    if len(steps) > 1:
        facts["steps"] = steps
    if hasattr(final, "classes_"):
        facts["classes"] = [str(name) for name in final.classes_]
    facts["parameters"] = _parameters(estimator)
    if hasattr(final, "model_"):
        height, width, channels = final.model_.input_shape[1:]
        facts["input_size"] = {"height": height, "width": width, "channels": channels}
        facts["weights"] = int(final.model_.count_params())
    if hasattr(final, "n_epochs_"):
        facts["epochs"] = int(final.n_epochs_)
    history = getattr(final, "history_", {})
    if history:
        facts["last_epoch"] = {name: float(values[-1]) for name, values in history.items()}
    measured = [each.held_out_ for each in _within(estimator) if hasattr(each, "held_out_")]
    if measured:
        facts["held_out"] = measured[0]
    trained_with = getattr(final, "_versions", {})
    if trained_with:
        facts["trained_with"] = trained_with
        facts["installed"] = _installed(trained_with)
    return facts


def _within(estimator: Any) -> Iterator[Any]:
    """The estimator, and what is in a search's best estimator or a pipeline's steps."""
    yield estimator
    if hasattr(estimator, "best_estimator_"):
        yield from _within(estimator.best_estimator_)
    elif hasattr(estimator, "steps"):
        for _, step in estimator.steps:
            yield from _within(step)


def _classifier(estimator: Any) -> Any:
    """The one that classifies: the last step of the last."""
    *_, last = _within(estimator)
    return last


def _parameters(estimator: Any) -> dict[str, Any]:
    """The parameters that are not the defaults; a pipeline's with the names of its steps."""
    *_, last = containers = list(_within(estimator))
    steps = [step for each in containers for step in getattr(each, "steps", ())]
    if not steps:
        return _changed_parameters(last)
    return {
        f"{name}__{parameter}": value
        for name, step in steps
        if not hasattr(step, "steps")
        for parameter, value in _changed_parameters(step).items()
    }


def _changed_parameters(estimator: Any) -> dict[str, Any]:
    defaults = {
        name: parameter.default
        for name, parameter in inspect.signature(type(estimator)).parameters.items()
    }
    return {
        name: value
        for name, value in estimator.get_params(deep=False).items()
        if name not in defaults or repr(value) != repr(defaults[name])
    }


def _installed(trained_with: dict[str, str]) -> dict[str, str | None]:
    """The versions here of what a model was trained with; None for what is absent."""
    import platform
    from importlib import metadata

    versions: dict[str, str | None] = {}
    for name in trained_with:
        try:
            versions[name] = (
                platform.python_version() if name == "python" else metadata.version(name)
            )
        except metadata.PackageNotFoundError:
            versions[name] = None
    return versions


def _layers(classifier: Any) -> list[dict[str, Any]]:
    """One row a layer; Keras' own summary is cut to the width of the terminal."""
    if not hasattr(classifier, "model_"):
        raise ValueError(f"A {type(classifier).__name__} has no network that --summary could show.")
    return [
        {
            "layer": layer.name,
            "kind": type(layer).__name__,
            "output": "x".join(str(size) for size in layer.output.shape[1:]),
            "weights": int(layer.count_params()),
        }
        for layer in classifier.model_.layers
    ]


def _as_text(facts: dict[str, Any]) -> str:
    facts = dict(facts)
    layers = facts.pop("layers", [])
    here = facts.pop("installed", {})
    text = aligned(
        [(name.replace("_", " "), _cell(name, value, here)) for name, value in facts.items()],
        left=2,
    )
    if layers:
        rows = [tuple(layers[0]), *(tuple(layer.values()) for layer in layers)]
        text += f"\n\n{aligned(rows, left=3)}"
    return f"{text}\n"


def _cell(name: str, value: Any, here: dict[str, str | None]) -> str:
    if name == "file_size":
        return f"{value / 2**20:.1f} MiB"
    if name == "weights":
        return f"{value:,}"
    if name == "input_size":
        return f"{value['height']}x{value['width']}, {value['channels']} channels"
    if name == "held_out":
        return f"accuracy {value['accuracy']:.4f} on {value['n_samples']} pictures kept back"
    if name == "last_epoch":
        return ", ".join(f"{it} {number:.4f}" for it, number in value.items())
    if name == "parameters":
        return ", ".join(f"{it}={setting!r}" for it, setting in value.items()) or "all defaults"
    if name == "trained_with":
        return ", ".join(
            f"{it} {version}" + (f" (here: {here[it] or 'none'})" if here[it] != version else "")
            for it, version in value.items()
        )
    return ", ".join(value) if isinstance(value, list) else str(value)
