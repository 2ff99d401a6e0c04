"""Files that aren't images: errors name their kind, with advice, for any ending."""

from __future__ import annotations

import gzip
import io
import pickle
import tarfile
import zipfile

import numpy as np
import pytest
from PIL import Image, TiffImagePlugin

from skvision import ImageAugmenter, ImageDecodeError, load_image_table
from skvision.images import decode
from skvision.images.foreign import FOREIGN


def zipped(*names):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name in names:
            archive.writestr(name, "x" * 100)
    return buffer.getvalue()


def tarred():
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        archive.addfile(tarfile.TarInfo("1.jpg"), io.BytesIO())
    return buffer.getvalue()


def saved_array():
    buffer = io.BytesIO()
    np.save(buffer, np.arange(3))
    return buffer.getvalue()


CONTENTS = {
    "zip": (zipped("cat/1.jpg"), "an archive.*unpack"),
    "tar": (tarred(), "an archive.*tar -xf"),
    "gzip": (gzip.compress(b"photos"), "an archive"),
    "7z": (b"7z\xbc\xaf\x27\x1c" + bytes(30), "an archive"),
    "rar": (b"Rar!\x1a\x07\x01\x00" + bytes(30), "an archive"),
    "mp4": (b"\0\0\0\x20ftypisom\0\0\2\0isomiso2avc1mp41", "a video.*ffmpeg"),
    "mov": (b"\0\0\0\x14ftypqt  \0\0\0\0qt  ", "a video"),
    "mkv": (b"\x1aE\xdf\xa3\x93B\x82\x88matroska", "a video"),
    "avi": (b"RIFF\x10\x20\0\0AVI LIST", "a video"),
    "mpeg": (b"\0\0\1\xb3\x16\0\xf0\x15" + bytes(30), "a video"),
    "mp3": (b"ID3\4" + bytes(30), "a sound file"),
    "pdf": (b"%PDF-1.7\n%\xe2\xe3\xcf\xd3", "a PDF document.*convert the pages.*pdftoppm"),
    "eps": (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n", "a drawing or document"),
    "svg": (b'<svg xmlns="http://www.w3.org/2000/svg"/>', "a drawing or document"),
    "svg with a head": (b'<?xml version="1.0"?>\n<svg width="9"/>', "a drawing or document"),
    "docx": (zipped("[Content_Types].xml", "word/document.xml"), "an office document"),
    "doc": (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(30), "an office document"),
    "npy": (saved_array(), "a file of arrays.*load"),
    "hdf5": (b"\x89HDF\r\n\x1a\n" + bytes(30), "a file of arrays"),
    "pickle": (pickle.dumps({"a": 1}), "a model"),
    "web page": (b"\n <!DOCTYPE html><title>404</title>", "a web page.*not the page"),
    "Git LFS": (b"version https://git-lfs.github.com/spec/v1\noid sha256:0", "git lfs pull"),
    "macOS": (b"\0\5\x16\7\0\2\0\0Mac OS X", "macOS creates"),
    "cr2": (b"II*\0\x10\0\0\0CR\2\0" + bytes(60), "a raw photo of a camera.*convert"),
    "raf": (b"FUJIFILMCCD-RAW 0201", "a raw photo of a camera"),
    "cr3": (b"\0\0\0\x18ftypcrx \0\0\0\1crx isom", "a raw photo of a camera"),
    "jxl": (b"\0\0\0\x0cJXL \r\n\x87\n", "a format that this Pillow can't read"),
    "exr": (b"v/1\x01\2\0\0\0", "a format that this Pillow can't read"),
    "text": ("Liebe Grüße aus Graz".encode(), "it is text, not an image"),
    "noise": (bytes(range(128, 255)), "not an image in a format that Pillow reads"),
}


@pytest.mark.parametrize("kind", CONTENTS)
@pytest.mark.parametrize("ending", [".jpg", ".bin", ""])
def test_the_content_decides_the_kind(tmp_path, kind, ending):
    content, expected = CONTENTS[kind]
    file = tmp_path / f"a{ending}"
    file.write_bytes(content)
    with pytest.raises(ImageDecodeError, match=rf"a{ending}: .*{expected}"):
        decode(file)
    with pytest.raises(ImageDecodeError, match=f"bytes>: .*{expected}"):
        decode(content)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("a.zip", "an archive"),
        ("a.NII.GZ", "a file of arrays"),
        ("a.webm", "a video"),
        ("a.Arw", "a raw photo"),
        ("a.keras", "a model"),
        ("a.npz", "a file of arrays"),
        ("a.parquet", "a table"),
        ("a.czi", "a microscope scan"),
    ],
)
def test_the_name_decides_if_the_content_is_not_characteristic(tmp_path, name, expected):
    for content in (b"\xf0\x9f" * 20, zipped("a")):
        (tmp_path / name).write_bytes(content)
        with pytest.raises(ImageDecodeError, match=expected):
            decode(tmp_path / name)


