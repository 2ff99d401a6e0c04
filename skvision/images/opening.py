"""Open a file name, bytes or a PIL image, reading only the header.

Invalid images are refused here if possible, before pixels are decoded and memory is
allocated for them.
"""

from __future__ import annotations

import errno
import io
import os
import re
import stat
import struct
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from threading import Lock
from typing import BinaryIO, NamedTuple, TypeGuard

from PIL import ExifTags, Image, TiffImagePlugin

from ..exceptions import ImageDecodeError
from .derived import DerivedImage
from .foreign import LONGEST_BEGINNING, RAW, ending_of, foreign_by_name, said_of
from .packages import is_decoded, opened_by_package
from .samples import is_deep_colour

__all__ = [
    "MAX_PIXELS",
    "REDUCIBLE",
    "FileContent",
    "ImageSource",
    "StoredImage",
    "check_size",
    "is_image_source",
    "is_url",
    "opened",
]


class FileContent(NamedTuple):
    """The content of a file that has been read, with the file's name for errors."""

    name: str
    data: bytes


#: a stored image
StoredImage = str | os.PathLike[str] | bytes | bytearray | memoryview | Image.Image | FileContent
#: anything that can be decoded
ImageSource = StoredImage | DerivedImage

# Pillow's limit for decompression bombs: 537 MB once decoded. It only warns of half as many
# pixels, which photos of phones have. We have our own constant because Pillow's is a setting of
# the user for the whole process; if the user raises it, our limit rises too.
MAX_PIXELS = 178_956_970

#: Pillow's names of formats that can be decoded at reduced size
REDUCIBLE = ("JPEG", "MPO")

# Bytes of such a file that are decoded at once. After each block a thread waits for Python's lock:
# with Pillow's 64 KiB, threads hardly decode while another one runs Python.
_BLOCK = 4 * 2**20

# An image that is decoded at reduced size may have this many times as many pixels: they need
# time, but no memory.
_REDUCED = 8

# Bytes that a pixel takes at most while it is decoded, all copies together, so that MAX_PIXELS
# take 2 GiB. Where decoders make more copies, as WebP's does of the first frame of an animation,
# fewer pixels are decoded. Colour of 16 bits takes 40, and may take 4 GiB: it counts half.
_USUAL_BYTES = 12
_BYTES = {"WEBP": 20, "JPEG2000": 20}
_BYTES_OF_MODES = {"I": 16, "F": 16}
_BYTES_OF_DEEP_COLOUR = 20

# A PIL image is loaded in place, and a batch may contain the same one more than once.
_LOADING = Lock()

_SYSTEM_ERRORS = {
    errno.EACCES: "no permission to read it",
    errno.ELOOP: "its symbolic links form a loop",
    errno.ENAMETOOLONG: "its name is longer than the file system allows",
    errno.ENOTDIR: "no such file: a part of its path is a file, not a folder",
    errno.EPERM: "no permission to read it",
}


def is_image_source(item: object) -> TypeGuard[ImageSource]:
    """Return whether `item` has a type that `decode` accepts."""
    if isinstance(item, memoryview):
        return item.ndim == 1  # memoryviews of more dimensions are arrays
    return isinstance(item, str | os.PathLike | bytes | bytearray | Image.Image | DerivedImage)


def is_url(name: str | os.PathLike[str]) -> bool:
    """Return whether a name is a URL; a path object keeps only one of its two slashes.

    Examples
    --------
    >>> from pathlib import PurePath
    >>> from skvision.images.opening import is_url
    >>> is_url("https://example.org/1.jpg"), is_url(PurePath("s3://a")), is_url("C:/1.jpg")
    (True, True, False)
    """
    return re.match(r"[A-Za-z][\w+.-]+:/", os.fspath(name)) is not None


