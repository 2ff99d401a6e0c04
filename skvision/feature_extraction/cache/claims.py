"""Claims on features that are being computed: each claim locks one byte of a file.

The system unlocks the bytes of a process that ends in any way, so no claim outlives its holder.
Nothing is written into the file. The locks exclude other processes; a table in this process
excludes its other threads. Without file locks, some features are computed twice.
"""

from __future__ import annotations

import os
import threading
import zlib
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from ..._system.file_lock import lock_byte, unlock_byte

__all__ = ["Claims"]

_lock = threading.Lock()


class _ClaimFile:
    """The bytes of one file that this process has locked."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._handle: int | None = None
        self._places: set[int] = set()

    def lock(self, place: int) -> bool:
        if place in self._places:
            return False
        try:
            if self._handle is None:
                self._handle = os.open(self._path, os.O_RDWR | os.O_CREAT)
            free = lock_byte(self._handle, place)
        except OSError:
            free = True
        if free:
            self._places.add(place)
        return free

    def unlock(self, place: int) -> None:
        self._places.discard(place)
        if self._handle is None:
            return
        with suppress(OSError):
            unlock_byte(self._handle, place)
        if not self._places:  # closing the file releases all locks of this process
            os.close(self._handle)
            self._handle = None

    def forget(self) -> None:
        """In a forked child: the locks are the parent's."""
        self._places.clear()


_files: dict[str, _ClaimFile] = {}


class Claims:
    """The claims of one call on images of one network.

    Parameters
    ----------
    path : pathlib.Path
        The cache's file; claims are locks on another file beside it.
    network_key : str
        The key of the network.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> from skvision.feature_extraction.cache.claims import Claims
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     one, other = (Claims(Path(folder) / "features", "VGG16") for _ in range(2))
    ...     taken = one.take([b"cat", b"dog"]), other.take([b"dog", b"owl"])
    ...     one.release([b"dog"])
    ...     again = other.take([b"dog"])
    ...     one.release()
    ...     other.release()
    >>> taken, again
    (([b'cat', b'dog'], [b'owl']), [b'dog'])
    """

    def __init__(self, path: Path, network_key: str) -> None:
        self._path = os.path.realpath(f"{path}.claims")
        self._network = zlib.crc32(network_key.encode())
        self._mine: dict[bytes, int] = {}

    def take(self, keys: Iterable[bytes]) -> list[bytes]:
        """Claim images; return those that no other call of any process had claimed."""
        taken = []
        with _lock:
            file = _files.setdefault(self._path, _ClaimFile(self._path))
            for key in keys:
                # two keys with the same byte can't be claimed at once: one waits for the other
                place = zlib.crc32(key, self._network) >> 1
                if file.lock(place):
                    self._mine[key] = place
                    taken.append(key)
        return taken

    def release(self, keys: Iterable[bytes] | None = None) -> None:
        """Release claims; all of them if `keys` is None."""
        with _lock:
            for key in list(self._mine if keys is None else keys):
                place = self._mine.pop(key, None)
                if place is not None:
                    _files[self._path].unlock(place)


def _after_fork() -> None:
    for file in _files.values():
        file.forget()
    _lock.release()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(
        before=_lock.acquire, after_in_parent=_lock.release, after_in_child=_after_fork
    )
