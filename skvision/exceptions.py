"""The error and warning classes of skvision."""

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

# maximum length of a user's value in an error; long texts are cut before they are formatted
_LONGEST = 80
_BRIEF = reprlib.Repr()
_BRIEF.maxstring = _BRIEF.maxother = _LONGEST


class ImageDecodeError(ValueError):
    """An image could not be read.

    Parameters
    ----------
    source : str
        A file name, or a description of bytes in memory.
    reason : str
        The reason of the failure.

    Examples
    --------
    >>> from skvision.exceptions import ImageDecodeError
    >>> print(ImageDecodeError("cat.jpg", "the file is empty"))
    cannot read the image cat.jpg: the file is empty
    """

    def __init__(self, source: str, reason: str) -> None:
        # pass both to ValueError, so that the error can be pickled across worker processes
        super().__init__(source, reason)
        self.source = source
        self.reason = reason

    def __str__(self) -> str:
        # a path has at most 4,096 characters; a longer text isn't a path
        source = self.source if len(self.source) <= 4096 else f"{self.source[: _LONGEST - 3]}..."
        return f"cannot read the image {source}: {self.reason}"


class TrainingDivergedError(ValueError):
    """The loss became infinite or not a number, so the weights are useless."""


class PixelRangeWarning(UserWarning):
    """The training images use so little of their scale that the scale may be wrong."""


class SkippedImageWarning(UserWarning):
    """Images, or files that look like images, were left out of a data set."""


class TrainingInterruptedWarning(UserWarning):
    """Ctrl-C ended training; the estimator is fitted with the weights reached by then."""


class FeatureEngineWarning(UserWarning):
    """Features are computed by another engine or precision than in fit, and differ a little."""


class CheckpointWarning(UserWarning):
    """A checkpoint could not be written or read; training continued without it."""


class UnsupportedModelError(ValueError):
    """A model holds parts that a safe file can't hold: code, or types that are unsafe to load."""


class ModelVersionWarning(UserWarning):
    """A model file was written with other versions than those installed."""


def first_line(error: BaseException) -> str:
    """Return the first line of an error's message; its name if the message is empty.

    Examples
    --------
    >>> from skvision.exceptions import first_line
    >>> first_line(KeyError("a")), first_line(MemoryError())
    ("'a'", 'MemoryError')
    """
    return (str(error).strip() or type(error).__name__).splitlines()[0]


def shown(value: object) -> str:
    """Return a user's value as text for an error: at most 80 characters, bytes only counted.

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
