"""``skvision check``."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from ._options import Debug, Folders, Jobs
from ._output import aligned, as_json_list, standard_output
from ._start import use_threads

__all__ = ["check"]


class CheckFormat(StrEnum):
    """Format of the findings on standard output."""

    table = "table"
    json = "json"
    html = "html"


def check(
    folders: Folders,
    against: Annotated[
        list[Path] | None,
        typer.Option(
            metavar="FOLDER",
            help="A folder whose photos must not be in the others, such as the training images; "
            "repeatable.",
        ),
    ] = None,
    output: Annotated[
        CheckFormat, typer.Option("--format", help="Format of the findings on standard output.")
    ] = CheckFormat.table,
    fail_on: Annotated[
        str | None,
        typer.Option(
            metavar="CODE,CODE", help="Exit with status 1 if one of these checks finds anything."
        ),
    ] = None,
    no_cache: Annotated[
        bool, typer.Option("--no-cache", help="Read all files again, and keep no figures of them.")
    ] = False,
    jobs: Jobs = None,
    debug: Debug = False,
) -> None:
    """Check a folder before a training: copies, leaks, odd images, shortcuts.

    Prints what each check found and the files of each finding. --format json prints a
    list of objects with code, message, score and files; --format html prints a page with
    small images.
    """
    use_threads(jobs)
    from ..inspection.check.check_table import CHECKS

    codes = [each.code for each in CHECKS]
    chosen = [] if fail_on is None else [code.strip() for code in fail_on.split(",")]
    for code in chosen:
        if code not in codes:
            raise typer.BadParameter(
                f"--fail-on takes {', '.join(codes)}, separated by commas. Received: {code!r}."
            )
    from ..inspection.check import check_images

    found = check_images(
        list(folders), against=list(against) if against else None, cache=not no_cache, verbose=1
    )
    out = standard_output()
    if output is CheckFormat.json:
        out.writelines(as_json_list(_objects(found)))
    else:
        out.write(_as_text(found) if output is CheckFormat.table else found.page())
    if any(found.status(code) == "found" for code in chosen):
        raise typer.Exit(1)


def _objects(found: Any) -> list[dict[str, Any]]:
    return [
        {
            "code": each.code,
            "message": each.message,
            "score": round(each.score, 4),
            "files": found.files(each),
        }
        for each in found.findings
    ]


def _as_text(found: Any) -> str:
    rows = [("check", "result")]
    for result in found.results:
        said = f"{len(result.findings):,} found" if result.findings else result.status
        rows.append((result.check.code, f"{said}: {result.reason}" if result.reason else said))
    parts = [aligned(rows, left=2)]
    for result in found.results:
        if result.findings:
            parts.append(f"\n{result.check.code}: {result.check.why} {result.check.cure}")
        for each in result.findings:
            parts += [f"  {each.score:.2f}  {each.message}"]
            parts += [f"        {file}" for file in found.files(each)]
    return "\n".join(parts) + "\n"
