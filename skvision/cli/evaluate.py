"""``skvision evaluate``."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from enum import StrEnum
from itertools import chain
from typing import Annotated, Any, NamedTuple

import typer

from ..exceptions import ImageDecodeError
from ._models import chunks, load_model, read_test_folders, reads_as
from ._options import (
    Classes,
    Debug,
    Folders,
    GroupBy,
    Jobs,
    ModelFile,
    SkipUnreadable,
    Trust,
)
from ._output import aligned, as_csv, as_json, standard_output
from ._start import use_threads
from .report import page_of_folders

__all__ = ["evaluate"]


class EvaluationFormat(StrEnum):
    """Format of an evaluation on standard output."""

    table = "table"
    csv = "csv"
    json = "json"
    html = "html"


def evaluate(
    model: ModelFile,
    folders: Folders,
    classes: Classes = None,
    group_by: GroupBy = None,
    output: Annotated[
        EvaluationFormat,
        typer.Option("--format", help="Format of the results on standard output."),
    ] = EvaluationFormat.table,
    skip_unreadable: SkipUnreadable = False,
    jobs: Jobs = None,
    trust: Trust = False,
    debug: Debug = False,
) -> None:
    """Evaluate a model on images that it hasn't seen.

    Prints accuracy, precision, recall and F1 of each class, and the confusion
    matrix (rows are true classes, columns predicted ones). --format json adds the
    misclassified images; --format csv has one row per image; --format html is the page of
    skvision report. --group-by adds the accuracy of each group, with its 95 % interval. The
    folders may hold only some of the model's classes, or be class folders themselves.
    """
    use_threads(jobs)
    # before decoding images, so that a forgotten --trust costs no time
    estimator = load_model(model, trust)
    if output is EvaluationFormat.html:
        standard_output().write(page_of_folders(estimator, model, folders, classes, (), group_by))
        return
    known = [str(name) for name in estimator.classes_]
    data = read_test_folders(
        folders, known, skip_unreadable, classes, lambda: reads_as(estimator), group_by
    )
    groups = None if group_by is None else dict(zip(data.data, data.groups, strict=True))
    out = standard_output()
    answers = _answers(estimator, data, skip_unreadable)
    if output is EvaluationFormat.csv:
        rows: Iterable[tuple[Any, ...]] = chain([Answer._fields], answers)
        if groups is not None:
            rows = chain(
                [(*Answer._fields, "group")], ((*each, groups[each.file]) for each in answers)
            )
        out.writelines(as_csv(rows))
        return
    found = list(answers)
    figures = _figures(found, known)
    if groups is not None:
        figures["groups"] = _by_group(found, groups)
    out.write(as_json(figures) if output is EvaluationFormat.json else _as_text(figures))


class Answer(NamedTuple):
    """A model's prediction for one image; its fields are the columns of the CSV."""

    file: str
    true: str
    predicted: str
    probability: float | None


def _answers(estimator: Any, data: Any, skip_unreadable: bool = False) -> Iterator[Answer]:
    from ..datasets import answered

    def ask(files: Any) -> Iterable[tuple[str, float | None]]:
        if not hasattr(estimator, "predict_proba"):  # for example an SVM on features
            return [(str(name), None) for name in estimator.predict(files)]
        probabilities = estimator.predict_proba(files)
        best = probabilities.argmax(axis=1)
        scores = [round(float(row[k]), 6) for row, k in zip(probabilities, best, strict=True)]
        return zip(map(str, estimator.classes_[best]), scores, strict=True)

    skipped = []
    for part in chunks(range(len(data.data)), "evaluating"):
        files = data.data[part]
        rows = answered(ask, files) if skip_unreadable else ask(files)
        for file, true, row in zip(files, data.target[part], rows, strict=True):
            if isinstance(row, ImageDecodeError):
                skipped.append((row.source, row.reason))
            else:
                yield Answer(file, str(true), *row)
    if skipped:
        from ..datasets.left_out import warn_of_skipped

        warn_of_skipped(skipped)
    if len(skipped) == len(data.data):
        raise ValueError("None of the images can be read.")


def _figures(answers: Sequence[Answer], known: list[str]) -> dict[str, Any]:
    from sklearn.metrics import confusion_matrix, precision_recall_fscore_support

    true = [answer.true for answer in answers]
    predicted = [answer.predicted for answer in answers]
    misclassified = [answer for answer in answers if answer.true != answer.predicted]
    by_class = zip(
        known,
        *precision_recall_fscore_support(true, predicted, labels=known, zero_division=0),
        strict=True,
    )
    return {
        "accuracy": (len(answers) - len(misclassified)) / len(answers),
        "n": len(answers),
        "classes": {
            name: {
                "precision": float(precision),
                # undefined for a class without images
                "recall": float(recall) if n else None,
                "f1": float(f1) if n else None,
                "n": int(n),
            }
            for name, precision, recall, f1, n in by_class
        },
        "confusion_matrix": {
            "labels": known,
            "matrix": confusion_matrix(true, predicted, labels=known).tolist(),
        },
        "misclassified": [answer._asdict() for answer in misclassified],
    }


def _by_group(answers: Sequence[Answer], groups: Mapping[str, str]) -> dict[str, Any]:
    """Return the accuracy of each group, the lowest first."""
    from ..inspection.measures import proportion_interval

    counts: dict[str, list[int]] = {}
    for answer in answers:
        count = counts.setdefault(str(groups[answer.file]), [0, 0])
        count[0] += answer.true == answer.predicted
        count[1] += 1
    ranked = sorted(counts.items(), key=lambda item: (item[1][0] / item[1][1], item[0]))
    n_correct, n_images = zip(*(count for _, count in ranked), strict=True)
    intervals = zip(*proportion_interval(n_correct, n_images), strict=True)
    return {
        name: {"accuracy": correct / n, "interval": [float(low), float(high)], "n": n}
        for (name, (correct, n)), (low, high) in zip(ranked, intervals, strict=True)
    }


def _as_text(figures: dict[str, Any]) -> str:
    classes = [
        ("", "precision", "recall", "f1", "images"),
        *(
            (name, *(_share(each[it]) for it in ("precision", "recall", "f1")), each["n"])
            for name, each in figures["classes"].items()
        ),
    ]
    labels, matrix = figures["confusion_matrix"].values()
    confusion = [("", *labels), *((name, *row) for name, row in zip(labels, matrix, strict=True))]
    by_group = ""
    if "groups" in figures:
        rows = [("group", "accuracy", "from", "to", "images")]
        for name, each in figures["groups"].items():
            shares = (each["accuracy"], *each["interval"])
            rows.append((name, *map(_share, shares), each["n"]))
        by_group = f"Groups (lowest accuracy first, with its 95 % interval)\n{aligned(rows)}\n\n"
    return (
        f"Accuracy {figures['accuracy']:.4f} on {figures['n']} images\n\n"
        f"{aligned(classes)}\n\n{by_group}"
        f"Confusion matrix (rows: true, columns: predicted)\n{aligned(confusion)}\n"
    )


def _share(figure: float | None) -> str:
    return "-" if figure is None else f"{figure:.3f}"
