"""What lies in folders beside images: what systems leave, and what only looks like images."""

from __future__ import annotations

import os
import re
import stat
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import islice

from ..images.packages import PACKAGES, image_suffixes

__all__ = ["holdings", "is_ignored_folder", "is_left_by_system", "look_alikes"]

#: Folders that systems, storage boxes and programs make unasked, whatever the case. Hidden
#: ones (.Trashes, .thumbnails, .ipynb_checkpoints, .@__thumb, ...) are known by their dot.
_SYSTEM_FOLDERS = re.compile(
    "|".join(
        (
            # Windows: bins, restore points, what a disk check found
            *(r"\$recycle\.bin", "recycler", "recycled", "system volume information"),
            r"found\.\d{3}",
            # Linux, Android
            *(r"lost\+found", r"lost\.dir"),
            # macOS
            *("__macosx", "network trash folder", "temporary items"),
            # storage boxes: bins, snapshots, thumbnails
            *("#recycle", "#snapshot", "~snapshot", "@eadir", "@recycle", "@tmp", "@__thumb"),
            *("@recently-snapshot", "@sharesnap"),
            # cameras and programs: thumbnails, settings, caches
            *("canonmsc", "nksc_param", "thumbnails", "_thumbnails", "_thumbs", "__pycache__"),
        )
    )
)


def is_left_by_system(name: str) -> bool:
    """Tell by its name whether a system, and not the user, made a folder that is not hidden.

    Examples
    --------
    >>> from skvision.datasets.kinds import is_left_by_system
    >>> is_left_by_system("$Recycle.Bin"), is_left_by_system("cat")
    (True, False)
    """
    return _SYSTEM_FOLDERS.fullmatch(name.lower()) is not None


def is_ignored_folder(name: str) -> bool:
    """Tell by its name whether a folder is not searched."""
    return name.startswith(".") or is_left_by_system(name)


@dataclass(frozen=True)
class _Kind:
    """Files that are left out: what they are, how their names end, and the way out."""

    name: str
    endings: str
    cure: str
    #: whether they look like images; others are named only where there are no images
    is_look_alike: bool = True


_RENAMED = _Kind(
    "image files under other endings", "", "give them the ending of their format, as .jpg or .dcm"
)
_OTHER = _Kind("other files", "", "", False)
_KINDS = (
    *(_Kind(each.kind, " ".join(each.suffixes), each.cure) for each in PACKAGES),
    _Kind(
        "raw photos of cameras",
        ".3fr .arw .cr2 .cr3 .crw .dcr .dng .erf .fff .gpr .iiq .kdc .mef .mos .mrw .nef .nrw .orf "
        ".pef .raf .raw .rw2 .rwl .sr2 .srf .srw .x3f",
        "convert them to JPEG or TIFF",
    ),
    _Kind(
        "videos",
        ".3gp .avi .flv .m2ts .m4v .mkv .mov .mp4 .mpeg .mpg .mts .ogv .vob .webm .wmv",
        "save their frames as images: ffmpeg -i VIDEO frame_%05d.png",
    ),
    _Kind(
        "drawings and documents",
        ".ai .cdr .djvu .emf .eps .odg .pdf .ps .svg .svgz .wmf",
        "export them as PNG",
    ),
    _Kind(
        "arrays",
        ".h5 .hdf .hdf5 .mat .mha .mhd .nii .nii.gz .npy .npz .nrrd",
        "load them, and pass the array",
    ),
    _Kind(
        "microscope scans",
        ".czi .lif .lsm .mrxs .nd2 .ndpi .oib .oif .scn .svs .vsi",
        "export them as TIFF or PNG",
    ),
    _Kind(
        "images in a format that Pillow does not read here",
        # the first three are read by most builds of Pillow
        ".avif .jp2 .webp .bpg .exr .flif .hdp .hdr .jxl .jxr .kra .psb .wdp .xcf",
        "convert them to PNG or JPEG",
    ),
    _Kind(
        "archives",
        ".7z .bz2 .gz .rar .tar .tbz2 .tgz .txz .xz .zip .zst",
        "unpack them: python -m zipfile -e FILE.zip FOLDER",
        False,
    ),
    _Kind("tables", ".csv .parquet .tsv .xlsx", "see skvision.load_image_table", False),
)
_KIND_OF = {ending: kind for kind in _KINDS for ending in kind.endings.split()}

