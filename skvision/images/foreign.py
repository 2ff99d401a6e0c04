"""Recognise files that can't be read as images, and give advice."""

from __future__ import annotations

import re
from dataclasses import dataclass

from .packages import PACKAGES, image_suffixes

__all__ = ["FOREIGN", "LONGEST_BEGINNING", "ForeignKind", "ending_of", "foreign_by_name", "said_of"]

#: bytes from the start of a file that are enough to recognise it
LONGEST_BEGINNING = 512


@dataclass(frozen=True)
class ForeignKind:
    """A kind of files that aren't images, or that can't be read as images.

    Parameters
    ----------
    one, many : str
        Name of one file, with its article, and of several.
    endings : str
        Endings of their names, in lower case, separated by blanks.
    cure : str
        Advice, in the same words for one and for several files.
    beginning : str, default=""
        A regular expression of the first bytes; "" if they aren't characteristic.
    is_look_alike : bool, default=True
        Whether users may count such files in a folder as images.
    """

    one: str
    many: str
    endings: str
    cure: str
    beginning: str = ""
    is_look_alike: bool = True

    def begins(self, start: bytes) -> bool:
        """Return whether a file of this kind may begin with these bytes."""
        return bool(self.beginning) and bool(
            re.match(self.beginning.encode("latin-1"), start, re.DOTALL | re.IGNORECASE)
        )


RAW = ForeignKind(
    "a raw photo of a camera",
    "raw photos of cameras",
    ".3fr .arw .cr2 .cr3 .crw .dcr .dng .erf .fff .gpr .iiq .kdc .mef .mos .mrw .nef .nrw .orf "
    ".pef .raf .raw .rw2 .rwl .sr2 .srf .srw .x3f",
    "convert to JPEG or TIFF",
    r"II\*\0.{4}CR|....ftypcrx|FUJIFILMCCD-RAW|IIR[OS]|MMOR|IIU\0|FOVb|\0MRM|.{6}HEAPCCDR",
)

# A kind with a more specific beginning comes first: some documents are archives.
FOREIGN = (
    *(ForeignKind(f"a {p.kind} file", p.kind, " ".join(p.suffixes), p.cure) for p in PACKAGES),
    RAW,
    ForeignKind(
        "an image in a format that this Pillow can't read",
        "images in a format that this Pillow can't read",
        # most builds of Pillow read the first three
        ".avif .jp2 .webp .bpg .exr .flif .hdp .hdr .jxl .jxr .kra .psb .wdp .xcf",
        "convert to PNG or JPEG",
        r"\0\0\0\x0cJXL |\xff\x0a|BPG\xfb|FLIF|v/1\x01|#\?R(ADIANCE|GBE)"
        r"|gimp xcf|II\xbc|8BPS\0\x02",
    ),
    ForeignKind(
        "a video",
        "videos",
        ".3gp .avi .flv .m2ts .m4v .mkv .mov .mp4 .mpeg .mpg .mts .ogv .vob .webm .wmv",
        "save the frames as images: ffmpeg -i VIDEO frame_%05d.png",
        r"....(ftyp(?!M4A|avi[fs]|hei|hev|mif1|msf1)|moov|mdat|wide)|\x1aE\xdf\xa3"
        r"|RIFF....AVI |FLV\x01|\0\0\x01[\xb3\xba]"
        r"|0&\xb2u\x8ef\xcf\x11",
    ),
    ForeignKind(
        "a sound file",
        "sound files",
        ".aac .aif .aiff .flac .m4a .mp3 .ogg .opus .wav .wma",
        "remove, or plot as images",
        r"ID3|\xff[\xfb\xf3\xf2]|fLaC|OggS|RIFF....WAVE|FORM....AIF|....ftypM4A",
        False,
    ),
    ForeignKind(
        "a PDF document",
        "PDF documents",
        ".pdf",
        "convert the pages to images: pdftoppm -png FILE.pdf page",
        r"%PDF",
    ),
    ForeignKind(
        "a drawing or document",
        "drawings and documents",
        ".ai .cdr .djvu .emf .eps .odg .ps .svg .svgz .wmf",
        "export as PNG",
        r"%!PS|\xc5\xd0\xd3\xc6|AT&TFORM|(\xef\xbb\xbf)?\s*(<\?xml.*)?<svg|\xd7\xcd\xc6\x9a"
        r"|\x01\0\0\0.{36} EMF",
    ),
    ForeignKind(
        "an office document",
        "office documents",
        ".doc .docx .key .odp .odt .pages .ppt .pptx .rtf",
        "export the images in it",
        r"\xd0\xcf\x11\xe0|\{\\rtf|PK\x03\x04.*(word/|ppt/|xl/|\[Content_Types\]|opendocument)",
        False,
    ),
    ForeignKind(
        "a file of arrays",
        "arrays",
        ".h5 .hdf .hdf5 .mat .mha .mhd .nii .nii.gz .npy .npz .nrrd .tfrecord",
        "load, and pass the array",
        r"\x93NUMPY|\x89HDF|MATLAB 5|NRRD000|.{344}(n\+1|ni1)\0|ObjectType = Image"
        r"|PK\x03\x04.*\.npy",
    ),
    ForeignKind(
        "a microscope scan",
        "microscope scans",
        ".czi .lif .lsm .mrxs .nd2 .ndpi .oib .oif .scn .svs .vsi",
        "export as TIFF or PNG",
        r"ZISRAWFILE|\xda\xce\xbe\x0a",
    ),
    ForeignKind(
        "a model",
        "models",
        ".ckpt .joblib .keras .onnx .pb .pickle .pkl .pt .pth .safetensors .skv .tflite",
        "pass images",
        r"PK\x03\x04.*(schema\.json|config\.json|data\.pkl)|\x80[\x02-\x05]|....TFL3",
        False,
    ),
    ForeignKind(
        "an archive",
        "archives",
        ".7z .bz2 .gz .rar .tar .tbz2 .tgz .txz .xz .zip .zst",
        "unpack: python -m zipfile -e FILE.zip FOLDER, or tar -xf FILE",
        r"PK[\x03\x05]|\x1f\x8b|BZh|\xfd7zXZ|7z\xbc\xaf|Rar!|\x28\xb5\x2f\xfd|.{257}ustar",
        False,
    ),
    ForeignKind(
        "a table",
        "tables",
        ".csv .parquet .tsv .xls .xlsx",
        "see skvision.load_image_table",
        "PAR1",
        False,
    ),
    ForeignKind(
        "a web page",
        "web pages",
        ".htm .html .mhtml .xhtml",
        "download the image itself, not the page that shows it",
        r"(\xef\xbb\xbf)?\s*<(!doctype html|html|head|\?xml.*<html)",
        False,
    ),
    ForeignKind(
        "a pointer of Git LFS",
        "pointers of Git LFS",
        "",
        "run git lfs pull",
        "version https://git-lfs",
        False,
    ),
    ForeignKind(
        "a file that macOS creates beside images",
        "files that macOS creates beside images",
        "",
        "take out",
        r"\0\x05\x16[\0\x07]",
        False,
    ),
)
_BY_ENDING = {ending: kind for kind in FOREIGN for ending in kind.endings.split()}
_ARCHIVE = _BY_ENDING[".zip"]


