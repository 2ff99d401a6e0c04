"""``skvision networks``."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import typer

from ._options import Debug, Format, FormatOption
from ._output import aligned, as_csv, as_json, standard_output
from ._tensorflow import start_quietly

__all__ = ["networks"]

networks = typer.Typer(help="The ready-made networks.", no_args_is_help=False)


@networks.callback(invoke_without_command=True)
def list_networks(
    context: typer.Context, output: FormatOption = Format.table, debug: Debug = False
) -> None:
    """List the ready-made networks that --backbone takes.

    Of each: the size in pixels that it was trained on, how many features it gives, how many
    parameters it has without its classification, and whether its weights are on this machine.
    """
    if context.invoked_subcommand is not None:
        return
    start_quietly()
    rows = [_row(name) for name in _table()]
    out = standard_output()
    if output is Format.json:
        out.write(as_json(rows))
        return
    cells = [tuple(rows[0]), *(tuple(row.values()) for row in rows)]
    if output is Format.csv:
        out.writelines(as_csv(cells))
        return
    readable = [(name, size, f"{n:,}", f"{p / 1e6:.1f} M", w) for name, size, n, p, w in cells[1:]]
    out.write(f"{aligned([cells[0], *readable])}\n")


def _table() -> Any:
    from ..networks.backbones import BACKBONES

    return BACKBONES


def _row(name: str) -> dict[str, Any]:
    from ..networks.backbone_weights import published_weights

    network = _table()[name]
    height, width, channels = network.features
    return {
        "network": name,
        "input": f"{network.size}x{network.size}",
        "features": math.prod((height, width, channels))
        if network.pooling == "flatten"
        else channels,
        "parameters": network.parameters,
        "weights": _where(published_weights(name)),
    }


def _where(weights: Path | None) -> str:
    if weights is None:
        return "come with skvision"
    return "here" if weights.is_file() else "to download"