@contextmanager
def opened(source: StoredImage) -> Iterator[Image.Image]:
    """Open an image; any error until the block ends becomes an ImageDecodeError.

    Parameters
    ----------
    source : str, path-like, bytes, bytearray, memoryview or PIL.Image.Image
        The image to open.

    Yields
    ------
    PIL.Image.Image
        The image, with its pixels not yet decoded (for `REDUCIBLE` formats the caller must
        still call `check_size`); `source` itself, loaded, if it is a PIL image.

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
            check_size(source, source.size)
            with _LOADING:
                source.load()
            yield source
        else:
            with _stream(source, name) as file:
                image = _identified(file, name)
                if image.format in REDUCIBLE:
                    image.decodermaxblock = _BLOCK  # type: ignore[attr-defined]
                else:
                    check_size(image, image.size)
                if image.format == "TIFF":
                    _refuse_thumbnail(image, name)
                    _check_strips(image, name)
                    _mend_tiles(image)
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
    if isinstance(source, FileContent):
        return source.name
    return f"<{len(source)} bytes>"


def _stream(source: StoredImage, name: str) -> BinaryIO:
    if isinstance(source, FileContent):
        return io.BytesIO(source.data)
    if isinstance(source, bytes | bytearray | memoryview):
        if len(source) == 0:
            raise ImageDecodeError(name, "the file is empty")
        return io.BytesIO(source)
    status = os.stat(name)
    if stat.S_ISDIR(status.st_mode):
        raise ImageDecodeError(name, "it is a folder, not a file")
    if not stat.S_ISREG(status.st_mode):
        # opening a pipe would wait until another process writes into it
        raise ImageDecodeError(name, "it is a pipe, socket or device, not a regular file")
    if status.st_size == 0:
        raise ImageDecodeError(name, "the file is empty")
    return _File(name)


class _File(io.BufferedReader):
    """A file that allocates memory for its actual bytes, not for the requested number.

    Some headers make Pillow request four gigabytes from a file of four kilobytes, which Python
    would allocate before it reads.
    """

    def __init__(self, name: str) -> None:
        super().__init__(io.FileIO(name))
        self._size = os.fstat(self.fileno()).st_size

    def read(self, size: int | None = -1, /) -> bytes:
        if size is None or size < 0:
            return super().read()
        return super().read(min(size, self._size))


def _identified(file: BinaryIO, name: str) -> Image.Image:
    """Open as `PIL.Image.open` does, without its check of the size.

    Threads can't silence the warning of that check (warning filters belong to the process), and
    its error doesn't contain the dimensions.
    """
    beginning = file.read(16)
    if RAW.begins(beginning):  # Pillow may open it as a TIFF, and read a thumbnail
        raise ImageDecodeError(name, said_of(beginning, name))
    for load_plugins in (Image.preinit, Image.init):  # the common formats, then all
        load_plugins()
        for kind in Image.ID:
            factory, accepts = Image.OPEN[kind]
            try:
                # True, or a text about a missing part of Pillow for this format
                if (accepts is None or accepts(beginning) is True) and is_decoded(kind):
                    file.seek(0)
                    return factory(file, name)
            except (SyntaxError, IndexError, TypeError, struct.error):
                continue  # exceptions by which plugins reject a format
    image = opened_by_package(file, name)
    if image is not None:
        return image
    if beginning[:4] in (b"II*\0", b"MM\0*"):
        raise ImageDecodeError(name, _unknown_tiff(file))
    file.seek(0)
    raise ImageDecodeError(name, said_of(file.read(LONGEST_BEGINNING), name))


_SAMPLE_FORMATS = {1: "unsigned integers", 2: "signed integers", 3: "floats"}


def _unknown_tiff(file: BinaryIO) -> str:
    """Describe a kind of TIFF that Pillow can't read."""
    reason = "it is a TIFF of a kind that Pillow can't read"
    with suppress(Exception):  # a malformed TIFF has no further details
        file.seek(0)
        tags = TiffImagePlugin.ImageFileDirectory_v2(file.read(8))
        file.seek(tags.next)
        tags.load(file)
        bits = tags[ExifTags.Base.BitsPerSample]
        kinds = tags.get(ExifTags.Base.SampleFormat, (1,))
        numbers = _SAMPLE_FORMATS.get(kinds[0], "other numbers")
        many = f"{len(bits)} channels of {bits[0]}" if len(bits) > 1 else f"{bits[0]}"
        reason += f", {many}-bit {numbers}"
    return f"{reason}; convert it to integers of 8 or 16 bits, grey or RGB, little-endian"


def check_size(image: Image.Image, full: tuple[int, int]) -> None:
    """Raise ValueError if decoding an image would need too much; `full` is its stored size.

    The decoded size counts, since a JPEG may be set to decode at reduced size. A progressive
    JPEG, or one with a scan for each channel, still needs memory for all of its pixels.
    """
    stored = full[0] * full[1]
    allowed = Image.MAX_IMAGE_PIXELS  # Pillow refuses twice as many; None is unlimited
    most = stored if allowed is None else max(MAX_PIXELS, 2 * allowed)
    limit = most * _USUAL_BYTES // max(_USUAL_BYTES, _bytes_a_pixel(image))
    if stored <= limit or allowed is None:
        return
    reduced = image.width * image.height
    if reduced > limit or stored > _REDUCED * limit or not _is_read_row_by_row(image):
        raise ValueError(
            f"it is {full[0]:,} x {full[1]:,} pixels, more than the limit of {limit:,} (it may be "
            "a decompression bomb); make it smaller first, or raise PIL.Image.MAX_IMAGE_PIXELS if "
            "you trust it"
        )


