"""``skvision networks``."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Annotated, Any

import typer

from ..backbone_table import BACKBONES
from ._options import Debug, Format, FormatOption
from ._output import aligned, as_csv, as_json, standard_output
from ._start import start_quietly

__all__ = ["networks"]

networks = typer.Typer(help="The pretrained networks.", no_args_is_help=False)


@networks.callback(invoke_without_command=True)
def list_networks(
    context: typer.Context, output: FormatOption = Format.table, debug: Debug = False
) -> None:
    """List the pretrained networks that --backbone accepts.

    The columns are the size in pixels that it was trained on, its number of features, its
    number of parameters without the top, and whether its weights are on this machine.
    """
    if context.invoked_subcommand is not None:
        return
    start_quietly()
    rows = [_row(name) for name in BACKBONES]
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


Network = Annotated[
    str, typer.Argument(metavar="NETWORK", help="A name in skvision networks, or a network file.")
]


@networks.command()
def show(network: Network, debug: Debug = False) -> None:
    """Print a network's layers and their numbers of parameters."""
    start_quietly()
    from ..persistence import network_summary

    standard_output().write(f"{network_summary(_network(network))}\n")


@networks.command()
def save(
    network: Network,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="NAME.hdf5, NAME.h5 or NAME.keras.")],
    debug: Debug = False,
) -> None:
    """Write a pretrained network, with its classes and scaling, to a file that Keras can read."""
    start_quietly()
    from ..persistence import save_network

    save_network(_network(network), file)
    typer.echo(f"Network written to {file}")


def _network(name: str) -> Any:
    """Return a pretrained network from pixels 0..255 to ImageNet's classes, or a file's network."""
    from ..networks.backbones import build_backbone
    from ..networks.network_reader import NETWORK_SUFFIXES, read_network

    if Path(name).suffix.lower() in NETWORK_SUFFIXES:
        return read_network(name)
    return build_backbone(name, top=True)


def _row(name: str) -> dict[str, Any]:
    from ..networks.backbone_weights import published_weights

    network = BACKBONES[name]
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
