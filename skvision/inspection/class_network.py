"""`ClassNetwork`: a fitted estimator as a network from images to classes, split for heat maps."""

from __future__ import annotations

# first, since it hides the messages of Keras' backend
from .. import networks  # noqa: F401  isort: skip
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np

from .._sklearn.network_estimator import PartedNetwork
from .._system.bounded_store import Store
from ..feature_extraction.engines import Engine
from ..networks import BUILDING, PREDICT_BATCH, WHOLE, View
from ..networks.class_evidence import ClassEvidence
from ..networks.network_parts import NetworkParts, split_network
from .linear_tail import LinearScores

__all__ = ["ClassNetwork", "class_network", "feature_network"]


@dataclass(frozen=True)
class Parts:
    """A split network, with what runs its body and what computes its evidence."""

    parts: NetworkParts
    engine: Engine
    batch_size: int
    evidence: ClassEvidence
    method: str


#: the last split networks, so that the next call neither builds nor traces them
_split: Store[Any, Parts] = Store(2, making=BUILDING)

# small images are computed faster in large batches
_LARGE_BATCH, _SMALL_IMAGE = 4 * PREDICT_BATCH, 96 * 96


class ClassNetwork:
    """A network from images to classes.

    Parameters
    ----------
    estimator : PartedNetwork
        What has the network.
    parts : Parts
        Its parts.
    answer : callable
        Maps the head's two outputs to a number per class, (n, n_classes).
    classes : ndarray of shape (n_classes,)
        The labels in the order of the answer.
    views : list of skvision.networks.View
        The views that the answer is averaged over.
    method : str
        How its maps are made.
    output : {"probability", "decision_function"}, default="probability"
        What the answer is.
    linear : LinearScores, default=None
        A linear model on the head's second output; None if the head ends in classes.
    """

    def __init__(
        self,
        estimator: PartedNetwork,
        parts: Parts,
        answer: Callable[[np.ndarray, np.ndarray], np.ndarray],
        classes: np.ndarray,
        views: list[View],
        method: str,
        output: str = "probability",
        linear: LinearScores | None = None,
    ) -> None:
        self.estimator = estimator
        self.classes = classes
        self.views = views
        self.method = method
        self.output = output
        #: maximum number of images per batch
        self.batch_size = parts.batch_size
        self._parts = parts
        self._answer = answer
        self._linear = None if linear is None else (linear.kernel, linear.bias)

    def feature_maps(self, batches: Iterable[np.ndarray]) -> Iterator[list[np.ndarray]]:
        """Yield the feature maps of each batch of images, one (n, rows, columns, n_maps) a view."""
        views = (
            keras.ops.convert_to_numpy(view.of(batch)) for batch in batches for view in self.views
        )
        shape = self._parts.parts.shape
        of_views: list[np.ndarray] = []
        for vectors in self._parts.engine.run(views):
            of_views.append(vectors.reshape(len(vectors), *shape))
            if len(of_views) == len(self.views):
                yield of_views
                of_views = []

    def answers(self, of_views: list[np.ndarray]) -> np.ndarray:
        """Return the number per class, (n, n_classes), from the feature maps of all views."""
        found = [self._answer(*self._parts.evidence.outputs(maps)) for maps in of_views]
        mean: np.ndarray = np.mean(found, axis=0)
        return mean

    def evidence(
        self, of_views: list[np.ndarray], targets: np.ndarray
    ) -> list[tuple[np.ndarray, np.ndarray]]:
        """Return, for each view, where the evidence for each image's class is, and of random."""
        return [self._parts.evidence(maps, targets, self._linear) for maps in of_views]


def class_network(estimator: Any, method: str, n_images: int) -> ClassNetwork:
    """Return the network of a classifier of skvision.

    Parameters
    ----------
    estimator : NetworkEstimator
        The classifier.
    method : str
        A name in `skvision.networks.class_evidence.METHODS`, or "auto".
    n_images : int
        Number of images that will be explained.

    Returns
    -------
    ClassNetwork

    Raises
    ------
    NoFeatureMapError
        If it has no feature map.
    """
    parts = _made(estimator, method, n_images)
    return ClassNetwork(
        estimator,
        parts,
        lambda scores, inputs: _softmax(scores),
        estimator.network_classes(),
        estimator.network_views(),
        parts.method,
    )


def feature_network(
    estimator: Any, method: str, n_images: int, classifier: Any, linear: LinearScores
) -> ClassNetwork:
    """Return the network of features and the linear steps after it.

    Parameters
    ----------
    estimator : PartedNetwork
        The step that computes features.
    method : str
        A name in `skvision.networks.class_evidence.METHODS`, "cam" or "auto".
    n_images : int
        Number of images that will be explained.
    classifier : object
        The steps after it, as one estimator.
    linear : LinearScores
        The same as numbers.

    Returns
    -------
    ClassNetwork

    Raises
    ------
    NoFeatureMapError
        If the network has no feature map.
    """
    name = "cam" if method == "auto" else method
    weigh = "hirescam" if name == "cam" else name
    parts = _made(estimator, weigh, n_images, linear)
    output = "probability" if hasattr(classifier, "predict_proba") else "decision_function"

    return ClassNetwork(
        estimator,
        parts,
        lambda scores, inputs: numbers_of(classifier, inputs),
        classifier.classes_,
        [WHOLE],
        name,
        output,
        linear,
    )


def numbers_of(classifier: Any, X: Any) -> np.ndarray:
    """Return probabilities or, of a classifier without them, scores: (n, n_classes)."""
    if hasattr(classifier, "predict_proba"):
        return np.asarray(classifier.predict_proba(X), np.float64)
    scores = np.asarray(classifier.decision_function(X), np.float64)
    return scores if scores.ndim == 2 else np.stack([-scores, scores], axis=1)


def _made(estimator: Any, method: str, n_images: int, linear: LinearScores | None = None) -> Parts:
    how = estimator.reads_images_as()
    is_small = how.size[0] * how.size[1] <= _SMALL_IMAGE
    batch_size = _LARGE_BATCH if is_small and n_images > PREDICT_BATCH else PREDICT_BATCH
    against_others = linear is None or linear.against_others
    engine_of = getattr(estimator, "engine", None), getattr(estimator, "precision", None)
    key = (
        *(estimator.network_digest(), how.size, engine_of, batch_size),
        *(method, linear is None, against_others),
    )

    def make() -> Parts:
        parts = split_network(estimator.build_network(), classifies=linear is None)
        name = _best(parts) if method == "auto" else method
        evidence = ClassEvidence(parts, name, against_others=against_others)
        engine = estimator.network_engine(lambda: parts.body, batch_size)
        return Parts(parts, engine, batch_size, evidence, name)

    return _split.get(key, make)


def _best(parts: NetworkParts) -> str:
    """Return the method that the deletion control favours for an architecture."""
    return "hirescam" if parts.is_flattened else "gradcam"


def _softmax(scores: np.ndarray) -> np.ndarray:
    powers = np.exp(scores.astype(np.float64) - scores.max(axis=1, keepdims=True))
    shares: np.ndarray = powers / powers.sum(axis=1, keepdims=True)
    return shares
