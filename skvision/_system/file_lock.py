"""Locks on single bytes of a file, which the system releases when their process ends."""

from __future__ import annotations

import os
import sys

__all__ = ["lock_byte", "unlock_byte"]


def lock_byte(handle: int, place: int = 0) -> bool:
    """Lock one byte of an open file if no other process has locked it, without waiting.

    The lock belongs to the process, not to one of its threads, and a forked child doesn't
    inherit it. On Linux and macOS a process loses all its locks on a file when it closes any
    handle of that file.

    Parameters
    ----------
    handle : int
        File descriptor, open for reading and writing.
    place : int, default=0
        Position of the byte, from 0 to 2**31 - 1; the file may be shorter.

    Returns
    -------
    bool
        Whether this process has the lock now.

    Raises
    ------
    OSError
        If the file system has no locks.

    Examples
    --------
    >>> import tempfile
    >>> from skvision._system.file_lock import lock_byte, unlock_byte
    >>> with tempfile.TemporaryFile() as file:
    ...     got = lock_byte(file.fileno(), 7)
    ...     unlock_byte(file.fileno(), 7)
    >>> got
    True
    """
    try:
        _set(handle, place, lock=True)
    except (BlockingIOError, PermissionError):
        return False
    return True


def unlock_byte(handle: int, place: int = 0) -> None:
    """Release a lock.

    Parameters
    ----------
    handle, place : int
        As in `lock_byte`.

    Raises
    ------
    OSError
        If the file system has no locks.
    """
    _set(handle, place, lock=False)


if sys.platform == "win32":
    import msvcrt

    def _set(handle: int, place: int, *, lock: bool) -> None:
        os.lseek(handle, place, os.SEEK_SET)
        msvcrt.locking(handle, msvcrt.LK_NBLCK if lock else msvcrt.LK_UNLCK, 1)

else:
    import fcntl

    def _set(handle: int, place: int, *, lock: bool) -> None:
        fcntl.lockf(handle, fcntl.LOCK_EX | fcntl.LOCK_NB if lock else fcntl.LOCK_UN, 1, place)
