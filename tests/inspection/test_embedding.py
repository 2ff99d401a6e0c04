from __future__ import annotations

import sys

import numpy as np
import pytest
from PIL import Image
from sklearn.decomposition import PCA
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler

from skvision import EmbeddingDisplay, MiniVGGClassifier, PretrainedFeatureTransformer
from skvision.inspection.embedding import features_of, spread_out
from skvision.inspection.projection import project

FLAT = FunctionTransformer(lambda X: np.reshape(X, (len(X), -1)))


def test_positions_are_those_of_pca(digits):
    X, y = digits
    display = EmbeddingDisplay.from_estimator(FLAT, X, y=y, random_state=0)
    pca = PCA(2, random_state=0)
    np.testing.assert_allclose(display.positions, pca.fit_transform(X.reshape(300, -1)))
    share = pca.explained_variance_ratio_[0]
    assert display.ax_.get_xlabel() == f"component 1 ({share:.0%} of the variance)"
    assert [text.get_text() for text in display.ax_.get_legend().get_texts()] == [
        "one",
        "two",
        "zero",
    ]
    frame = display.frame()
    np.testing.assert_array_equal(frame["x"], display.positions[:, 0])
    np.testing.assert_array_equal(frame["label"], y)


def test_a_classifier_of_skvision_shows_its_last_feature_map(fitted, digits):
    X = digits[0][:20]
    expected = PretrainedFeatureTransformer(fitted, pooling="avg").fit(X).transform(X)
    np.testing.assert_allclose(features_of(fitted, X), expected)
    np.testing.assert_allclose(
        features_of(make_pipeline(FunctionTransformer(), fitted), X), expected
    )
    display = EmbeddingDisplay.from_estimator(fitted, X, random_state=0)
    np.testing.assert_allclose(display.positions, project(expected, random_state=0).positions)


def test_a_pipeline_shows_the_input_of_its_classifier(digits):
    X, y = digits
    pipeline = make_pipeline(FLAT, StandardScaler(), LogisticRegression()).fit(X, y)
    np.testing.assert_array_equal(features_of(pipeline, X), pipeline[:-1].transform(X))
    transformer = make_pipeline(FLAT, StandardScaler()).fit(X)
    np.testing.assert_array_equal(features_of(transformer, X), transformer.transform(X))


def test_thumbnails_lie_apart(digits, tmp_path):
    files = []
    for index, pixels in enumerate(digits[0][:12]):
        Image.fromarray(pixels).save(tmp_path / f"{index}.png")
        files.append(str(tmp_path / f"{index}.png"))
    read = FunctionTransformer(lambda X: np.stack([np.asarray(Image.open(x)).ravel() for x in X]))
    display = EmbeddingDisplay.from_estimator(read, files, n_images=5, random_state=0)
    assert 2 <= len(display.indices_) <= 5
    again = display.plot(n_images=5, random_state=0).indices_.tolist()
    assert again == display.indices_.tolist()
    assert len(display.plot(n_images=0).indices_) == 0
    assert list(display.frame()["file"]) == files
    line = np.column_stack([np.linspace(0, 1, 11), np.zeros(11)])
    assert spread_out(line, np.arange(11), (0.2, 0.2), 99).tolist() == [0, 3, 6, 9]


def test_tsne_keeps_groups_apart():
    rng = np.random.default_rng(0)
    features = np.concatenate([rng.normal(0, 1, (20, 60)), rng.normal(20, 1, (20, 60))])
    found = project(features, "tsne", random_state=0)
    assert found.axis_labels == ("t-SNE 1", "t-SNE 2")
    centres = [found.positions[:20].mean(axis=0), found.positions[20:].mean(axis=0)]
    within = np.linalg.norm(found.positions[:20] - centres[0], axis=1).max()
    assert np.linalg.norm(centres[0] - centres[1]) > 2 * within
    display = EmbeddingDisplay.from_estimator(
        FLAT, features[:10], projection="tsne", random_state=0
    )
    assert len(display.ax_.get_xticks()) == 0


def test_umap_is_optional(monkeypatch, digits):
    monkeypatch.setitem(sys.modules, "umap", None)
    with pytest.raises(ImportError, match="pip install umap-learn$"):
        EmbeddingDisplay.from_estimator(FLAT, digits[0], projection="umap")

    class UMAP:
        def __init__(self, n_neighbors, random_state):
            self.n_neighbors = n_neighbors

        def fit_transform(self, X):
            return X[:, :2] + self.n_neighbors

    fake = type(sys)("umap")
    fake.UMAP = UMAP
    monkeypatch.setitem(sys.modules, "umap", fake)
    found = project(np.eye(5), "umap")
    np.testing.assert_array_equal(found.positions, np.eye(5)[:, :2] + 4)
    assert found.axis_labels == ("UMAP 1", "UMAP 2")


def test_the_rarest_of_many_classes_are_grey():
    y = np.r_[np.arange(22), np.arange(20)]
    display = EmbeddingDisplay(np.random.default_rng(0).random((42, 2)), y).plot()
    labels = [text.get_text() for text in display.ax_.get_legend().get_texts()]
    assert labels == ["2 others", *map(str, range(20))]


def test_bad_arguments(digits, tiny):
    X, y = digits
    with pytest.raises(ValueError, match="projection must be one of 'pca', 'tsne', 'umap'"):
        EmbeddingDisplay.from_estimator(FLAT, X, projection="lda")
    for bad in (-1, 2.5, True):
        with pytest.raises(ValueError, match="n_images must be a whole number of at least 0"):
            EmbeddingDisplay.from_estimator(FLAT, X, n_images=bad)
    with pytest.raises(ValueError, match="X holds 300 images, and y holds 2 labels"):
        EmbeddingDisplay.from_estimator(FLAT, X, y=y[:2])
    with pytest.raises(NotFittedError):
        EmbeddingDisplay.from_estimator(tiny, X)
    with pytest.raises(ValueError, match="Pass a transformer or a classifier"):
        EmbeddingDisplay.from_estimator(MiniVGGClassifier, X)
    rows = X.reshape(300, -1)
    linear = LogisticRegression(max_iter=500).fit(rows, y)
    for model in (linear, make_pipeline(linear)):
        with pytest.raises(ValueError, match="computes no features. Pass a transformer"):
            EmbeddingDisplay.from_estimator(model, rows)
    with pytest.raises(ValueError, match="at least three images and two features"):
        EmbeddingDisplay.from_estimator(FLAT, X[:2])
    with pytest.raises(ValueError, match="without images"):
        EmbeddingDisplay.from_estimator(FLAT, X[:0])