def ending_of(name: str) -> str:
    """Return the ending of a file's name, in lower case, as ``.jpg``; "" if it has no dot.

    Examples
    --------
    >>> from skvision.images.foreign import ending_of
    >>> ending_of("a.JPG"), ending_of("scan.nii.gz"), ending_of("README")
    ('.jpg', '.nii.gz', '')
    """
    name = name.lower()
    place = name.rfind(".")
    return "" if place < 0 else ".nii.gz" if name.endswith(".nii.gz") else name[place:]


def foreign_by_name(ending: str) -> ForeignKind | None:
    """Return the kind of files with this ending; None if it is unknown."""
    return _BY_ENDING.get(ending)


def said_of(start: bytes, name: str) -> str:
    """Describe a file that can't be read as an image, with advice.

    Parameters
    ----------
    start : bytes
        Its first `LONGEST_BEGINNING` bytes.
    name : str
        Its name, used if the bytes aren't characteristic, or if many formats share them.

    Returns
    -------
    str
        A sentence without its full stop.

    Examples
    --------
    >>> from skvision.images.foreign import said_of
    >>> said_of(b"<svg/>", "scan.jpg")
    'it is a drawing or document, not an image that can be read; export as PNG'
    >>> said_of(b"?", "a.jpg")
    'it is not an image in a format that Pillow reads'
    """
    kind = next((each for each in FOREIGN if each.begins(start)), None)
    ending = ending_of(name)
    # a file that begins like a readable format is damaged, and not of another kind
    by_name = None if ending in image_suffixes() else foreign_by_name(ending)
    if by_name is not None and kind in (None, _ARCHIVE):
        kind = by_name
    if kind is None:
        if _is_text(start) and not start.startswith(_READABLE):
            return "it is text, not an image"
        return "it is not an image in a format that Pillow reads"
    if kind.one.startswith("an image"):
        return f"it is {kind.one}; {kind.cure}"
    return f"it is {kind.one}, not an image that can be read; {kind.cure}"


# images that are cut after their first letters are damaged images, not text
_READABLE = (b"GIF8", b"RIFF", b"8BPS", b"qoif", b"DDS ")


def _is_text(start: bytes) -> bool:
    try:
        text = start.decode()
    except UnicodeDecodeError as error:
        if error.start < len(start) - 3:  # the last character may be cut
            return False
        text = start[: error.start].decode()
    return len(text) > 3 and all(letter.isprintable() or letter.isspace() for letter in text)
