"""Small data and one fitted network, which tests share."""

from __future__ import annotations

import gc
import importlib.util
import os
import signal

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
if "PYTEST_XDIST_WORKER" in os.environ:
    # one thread per process, since there is a process per core; this applies to processes that
    # tests start too
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    # workers of pytest-xdist, and so their children, ignore the signal of Ctrl-C
    signal.signal(signal.SIGINT, signal.default_int_handler)

import keras
import numpy as np
import pytest
import sklearn
from sklearn.datasets import load_digits
from sklearn.utils.fixes import parse_version

from skvision import MiniVGGClassifier, export_digits
from skvision.networks import NetworkPool

from .check_table import pytest_terminal_summary  # noqa: F401
from .elsewhere import Elsewhere

# `make test-browser` installs what that folder needs
collect_ignore = [] if importlib.util.find_spec("playwright") else ["browser"]

#: a network that is fast to build, and accurate enough for the digits
TINY = {
    "image_size": 8,
    "filters": (16,),
    "convs_per_block": 1,
    "dense_units": (32,),
    "optimizer": "adam",
    "learning_rate": 0.01,
    "epochs": 3,
    "random_state": 0,
}


def small_body(filters=4):
    """Return a convolution over images of any size."""
    drawn = keras.initializers.HeNormal
    return keras.Sequential(
        [
            keras.Input((None, None, 3)),
            keras.layers.Rescaling(1 / 255),
            keras.layers.Conv2D(filters, 3, name="one", kernel_initializer=drawn(1)),
            keras.layers.Conv2D(4, 3, 3, name="two", kernel_initializer=drawn(2)),
        ],
        name="body",
    )


def since(version):
    """Mark a test that needs this version of scikit-learn."""
    return pytest.mark.skipif(
        parse_version(sklearn.__version__) < parse_version(version),
        reason=f"new in scikit-learn {version}",
    )


def pytest_collection_finish():
    """Leave what was imported and collected out of every later collection of garbage."""
    gc.collect()
    gc.freeze()


@pytest.fixture(scope="session")
def digits():
    """300 digits of classes zero, one and two: uint8 (n, 8, 8), and names."""
    data = load_digits(n_class=3)
    names = np.array(["zero", "one", "two"])
    return np.round(data.images[:300] * 255 / 16).astype(np.uint8), names[data.target[:300]]


@pytest.fixture(scope="session")
def fitted(digits):
    """A fitted classifier; tests must not refit it."""
    return MiniVGGClassifier(**TINY).fit(*digits)


@pytest.fixture
def tiny():
    """A classifier that isn't fitted."""
    return MiniVGGClassifier(**TINY)


@pytest.fixture(scope="session")
def digits_folder(tmp_path_factory):
    """A folder of PNG files, 12 per class, ten classes."""
    return export_digits(tmp_path_factory.mktemp("digits"), n_per_class=12)


@pytest.fixture
def empty_pool(monkeypatch):
    """What puts a pool without networks in the place of the one that all tests share."""

    def empty():
        pool = NetworkPool()
        for module in ("skvision.classifiers.fitted_network", "skvision.training.batches"):
            monkeypatch.setattr(f"{module}.network_pool", pool)
        return pool

    return empty


@pytest.fixture(scope="session")
def elsewhere():
    """Another process, which tests share."""
    other = Elsewhere()
    yield other
    other.end()


@pytest.fixture(scope="session")
def noise():
    """Six small colour images, uint8."""
    return np.random.default_rng(0).integers(0, 256, (6, 12, 10, 3), dtype=np.uint8)
