"""Read a table of file names and labels, from a CSV file or a frame, as a Bunch."""

from __future__ import annotations

import codecs
import csv
import io
import os
from collections.abc import Callable, Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import Any, Literal

import numpy as np

from ..images.opening import is_url
from .class_names import as_label, one_spelling, warn_of_spellings
from .data_set import as_bunch, check_on_error, readable
from .listing import real_names

__all__ = ["load_image_table"]

_DELIMITERS = ",;\t|"
_MISSING = {"None", "nan", "<NA>", "NaT"}
# pandas readers for formats that we can't read
_BY_PANDAS = {
    ".xlsx": "read_excel",
    ".xls": "read_excel",
    ".ods": "read_excel",
    ".parquet": "read_parquet",
    ".feather": "read_feather",
    ".json": "read_json",
    ".jsonl": "read_json",
    ".gz": "read_csv",
    ".zip": "read_csv",
}


def load_image_table(
    table: Any,
    *,
    path: str | int = "path",
    label: str | int = "label",
    root: str | os.PathLike[str] | None = None,
    groups: str | int | None = None,
    validate: bool = False,
    on_error: Literal["raise", "skip"] = "raise",
    return_X_y: bool = False,
) -> Any:
    """Read file names and labels from a table: a CSV file, or a frame.

    Use it if folders aren't classes, but the labels are in a table or in the files' names. Like
    `load_image_folder`, it doesn't load images.

    Parameters
    ----------
    table : str, path-like, DataFrame or mapping
        The name of a CSV file, with commas, semicolons, tabs or bars between cells; a frame of
        pandas or polars; or a mapping of column names to columns.
    path : str or int, default="path"
        Name of the column of file names; or its number from 0, for a CSV file without a header
        line.
    label : str or int, default="label"
        Name or number of the column of labels.
    root : str or path-like, default=None
        Folder that file names are relative to. None for the folder of the CSV file or, for a
        frame, the working directory.
    groups : str or int, default=None
        Name or number of the column of groups of related images, such as a patient or a
        camera, for `sklearn.model_selection.GroupKFold`. None for no groups.
    validate : bool, default=False
        Whether to decode every image now.
    on_error : {"raise", "skip"}, default="raise"
        Treatment of unreadable and missing images if ``validate=True``: raise an
        `ImageDecodeError`, or leave them out with a `SkippedImageWarning`.
    return_X_y : bool, default=False
        Whether to return ``(data, target)`` instead of a Bunch.

    Returns
    -------
    sklearn.utils.Bunch
        A Bunch with the entries of `load_image_folder`, in the order of the rows, and
        ``groups``, an ndarray of shape (n_images,), if requested. ``ignored`` lists files
        that are in the table again with the same label.

    (data, target) : tuple of ndarray
        If ``return_X_y=True``.

    Raises
    ------
    FileNotFoundError
        If the table or a file in it doesn't exist.
    ValueError
        If a column doesn't exist, a cell is empty, a file has two labels, all images together
        have fewer than two labels, or the file isn't a CSV file.
    TypeError
        If `table` is neither a file name nor a frame.
    ImageDecodeError
        If ``validate=True``, ``on_error="raise"`` and an image can't be read.

    Warns
    -----
    SkippedImageWarning
        If unreadable images were left out.
    UserWarning
        If labels look the same, or if the same bytes have two labels.

    See Also
    --------
    load_image_folder : Reads class folders.

    Notes
    -----
    Labels from a CSV file are text: ``007`` stays ``007``, like the name of a folder. Labels of
    a frame keep their type, numbers included. Labels that are text and look the same become
    one class, with a warning, like the names of folders.

    A file that is in the table twice, under one or more names, counts once.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> from skvision import export_digits, load_image_table
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     files = sorted(export_digits(folder, n_per_class=2).glob("*/*.png"))
    ...     names = [file.name for file in files]  # "one_0001.png"
    ...     digits = load_image_table(
    ...         {"path": files, "label": [name.split("_")[0] for name in names]})
    >>> len(digits.data), digits.target_names[:3]
    (20, ['eight', 'five', 'four'])
    """
    check_on_error(on_error)
    wanted = {"path": path, "label": label, **({} if groups is None else {"groups": groups})}
    rows, columns, folder = _read_table(table, wanted)
    for role, column in columns.items():
        rows.refuse_empty(column, role, wanted[role])
    folder = os.path.expanduser(folder if root is None else root)
    files = [os.path.join(folder, os.path.expanduser(os.fspath(it))) for it in columns["path"]]
    if not (validate and on_error == "skip"):
        rows.refuse_missing(files, columns["path"])
    labels = _labels(columns["label"])
    kept, ignored = rows.once_each(files, labels)
    skipped: list[tuple[str, str]] = []
    rows.refuse_one_label(labels[kept])
    if validate:
        decoded, skipped = readable([files[place] for place in kept], labels[kept], on_error)
        kept = kept[decoded]
        rows.refuse_one_label(labels[kept])
    data = [files[place] for place in kept]
    found = as_bunch(data, labels[kept], rows.table, ignored=ignored, skipped=skipped)
    if groups is not None:
        found["groups"] = np.array(columns["groups"])[kept]
    return (found.data, found.target) if return_X_y else found


