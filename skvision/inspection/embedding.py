"""`EmbeddingDisplay`: features in two dimensions, with thumbnails."""

from __future__ import annotations

from numbers import Integral
from typing import Any

import numpy as np
from sklearn.base import is_classifier
from sklearn.pipeline import Pipeline
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted

from .._sklearn.labels import label_column
from .._sklearn.network_estimator import NetworkEstimator
from ..exceptions import shown
from ..images import ImageBatch, known_range
from .frames import as_frame
from .plotting import COLOURS, MARKERS, import_matplotlib, new_axes, short_text, style
from .predictions import checked_images, n_images_of
from .projection import PROJECTIONS, check_projection, project
from .thumbnails import thumbnail
from .unwrapping import unwrapped

__all__ = ["EmbeddingDisplay", "features_of", "spread_out"]

#: classes with a marker of their own; the rarer ones are grey
_MOST_CLASSES = 20
#: longer side of a thumbnail, in pixels and in points
_PIXELS, _POINTS = 96, 34


class EmbeddingDisplay:
    """Features of images in two dimensions: a point per image, and thumbnails.

    Create it by `from_estimator`. Classes that form separate groups are easy for a classifier of
    these features. An image in the group of another class may have a wrong label.

    Parameters
    ----------
    positions : ndarray of shape (n_samples, 2), float
        A position per image.
    y : ndarray of shape (n_samples,), default=None
        Labels.
    images : ImageBatch, default=None
        The images, decoded when they are shown.
    names : list of str, default=None
        File names.
    axis_labels : tuple of str, default=("component 1", "component 2")
        A label for each axis.

    Attributes
    ----------
    indices_ : ndarray of int
        Places in X of the thumbnails that `plot` showed.
    ax_ : matplotlib.axes.Axes
        The axes, after `plot`.
    figure_ : matplotlib.figure.Figure
        The figure, after `plot`.

    References
    ----------
    L. van der Maaten, G. Hinton, Visualizing Data using t-SNE, 2008.

    L. McInnes, J. Healy, J. Melville, UMAP: Uniform Manifold Approximation and Projection for
    Dimension Reduction, 2018.

    Examples
    --------
    >>> import matplotlib
    >>> matplotlib.use("agg")
    >>> from sklearn.datasets import load_digits
    >>> from sklearn.preprocessing import FunctionTransformer
    >>> from skvision import EmbeddingDisplay
    >>> digits = load_digits(n_class=3)
    >>> rows = FunctionTransformer(lambda X: X.reshape(len(X), -1))
    >>> display = EmbeddingDisplay.from_estimator(rows, digits.images / 16, y=digits.target)
    >>> display.positions.shape
    (537, 2)
    """

    def __init__(
        self,
        positions: np.ndarray,
        y: np.ndarray | None = None,
        images: ImageBatch | None = None,
        names: list[str] | None = None,
        axis_labels: tuple[str, str] = ("component 1", "component 2"),
    ) -> None:
        self.positions = np.asarray(positions, float)
        self.y = None if y is None else np.asarray(y)
        self.images = images
        self.names = names
        self.axis_labels = axis_labels

    @classmethod
    def from_estimator(
        cls,
        estimator: Any,
        X: Any,
        *,
        y: Any = None,
        projection: str = "pca",
        n_images: int = 40,
        random_state: Any = None,
        ax: Any = None,
    ) -> EmbeddingDisplay:
        """Compute features, project them to two dimensions and plot them.

        Parameters
        ----------
        estimator : object
            What gives the features: a transformer; a Pipeline that ends in a classifier, whose
            input is shown; or a classifier of skvision, whose last feature map is shown. It is
            fitted. FunctionTransformers and other stateless ones need no fit.
        X : array, sequence, Series or frame of n_samples images
            In any form that the estimator takes; at least three images.
        y : array-like of shape (n_samples,), default=None
            Labels, shown by markers and colours.
        projection : {"pca", "tsne", "umap"}, default="pca"
            How to go from features to two dimensions. PCA keeps distances best; t-SNE and UMAP
            keep neighbours, and distances between their groups mean little. UMAP needs
            ``pip install umap-learn``.
        n_images : int, default=40
            Maximum number of thumbnails; 0 for points only.
        random_state : int, RandomState instance or None, default=None
            Random state of the projection and of the choice of thumbnails.
        ax : matplotlib.axes.Axes, Figure or SubFigure, default=None
            Where to plot; None for a new figure.

        Returns
        -------
        EmbeddingDisplay

        Raises
        ------
        NotFittedError
            If the estimator has not been fitted.
        ValueError
            If the estimator gives no features, or a parameter or X is not as described.
        ImageDecodeError
            If an image can't be read.
        ImportError
            If matplotlib, or UMAP for ``projection="umap"``, is not installed.
        """
        import_matplotlib()  # before features are computed
        check_projection(projection)
        _check_number(n_images)
        if isinstance(estimator, type) or not hasattr(estimator, "fit"):
            raise ValueError(f"Pass a transformer or a classifier. Received: {shown(estimator)}")
        check_is_fitted(estimator)
        images, names = checked_images(estimator, X)
        n = n_images_of(X)
        if y is not None:
            y = label_column(y)
            if len(y) != n:
                raise ValueError(f"X holds {n} images, and y holds {len(y)} labels. Pass one each.")
        found = project(features_of(estimator, X), projection, random_state)
        display = cls(found.positions, y, images, names, found.axis_labels)
        return display.plot(ax, n_images=n_images, random_state=random_state)

    def frame(self) -> Any:
        """Return the positions as a table, without a plot.

        Returns
        -------
        pandas.DataFrame or dict of str to ndarray
            One row per image: ``x``, ``y``; ``label`` if labels are known; ``file`` if X was
            files. A dict if pandas is not installed.
        """
        columns: dict[str, Any] = {"x": self.positions[:, 0], "y": self.positions[:, 1]}
        if self.y is not None:
            columns["label"] = self.y
        if self.names is not None:
            columns["file"] = np.asarray(self.names)
        return as_frame(columns)

    def plot(
        self, ax: Any = None, *, n_images: int = 40, random_state: Any = None
    ) -> EmbeddingDisplay:
        """Plot a point per image, and thumbnails that don't overlap.

        Parameters
        ----------
        ax : matplotlib.axes.Axes, Figure or SubFigure, default=None
            Where to plot; None for a new figure.
        n_images : int, default=40
            Maximum number of thumbnails; 0 for points only.
        random_state : int, RandomState instance or None, default=None
            Random state of the choice of thumbnails.

        Returns
        -------
        self : EmbeddingDisplay
            The display, with ``indices_``, ``ax_`` and ``figure_``.

        Raises
        ------
        ValueError
            If `n_images` is not as described.
        ImageDecodeError
            If an image can't be read.
        ImportError
            If matplotlib is not installed.
        """
        _check_number(n_images)
        colours = np.full(len(self.positions), COLOURS[0], object)
        with style() as matplotlib:
            ax = new_axes(ax, (8.4, 6.0))
            if self.y is None:
                ax.plot(*self.positions.T, "o", color=COLOURS[0], alpha=0.7)
            else:
                labels, counts = np.unique(self.y, return_counts=True)
                common = np.sort(np.argsort(-counts, kind="stable")[:_MOST_CLASSES])
                rare = np.isin(self.y, np.delete(labels, common))
                if rare.any():
                    self._plot_class(ax, rare, "0.6", ".", f"{len(labels) - len(common)} others")
                    colours[rare] = "0.6"
                for number, label in enumerate(labels[common]):
                    members = self.y == label
                    colour = COLOURS[number % len(COLOURS)]
                    marker = MARKERS[(number + number // len(COLOURS)) % len(MARKERS)]
                    self._plot_class(ax, members, colour, marker, short_text(label))
                    colours[members] = colour
                ax.legend(loc="center left", bbox_to_anchor=(1.01, 0.5))
            self.indices_ = self._plot_thumbnails(matplotlib, ax, n_images, random_state, colours)
            ax.set(xlabel=self.axis_labels[0], ylabel=self.axis_labels[1])
            ax.margins(0.07)
            ax.grid(False)
            if self.axis_labels[0].startswith((PROJECTIONS["tsne"], PROJECTIONS["umap"])):
                ax.set(xticks=[], yticks=[])  # their units mean nothing
        self.ax_, self.figure_ = ax, ax.figure
        return self

    def _plot_class(
        self, ax: Any, members: np.ndarray, colour: str, marker: str, name: str
    ) -> None:
        ax.plot(
            *self.positions[members].T,
            marker,
            color=colour,
            markeredgecolor="white",
            markeredgewidth=0.4,
            markersize=6,
            label=name,
        )

    def _plot_thumbnails(
        self, matplotlib: Any, ax: Any, n_images: int, random_state: Any, colours: np.ndarray
    ) -> np.ndarray:
        from matplotlib.offsetbox import AnnotationBbox, OffsetImage

        if self.images is None or not n_images:
            return np.empty(0, int)
        width, height = ax.get_window_extent().size / ax.figure.dpi * 72
        room = ((_POINTS + 8) / width, (_POINTS + 8) / height)
        order = check_random_state(random_state).permutation(len(self.positions))
        places = spread_out(self.positions, order, room, n_images)
        for place in places:
            pixels = thumbnail(self.images, place, _PIXELS)
            box = OffsetImage(pixels, zoom=_POINTS / max(pixels.shape[:2]))
            frame = {"edgecolor": colours[place], "linewidth": 2}
            ax.add_artist(
                AnnotationBbox(box, self.positions[place], pad=0.08, bboxprops=frame, zorder=3)
            )
        return places


def spread_out(
    positions: np.ndarray, order: np.ndarray, room: tuple[float, float], n: int
) -> np.ndarray:
    """Return up to n places whose positions lie apart, so that thumbnails don't overlap.

    Parameters
    ----------
    positions : ndarray of shape (n_samples, 2), float
        The positions.
    order : ndarray of shape (n_samples,), int
        The order in which places are tried.
    room : tuple of float
        Width and height of a thumbnail as shares of the plot.
    n : int
        Maximum number of places.

    Returns
    -------
    ndarray of int

    Examples
    --------
    >>> import numpy as np
    >>> from skvision.inspection.embedding import spread_out
    >>> spread_out(np.array([[0, 0], [1, 1], [0, 0.1]]), np.arange(3), (0.2, 0.2), 9).tolist()
    [0, 1]
    """
    extent = np.ptp(positions, axis=0)
    # the margins of the axes are a part of the plot
    scaled = (positions - positions.min(axis=0)) / np.where(extent > 0, extent, 1) / 1.14
    taken: list[int] = []
    for place in order:
        distances = np.abs(scaled[taken] - scaled[place]) if taken else np.empty((0, 2))
        if not (distances < room).all(axis=1).any():
            taken.append(int(place))
        if len(taken) == n:
            break
    return np.array(taken, int)


def features_of(estimator: Any, X: Any) -> Any:
    """Return the features that an estimator computes of images.

    Parameters
    ----------
    estimator : object
        A fitted transformer, a Pipeline, a classifier of skvision, or a search or another
        meta-estimator that holds one.
    X : object
        Images in any form that it takes.

    Returns
    -------
    array of shape (n_samples, n_features)

    Raises
    ------
    ValueError
        If it computes no features.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.preprocessing import FunctionTransformer
    >>> from skvision.inspection.embedding import features_of
    >>> features_of(FunctionTransformer(np.negative), np.ones((1, 2))).tolist()
    [[-1.0, -1.0]]
    """
    model = unwrapped(estimator)
    if isinstance(model, Pipeline) and (
        is_classifier(model) or not hasattr(model[-1], "transform")
    ):
        last, before = unwrapped(model[-1]), model[:-1]
        is_network = isinstance(last, NetworkEstimator)
        if len(before):
            X = before.transform(X)
        if is_network:
            return _network_features(last, X)
        if len(before):
            return X
    elif isinstance(model, NetworkEstimator):
        return _network_features(model, X)
    elif hasattr(model, "transform"):
        return model.transform(X)
    raise ValueError(
        f"{type(model).__name__} computes no features. Pass a transformer, for example "
        "PretrainedFeatureTransformer, a Pipeline with one, or a classifier of skvision."
    )


def _network_features(classifier: Any, X: Any) -> np.ndarray:
    """Return the last feature map of a network, averaged over its places."""
    # it loads Keras, which displays don't need otherwise
    from ..feature_extraction.transformer import PretrainedFeatureTransformer

    transformer = PretrainedFeatureTransformer(
        classifier,
        pooling="avg",
        resize=classifier.resize,
        row_shape=classifier.row_shape,
        value_range=known_range(classifier),
    )
    return np.asarray(transformer.fit(X).transform(X))


def _check_number(n_images: Any) -> None:
    if not isinstance(n_images, Integral) or isinstance(n_images, bool) or n_images < 0:
        raise ValueError(f"n_images must be a whole number of at least 0. Received: {n_images!r}")
