"""Converted networks on disk, beside the feature cache, so that each is converted once.

A network is a folder with its engine's files and a list of their checksums. It is written
under a temporary name and renamed when it is complete; a folder that doesn't match its list
is ignored. Keeping networks only saves time: if it fails, no warning is given.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

__all__ = ["KeptNetwork", "kept_networks"]

_FOLDER = "networks"
_CHECKSUMS = "checksums.json"


class KeptNetwork:
    """The folder of one converted network.

    Parameters
    ----------
    cache_folder : pathlib.Path
        The folder of the feature cache.
    key : str
        The key of the files, by `skvision.feature_extraction.network_key.network_key`.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> from skvision.feature_extraction.cache import KeptNetwork
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     kept = KeptNetwork(Path(folder), "VGG16-0123")
    ...     before = kept.find()
    ...     kept.write(lambda place: (place / "network.xml").write_text("<net/>"))
    ...     (kept.find() / "network.xml").read_text()
    '<net/>'
    >>> before is None
    True
    """

    def __init__(self, cache_folder: Path, key: str) -> None:
        self.folder = cache_folder / _FOLDER / key

    def find(self) -> Path | None:
        """Return the folder of the network's files if all are present and unaltered."""
        try:
            checksums = json.loads((self.folder / _CHECKSUMS).read_text(encoding="utf-8"))
            sound = all(_checksum(self.folder / name) == it for name, it in checksums.items())
        except (OSError, ValueError, AttributeError):
            return None
        return self.folder if sound else None

    def write(self, write: Callable[[Path], object]) -> None:
        """Write the files into a new folder, then rename it.

        Parameters
        ----------
        write : callable
            Writes the files into the folder that it receives.
        """
        temporary = None
        # OpenVINO raises RuntimeError for a full disk and for a folder that can't be written
        with suppress(OSError, RuntimeError):
            self.folder.parent.mkdir(parents=True, exist_ok=True)
            temporary = Path(tempfile.mkdtemp(prefix=".", dir=self.folder.parent))
            write(temporary)
            checksums = {path.name: _checksum(path) for path in temporary.iterdir()}
            (temporary / _CHECKSUMS).write_text(json.dumps(checksums), encoding="utf-8")
            if self.folder.exists() and self.find() is None:
                shutil.rmtree(self.folder, ignore_errors=True)
            os.rename(temporary, self.folder)  # fails if another process was first
        if temporary is not None:
            shutil.rmtree(temporary, ignore_errors=True)


def kept_networks(cache_folder: Path) -> Iterator[tuple[Path, int]]:
    """Yield the folders of all kept networks, incomplete ones too, and their sizes in bytes."""
    folder = cache_folder / _FOLDER
    if not folder.is_dir():
        return
    for network in sorted(folder.iterdir()):
        if network.is_dir():
            yield network, sum(file.stat().st_size for file in network.iterdir())


def _checksum(path: Path) -> str:
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "blake2b").hexdigest()
