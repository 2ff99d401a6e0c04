"""`report`: one HTML file to judge a classifier by, and to share."""

from __future__ import annotations

import os
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np

from ..._sklearn.labels import labels_like
from ..._system.atomic import written_whole
from ..._system.progress import with_bar
from ...images import ImageBatch
from ..explanation import explain
from ..predictions import checked_images, known_classes, n_images_of
from ..unwrapping import final_estimator
from .gallery import MOST, chosen, data_summary, gallery, short_names
from .mistakes import LARGE, mistakes
from .model_facts import model_facts
from .one_pass import LONGEST, Reading, read_and_predict, small_images
from .overlap import overlap
from .page import page
from .page_contents import Answers, Contents, Gallery, Missing, Overlap
from .sections import (
    calibration,
    class_rows,
    confusions,
    group_rows,
    history_charts,
    selective,
    summary,
    unknown_rows,
)

__all__ = ["Origin", "page_of", "report"]

# With more images than this, the shown ones are decoded again, which costs less than small
# versions of all.
_ALL_SMALL = 4 * MOST

_NO_IMAGES = "X holds numbers that aren't images, so there is nothing to show."


@dataclass(frozen=True)
class Origin:
    """Where a model and its images come from, for the reader; None if that isn't known."""

    model: str | None = None
    data: str | None = None


def report(
    estimator: Any,
    X: Any,
    y: Any,
    out: str | os.PathLike[str],
    *,
    groups: Any = None,
    X_train: Any = None,
    verbose: Any = 0,
) -> Path:
    """Write an HTML report of a classifier's answers, to look at and to share.

    The file needs no network and no other file. It has the accuracy with its interval, the
    figures of each class, the confusion matrix and the images behind its cells, the most
    confident mistakes with heat maps, calibration, the training history, and all images to
    filter. A section that can't be made says why.

    Parameters
    ----------
    estimator : fitted classifier or Pipeline
        Any classifier that takes these images. Without ``predict_proba`` the sections that need
        probabilities are missing.
    X : array, sequence, Series or frame of n_samples images
        Images that the estimator wasn't trained on, in any form that it takes. Files that can't
        be read are left out and listed.
    y : array-like of shape (n_samples,)
        True labels. Images whose label the estimator doesn't know are counted apart.
    out : str or path-like
        The file to write, ``"report.html"`` for example. Whether it can be written is checked
        first. An existing file is replaced.
    groups : array-like of shape (n_samples,), default=None
        What each image belongs to (a camera, an animal, a folder), for the accuracy of each
        group. None for no such section.
    X_train : array, sequence, Series or frame of images, default=None
        The images of the training, in any form that the estimator takes. Test images that are
        among them are found by their content, and the report says so at its top. None for no
        such check.
    verbose : {0, 1, 2} or bool, default=0
        Output while working: none (0 or False), or a progress bar.

    Returns
    -------
    pathlib.Path
        The file.

    Raises
    ------
    NotFittedError
        If the estimator has not been fitted.
    ValueError
        If the estimator isn't a classifier, or X, y or groups are not as described, or no image
        can be read, or no label is known to the estimator.
    OSError
        If the file can't be written.

    Notes
    -----
    Each file is decoded once, for the prediction and for its small image together; the images
    of the most confident mistakes are decoded once more. A page shows at most 1,200 images, and
    says how they were drawn if there are more.

    Intervals cover 95 %. Those of accuracy and balanced accuracy are percentiles of 1,000
    bootstrap samples; those of groups are Wilson's.

    References
    ----------
    B. Efron, R. Tibshirani, An Introduction to the Bootstrap, 1993.

    Examples
    --------
    >>> import tempfile
    >>> from sklearn.datasets import load_digits
    >>> from skvision import MiniVGGClassifier, report
    >>> digits = load_digits(n_class=3)
    >>> X, y = digits.images / 16, digits.target
    >>> net = MiniVGGClassifier(image_size=8, filters=(8,), epochs=3, random_state=0)
    >>> net = net.fit(X[:300], y[:300])
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     file = report(net, X[300:], y[300:], f"{folder}/report.html", X_train=X[:300])
    ...     "Most confident mistakes" in file.read_text(encoding="utf-8")
    True
    """
    path = Path(os.path.expanduser(out))
    with written_whole(path) as temporary:
        text = page_of(estimator, X, y, groups=groups, X_train=X_train, verbose=verbose)
        temporary.write_text(text, encoding="utf-8")
    return path


def page_of(
    estimator: Any,
    X: Any,
    y: Any,
    *,
    groups: Any = None,
    X_train: Any = None,
    origin: Origin = Origin(),
    verbose: Any = 0,
) -> str:
    """Return the page that `report` writes; `origin` says where model and images come from."""
    classes = known_classes(estimator)
    images, files = checked_images(estimator, X)
    n = len(images) if images is not None else n_images_of(X)
    labels, members = _column(labels_like(classes, y), n, "y"), None
    if groups is not None:
        members = _column(np.asarray(groups), n, "groups")
    reading = read_and_predict(
        estimator, X, images, longest=LONGEST if n <= _ALL_SMALL else 0, verbose=int(verbose)
    )
    if not len(reading.kept):
        raise ValueError(f"None of the {n:,} images can be read. {_first_reason(reading, files)}")
    known = np.isin(labels[reading.kept], classes)
    if not known.any():
        raise ValueError(
            "The model knows none of the labels in y, so there is nothing to measure. It knows: "
            f"{_some(classes)}. Received: {_some(np.unique(labels))}."
        )
    work = _Work(estimator, X, images, files, labels, members, reading, known)
    return page(work.contents(X_train, origin, int(verbose)))


