"""Features in two dimensions."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from sklearn.decomposition import PCA
from sklearn.manifold import TSNE
from sklearn.utils import check_array

__all__ = ["PROJECTIONS", "Projection", "check_projection", "project"]

#: how features may be projected, and how the axes are called
PROJECTIONS = {"pca": "PCA", "tsne": "t-SNE", "umap": "UMAP"}

#: t-SNE starts from at most as many principal components; more cost time and add noise
_BEFORE_TSNE = 50


class Projection(NamedTuple):
    """Positions in two dimensions, and labels of the axes.

    Attributes
    ----------
    positions : ndarray of shape (n, 2), float
        The positions.
    axis_labels : tuple of str
        A label for each axis.
    """

    positions: np.ndarray
    axis_labels: tuple[str, str]


def check_projection(projection: Any) -> None:
    """Refuse a projection that doesn't exist or isn't installed, before features are computed.

    Parameters
    ----------
    projection : object
        Its name.

    Raises
    ------
    ValueError
        If it isn't one of `PROJECTIONS`.
    ImportError
        If it is ``"umap"`` and umap-learn is not installed.
    """
    if not isinstance(projection, str) or projection not in PROJECTIONS:
        raise ValueError(
            f"projection must be one of {', '.join(map(repr, PROJECTIONS))}. "
            f"Received: {projection!r}"
        )
    if projection == "umap":
        _umap()


def project(features: Any, projection: str = "pca", random_state: Any = None) -> Projection:
    """Project features to two dimensions.

    Parameters
    ----------
    features : array-like of shape (n, n_features)
        The features; rows of images with more axes are flattened.
    projection : {"pca", "tsne", "umap"}, default="pca"
        The projection.
    random_state : int, RandomState instance or None, default=None
        Random state of the projection.

    Returns
    -------
    Projection

    Raises
    ------
    ValueError
        If there are fewer than three rows or two features.
    ImportError
        If the projection is ``"umap"`` and umap-learn is not installed.

    Examples
    --------
    >>> import numpy as np
    >>> from skvision.inspection.projection import project
    >>> project(np.eye(5)[:, :3]).positions.shape
    (5, 2)
    """
    check_projection(projection)
    features = features.toarray() if hasattr(features, "toarray") else np.asarray(features)
    features = check_array(features.reshape(len(features), -1), dtype=np.float64)
    n, n_features = features.shape
    if n < 3 or n_features < 2:
        raise ValueError(
            "A projection needs at least three images and two features. Received: "
            f"{n} image(s) with {n_features} feature(s)"
        )
    if projection == "pca":
        pca = PCA(2, random_state=random_state)
        positions = pca.fit_transform(features)
        shares = np.nan_to_num(pca.explained_variance_ratio_)
        first, second = (
            f"component {k} ({share:.0%} of the variance)" for k, share in enumerate(shares, 1)
        )
        return Projection(positions, (first, second))
    if projection == "umap":
        positions = _umap().UMAP(
            n_neighbors=min(15, n - 1), random_state=random_state
        ).fit_transform(features)  # fmt: skip
    else:
        if n_features > _BEFORE_TSNE:
            n_components = min(_BEFORE_TSNE, n, n_features)
            features = PCA(n_components, random_state=random_state).fit_transform(features)
        perplexity = min(30.0, (n - 1) / 3)
        positions = TSNE(
            perplexity=perplexity, init="pca", random_state=random_state
        ).fit_transform(features)
    name = PROJECTIONS[projection]
    return Projection(np.asarray(positions, float), (f"{name} 1", f"{name} 2"))


def _umap() -> Any:
    try:
        import umap
    except ImportError as error:
        raise ImportError(
            'projection="umap" needs umap-learn. Install it by: pip install umap-learn'
        ) from error
    return umap
