"""Lay one thumbnail over another, and measure how much they differ. Pure functions of arrays.

A crop stretches and shifts an image along both axes. `aligned` finds these four numbers by
Gauss-Newton steps, from coarse to fine, for many pairs at once. `difference` compares the parts
that both images show, after a tone curve has made their brightness equal.
"""

from __future__ import annotations

from functools import cache

import numpy as np

__all__ = ["aligned", "coarse", "difference", "shrunk", "smoothed"]

#: sizes of the thumbnails from coarse to fine, and steps at each
_SIZES, _STEPS = (16, 32, 64), (10, 6, 4)
# an image may be this much larger or smaller than the other, and lie this far beside it (1 is half
# an image)
_FARTHEST, _LONGEST_STEP = 0.35, 0.1
# smallest correlation of pairs that may be copies, at the finer sizes
_ALIKE = 0.95
# smallest share of the image that both must show
_SHARED = 0.6
# tone curves are polynomials: with 3 they follow clipped highlights too
_DEGREE = 3
# blocks of a quarter of the image, each half over the next
_BLOCKS = 4


def smoothed(thumbnails: np.ndarray) -> np.ndarray:
    """Return thumbnails blurred by about a pixel, of mean 0 and spread 1, (n, 64, 64) float32.

    Interpolation blurs too, so the comparison must not depend on the finest detail.
    """
    blur = _blur(thumbnails.shape[1])
    return _even(blur @ thumbnails.astype(np.float32) @ blur.T)


def _even(images: np.ndarray) -> np.ndarray:
    centred = images - images.mean((1, 2), keepdims=True)
    even: np.ndarray = centred / (centred.std((1, 2), keepdims=True) + 1)
    return even