class _Work:
    """Puts the sections together."""

    def __init__(
        self,
        estimator: Any,
        X: Any,
        images: ImageBatch | None,
        files: list[str] | None,
        labels: np.ndarray,
        members: np.ndarray | None,
        reading: Reading,
        known: np.ndarray,
    ) -> None:
        self.estimator, self.X, self.images = estimator, X, images
        self.kind = type(estimator).__name__
        self.reading, self.known = reading, known
        self.labels = labels[reading.kept]
        self.members = None if members is None else members[reading.kept][known]
        #: places in X of the images that are measured
        self.measured = reading.kept[known]
        self.all_names = short_names(files, len(labels))
        self.names = [self.all_names[place] for place in self.measured]
        self.is_files = files is not None
        classes = known_classes(estimator)
        place_of = {label: place for place, label in enumerate(classes.tolist())}
        self.answers = Answers(
            classes,
            np.array([place_of[label] for label in self.labels[known].tolist()]),
            np.array([place_of[label] for label in reading.predicted[known].tolist()]),
            None if reading.probabilities is None else reading.probabilities[known],
        )

    def contents(self, X_train: Any, origin: Origin, verbose: int) -> Contents:
        answers, kind, reading = self.answers, self.kind, self.reading
        read_names = [self.all_names[place] for place in reading.kept]
        shared = overlap(self.estimator, X_train, reading.keys, read_names)
        shown = self._gallery()
        unknown = unknown_rows(self.labels[~self.known], reading.predicted[~self.known])
        what = "files" if self.is_files else "images"
        return Contents(
            title=f"{kind} on {origin.data or f'{len(answers):,} images'}",
            made=datetime.now().strftime("%Y-%m-%d %H:%M"),
            names=answers.names,
            notices=_notices(shared, shown, sum(row.n for row in unknown), len(reading.unreadable)),
            summary=summary(answers),
            classes=class_rows(answers),
            confusion=confusions(answers),
            mistakes=self._mistakes(verbose),
            calibration=calibration(answers, kind),
            selective=selective(answers, kind),
            history=history_charts(final_estimator(self.estimator), kind),
            groups=group_rows(self.members, answers.correct),
            gallery=shown,
            data=data_summary(
                f"{len(reading.kept):,} {what} that can be read",
                reading.looks,
                [str(label) for label in self.labels.tolist()],
                reading.keys,
            ),
            overlap=shared,
            unknown=unknown,
            unreadable=[(self.all_names[place], why) for place, why in reading.unreadable],
            model=model_facts(self.estimator, origin.model),
        )

    def _mistakes(self, verbose: int) -> Any:
        def small(places: np.ndarray) -> list[str]:
            assert self.images is not None
            return small_images(self.images, self.measured[places].tolist(), LARGE)

        def explained(places: np.ndarray) -> Any:
            part = _rows(self.X, self.images, self.measured[places])
            work = (explain(self.estimator, each) for each in [part])
            return next(iter(with_bar(work, 1, "explaining") if verbose else work))

        pictures = small if self.images is not None else Missing(_NO_IMAGES)
        return mistakes(self.answers, self.kind, self.names, pictures, explained)

    def _gallery(self) -> Gallery | Missing:
        if self.images is None:
            return Missing(_NO_IMAGES)
        places = chosen(self.answers.y_true, self.answers.y_pred)
        given = [self.reading.thumbnails[k] for k in np.flatnonzero(self.known)[places]]
        if None in given:
            given = list(small_images(self.images, self.measured[places].tolist(), LONGEST))
        return gallery(self.answers, places, [str(each) for each in given], self.names)


def _notices(
    shared: Overlap | Missing, shown: Gallery | Missing, n_unknown: int, n_unreadable: int
) -> list[str]:
    """Return what a reader must know before the figures."""
    notices = []
    if isinstance(shared, Overlap) and shared.names:
        n = len(shared.names)
        notices.append(
            f"The model was trained on {n:,} of these {shared.n_test:,} images. The figures are "
            "better than they would be on new images."
        )
    if n_unknown:
        notices.append(
            f"The model doesn't know the labels of {_images(n_unknown)}. They are counted apart, "
            "and no other figure includes them."
        )
    if n_unreadable:
        notices.append(
            f"{_images(n_unreadable)} can't be read. No figure includes them. The list "
            "is under Data."
        )
    if isinstance(shown, Gallery) and shown.is_sampled:
        notices.append(
            f"The page shows {len(shown.images):,} of {shown.n:,} images. All figures count all "
            "images."
        )
    return notices


def _images(n: int) -> str:
    return f"{n:,} image{'' if n == 1 else 's'}"


def _rows(X: Any, images: ImageBatch | None, places: np.ndarray) -> Any:
    """Return some of X in its own form."""
    sources = getattr(images, "sources", None)
    if sources is not None:
        return [sources[place] for place in places]
    if hasattr(X, "iloc"):
        return X.iloc[places]
    if hasattr(X, "shape"):
        return X[places]
    return [X[place] for place in places]


def _column(values: np.ndarray, n: int, name: str) -> np.ndarray:
    if values.ndim != 1 or len(values) != n:
        raise ValueError(
            f"{name} must hold one entry per image: {n:,} of them. Received "
            f"{'shape ' + str(values.shape) if values.ndim != 1 else f'{len(values):,}'}."
        )
    return values


def _first_reason(reading: Reading, files: list[str] | None) -> str:
    place, reason = reading.unreadable[0]
    return f"The first one, {files[place] if files else f'image {place + 1}'}: {reason}."


def _some(labels: np.ndarray) -> str:
    more = ", ..." if len(labels) > 10 else ""
    return ", ".join(map(str, labels[:10].tolist())) + more