def _read_table(
    table: Any, wanted: Mapping[str, str | int]
) -> tuple[_Rows, dict[str, list[Any]], str | os.PathLike[str]]:
    """Return the names of rows, the columns, and the folder that file names are relative to."""
    if not isinstance(table, str | os.PathLike):
        return _Rows("the table", 0), _columns_of_frame(table, wanted), ""
    if is_url(table):
        raise ValueError(
            f"{table!s:.200} is a URL, and skvision doesn't download. Download it first."
        )
    file = Path(os.path.expanduser(table))
    columns = _columns_of_csv(file, wanted)
    # the first row is the header
    return _Rows(str(file), 2 if _has_names(wanted) else 1), columns, file.parent


def _has_names(wanted: Mapping[str, str | int]) -> bool:
    return any(isinstance(name, str) for name in wanted.values())


def _columns_of_frame(table: Any, wanted: Mapping[str, str | int]) -> dict[str, list[Any]]:
    names = list(getattr(table, "columns", table)) if _is_frame(table) else None
    if names is None:
        raise TypeError(
            "table must be a CSV file's name, a frame of pandas or polars, or a mapping of "
            f"columns. Received: {type(table).__name__}"
        )
    for role, name in wanted.items():
        if name not in names:
            raise ValueError(_no_column("the table", role, name, names))
    columns = {role: table[name] for role, name in wanted.items()}
    lists = {
        role: column.to_list() if hasattr(column, "to_list") else list(column)
        for role, column in columns.items()
    }
    lengths = {role: len(column) for role, column in lists.items()}
    if len(set(lengths.values())) > 1:
        raise ValueError(f"The columns have different lengths: {lengths}.")
    if not lists["path"]:
        raise ValueError("The table has no rows.")
    return lists


def _is_frame(table: Any) -> bool:
    return isinstance(table, Mapping) or (hasattr(table, "columns") and hasattr(table, "shape"))


def _columns_of_csv(file: Path, wanted: Mapping[str, str | int]) -> dict[str, list[str]]:
    text = _text_of(file)
    first = text.split("\n", 1)[0]

    def fit(delimiter: str) -> tuple[int, int]:
        cells = _cells(first, delimiter)
        return sum(name in cells for name in wanted.values()), len(cells)

    try:
        rows = list(_read(text, max(_DELIMITERS, key=fit)))
    except csv.Error as error:
        raise ValueError(f"{file} isn't a CSV file: {error}.") from None
    names: list[Any] = list(range(len(rows[0])))
    if _has_names(wanted):
        names = [cell.strip() for cell in rows.pop(0)]
    for role, name in wanted.items():
        if name not in names:
            raise ValueError(_no_column(str(file), role, name, names))
    places = {role: names.index(name) for role, name in wanted.items()}
    if not rows:
        raise ValueError(f"{file} has no rows besides its header.")
    return {
        role: [row[place] if place < len(row) else "" for row in rows]
        for role, place in places.items()
    }


def _text_of(file: Path) -> str:
    reader = _BY_PANDAS.get(file.suffix.lower())
    if reader is not None:
        raise ValueError(
            f"{file} isn't a CSV file. Read it by pandas: "
            f"load_image_table(pandas.{reader}({file.name!r}), root={str(file.parent)!r})."
        )
    try:
        content = file.read_bytes()
    except FileNotFoundError:
        raise FileNotFoundError(f"There is no file {file}. Looked in {Path.cwd()}.") from None
    except IsADirectoryError:
        raise IsADirectoryError(
            f"{file} is a folder. If its subfolders are the classes: load_image_folder."
        ) from None
    wide = content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    try:
        text = content.decode("utf-16" if wide else "utf-8-sig")
    except UnicodeDecodeError:
        raise ValueError(
            f"{file} isn't UTF-8 text. Save it as UTF-8, or read it by pandas: "
            "load_image_table(pandas.read_csv(..., encoding=...), root=...)."
        ) from None
    if "\0" in text or not text.strip():
        raise ValueError(f"{file} is {'not text' if text.strip() else 'empty'}.")
    return text.lstrip("\r\n")


def _read(text: str, delimiter: str) -> Any:
    rows = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, skipinitialspace=True)
    return (row for row in rows if any(cell.strip() for cell in row))


def _cells(line: str, delimiter: str) -> list[str]:
    return [cell.strip() for cell in next(_read(line, delimiter), [])]


