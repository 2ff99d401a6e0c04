"""A map of a view is put back to where the view was in the image."""

from __future__ import annotations

import numpy as np
import pytest

from skvision.networks import View

# a smooth hill, off the middle
ROWS, COLUMNS = np.mgrid[0:40, 0:60]
HILL = np.exp(-(((ROWS - 17) / 6) ** 2) - ((COLUMNS - 34) / 8) ** 2)[None].astype("float32")


@pytest.mark.parametrize("crop", [1.0, 0.9, 0.75])
@pytest.mark.parametrize("mirrored", [False, True])
def test_a_map_returns_to_its_place(crop, mirrored):
    view = View(crop, mirrored)
    seen = np.asarray(view.of(HILL[..., None]))[..., 0]
    placed = view.placed(seen)
    assert placed.dtype == np.float32
    np.testing.assert_allclose(placed, HILL, atol=0.02)
    assert np.unravel_index(placed[0].argmax(), (40, 60)) == (17, 34)


def test_nothing_is_outside_a_crop():
    placed = View(0.5).placed(np.ones((1, 8, 12), np.float32))
    expected = np.zeros((8, 12))
    expected[2:6, 3:9] = 1
    np.testing.assert_allclose(placed, [expected])