def coarse(fixed: np.ndarray, moving: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Align pairs coarsely, to drop most of them early.

    Parameters
    ----------
    fixed, moving : ndarray of shape (n_pairs, 16, 16), uint8
        `shrunk` thumbnails.

    Returns
    -------
    places : ndarray of shape (n_pairs, 4), float32
        As `aligned` returns them.
    correlation : ndarray of shape (n_pairs,), float32
        How alike the images are there, at most 1.
    """
    one, other = _even(fixed.astype(np.float32)), _even(moving.astype(np.float32))
    return _refined(one, other, np.zeros((len(fixed), 4), np.float32), _STEPS[0])


def shrunk(thumbnails: np.ndarray) -> np.ndarray:
    """Return thumbnails at a quarter of their size, (n, 16, 16) uint8, for `coarse`.

    Examples
    --------
    >>> import numpy as np
    >>> from skvision.datasets.copies.alignment import shrunk
    >>> shrunk(np.full((2, 64, 64), 9, np.uint8)).shape
    (2, 16, 16)
    """
    size = _SIZES[0]
    whole = thumbnails.reshape(len(thumbnails), size, _SIZES[-1] // size, size, -1)
    sums: np.ndarray = whole.sum((2, 4), dtype=np.uint16) // (_SIZES[-1] // size) ** 2
    return sums.astype(np.uint8)


def aligned(fixed: np.ndarray, moving: np.ndarray, start: np.ndarray | None = None) -> np.ndarray:
    """Find how the second image of each pair lies over the first one.

    Parameters
    ----------
    fixed, moving : ndarray of shape (n_pairs, 64, 64), float32
        `smoothed` thumbnails.
    start : ndarray of shape (n_pairs, 4), float32, default=None
        The places that `coarse` found; None to find them.

    Returns
    -------
    ndarray of shape (n_pairs, 4), float32
        Stretch and shift along x, then along y: a place ``x`` of the first image, from -1 to 1,
        is the place ``(1 + stretch) * x + shift`` of the second one. NaN for a pair that is
        unlike even so.

    Examples
    --------
    >>> import numpy as np
    >>> from skvision.datasets.copies.alignment import aligned, smoothed
    >>> x, y = np.meshgrid(np.linspace(-1, 1, 64), np.linspace(-1, 1, 64))
    >>> def drawn(shift):
    ...     return smoothed(200 * np.exp(-3 * ((x - shift) ** 2 + y**2))[np.newaxis])
    >>> np.abs(aligned(drawn(0), drawn(0.1))).astype(float).round(2).tolist()
    [[0.0, 0.1, 0.0, 0.0]]
    """
    places = np.zeros((len(fixed), 4), np.float32) if start is None else start.copy()
    left = np.arange(len(fixed))
    for size, steps in zip(_SIZES, _STEPS, strict=True):
        if len(left) == 0 or (start is not None and size == _SIZES[0]):
            continue
        one, other = _reduced(fixed[left], size), _reduced(moving[left], size)
        places[left], alike = _refined(one, other, places[left], steps)
        if size > _SIZES[0]:
            places[left[alike < _ALIKE]] = np.nan
            left = left[alike >= _ALIKE]
    return places


def difference(fixed: np.ndarray, moving: np.ndarray, places: np.ndarray) -> np.ndarray:
    """Measure how much aligned pairs differ where they differ most.

    Parameters
    ----------
    fixed, moving : ndarray of shape (n_pairs, 64, 64), float32
        `smoothed` thumbnails.
    places : ndarray of shape (n_pairs, 4), float32
        What `aligned` found.

    Returns
    -------
    ndarray of shape (n_pairs,), float32
        The largest mean squared difference in a block of a quarter of the height and width, over
        the variance of the image: 0 for copies; the block shows an animal that moved between
        two photos of a series.
    """
    laid, mask = _laid(moving, places)
    # a tone curve has an inverse only where nothing is clipped, so both directions count
    one, other = _worst_block(fixed, laid, mask), _worst_block(laid, fixed, mask)
    return np.where(mask.mean((1, 2)) < _SHARED, np.float32(1), np.minimum(one, other))


def _reduced(thumbnails: np.ndarray, size: int) -> np.ndarray:
    while thumbnails.shape[1] > size:
        half = thumbnails.shape[1] // 2
        thumbnails = thumbnails.reshape(-1, half, 2, half, 2).mean((2, 4))
    return thumbnails


def _refined(
    fixed: np.ndarray, moving: np.ndarray, places: np.ndarray, steps: int
) -> tuple[np.ndarray, np.ndarray]:
    """Return the best places of several Gauss-Newton steps, and the correlation there."""
    best, found = np.full(len(fixed), -1, np.float32), places
    for step in range(steps + 1):
        laid, mask = _laid(moving, places)
        score = _correlation(fixed, laid, mask)
        is_better = score > best
        best = np.where(is_better, score, best)
        found = np.where(is_better[:, np.newaxis], places, found)
        if step < steps:
            moved = places + _step(fixed, laid, mask, places)
            places = np.clip(moved, -_FARTHEST, _FARTHEST).astype(np.float32)
    return found, best


def _grid(size: int) -> np.ndarray:
    return ((np.arange(size, dtype=np.float32) + 0.5) / size) * 2 - 1


def _laid(moving: np.ndarray, places: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the second images in the place of the first ones, and where they show anything."""
    size = moving.shape[1]
    grid, edge = _grid(size), 1 - 1 / size + 1e-3
    x = (1 + places[:, 0:1]) * grid + places[:, 1:2]
    y = (1 + places[:, 2:3]) * grid + places[:, 3:4]
    mask = (np.abs(y) <= edge)[:, :, np.newaxis] & (np.abs(x) <= edge)[:, np.newaxis, :]
    laid = _between(y, size) @ moving @ _between(x, size).transpose(0, 2, 1)
    return laid, mask.astype(np.float32)


def _between(places: np.ndarray, size: int) -> np.ndarray:
    """Return the weights of linear interpolation, (n_pairs, size, size)."""
    pixels = ((places + 1) * size - 1) / 2
    weights: np.ndarray = np.maximum(
        0, 1 - np.abs(pixels[..., np.newaxis] - np.arange(size, dtype=np.float32))
    )
    return weights


def _correlation(fixed: np.ndarray, laid: np.ndarray, mask: np.ndarray) -> np.ndarray:
    n = mask.sum((1, 2)) + 1e-6

    def centred(images: np.ndarray) -> np.ndarray:
        mean = (images * mask).sum((1, 2)) / n
        out: np.ndarray = (images - mean[:, np.newaxis, np.newaxis]) * mask
        return out

    one, other = centred(fixed), centred(laid)
    norm = np.sqrt((one * one).sum((1, 2)) * (other * other).sum((1, 2)) + 1e-6)
    shared = mask.mean((1, 2)) >= _SHARED
    return np.where(shared, (one * other).sum((1, 2)) / norm, np.float32(-1))


def _step(fixed: np.ndarray, laid: np.ndarray, mask: np.ndarray, places: np.ndarray) -> np.ndarray:
    """Return the Gauss-Newton step of each pair; gain and offset of brightness are solved too."""
    size = fixed.shape[1]
    grid = _grid(size)
    slope_y, slope_x = np.gradient(laid, 2 / size, axis=(1, 2))
    slope_x = slope_x / (1 + places[:, 0])[:, np.newaxis, np.newaxis]
    slope_y = slope_y / (1 + places[:, 2])[:, np.newaxis, np.newaxis]
    columns = [slope_x * grid, slope_x, slope_y * grid[:, np.newaxis], slope_y, laid]
    parts = np.stack([*columns, np.ones_like(laid)], 1).reshape(len(fixed), 6, -1)
    solved = _solved(parts, fixed, mask, 1e-3)
    gain = solved[:, 4:5]
    # a pair without likeness has no direction
    gain = np.where(np.abs(gain) > 0.2, gain, 0.2)
    step: np.ndarray = np.clip(solved[:, :4] / gain, -_LONGEST_STEP, _LONGEST_STEP)
    return step


def _solved(parts: np.ndarray, target: np.ndarray, mask: np.ndarray, ridge: float) -> np.ndarray:
    """Return coefficients of `parts` whose sum is nearest to `target` within the mask."""
    weighted = parts * mask.reshape(len(parts), 1, -1)
    normal = weighted @ parts.transpose(0, 2, 1)
    diagonal = np.arange(normal.shape[1])
    normal[:, diagonal, diagonal] = normal[:, diagonal, diagonal] * (1 + 1e-3) + ridge
    right = weighted @ target.reshape(len(parts), -1, 1)
    coefficients: np.ndarray = np.linalg.solve(normal, right)[..., 0]
    return coefficients


def _worst_block(target: np.ndarray, source: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """Return the largest relative difference in a block, after the best tone curve."""
    n_pairs, size, _ = target.shape
    powers = [np.ones_like(source)]
    for _ in range(_DEGREE):
        powers.append(powers[-1] * source)
    parts = np.stack(powers, 1).reshape(n_pairs, _DEGREE + 1, -1)
    curve = _solved(parts, target, mask, 1e-2)
    fitted = (curve[:, np.newaxis] @ parts).reshape(target.shape)
    error = (target - fitted) ** 2 * mask
    n = mask.sum((1, 2)) + 1e-6
    mean = ((target * mask).sum((1, 2)) / n)[:, np.newaxis, np.newaxis]
    variance = ((target - mean) ** 2 * mask).sum((1, 2)) / n + 1e-6
    block = size // _BLOCKS
    worst = np.zeros(n_pairs, np.float32)
    for top in range(0, size - block + 1, block // 2):
        for left in range(0, size - block + 1, block // 2):
            part = np.s_[:, top : top + block, left : left + block]
            shown = mask[part].sum((1, 2))
            each = np.where(shown > block * block / 2, error[part].sum((1, 2)) / (shown + 1e-6), 0)
            worst = np.maximum(worst, each / variance)
    return worst


@cache
def _blur(size: int) -> np.ndarray:
    """Return a Gaussian of one pixel as a matrix, (size, size); edges keep their brightness."""
    apart = np.arange(size)[:, np.newaxis] - np.arange(size)
    weights = np.exp(-(apart**2) / 2.0)
    blur: np.ndarray = (weights / weights.sum(1, keepdims=True)).astype(np.float32)
    return blur
