"""`FineTunedClassifier`: a ready-made network's body under a new head, trained in two phases."""

from __future__ import annotations

import os
from numbers import Integral, Real
from typing import Any, ClassVar

from keras.optimizers.schedules import LearningRateSchedule

from .._sklearn.compat import Interval, StrOptions
from ..feature_extraction.bodies import body_of
from ..feature_extraction.engines import resolve
from ..feature_extraction.extraction import FeatureExtraction
from ..feature_extraction.recipe import (
    POOLINGS,
    FeatureRecipe,
    clone_around_backbone,
    feature_recipe,
)
from ..images import ImageBatch
from ..networks import (
    ACTIVATIONS,
    FineTunedArchitecture,
    HeadArchitecture,
    LearningPart,
    NetworkRecipe,
    as_image_size,
    as_positive_ints,
    match_name,
)
from ..networks.finetuned_architecture import first_unfrozen
from ..training import Phase, Seeds
from .base import BaseImageClassifier
from .described_training import PRECISIONS

__all__ = ["FineTunedClassifier"]

_RATE = [Interval(Real, 0, None, closed="neither"), LearningRateSchedule, None]


class FineTunedClassifier(BaseImageClassifier):
    """Fine-tune a ready-made network: its old top off, a new head on, trained in two phases.

    First the head warms up while the body stays as it is; then the body, or its last
    layers, learn with it at a small rate. With some hundreds of photos that are much like
    ImageNet's, a linear model on the same network's features is often as accurate, in
    seconds where this takes minutes; it pays where photos differ from those.

    Parameters
    ----------
    backbone : str, path-like, keras.Model or fitted skvision classifier, \
default="EfficientNetLite0"
        The network: a name in any case (`skvision.networks.backbones` has the table), of
        which ``"EfficientNetLite0"`` comes with the package; a fitted classifier of
        skvision, or its file (``.skv``); a Keras model, or its file (``.keras``, ``.hdf5``,
        ``.h5``: code in it is refused). A network that classifies (a fitted classifier, a
        network that ends in a softmax) loses the dense layers after its last feature map;
        another is taken as it is. A Keras model gets pixels from 0 to 255.
    weights : "imagenet", str, path-like or None, default="imagenet"
        ``"imagenet"``: the published weights, downloaded once by Keras; a weights
        file of one's own; None: random ones, decided by ``random_state``. Without
        meaning for a network of one's own.
    image_size : int or tuple of int, default=None
        (height, width) in pixels that images are resized to; None for the
        network's own (224 for most). Smaller is faster and less accurate.
    pooling : {"auto", "avg", "max", "flatten"}, default="auto"
        How the last feature map becomes the head's input: the mean or the largest
        of each channel, or all numbers. ``"auto"`` is ``"flatten"`` for VGG,
        ``"avg"`` for all others.
    dense_units : tuple of int, default=(256,)
        Units of each of the head's dense layers before the softmax; ``()`` for none.
    activation : str, default="relu"
        Their activation; any of Keras, in any case.
    dense_dropout : float, default=0.5
        Share of values that dropout sets to zero after each of them, in [0, 1).
    warmup_epochs : int, default=10
        Passes over the training images in which the head alone learns, at least 0.
    warmup_learning_rate : float, LearningRateSchedule or None, default=1e-3
        Step size meanwhile; None for the optimiser's own default.
    unfreeze : "all", "none", str or int, default="all"
        What learns in the second phase besides the head: the whole body; nothing, and
        there is no second phase; from the layer or block of this name on
        (``"block5"``); or the last so many layers with a kernel. Batch
        normalisation of the body never learns.
    fine_tune_epochs : int, default=10
        Passes over the training images in the second phase, at least 0.
    fine_tune_learning_rate : float, LearningRateSchedule or None, default=1e-4
        Step size meanwhile; None for the optimiser's own default. A tenth of the
        warm-up's or less, since large steps destroy what the body knows.
    layer_decay : float, default=1.0
        Share of the next layer's step size that each layer of the body with a kernel
        gets, above 0 and at most 1: below 1, earlier layers, which know the most
        general things, change less.
    optimizer : str, keras.optimizers.Optimizer or class, default="adam"
        Any optimiser of Keras, in any case. Options are passed as
        ``optimizer__weight_decay=1e-4``. An object is rebuilt from its configuration
        for each phase.
    learning_rate_schedule : {"cosine", "warmup_cosine", "step", "plateau"} or None, \
default=None
        How the learning rate changes within each phase. ``"cosine"``: falls to
        almost 0. ``"warmup_cosine"``: the same, after rising over the first twentieth of
        the epochs. ``"step"``: to a tenth after half of the epochs, again after three
        quarters. ``"plateau"``: to a tenth whenever half of ``patience`` epochs
        brought no lower loss. None: constant.
    label_smoothing : float, default=0.0
        What is taken from the true class' share and spread evenly over all
        classes, in [0, 1).
    mixup, cutmix : float, default=0.0
        At least 0: images of a batch are mixed in pairs in training, and their labels
        likewise. MixUp shows both through each other, CutMix puts a part of one into the
        other. The number is the parameter of the beta distribution that the shares are
        drawn from: 1 is uniform, 0.2 leaves most almost as they are, 0 is off. Where
        both are set, each batch has one of them. Helps where a network overfits.
    mix_probability : float, default=1.0
        Share of the batches that are mixed, from 0 to 1.
    predict_crops : tuple of float, default=(1.0,)
        Predictions are the mean over crops from an image's middle, each enlarged to
        ``image_size``: these are their shares of height and width, above 0 and at most 1;
        1.0 is the whole image. A network that was trained on crops or zoomed images has
        seen things larger than they are in whole ones, and ``(1.0, 0.85, 0.7)`` makes up for
        it. Takes as many times as long as there are entries.
    predict_mirrored : bool, default=False
        Whether predictions are the mean of those of an image and of its mirror image.
        Takes twice as long; usually a little more accurate.
    precision : {"float32", "bfloat16"}, default="float32"
        What the network trains and predicts with, and computes features for the warm-up
        with. ``"bfloat16"``: mixed precision, faster on graphics cards and on processors
        with instructions for it; features in float32 where the engine lacks it.
    batch_size : int, default=32
        Images a step at most, at least 1.
    augmentation : object, default=None
        What is done to training images, drawn afresh each epoch of both phases: an
        `ImageAugmenter` or `RandAugmenter`, a Keras preprocessing layer or a list of
        them, Keras' ImageDataGenerator (whose ``rescale`` is not applied: the network
        scales by itself), or a function ``f(images, rng) -> images`` of uint8 images
        (n, height, width, 3) and a `numpy.random.Generator`.
    class_weight : dict or "balanced", default=None
        Weights by class, multiplied with ``sample_weight``.
    validation_fraction : float, default=None
        Share of the images, above 0 and below 1, that is set aside to watch
        ``val_loss`` and ``val_accuracy``: the same in both phases, stratified, never
        augmented. None for none.
    early_stopping : bool, default=False
        Whether to end each phase after ``patience`` epochs without a lower
        validation loss, and to keep the weights of the best epoch of both. With
        ``validation_fraction=None`` it sets 0.1 aside.
    patience : int, default=10
        Epochs to wait for a lower validation loss, at least 0.
    keras_callbacks : keras.callbacks.Callback or list of them, default=None
        Called while training; copied for each phase.
    checkpoint_dir : str or path-like, default=None
        Folder that keeps the state of the training after each epoch. If the process
        dies, the same call goes on after the last complete epoch, in whichever
        phase. None for none.
    checkpoint_every : int, default=None
        Steps of an epoch after which the state is kept too, at least 1, for epochs that
        take long; training waits while it is written. None for after epochs only.
    engine : {"auto", "keras", "openvino"}, default="auto"
        What computes features for the warm-up. ``"auto"`` is OpenVINO where it is
        installed (``pip install "skvision[fast]"``), unless Keras has a graphics card or
        JAX for its backend; else Keras.
    cache : None, True, str or path-like, default=None
        Where these features are kept between fits, if images are not augmented: True
        for the user's cache folder, a folder, or None for nowhere.
    row_shape : tuple of int, default=None
        (height, width) or (height, width, channels) of an image that comes as a
        flat row of a 2-D X; one entry may be -1.
    value_range : "auto", "percentile", tuple of float or None, default="auto"
        The scale of numbers in arrays. ``"auto"``: integers 0..255, uint16
        0..65535, bool and floats 0..1. A pair (black, white) names another.
        ``"percentile"`` learns it in fit, for each channel: the 0.1 and 99.9 percentiles
        of all images. Files of more than 8 bits have the scale that they declare, or the
        one that is named or learnt; files of 8 bits have no other than theirs. None
        takes any finite numbers as they are, for data that are no images.
    resize : {"stretch", "crop", "pad"}, default="stretch"
        How images of another aspect ratio are brought to ``image_size``.
    warm_start : bool, default=False
        Whether fit goes on from the weights of the last fit with its last phase (in
        which ``unfreeze`` may name more than before, for gradual unfreezing).
    random_state : int, RandomState instance or None, default=None
        Decides the head's first weights, dropout, order, augmentation, the validation
        split, and random weights of the body.
    verbose : {0, 1, 2} or bool, default=0
        What is shown: nothing (0 or False), a progress bar (1 or True), or in training one
        line an epoch (2).
    **optimizer_options : object
        Options of the optimiser, each named ``optimizer__`` and its name there.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        The labels, sorted.
    model_ : keras.Model
        The whole network, a copy: changing it doesn't change the estimator. Its
        layers are flat: ``model_.get_layer("block5_conv1")``.
    history_ : dict of str to list
        ``phase`` (``"warmup"`` or ``"fine_tune"``), ``loss``, ``accuracy``, with a
        validation split ``val_loss`` and ``val_accuracy``, with a named schedule
        ``learning_rate``; one entry an epoch.
    n_epochs_ : int
        How many epochs were trained, both phases together.
    pixel_range_ : tuple or None
        (black, white) of the numbers in fit's X; None if X were files, each of which has
        its own. With ``value_range="percentile"`` each is a tuple, a number a channel.
    image_shape_ : tuple of int
        Shape of one image in fit's X, if X was an array; () if X were files.
    n_channels_ : int
        Channels of the images: 3, or X's own with ``value_range=None``.
    n_features_in_ : int
        Length of a row; only if X were rows.

    See Also
    --------
    skvision.make_feature_classifier : A linear model on the same networks' features.
    skvision.find_learning_rate : Suggests the learning rate of each phase.

    Notes
    -----
    In the warm-up the body only computes features. Without augmentation each
    image's are computed once, by the fast engine, and an epoch then takes a moment;
    with augmentation those of each new image are. Dropout in the body is left out.

    ``partial_fit`` trains one epoch a call: the first ``warmup_epochs`` calls warm up
    the head, later ones fine-tune.

    A fitted estimator holds all weights and needs neither file nor download to predict.

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
        # "auto", since not every engine has bfloat16
        choice = resolve(self.engine, "float32" if self.precision == "float32" else "auto")
        # random weights follow from the seeds, which checkpoints hold anyway
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
        """The body as what computes features."""
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
        """Clone, but keep a fitted classifier as backbone fitted."""
        copy: FineTunedClassifier = clone_around_backbone(self)
        return copy
