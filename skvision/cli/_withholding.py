"""Answers that a model withholds: calibration in ``train``, the decision in ``predict``."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import typer

from ._labelled import Labelled

__all__ = ["COLUMNS", "Answer", "Parts", "Withholding", "calibrated", "check_coverage", "set_apart"]

#: share of the training images that calibrate
CALIBRATION_FRACTION = 0.25
#: columns of a table of answers, in the order of `Answer.cells`
COLUMNS = ("answer", "withheld")


def check_coverage(coverage: float | None) -> None:
    """Raise BadParameter unless an option ``--coverage`` is above 0 and below 1."""
    if coverage is not None and not 0 < coverage < 1:
        raise typer.BadParameter(
            f"--coverage must be above 0 and below 1, not {coverage:g}; 0.95 asks for sets that "
            "hold the true class of 95 of 100 images."
        )


# train


def set_apart(seen: Labelled, coverage: float, seed: Any) -> tuple[Labelled, Labelled]:
    """Split training images into those that train and those that calibrate.

    Too few of them are an error before the training.
    """
    import numpy as np

    from ..classifiers.prediction_sets import images_needed

    needed = images_needed(coverage)
    names, counts = np.unique(seen.y, return_counts=True)
    if counts.min() > 1:
        kept, apart = seen.split(CALIBRATION_FRACTION, seed, f"--coverage {coverage:g}")
        counts = np.array([(apart.y == name).sum() for name in names])
        if counts.min() >= needed:
            return kept, apart
    raise ValueError(
        f"--coverage {coverage:g} needs at least {needed} calibration images of each class, but "
        f"{names[counts.argmin()]} has {counts.min()}: a quarter of its training images calibrate. "
        "Add images, or lower --coverage or --test-fraction."
    )


class Parts(NamedTuple):
    """Images and labels: those that train, those that calibrate and those that measure."""

    seen: Labelled
    apart: Labelled
    kept_back: Labelled | None


def calibrated(net: Any, parts: Parts, coverage: float, tell: Callable[[str], None]) -> Any:
    """Return a model that withholds answers; tell what it does with the held-out images."""
    import numpy as np
    from sklearn.frozen import FrozenEstimator

    from ..classifiers import ConformalImageClassifier

    # with the training images, from which distances are
    X, y = (
        np.concatenate(both)
        for both in ((parts.seen.X, parts.apart.X), (parts.seen.y, parts.apart.y))
    )
    train, calibration = np.split(np.arange(len(y)), [len(parts.seen)])
    model = ConformalImageClassifier(FrozenEstimator(net), coverage, cv=[(train, calibration)])
    model.fit(X, y).set_params(cv=None)
    if parts.kept_back:
        X, y = parts.kept_back.X, parts.kept_back.y
        sets = model.predict_set(X)
        sizes = sets.sum(axis=1)
        holds = sets[np.arange(len(y)), np.searchsorted(model.classes_, y)].mean()
        tell(
            f"(--coverage {coverage:g}: the sets of {holds:.4f} of them hold the class, "
            f"{(sizes == 1).mean():.4f} have one class, {(sizes == 0).mean():.4f} none)"
        )
    return model


# predict


class Answer(NamedTuple):
    """What a model answers; if it withholds its answer, the reason."""

    label: str | None
    reason: str | None
    #: the classes that it doesn't exclude; None without a coverage
    classes: Sequence[str] | None

    @property
    def cells(self) -> tuple[str, str]:
        """The answer and the reason, of which one is empty."""
        return self.label or "", self.reason or ""

    @property
    def facts(self) -> dict[str, Any]:
        """The same for JSON, with the set if there is one."""
        facts: dict[str, Any] = dict(zip(COLUMNS, (self.label, self.reason), strict=True))
        return facts if self.classes is None else {**facts, "set": list(self.classes)}


@dataclass(frozen=True)
class Withholding:
    """When an answer is withheld: the options ``--coverage`` and ``--at-least``.

    Parameters
    ----------
    coverage, at_least : float or None
        The options.
    """

    coverage: float | None
    at_least: float | None

    def check(self, model: Any, path: Path | None) -> None:
        """Raise ValueError for a model without calibration if there is a coverage."""
        if self.coverage is None or hasattr(model, "predict_set"):
            return
        what = "A pretrained network" if path is None else str(path)
        raise ValueError(
            f"{what} is not calibrated, which --coverage needs. Train a model by: skvision train "
            f"FOLDER --coverage {self.coverage:g} --out MODEL.skv. Or use --at-least, which any "
            "model understands."
        )

    def ask(self, model: Any, files: Any) -> Iterable[tuple[Any, Any]]:
        """Return the probabilities of each file, and which classes are in its set."""
        if self.coverage is None:
            return ((row, None) for row in model.predict_proba(files))
        sets, rows = model.predict_set(files, coverage=self.coverage, return_proba=True)
        return zip(rows, sets, strict=True)

    def answer(self, names: Sequence[Any], row: Any, inside: Any) -> Answer:
        """Return the answer for a file."""
        place, classes = int(row.argmax()), None
        if inside is not None:
            classes = [str(name) for name, is_in in zip(names, inside, strict=True) if is_in]
            if len(classes) != 1:
                return Answer(None, " or ".join(classes) or "unlike every class", classes)
            place = int(inside.argmax())
        if self.at_least is not None and row[place] < self.at_least:
            return Answer(None, f"below {self.at_least:g}", classes)
        return Answer(str(names[place]), None, classes)
