"""``skvision predict``."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, NamedTuple

import typer

from ..exceptions import ImageDecodeError
from ._errors import say
from ._heat_maps import HeatMaps
from ._models import chunks, load_model, reads_as
from ._options import Debug, Format, FormatOption, Jobs, Trust
from ._output import as_csv, as_json_list, standard_output
from ._start import start_quietly, use_threads
from ._withholding import COLUMNS, Answer, Withholding, check_coverage

__all__ = ["predict"]


def predict(
    model: Annotated[
        Path,
        typer.Argument(
            metavar="MODEL",
            help="A file that skvision train wrote; with --network, the first image.",
        ),
    ],
    images: Annotated[
        list[Path] | None,
        typer.Argument(
            metavar="IMAGE",
            help="Images and folders of images; - for a list of them on standard input.",
        ),
    ] = None,
    network: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help="A pretrained network instead of a model: VGG16, EfficientNetLite0, ...",
        ),
    ] = None,
    top: Annotated[int, typer.Option(min=1, help="Number of classes to print per image.")] = 1,
    coverage: Annotated[
        float | None,
        typer.Option(
            metavar="SHARE",
            help="Withhold an answer unless the classes that hold the true one in this share of "
            "cases are one class; for a model that was trained with --coverage.",
        ),
    ] = None,
    at_least: Annotated[
        float | None,
        typer.Option(
            metavar="PROBABILITY",
            min=0,
            max=1,
            help="Withhold an answer whose probability is below this one.",
        ),
    ] = None,
    explain: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR",
            help="Write heat maps of what speaks for the predicted class into this folder.",
        ),
    ] = None,
    output: FormatOption = Format.table,
    jobs: Jobs = None,
    trust: Trust = False,
    debug: Debug = False,
) -> None:
    """Predict the class of each image, with probabilities.

    Unreadable images are reported on standard error, and the others are predicted; the
    exit code is then 2. Standard input has one file name per line.

    A withheld answer is no error. The table begins it with the word withheld and the reason;
    csv and json have an answer, which is empty then, and the reason as withheld.

    --explain writes NAME.png for each image NAME.jpg: the image, and a heat map over it. The
    formats csv and json also give its controls: by how much the probability falls if the
    hottest tenth of the image is hidden, and a random tenth.
    """
    use_threads(jobs)
    given = [*([model] if network else []), *(images or ())]
    if not given:
        raise typer.BadParameter("pass at least one image after the model.")
    check_coverage(coverage)
    files = _files(given)
    heat_maps = None if explain is None else HeatMaps(explain)
    estimator = _pretrained(network) if network else load_model(model, trust, "predict_proba")
    withholding = None
    if coverage is not None or at_least is not None:
        withholding = Withholding(coverage, at_least)
        withholding.check(estimator, None if network else model)
    out = standard_output()
    top = min(top, len(estimator.classes_))
    failed = False

    def said() -> Iterator[Prediction]:
        nonlocal failed
        for prediction in _predictions(estimator, files, top, withholding, heat_maps):
            if prediction.error:
                failed = True
                say(prediction.error)
            yield prediction

    columns = Columns(top, withholding is not None, heat_maps is not None)
    for text in _WRITERS[output](said(), columns):
        out.write(text)
    if failed:
        raise typer.Exit(2)


def _pretrained(network: str) -> Any:
    start_quietly()
    from ..classifiers import ImageNetClassifier

    return ImageNetClassifier(network)


@dataclass(frozen=True)
class Prediction:
    """The best classes of a file with their probabilities, or the error."""

    file: str
    best: Sequence[tuple[str, float]] = ()
    error: str | None = None
    #: with --coverage or --at-least
    answer: Answer | None = None
    #: with --explain
    heat_map: dict[str, Any] | None = None


class Columns(NamedTuple):
    """What a form shows besides the file."""

    top: int
    withholds: bool
    explains: bool


def _predictions(
    estimator: Any,
    files: Sequence[str],
    top: int,
    withholding: Withholding | None = None,
    heat_maps: HeatMaps | None = None,
) -> Iterator[Prediction]:
    import numpy as np

    from ..datasets import answered, find_unreadable
    from ..images import keep_files

    def ask(readable: Any) -> Iterable[tuple[Any, Any]]:
        return (withholding or Withholding(None, None)).ask(estimator, readable)

    names = estimator.classes_
    how = reads_as(estimator)
    for chunk in chunks(files, "predicting"):
        if how is not None:
            # what is decoded to check them is predicted
            chunk = keep_files(chunk, how)
        errors = {error.source: str(error) for error in find_unreadable(chunk)}
        readable = np.array([file for file in chunk if file not in errors], dtype=object)
        answers = answered(ask, readable)
        rows = iter(answers)
        explained: Iterator[dict[str, Any]] = iter(())
        if heat_maps is not None:
            known = [not isinstance(row, ImageDecodeError) for row in answers]
            explained = iter(
                heat_maps.write(estimator, list(readable[known])) if any(known) else ()
            )
        for file in chunk:
            if file in errors:
                yield Prediction(file, error=errors[file])
                continue
            row = next(rows)
            if isinstance(row, ImageDecodeError):
                yield Prediction(file, error=str(row))
                continue
            row, inside = row
            order = np.argsort(-row, kind="stable")[:top]
            best = [(str(names[k]), float(row[k])) for k in order]
            answer = None if withholding is None else withholding.answer(names, row, inside)
            yield Prediction(file, best, answer=answer, heat_map=next(explained, None))


# columns of the CSV, in the order of `HeatMaps.write`
_HEAT_MAP = ("heat_map", "deletion", "random_deletion", "sanity")


def _as_lines(predictions: Iterable[Prediction], columns: Columns) -> Iterator[str]:
    for prediction in predictions:
        named = ", ".join(f"{name} {probability:.3f}" for name, probability in prediction.best)
        answer = prediction.answer
        if answer and answer.reason:
            named = f"withheld, {answer.reason} ({named})"
        elif answer and answer.label != prediction.best[0][0]:
            named = f"{answer.label} ({named})"
        if named:
            shown = f" (heat map {prediction.heat_map['file']})" if prediction.heat_map else ""
            yield f"{prediction.file}: {named}{shown}\n"


def _as_rows(predictions: Iterable[Prediction], columns: Columns) -> Iterator[str]:
    def rows() -> Iterator[list[Any]]:
        yield [
            "file",
            *(COLUMNS if columns.withholds else ()),
            *(f"{it}_{k + 1}" for k in range(columns.top) for it in ("class", "probability")),
            *(_HEAT_MAP if columns.explains else ()),
        ]
        for prediction in predictions:
            if prediction.best:
                best = ((name, f"{probability:.6f}") for name, probability in prediction.best)
                shown = prediction.heat_map.values() if prediction.heat_map else ()
                cells = prediction.answer.cells if prediction.answer else ()
                yield [prediction.file, *cells, *(cell for pair in best for cell in pair), *shown]

    return as_csv(rows())


def _as_entries(predictions: Iterable[Prediction], columns: Columns) -> Iterator[str]:
    return as_json_list(
        {"file": prediction.file, "error": prediction.error}
        if prediction.error
        else {
            "file": prediction.file,
            **(prediction.answer.facts if prediction.answer else {}),
            "predictions": [
                {"class": name, "probability": round(probability, 6)}
                for name, probability in prediction.best
            ],
            **({"heat_map": prediction.heat_map} if prediction.heat_map else {}),
        }
        for prediction in predictions
    )


_WRITERS: dict[Format, Callable[[Iterable[Prediction], Columns], Iterator[str]]] = {
    Format.table: _as_lines,
    Format.csv: _as_rows,
    Format.json: _as_entries,
}


def _files(images: Iterable[Path]) -> list[str]:
    """Replace folders by their images; keep names as the user wrote them."""
    from ..datasets.kinds import holdings
    from ..datasets.left_out import warn_of_left_out
    from ..datasets.listing import Listing, list_folder

    files: list[str] = []
    rest = Listing()
    for path in _with_standard_input(images):
        name = os.path.expanduser(path)
        if not os.path.isdir(name):
            files.append(name)
            continue
        found = list_folder(name)
        if not found.images:
            held = holdings(found.others)
            what = f", but {held}" if held else ""
            raise ValueError(f"There are no images in the folder {path}{what}.")
        files += found.images
        rest.others += found.others
        rest.closed += found.closed
    warn_of_left_out(rest)
    return files


def _with_standard_input(images: Iterable[Path]) -> Iterator[Path]:
    for path in images:
        if str(path) != "-":
            yield path
            continue
        # bytes, since a file's name may not be text; find -print0 separates names by zeros
        given = sys.stdin.buffer.read()
        names = [
            name.removesuffix(b"\r") for name in given.split(b"\0" if b"\0" in given else b"\n")
        ]
        if not any(names):
            raise ValueError(
                "There are no file names on standard input; - reads one per line, as in: "
                "find . -name '*.jpg' | skvision predict MODEL -"
            )
        yield from (Path(os.fsdecode(name)) for name in names if name)
