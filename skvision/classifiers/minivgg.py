"""`MiniVGGClassifier`: a small convolutional network, trained from scratch."""

from __future__ import annotations

from numbers import Integral, Real
from typing import Any, ClassVar

from keras.optimizers.schedules import LearningRateSchedule

from .._sklearn.compat import Interval, StrOptions
from .._sklearn.matching import match_name
from .._sklearn.sizes import as_image_size, as_positive_ints, for_each_block
from .._system.memory import available_memory
from ..images import ImageBatch
from ..networks import (
    ACTIVATIONS,
    MiniVGGArchitecture,
    NetworkRecipe,
)
from ..training import Phase, Seeds
from .base import BaseImageClassifier
from .described_training import PRECISIONS

__all__ = ["MiniVGGClassifier"]


class MiniVGGClassifier(BaseImageClassifier):
    """MiniVGGNet, trained from scratch: a first classifier for a folder of photos.

    The default network has two blocks of two 3x3 convolutions and a pooling layer, one
    dense layer and a softmax, with batch normalisation after each activation and dropout
    after each pooling and dense layer. It trains on a laptop's processor, and each of its
    numbers is a parameter for `GridSearchCV`. With fewer than a few thousand photos, a
    linear model on the features of a pretrained network is usually more accurate.

    Parameters
    ----------
    image_size : int or tuple of int, default=(32, 32)
        Size (height, width) in pixels that images are resized to; one number for a
        square. At least ``2 ** len(filters)`` each. Training time grows with the area.
    filters : tuple of int, default=(32, 64)
        Number of filters in each block, from the first to the last; more entries make
        the network deeper.
    convs_per_block : int or tuple of int, default=2
        Number of convolutions in each block, at least 1; a tuple has one entry per block.
    kernel_size : int, default=3
        Height and width of the convolution kernels in pixels, at least 1.
    pooling : {"flatten", "avg", "max"}, default="flatten"
        Input of the dense layers: all values of the last block, or the mean or the
        maximum of each filter. The latter two need far fewer weights and overfit less.
    dense_units : tuple of int, default=(512,)
        Number of units of each dense layer before the softmax; ``()`` for none.
    activation : str, default="relu"
        Name of any Keras activation, in upper or lower case: ``"relu"``, ``"Tanh"``,
        ``"sigmoid"``, ``"LeakyReLU"``, ...
    batch_norm : bool, default=True
        Whether to apply batch normalisation after each convolution and dense layer.
    norm_first : bool, default=False
        Whether to normalise before each activation, in place of a bias, instead of after
        it. Usually more accurate in networks of many layers.
    se_ratio : float or tuple of float, default=0.0
        Squeeze and excitation after each convolution: two small dense layers map the
        means of the filters over the image to a weight from 0 to 1 for each filter. The
        ratio is the size of the first layer as a share of the filters, in [0, 1]; 0 for
        none, 0.0625 in the paper. A tuple has one entry per block.
    conv_dropout : float or tuple of float, default=0.25
        Dropout rate after each block, in [0, 1); a tuple has one entry per block.
    dense_dropout : float, default=0.5
        Dropout rate after each dense layer, in [0, 1). Without dense layers it applies
        after pooling by "avg" or "max".
    optimizer : str, keras.optimizers.Optimizer or class, default="sgd"
        Name of any Keras optimiser, in upper or lower case: ``"SGD"``, ``"Adam"``,
        ``"RMSprop"``, ... Options are passed as ``optimizer__momentum=0.9``. An
        object is rebuilt from its configuration for each fit.
    learning_rate : float, default=None
        Learning rate, above 0; None for the optimiser's default (SGD 0.01, Adam 0.001).
    learning_rate_schedule : str, LearningRateSchedule or None, default=None
        Change of the learning rate during training. ``"cosine"``: falls from
        ``learning_rate`` to almost 0 over the epochs. ``"warmup_cosine"``: the same, after
        rising to ``learning_rate`` over the first twentieth of them. ``"step"``: falls to
        a tenth after half of the epochs and again after three quarters. ``"plateau"``:
        falls to a tenth whenever the loss hasn't fallen for half of ``patience`` epochs
        (the validation loss if there are validation images). A Keras schedule object sets
        the rate of every step. None: constant.
    label_smoothing : float, default=0.0
        Share of the target probability that is moved from the true class and spread
        evenly over all classes, in [0, 1); 0.1 is usual. Makes probabilities less
        extreme.
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
        Number type that the network computes with. ``"bfloat16"`` trains in mixed
        precision: weights stay 32-bit. Faster on graphics cards and on processors with
        bfloat16 instructions, slower elsewhere.
    epochs : int, default=30
        Number of passes over the training images, at least 1.
    batch_size : int, default=32
        Maximum number of images per step, at least 1. All steps of an epoch have nearly
        the same size, so that the last one isn't much smaller than the others.
    augmentation : object, default=None
        Augmentation of the training images, drawn again in each epoch: an
        `ImageAugmenter` or `RandAugmenter`, a Keras preprocessing layer or a list of them,
        Keras' ImageDataGenerator (without its ``rescale``: the network scales its input
        itself), or a function ``f(images, rng) -> images`` of uint8 images (n, height,
        width, 3) and a `numpy.random.Generator`.
    class_weight : dict or "balanced", default=None
        Weights of the classes, multiplied with ``sample_weight``. ``"balanced"``
        weights each class by the inverse of its frequency.
    validation_fraction : float, default=None
        Share of the images that is held out to measure ``val_loss`` and
        ``val_accuracy``, above 0 and below 1: shuffled, stratified by class, never
        augmented; whole groups if fit gets ``groups``. None holds out no images.
    early_stopping : bool, default=False
        Whether to stop after ``patience`` epochs without a lower validation loss and to
        keep the weights of the best epoch. With ``validation_fraction=None``, 0.1 of
        the images is held out, unless fit gets ``validation_data``.
    patience : int, default=10
        Number of epochs to wait for a lower validation loss, at least 0.
    keras_callbacks : keras.callbacks.Callback or list of them, default=None
        Callbacks for the training; copied for each fit.
    checkpoint_dir : str or path-like, default=None
        Folder in which the state of the training is saved after each epoch. If the process
        is killed, the same call continues after the last complete epoch. A folder serves
        one training: other parameters or other images are refused. None saves nothing.
    checkpoint_every : int, default=None
        Number of steps after which the state is saved within an epoch too, at least 1, for
        long epochs; training waits while it is written. None saves after epochs only.
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
        Whether fit continues from the weights of the last fit, for ``epochs`` more
        epochs, with a reset optimiser. Classes and architecture must be the same.
    random_state : int, RandomState instance or None, default=None
        Controls initial weights, dropout, the order of images, augmentation and the
        validation split. Pass an int for reproducible results; they depend on the
        number of threads too, since it decides how sums are rounded.
    verbose : {0, 1, 2} or bool, default=0
        Output while working: none (0 or False), a progress bar (1 or True), or in training
        one line per epoch (2).
    **optimizer_options : object
        Options of the optimiser, with the prefix ``optimizer__``:
        ``optimizer__momentum=0.9``, ``optimizer__weight_decay=1e-4`` (weights
        shrink a little in each step), ``optimizer__clipnorm=1.0`` (limits the norm of
        the gradients), ``optimizer__use_ema=True, optimizer__ema_momentum=0.99`` (the
        result is a moving average of the weights).

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        The labels, sorted.
    model_ : keras.Model
        The network, a copy: changing it doesn't change the estimator.
    history_ : dict of str to list of float
        ``loss``, ``accuracy``, with validation images ``val_loss`` and
        ``val_accuracy``, with a named schedule ``learning_rate``; one number per epoch.
        A fit that continues an earlier one includes its epochs.
    n_epochs_ : int
        Number of epochs in ``history_``.
    pixel_range_ : tuple or None
        (black, white) of the numbers in fit's X; None if X was files, since each file has
        its own. With ``value_range="percentile"`` each is a tuple of one number per channel.
    image_shape_ : tuple of int
        Shape of one image in fit's X if X was an array; () if X was files.
    n_channels_ : int
        Number of channels of the network's input: 3, or those of X with
        ``value_range=None``.
    n_features_in_ : int
        Length of a row. Only defined if X was 2-D rows.

    See Also
    --------
    skvision.load_image_folder : Lists a folder of photos as X and y.

    Notes
    -----
    The default network has 2,171,178 parameters for ten classes. Two cores train on a
    few hundred images per second at 32x32. Images are converted to 8-bit RGB before they
    are resized.

    References
    ----------
    K. Simonyan, A. Zisserman, "Very Deep Convolutional Networks for Large-Scale
    Image Recognition", 2014.

    J. Hu, L. Shen, G. Sun, "Squeeze-and-Excitation Networks", 2018 (``se_ratio``).

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from skvision import MiniVGGClassifier
    >>> digits = load_digits(n_class=3)
    >>> X, y = digits.images / 16, digits.target
    >>> net = MiniVGGClassifier(image_size=8, epochs=5, random_state=0).fit(X, y)
    >>> bool(net.score(X, y) > 0.9)
    True
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        **BaseImageClassifier._parameter_constraints,
        "convs_per_block": [Interval(Integral, 1, None, closed="left"), tuple, list],
        "kernel_size": [Interval(Integral, 1, None, closed="left")],
        "batch_norm": ["boolean"],
        "norm_first": ["boolean"],
        "pooling": [StrOptions({"flatten", "avg", "max"})],
        "se_ratio": [Interval(Real, 0, 1, closed="both"), tuple, list],
        "conv_dropout": [Interval(Real, 0, 1, closed="left"), tuple, list],
        "dense_dropout": [Interval(Real, 0, 1, closed="left")],
    }

    def __init__(
        self,
        image_size: tuple[int, int] | int = (32, 32),
        filters: tuple[int, ...] = (32, 64),
        *,
        convs_per_block: int | tuple[int, ...] = 2,
        kernel_size: int = 3,
        pooling: str = "flatten",
        dense_units: tuple[int, ...] = (512,),
        activation: str = "relu",
        batch_norm: bool = True,
        norm_first: bool = False,
        se_ratio: float | tuple[float, ...] = 0.0,
        conv_dropout: float | tuple[float, ...] = 0.25,
        dense_dropout: float = 0.5,
        optimizer: Any = "sgd",
        learning_rate: float | None = None,
        learning_rate_schedule: Any = None,
        label_smoothing: float = 0.0,
        mixup: float = 0.0,
        cutmix: float = 0.0,
        mix_probability: float = 1.0,
        predict_crops: tuple[float, ...] = (1.0,),
        predict_mirrored: bool = False,
        precision: str = "float32",
        epochs: int = 30,
        batch_size: int = 32,
        augmentation: Any = None,
        class_weight: Any = None,
        validation_fraction: float | None = None,
        early_stopping: bool = False,
        patience: int = 10,
        keras_callbacks: Any = None,
        checkpoint_dir: Any = None,
        checkpoint_every: int | None = None,
        row_shape: tuple[int, ...] | None = None,
        value_range: Any = "auto",
        resize: str = "stretch",
        warm_start: bool = False,
        random_state: Any = None,
        verbose: int = 0,
        **optimizer_options: Any,
    ) -> None:
        self.image_size = image_size
        self.filters = filters
        self.convs_per_block = convs_per_block
        self.kernel_size = kernel_size
        self.pooling = pooling
        self.dense_units = dense_units
        self.activation = activation
        self.batch_norm = batch_norm
        self.norm_first = norm_first
        self.se_ratio = se_ratio
        self.conv_dropout = conv_dropout
        self.dense_dropout = dense_dropout
        self.optimizer = optimizer
        self.learning_rate = learning_rate
        self.learning_rate_schedule = learning_rate_schedule
        self.label_smoothing = label_smoothing
        self.mixup = mixup
        self.cutmix = cutmix
        self.mix_probability = mix_probability
        self.predict_crops = predict_crops
        self.predict_mirrored = predict_mirrored
        self.precision = precision
        self.epochs = epochs
        self.batch_size = batch_size
        self.augmentation = augmentation
        self.class_weight = class_weight
        self.validation_fraction = validation_fraction
        self.early_stopping = early_stopping
        self.patience = patience
        self.keras_callbacks = keras_callbacks
        self.checkpoint_dir = checkpoint_dir
        self.checkpoint_every = checkpoint_every
        self.row_shape = row_shape
        self.value_range = value_range
        self.resize = resize
        self.warm_start = warm_start
        self.random_state = random_state
        self.verbose = verbose
        self._store_routed(optimizer_options)

    @property
    def _input_size(self) -> tuple[int, int]:
        return as_image_size(self.image_size)

    def _phases(self, images: ImageBatch, seeds: Seeds) -> tuple[list[Phase], NetworkRecipe]:
        rate, schedule = self.learning_rate, self.learning_rate_schedule
        if isinstance(schedule, LearningRateSchedule):
            if rate is not None:
                raise ValueError(
                    f"learning_rate_schedule={type(schedule).__name__} has learning rates of its "
                    f"own, so learning_rate must be None. Received: learning_rate={rate!r}"
                )
            rate = schedule
        architecture = self._architecture(images)
        _refuse_without_memory(architecture)
        recipe, rate = self._recipe_and_rate(architecture, rate)
        return [Phase(recipe, self._plan(self.epochs, rate))], recipe

    def _architecture(self, images: ImageBatch) -> MiniVGGArchitecture:
        filters = as_positive_ints("filters", self.filters)
        convs = for_each_block("convs_per_block", self.convs_per_block, len(filters))
        return MiniVGGArchitecture(
            input_shape=(*as_image_size(self.image_size), images.n_channels),
            n_classes=len(self.classes_),
            filters=filters,
            convs_per_block=as_positive_ints("convs_per_block", convs),
            kernel_size=int(self.kernel_size),
            dense_units=as_positive_ints("dense_units", self.dense_units),
            activation=match_name(self.activation, ACTIVATIONS, "activation"),
            batch_norm=bool(self.batch_norm),
            norm_first=bool(self.norm_first),
            pooling=self.pooling,
            se_ratio=self._shares("se_ratio", len(filters)),
            conv_dropout=self._shares("conv_dropout", len(filters)),
            dense_dropout=float(self.dense_dropout),
            dtype=PRECISIONS[self.precision],
            scale=1 / 255 if self.value_range is not None else 1.0,
        )

    def _shares(self, name: str, n_blocks: int) -> tuple[float, ...]:
        shares = for_each_block(name, getattr(self, name), n_blocks)
        interval = self._parameter_constraints[name][0]
        if not all(map(interval.is_satisfied_by, shares)):
            raise ValueError(
                f"{name} must be {interval}, or a tuple of such numbers. "
                f"Received: {getattr(self, name)!r}"
            )
        return tuple(map(float, shares))


# 32-bit numbers per weight: weight, gradient, step, and the optimiser's state
_BYTES_PER_WEIGHT = 16


def _refuse_without_memory(architecture: MiniVGGArchitecture) -> None:
    """Raise MemoryError before the training: during it, the system might kill the process."""
    n_weights, available = architecture.n_first_dense_weights, available_memory()
    needed = _BYTES_PER_WEIGHT * n_weights
    if available is None or needed <= available:
        return
    height, width, _ = architecture.input_shape
    raise MemoryError(
        f"The first dense layer would have {n_weights:,} weights, which take about "
        f"{needed / 1e9:.1f} GB to train; {available / 1e9:.1f} GB are free. It has a weight for "
        f"each unit and each value of the last feature map, with image_size=({height}, {width}). "
        "Set pooling='avg' (one value per filter), a smaller image_size, or more filters: each "
        "block halves the map."
    )
