"""Write a file under a temporary name, then rename it."""

from __future__ import annotations

import os
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

__all__ = ["written_whole"]

# the umask is the process', and can be read only by setting it
_UMASK = threading.Lock()


@contextmanager
def written_whole(path: str | os.PathLike[str]) -> Iterator[Path]:
    """Give a temporary path in the same folder; rename it to `path` at the end.

    If the block fails, or the process dies in it, a file that was at `path` is
    still the one it was. The folder is tried at once, before the block runs.

    Parameters
    ----------
    path : str or path-like
        Where the file shall be.

    Yields
    ------
    pathlib.Path
        Where the block must write it.

    Raises
    ------
    OSError
        If nothing can be written there.

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
        raise IsADirectoryError(f"{path} is a folder; name a file in it.")
    if not path.parent.is_dir():
        raise FileNotFoundError(f"There is no folder {path.parent} to write {path.name} into.")
    # the ending stays: some writers choose the format by it; a name may be as long as names can be
    handle, name = tempfile.mkstemp(
        prefix=f".{path.stem[:30]}.", suffix=f".part{path.suffix}", dir=path.parent
    )
    os.close(handle)
    temporary = Path(name)
    try:
        yield temporary
        with open(temporary, "rb") as file:
            os.fsync(file.fileno())
        # mkstemp's files are private; a model is as readable as any new file
        with _UMASK:
            umask = os.umask(0)
            os.umask(umask)
        temporary.chmod(0o666 & ~umask)
        os.replace(temporary, path)
    except OSError as error:
        # a full disk does not say which file; errors of our own have no number
        if error.errno is not None and error.filename is None:
            error.filename = str(path)
        raise
    finally:
        with suppress(FileNotFoundError):
            temporary.unlink()
