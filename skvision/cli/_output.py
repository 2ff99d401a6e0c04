"""Results as text: aligned tables, CSV and JSON, written as the results arrive."""

from __future__ import annotations

import csv
import io
import json
import sys
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, TextIO

__all__ = ["aligned", "as_csv", "as_json", "as_json_list", "standard_output"]


def standard_output() -> TextIO:
    """Return standard output, flushed by line, for file names of any bytes."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="surrogateescape", line_buffering=True)
    return sys.stdout


def aligned(rows: Sequence[Sequence[Any]], left: int = 1) -> str:
    """Align rows in columns, the first `left` columns to the left.

    Rows are never cut to the width of the terminal, so that piped output is complete.

    Examples
    --------
    >>> from skvision.cli._output import aligned
    >>> print(aligned([("class", "n"), ("cat", 10), ("leopard", 5)]))
    class     n
    cat      10
    leopard   5
    """
    texts = [[str(cell) for cell in row] for row in rows]
    widths = [max(map(len, column)) for column in zip(*texts, strict=True)]
    return "\n".join(
        "  ".join(
            f"{cell:<{width}}" if number < left else f"{cell:>{width}}"
            for number, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in texts
    )


def as_csv(rows: Iterable[Sequence[Any]]) -> Iterator[str]:
    """Yield each row as a line of CSV.

    Examples
    --------
    >>> from skvision.cli._output import as_csv
    >>> print("".join(as_csv([("file", "class"), ("a,b.jpg", "cat")])), end="")
    file,class
    "a,b.jpg",cat
    """
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    for row in rows:
        writer.writerow(row)
        yield buffer.getvalue()
        buffer.seek(0)
        buffer.truncate()


def as_json(value: Any) -> str:
    """Return one JSON document; values that JSON lacks are written as Python text."""
    return json.dumps(value, indent=2, default=repr) + "\n"


def as_json_list(values: Iterable[Any]) -> Iterator[str]:
    """Yield a JSON list, with each entry on its own line.

    Examples
    --------
    >>> from skvision.cli._output import as_json_list
    >>> print("".join(as_json_list([{"a": 1}, {"a": 2}])), end="")
    [
    {"a": 1},
    {"a": 2}
    ]
    """
    separator = "[\n"
    for value in values:
        yield f"{separator}{json.dumps(value)}"
        separator = ",\n"
    yield "\n]\n" if separator == ",\n" else "[]\n"
