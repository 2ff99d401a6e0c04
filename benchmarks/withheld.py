"""How often sets hold the true class, and which answers for foreign images are withheld.

Not part of `make bench`: it needs a folder of photos with three classes as its argument. Features
are computed once. 1,000 images train and calibrate, the others are asked, ten times with other
draws. Foreign images are digits, noise, pieces of scikit-learn's two photos, and each class in turn
that was left out of the training.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator

import numpy as np
from _common import report
from PIL import Image
from sklearn.datasets import load_digits, load_sample_images
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedShuffleSplit, train_test_split
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler

from skvision import (
    ConformalImageClassifier,
    MiniVGGClassifier,
    PretrainedFeatureTransformer,
    load_image_folder,
)

COVERAGE, DRAWS, KNOWN, FOREIGN, SIZE = 0.95, 10, 1000, 300, 224


def pieces(photo: np.ndarray, rng: np.random.Generator) -> Iterator[np.ndarray]:
    """Yield squares of a photo, at random places and of random sizes."""
    for _ in range(FOREIGN):
        side = int(rng.integers(100, 380))
        row, column = (int(rng.integers(0, length - side + 1)) for length in photo.shape[:2])
        piece = Image.fromarray(photo[row : row + side, column : column + side])
        yield np.asarray(piece.resize((SIZE, SIZE)))


def foreign_images() -> dict[str, np.ndarray]:
    rng = np.random.default_rng(0)
    digits = load_digits().images[:FOREIGN] * 255 / 16
    large = np.kron(digits, np.ones((1, SIZE // 8, SIZE // 8)))
    temple, flower = load_sample_images().images
    return {
        "digits": np.repeat(large[..., None], 3, axis=3).astype(np.uint8),
        "noise": rng.integers(0, 256, (FOREIGN, SIZE, SIZE, 3), dtype=np.uint8),
        "temple": np.stack(list(pieces(temple, rng))),
        "flower": np.stack(list(pieces(flower, rng))),
    }


def head() -> Pipeline:
    return make_pipeline(StandardScaler(), LogisticRegression(C=0.001, max_iter=1000))


def withheld(sets: np.ndarray) -> float:
    return float((sets.sum(axis=1) != 1).mean())


def known(X: np.ndarray, y: np.ndarray, name: str, cv: object, asked: dict) -> None:
    """Report coverage by class and the sets of known images; remember those of foreign ones."""
    classes = np.unique(y)
    coverages, sizes, right, plain, within = [], [], [], [], 0
    for seed in range(DRAWS):
        X_seen, X_test, y_seen, y_test = train_test_split(
            X, y, train_size=KNOWN, stratify=y, random_state=seed
        )
        model = ConformalImageClassifier(head(), COVERAGE, cv=cv).fit(X_seen, y_seen)
        sets, proba = model.predict_set(X_test, return_proba=True)
        found = np.array([sets[y_test == each, k].mean() for k, each in enumerate(classes)])
        numbers = np.array([(y_test == each).sum() for each in classes])
        # those of the test images and of the calibration images
        errors = np.sqrt(COVERAGE * (1 - COVERAGE) * (1 / numbers + 1 / (model.n_calibration_ + 2)))
        within += int((np.abs(found - COVERAGE) <= 2 * errors).sum())
        coverages.append(found)
        n_classes = sets.sum(axis=1)
        sizes.append([(n_classes == 0).mean(), (n_classes == 1).mean(), (n_classes > 1).mean()])
        plain.append((classes[proba.argmax(axis=1)] == y_test).mean())
        answered = n_classes == 1
        right.append((classes[sets.argmax(axis=1)] == y_test)[answered].mean())
        likely = ConformalImageClassifier(head(), COVERAGE, cv=cv, method="probability")
        for again in (model, likely.fit(X_seen, y_seen)):
            shares = asked.setdefault(again.method_, {})
            shares.setdefault("known", []).append(withheld(again.predict_set(X_test)))
            for what, images in asked["images"].items():
                shares.setdefault(what, []).append(withheld(again.predict_set(images)))
    by_class = ", ".join(
        f"{each} {share:.3f}" for each, share in zip(classes, np.mean(coverages, 0), strict=True)
    )
    empty, one, several = np.mean(sizes, axis=0)
    report(
        f"coverage {COVERAGE} by class, {name}, mean of {DRAWS} draws",
        f"{by_class}; {within} of {DRAWS * len(classes)} within two standard errors",
        "each within two standard errors",
    )
    report(
        f"sets of known images, {name}",
        f"one class {one:.3f} (right {np.mean(right):.4f}; without withholding "
        f"{np.mean(plain):.4f} of all), none {empty:.3f}, several {several:.3f}",
    )


def foreign(asked: dict, name: str) -> None:
    for method in ("probability", "distance"):
        shares = ", ".join(f"{what} {np.mean(found):.3f}" for what, found in asked[method].items())
        report(f"answers withheld, `method={method!r}`, {name}", shares, "far more than known")


def left_out(X: np.ndarray, y: np.ndarray) -> None:
    """Report the answers for images of a class that the model has never seen."""
    for method in ("probability", "distance"):
        shares = []
        for each in np.unique(y):
            found, own = [], []
            rest = np.flatnonzero(y != each)
            for seed in range(3):
                seen, test = train_test_split(
                    rest, train_size=KNOWN, stratify=y[rest], random_state=seed
                )
                model = ConformalImageClassifier(head(), COVERAGE, method=method)
                model.fit(X[seen], y[seen])
                found.append(withheld(model.predict_set(X[y == each])))
                own.append(withheld(model.predict_set(X[test])))
            shares.append(f"{each} {np.mean(found):.3f} (known {np.mean(own):.3f})")
        report(
            f"answers withheld for the class that was left out, `method={method!r}`",
            ", ".join(shares),
            "far more than known",
        )


def frozen(X: np.ndarray, y: np.ndarray) -> None:
    """Report the same for a fitted classifier, with and without the images that it was trained on.

    A quarter of the photos calibrates, as by `skvision train --coverage`.
    """
    shares: dict[str, list[float]] = {}
    for each in np.unique(y):
        rest = np.flatnonzero(y != each)
        for seed in range(3):
            train, calibration = train_test_split(
                np.arange(len(rest)), test_size=0.25, stratify=y[rest], random_state=seed
            )
            trained = head().fit(X[rest[train]], y[rest[train]])
            fitted = ConformalImageClassifier(FrozenEstimator(trained), COVERAGE)
            fitted.fit(X[rest[calibration]], y[rest[calibration]])
            n_few = len(fitted.neighbourhoods_[0].references)
            few = shares.setdefault(f"{n_few} calibration images", [])
            few.append(withheld(fitted.predict_set(X[y == each])))
            fitted.set_params(cv=[(train, calibration)]).fit(X[rest], y[rest])
            named = shares.setdefault(f"{len(train)} training images", [])
            named.append(withheld(fitted.predict_set(X[y == each])))
    report(
        "answers withheld for the class that was left out, a `FrozenEstimator`, distances from",
        "; ".join(
            f"{what}: {np.mean(found):.3f} ({min(found):.3f} to {max(found):.3f})"
            for what, found in shares.items()
        ),
        "far more than known",
    )


def from_scratch(files: np.ndarray, y: np.ndarray, images: dict[str, np.ndarray]) -> None:
    """Report the same for a network that is trained on the images alone."""
    X_seen, X_test, y_seen, y_test = train_test_split(
        files, y, train_size=KNOWN, stratify=y, random_state=0
    )
    cv = StratifiedShuffleSplit(1, test_size=0.25, random_state=0)
    net = MiniVGGClassifier(epochs=30, random_state=0)
    model = ConformalImageClassifier(net, COVERAGE, cv=cv).fit(X_seen, y_seen)
    sets = model.predict_set(X_test)
    classes = model.classes_
    found = ", ".join(
        f"{each} {sets[y_test == each, k].mean():.3f}" for k, each in enumerate(classes)
    )
    report(
        f"coverage {COVERAGE} by class, MiniVGGClassifier, one split",
        f"{found}; sets of one class {(sets.sum(axis=1) == 1).mean():.3f}",
    )
    shares = [f"known {withheld(sets):.3f}"]
    for what, pixels in images.items():
        shares.append(f"{what} {withheld(model.predict_set(pixels)):.3f}")
    report("answers withheld, MiniVGGClassifier, `method='probability'`", ", ".join(shares))


def main() -> None:
    files, y = load_image_folder(sys.argv[1], return_X_y=True)
    images = foreign_images()
    network = PretrainedFeatureTransformer(cache=True).fit(files)
    X = np.asarray(network.transform(files))
    features = {what: np.asarray(network.transform(pixels)) for what, pixels in images.items()}
    one = StratifiedShuffleSplit(1, test_size=0.4, random_state=0)
    for name, cv in {"five folds": None, "one split of 600 and 400": one}.items():
        asked: dict = {"images": features}
        known(X, y, name, cv, asked)
        foreign(asked, name)
    left_out(X, y)
    frozen(X, y)
    from_scratch(files, y, images)


if __name__ == "__main__":
    main()
