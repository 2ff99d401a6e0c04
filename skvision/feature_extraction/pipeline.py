"""A Pipeline of features and a classifier, with good default settings."""

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

from .._sklearn.matching import match_name
from .transformer import PretrainedFeatureTransformer

__all__ = ["HEADS", "UNSAFE_HEADS", "make_feature_classifier", "make_head"]

#: classifiers by a short name, each with predict_proba
HEADS: dict[str, Callable[[Any], Any]] = {
    # 1,000 features of a few hundred images need a strong penalty
    "logistic": lambda seed: LogisticRegression(C=0.001, max_iter=1000, random_state=seed),
    "svm": lambda seed: CalibratedClassifierCV(SVC(random_state=seed), ensemble=False),
    "knn": lambda seed: KNeighborsClassifier(weights="distance", metric="cosine"),
    "forest": lambda seed: RandomForestClassifier(300, random_state=seed),
}

#: heads that a safe file can't hold: scikit-learn's trees don't check the numbers of a file
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
        As in `PretrainedFeatureTransformer`.
    head : {"logistic", "svm", "knn", "forest"}, default="logistic"
        The classifier: logistic regression (with ``C=0.001``), a support vector machine
        with calibrated probabilities, nearest neighbours by cosine distance, or a random
        forest (joblib can save it, `skvision.save` can't).
    random_state : int, RandomState instance or None, default=None
        Random state of the classifier and of random weights.
    **options : object
        Further parameters of `PretrainedFeatureTransformer`: ``cache=True``, ...

    Returns
    -------
    sklearn.pipeline.Pipeline
        A Pipeline with the steps ``features``, ``scale`` and ``head``.

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
    """Return the classifier of a name in `HEADS`.

    Examples
    --------
    >>> from skvision.feature_extraction.pipeline import make_head
    >>> make_head("knn")
    KNeighborsClassifier(metric='cosine', weights='distance')
    """
    return HEADS[match_name(head, HEADS, "head")](random_state)
