"""`PretrainedFeatureTransformer`: what a ready-made network sees in an image, as numbers."""

from __future__ import annotations

import os
import warnings
from numbers import Integral
from typing import Any, ClassVar

import numpy as np
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted

from .._sklearn.callbacks import NO_TASK, CallbackSupportMixin, FitTask, fit_as_task, training_data
from .._sklearn.compat import Interval, Options, StrOptions
from .._sklearn.estimator import DocumentationLink, all_or_nothing
from ..exceptions import FeatureEngineWarning
from ..images import RESIZE_POLICIES, ImageBatch, validate_images
from ..networks import as_image_size
from .engines import EngineChoice, resolve
from .extraction import FeatureExtraction
from .recipe import POOLINGS, clone_around_backbone, feature_recipe

__all__ = ["PretrainedFeatureTransformer"]


class PretrainedFeatureTransformer(
    CallbackSupportMixin, DocumentationLink, TransformerMixin, BaseEstimator
):
    """Turn images into the features that a ready-made network computes.

    Transfer learning by feature extraction: a network trained on over a million photos, cut
    off before its last layer, describes each image by a vector; any classifier
    of scikit-learn is trained on these. With a few hundred photos this is usually
    more accurate than a network of one's own, and the quickest way.

    Parameters
    ----------
    backbone : str, path-like, keras.Model or fitted skvision classifier, \
default="EfficientNetLite0"
        The network: a name in any case (`skvision.networks.backbones` has the table), of
        which ``"EfficientNetLite0"`` comes with the package; a fitted classifier of
        skvision, or its file (``.skv``); a Keras model, or its file (``.keras``, ``.hdf5``,
        ``.h5``: code in it is refused). A network that classifies (a fitted classifier, a
        network that ends in a softmax) loses the dense layers after its last feature map;
        another is taken as it is; ``layer`` names any other end. A Keras model gets pixels
        from 0 to 255. Where a fitted classifier is a value in a search's grid, wrap it in
        `sklearn.frozen.FrozenEstimator`: scikit-learn clones such values, which unfits them.
    weights : "imagenet", str, path-like or None, default="imagenet"
        ``"imagenet"``: the published weights, downloaded once by Keras; a weights
        file of one's own (``.h5``, ``.hdf5``, ``.keras``); None: random ones, decided
        by ``random_state``. Without meaning for a network of one's own.
    layer : str, default=None
        Name of the layer whose output is taken; None for the last feature map.
    image_size : int or tuple of int, default=None
        (height, width) in pixels that images are resized to; None for the
        network's own (224 for most).
    pooling : {"auto", "avg", "max", "flatten"}, default="auto"
        How a feature map becomes a vector: the mean or the largest of each
        channel, or all numbers (VGG16: 7 x 7 x 512 = 25,088). ``"auto"`` is
        ``"flatten"`` for VGG, ``"avg"`` for all others.
    precision : {"auto", "float32", "bfloat16"}, default="auto"
        What it computes with. ``"auto"`` is bfloat16 where the engine and the
        processor have it; that changes features by some percent (on photos, those of
        EfficientNet-Lite0 by 4, without an effect on accuracy), and a little with the
        images that are computed with them. ``"float32"`` does neither.
    batch_size : int, default=32
        Images computed at a time, at least 1. Decides memory and speed, not the
        features.
    engine : {"auto", "keras", "openvino"}, default="auto"
        What computes. ``"auto"`` is OpenVINO where it is installed
        (``pip install "skvision[fast]"``), unless Keras has a graphics card or JAX for
        its backend, else Keras.
    cache : None, True, str or path-like, default=None
        Where features are kept, so that none is ever computed twice: True for the
        user's cache folder, a folder, or None for nowhere.
    row_shape : tuple of int, default=None
        (height, width) or (height, width, channels) of an image, if each image is a flat
        row of a 2-D X; one entry may be -1.
    value_range : "auto", "percentile", tuple of float or None, default="auto"
        The scale of numbers in arrays. ``"auto"``: integers 0..255, uint16
        0..65535, bool and floats 0..1. A pair (black, white) names another.
        ``"percentile"`` learns it in fit, for each channel: the 0.1 and 99.9 percentiles
        of all images. Files of more than 8 bits have the scale that they declare, or the
        one that is named or learnt; files of 8 bits have no other than theirs. None
        takes any finite numbers as they are.
    resize : {"stretch", "crop", "pad"}, default="stretch"
        How images of another aspect ratio are resized to ``image_size``.
    random_state : int, RandomState instance or None, default=None
        Decides random weights.
    verbose : {0, 1, 2} or bool, default=0
        Output while working: none (0 or False) or a progress bar (1, 2 or True).

    Attributes
    ----------
    engine_ : str
        What computes; resolved in fit.
    precision_ : str
        What it computes with; resolved in fit.
    n_features_out_ : int
        Length of the vectors.
    pixel_range_ : tuple or None
        (black, white) of the numbers in fit's X; None if X was files, since each file has
        its own. With ``value_range="percentile"`` each is a tuple of one number per channel.
    image_shape_ : tuple of int
        Shape of one image in fit's X if X was an array; () if X was files.
    n_channels_ : int
        Channels of fit's X: 3, or X's own with ``value_range=None``.
    n_features_in_ : int
        Length of a row. Only defined if X was 2-D rows.

    See Also
    --------
    skvision.MiniVGGClassifier : A small network trained from scratch.

    Notes
    -----
    Images are scaled for the network inside it; scaling them before is an error,
    and floats above 1 are refused.

    References
    ----------
    A. S. Razavian and others, CNN Features off-the-shelf: an Astounding Baseline for
    Recognition, 2014.

    Examples
    --------
    >>> import numpy as np
    >>> from skvision import PretrainedFeatureTransformer
    >>> X = np.random.default_rng(0).integers(0, 256, (4, 40, 40, 3), dtype=np.uint8)
    >>> transformer = PretrainedFeatureTransformer(image_size=64, engine="keras")
    >>> transformer.fit_transform(X).shape
    (4, 1280)
    >>> transformer.get_feature_names_out()[:2].tolist()
    ['efficientnetlite0_0', 'efficientnetlite0_1']
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "weights": [str, os.PathLike, None],
        "layer": [str, None],
        "pooling": [StrOptions({"auto", *POOLINGS})],
        "resize": [StrOptions(set(RESIZE_POLICIES))],
        "batch_size": [Interval(Integral, 1, None, closed="left")],
        "engine": [str],
        "precision": [str],
        "cache": ["boolean", str, os.PathLike, None],
        "random_state": ["random_state"],
        "verbose": [Options(Integral, {0, 1, 2}), "boolean"],
    }

    def __init__(
        self,
        backbone: Any = "EfficientNetLite0",
        weights: Any = "imagenet",
        *,
        layer: str | None = None,
        image_size: tuple[int, int] | int | None = None,
        pooling: str = "auto",
        precision: str = "auto",
        batch_size: int = 32,
        engine: str = "auto",
        cache: Any = None,
        row_shape: tuple[int, ...] | None = None,
        value_range: Any = "auto",
        resize: str = "stretch",
        random_state: Any = None,
        verbose: int = 0,
    ) -> None:
        self.backbone = backbone
        self.weights = weights
        self.layer = layer
        self.image_size = image_size
        self.pooling = pooling
        self.precision = precision
        self.batch_size = batch_size
        self.engine = engine
        self.cache = cache
        self.row_shape = row_shape
        self.value_range = value_range
        self.resize = resize
        self.random_state = random_state
        self.verbose = verbose

    def fit(self, X: Any, y: Any = None) -> PretrainedFeatureTransformer:
        """Make the network ready and look at the form of X; nothing is learnt.

        Parameters
        ----------
        X : array, sequence, Series or frame of n_samples images
            Arrays of images, file names, or 2-D rows with ``row_shape``.
        y : object, default=None
            Ignored.

        Returns
        -------
        self : object
            The fitted transformer.

        Raises
        ------
        ValueError
            If a parameter or X is not as described, or weights don't fit.
        ImportError
            If the engine asked for is not installed.
        OSError
            If published weights are neither here nor to be downloaded.
        """
        self._validate_params()
        with all_or_nothing(self):
            self._fit(X, y, transform=False)
        return self

    def fit_transform(self, X: Any, y: Any = None) -> np.ndarray:
        """Make the network ready and compute the features of images.

        Parameters
        ----------
        X : array, sequence, Series or frame of n_samples images
            Arrays of images, file names, or 2-D rows with ``row_shape``.
        y : object, default=None
            Ignored.

        Returns
        -------
        ndarray of shape (n_samples, n_features_out_), float32
            One row an image.

        Raises
        ------
        ValueError
            If a parameter or X is not as described, or weights don't fit.
        ImageDecodeError
            If a file can't be read.
        ImportError
            If the engine asked for is not installed.
        OSError
            If published weights are neither here nor to be downloaded.
        """
        self._validate_params()
        with all_or_nothing(self):
            features: np.ndarray = self._fit(X, y, transform=True)
        return features

    def _fit(self, X: Any, y: Any, *, transform: bool) -> Any:
        images = validate_images(self, X, reset=True)
        if self.n_channels_ not in (1, 3):
            raise ValueError(
                f"X has {self.n_channels_} channels; ready-made networks read 3 (or 1, which "
                "is repeated)."
            )

        def learn(task: FitTask) -> Any:
            choice = self._make_ready()
            return self._features(images, choice, task) if transform else None

        n_batches: int | None = -(-len(images) // int(self.batch_size))
        if self.cache not in (None, False):
            n_batches = None  # nobody knows what is there already, nor what others compute
        name, n_subtasks = ("fit-transform", n_batches) if transform else ("fit", 0)
        return fit_as_task(self, learn, training_data(X, y), name, n_subtasks)

    def _make_ready(self) -> EngineChoice:
        choice = resolve(self.engine, self.precision)
        self.engine_, self.precision_ = choice.engine, choice.precision
        seed = int(check_random_state(self.random_state).randint(np.iinfo(np.int32).max))
        self._recipe = feature_recipe(
            self.backbone,
            weights=self.weights,
            layer=self.layer,
            pooling=self.pooling,
            image_size=None if self.image_size is None else as_image_size(self.image_size),
            seed=seed,
        )
        self.n_features_out_ = self._extraction(choice).engine.n_features
        return choice

    def transform(self, X: Any) -> np.ndarray:
        """Compute the features of images.

        Parameters
        ----------
        X : array, sequence, Series or frame of n_samples images
            In any form that fit takes; on the scale of fit where it is an array.

        Returns
        -------
        ndarray of shape (n_samples, n_features_out_), float32
            One row an image.

        Raises
        ------
        NotFittedError
            If the transformer has not been fitted.
        ValueError
            If X is not as described.
        ImageDecodeError
            If a file can't be read.

        Warns
        -----
        FeatureEngineWarning
            If the engine or precision of fit is not to be had here.
        """
        check_is_fitted(self)
        images = validate_images(self, X, reset=False)
        return self._features(images, self._reproduced_choice())

    def _features(
        self, images: ImageBatch, choice: EngineChoice, task: FitTask = NO_TASK
    ) -> np.ndarray:
        return self._extraction(choice).compute(
            images, resize=self.resize, verbose=int(self.verbose), task=task
        )

    def _extraction(self, choice: EngineChoice) -> FeatureExtraction:
        return FeatureExtraction(self._recipe, choice, int(self.batch_size), self.cache)

    def get_feature_names_out(self, input_features: Any = None) -> np.ndarray:
        """Get the names of the features: ``vgg16_0``, ``vgg16_1``, ...

        Parameters
        ----------
        input_features : object, default=None
            Ignored.

        Returns
        -------
        ndarray of shape (n_features_out_,), object
            One name a feature.
        """
        check_is_fitted(self)
        prefix = self._recipe.backbone.lower()
        names = [f"{prefix}_{index}" for index in range(self.n_features_out_)]
        return np.array(names, dtype=object)

    def _reproduced_choice(self) -> EngineChoice:
        """The engine and precision of fit or, with a warning, what there is here."""
        try:
            return resolve(self.engine_, self.precision_)
        except (ImportError, ValueError):
            choice = resolve("auto", "auto")
            if self.precision_ == "float32":
                choice = resolve(choice.engine, "float32")
            warnings.warn(
                f"Fitted with engine {self.engine_!r} in {self.precision_}, which this machine "
                f"does not have; computing with {choice.engine!r} in {choice.precision} instead. "
                "Features will differ a little.",
                FeatureEngineWarning,
            )
            return choice

    def __sklearn_clone__(self) -> PretrainedFeatureTransformer:
        copy: PretrainedFeatureTransformer = clone_around_backbone(self)
        return copy

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.transformer_tags.preserves_dtype = ["float32"]
        return tags
