"""`PretrainedFeatureTransformer`: features of images, computed by a pretrained network."""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable
from numbers import Integral
from typing import Any, ClassVar

import numpy as np
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted

from .._sklearn.callbacks import NO_TASK, CallbackSupportMixin, FitTask, fit_as_task, training_data
from .._sklearn.compat import Interval, Options, StrOptions
from .._sklearn.estimator import DocumentationLink, all_or_nothing
from .._sklearn.network_estimator import ReadAs
from .._sklearn.sizes import as_image_size
from ..exceptions import FeatureEngineWarning
from ..images import RESIZE_POLICIES, ImageBatch, known_range, validate_images
from .engines import Engine, EngineChoice, make_engine, resolve
from .extraction import FeatureExtraction
from .network_key import network_key
from .recipe import POOLINGS, clone_around_backbone, feature_recipe, input_size

__all__ = ["PretrainedFeatureTransformer"]


class PretrainedFeatureTransformer(
    CallbackSupportMixin, DocumentationLink, TransformerMixin, BaseEstimator
):
    """Transform images into the features of a pretrained network.

    This is transfer learning by feature extraction: a network that was trained on over a
    million photos, without its last layers, turns each image into a vector, and any
    classifier of scikit-learn is trained on these vectors. With a few hundred photos this is
    the fastest way, and usually more accurate than training a network from scratch.

    Parameters
    ----------
    backbone : str, path-like, keras.Model or fitted skvision classifier, \
default="EfficientNetLite0"
        The pretrained network. A name, in upper or lower case
        (`skvision.networks.backbones` has the table; ``"EfficientNetLite0"`` comes with
        the package); a fitted classifier of skvision or its file (``.skv``); a Keras model
        or its file (``.keras``, ``.hdf5``, ``.h5``; code in the file is refused). A network
        that classifies (a fitted classifier, or one that ends in a softmax) loses the dense
        layers after its last feature map; any other network is used whole. ``layer`` sets
        another end. A Keras model gets pixels from 0 to 255. If a fitted classifier is a
        value in the grid of a search, wrap it in `sklearn.frozen.FrozenEstimator`, since
        scikit-learn clones the values of a grid, which makes them unfitted.
    weights : "imagenet", str, path-like or None, default="imagenet"
        Weights of a network that ``backbone`` names. ``"imagenet"``: the published
        weights, downloaded once by Keras; a path: your own weights file (``.h5``,
        ``.hdf5``, ``.keras``); None: random weights, drawn from ``random_state``. Ignored
        if ``backbone`` is a network or a file.
    layer : str, default=None
        Name of the layer whose output is used; None for the last feature map.
    image_size : int or tuple of int, default=None
        Size (height, width) in pixels that images are resized to; None for the
        network's own size (224 for most).
    pooling : {"auto", "avg", "max", "flatten"}, default="auto"
        How a feature map becomes a vector: the mean or the maximum of each channel, or
        all values (VGG16: 7 x 7 x 512 = 25,088). ``"auto"`` is ``"flatten"`` for VGG and
        ``"avg"`` for all others.
    precision : {"auto", "float32", "bfloat16"}, default="auto"
        Number type of the computation. ``"auto"`` is bfloat16 if the engine and the
        processor support it. bfloat16 changes features by a few percent (those of
        EfficientNet-Lite0 on photos by 4 %, without effect on accuracy), and the result
        depends a little on the other images of a batch. ``"float32"`` avoids both.
    batch_size : int, default=32
        Number of images per batch, at least 1. It affects memory and speed, not the
        features.
    engine : {"auto", "keras", "openvino"}, default="auto"
        Library that computes the features. ``"auto"`` is OpenVINO if it is installed
        (``pip install "skvision[fast]"``), unless Keras uses a graphics card or the JAX
        backend; else Keras.
    cache : None, True, str or path-like, default=None
        Folder in which features are kept, so that each is computed only once: True for
        the user's cache folder, a path, or None for no cache.
    row_shape : tuple of int, default=None
        (height, width) or (height, width, channels) of an image, if each image is a flat
        row of a 2-D X; one entry may be -1.
    value_range : "auto", "percentile", tuple of float or None, default="auto"
        Range of the numbers in arrays. ``"auto"``: integers 0..255, uint16 0..65535, bool
        and floats 0..1. A pair (black, white) sets another range. ``"percentile"``
        learns it in fit, for each channel: the 0.1 and 99.9 percentiles of all images.
        Files of more than 8 bits use the pair or the learnt range, else the range that
        they declare; files of 8 bits always use 0..255. None passes any finite numbers
        unchanged.
    resize : {"stretch", "crop", "pad"}, default="stretch"
        How images of another aspect ratio are resized to ``image_size``.
    random_state : int, RandomState instance or None, default=None
        Seed of random weights. Pass an int for reproducible results.
    verbose : {0, 1, 2} or bool, default=0
        Output while working: none (0 or False) or a progress bar (1, 2 or True).

    Attributes
    ----------
    engine_ : str
        The engine that fit chose.
    precision_ : str
        The precision that fit chose.
    n_features_out_ : int
        Length of the feature vectors.
    pixel_range_ : tuple or None
        (black, white) of the numbers in fit's X; None if X was files, since each file has
        its own. With ``value_range="percentile"`` each is a tuple of one number per channel.
    image_shape_ : tuple of int
        Shape of one image in fit's X if X was an array; () if X was files.
    n_channels_ : int
        Number of channels of fit's X: 3, or those of X with ``value_range=None``.
    n_features_in_ : int
        Length of a row. Only defined if X was 2-D rows.

    See Also
    --------
    skvision.MiniVGGClassifier : A small network trained from scratch.

    Notes
    -----
    The network scales its input itself. Don't scale images before; floats above 1 are
    refused.

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
        """Prepare the network and check the form of X; learn nothing.

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
            If the requested engine is not installed.
        OSError
            If the published weights can't be found or downloaded.
        """
        self._validate_params()
        with all_or_nothing(self):
            self._fit(X, y, transform=False)
        return self

    def fit_transform(self, X: Any, y: Any = None) -> np.ndarray:
        """Prepare the network and compute the features of images.

        Parameters
        ----------
        X : array, sequence, Series or frame of n_samples images
            Arrays of images, file names, or 2-D rows with ``row_shape``.
        y : object, default=None
            Ignored.

        Returns
        -------
        ndarray of shape (n_samples, n_features_out_), float32
            One row per image.

        Raises
        ------
        ValueError
            If a parameter or X is not as described, or weights don't fit.
        ImageDecodeError
            If a file can't be read.
        ImportError
            If the requested engine is not installed.
        OSError
            If the published weights can't be found or downloaded.
        """
        self._validate_params()
        with all_or_nothing(self):
            features: np.ndarray = self._fit(X, y, transform=True)
        return features

    def _fit(self, X: Any, y: Any, *, transform: bool) -> Any:
        images = validate_images(self, X, reset=True)
        if self.n_channels_ not in (1, 3):
            raise ValueError(
                f"X has {self.n_channels_} channels, but pretrained networks need 3 (or 1, which "
                "is repeated)."
            )

        def learn(task: FitTask) -> Any:
            choice = self._make_ready()
            return self._features(images, choice, task) if transform else None

        n_batches: int | None = -(-len(images) // int(self.batch_size))
        if self.cache not in (None, False):
            n_batches = None  # unknown: the cache and other processes may have computed some
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
            In any form that fit takes; an array must have the same value range as in fit.

        Returns
        -------
        ndarray of shape (n_samples, n_features_out_), float32
            One row per image.

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
            If the engine or precision of fit is not available on this machine.
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

    def reads_images_as(self) -> ReadAs:
        """Return how images will be read, by fit or, once fitted, by transform.

        Returns
        -------
        ReadAs
            Size, resize policy, scale, and whether images' keys are asked for.
        """
        self._validate_params()
        if hasattr(self, "_recipe"):
            size = self._recipe.image_size
        else:
            given = None if self.image_size is None else as_image_size(self.image_size)
            size = input_size(self.backbone, self.layer, given)
        is_keyed = self.cache not in (None, False)
        return ReadAs(size, self.resize, known_range(self), is_keyed)

    def build_network(self) -> Any:
        """Return the fitted network, a new `keras.Model`.

        Returns
        -------
        keras.Model
            Maps 8-bit RGB images (n, height, width, 3) to features (n, n_features_out_).
        """
        check_is_fitted(self)
        return self._recipe.build()

    def network_digest(self) -> str:
        """Return the identity of the fitted network.

        Returns
        -------
        str
            Equal for equal layers and weights.
        """
        check_is_fitted(self)
        return network_key(**self._recipe.key_parts())

    def validated_images(self, X: Any) -> ImageBatch:
        """Check images as transform does.

        Parameters
        ----------
        X : array, sequence, Series or frame of n_samples images
            In any form that transform takes.

        Returns
        -------
        ImageBatch
            The images, not yet decoded.
        """
        check_is_fitted(self)
        return validate_images(self, X, reset=False)

    def network_engine(self, build: Callable[[], Any], batch_size: int) -> Engine:
        """Return what runs a part of the network: the engine that fit chose.

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
        return make_engine(self._reproduced_choice(), build, batch_size)

    def get_feature_names_out(self, input_features: Any = None) -> np.ndarray:
        """Get the names of the features: ``vgg16_0``, ``vgg16_1``, ...

        Parameters
        ----------
        input_features : object, default=None
            Ignored.

        Returns
        -------
        ndarray of shape (n_features_out_,), object
            One name per feature.
        """
        check_is_fitted(self)
        prefix = self._recipe.backbone.lower()
        names = [f"{prefix}_{index}" for index in range(self.n_features_out_)]
        return np.array(names, dtype=object)

    def _reproduced_choice(self) -> EngineChoice:
        """Return the engine and precision of fit or, with a warning, those of this machine."""
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
