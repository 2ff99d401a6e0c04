"""Compute the sections of a report from a classifier's answers."""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np
from sklearn.metrics import precision_recall_fscore_support

from ..measures import (
    bootstrap_interval,
    calibration_bins,
    calibration_error,
    confusion,
    proportion_interval,
    selective_curve,
)
from .charts import Axis, Chart, Dot, Line, chart
from .page_contents import (
    Answers,
    Calibration,
    ClassRow,
    Confusion,
    Figure,
    GroupRow,
    Missing,
    Selective,
    Summary,
    UnknownRow,
)

__all__ = [
    "calibration",
    "class_rows",
    "confusions",
    "group_rows",
    "history_charts",
    "selective",
    "summary",
    "unknown_rows",
]

#: the largest confusion matrix that a page shows whole, and the number of pairs instead
LARGEST_MATRIX, N_PAIRS = 30, 50
#: shares of answered images in the table
_SHARES = (1.0, 0.9, 0.75, 0.5, 0.25)
# points of a curve; more don't show
_N_POINTS = 200


def summary(answers: Answers) -> Summary:
    """Return accuracy and balanced accuracy with bootstrap intervals, and what a guess gets.

    Where all answers are right, or all wrong, a bootstrap has no width: the interval of the
    accuracy is then Wilson's.
    """
    correct = answers.correct
    accuracy = float(correct.mean())
    if 0 < accuracy < 1:
        interval = bootstrap_interval(np.mean, correct)
    else:
        interval = _interval_of(int(correct.sum()), len(correct))
    n_classes = len(answers.classes)

    def balanced(true: np.ndarray, right: np.ndarray) -> float:
        counts = np.bincount(true, minlength=n_classes)
        hits = np.bincount(true, right, n_classes)
        return float((hits[counts > 0] / counts[counts > 0]).mean())

    columns = (answers.y_true, correct.astype(float))
    low, high = bootstrap_interval(balanced, *columns) if 0 < accuracy < 1 else (None, None)
    counts = np.bincount(answers.y_true, minlength=n_classes)
    return Summary(
        len(answers),
        int((~correct).sum()),
        Figure(accuracy, *interval),
        Figure(balanced(*columns), low, high),
        float(counts.max() / len(answers)),
        answers.names[int(counts.argmax())],
    )


def class_rows(answers: Answers) -> list[ClassRow]:
    """Return precision, recall and F1 of each class that occurs."""
    places = np.arange(len(answers.classes))
    figures = precision_recall_fscore_support(
        answers.y_true, answers.y_pred, labels=places, zero_division=0
    )
    n_predicted = np.bincount(answers.y_pred, minlength=len(places))
    rows = []
    for k, precision, recall, f1, n in zip(places.tolist(), *figures, strict=True):
        if n or n_predicted[k]:
            rows.append(
                ClassRow(
                    k,
                    answers.names[k],
                    float(precision) if n_predicted[k] else None,
                    float(recall) if n else None,
                    float(f1) if n else None,
                    int(n),
                    int(n_predicted[k]),
                )
            )
    return rows


def confusions(answers: Answers) -> Confusion:
    """Count true and predicted classes, and find the most frequent confusions."""
    n_classes = len(answers.classes)
    counts = confusion(answers.y_true, answers.y_pred, np.arange(n_classes))
    occurring = np.flatnonzero(counts.sum(axis=0) + counts.sum(axis=1))
    wrong = counts.copy()
    np.fill_diagonal(wrong, 0)
    # by count, then in the order of the classes
    order = np.argsort(-wrong, axis=None, kind="stable")[:N_PAIRS]
    pairs = [
        (int(true), int(predicted), int(wrong[true, predicted]))
        for true, predicted in zip(*np.unravel_index(order, wrong.shape), strict=True)
        if wrong[true, predicted]
    ]
    n_left_out = n_classes - len(occurring)
    if len(occurring) > LARGEST_MATRIX:
        return Confusion([], [], pairs, n_left_out)
    shown = counts[np.ix_(occurring, occurring)]
    return Confusion(occurring.tolist(), shown.tolist(), pairs, n_left_out)


def calibration(answers: Answers, kind: str) -> Calibration | Missing:
    """Compare confidence with accuracy; `kind` names the estimator."""
    confidence = answers.confidence
    if confidence is None:
        return Missing(_without_probabilities(kind))
    correct = answers.correct
    bins = calibration_bins(confidence, correct)
    full = np.flatnonzero(bins.counts)
    hits = np.round(bins.accuracy[full] * bins.counts[full]).astype(int)
    lows, highs = proportion_interval(hits, bins.counts[full])
    rows = [
        (
            float(bins.edges[k]),
            float(bins.edges[k + 1]),
            int(bins.counts[k]),
            float(bins.confidence[k]),
            float(bins.accuracy[k]),
        )
        for k in full
    ]
    dots = [
        Dot(mean, share, float(low), float(high), (n / bins.counts.max()) ** 0.5, f"{n} images")
        for (_, _, n, mean, share), low, high in zip(rows, lows, highs, strict=True)
    ]
    error = Figure(*calibration_error(confidence, correct))
    drawn = chart(
        Axis("confidence", (0, 1), is_share=True),
        Axis("accuracy", (0, 1), is_share=True),
        [
            Line("confidence equals accuracy", [(0, 0), (1, 1)], "guide"),
            Line("the model", [(dot.x, dot.y) for dot in dots], "first"),
        ],
        dots=dots,
        description="Accuracy in each tenth of confidence. The table has the numbers.",
    )
    return Calibration(error, float(confidence.mean()), float(correct.mean()), drawn, rows)