def _no_column(table: str, role: str, name: object, names: Sequence[object]) -> str:
    shown = ", ".join(f"{each!r:.60}" for each in islice(names, 10))
    more = ", ..." if len(names) > 10 else ""
    numbered = (
        " If its first line isn't a header, pass numbers: path=0, label=1."
        if isinstance(name, str) and table != "the table"
        else ""
    )
    return f"{table} has no column {name!r}. Pass {role}= one of these: {shown}{more}.{numbered}"


def _labels(column: Sequence[Any]) -> np.ndarray:
    """Return the labels as an array, with one spelling for text that looks the same."""
    several = [each for each in column if isinstance(each, list | tuple | set | dict | np.ndarray)]
    if several:
        raise ValueError(
            f"A row needs one label. Received: {several[0]!r:.80}. For several labels per image, "
            "train a multi-label classifier of scikit-learn on PretrainedFeatureTransformer's "
            "features."
        )
    if not all(isinstance(each, str) for each in column):
        return np.array(column)
    # spaces around a cell aren't part of the label
    given = [as_label(each) for each in column]
    names, counts = np.unique(given, return_counts=True)
    spelling = one_spelling(dict(zip(names.tolist(), counts.tolist(), strict=True)))
    warn_of_spellings(spelling)
    return np.array([spelling[each] for each in given])


class _Rows:
    """The rows of a table, with checks whose errors name them."""

    def __init__(self, table: str, first: int) -> None:
        self.table = table
        self._first = first

    def refuse_empty(self, column: Sequence[Any], role: str, name: str | int) -> None:
        """Raise ValueError for an empty cell, and for a path that isn't text."""
        for place, cell in enumerate(column):
            is_text = isinstance(cell, str | os.PathLike)
            # the missing values of frames
            if not str(cell).strip() or (not is_text and str(cell) in _MISSING):
                raise ValueError(
                    f"{self._row(place)} of {self.table} is empty in column {name!r}. Fill it in, "
                    "or remove the row."
                )
            if role == "path" and not is_text:
                raise ValueError(
                    f"{self._row(place)} of {self.table} has no file name in column {name!r}, but "
                    f"{cell!r:.80}."
                )

    def refuse_one_label(self, labels: np.ndarray) -> None:
        """Raise ValueError if there are fewer than two labels."""
        if len(labels) == 0:
            raise ValueError(f"None of the images in {self.table} can be read.")
        if len(set(labels.tolist())) < 2:
            raise ValueError(
                f"Only one label, {labels[0]!s:.80}, in {self.table}. A classifier needs at least "
                "two."
            )

    def refuse_missing(self, files: Sequence[str], given: Sequence[Any]) -> None:
        """Raise FileNotFoundError for missing files, with a likely reason."""
        missing = [place for place, file in enumerate(files) if not os.path.isfile(file)]
        if not missing:
            return
        first = missing[0]
        name = str(given[first])
        if is_url(name):
            why = "It is a URL, and skvision doesn't download: download the images first."
        else:
            why = next(
                (cure for finds, cure in _GUESSES if finds(files[first], name)),
                "Pass root=, the folder that the names are relative to.",
            )
        raise FileNotFoundError(
            f"{len(missing)} of {len(files)} files of {self.table} are missing. The first: "
            f"{self._row(first)}, {name!r:.80}, looked for at {files[first]} (working directory "
            f"{os.getcwd()}). {why}"
        )

    def once_each(self, files: Sequence[str], labels: np.ndarray) -> tuple[np.ndarray, list[str]]:
        """Return the rows to use and the files that occur again; refuse a file with two labels."""
        first: dict[str, int] = {}
        kept, again = [], []
        for place, real in enumerate(real_names(files)):
            other = first.setdefault(real, place)
            if other == place:
                kept.append(place)
            elif labels[other] == labels[place]:
                again.append(files[place])
            else:
                raise ValueError(
                    f"{files[place]} has two labels in {self.table}: {labels[other]!s:.80} in "
                    f"{self._row(other)} and {labels[place]!s:.80} in {self._row(place)}. One "
                    "image can have only one label: remove the other row."
                )
        return np.array(kept), again

    def _row(self, place: int) -> str:
        return f"row {place + self._first}"


def _with_some_ending(file: str, name: str) -> bool:
    stem = os.path.basename(file)
    folder = os.path.dirname(file) or os.curdir
    return os.path.isdir(folder) and any(
        each.stem == stem for each in islice(Path(folder).iterdir(), 100_000)
    )


#: tests of whether a file exists under a changed name, and the likely reason
_GUESSES: list[tuple[Callable[[str, str], bool], str]] = [
    (_with_some_ending, "The names lack their endings: add them, as '.jpg'."),
    (
        lambda file, name: os.path.isfile(file.replace("\\", "/")),
        "The names have backslashes: replace them by slashes.",
    ),
    (
        lambda file, name: os.path.isfile(name),
        "It exists relative to the working directory: pass root='.'.",
    ),
    (
        lambda file, name: os.path.isfile(file.removesuffix(name) + name.strip()),
        "The names have spaces around them: strip them.",
    ),
]
