"""`FineTunedClassifier`: a pretrained network's body under a new head, trained in two phases."""

from __future__ import annotations

import os
from numbers import Integral, Real
from typing import Any, ClassVar

from keras.optimizers.schedules import LearningRateSchedule

from .._sklearn.compat import Interval, StrOptions
from .._sklearn.matching import match_name
from .._sklearn.sizes import as_image_size, as_positive_ints
from ..feature_extraction.bodies import body_of
from ..feature_extraction.engines import resolve
from ..feature_extraction.extraction import FeatureExtraction
from ..feature_extraction.recipe import (
    POOLINGS,
    FeatureRecipe,
    clone_around_backbone,
    feature_recipe,
    input_size,
)
from ..images import ImageBatch
from ..networks import (
    ACTIVATIONS,
    FineTunedArchitecture,
    HeadArchitecture,
    LearningPart,
    NetworkRecipe,
)
from ..networks.finetuned_architecture import first_unfrozen
from ..training import Phase, Seeds
from .base import BaseImageClassifier
from .described_training import PRECISIONS

__all__ = ["FineTunedClassifier"]

_RATE = [Interval(Real, 0, None, closed="neither"), LearningRateSchedule, None]


class FineTunedClassifier(BaseImageClassifier):
    """Fine-tune a pretrained network: replace its top by a new head, train in two phases.

    In the first phase, the warm-up, only the head is trained and the body is frozen. In
    the second phase the body, or its last layers, is trained too, at a small learning
    rate. For a few hundred photos similar to ImageNet's, a linear model on the same
    network's features is often as accurate and trains in seconds instead of minutes.
    Fine-tuning pays off for photos that differ from ImageNet's.

    Parameters
    ----------
    backbone : str, path-like, keras.Model or fitted skvision classifier, \
default="EfficientNetLite0"
        The pretrained network. A name, in upper or lower case
        (`skvision.networks.backbones` has the table; ``"EfficientNetLite0"`` comes with
        the package); a fitted classifier of skvision or its file (``.skv``); a Keras model
        or its file (``.keras``, ``.hdf5``, ``.h5``; code in the file is refused). A network
        that classifies (a fitted classifier, or one that ends in a softmax) loses the dense
        layers after its last feature map; any other network is used whole. A Keras model
        gets pixels from 0 to 255.
    weights : "imagenet", str, path-like or None, default="imagenet"
        Weights of a network that ``backbone`` names. ``"imagenet"``: the published
        weights, downloaded once by Keras; a path: your own weights file; None: random
        weights, drawn from ``random_state``. Ignored if ``backbone`` is a network or
        a file.
    image_size : int or tuple of int, default=None
        Size (height, width) in pixels that images are resized to; None for the
        network's own size (224 for most). Smaller is faster and less accurate.
    pooling : {"auto", "avg", "max", "flatten"}, default="auto"
        How the last feature map becomes the head's input: the mean or the maximum of
        each channel, or all values. ``"auto"`` is ``"flatten"`` for VGG and ``"avg"``
        for all others.
    dense_units : tuple of int, default=(256,)
        Number of units of each dense layer of the head before the softmax; ``()`` for
        none.
    activation : str, default="relu"
        Activation of these layers: the name of any Keras activation, in upper or lower
        case.
    dense_dropout : float, default=0.5
        Dropout rate after each of these layers, in [0, 1).
    warmup_epochs : int, default=10
        Number of passes over the training images in the first phase, which trains the
        head only; at least 0.
    warmup_learning_rate : float, LearningRateSchedule or None, default=1e-3
        Learning rate of the first phase; None for the optimiser's default.
    unfreeze : "all", "none", str or int, default="all"
        Layers of the body that are trained in the second phase: ``"all"``; ``"none"``,
        which skips the second phase; the name of a layer or block (``"block5"``), for
        that one and all later ones; or an int n, for the last n layers with a kernel.
        Batch normalisation layers of the body are never trained.
    fine_tune_epochs : int, default=10
        Number of passes over the training images in the second phase, at least 0.
    fine_tune_learning_rate : float, LearningRateSchedule or None, default=1e-4
        Learning rate of the second phase; None for the optimiser's default. At most a
        tenth of the warm-up's, since large steps destroy the pretrained weights.
    layer_decay : float, default=1.0
        Factor of the learning rate from each layer of the body with a kernel to the layer
        before it, above 0 and at most 1. Below 1, earlier layers, whose features are the
        most general, change less.
    optimizer : str, keras.optimizers.Optimizer or class, default="adam"
        Name of any Keras optimiser, in upper or lower case. Options are passed as
        ``optimizer__weight_decay=1e-4``. An object is rebuilt from its configuration
        for each phase.
    learning_rate_schedule : {"cosine", "warmup_cosine", "step", "plateau"} or None, \
default=None
        Change of the learning rate within each phase. ``"cosine"``: falls to almost 0.
        ``"warmup_cosine"``: the same, after rising over the first twentieth of the
        epochs. ``"step"``: falls to a tenth after half of the epochs and again after
        three quarters. ``"plateau"``: falls to a tenth whenever the loss hasn't fallen
        for half of ``patience`` epochs. None: constant.
    label_smoothing : float, default=0.0
        Share of the target probability that is moved from the true class and spread
        evenly over all classes, in [0, 1).
    mixup, cutmix : float, default=0.0
        Strength of MixUp and of CutMix, at least 0; 0 is off. Both mix the images of a
        training batch in pairs, and their labels in the same shares: MixUp blends the two
        images, CutMix pastes a part of one into the other. The number is the parameter of
        the beta distribution that the shares are drawn from: 1 is uniform, 0.2 changes most
        images only a little. If both are set, each batch uses one of them. Helps if a
        network overfits.
    mix_probability : float, default=1.0
        Share of the training batches that are mixed, from 0 to 1.
    predict_crops : tuple of float, default=(1.0,)
        Sizes of the central crops that predictions are averaged over, each as a share of
        the image's height and width, above 0 and at most 1. Each crop is resized to
        ``image_size``; 1.0 is the whole image. A network that was trained on crops or
        zoomed images has seen larger objects than whole images show, and
        ``(1.0, 0.85, 0.7)`` compensates for that. Time grows with the number of crops.
    predict_mirrored : bool, default=False
        Whether to average the predictions for an image and for its mirror image. Takes
        twice as long and is usually a little more accurate.
    precision : {"float32", "bfloat16"}, default="float32"
        Number type of training, of predictions and of the features for the warm-up.
        ``"bfloat16"``: mixed precision, faster on graphics cards and on processors with
        bfloat16 instructions; features are float32 if the engine lacks bfloat16.
    batch_size : int, default=32
        Maximum number of images per step, at least 1.
    augmentation : object, default=None
        Augmentation of the training images, drawn again in each epoch of both phases: an
        `ImageAugmenter` or `RandAugmenter`, a Keras preprocessing layer or a list of them,
        Keras' ImageDataGenerator (without its ``rescale``: the network scales its input
        itself), or a function ``f(images, rng) -> images`` of uint8 images (n, height,
        width, 3) and a `numpy.random.Generator`.
    class_weight : dict or "balanced", default=None
        Weights of the classes, multiplied with ``sample_weight``. ``"balanced"``
        weights each class by the inverse of its frequency.
    validation_fraction : float, default=None
        Share of the images that is held out to measure ``val_loss`` and
        ``val_accuracy``, above 0 and below 1: the same images in both phases, stratified,
        never augmented; whole groups if fit gets ``groups``. None holds out no images.
    early_stopping : bool, default=False
        Whether to end each phase after ``patience`` epochs without a lower validation
        loss and to keep the weights of the best epoch of both phases. With
        ``validation_fraction=None``, 0.1 of the images is held out, unless fit gets
        ``validation_data``.
    patience : int, default=10
        Number of epochs to wait for a lower validation loss, at least 0.
    keras_callbacks : keras.callbacks.Callback or list of them, default=None
        Callbacks for the training; copied for each phase.
    checkpoint_dir : str or path-like, default=None
        Folder in which the state of the training is saved after each epoch. If the process
        is killed, the same call continues after the last complete epoch of either phase.
        None saves nothing.
    checkpoint_every : int, default=None
        Number of steps after which the state is saved within an epoch too, at least 1, for
        long epochs; training waits while it is written. None saves after epochs only.
    engine : {"auto", "keras", "openvino"}, default="auto"
        Library that computes the features for the warm-up. ``"auto"`` is OpenVINO if it
        is installed (``pip install "skvision[fast]"``), unless Keras uses a graphics card
        or the JAX backend; else Keras.
    cache : None, True, str or path-like, default=None
        Folder in which these features are kept between fits, if images aren't augmented:
        True for the user's cache folder, a path, or None for no cache.
    row_shape : tuple of int, default=None
        (height, width) or (height, width, channels) of an image, if each image is a flat
        row of a 2-D X; one entry may be -1.
    value_range : "auto", "percentile", tuple of float or None, default="auto"
        Range of the numbers in arrays. ``"auto"``: integers 0..255, uint16 0..65535, bool
        and floats 0..1. A pair (black, white) sets another range. ``"percentile"``
        learns it in fit, for each channel: the 0.1 and 99.9 percentiles of all images.
        Files of more than 8 bits use the pair or the learnt range, else the range that
        they declare; files of 8 bits always use 0..255. None passes any finite numbers
        unchanged, for data that aren't images.
    resize : {"stretch", "crop", "pad"}, default="stretch"
        How images of another aspect ratio are resized to ``image_size``.
    warm_start : bool, default=False
        Whether fit continues the last phase from the weights of the last fit.
        ``unfreeze`` may name more layers than before, for gradual unfreezing.
    random_state : int, RandomState instance or None, default=None
        Controls the head's initial weights, dropout, the order of images, augmentation,
        the validation split, and random weights of the body. Pass an int for
        reproducible results; they depend on the number of threads too.
    verbose : {0, 1, 2} or bool, default=0
        Output while working: none (0 or False), a progress bar (1 or True), or in training
        one line per epoch (2).
    **optimizer_options : object
        Options of the optimiser, with the prefix ``optimizer__``.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        The labels, sorted.
    model_ : keras.Model
        The whole network, a copy: changing it doesn't change the estimator. Its
        layers are flat: ``model_.get_layer("block5_conv1")``.
    history_ : dict of str to list
        ``phase`` (``"warmup"`` or ``"fine_tune"``), ``loss``, ``accuracy``, with a
        validation images ``val_loss`` and ``val_accuracy``, with a named schedule
        ``learning_rate``; one entry per epoch.
    n_epochs_ : int
        Number of epochs of both phases together.
    pixel_range_ : tuple or None
        (black, white) of the numbers in fit's X; None if X was files, since each file has
        its own. With ``value_range="percentile"`` each is a tuple of one number per channel.
    image_shape_ : tuple of int
        Shape of one image in fit's X if X was an array; () if X was files.
    n_channels_ : int
        Number of channels of the images: 3, or those of X with ``value_range=None``.
    n_features_in_ : int
        Length of a row. Only defined if X was 2-D rows.

    See Also
    --------
    skvision.make_feature_classifier : A linear model on the same networks' features.
    skvision.find_learning_rate : Suggests the learning rate of each phase.

    Notes
    -----
    In the warm-up the body only computes features. Without augmentation, the engine
    computes the features of each image once, and each epoch is fast. With augmentation,
    features are computed for each augmented image. Dropout in the body is off.

    ``partial_fit`` trains one epoch per call: the first ``warmup_epochs`` calls train the
    head, later calls fine-tune.

    A fitted estimator holds all weights and needs no file or download to predict.

    References
    ----------
    J. Yosinski and others, How transferable are features in deep neural networks?, 2014.

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from skvision import FineTunedClassifier
    >>> digits = load_digits(n_class=3)
    >>> X, y = digits.images[:120] / 16, digits.target[:120]
    >>> net = FineTunedClassifier(
    ...     image_size=32, unfreeze="block7", fine_tune_epochs=1, random_state=0)
    >>> bool(net.fit(X, y).score(X, y) > 0.9)
    True
    >>> net.history_["phase"][-2:]
    ['warmup', 'fine_tune']
    """

    _phase_names = ("warmup", "fine_tune")

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        **BaseImageClassifier._parameter_constraints,
        "weights": [str, os.PathLike, None],
        "pooling": [StrOptions({"auto", *POOLINGS})],
        "dense_dropout": [Interval(Real, 0, 1, closed="left")],
        "warmup_epochs": [Interval(Integral, 0, None, closed="left")],
        "warmup_learning_rate": _RATE,
        "unfreeze": [str, Interval(Integral, 1, None, closed="left")],
        "fine_tune_epochs": [Interval(Integral, 0, None, closed="left")],
        "fine_tune_learning_rate": _RATE,
        "layer_decay": [Interval(Real, 0, 1, closed="right")],
        "learning_rate_schedule": [str, None],
        "engine": [str],
        "cache": ["boolean", str, os.PathLike, None],
    }

    def __init__(
        self,
        backbone: Any = "EfficientNetLite0",
        weights: Any = "imagenet",
        *,
        image_size: tuple[int, int] | int | None = None,
        pooling: str = "auto",
        dense_units: tuple[int, ...] = (256,),
        activation: str = "relu",
        dense_dropout: float = 0.5,
        warmup_epochs: int = 10,
        warmup_learning_rate: Any = 1e-3,
        unfreeze: str | int = "all",
        fine_tune_epochs: int = 10,
        fine_tune_learning_rate: Any = 1e-4,
        layer_decay: float = 1.0,
        optimizer: Any = "adam",
        learning_rate_schedule: str | None = None,
        label_smoothing: float = 0.0,
        mixup: float = 0.0,
        cutmix: float = 0.0,
        mix_probability: float = 1.0,
        predict_crops: tuple[float, ...] = (1.0,),
        predict_mirrored: bool = False,
        precision: str = "float32",
        batch_size: int = 32,
        augmentation: Any = None,
        class_weight: Any = None,
        validation_fraction: float | None = None,
        early_stopping: bool = False,
        patience: int = 10,
        keras_callbacks: Any = None,
        checkpoint_dir: Any = None,
        checkpoint_every: int | None = None,
        engine: str = "auto",
        cache: Any = None,
        row_shape: tuple[int, ...] | None = None,
        value_range: Any = "auto",
        resize: str = "stretch",
        warm_start: bool = False,
        random_state: Any = None,
        verbose: int = 0,
        **optimizer_options: Any,
    ) -> None:
        self.backbone = backbone
        self.weights = weights
        self.image_size = image_size
        self.pooling = pooling
        self.dense_units = dense_units
        self.activation = activation
        self.dense_dropout = dense_dropout
        self.warmup_epochs = warmup_epochs
        self.warmup_learning_rate = warmup_learning_rate
        self.unfreeze = unfreeze
        self.fine_tune_epochs = fine_tune_epochs
        self.fine_tune_learning_rate = fine_tune_learning_rate
        self.layer_decay = layer_decay
        self.optimizer = optimizer
        self.learning_rate_schedule = learning_rate_schedule
        self.label_smoothing = label_smoothing
        self.mixup = mixup
        self.cutmix = cutmix
        self.mix_probability = mix_probability
        self.predict_crops = predict_crops
        self.predict_mirrored = predict_mirrored
        self.precision = precision
        self.batch_size = batch_size
        self.augmentation = augmentation
        self.class_weight = class_weight
        self.validation_fraction = validation_fraction
        self.early_stopping = early_stopping
        self.patience = patience
        self.keras_callbacks = keras_callbacks
        self.checkpoint_dir = checkpoint_dir
        self.checkpoint_every = checkpoint_every
        self.engine = engine
        self.cache = cache
        self.row_shape = row_shape
        self.value_range = value_range
        self.resize = resize
        self.warm_start = warm_start
        self.random_state = random_state
        self.verbose = verbose
        self._store_routed(optimizer_options)

    @property
    def _input_size(self) -> tuple[int, int]:
        given = None if self.image_size is None else as_image_size(self.image_size)
        return input_size(self.backbone, None, given)

    def _phases(self, images: ImageBatch, seeds: Seeds) -> tuple[list[Phase], NetworkRecipe]:
        features = self._features(images, seeds)
        body = body_of(features)
        head = HeadArchitecture(
            n_features=body.n_features,
            n_classes=len(self.classes_),
            dense_units=as_positive_ints("dense_units", self.dense_units),
            dense_dropout=float(self.dense_dropout),
            activation=match_name(self.activation, ACTIVATIONS, "activation"),
            dtype=PRECISIONS[self.precision],
        )
        whole = FineTunedArchitecture(
            input_shape=(*features.image_size, images.n_channels),
            backbone=features.backbone,
            pooling=features.pooling,
            head=head,
            config=body.config,
        )
        first = first_unfrozen(self.unfreeze, body.names, body.kernels)
        part = LearningPart(
            n_learning=len(body.names) - first + head.n_layers,
            n_head=head.n_layers,
            layer_decay=float(self.layer_decay),
        )
        # "auto", since some engines lack bfloat16
        choice = resolve(self.engine, "float32" if self.precision == "float32" else "auto")
        # random weights follow from the seeds, which checkpoints hold
        identity = "" if features.digest.startswith("random") else features.digest
        recipe, rate = self._recipe_and_rate(head, self.warmup_learning_rate)
        warmup = Phase(
            recipe,
            self._plan(self.warmup_epochs, rate),
            "warmup",
            given=body.weights,
            extraction=FeatureExtraction(features, choice, int(self.batch_size), self.cache),
            identity=identity,
        )
        recipe, rate = self._recipe_and_rate(whole, self.fine_tune_learning_rate, part)
        fine_tune = Phase(
            recipe, self._plan(self.fine_tune_epochs, rate), "fine_tune", identity=identity
        )
        phases = [warmup, fine_tune] if self.unfreeze != "none" else [warmup]
        phases = [phase for phase in phases if phase.plan.epochs]
        if not phases:
            raise ValueError(
                f"There is nothing to train: warmup_epochs={self.warmup_epochs}, "
                f"fine_tune_epochs={self.fine_tune_epochs}, unfreeze={self.unfreeze!r}. "
                "Raise one of the numbers."
            )
        return phases, recipe

    def _features(self, images: ImageBatch, seeds: Seeds) -> FeatureRecipe:
        """Return the recipe that computes features with the body."""
        recipe = feature_recipe(
            self.backbone,
            weights=self.weights,
            layer=None,
            pooling=self.pooling,
            image_size=None if self.image_size is None else as_image_size(self.image_size),
            seed=seeds.weights,
        )
        if images.n_channels not in (1, recipe.n_channels):
            raise ValueError(
                f"X has {images.n_channels} channels, but {recipe.backbone} reads "
                f"{recipe.n_channels} (or 1, which is repeated)."
            )
        return recipe

    def __sklearn_clone__(self) -> FineTunedClassifier:
        """Clone, but keep a backbone that is a fitted classifier fitted."""
        copy: FineTunedClassifier = clone_around_backbone(self)
        return copy
