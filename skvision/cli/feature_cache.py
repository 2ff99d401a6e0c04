"""``skvision cache``, without loading TensorFlow."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Annotated, Any

import typer

from ._options import Debug
from ._output import aligned, standard_output

__all__ = ["cache"]

cache = typer.Typer(help="The cache of features on disk.", no_args_is_help=True)

Folder = Annotated[
    Path | None,
    typer.Option(metavar="FOLDER", help="Folder of the cache. Default: the user's cache folder."),
]


@cache.command()
def info(folder: Folder = None, debug: Debug = False) -> None:
    """Print the path, size and networks of the cache."""
    kept = _cache(folder)
    found = kept.info()
    converted = _converted(kept)
    rows = [
        ("file", str(found.path)),
        ("size", f"{_megabytes(found.n_bytes)} of at most {_megabytes(kept.max_bytes)}"),
        ("features of", f"{found.n_features_rows:,} images"),
        (
            "converted networks",
            f"{len(converted)}, {_megabytes(sum(n_bytes for _, n_bytes in converted))}",
        ),
    ]
    out = standard_output()
    out.write(f"{aligned(rows, left=2)}\n")
    if found.networks:
        table = [("network", "images"), *found.networks.items()]
        out.write(f"\n{aligned(table)}\n")


@cache.command()
def clear(
    folder: Folder = None,
    network: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="Only the features of this network, such as VGG16."),
    ] = None,
    debug: Debug = False,
) -> None:
    """Remove cached features and converted networks, and free their disk space."""
    kept = _cache(folder)
    keys = [key for key in kept.info().networks if network is None or _is_of(key, network)]
    converted = [
        place for place, _ in _converted(kept) if network is None or _is_of(place.name, network)
    ]
    removed = sum(kept.clear(key) for key in keys)
    for place in converted:
        shutil.rmtree(place)
    typer.echo(
        f"Removed the features of {removed:,} images and {len(converted)} converted networks."
    )


def _is_of(key: str, network: str) -> bool:
    """Return whether a key begins with a network's name, in upper or lower case."""
    return key.lower().startswith(f"{network.lower()}-")


def _cache(folder: Path | None) -> Any:
    from ..feature_extraction.cache import FeatureCache

    return FeatureCache(folder)


def _converted(kept: Any) -> list[tuple[Path, int]]:
    from ..feature_extraction.cache import kept_networks

    return list(kept_networks(kept.path.parent))


def _megabytes(n_bytes: int) -> str:
    return f"{n_bytes / 2**20:,.1f} MiB"
