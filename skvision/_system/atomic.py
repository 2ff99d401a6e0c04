"""Write a file under a temporary name, then rename it."""

from __future__ import annotations

import errno
import os
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

__all__ = ["not_writable", "reason_of", "written_whole"]

# what a full disk, a user's share of it and a limit of a file's size are called
_FULL = {errno.ENOSPC, errno.EFBIG, getattr(errno, "EDQUOT", errno.ENOSPC)}

# the umask belongs to the process, and can be read only by setting it
_UMASK = threading.Lock()


def not_writable(path: str | os.PathLike[str], error: OSError) -> OSError:
    """Return an error that names what can't be written, why, and what to do.

    Examples
    --------
    >>> from skvision._system.atomic import not_writable
    >>> print(not_writable("models/m.skv", OSError(28, "No space left on device")))
    models/m.skv can't be written: No space left on device. Make room on the disk, or pass \
another folder to write to.
    """
    todo = "Make room on the disk, or pass" if error.errno in _FULL else "Pass"
    why = error.strerror or error
    return type(error)(f"{path} can't be written: {why}. {todo} another folder to write to.")


def reason_of(error: OSError) -> str:
    """Return what the system said, without the sentence that `not_writable` made of it.

    Examples
    --------
    >>> from skvision._system.atomic import reason_of
    >>> reason_of(OSError(28, "No space left on device"))
    'No space left on device'
    """
    cause = error.__cause__ if isinstance(error.__cause__, OSError) else error
    return cause.strerror or str(cause)


@contextmanager
def written_whole(path: str | os.PathLike[str]) -> Iterator[Path]:
    """Yield a temporary path in the same folder, and rename it to `path` at the end.

    If the block fails or the process is killed, an existing file at `path` stays unchanged.
    Whether the folder can be written is checked before the block runs.

    Parameters
    ----------
    path : str or path-like
        Final path of the file.

    Yields
    ------
    pathlib.Path
        Path that the block must write to.

    Raises
    ------
    OSError
        If the folder can't be written.

    Examples
    --------
    >>> import tempfile, pathlib
    >>> from skvision._system.atomic import written_whole
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     with written_whole(pathlib.Path(folder) / "a.txt") as temporary:
    ...         _ = temporary.write_text("all of it")
    ...     (pathlib.Path(folder) / "a.txt").read_text()
    'all of it'
    """
    path = Path(path)
    if path.is_dir():
        raise IsADirectoryError(f"{path} is a folder. Pass a file in it.")
    if not path.parent.is_dir():
        raise FileNotFoundError(f"There is no folder {path.parent} to write {path.name} into.")
    # keep the ending, since some writers choose the format by it; keep the name short, since the
    # final name may have the maximum length
    try:
        handle, name = tempfile.mkstemp(
            prefix=f".{path.stem[:30]}.", suffix=f".part{path.suffix}", dir=path.parent
        )
    except OSError as error:
        raise not_writable(path.parent, error) from error
    os.close(handle)
    temporary = Path(name)
    try:
        yield temporary
        with open(temporary, "rb") as file:
            os.fsync(file.fileno())
        # mkstemp's files are private; a model should have the permissions of any new file
        with _UMASK:
            umask = os.umask(0)
            os.umask(umask)
        temporary.chmod(0o666 & ~umask)
        os.replace(temporary, path)
    except OSError as error:
        # the error of a full disk doesn't name the file; our own errors have no number
        if error.errno is None or error.filename not in (None, name, str(path)):
            raise
        raise not_writable(path, error) from error
    finally:
        with suppress(FileNotFoundError):
            temporary.unlink()
