"""``skvision export``."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from ._models import load_model
from ._options import Debug, ModelFile, Trust

__all__ = ["export"]


class ExportFormat(StrEnum):
    """Runtimes that a network can be written for."""

    onnx = "onnx"
    openvino = "openvino"
    tflite = "tflite"
    savedmodel = "savedmodel"


def export(
    model: ModelFile,
    out: Annotated[
        Path,
        typer.Argument(metavar="OUT", help="NAME.onnx, NAME.xml, NAME.tflite, or a folder."),
    ],
    output: Annotated[
        ExportFormat | None,
        typer.Option("--format", help="For which runtime. Default: what the ending of OUT says."),
    ] = None,
    trust: Trust = False,
    debug: Debug = False,
) -> None:
    """Write a model's network for another runtime, and how to feed it in a JSON file beside it."""
    estimator = load_model(model, trust, "predict_proba")
    from ..persistence import export_model

    path, description = export_model(estimator, out, format=output and str(output))
    typer.echo(f"Exported to {path}; {description} says how images are brought to it")
