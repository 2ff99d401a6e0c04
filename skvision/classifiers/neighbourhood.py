"""How far images are from the training images, in features, compared with these among themselves.

It tells images that are unlike all others apart, of which a classifier is often sure.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

__all__ = ["Neighbourhood", "chosen_references", "neighbourhood_of"]

#: training images that others are compared with: 1,280 features of 1,000 images are 5 MB
N_REFERENCES = 1000
#: the distance is that of the fifth nearest, since the nearest may be a copy
N_NEIGHBOURS = 5

# images that are compared at once
_CHUNK = 1024
# the distance of a copy, whose logarithm is finite
_LEAST = 1e-6


@dataclass(frozen=True)
class Neighbourhood:
    """Features of training images, and the distances among them.

    Parameters
    ----------
    references : ndarray of shape (n_references, n_features), float32
        Their features, of length 1.
    mean, spread : float
        Mean and standard deviation of the logarithms of their distances from the fifth nearest
        of the others.
    """

    references: np.ndarray
    mean: float
    spread: float

    def distances(self, features: np.ndarray) -> np.ndarray:
        """Return how far images are from the references.

        Parameters
        ----------
        features : ndarray of shape (n, n_features)
            Their features.

        Returns
        -------
        ndarray of shape (n,), float64
            0 for the distance that a reference has on average, 1 for one standard deviation
            more, as logarithms.
        """
        found = _log_distances(_of_length_one(features), self.references, itself=False)
        return (found - self.mean) / self.spread


def chosen_references(n_images: int) -> np.ndarray:
    """Return the indices of the training images that are references, evenly spread.

    Examples
    --------
    >>> from skvision.classifiers.neighbourhood import chosen_references
    >>> chosen_references(3), len(chosen_references(5000))
    (array([0, 1, 2]), 1000)
    """
    return np.unique(np.linspace(0, n_images - 1, min(n_images, N_REFERENCES)).astype(int))


def neighbourhood_of(features: np.ndarray) -> Neighbourhood:
    """Make a neighbourhood of the features of at least two training images.

    Parameters
    ----------
    features : ndarray of shape (n_references, n_features)
        Their features.

    Returns
    -------
    Neighbourhood

    Examples
    --------
    >>> import numpy as np
    >>> from skvision.classifiers.neighbourhood import neighbourhood_of
    >>> known = neighbourhood_of(np.array([[1.0, 0.0], [0.9, 0.1], [0.8, 0.2], [0.7, 0.3]]))
    >>> near, far = known.distances(np.array([[1.0, 0.1], [-1.0, 0.0]]))
    >>> bool(near < 1 < far)
    True
    """
    references = _of_length_one(features)
    among = _log_distances(references, references, itself=True)
    # all images may be copies of one another
    return Neighbourhood(references, float(among.mean()), float(among.std()) or 1.0)


def _of_length_one(features: np.ndarray) -> np.ndarray:
    features = np.asarray(features, np.float32)
    lengths = np.linalg.norm(features, axis=1, keepdims=True)
    scaled: np.ndarray = features / np.where(lengths == 0, 1, lengths)
    return scaled


def _log_distances(images: np.ndarray, references: np.ndarray, itself: bool) -> np.ndarray:
    """Return the logarithm of each image's cosine distance from its fifth nearest reference.

    The images are references too if `itself`, and none is its own neighbour.
    """
    # of few references the farthest
    place = min(N_NEIGHBOURS, len(references) - itself) - 1 + itself
    found = []
    for start in range(0, len(images), _CHUNK):
        distances = 1 - images[start : start + _CHUNK] @ references.T
        found.append(np.partition(distances, place, axis=1)[:, place])
    return np.log(np.maximum(np.concatenate(found).astype(np.float64), _LEAST))
