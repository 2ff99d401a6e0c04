"""The most confident mistakes, with heat maps of what they were made by."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ...images import data_uri
from ..overlays import overlaid
from .page_contents import Answers, Missing, Mistake, Mistakes

__all__ = ["N_MISTAKES", "mistakes", "worst"]

N_MISTAKES = 12
#: longer side of the images beside the heat maps
LARGE = 288


def worst(answers: Answers, most: int = N_MISTAKES) -> np.ndarray:
    """Return the places of the most confident mistakes, the most confident one first."""
    confidence = answers.confidence
    assert confidence is not None
    wrong = np.flatnonzero(~answers.correct)
    ordered: np.ndarray = wrong[np.argsort(-confidence[wrong], kind="stable")][:most]
    return ordered


def mistakes(
    answers: Answers,
    kind: str,
    names: Sequence[str],
    images: Callable[[np.ndarray], list[str]] | Missing,
    explained: Callable[[np.ndarray], Any],
) -> Mistakes | Missing:
    """Return the most confident mistakes.

    Parameters
    ----------
    answers : Answers
        The classifier's answers.
    kind : str
        Name of the estimator.
    names : sequence of str
        Names of the images.
    images : callable or Missing
        Returns the addresses of the images at these places.
    explained : callable
        Returns an `Explanation` of the images at these places.

    Returns
    -------
    Mistakes or Missing
    """
    confidence = answers.confidence
    if confidence is None or answers.probabilities is None:
        return Missing(
            f"{kind} has no predict_proba, so no mistake is more confident than another."
        )
    if isinstance(images, Missing):
        return images
    places = worst(answers)
    if not len(places):
        return Missing("There are none: all predictions are right.")
    pictures = images(places)
    rows = [
        Mistake(
            names[place],
            answers.names[answers.y_true[place]],
            answers.names[answers.y_pred[place]],
            float(confidence[place]),
            float(answers.probabilities[place, answers.y_true[place]]),
            picture,
        )
        for place, picture in zip(places.tolist(), pictures, strict=True)
    ]
    n_wrong = int((~answers.correct).sum())
    try:
        explanation = explained(places)
    except ValueError as error:  # it can't be explained, which the error says
        return Mistakes(rows, n_wrong, Missing(f"No heat maps: {error}"))
    return _with_heat(rows, n_wrong, explanation)


def _with_heat(rows: list[Mistake], n_wrong: int, explanation: Any) -> Mistakes:
    heat = overlaid(explanation.images, explanation.maps)
    hot = [
        Mistake(
            row.name,
            row.true,
            row.predicted,
            row.confidence,
            row.probability_of_true,
            row.image,
            data_uri(heat[k]),
            float(explanation.deletion_[k]),
            float(explanation.random_deletion_[k]),
        )
        for k, row in enumerate(rows)
    ]
    alike = explanation.sanity_[np.isfinite(explanation.sanity_)]
    return Mistakes(hot, n_wrong, explanation.method, float(alike.mean()) if len(alike) else None)
