"""The model file: a zip of plain members that ends in the digest of all earlier bytes.

Members are stored uncompressed and never unpacked to disk, so a file can't grow when it is
read. The digest detects damage. It isn't a signature: an attacker who forges a file can also
compute its digest. A forged file still can't run code, since nothing in the file is code.
"""

from __future__ import annotations

import hashlib
import json
import math
import os
import re
import zipfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

import numpy as np

from .._system.atomic import written_whole
from ..exceptions import first_line

__all__ = ["MANIFEST", "damaged", "open_archive", "write_archive"]

MANIFEST = "skvision.json"
#: the member in which skops describes the model
_SCHEMA = "schema.json"

_MARK = b"skvision sha256 "
_DIGEST_CHARACTERS = 64
_CHUNK = 2**20

# arrays, bytes and the two descriptions; no folders
_MEMBER = re.compile(r"[0-9A-Za-z_-]+\.(json|npy|bin)", re.ASCII)


def damaged(path: str | os.PathLike[str], reason: str | BaseException) -> ValueError:
    """Return the error for a file that is damaged or of another kind."""
    if isinstance(reason, BaseException):
        reason = first_line(reason)
    return ValueError(f"{path} is damaged or isn't a model file of skvision: {reason}")


def write_archive(
    path: Path, write_model: Callable[[IO[bytes]], None], manifest: Mapping[str, Any]
) -> None:
    """Write a complete file, or none.

    Parameters
    ----------
    path : pathlib.Path
        Path of the file; an existing file is replaced.
    write_model : callable
        Writes skops' zip to a binary file.
    manifest : mapping
        Facts that can be read without loading the model, as JSON.
    """
    with written_whole(path) as temporary, open(temporary, "w+b") as file:
        write_model(file)
        with zipfile.ZipFile(file, "a", zipfile.ZIP_STORED) as archive:
            archive.writestr(MANIFEST, json.dumps(manifest))
            archive.comment = _MARK + b"0" * _DIGEST_CHARACTERS
        with zipfile.ZipFile(file) as archive:
            _check_members(archive, file)
        size = file.seek(0, os.SEEK_END) - _DIGEST_CHARACTERS
        digest = _digest(file, size)
        file.seek(size)
        file.write(digest)


@contextmanager
def open_archive(path: str | os.PathLike[str]) -> Iterator[zipfile.ZipFile]:
    """Open a file after checking its digest and its members.

    Raises
    ------
    FileNotFoundError
        If the file doesn't exist.
    ValueError
        If a byte of it was changed, or it holds a member that skvision doesn't write.
    """
    if not Path(path).is_file():
        raise FileNotFoundError(f"There is no model file {path}.")
    with open(path, "rb") as file:
        _check_digest(file, path)
        try:
            archive = zipfile.ZipFile(file)
            _check_members(archive, file)
        except (zipfile.BadZipFile, ValueError, NotImplementedError) as error:
            raise damaged(path, error) from error
        with archive:
            yield archive


def _digest(file: IO[bytes], size: int) -> bytes:
    """Return the digest of the first `size` bytes, as hexadecimal digits."""
    digest = hashlib.sha256()
    file.seek(0)
    while size > 0 and (part := file.read(min(_CHUNK, size))):
        digest.update(part)
        size -= len(part)
    return digest.hexdigest().encode()


def _check_digest(file: IO[bytes], path: str | os.PathLike[str]) -> None:
    end = len(_MARK) + _DIGEST_CHARACTERS
    size = file.seek(0, os.SEEK_END)
    file.seek(max(0, size - end))
    mark, written = (lambda last: (last[: len(_MARK)], last[len(_MARK) :]))(file.read(end))
    if mark != _MARK:
        raise damaged(path, "its end is not that of a model file; it may be truncated")
    if _digest(file, size - _DIGEST_CHARACTERS) != written:
        raise damaged(path, "it was changed after it was written: its checksum is wrong")


def _check_members(archive: zipfile.ZipFile, file: IO[bytes]) -> None:
    """Raise ValueError for a member that skvision doesn't write."""
    members = archive.infolist()
    names = [member.filename for member in members]
    for member in members:
        if not _MEMBER.fullmatch(member.filename):
            raise ValueError(f"it must not hold {member.filename!r}")
        if member.compress_type != zipfile.ZIP_STORED or member.flag_bits & 1:
            raise ValueError(f"{member.filename} in it is compressed or encrypted")
    if len(set(names)) < len(names):
        raise ValueError("it holds two members of the same name")
    if sum(member.file_size for member in members) > os.fstat(file.fileno()).st_size:
        raise ValueError("its members are larger than the file")
    for name in (_SCHEMA, MANIFEST):
        if name not in names:
            raise ValueError(f"it holds no {name}")
    for member in members:
        if member.filename.endswith(".npy"):
            _check_array(archive, member)


def _check_array(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> None:
    """Raise ValueError if an array's shape exceeds its bytes, or if it holds objects.

    NumPy trusts the shape, and allocates the memory before it reads.
    """
    formats = {(1, 0): np.lib.format.read_array_header_1_0}
    formats[2, 0] = np.lib.format.read_array_header_2_0
    with archive.open(member) as content:
        version = np.lib.format.read_magic(content)
        if version not in formats:
            raise ValueError(f"{member.filename} in it has NumPy's format {version}")
        shape, _, dtype = formats[version](content)
        if dtype.hasobject:
            raise ValueError(f"{member.filename} in it holds objects")
        if math.prod(shape) * dtype.itemsize != member.file_size - content.tell():
            raise ValueError(f"{member.filename} in it has another length than its shape")
