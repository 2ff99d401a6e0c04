"""Fit sets the axes of X: one image without its batch axis is never mistaken for a batch."""

from __future__ import annotations

import numpy as np
import pytest

from skvision import ImageAugmenter, MiniVGGClassifier

from ..conftest import TINY

FILES = ["cat.jpg", "dog.jpg"]


def zeros(*shape):
    return np.zeros(shape, np.uint8)


@pytest.mark.parametrize(
    ("fitted", "shape", "cure"),
    [
        (zeros(60, 24, 24, 1), (24, 24, 1), "X[np.newaxis] for one image"),
        (zeros(60, 8, 8, 3), (8, 8, 3), "X[np.newaxis] for one image"),
        (zeros(60, 8, 8, 4), (8, 8, 4), "X[np.newaxis] for one image"),
        (zeros(60, 24, 24, 3), (3, 24, 24), "np.moveaxis(X, 0, -1)[np.newaxis] for one image"),
        (zeros(60, 24, 24, 3), (3, 30, 30), "np.moveaxis(X, 0, -1)[np.newaxis] for one image"),
        (zeros(60, 24, 24, 3), (30, 20, 3), "X[np.newaxis] for one image"),
        (zeros(60, 24, 24, 3), (24, 24), "X[np.newaxis, ..., np.newaxis] for one grey image"),
        (zeros(60, 24, 24), (24, 24), "X[np.newaxis] for one image"),
        (zeros(60, 24, 24), (24, 24, 1), "X[np.newaxis, ..., 0] for one grey image"),
        (zeros(60, 24, 24), (5, 24, 24, 1), "X[..., 0] for grey images"),
        (zeros(60, 24, 24, 1), (7, 9, 9), "X[..., np.newaxis] for grey images"),
        (zeros(60, 24, 24, 3), (5, 3, 24, 24), "np.moveaxis(X, 1, -1)"),
        (list(zeros(6, 24, 24, 1)), (24, 24, 1), "X[np.newaxis] for one image"),
        (FILES, (24, 24, 1), "X[np.newaxis] for one image"),
        (FILES, (8, 8, 3), "X[np.newaxis] for one image"),
        (FILES, (3, 24, 24), "np.moveaxis(X, 0, -1)[np.newaxis]"),
        (FILES, (24, 24), "for one grey image pass X[np.newaxis]"),
    ],
)
@pytest.mark.parametrize("form", [zeros, lambda *shape: zeros(*shape).tolist()])
def test_other_axes_than_in_fit_are_refused_with_advice(fitted, shape, cure, form):
    augmenter = ImageAugmenter().fit(fitted)
    with pytest.raises(ValueError, match="X") as caught:
        augmenter.transform(form(*shape))
    assert cure in str(caught.value)
    assert str(shape) in str(caught.value) or "channels" in str(caught.value)


@pytest.mark.parametrize(
    ("fitted", "shape"),
    [
        (zeros(60, 24, 24, 1), (1, 24, 24, 1)),
        (zeros(60, 24, 24, 1), (5, 9, 7, 3)),
        (zeros(60, 24, 24, 3), (5, 24, 24)),
        (zeros(60, 24, 24, 1), (1, 24, 24)),
        (zeros(60, 24, 24), (5, 9, 9)),
        (FILES, (5, 24, 24)),
        (FILES, (1, 24, 24, 3)),
        (FILES, (5, 8, 8, 1)),
    ],
)
def test_unambiguous_shapes_are_accepted(fitted, shape):
    assert len(ImageAugmenter().fit(fitted).transform(zeros(*shape))) == shape[0]


def test_files_are_accepted_after_any_fit():
    assert len(ImageAugmenter().fit(zeros(6, 24, 24)).transform(FILES)) == 2


@pytest.mark.parametrize("shape", [(5, 3, 24, 24), (5, 1, 28, 28), (5, 4, 20, 30)])
def test_channels_first_are_refused_in_fit_with_advice(shape):
    with pytest.raises(ValueError, match=r"channels last; yours seem .* np.moveaxis\(X, 1, -1\)"):
        MiniVGGClassifier().fit(zeros(*shape), [0, 1, 0, 1, 0])


def test_numbers_that_are_not_images_need_the_axes_of_fit_too():
    augmenter = ImageAugmenter(value_range=None).fit(np.zeros((6, 24, 24, 3)))
    with pytest.raises(ValueError, match=r"24 channels.*np.moveaxis\(X, 1, -1\)"):
        augmenter.transform(np.zeros((6, 3, 24, 24)))
    with pytest.raises(ValueError, match=r"X\[np.newaxis\] for one image"):
        augmenter.transform(np.zeros((24, 24, 3)))


def test_predict_of_one_image(digits):
    X, y = digits
    net = MiniVGGClassifier(**{**TINY, "epochs": 1}).fit(X[..., np.newaxis], y)
    for ask in (net.predict, net.predict_proba):
        with pytest.raises(ValueError, match=r"X\[np.newaxis\] for one image"):
            ask(X[0][..., np.newaxis])
    assert len(net.predict(X[:1][..., np.newaxis])) == 1
    assert net.image_shape_ == (8, 8, 1)
