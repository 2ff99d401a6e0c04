"""Other files and folders beside images: system folders, and files that look like images."""

from __future__ import annotations

import os
import re
import stat
from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import islice

from ..images.foreign import ForeignKind, ending_of, foreign_by_name
from ..images.packages import PACKAGES, image_suffixes

__all__ = ["holdings", "is_ignored_folder", "is_left_by_system", "look_alikes"]

#: Names of folders that systems, storage devices and programs create, in any case. Hidden ones
#: (.Trashes, .thumbnails, .ipynb_checkpoints, .@__thumb, ...) are recognised by their dot.
_SYSTEM_FOLDERS = re.compile(
    "|".join(
        (
            # Windows: bins, restore points, results of disk checks
            *(r"\$recycle\.bin", "recycler", "recycled", "system volume information"),
            r"found\.\d{3}",
            *(r"\$extend", r"\$windows\.~\w\w", r"\$winreagent", r"\$av_asw", r"config\.msi"),
            *(r"msdownld\.tmp", "recycle bin"),
            # Linux, Android
            *(r"lost\+found", r"lost\.dir"),
            # macOS
            *("__macosx", "network trash folder", "temporary items"),
            # storage devices: bins, snapshots, thumbnails
            *("#recycle", "#snapshot", "~snapshot", "@eadir", "@recycle", "@tmp", "@__thumb"),
            *("@recently-snapshot", "@sharesnap", "@synoeastream", "synoresource"),
            *("@appstore", "@database", "@synologydrive", "_gsdata_"),
            # cameras and programs: thumbnails, settings, caches
            *("canonmsc", "nksc_param", "thumbnails", "_thumbnails", "_thumbs", "_thumb", "thmbnl"),
            *("avf_info", "__pycache__"),
        )
    )
)


def is_left_by_system(name: str) -> bool:
    """Return whether a folder's name is that of a system folder that isn't hidden.

    Examples
    --------
    >>> from skvision.datasets.kinds import is_left_by_system
    >>> is_left_by_system("$Recycle.Bin"), is_left_by_system("cat")
    (True, False)
    """
    return _SYSTEM_FOLDERS.fullmatch(name.lower()) is not None


def is_ignored_folder(name: str) -> bool:
    """Return whether a folder of this name is not searched."""
    return name.startswith(".") or is_left_by_system(name)


_RENAMED = ForeignKind(
    "an image file under another ending",
    "image files under other endings",
    "",
    "give the ending of the format, as .jpg or .dcm",
)
_OTHER = ForeignKind("another file", "other files", "", "", is_look_alike=False)

# first bytes of images; a DICOM file is recognised by the bytes after its preamble
_BEGINNINGS = (b"\xff\xd8\xff", b"\x89PNG\r\n", b"GIF8", b"II*\0", b"MM\0*")
# number of files of one unknown ending that are read, and number if there are images among them
_FEW, _ALL = 20, 1000
_ENDINGS_SHOWN = 3


def look_alikes(left_out: Iterable[str]) -> str:
    """Count files that look like images but can't be read, with advice.

    Parameters
    ----------
    left_out : iterable of str
        The files that were not listed as images.

    Returns
    -------
    str
        A part of a sentence, or "" if there are none.

    Examples
    --------
    >>> from skvision.datasets.kinds import look_alikes
    >>> look_alikes(["a.mp4", "b.MP4", "c.svg", "notes.txt"])
    '2 videos (.mp4; save the frames as images: ffmpeg -i VIDEO frame_%05d.png), 1 drawings and \
documents (.svg; export as PNG)'
    """
    return _shown({kind: n for kind, n in _counted(left_out).items() if kind.is_look_alike})


def holdings(left_out: Iterable[str]) -> str:
    """Count all files that aren't images, with advice; "" if there are none."""
    return _shown(_counted(left_out))


def _counted(files: Iterable[str]) -> dict[ForeignKind, Counter[str]]:
    """Count the files of each kind by ending, without hidden ones."""
    by_ending: dict[str, list[str]] = {}
    for file in files:
        name = file[file.rfind(os.sep) + 1 :]
        if name[:1] != ".":
            by_ending.setdefault(ending_of(name), []).append(file)
    counts: dict[ForeignKind, Counter[str]] = {}
    for ending in by_ending.keys() - image_suffixes():
        members = by_ending[ending]
        known = foreign_by_name(ending)
        kinds = {known: len(members)} if known else _by_beginning(members)
        for kind, n in kinds.items():
            counts.setdefault(kind, Counter())[ending] = n
    return dict(sorted(counts.items(), key=lambda each: (-each[1].total(), each[0].many)))


def _by_beginning(members: Sequence[str]) -> dict[ForeignKind, int]:
    """Count images and other files of one ending, by their first bytes."""
    # a few are enough, since there may be a note beside each image
    some = any(map(_begins_as_image, members[:_FEW]))
    n_images = sum(map(_begins_as_image, members[:_ALL])) if some else 0
    counts = {_RENAMED: n_images, _OTHER: len(members) - n_images}
    return {kind: n for kind, n in counts.items() if n}


def _begins_as_image(file: str) -> bool:
    if file.lower().endswith(".thm"):  # thumbnails of cameras beside photos and videos
        return False
    try:
        if not stat.S_ISREG(os.stat(file).st_mode):  # opening a pipe would wait
            return False
        with open(file, "rb") as content:
            start = content.read(132)
    except OSError:
        return False
    is_webp = start[:4] == b"RIFF" and start[8:12] == b"WEBP"
    return start.startswith(_BEGINNINGS) or is_webp or any(each.accepts(start) for each in PACKAGES)


def _shown(counts: dict[ForeignKind, Counter[str]]) -> str:
    parts = []
    for kind, endings in counts.items():
        shown = [
            ending or "no ending" for ending, _ in islice(endings.most_common(), _ENDINGS_SHOWN)
        ]
        more = ["..."] if len(endings) > _ENDINGS_SHOWN else []
        cure = f"; {kind.cure}" if kind.cure else ""
        parts.append(f"{endings.total()} {kind.many} ({', '.join([*shown, *more])}{cure})")
    return ", ".join(parts)
