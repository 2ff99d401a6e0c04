"""The data of every section of a report; a section that can't be made says why."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from .charts import Chart

__all__ = [
    "Answers",
    "Calibration",
    "ClassRow",
    "Confusion",
    "Contents",
    "DataSummary",
    "Figure",
    "Gallery",
    "GroupRow",
    "Missing",
    "Mistake",
    "Mistakes",
    "ModelFacts",
    "Overlap",
    "Selective",
    "Shown",
    "Summary",
    "UnknownRow",
]


@dataclass(frozen=True)
class Missing:
    """A section that can't be made, and the reason, a sentence for the reader."""

    reason: str


@dataclass(frozen=True)
class Answers:
    """A classifier's answers for images whose true classes it knows.

    Parameters
    ----------
    classes : ndarray of shape (n_classes,)
        The labels that the classifier knows.
    y_true, y_pred : ndarray of shape (n,), int
        True and predicted labels, as places in `classes`.
    probabilities : ndarray of shape (n, n_classes), float, default=None
        None if the classifier has none.
    """

    classes: np.ndarray
    y_true: np.ndarray
    y_pred: np.ndarray
    probabilities: np.ndarray | None = None

    def __len__(self) -> int:
        return len(self.y_true)

    @property
    def correct(self) -> np.ndarray:
        """Whether the predicted classes are the true ones, (n,) bool."""
        same: np.ndarray = self.y_pred == self.y_true
        return same

    @property
    def confidence(self) -> np.ndarray | None:
        """The probabilities of the predicted classes, (n,)."""
        if self.probabilities is None:
            return None
        of_predicted: np.ndarray = self.probabilities[np.arange(len(self)), self.y_pred]
        return of_predicted

    @property
    def names(self) -> list[str]:
        """The labels as text."""
        return [str(label) for label in self.classes.tolist()]


@dataclass(frozen=True)
class Figure:
    """A number with its interval; None if there is no interval."""

    value: float
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True)
class Summary:
    """How good the classifier is in total."""

    n: int
    n_wrong: int
    accuracy: Figure
    balanced: Figure
    #: the share and the name of the largest class, which a guess would name
    guess: float
    largest: str


@dataclass(frozen=True)
class ClassRow:
    """The figures of one class; None where they are undefined."""

    index: int
    name: str
    precision: float | None
    recall: float | None
    f1: float | None
    n: int
    n_predicted: int


@dataclass(frozen=True)
class Confusion:
    """Counts of true and predicted classes.

    Parameters
    ----------
    places : list of int
        The classes of rows and columns; empty if there are too many for a table.
    counts : list of list of int
        Rows are true classes, columns predicted ones.
    pairs : list of tuple (int, int, int)
        True class, predicted class and count of the most frequent confusions.
    n_left_out : int
        Number of classes that occur neither as true nor as predicted ones.
    """

    places: list[int]
    counts: list[list[int]]
    pairs: list[tuple[int, int, int]]
    n_left_out: int


@dataclass(frozen=True)
class Mistake:
    """One of the most confident mistakes."""

    name: str
    true: str
    predicted: str
    confidence: float
    probability_of_true: float
    image: str
    #: the image with the heat map over it; None without one
    heat: str | None = None
    #: the probability lost if the hottest tenth is hidden, and a random tenth
    hidden: float | None = None
    hidden_at_random: float | None = None


@dataclass(frozen=True)
class Mistakes:
    """The most confident mistakes; `heat` says how the maps were made or why there are none."""

    rows: list[Mistake]
    n_wrong: int
    heat: str | Missing
    likeness: float | None = None


@dataclass(frozen=True)
class Calibration:
    """Confidence against accuracy."""

    error: Figure
    mean_confidence: float
    accuracy: float
    chart: Chart
    #: (low, high, count, mean confidence, accuracy) of each bin that isn't empty
    bins: list[tuple[float, float, int, float, float]]


@dataclass(frozen=True)
class Selective:
    """Accuracy against the share of images that are answered."""

    chart: Chart
    #: (share, accuracy, lowest confidence)
    rows: list[tuple[float, float, float]]


@dataclass(frozen=True)
class GroupRow:
    """Accuracy of one group."""

    name: str
    n: int
    n_wrong: int
    accuracy: Figure


@dataclass(frozen=True)
class UnknownRow:
    """Images whose label the classifier doesn't know."""

    name: str
    n: int
    #: what they were predicted as, the most frequent first
    predicted: list[tuple[str, int]]


@dataclass(frozen=True)
class Shown:
    """One image of the gallery."""

    name: str
    true: int
    predicted: int
    confidence: float | None
    image: str
    #: the most probable classes, the first one is the predicted one
    top: list[tuple[str, float]] = field(default_factory=list)


@dataclass(frozen=True)
class Gallery:
    """Images to look at; `n` is the number of all of them."""

    images: list[Shown]
    n: int
    n_wrong: int
    n_wrong_shown: int

    @property
    def is_sampled(self) -> bool:
        """Whether some images aren't shown."""
        return len(self.images) < self.n


@dataclass(frozen=True)
class Overlap:
    """Test images that are training images, too."""

    n_test: int
    n_train: int
    #: names of test images that are in the training data
    names: list[str]


@dataclass(frozen=True)
class DataSummary:
    """What the images are like.

    Parameters
    ----------
    kind : str
        What X was, ``"120 files"`` for example.
    formats : list of tuple (str, int)
        Formats and their counts; empty if X isn't files.
    sizes : list of tuple (str, str)
        What is said about sizes, as name and value.
    counts : list of tuple (str, int)
        Images per class, of the classes that have any.
    n_copies : int
        Number of images that are copies of another one here.
    """

    kind: str
    formats: list[tuple[str, int]]
    sizes: list[tuple[str, str]]
    counts: list[tuple[str, int]]
    n_copies: int


@dataclass(frozen=True)
class ModelFacts:
    """Parameters, versions and use of the model."""

    kind: str
    facts: list[tuple[str, str]]
    parameters: list[tuple[str, str]]
    #: (package, version in training or "", installed version)
    versions: list[tuple[str, str, str]]
    python: str
    shell: str


@dataclass(frozen=True)
class Contents:
    """Everything that a report shows."""

    title: str
    made: str
    names: list[str]
    notices: list[str]
    summary: Summary
    classes: list[ClassRow]
    confusion: Confusion
    mistakes: Mistakes | Missing
    calibration: Calibration | Missing
    selective: Selective | Missing
    history: list[Chart] | Missing
    groups: list[GroupRow] | Missing
    gallery: Gallery | Missing
    data: DataSummary
    overlap: Overlap | Missing
    unknown: list[UnknownRow]
    unreadable: list[tuple[str, str]]
    model: ModelFacts
