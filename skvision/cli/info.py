"""``skvision info``."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from ._models import is_safe_file, load_model
from ._options import Debug, ModelFile, Trust
from ._output import aligned, as_json, standard_output

__all__ = ["info"]


class InfoFormat(StrEnum):
    """Format of a model's description."""

    table = "table"
    json = "json"


def info(
    model: ModelFile,
    summary: Annotated[
        bool, typer.Option("--summary", help="Show the network's layers too.")
    ] = False,
    output: Annotated[
        InfoFormat, typer.Option("--format", help="Format of the description on standard output.")
    ] = InfoFormat.table,
    trust: Trust = False,
    debug: Debug = False,
) -> None:
    """Print the content of a model file: classes, parameters, accuracy, versions."""
    facts = _facts(model, summary, trust)
    out = standard_output()
    out.write(as_json(facts) if output is InfoFormat.json else _as_text(facts))


def _facts(path: Path, summary: bool, trust: bool) -> dict[str, Any]:
    """Return the facts in a skvision file or, for another file, those of its estimator."""
    facts: dict[str, Any] = {"file": str(path), "file_size": path.stat().st_size}
    estimator = None if is_safe_file(path) and not summary else load_model(path, trust)
    if estimator is None:
        from ..persistence.safe_file import read_manifest

        facts |= read_manifest(path)["description"]
    else:
        from ..persistence.description import describe

        facts |= describe(estimator)
    if "trained_with" in facts:
        facts["installed"] = _installed(facts["trained_with"])
    if summary:
        facts["layers"] = _layers(estimator)
    return facts


def _installed(trained_with: dict[str, str]) -> dict[str, str | None]:
    """Return the installed versions of the packages that a model was trained with."""
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


def _layers(estimator: Any) -> list[dict[str, Any]]:
    """Return one row per layer; Keras' own summary is cut to the width of the terminal."""
    from .._sklearn.network_estimator import NetworkEstimator
    from ..persistence.description import final_estimator

    classifier = final_estimator(estimator)
    if not isinstance(classifier, NetworkEstimator):
        raise ValueError(f"A {type(classifier).__name__} has no network for --summary.")
    return [
        {
            "layer": layer.name,
            "kind": type(layer).__name__,
            "output": "x".join(str(size) for size in layer.output.shape[1:]),
            "weights": int(layer.count_params()),
        }
        for layer in classifier.build_network().layers
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
        n, folders = value["n_samples"], ", ".join(value.get("folders", ()))
        images = f"{n} images of {folders}" if folders else f"{n} held-out images"
        if "n_groups" in value:
            images = f"{images}, in {value['n_groups']} groups"
        return f"accuracy {value['accuracy']:.4f} on {images}"
    if name == "last_epoch":
        return ", ".join(
            f"{it} {figure}" if isinstance(figure, str) else f"{it} {figure:.4f}"
            for it, figure in value.items()
        )
    if name == "parameters":
        return ", ".join(f"{it}={setting!r}" for it, setting in value.items()) or "all defaults"
    if name == "trained_with":
        return ", ".join(
            f"{it} {version}" + (f" (here: {here[it] or 'none'})" if here[it] != version else "")
            for it, version in value.items()
        )
    return ", ".join(value) if isinstance(value, list) else str(value)