def selective(answers: Answers, kind: str) -> Selective | Missing:
    """Return the accuracy if only the most confident answers are given."""
    confidence = answers.confidence
    if confidence is None:
        return Missing(_without_probabilities(kind))
    curve = selective_curve(confidence, answers.correct)
    rows = []
    for share in _SHARES:
        # the fewest images that are at least this share
        k = min(int(np.searchsorted(curve.share, share - 1e-9)), len(curve.share) - 1)
        row = (float(curve.share[k]), float(curve.accuracy[k]), float(curve.threshold[k]))
        if row not in rows:
            rows.append(row)
    kept = np.unique(np.linspace(0, len(curve.share) - 1, _N_POINTS).round().astype(int))
    lowest = float(curve.accuracy[curve.share >= 0.05].min())
    bottom = max(0.0, np.floor(10 * lowest - 1e-9) / 10 - 0.1)
    drawn = chart(
        Axis("share of images answered", (0, 1), is_share=True),
        Axis("accuracy on them", (bottom, 1), is_share=True),
        [
            Line(
                "the model",
                [(float(curve.share[k]), float(curve.accuracy[k])) for k in kept],
                "first",
            )
        ],
        description="Accuracy against the share of images that are answered, the most confident "
        "first. The table has the numbers.",
    )
    return Selective(drawn, rows)


def _without_probabilities(kind: str) -> str:
    return (
        f"{kind} has no predict_proba, so there is no confidence. "
        "sklearn.calibration.CalibratedClassifierCV adds one."
    )


def group_rows(groups: np.ndarray | None, correct: np.ndarray) -> list[GroupRow] | Missing:
    """Return the accuracy of each group, with Wilson's interval, the lowest first."""
    if groups is None:
        return Missing(
            "No groups were given. Pass groups=, one per image (its camera, animal or folder), or "
            "--group-by on the command line."
        )
    names = np.array([str(group) for group in groups.tolist()])
    rows = []
    for name in np.unique(names):
        right = correct[names == name]
        share = float(right.mean())
        interval = _interval_of(int(right.sum()), len(right))
        rows.append(GroupRow(str(name), len(right), int((~right).sum()), Figure(share, *interval)))
    return sorted(rows, key=lambda row: row.accuracy.value)


def _interval_of(hits: int, n: int) -> tuple[float, float]:
    low, high = proportion_interval(hits, n)
    return float(low), float(high)


def unknown_rows(labels: np.ndarray, predicted: np.ndarray) -> list[UnknownRow]:
    """Count the images of labels that the classifier doesn't know, and what it takes them for."""
    texts, answers = ([str(each) for each in column.tolist()] for column in (labels, predicted))
    pairs = list(zip(texts, answers, strict=True))
    return [
        UnknownRow(
            name, n, Counter(answer for label, answer in pairs if label == name).most_common(3)
        )
        for name, n in sorted(Counter(texts).items())
    ]


def history_charts(estimator: Any, kind: str) -> list[Chart] | Missing:
    """Draw the training history of a network; `estimator` is the last step, `kind` the whole."""
    history = getattr(estimator, "history_", None)
    if not isinstance(history, dict) or not history.get("loss"):
        name = type(estimator).__name__
        what = name if name == kind else f"a {kind} that ends in {name}"
        return Missing(f"No history: the model is {_with_article(what)}, which trains no network.")
    phases = list(history.get("phase", ()))
    marks = [
        (k + 0.5, f"{phases[k]} begins".replace("_", "-"))
        for k in range(1, len(phases))
        if phases[k] != phases[k - 1]
    ]
    return [
        _history_chart(history, name, marks) for name in ("loss", "accuracy") if history.get(name)
    ]


def _history_chart(
    history: dict[str, list[Any]], name: str, marks: list[tuple[float, str]]
) -> Chart:
    lines = [
        Line(label, [(k, float(value)) for k, value in enumerate(history[key], start=1)], style)
        for label, key, style in (
            ("training", name, "first"),
            ("validation", f"val_{name}", "second"),
        )
        if history.get(key)
    ]
    values = np.array([y for line in lines for _, y in line.points])
    values = values[np.isfinite(values)]
    is_share = name == "accuracy"
    if is_share:
        low, high = max(0.0, float(np.floor(10 * values.min() - 1e-9) / 10)), 1.0
    else:
        low, high = 0.0, float(values.max()) * 1.05
    return chart(
        Axis("epoch", (1, max(2, len(history[name]))), is_whole=True),
        Axis(name, (low, high), is_share=is_share),
        lines,
        marks=marks,
        description=f"{name.capitalize()} in each epoch, from {values[0]:.3g} to "
        f"{float(history[name][-1]):.3g} on the training images.",
    )


def _with_article(name: str) -> str:
    if name.startswith("a "):
        return name
    return f"{'an' if name[:1] in 'AEIOU' else 'a'} {name}"
