"""`explain`: heat maps of what a classifier looks at, with controls that say whether to believe."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn.base import is_classifier
from sklearn.pipeline import Pipeline
from sklearn.utils.validation import check_is_fitted

from .._sklearn.chosen import chosen_estimator
from .._sklearn.labels import labels_like, listed
from .._sklearn.network_estimator import NetworkEstimator, PartedNetwork
from ..images import as_image_batch
from ..networks.class_evidence import METHODS
from ..networks.network_parts import NoFeatureMapError
from .class_network import ClassNetwork, class_network, feature_network
from .gradient_maps import Maps, gradient_maps
from .linear_tail import linear_scores
from .native_images import native_images
from .occlusion import MOST_IMAGES, N_PREDICTIONS, occlusion_maps

__all__ = ["EXPLANATION_METHODS", "Explanation", "explain"]

EXPLANATION_METHODS = ("auto", *METHODS, "cam", "occlusion")

_EXPLAINABLE = (
    "By the gradients of a network: MiniVGGClassifier, FineTunedClassifier and ImageNetClassifier. "
    "By the weights of a linear model: a Pipeline of PretrainedFeatureTransformer, scalers "
    "and a linear classifier. By occlusion: any classifier or Pipeline with predict_proba that "
    "takes images."
)


@dataclass(frozen=True, eq=False)
class Explanation:
    """Heat maps of what a classifier looks at, and what speaks for and against them.

    `explain` makes it. A map shows which pixels speak for a class; it doesn't show why, and it
    can mislead. So two controls come with each map.

    Parameters
    ----------
    maps : ndarray of shape (n, height, width), float32
        Heat maps from 0 to 1, at the size that the network saw: 1 where most speaks for the
        class, 0 where nothing does. All 0 if nothing in the image speaks for it.
    targets : ndarray of shape (n,)
        The classes that the maps explain.
    images : ndarray of shape (n, height, width, 3), uint8
        What the network saw.
    method : {"gradcam", "gradcam++", "hirescam", "cam", "occlusion"}
        How the maps were made.
    output : {"probability", "decision_function"}
        What the classifier says about a class: the latter if it has no ``predict_proba``.
    outputs : ndarray of shape (n,), float64
        The output for the class explained.
    deletion_ : ndarray of shape (n,), float64
        First control: by how much the output falls if the hottest tenth of the pixels is
        hidden under a blurred copy of the image.
    random_deletion_ : ndarray of shape (n,), float64
        By how much it falls if a random tenth is hidden: the hottest tenth, moved to a random
        place. A map is worth no more than chance where ``deletion_`` isn't larger.
    sanity_ : ndarray of shape (n,), float64
        Second control: likeness of the map to maps of the same network with a random last
        layer, from 0 (unlike) to 1 (the same), as the mean absolute rank correlation with four
        of them. Near 1 the map shows what any such network shows, not what this one learnt.
        NaN for occlusion, which knows no weights.

    See Also
    --------
    explain : Makes it.
    ExplanationDisplay : Shows it.

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from skvision import MiniVGGClassifier, explain
    >>> digits = load_digits(n_class=3)
    >>> X, y = digits.images / 16, digits.target
    >>> net = MiniVGGClassifier(image_size=8, filters=(8,), random_state=0).fit(X, y)
    >>> explanation = explain(net, X[:5])
    >>> explanation
    Explanation(n=5, method='hirescam')
    >>> explanation.beats_random.shape
    (5,)
    """

    maps: np.ndarray
    targets: np.ndarray
    images: np.ndarray
    method: str
    output: str
    outputs: np.ndarray
    deletion_: np.ndarray
    random_deletion_: np.ndarray
    sanity_: np.ndarray

    @property
    def beats_random(self) -> np.ndarray:
        """Whether hiding the hottest tenth costs more than hiding a random tenth, (n,) bool."""
        beats: np.ndarray = self.deletion_ > self.random_deletion_
        return beats

    def __len__(self) -> int:
        return len(self.maps)

    def __repr__(self) -> str:
        return f"{type(self).__name__}(n={len(self)}, method={self.method!r})"


def explain(estimator: Any, X: Any, *, target: Any = None, method: str = "auto") -> Explanation:
    """Make heat maps of what a classifier looks at, with controls.

    Networks are explained by gradients, a linear model on features by its weights, and anything
    else by hiding parts of the images. Read the controls before you believe a map.

    Parameters
    ----------
    estimator : fitted classifier or Pipeline
        A classifier of skvision; a Pipeline of PretrainedFeatureTransformer, scalers and a
        linear classifier; any other classifier or Pipeline with ``predict_proba`` that takes
        images; or a fitted search over one of these.
    X : array, sequence, Series or frame of n_samples images
        In any form that predict takes.
    target : label or array-like of shape (n_samples,), default=None
        The class to explain: one for all images, or one for each; None for the predicted ones.
    method : {"auto", "gradcam", "gradcam++", "hirescam", "cam", "occlusion"}, default="auto"
        ``"gradcam"``, ``"gradcam++"`` and ``"hirescam"`` need a network with a convolution;
        ``"cam"`` needs a linear model on features, and is exact for it; ``"occlusion"`` works
        with any classifier, at the cost of 70 predictions an image. ``"auto"`` is the first
        that is possible of: ``"cam"``; ``"hirescam"`` if the network flattens its last
        feature map, else ``"gradcam"``; ``"occlusion"``.

    Returns
    -------
    Explanation
        One heat map per image, with controls.

    Raises
    ------
    NotFittedError
        If the estimator has not been fitted.
    ValueError
        If the estimator, X, target or method is not as described.
    ImageDecodeError
        If a file can't be read.

    See Also
    --------
    ExplanationDisplay : Shows images beside their heat maps.

    Notes
    -----
    Gradients and weights cost three passes of the images through the network, controls
    included. Views (``predict_crops``, ``predict_mirrored``) multiply this, as they do for
    predictions. All maps and images stay in memory: 0.35 MB an image of 224x224.

    References
    ----------
    R. R. Selvaraju and others, Grad-CAM, 2017. A. Chattopadhyay and others, Grad-CAM++, 2018.
    R. L. Draelos, L. Carin, Use HiResCAM instead of Grad-CAM, 2020. B. Zhou and others,
    Learning Deep Features for Discriminative Localization, 2016. M. D. Zeiler, R. Fergus,
    Visualizing and Understanding Convolutional Networks, 2014. J. Adebayo and others, Sanity
    Checks for Saliency Maps, 2018.

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from skvision import MiniVGGClassifier, explain
    >>> digits = load_digits(n_class=3)
    >>> X, y = digits.images / 16, digits.target
    >>> net = MiniVGGClassifier(image_size=8, filters=(8,), random_state=0).fit(X, y)
    >>> explanation = explain(net, X[:5], target=y[:5])
    >>> explanation.maps.shape, float(explanation.maps.max())
    ((5, 8, 8), 1.0)
    """
    if method not in EXPLANATION_METHODS:
        raise ValueError(
            f"method must be one of {', '.join(map(repr, EXPLANATION_METHODS))}. "
            f"Received: {method!r}"
        )
    estimator = _fitted_classifier(estimator)
    X, network = _split(estimator, X, method)
    if network is None:
        return _by_occlusion(estimator, X, target)
    images = network.estimator.validated_images(X)
    indices = target_indices(target, network.classes, len(images))
    maps = gradient_maps(network, images, indices)
    return _explanation(maps, network.classes, network.method, network.output)


def _fitted_classifier(estimator: Any) -> Any:
    """Return the classifier that predicts: the best of a search, and what is frozen."""
    estimator = chosen_estimator(estimator)
    if isinstance(estimator, type) or not hasattr(estimator, "predict"):
        raise ValueError(f"explain takes a fitted classifier. Received: {estimator!r}")
    if not is_classifier(estimator):
        raise ValueError(
            "explain takes classifiers, since a heat map shows what speaks for a class. "
            f"Received: {type(estimator).__name__}"
        )
    check_is_fitted(estimator)
    return estimator


def _split(estimator: Any, X: Any, method: str) -> tuple[Any, ClassNetwork | None]:
    """Return the images as the network takes them, and the network; None for occlusion."""
    if method == "occlusion":
        return X, None
    steps = [
        step
        for _, step in (estimator.steps if isinstance(estimator, Pipeline) else [("", estimator)])
        if step not in (None, "passthrough") and not hasattr(step, "fit_resample")
    ]
    n_images = len(X) if hasattr(X, "__len__") else 1
    for place in range(len(steps)):
        make = _maker(steps, place, method, n_images)
        if make is None:
            continue
        try:
            network = make()
        except NoFeatureMapError:
            if method == "auto":
                break
            raise
        for before in steps[:place]:
            X = before.transform(X)
        return X, network
    if method != "auto":
        raise ValueError(
            f"method={method!r} can't explain {type(estimator).__name__}, which "
            f"{'is no linear model on features' if method == 'cam' else 'has no convolution'}. "
            f'Use method="occlusion". What can be explained: {_EXPLAINABLE}'
        )
    return X, None


def _maker(
    steps: list[Any], place: int, method: str, n_images: int
) -> Callable[[], ClassNetwork] | None:
    """Return what makes the network that begins with a step; None if it begins elsewhere."""
    step, after = steps[place], steps[place + 1 :]
    if not isinstance(step, PartedNetwork):
        return None
    if isinstance(step, NetworkEstimator):
        if after or method == "cam":
            return None
        if not step.network_input().is_image:
            raise ValueError(
                "With value_range=None, X holds numbers that aren't images, and no heat map can "
                "be shown."
            )
        return lambda: class_network(step, method, n_images)
    last = _fitted_classifier(after[-1]) if after and is_classifier(after[-1]) else None
    if last is None:
        return None
    tail = Pipeline([(str(number), each) for number, each in enumerate([*after[:-1], last])])
    scores = linear_scores([*after[:-1], last])
    if scores is None:
        return None
    return lambda: feature_network(step, method, n_images, tail, scores)


def _by_occlusion(estimator: Any, X: Any, target: Any) -> Explanation:
    if not hasattr(estimator, "predict_proba"):
        raise ValueError(
            f"Occlusion compares probabilities, and {type(estimator).__name__} has no "
            "predict_proba. Use a classifier that has one, or wrap it in CalibratedClassifierCV. "
            f"What can be explained: {_EXPLAINABLE}"
        )
    reader = estimator[0] if isinstance(estimator, Pipeline) else estimator
    if getattr(reader, "value_range", "auto") is None:
        raise ValueError(
            "With value_range=None, X holds numbers that aren't images, and no heat map can be "
            "shown."
        )
    n = len(X) if hasattr(X, "__len__") else 0
    if n == 0:
        as_image_batch(X)  # says what X must be
    if n > MOST_IMAGES:
        raise ValueError(
            f"Occlusion makes {N_PREDICTIONS} predictions an image, {n * N_PREDICTIONS:,} for "
            f"these {n:,}. Pass at most {MOST_IMAGES:,} images, for example X[:100]."
        )
    native = native_images(X, reader)
    indices = target_indices(target, estimator.classes_, len(native.arrays))
    maps = occlusion_maps(
        lambda arrays: np.asarray(estimator.predict_proba(native.back(arrays)), np.float64),
        native.arrays,
        native.images,
        indices,
    )
    return _explanation(maps, estimator.classes_, "occlusion", "probability")


def target_indices(target: Any, classes: np.ndarray, n_images: int) -> np.ndarray | None:
    """Return the index of the class to explain for each image; None for the predicted ones.

    Parameters
    ----------
    target : label, array-like of shape (n_images,) or None
        As in `explain`.
    classes : ndarray of shape (n_classes,)
        The labels.
    n_images : int
        Number of images.

    Returns
    -------
    ndarray of shape (n_images,) or None

    Raises
    ------
    ValueError
        If a target is not a class, or their number is not that of the images.

    Examples
    --------
    >>> import numpy as np
    >>> from skvision.inspection.explanation import target_indices
    >>> target_indices("dog", np.array(["cat", "dog"]), 3).tolist()
    [1, 1, 1]
    """
    if target is None:
        return None
    one = np.ndim(target) == 0
    labels = labels_like(classes, [target] if one else target)
    if not one and len(labels) != n_images:
        raise ValueError(
            f"target has {len(labels)} labels for {n_images} images. Pass one label for all "
            "images, or one for each."
        )
    places = {label: place for place, label in enumerate(classes.tolist())}
    unknown = [label for label in dict.fromkeys(labels.tolist()) if label not in places]
    if unknown:
        raise ValueError(
            f"target holds labels that are not classes: {listed(np.array(unknown))}. "
            f"The classes are: {listed(classes)}."
        )
    indices = np.array([places[label] for label in labels.tolist()])
    return np.repeat(indices, n_images) if one else indices


def _explanation(maps: Maps, classes: np.ndarray, method: str, output: str) -> Explanation:
    return Explanation(
        maps=maps.maps,
        targets=classes[maps.targets],
        images=maps.images,
        method=method,
        output=output,
        outputs=maps.numbers,
        deletion_=maps.numbers - maps.without_hottest,
        random_deletion_=maps.numbers - maps.without_random,
        sanity_=maps.alike,
    )