@pytest.mark.parametrize("brand", [b"avif", b"avis", b"mif1"])
def test_an_avif_that_cannot_be_read_is_no_video(brand):
    with pytest.raises(ImageDecodeError) as caught:
        decode(b"\0\0\0\x20ftyp" + brand + bytes(16))
    assert "video" not in str(caught.value)


def test_names_in_an_array_and_in_a_table(tmp_path):
    (tmp_path / "scan.jpg").write_bytes(b"%PDF-1.7\n")
    (tmp_path / "other.jpg").write_bytes(b"")
    (tmp_path / "clip.mp4").write_bytes(CONTENTS["mp4"][0])
    for name, expected in (("scan.jpg", "PDF"), ("clip.mp4", "video.*ffmpeg")):
        table = tmp_path / "labels.csv"
        table.write_text(f"file,label\n{name},cat\nother.jpg,dog\n")
        with pytest.raises(ImageDecodeError, match=expected):
            load_image_table(table, path="file", label="label", validate=True)
        with pytest.raises(ImageDecodeError, match=expected):
            decode(ImageAugmenter().fit_transform([tmp_path / name])[0])


@pytest.mark.parametrize("name", ["a.jpg", "a.webp", "a.png"])
def test_a_damaged_image_is_not_of_another_kind(tmp_path, name):
    (tmp_path / name).write_bytes(b"RIFF\x10\0\0\0WEBPVP8?" + bytes(range(128, 255)))
    with pytest.raises(ImageDecodeError, match="not an image in a format that Pillow reads"):
        decode(tmp_path / name)


def thumbnail(**tags):
    buffer = io.BytesIO()
    info = TiffImagePlugin.ImageFileDirectory_v2()
    for tag, value in tags.items():
        info[int(tag[1:])] = value
    Image.new("RGB", (8, 6), "red").save(buffer, "tiff", tiffinfo=info)
    return buffer.getvalue()


def test_thumbnails_in_raw_photos_are_not_read(tmp_path):
    plain = thumbnail()
    assert decode(plain).shape == (6, 8, 3)
    (tmp_path / "a.NEF").write_bytes(plain)
    with pytest.raises(ImageDecodeError, match="a raw photo of a camera.*JPEG"):
        decode(tmp_path / "a.NEF")
    with pytest.raises(ImageDecodeError, match="a raw photo of a camera"):
        decode(thumbnail(_50706=b"\1\4\0\0"))
    with pytest.raises(ImageDecodeError, match="first page is a thumbnail"):
        decode(thumbnail(_254=1))


def test_no_kind_matches_an_image(tmp_path):
    for image_format in ("png", "jpeg", "gif", "bmp", "tiff", "webp", "ppm", "tga"):
        buffer = io.BytesIO()
        Image.new("RGB", (20, 20), "red").save(buffer, image_format)
        assert decode(buffer.getvalue()).shape == (20, 20, 3)
    endings = [ending for kind in FOREIGN for ending in kind.endings.split()]
    assert len(endings) == len(set(endings))
