"""Formats that can be opened: Pillow's, and those of optional packages."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from dataclasses import dataclass
from importlib.util import find_spec
from typing import BinaryIO

from PIL import Image, ImageFile, features

from ..exceptions import ImageDecodeError

__all__ = ["PACKAGES", "Package", "image_suffixes", "is_decoded", "opened_by_package"]

# Pillow knows them by name, but has no decoder for video, and runs Ghostscript for EPS
_NOT_DECODED = {"EPS", "MPEG"}
# optional parts of Pillow
_FEATURES = {"AVIF": "avif", "JPEG2000": "jpg_2000", "WEBP": "webp"}


@dataclass(frozen=True)
class Package:
    """A format that an optional package opens.

    Parameters
    ----------
    kind : str
        The format's name.
    suffixes : tuple of str
        Endings of its files, in lower case.
    needs : str
        The module to install.
    opener : str
        ``module:name`` of a function that opens a file as a Pillow plugin does, called with
        the stream and the file's name.
    accepts : callable
        Returns whether a file has this format, from its first 132 bytes.
    extra : str
        The extra of skvision that installs the package.
    """

    kind: str
    suffixes: tuple[str, ...]
    needs: str
    opener: str
    accepts: Callable[[bytes], bool]
    extra: str

    @property
    def is_installed(self) -> bool:
        """Return whether files of this format can be opened."""
        return find_spec(self.needs) is not None

    @property
    def cure(self) -> str:
        """The command that installs the package."""
        return f'pip install "skvision[{self.extra}]"'


_HEIC_BRANDS = {b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"hevm", b"hevs"}
_HEIC_BRANDS |= {b"mif1", b"msf1"}  # AVIF's too, which Pillow has tried by then

PACKAGES = (
    Package(
        "HEIC",
        (".heic", ".heif", ".hif", ".heics", ".heifs"),
        "pillow_heif",
        "pillow_heif:HeifImageFile",
        lambda start: start[4:8] == b"ftyp" and start[8:12] in _HEIC_BRANDS,
        "heic",
    ),
    Package(
        "DICOM",
        (".dcm", ".dicom", ".dic"),
        "pydicom",
        "skvision.images.dicom:DicomImageFile",
        lambda start: start[128:132] == b"DICM",
        "dicom",
    ),
)


def image_suffixes() -> frozenset[str]:
    """Return the endings of files that can be opened, in lower case.

    They include all formats that Pillow and its registered plugins decode, and those of
    installed `PACKAGES`.

    Examples
    --------
    >>> from skvision.images.packages import image_suffixes
    >>> sorted(image_suffixes() & {".jpg", ".JPG", ".png", ".txt"})
    ['.jpg', '.png']
    """
    Image.init()
    decoded = {
        suffix
        for suffix, kind in Image.registered_extensions().items()
        if is_decoded("JPEG" if kind == "MPO" else kind)  # an MPO is opened as a JPEG
    }
    added = {suffix for each in PACKAGES if each.is_installed for suffix in each.suffixes}
    return frozenset(decoded | added)


def is_decoded(kind: str) -> bool:
    """Return whether Pillow can decode a format that it recognises.

    Examples
    --------
    >>> from PIL import Image
    >>> from skvision.images.packages import is_decoded
    >>> _ = Image.init()
    >>> is_decoded("PNG"), is_decoded("EPS")
    (True, False)
    """
    if kind not in Image.OPEN or kind in _NOT_DECODED:
        return False
    factory = Image.OPEN[kind][0]
    # a stub only recognises a format, and has no decoder
    is_stub = isinstance(factory, type) and issubclass(factory, ImageFile.StubImageFile)
    return not is_stub and (kind not in _FEATURES or bool(features.check(_FEATURES[kind])))


def opened_by_package(file: BinaryIO, name: str) -> Image.Image | None:
    """Open a file that Pillow doesn't know; return None if its format isn't in `PACKAGES`.

    Raises
    ------
    ImageDecodeError
        If the package for its format is not installed.
    """
    file.seek(0)
    start = file.read(132)
    for each in PACKAGES:
        if not each.accepts(start):
            continue
        if not each.is_installed:
            raise ImageDecodeError(name, f"it is a {each.kind} file; to read it: {each.cure}")
        module, _, opener = each.opener.partition(":")
        file.seek(0)
        image: Image.Image = getattr(importlib.import_module(module), opener)(file, name)
        return image
    return None
