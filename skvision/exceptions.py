"""The errors and warnings that skvision raises by name."""

from __future__ import annotations

import reprlib

__all__ = [
    "CheckpointWarning",
    "FeatureEngineWarning",
    "ImageDecodeError",
    "ModelVersionWarning",
    "PixelRangeWarning",
    "SkippedImageWarning",
    "TrainingDivergedError",
    "TrainingInterruptedWarning",
    "UnsupportedModelError",
    "first_line",
    "shown",
]

# how much of what a user passed an error repeats; long texts are cut before they are written out
_LONGEST = 80
_BRIEF = reprlib.Repr()
_BRIEF.maxstring = _BRIEF.maxother = _LONGEST


class ImageDecodeError(ValueError):
    """An image could not be read.

    Parameters
    ----------
    source : str
        What was to be read: a file name, or a description of bytes in memory.
    reason : str
        Why it could not be read.

    Examples
    --------
    >>> from skvision.exceptions import ImageDecodeError
    >>> print(ImageDecodeError("cat.jpg", "the file is empty"))
    cannot read the image cat.jpg: the file is empty
    """

    def __init__(self, source: str, reason: str) -> None:
        # both go to ValueError, so that the error pickles across worker processes
        super().__init__(source, reason)
        self.source = source
        self.reason = reason

    def __str__(self) -> str:
        # a path has up to 4,096 characters; what is longer is no path
        source = self.source if len(self.source) <= 4096 else f"{self.source[: _LONGEST - 3]}..."
        return f"cannot read the image {source}: {self.reason}"


class TrainingDivergedError(ValueError):
    """The loss became infinite or not a number, so the weights are useless."""


class PixelRangeWarning(UserWarning):
    """All training images together use so little of their scale that it may be a wrong one."""


class SkippedImageWarning(UserWarning):
    """Images, or files that look like images, were left out of a data set."""


class TrainingInterruptedWarning(UserWarning):
    """Ctrl-C ended training; the estimator is fitted with what it had learnt by then."""


class FeatureEngineWarning(UserWarning):
    """Features are computed otherwise than in fit, and will differ a little."""


class CheckpointWarning(UserWarning):
    """A checkpoint could not be written or read; training went on without it."""


class UnsupportedModelError(ValueError):
    """A model holds what a safe file can't keep: code, or what can't be loaded safely."""


class ModelVersionWarning(UserWarning):
    """A model file was written with other versions than those installed."""


def first_line(error: BaseException) -> str:
    """What an error says, in one line; its name if it says nothing.

    Examples
    --------
    >>> from skvision.exceptions import first_line
    >>> first_line(KeyError("a")), first_line(MemoryError())
    ("'a'", 'MemoryError')
    """
    return (str(error).strip() or type(error).__name__).splitlines()[0]


def shown(value: object) -> str:
    """What a user passed, as an error shows it: at most 80 characters, bytes only counted.

    Examples
    --------
    >>> from skvision.exceptions import shown
    >>> shown("cat.jpg"), shown(b"GIF89a"), len(shown("A" * 2_000_000))
    ("'cat.jpg'", '6 bytes', 80)
    """
    if isinstance(value, bytes | bytearray):
        return f"{len(value)} bytes"
    if hasattr(value, "shape") and hasattr(value, "dtype"):
        return f"an array of shape {tuple(value.shape)} and dtype {value.dtype}"
    text = " ".join(_BRIEF.repr(value).split())
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 3]}..."
