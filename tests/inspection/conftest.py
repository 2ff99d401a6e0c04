"""Plots without a screen."""

from __future__ import annotations

import matplotlib as mpl
import pytest

mpl.use("agg")


@pytest.fixture(autouse=True)
def close():
    yield
    mpl.pyplot.close("all")
