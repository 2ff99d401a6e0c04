"""Features and a classifier in one Pipeline, with settings that are right to begin with."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sklearn.calibration import CalibratedClassifierCV
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from ..networks import match_name
from .transformer import PretrainedFeatureTransformer

__all__ = ["HEADS", "UNSAFE_HEADS", "make_feature_classifier", "make_head"]

#: classifiers by a short name, each with predict_proba
HEADS: dict[str, Callable[[Any], Any]] = {
    # a thousand features and a few hundred images need a strong penalty
    "logistic": lambda seed: LogisticRegression(C=0.001, max_iter=1000, random_state=seed),
    "svm": lambda seed: CalibratedClassifierCV(SVC(random_state=seed), ensemble=False),
    "knn": lambda seed: KNeighborsClassifier(weights="distance", metric="cosine"),
    "forest": lambda seed: RandomForestClassifier(300, random_state=seed),
}

#: those that no safe file takes: scikit-learn's trees trust the numbers that they are read from
UNSAFE_HEADS = frozenset({"forest"})


def make_feature_classifier(
    backbone: Any = "EfficientNetLite0",
    head: str = "logistic",
    *,
    random_state: Any = None,
    **options: Any,
) -> Pipeline:
    """Make a Pipeline of features, scaling and a classifier.

    Parameters
    ----------
    backbone : str, path-like, keras.Model or fitted skvision classifier, \
default="EfficientNetLite0"
        As `PretrainedFeatureTransformer` takes it.
    head : {"logistic", "svm", "knn", "forest"}, default="logistic"
        The classifier: logistic regression (with ``C=0.001``), a support vector
        machine with calibrated probabilities, the nearest neighbours by cosine
        distance, or a random forest (which only joblib keeps, `skvision.save` doesn't).
    random_state : int, RandomState instance or None, default=None
        Of the classifier, and of random weights.
    **options : object
        Further parameters of `PretrainedFeatureTransformer`: ``cache=True``, ...

    Returns
    -------
    sklearn.pipeline.Pipeline
        With the steps ``features``, ``scale`` and ``head``.

    Examples
    --------
    >>> from skvision import make_feature_classifier
    >>> pipeline = make_feature_classifier(head="svm", cache=True)
    >>> list(pipeline.named_steps)
    ['features', 'scale', 'head']
    """
    features = PretrainedFeatureTransformer(backbone, random_state=random_state, **options)
    steps = [
        ("features", features),
        ("scale", StandardScaler()),
        ("head", make_head(head, random_state)),
    ]
    return Pipeline(steps)


def make_head(head: str, random_state: Any = None) -> Any:
    """Make the classifier that a name in `HEADS` stands for.

    Examples
    --------
    >>> from skvision.feature_extraction.pipeline import make_head
    >>> make_head("knn")
    KNeighborsClassifier(metric='cosine', weights='distance')
    """
    return HEADS[match_name(head, HEADS, "head")](random_state)
