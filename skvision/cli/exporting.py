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
    """Runtimes that a network can be exported to."""

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
        typer.Option("--format", help="Runtime to export to. Default: from the ending of OUT."),
    ] = None,
    trust: Trust = False,
    debug: Debug = False,
) -> None:
    """Export a model's network to another runtime, with a JSON description of its input."""
    estimator = load_model(model, trust, "predict_proba")
    from ..persistence import export_model

    path, description = export_model(estimator, out, format=output and str(output))
    typer.echo(f"Exported to {path}; {description} describes how to prepare images")