def _bytes_a_pixel(image: Image.Image) -> int:
    if image.format in _BYTES:
        return _BYTES[image.format]
    usual = _BYTES_OF_MODES.get(image.mode, _USUAL_BYTES)
    return _BYTES_OF_DEEP_COLOUR if is_deep_colour(image) else usual


def _is_read_row_by_row(image: Image.Image) -> bool:
    """Return whether a JPEG has a single scan with all channels."""
    file = getattr(image, "fp", None)
    if file is None or image.info.get("progressive"):
        return False
    file.seek(2)
    while len(marker := file.read(4)) == 4 and marker[0] == 0xFF:
        if marker[1] == 0xDA:  # a scan begins; read its channels
            channels: bytes = file.read(1)
            return channels == bytes([image.layers])  # type: ignore[attr-defined]
        file.seek(int.from_bytes(marker[2:], "big") - 2, os.SEEK_CUR)
    return False


_DNG_VERSION, _REDUCED_RESOLUTION = 50706, 1


def _refuse_thumbnail(image: Image.Image, name: str) -> None:
    """Refuse a TIFF whose first page is a thumbnail, as in cameras' raw photos."""
    tags = image.tag_v2  # type: ignore[attr-defined]
    if _DNG_VERSION in tags or foreign_by_name(ending_of(name)) is RAW:
        raise ImageDecodeError(name, said_of(b"", f"{name}.dng"))
    if tags.get(ExifTags.Base.NewSubfileType, 0) & _REDUCED_RESOLUTION:
        raise ImageDecodeError(
            name, "its first page is a thumbnail; convert it to JPEG or to a plain TIFF"
        )


def _check_strips(image: Image.Image, name: str) -> None:
    """Refuse a TIFF without strips for its last rows, which Pillow would read as black."""
    height = image.tag_v2[ExifTags.Base.ImageLength]  # type: ignore[attr-defined]
    ends = [tile[1][3] for tile in image.tile]  # type: ignore[attr-defined]
    if ends and max(ends) < height:
        raise ImageDecodeError(name, f"it holds {max(ends):,} of its {height:,} rows of pixels")


# libtiff returns numbers in the machine's byte order, which Pillow ignores for these
_NATIVE = {"I;16BS": "I;16NS", "I;32BS": "I;32NS", "F;32BF": "F;32NF"}


def _mend_tiles(image: Image.Image) -> None:
    """Correct TIFFs that Pillow would misread; refuse those that it can't read correctly."""
    assert isinstance(image, TiffImagePlugin.TiffImageFile)
    apart = image.tag_v2.get(ExifTags.Base.PlanarConfiguration) == 2
    deep = max(image.tag_v2.get(ExifTags.Base.BitsPerSample, (1,))) > 8
    mended = []
    for tile in image.tile:
        if tile.codec_name == "libtiff" and isinstance(tile.args, tuple):
            rawmode, *others = tile.args
            tile = tile._replace(args=(_NATIVE.get(rawmode, rawmode), *others))
        elif apart and deep and len(image.getbands()) > 1:
            raise ValueError(
                "its channels of more than 8 bits are stored one after the other, which Pillow "
                "misreads; store them pixel by pixel (tifffile: planarconfig='contig')"
            )
        mended.append(tile)
    image.tile = mended


def _reason(error: Exception, name: str) -> str:
    """Return one clear line for an exception of the system or Pillow."""
    if isinstance(error, FileNotFoundError):
        return _missing(name)
    if isinstance(error, Image.DecompressionBombError):  # some plugins check while opening
        return f"it has more than the limit of {MAX_PIXELS:,} pixels; {error}"
    if isinstance(error, MemoryError):
        return "there is not enough memory to decode it"
    if isinstance(error, OSError) and error.errno == errno.ENAMETOOLONG and len(name) > 4096:
        return (
            f"it is a text of {len(name):,} characters, which isn't a file name; for base64 pass "
            "the bytes, base64.b64decode(text)"
        )
    if isinstance(error, OSError) and error.errno is not None:
        return _SYSTEM_ERRORS.get(error.errno) or os.strerror(error.errno)
    text = str(error).strip().rstrip(".") or type(error).__name__
    return text.splitlines()[0]


def _missing(name: str) -> str:
    """Return the likely reason why a file doesn't exist."""
    if os.path.islink(name):
        return f"it is a link to {os.readlink(name)}, which does not exist"
    if is_url(name):
        return "it is a URL, and skvision doesn't download; download it and pass the file's name"
    if name.startswith("data:"):
        return "it is a data URL; pass its content as bytes, base64.b64decode(text)"
    if name.startswith("~"):
        return "no such file; ~ is not replaced in file names: use os.path.expanduser"
    # relative names, as in a table, are often relative to another folder
    return "no such file" if os.path.isabs(name) else f"no such file; looked in {os.getcwd()}"
