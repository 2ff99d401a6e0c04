"""``skvision features``."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Annotated, Any

import typer

from ._arguments import read_settings
from ._constructor import transformer
from ._models import read_folders, reads_as
from ._options import Classes, Debug, Folders, Jobs, SkipUnreadable
from ._start import start_quietly, use_threads

__all__ = ["features"]


def features(
    folders: Folders,
    out: Annotated[
        Path, typer.Option(metavar="FILE", help="The file to write: NAME.npz or NAME.parquet.")
    ],
    backbone: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help="VGG16, ResNet50, ...; skvision networks lists them. Default: EfficientNetLite0.",
        ),
    ] = None,
    settings: Annotated[
        list[str] | None,
        typer.Option(
            "--set",
            metavar="NAME=VALUE",
            help="Any argument of PretrainedFeatureTransformer; repeatable.",
        ),
    ] = None,
    classes: Classes = None,
    skip_unreadable: SkipUnreadable = False,
    jobs: Jobs = None,
    debug: Debug = False,
) -> None:
    """Write the features of images to a file, for use elsewhere.

    An .npz file holds the arrays features, names (of the features), files and labels; a
    .parquet file holds the columns file, label and one column per feature. A label is the
    name of a class folder; in a folder without any, it is the folder's own name.
    """
    write = _writer(out)
    parameters = {
        "cache": True,
        "verbose": 1,
        **read_settings(transformer(), settings or ()),
        **({"backbone": backbone} if backbone else {}),
    }
    use_threads(jobs)
    from .._system.atomic import written_whole

    # check the output first, so that a wrong path doesn't waste the work
    with written_whole(out) as temporary:

        @cache
        def network() -> Any:
            # once the folders are listed: a wrong name among them takes no time
            start_quietly()
            from ..feature_extraction.transformer import PretrainedFeatureTransformer

            return PretrainedFeatureTransformer(**parameters)

        data = read_folders(
            folders, skip_unreadable, classes, lambda: reads_as(network()), at_least=0
        )
        table = network().fit_transform(data.data)
        write(temporary, table, network().get_feature_names_out(), data)
    typer.echo(f"{table.shape[1]:,} features of {table.shape[0]:,} images written to {out}")


def _writer(out: Path) -> Callable[[Path, Any, Any, Any], None]:
    if out.suffix not in _WRITERS:
        raise typer.BadParameter(f"--out must end in .npz or .parquet, not {out.name!r}.")
    if out.suffix == ".parquet" and importlib.util.find_spec("polars") is None:
        raise ImportError(
            "Writing .parquet files needs polars. Install it by: "
            'pip install "skvision[parquet]" (.npz needs no other package).'
        )
    return _WRITERS[out.suffix]


def _write_npz(path: Path, table: Any, names: Any, data: Any) -> None:
    import numpy as np

    # text arrays, which numpy.load can read without running code
    with open(path, "wb") as file:
        np.savez(
            file,
            features=table,
            names=names.astype(str),
            files=data.data.astype(str),
            labels=data.target.astype(str),
        )


def _write_parquet(path: Path, table: Any, names: Any, data: Any) -> None:
    import polars as pl

    columns = pl.DataFrame({"file": data.data.astype(str), "label": data.target.astype(str)})
    columns.hstack(pl.DataFrame(table, schema=list(names))).write_parquet(path)


_WRITERS = {".npz": _write_npz, ".parquet": _write_parquet}
