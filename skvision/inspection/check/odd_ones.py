"""Checks of single images: files that can't be read, and images unlike the others."""

from __future__ import annotations

import os
from collections.abc import Callable

import numpy as np
from PIL import Image

from .findings import Finding, ImageSet, NotApplicable, Subject
from .survey import Survey

__all__ = ["odd_ones", "unreadable"]

# CleanVision's limits: percentile 99 of brightness, percentile 5, bits, shorter over longer side
_DARK, _LIGHT, _BITS, _SLENDER = 0.32, 0.95, 3.0, 0.35
# standard deviation of grey levels, and distance of channels, of an image of one colour
_ONE_COLOUR = 1 / 255
# variance of the Laplacian, and the same over the variance of the image: what a Gaussian of 2 % of
# the longer side leaves of photos
_BLURRED, _SOFT = 100.0, 0.02
# distance between channels below which an image has no colour
_GREY = 0.02
# with this many images a property that more than a tenth has is the nature of the folder
_MANY, _USUAL = 20, 0.1
# sides more than this many times as long as the median are unusual, and so is a mode of fewer
_TIMES, _RARE = 4.0, 0.01

Rule = Callable[[ImageSet], list[tuple[int, str, float]]]


def unreadable(subject: Subject) -> list[Finding] | NotApplicable:
    """Find files that can't be decoded."""
    survey = subject.images.survey
    if survey.names is None and not survey.errors:
        return NotApplicable("The images aren't files.")
    return [
        Finding("unreadable", f"It can't be read: {reason}.", 1.0, (place,))
        for place, reason in sorted(survey.errors.items())
    ]


def odd_ones(subject: Subject) -> list[Finding] | NotApplicable:
    """Find images that differ from the others, or that show nothing."""
    images = subject.images
    if not images.survey.readable.any():
        return NotApplicable("No image can be read.")
    reasons: dict[int, list[tuple[str, float]]] = {}
    for rule in _RULES:
        for place, reason, score in rule(images):
            reasons.setdefault(place, []).append((reason, score))
    return [
        Finding(
            "odd",
            f"It is {'; it is '.join(reason for reason, _ in found)}.",
            max(score for _, score in found),
            (place,),
        )
        for place, found in sorted(reasons.items())
    ]


def _one_colour(images: ImageSet) -> list[tuple[int, str, float]]:
    survey = images.survey
    found = []
    for place in np.flatnonzero(_is_flat(survey)).tolist():
        level = float(survey.figures["brightness"][place])
        grey = survey.figures["colour"][place] < _GREY
        word = "all black" if level < 0.02 else "all white" if grey and level > 0.98 else ""
        found.append((place, word or "of one colour", 1.0))
    return found


def _dark(images: ImageSet) -> list[tuple[int, str, float]]:
    bright = images.survey.figures["bright_part"]
    is_dark = _rarely(images.survey, (bright < _DARK) & ~_is_flat(images.survey))
    return [
        (
            place,
            f"very dark: 99 % of its pixels are below {bright[place]:.0%} brightness",
            _beyond(bright[place], _DARK),
        )
        for place in is_dark
    ]


def _light(images: ImageSet) -> list[tuple[int, str, float]]:
    dark = images.survey.figures["dark_part"]
    is_light = _rarely(images.survey, (dark > _LIGHT) & ~_is_flat(images.survey))
    return [
        (
            place,
            f"very bright: 95 % of its pixels are above {dark[place]:.0%} brightness",
            _beyond(1 - dark[place], 1 - _LIGHT),
        )
        for place in is_light
    ]


def _poor(images: ImageSet) -> list[tuple[int, str, float]]:
    survey = images.survey
    entropy = survey.figures["entropy"]
    low = (
        max(_BITS, _lower_fence(entropy[survey.readable], 5.0, 0.3))
        if len(survey) >= _MANY
        else _BITS
    )
    is_poor = _rarely(survey, (entropy < low) & ~_is_flat(survey))
    return [
        (
            place,
            f"poor in detail: its grey levels have {entropy[place]:.1f} bits",
            _beyond(entropy[place], low),
        )
        for place in is_poor
    ]


def _blurred(images: ImageSet) -> list[tuple[int, str, float]]:
    survey = images.survey
    sharp = survey.figures["sharpness"]
    share = sharp / (255 * survey.figures["contrast"] + 1e-3) ** 2
    is_blurred = _rarely(survey, (sharp < _BLURRED) & (share < _SOFT) & ~_is_flat(survey))
    return [(place, "very blurred", _beyond(share[place], _SOFT)) for place in is_blurred]