# how images begin; a DICOM file is told by what follows its preamble
_BEGINNINGS = (b"\xff\xd8\xff", b"\x89PNG\r\n", b"GIF8", b"II*\0", b"MM\0*")
# of one unknown ending so many files are looked into and, if there are images, so many
_FEW, _ALL = 20, 1000
_ENDINGS_SHOWN = 3


def look_alikes(left_out: Iterable[str]) -> str:
    """Count files that look like images and are none that can be read, with the way out.

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
    '2 videos (.mp4; save their frames as images: ffmpeg -i VIDEO frame_%05d.png), 1 drawings and \
documents (.svg; export them as PNG)'
    """
    return _shown({kind: n for kind, n in _counted(left_out).items() if kind.is_look_alike})


def holdings(left_out: Iterable[str]) -> str:
    """Count all files that are no images, with the way out; "" if there are none."""
    return _shown(_counted(left_out))


def _counted(files: Iterable[str]) -> dict[_Kind, Counter[str]]:
    """How many files of which ending each kind has, without hidden ones."""
    by_ending: dict[str, list[str]] = {}
    for file in files:
        name = file[file.rfind(os.sep) + 1 :]
        if name[:1] != ".":
            by_ending.setdefault(_ending(name), []).append(file)
    counts: dict[_Kind, Counter[str]] = {}
    for ending in by_ending.keys() - image_suffixes():
        members = by_ending[ending]
        kinds = {_KIND_OF[ending]: len(members)} if ending in _KIND_OF else _by_beginning(members)
        for kind, n in kinds.items():
            counts.setdefault(kind, Counter())[ending] = n
    return dict(sorted(counts.items(), key=lambda each: (-each[1].total(), each[0].name)))


def _by_beginning(members: Sequence[str]) -> dict[_Kind, int]:
    """Tell images from other files of one ending, by how they begin."""
    # of notes beside each image a few are enough
    some = any(map(_begins_as_image, members[:_FEW]))
    n_images = sum(map(_begins_as_image, members[:_ALL])) if some else 0
    counts = {_RENAMED: n_images, _OTHER: len(members) - n_images}
    return {kind: n for kind, n in counts.items() if n}


def _ending(name: str) -> str:
    name = name.lower()
    place = name.rfind(".")
    return "" if place < 0 else ".nii.gz" if name.endswith(".nii.gz") else name[place:]


def _begins_as_image(file: str) -> bool:
    if file.lower().endswith(".thm"):  # thumbnails that cameras put beside photos and videos
        return False
    try:
        if not stat.S_ISREG(os.stat(file).st_mode):  # a pipe would be waited for
            return False
        with open(file, "rb") as content:
            start = content.read(132)
    except OSError:
        return False
    is_webp = start[:4] == b"RIFF" and start[8:12] == b"WEBP"
    return start.startswith(_BEGINNINGS) or is_webp or any(each.accepts(start) for each in PACKAGES)


def _shown(counts: dict[_Kind, Counter[str]]) -> str:
    parts = []
    for kind, endings in counts.items():
        shown = [
            ending or "no ending" for ending, _ in islice(endings.most_common(), _ENDINGS_SHOWN)
        ]
        more = ["..."] if len(endings) > _ENDINGS_SHOWN else []
        cure = f"; {kind.cure}" if kind.cure else ""
        parts.append(f"{endings.total()} {kind.name} ({', '.join([*shown, *more])}{cure})")
    return ", ".join(parts)
