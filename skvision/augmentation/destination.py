"""Checks of the folder that augmented copies are written to."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from .._system.atomic import not_writable

__all__ = ["refuse_folder", "refuse_within", "writing_to"]


def refuse_folder(source: Path, destination: Path, resume: bool) -> None:
    """Raise ValueError or OSError if the copies can't be written to a folder."""
    refuse_within([source], destination)
    if destination.is_dir() and _identity(destination) in _identities_around(source):
        raise ValueError(f"{source} lies in {destination}. Pass another folder to write to.")
    around = next(each for each in (destination, *destination.absolute().parents) if each.exists())
    if not around.is_dir():
        raise NotADirectoryError(f"{around} is a file. Pass a folder to write to.")
    if not os.access(around, os.W_OK | os.X_OK):
        raise not_writable(destination, PermissionError(f"{around} is read-only"))
    if not resume and destination.is_dir() and any(destination.iterdir()):
        raise FileExistsError(
            f"The folder {destination} is not empty. Pass another one or, to continue a call "
            "that was killed, resume it (resume=True, on the command line --resume)."
        )


@contextmanager
def writing_to(destination: Path) -> Iterator[None]:
    """Name the destination in errors of the system about writing to it."""
    try:
        yield
    except OSError as error:
        if error.errno is None or error.filename is None:
            raise
        file = Path(os.fsdecode(error.filename))
        if destination not in (file, *file.parents) and file not in destination.parents:
            raise  # the error concerns another file, such as an original
        raise not_writable(destination, error) from error


def refuse_within(folders: Iterable[str | Path], *destinations: Path) -> None:
    """Raise ValueError if a destination is one of these folders or lies in one."""
    known = {_identity(folder): folder for folder in folders}
    for destination in destinations:
        for identity in _identities_around(destination):
            if identity in known:
                raise ValueError(
                    f"{destination} lies in {known[identity]}. The images there must stay "
                    "unchanged: pass another folder to write to."
                )


def _identities_around(path: Path) -> Iterator[tuple[int, int]]:
    """Yield the identities of a path and of its parent folders, as far as they exist."""
    real = path.resolve()
    yield from (_identity(each) for each in (real, *real.parents) if each.exists())


def _identity(path: str | Path) -> tuple[int, int]:
    """Return the identity of a folder, independent of its name, since names may be links."""
    found = os.stat(path)
    return found.st_dev, found.st_ino
