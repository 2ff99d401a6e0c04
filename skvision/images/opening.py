"""A file name, bytes or PIL image -> a picture of which only the header has been read.

What can be refused is refused here: before any pixel is decoded, and before any
memory is taken for pixels.
"""

from __future__ import annotations

import errno
import io
import os
import stat
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock
from typing import BinaryIO, TypeGuard

from PIL import ExifTags, Image, UnidentifiedImageError

from ..exceptions import ImageDecodeError
from .derived import DerivedImage
from .packages import opened_by_package

__all__ = ["MAX_PIXELS", "ImageSource", "StoredImage", "is_image_source", "opened"]

#: a picture as it is kept somewhere
StoredImage = str | os.PathLike[str] | bytes | bytearray | memoryview | Image.Image
#: whatever can be decoded
ImageSource = StoredImage | DerivedImage

# Where Pillow refuses decompression bombs: 537 MB once decoded. Phones take photos of a
# hundred million pixels, at which it only warns. It is our own constant because Pillow's
# is one setting for the whole process, which is the user's.
MAX_PIXELS = 178_956_970

# A PIL image is loaded in place, and the same one may stand in a batch more than once.
_LOADING = Lock()

_SYSTEM_ERRORS = {
    errno.EACCES: "no permission to read it",
    errno.ELOOP: "its symbolic links go round in a circle",
    errno.ENAMETOOLONG: "its name is longer than the file system allows",
    errno.ENOTDIR: "no such file: a part of its path is a file, not a folder",
    errno.EPERM: "no permission to read it",
}


def is_image_source(item: object) -> TypeGuard[ImageSource]:
    """Tell whether `item` is something that `decode` can be asked to read."""
    if isinstance(item, memoryview):
        return item.ndim == 1  # others are views of arrays
    return isinstance(item, str | os.PathLike | bytes | bytearray | Image.Image | DerivedImage)


@contextmanager
def opened(source: StoredImage) -> Iterator[Image.Image]:
    """Open a picture; whatever goes wrong until the block ends is an ImageDecodeError.

    Parameters
    ----------
    source : str, path-like, bytes, bytearray, memoryview or PIL.Image.Image
        What to open.

    Yields
    ------
    PIL.Image.Image
        The picture, its pixels not yet decoded; `source` itself, loaded, if that
        is a PIL image.

    Examples
    --------
    >>> from PIL import Image
    >>> from skvision.images.opening import opened
    >>> with opened(Image.new("L", (4, 2))) as image:
    ...     image.size
    (4, 2)
    """
    name = _name_of(source)
    try:
        if isinstance(source, Image.Image):
            _check_size(source.size, name)
            with _LOADING:
                source.load()
            yield source
        else:
            with _stream(source, name) as file:
                image = _identified(file, name)
                _check_size(image.size, name)
                _check_strips(image, name)
                yield image
    except ImageDecodeError:
        raise
    except Exception as error:  # Pillow's plugins raise anything on a malformed file
        raise ImageDecodeError(name, _reason(error, name)) from error


def _name_of(source: StoredImage) -> str:
    if isinstance(source, Image.Image):
        file = os.fsdecode(getattr(source, "filename", "") or "")
        kind = f"<PIL image {source.size[0]}x{source.size[1]} {source.mode}>"
        return f"{file} {kind}" if file else kind
    if isinstance(source, str | os.PathLike):
        return os.fsdecode(source)
    return f"<{len(source)} bytes>"


def _stream(source: StoredImage, name: str) -> BinaryIO:
    if isinstance(source, bytes | bytearray | memoryview):
        if len(source) == 0:
            raise ImageDecodeError(name, "the file is empty")
        return io.BytesIO(source)
    status = os.stat(name)
    if stat.S_ISDIR(status.st_mode):
        raise ImageDecodeError(name, "it is a folder, not a file")
    if not stat.S_ISREG(status.st_mode):
        # opening a pipe would wait for ever for somebody to write into it
        raise ImageDecodeError(name, "it is a pipe, socket or device, not a regular file")
    if status.st_size == 0:
        raise ImageDecodeError(name, "the file is empty")
    return _File(name)


class _File(io.BufferedReader):
    """A file that takes memory for what it has, not for what it is asked for.

    Some headers have Pillow ask for four gigabytes of a file of four kilobytes, which Python would
    take before it reads.
    """

    def __init__(self, name: str) -> None:
        super().__init__(io.FileIO(name))
        self._size = os.fstat(self.fileno()).st_size

    def read(self, size: int | None = -1, /) -> bytes:
        if size is None or size < 0:
            return super().read()
        return super().read(min(size, self._size))


def _identified(file: BinaryIO, name: str) -> Image.Image:
    """Do what `PIL.Image.open` does, apart from its own check of the size.

    That check warns where threads can't silence it (filters of warnings belong
    to the process), and its error doesn't tell the dimensions.
    """
    beginning = file.read(16)
    for load_plugins in (Image.preinit, Image.init):  # the common formats, then all
        load_plugins()
        for factory, accepts in map(Image.OPEN.__getitem__, Image.ID):
            try:
                # True, or a text on what Pillow would need for this format
                if accepts is None or accepts(beginning) is True:
                    file.seek(0)
                    return factory(file, name)
            except (SyntaxError, IndexError, TypeError, struct.error):
                continue  # Pillow's sign for "not my format"
    image = opened_by_package(file, name)
    if image is None:
        raise UnidentifiedImageError
    return image


def _check_size(size: tuple[int, int], name: str) -> None:
    if size[0] * size[1] > MAX_PIXELS:
        raise ImageDecodeError(
            name,
            f"it is {size[0]:,} x {size[1]:,} pixels, more than the {MAX_PIXELS:,} that are "
            "decoded (it may be a decompression bomb); make it smaller first",
        )


def _check_strips(image: Image.Image, name: str) -> None:
    """Refuse a TIFF without strips for its last rows, which Pillow would take for black."""
    if image.format != "TIFF":
        return
    height = image.tag_v2[ExifTags.Base.ImageLength]  # type: ignore[attr-defined]
    ends = [tile[1][3] for tile in image.tile]  # type: ignore[attr-defined]
    if ends and max(ends) < height:
        raise ImageDecodeError(name, f"it holds {max(ends):,} of its {height:,} rows of pixels")


def _reason(error: Exception, name: str) -> str:
    """One line that a user understands, from whatever the system or Pillow raised."""
    if isinstance(error, FileNotFoundError):
        return _missing(name)
    if isinstance(error, UnidentifiedImageError):
        return "it is not a picture in a format that Pillow reads"
    if isinstance(error, Image.DecompressionBombError):  # some plugins look while opening
        return f"it has more than the {MAX_PIXELS:,} pixels that are decoded; {error}"
    if isinstance(error, MemoryError):
        return "there is not enough memory to decode it"
    if isinstance(error, OSError) and error.errno is not None:
        return _SYSTEM_ERRORS.get(error.errno) or os.strerror(error.errno)
    text = str(error).strip().rstrip(".") or type(error).__name__
    return text.splitlines()[0]


def _missing(name: str) -> str:
    if os.path.islink(name):
        return f"it is a link to {os.readlink(name)}, which does not exist"
    if "://" in name:
        return "it is a URL, and nothing is downloaded; download it and pass the file's name"
    if name.startswith("~"):
        return "no such file; ~ is not replaced in file names: use os.path.expanduser"
    # names in a table, say, are often relative to the table's folder
    return "no such file" if os.path.isabs(name) else f"no such file; looked in {os.getcwd()}"