def _slender(images: ImageSet) -> list[tuple[int, str, float]]:
    survey = images.survey
    width, height = (
        np.maximum(survey.figures[name], 1).astype(float) for name in ("width", "height")
    )
    ratio = np.minimum(width / height, height / width)
    return [
        (
            place,
            f"unusually long: {int(width[place])} x {int(height[place])} pixels",
            _beyond(ratio[place], _SLENDER),
        )
        for place in _rarely(survey, ratio < _SLENDER)
    ]


def _unusual_size(images: ImageSet) -> list[tuple[int, str, float]]:
    survey = images.survey
    sides = np.log(np.sqrt(np.maximum(survey.areas, 1)))
    middle = np.median(sides[survey.readable])
    first, third = np.percentile(sides[survey.readable], [25, 75])
    limit = max(np.log(_TIMES), 3 * (third - first))
    found = []
    for place in _rarely(survey, np.abs(sides - middle) > limit):
        word = "large" if sides[place] > middle else "small"
        size = survey.figures[["width", "height"]][place]
        usual = round(float(np.exp(middle)))
        text = (
            f"unusually {word}: {size['width']} x {size['height']} pixels, where {usual} x {usual} "
            "are usual"
        )
        found.append((place, text, 1 - 0.5 * limit / abs(sides[place] - middle)))
    return found


def _grey(images: ImageSet) -> list[tuple[int, str, float]]:
    survey = images.survey
    is_grey = (survey.figures["colour"] < _GREY) & ~_is_flat(survey)
    if len(survey) < _MANY:
        return []
    n = survey.readable.sum()
    return [
        (place, f"without colour, unlike {n - is_grey.sum():,} of {n:,} images", 0.5)
        for place in _rarely(survey, is_grey)
    ]


def _unusual_mode(images: ImageSet) -> list[tuple[int, str, float]]:
    survey = images.survey
    if survey.names is None or survey.readable.sum() < _MANY:
        return []
    modes = survey.figures["mode"][survey.readable]
    names, counts = np.unique(modes, return_counts=True)
    usual = names[counts.argmax()].decode()
    rare = names[counts <= max(1, _RARE * len(modes))]
    is_rare = np.isin(survey.figures["mode"], rare) & survey.readable
    return [
        (place, f"of mode {survey.figures['mode'][place].decode()}, while {usual} is usual", 0.5)
        for place in np.flatnonzero(is_rare).tolist()
    ]


def _wrong_ending(images: ImageSet) -> list[tuple[int, str, float]]:
    names = images.survey.names
    if names is None:
        return []
    formats = Image.registered_extensions()
    found = []
    for place, name in enumerate(names):
        ending = os.path.splitext(name)[1].lower()
        kind = images.survey.figures["format"][place].decode()
        if not kind or ending not in formats or _family(formats[ending]) == _family(kind):
            continue
        found.append((place, f"a {kind} file, although its name ends in {ending}", 1.0))
    return found


#: formats that share endings
_FAMILIES = {"MPO": "JPEG", "JPEG": "JPEG", "DIB": "BMP", "CUR": "ICO", "APNG": "PNG"}


def _family(kind: str) -> str:
    return _FAMILIES.get(kind, kind)


#: each returns places, texts that follow "it is", and scores
_RULES: tuple[Rule, ...] = (
    _one_colour,
    _dark,
    _light,
    _poor,
    _blurred,
    _grey,
    _slender,
    _unusual_size,
    _unusual_mode,
    _wrong_ending,
)


def _is_flat(survey: Survey) -> np.ndarray:
    flat: np.ndarray = (survey.figures["contrast"] < _ONE_COLOUR) & survey.readable
    return flat


def _rarely(survey: Survey, is_odd: np.ndarray) -> list[int]:
    """Return the places of odd images, none if they are the nature of the folder."""
    is_odd = is_odd & survey.readable
    n = survey.readable.sum()
    if n >= _MANY and is_odd.sum() > _USUAL * n:
        return []
    return [int(place) for place in np.flatnonzero(is_odd)]


def _lower_fence(values: np.ndarray, ranges: float, least: float) -> float:
    """Return the value some interquartile ranges below the first quartile."""
    first, third = np.percentile(values, [25, 75])
    return float(first - ranges * max(third - first, least))


def _beyond(value: float, limit: float) -> float:
    """Return a score from 0.5 at the limit to 1 at zero."""
    return float(np.clip(1 - 0.5 * value / limit, 0, 1))
