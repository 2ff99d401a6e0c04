"""Occlusion, of a classifier that looks at one pixel."""

from __future__ import annotations

import numpy as np
import pytest

from skvision.inspection.occlusion import N_PREDICTIONS, occlusion_maps, windows


@pytest.mark.parametrize("size", [(1, 1), (2, 5), (8, 8), (13, 100), (224, 224)])
def test_windows_cover_each_pixel(size):
    covers = windows(*size)
    assert len(covers) == min(8, size[0]) * min(8, size[1])
    assert covers.any(axis=0).all()
    assert covers.any(axis=(1, 2)).all()


def test_windows_are_less_than_a_tenth_of_a_large_image():
    assert windows(224, 224).mean(axis=(1, 2)).max() < 0.07


@pytest.mark.parametrize("form", ["grey", "channels", "bool", "float32"])
def test_the_only_pixel_that_counts_is_hottest(form):
    arrays = np.zeros((3, 16, 16), np.uint8)
    arrays[[0, 1, 2], [2, 9, 15], [3, 12, 0]] = 1 if form == "bool" else 250
    if form == "channels":
        arrays = np.repeat(arrays[..., None], 3, axis=3)
    elif form != "grey":
        arrays = arrays.astype(form)
    seen = []

    def probabilities(batch):
        assert batch.dtype == arrays.dtype
        assert batch.shape[1:] == arrays.shape[1:]
        seen.append(len(batch))
        bright = batch.reshape(len(batch), -1).astype(float).max(axis=1)
        bright /= arrays.max()
        return np.stack([1 - bright, bright], axis=1)

    images = np.zeros((3, 16, 16, 3), np.uint8)
    found = occlusion_maps(probabilities, arrays, images, None)
    assert sum(seen) == 3 * N_PREDICTIONS
    assert found.targets.tolist() == [1, 1, 1]
    for heat, place in zip(found.maps, [(2, 3), (9, 12), (15, 0)], strict=True):
        assert heat[place] == heat.max() == 1
        assert (heat > 0.99).sum() <= 9
    assert (found.without_hottest < 0.5).all()
    assert (found.without_random > 0.5).all()
    assert np.isnan(found.alike).all()


def test_given_classes_are_explained():
    arrays = np.zeros((1, 8, 8))
    arrays[0, 1, 1] = 1.0

    def probabilities(batch):
        bright = batch.max(axis=(1, 2))
        return np.stack([1 - bright, bright], axis=1)

    found = occlusion_maps(probabilities, arrays, np.zeros((1, 8, 8, 3), np.uint8), np.array([0]))
    # hiding the pixel makes the other class more probable, so nothing speaks for it
    assert found.maps.max() == 0
    assert found.numbers.tolist() == [0.0]
