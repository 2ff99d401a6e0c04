"""Options that several commands have."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

__all__ = [
    "Classes",
    "Debug",
    "Folders",
    "Format",
    "FormatOption",
    "GroupBy",
    "Jobs",
    "ModelFile",
    "Settings",
    "SkipUnreadable",
    "Trust",
]


@dataclass
class Settings:
    """Settings of a whole run, for all commands."""

    debug: bool = False


class Format(StrEnum):
    """Format of the results on standard output."""

    table = "table"
    csv = "csv"
    json = "json"


def _set_debug(context: typer.Context, asked: bool) -> None:
    if asked and isinstance(context.obj, Settings):
        context.obj.debug = True


Classes = Annotated[
    str | None,
    typer.Option(
        metavar="NAME,NAME", help="The subfolders that are the classes. Default: all of them."
    ),
]
Debug = Annotated[
    bool,
    typer.Option(
        "--debug",
        callback=_set_debug,
        is_eager=True,
        help="Show the place of an error in the program.",
    ),
]
Folders = Annotated[
    list[Path], typer.Argument(metavar="FOLDER", help="Folders with one subfolder per class.")
]
FormatOption = Annotated[
    Format, typer.Option("--format", help="Format of the results on standard output.")
]
GroupBy = Annotated[
    str | None,
    typer.Option(
        metavar="REGEX",
        help="What file names of related images have in common, in parentheses: '([^/]+)_[0-9]+'.",
    ),
]
Jobs = Annotated[
    int | None,
    typer.Option(metavar="N", min=1, help="Maximum number of threads. Default: one per core."),
]
ModelFile = Annotated[
    Path, typer.Argument(metavar="MODEL", help="A file that skvision train wrote.")
]
SkipUnreadable = Annotated[
    bool, typer.Option("--skip-unreadable", help="Leave unreadable images out.")
]
Trust = Annotated[
    bool, typer.Option("--trust", help="Load a .joblib file, although it can run code.")
]
