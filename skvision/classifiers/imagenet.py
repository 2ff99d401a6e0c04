"""`ImageNetClassifier`: name the content of photos by a pretrained network."""

from __future__ import annotations

import difflib
import os
from collections.abc import Callable
from functools import cache
from numbers import Integral
from typing import Any, ClassVar

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin, clone
from sklearn.metrics import accuracy_score
from sklearn.utils.validation import check_consistent_length

from .._sklearn.callbacks import CallbackSupportMixin, fit_as_task, training_data
from .._sklearn.compat import Interval, Options, StrOptions
from .._sklearn.estimator import DocumentationLink, all_or_nothing
from .._sklearn.labels import label_column
from .._sklearn.network_estimator import NetworkInput, ReadAs
from .._sklearn.sizes import as_image_size
from ..feature_extraction.engines import Engine, make_engine, resolve
from ..feature_extraction.extraction import FeatureExtraction
from ..feature_extraction.network_key import network_key
from ..feature_extraction.recipe import FeatureRecipe, classification_recipe
from ..images import RESIZE_POLICIES, ImageBatch, known_range, validate_images
from ..networks import WHOLE, View
from ..networks.imagenet_classes import imagenet_classes

__all__ = ["ImageNetClassifier"]


class ImageNetClassifier(CallbackSupportMixin, DocumentationLink, ClassifierMixin, BaseEstimator):
    """Classify photos by a network that was trained on ImageNet, without fitting.

    It knows 1,000 classes: animals down to the breed, plants, vehicles, furniture, food.
    Any other object gets the name of the class that it resembles most.

    Parameters
    ----------
    backbone : str, default="EfficientNetLite0"
        Name of the network, in upper or lower case: ``"EfficientNetLite0"``, which comes
        with the package; ``"VGG16"``, ``"VGG19"``, ``"ResNet50"``, ``"InceptionV3"``,
        ``"Xception"`` and all others of `keras.applications`, whose weights Keras
        downloads once.
    weights : "imagenet", str or path-like, default="imagenet"
        The published weights, or a file (``.h5``, ``.hdf5``, ``.keras``) of a network
        with the same 1,000 classes. Each process reads the file once more.
    image_size : int or tuple of int, default=None
        Size (height, width) in pixels that images are resized to; None for the size that
        the network was trained on, which is the most accurate. VGG accepts no other size.
    precision : {"auto", "float32", "bfloat16"}, default="auto"
        Number type of the computation. ``"auto"`` is bfloat16 if the engine and the
        processor support it.
    batch_size : int, default=32
        Number of images per batch, at least 1.
    engine : {"auto", "keras", "openvino"}, default="auto"
        Library that computes the probabilities. ``"auto"`` is OpenVINO if it is installed
        (``pip install "skvision[fast]"``), unless Keras uses a graphics card or the JAX
        backend; else Keras.
    cache : None, True, str or path-like, default=None
        Folder in which probabilities are kept, so that each image is computed only once:
        True for the user's cache folder, a path, or None for no cache.
    row_shape : tuple of int, default=None
        (height, width) or (height, width, channels) of an image, if each image is a flat
        row of a 2-D X; one entry may be -1.
    value_range : "auto", tuple of float or None, default="auto"
        Range of the numbers in arrays. ``"auto"``: integers 0..255, uint16 0..65535, bool
        and floats 0..1. A pair (black, white) sets another range. None passes any finite
        numbers unchanged. Files of more than 8 bits use the pair, else the range that
        they declare.
    resize : {"stretch", "crop", "pad"}, default="crop"
        How images of another aspect ratio are resized to ``image_size``. The
        networks were trained on crops.
    verbose : {0, 1, 2} or bool, default=0
        Output while working: none (0 or False) or a progress bar (1, 2 or True).

    Attributes
    ----------
    classes_ : ndarray of shape (1000,), str
        English names of the classes, sorted; the columns of `predict_proba`. Names that
        occur twice are made distinct: ``"crane (bird)"`` and ``"crane (machine)"``.
    wordnet_ids_ : ndarray of shape (1000,), str
        Their WordNet ids, in the order of ``classes_``. The networks' outputs are in the
        order of the sorted ids.
    pixel_range_ : tuple of float or None
        (black, white) of the numbers in fit's X; None if X was files.
    n_channels_ : int
        Number of channels of fit's X: 3, or those of X with ``value_range=None``.
    n_features_in_ : int
        Length of a row. Only defined if fit's X was 2-D rows.

    See Also
    --------
    skvision.FineTunedClassifier : Trains such a network on your own classes.
    skvision.PretrainedFeatureTransformer : Computes features of images by such a network.

    Notes
    -----
    The estimator learns nothing, so ``fit`` is optional; it exists for pipelines and
    cross-validation. Two cores classify 70 to 200 images per second with the default network.

    References
    ----------
    O. Russakovsky and others, ImageNet Large Scale Visual Recognition Challenge, 2015.

    Examples
    --------
    >>> import numpy as np
    >>> from skvision import ImageNetClassifier
    >>> X = np.full((1, 224, 224, 3), 200, dtype=np.uint8)
    >>> net = ImageNetClassifier()
    >>> net.predict_proba(X).shape
    (1, 1000)
    >>> names, scores = net.predict_top(X, k=2)
    >>> bool(names[0, 0] == net.predict(X)[0])
    True
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "weights": [str, os.PathLike],
        "resize": [StrOptions(set(RESIZE_POLICIES))],
        "batch_size": [Interval(Integral, 1, None, closed="left")],
        "engine": [str],
        "precision": [str],
        "cache": ["boolean", str, os.PathLike, None],
        "value_range": [StrOptions({"auto"}), tuple, list, None],
        "verbose": [Options(Integral, {0, 1, 2}), "boolean"],
    }

    def __init__(
        self,
        backbone: str = "EfficientNetLite0",
        weights: Any = "imagenet",
        *,
        image_size: tuple[int, int] | int | None = None,
        precision: str = "auto",
        batch_size: int = 32,
        engine: str = "auto",
        cache: Any = None,
        row_shape: tuple[int, ...] | None = None,
        value_range: Any = "auto",
        resize: str = "crop",
        verbose: int = 0,
    ) -> None:
        self.backbone = backbone
        self.weights = weights
        self.image_size = image_size
        self.precision = precision
        self.batch_size = batch_size
        self.engine = engine
        self.cache = cache
        self.row_shape = row_shape
        self.value_range = value_range
        self.resize = resize
        self.verbose = verbose

    @property
    def classes_(self) -> np.ndarray:
        """English names, sorted."""
        names: np.ndarray = self.network_classes()[_by_name()]
        return names

    @property
    def wordnet_ids_(self) -> np.ndarray:
        """WordNet ids, in the order of ``classes_``."""
        ids: np.ndarray = np.array(list(imagenet_classes()))[_by_name()]
        return ids

    def fit(self, X: Any, y: Any = None) -> ImageNetClassifier:
        """Check the parameters and the form of X; learn nothing.

        Parameters
        ----------
        X : array, sequence, Series or frame of n_samples images
            In any form that predict takes.
        y : object, default=None
            Ignored.

        Returns
        -------
        self : object
            The estimator. It can predict without fit too.

        Raises
        ------
        ValueError
            If a parameter or X is not as described.
        """
        self._validate_params()
        with all_or_nothing(self):
            fit_as_task(
                self, lambda task: validate_images(self, X, reset=True), training_data(X, y)
            )
        return self

    def predict_proba(self, X: Any) -> np.ndarray:
        """Predict the probabilities of ImageNet's classes.

        Parameters
        ----------
        X : array, sequence, Series or frame of n_samples images
            Arrays of images, file names (decoded batch by batch), or 2-D rows
            with ``row_shape``.

        Returns
        -------
        ndarray of shape (n_samples, 1000), float64
            Probabilities, in the order of ``classes_``.

        Raises
        ------
        ValueError
            If a parameter or X is not as described, or the weights don't fit.
        ImageDecodeError
            If a file can't be read.
        ImportError
            If the requested engine is not installed.
        OSError
            If the published weights can't be found or downloaded.
        """
        self._validate_params()
        images = self._images(X)
        choice = resolve(self.engine, self.precision)
        extraction = FeatureExtraction(self._recipe(), choice, int(self.batch_size), self.cache)
        probabilities = extraction.compute(
            images, resize=self.resize, verbose=int(self.verbose)
        ).astype(np.float64)
        # reorder only now, since the cache keeps the network's own order
        probabilities = probabilities[:, _by_name()]
        shares: np.ndarray = probabilities / probabilities.sum(axis=1, keepdims=True)
        return shares

    def predict(self, X: Any) -> np.ndarray:
        """Predict the name of the most probable class of each image.

        Parameters
        ----------
        X : array, sequence, Series or frame of n_samples images
            In any form that predict_proba takes.

        Returns
        -------
        ndarray of shape (n_samples,), str
            Names from ``classes_``.
        """
        names: np.ndarray = self.classes_[self.predict_proba(X).argmax(axis=1)]
        return names

    def predict_top(self, X: Any, k: int = 5) -> tuple[np.ndarray, np.ndarray]:
        """Predict the k most probable classes of each image, the best first.

        Parameters
        ----------
        X : array, sequence, Series or frame of n_samples images
            In any form that predict_proba takes.
        k : int, default=5
            Number of classes per image, from 1 to 1000.

        Returns
        -------
        names : ndarray of shape (n_samples, k), str
            Their names, as in ``classes_``.
        scores : ndarray of shape (n_samples, k), float64
            Their probabilities.
        """
        if not (isinstance(k, Integral) and 1 <= k <= len(imagenet_classes())):
            raise ValueError(f"k must be a whole number from 1 to 1000. Received: {k!r}")
        probabilities = self.predict_proba(X)
        best = np.argsort(-probabilities, axis=1, kind="stable")[:, :k]
        return self.classes_[best], np.take_along_axis(probabilities, best, axis=1)

    def score(self, X: Any, y: Any, sample_weight: Any = None) -> float:
        """Return the accuracy on the given images and labels.

        Parameters
        ----------
        X : array, sequence, Series or frame of n_samples images
            In any form that predict_proba takes.
        y : array-like of shape (n_samples,)
            Names as in ``classes_`` or WordNet ids as in ``wordnet_ids_``; both kinds may
            be mixed. Any other label counts as wrong.
        sample_weight : array-like of shape (n_samples,), default=None
            Weights of the samples.

        Returns
        -------
        float
            Accuracy, from 0 to 1.

        Raises
        ------
        ValueError
            If none of the labels is a class of ImageNet.
        """
        by_id = imagenet_classes()
        names = [by_id.get(label, label) for label in label_column(y).astype(str).tolist()]
        check_consistent_length(self._images(X), names)
        _refuse_unknown(names, list(by_id.values()))
        return float(accuracy_score(names, self.predict(X), sample_weight=sample_weight))

    def _recipe(self) -> FeatureRecipe:
        size = None if self.image_size is None else as_image_size(self.image_size)
        return classification_recipe(self.backbone, weights=self.weights, image_size=size)

    def build_network(self) -> Any:
        """Return the network, a new `keras.Model`.

        Returns
        -------
        keras.Model
            Maps 8-bit RGB images (n, height, width, 3) to class probabilities (n, 1000).
        """
        return self._recipe().build()

    def network_classes(self) -> np.ndarray:
        """Return the labels in the order of the network's outputs.

        Returns
        -------
        ndarray of shape (1000,), str
            ``classes_``, in the order of their WordNet ids.
        """
        return np.array(list(imagenet_classes().values()))

    def network_digest(self) -> str:
        """Return the identity of the network.

        Returns
        -------
        str
            Equal for equal layers and weights.
        """
        return network_key(**self._recipe().key_parts())

    def network_input(self) -> NetworkInput:
        """Return the input that the network expects.

        Returns
        -------
        NetworkInput
            Its size, channels and resize policy.
        """
        height, width = self._recipe().image_size
        return NetworkInput(height, width, 3, self.resize, is_image=True)

    def reads_images_as(self) -> ReadAs:
        """Return how images will be read, by predict.

        Returns
        -------
        ReadAs
            Size, resize policy, scale, and whether images' keys are asked for.
        """
        self._validate_params()
        is_keyed = self.cache not in (None, False)
        return ReadAs(self._recipe().image_size, self.resize, known_range(self), is_keyed)

    def network_views(self) -> list[View]:
        """Return the views of an image that predictions are averaged over.

        Returns
        -------
        list of skvision.networks.View
            The whole image.
        """
        return [WHOLE]

    def validated_images(self, X: Any) -> ImageBatch:
        """Check images as predict does.

        Parameters
        ----------
        X : array, sequence, Series or frame of n_samples images
            In any form that predict takes.

        Returns
        -------
        ImageBatch
            The images, not yet decoded.
        """
        self._validate_params()
        return self._images(X)

    def network_engine(self, build: Callable[[], Any], batch_size: int) -> Engine:
        """Return what runs a part of the network: the engine of predictions.

        Parameters
        ----------
        build : callable
            Makes the part, a `keras.Model` from images to vectors.
        batch_size : int
            Maximum number of images per batch.

        Returns
        -------
        Engine
            Its ``run`` maps batches of images to vectors.
        """
        choice = resolve(self.engine, self.precision)
        return make_engine(choice, build, batch_size)

    def network_facts(self) -> dict[str, Any]:
        """Return facts about the network that don't need building it.

        Returns
        -------
        dict of str to JSON value
            ``input_size``.
        """
        return {"input_size": self.network_input().size}

    def _images(self, X: Any) -> ImageBatch:
        """Return the images, checked against those of fit if fit was called."""
        unfitted = not hasattr(self, "n_channels_")
        return validate_images(clone(self) if unfitted else self, X, reset=unfitted)

    def __sklearn_is_fitted__(self) -> bool:
        return True

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.requires_fit = False
        tags.target_tags.required = False
        return tags


def _refuse_unknown(names: list[str], known: list[str]) -> None:
    """Raise ValueError if no label is a class of ImageNet: an accuracy of 0 would be useless."""
    if set(names) & set(known):
        return
    near = difflib.get_close_matches(names[0], known, n=3) if names else []
    hint = f" (near {names[0]!r} are: {', '.join(map(repr, near))})" if near else ""
    raise ValueError(
        "None of the labels in y is a class of ImageNet. Received: "
        f"{', '.join(map(repr, sorted(set(names))[:5]))}. Use names in classes_{hint} or ids in "
        "wordnet_ids_. For classes of your own, train a FineTunedClassifier."
    )


@cache
def _by_name() -> np.ndarray:
    """Return the indices of the network's outputs in the order of the class names."""
    return np.argsort(list(imagenet_classes().values()))
