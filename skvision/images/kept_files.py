"""Names of files that carry the pixels of their files, so that each file is decoded once.

A `KeptFile` is a file's name. It passes through arrays, scikit-learn's splits and estimators as
names do. The readers of images find its pixels, its levels and its key in it.
"""

from __future__ import annotations

import os
from collections.abc import Sequence

import numpy as np

from .._sklearn.network_estimator import ReadAs
from .decode import Look, examine
from .image_key import image_key
from .kept import KeptPixels
from .learning import Levels, is_narrow
from .opening import FileContent
from .pixels import named_range
from .stored_name import KeptFile

__all__ = ["examine_file", "keep_files", "kept_places", "look_at_file"]

# Files up to this size are read whole if their key is needed, so that they are read once. Small
# files are hashed in any case: many have the same size, and only their content distinguishes them.
_WHOLE, _SMALL = 64 * 2**20, 2**20

_BYTES = (0.0, 255.0)


class _Kept:
    """The pixels of several files, and how they were read."""

    def __init__(self, n: int, read_as: ReadAs) -> None:
        self.read_as = read_as
        self.pixels = KeptPixels(n, (*read_as.size, 3), np.dtype(np.uint8), spill=True)


def keep_files(files: Sequence[str], read_as: ReadAs) -> list[KeptFile]:
    """Name files so that each is decoded once, by `examine_file`.

    Parameters
    ----------
    files : sequence of str
        Their names.
    read_as : ReadAs
        How they will be read.

    Returns
    -------
    list of KeptFile
        The same names. Pixels are kept as long as one of them is.
    """
    kept = _Kept(len(files), read_as)
    return [KeptFile(file).at(kept, place) for place, file in enumerate(files)]


def examine_file(file: KeptFile) -> Levels:
    """Decode a file; keep its pixels, its levels and, where it will be asked for, its key.

    Raises
    ------
    ImageDecodeError
        If it can't be read. An image that is off the scale of its reader is not refused here.
    """
    return _examined(file)[0]


def look_at_file(file: KeptFile, longest: int) -> Look:
    """Decode a file as `examine_file` does, and return how it looks from the same decoding.

    Parameters
    ----------
    file : KeptFile
        The file.
    longest : int
        Maximum of the longer side of ``small`` in pixels; 0 for none.

    Returns
    -------
    Look
        ``small`` is smaller than `longest` where the file is decoded at a smaller size.

    Raises
    ------
    ImageDecodeError
        As `examine_file` does.
    """
    return _examined(file, longest)[1]


def _examined(file: KeptFile, longest: int = 0) -> tuple[Levels, Look]:
    kept: _Kept = file.kept
    size, resize, value_range, is_keyed = kept.read_as
    content = _content(file, _WHOLE if is_keyed else _SMALL)
    if content is not None:
        file.key = image_key(content.data)
    levels, pixels, look = examine(
        str(file) if content is None else content, size, resize, value_range, longest=longest
    )
    if pixels is not None:
        kept.pixels.put(np.array([file.place]), pixels[np.newaxis])
        # reducing a JPEG further makes its levels narrower: narrow ones are read again
        if levels.scale != _BYTES or not is_narrow(levels):
            file.levels = levels
    return levels, look


def _content(file: str, most: int) -> FileContent | None:
    """Return a file's content; None if it is larger than this, or can't be read."""
    try:
        if not (os.path.isfile(file) and 0 < os.path.getsize(file) <= most):
            return None
        with open(file, "rb") as stream:
            return FileContent(str(file), stream.read())
    except (OSError, ValueError):  # decoding it raises an error that says what is wrong
        return None


def kept_places(sources: Sequence[object], read_as: ReadAs) -> tuple[KeptPixels, np.ndarray] | None:
    """Return where the pixels of images are kept, and their places; None if they are not kept.

    Parameters
    ----------
    sources : sequence
        The images.
    read_as : ReadAs
        How to read them. Pixels that were decoded for another size or scale don't serve.
    """
    files = [source for source in sources if isinstance(source, KeptFile)]
    if len(files) < len(sources) or len({id(file.kept) for file in files}) != 1:
        return None
    kept: _Kept = files[0].kept
    ours = kept.read_as
    if (ours.size, ours.resize, named_range(ours.value_range)) != (
        read_as.size,
        read_as.resize,
        read_as.value_range,
    ):
        return None
    return kept.pixels, np.array([file.place for file in files])
