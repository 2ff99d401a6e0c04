"""The folder of the feature cache, and the check that it is on a local disk."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterator
from pathlib import Path

__all__ = ["default_cache_folder", "network_mount"]

# File systems that other machines may write to at the same time, or whose locks and shared memory
# another system provides. SQLite's WAL needs both from one kernel.
# fmt: off
_NETWORK_TYPES = frozenset({
    "9p", "acfs", "afs", "beegfs", "ceph", "cifs", "coda", "davfs", "fuse", "gfs2", "glusterfs",
    "gpfs", "lustre", "ncp", "ncpfs", "nfs", "nfs4", "ocfs2", "orangefs", "panfs", "prl_fs",
    "pvfs2", "smb2", "smb3", "smbfs", "vboxsf", "vmhgfs",
})
# fmt: on
# FUSE mounts that are local: NTFS disks, and the root of rootless containers.
_LOCAL_FUSE = frozenset({"fuseblk", "fuse.fuse-overlayfs"})


def default_cache_folder() -> Path:
    """Return the path of the user's cache folder; it may not exist.

    Returns
    -------
    pathlib.Path
        The environment variable ``SKVISION_CACHE`` if it is set; else
        ``$XDG_CACHE_HOME/skvision`` or ``~/.cache/skvision`` on Linux,
        ``~/Library/Caches/skvision`` on macOS,
        ``%LOCALAPPDATA%\\skvision\\Cache`` on Windows.

    Raises
    ------
    ValueError
        If the user has no home folder and the variable is not set.

    Examples
    --------
    >>> import os
    >>> from skvision.feature_extraction.cache.location import default_cache_folder
    >>> os.environ["SKVISION_CACHE"] = "/scratch/ann"
    >>> str(default_cache_folder())
    '/scratch/ann'
    >>> del os.environ["SKVISION_CACHE"]
    """
    try:
        if chosen := os.environ.get("SKVISION_CACHE"):
            return Path(chosen).expanduser()
        if sys.platform == "win32":
            local = os.environ.get("LOCALAPPDATA")
            base = Path(local) if local else Path.home() / "AppData" / "Local"
            return base / "skvision" / "Cache"
        if sys.platform == "darwin":
            return Path.home() / "Library" / "Caches" / "skvision"
        xdg = os.environ.get("XDG_CACHE_HOME", "")
        # the specification says to ignore relative paths
        return (Path(xdg) if os.path.isabs(xdg) else Path.home() / ".cache") / "skvision"
    except RuntimeError:
        raise ValueError(
            "This user has no home folder, so there is no default cache folder. Set the "
            "environment variable SKVISION_CACHE to a folder, or pass its path."
        ) from None


def network_mount(folder: Path) -> str | None:
    """Return the type of the network file system that holds `folder`; None for a local disk.

    Parameters
    ----------
    folder : pathlib.Path
        A folder, which may not exist.

    Returns
    -------
    str or None
        For example ``"nfs4"``, ``"cifs"`` or ``"fuse.sshfs"``. Also None on macOS and
        Windows, which have no mount table to read.
    """
    here = os.path.realpath(folder)
    nearest, kind = "", ""
    for point, mounted in mount_table():
        inside = here == point or here.startswith(point.rstrip("/") + "/")
        # a later mount hides an earlier one at the same place
        if inside and len(point) >= len(nearest):
            nearest, kind = point, mounted
    is_network = kind in _NETWORK_TYPES or kind.startswith("fuse.")
    return kind if is_network and kind not in _LOCAL_FUSE else None


def mount_table() -> Iterator[tuple[str, str]]:
    """Yield (mount point, type of file system), in the order of mounting; Linux only."""
    try:
        with open("/proc/self/mountinfo", encoding="utf-8", errors="surrogateescape") as file:
            lines = file.read().splitlines()
    except OSError:
        return
    for line in lines:
        before, _, after = line.partition(" - ")
        fields, kinds = before.split(" "), after.split(" ")
        if len(fields) > 4:
            # spaces and similar characters are written as octal numbers
            point = re.sub(r"\\([0-7]{3})", lambda code: chr(int(code[1], 8)), fields[4])
            yield point, kinds[0]
