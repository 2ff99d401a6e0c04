"""Unlisted files are counted by type, with a warning for files that look like images."""

from __future__ import annotations

import os
import re
import sys
import warnings

import pytest
from PIL import Image

from skvision import (
    ImageAugmenter,
    ImageDecodeError,
    SkippedImageWarning,
    augment_folder,
    load_image_folder,
)
from skvision.datasets import list_images

CLASSES = ("cat/1.jpg", "dog/1.jpg")


@pytest.fixture
def without_packages(monkeypatch):
    for module in ("pillow_heif", "pydicom"):
        monkeypatch.setitem(sys.modules, module, None)


def warned(data, **how):
    """Return the only warning of files that were left out."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        found = load_image_folder(data, **how)
    (warning,) = caught
    assert warning.category is SkippedImageWarning
    return found, str(warning.message)


def test_six_jpeg_and_twenty_heic(made, without_packages):
    data = made(*(f"cat/{i}.jpg" for i in range(6)), *(f"cat/{i}.HEIC" for i in range(20)),
                "dog/1.jpg")  # fmt: skip
    found, message = warned(data)
    assert len(found.data) == 7
    assert '20 HEIC (.heic; pip install "skvision[heic]")' in message


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("a.dcm", r'1 DICOM \(\.dcm; pip install "skvision\[dicom\]"\)'),
        ("a.CR2", r"1 raw photos of cameras \(\.cr2; convert to JPEG or TIFF\)"),
        ("a.nef", "raw photos"),
        ("a.dng", "raw photos"),
        ("a.mp4", r"1 videos \(\.mp4; save the frames as images: ffmpeg"),
        ("a.MOV", "videos"),
        ("a.svg", "drawings and documents"),
        ("a.pdf", r"1 PDF documents \(\.pdf; convert the pages"),
        ("a.eps", "drawings and documents"),
        ("a.npy", "arrays .* load, and pass the array"),
        ("a.nii.gz", r"arrays \(\.nii\.gz"),
        ("a.h5", "arrays"),
        ("a.czi", "microscope scans"),
        ("a.jxl", "convert to PNG or JPEG"),
    ],
)
def test_every_kind_is_named_with_advice(made, without_packages, name, said):
    found, message = warned(made(*CLASSES, f"cat/{name}"))
    assert re.search(said, message)
    assert len(found.data) == 2


@pytest.mark.parametrize("name", ["IMG_0001", "photo.jpg_large", "1.2.840.10008"])
def test_images_with_other_endings_are_recognised_by_their_first_bytes(made, name):
    data = made(*CLASSES)
    if name[0] == "1":
        (data / "cat" / name).write_bytes(bytes(128) + b"DICM")
    else:
        Image.new("L", (4, 4)).save(data / "cat" / name, "jpeg")
    _, message = warned(data)
    assert "1 image files under other endings" in message


def test_files_that_are_not_images_are_not_warned_of(made):
    data = made(*CLASSES, "cat/notes.txt", "cat/labels.xml", "cat/x.zip", "cat/IMG_1.THM",
                "cat/Thumbs.db", "cat/.a.heic", "cat/._1.jpg", "all.csv", "net.keras")  # fmt: skip
    Image.new("L", (4, 4)).save(data / "cat" / "IMG_2.THM", "jpeg")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = load_image_folder(data)
    assert len(found.ignored) == 10
    assert found.target.tolist() == ["cat", "dog"]


def test_images_outside_of_class_folders_are_named(made):
    data = made(*CLASSES, "logo.png", "a.jpg")
    found, message = warned(data)
    assert f"2 images outside class folders ({data}/a.jpg, {data}/logo.png)" in message
    assert len(found.data) == 2


@pytest.mark.parametrize("format", ["avif", "jp2", "tga", "qoi", "ico", "mpo"])
def test_all_formats_that_pillow_reads_are_listed(made, format):
    data = made(*CLASSES)
    Image.new("RGB", (16, 16), "red").save(data / "cat" / f"new.{format}")
    found = load_image_folder(data, validate=True)
    assert [name.rsplit(".")[-1] for name in found.data] == ["jpg", format, "jpg"]


def test_heic_is_listed_and_read_if_its_package_is_installed(made):
    pillow_heif = pytest.importorskip("pillow_heif")
    data = made(*CLASSES)
    pillow_heif.from_pillow(Image.new("RGB", (16, 16), "red")).save(data / "cat" / "new.HEIC")
    assert len(load_image_folder(data, validate=True).data) == 3


def test_formats_of_registered_plugins_are_listed(made, monkeypatch):
    Image.init()
    monkeypatch.setitem(Image.OPEN, "MINE", (lambda file, name: None, None))
    monkeypatch.setitem(Image.EXTENSION, ".mine", "MINE")
    assert len(load_image_folder(made(*CLASSES, "cat/2.mine")).data) == 3


@pytest.mark.parametrize(
    ("names", "said"),
    [
        (["cat/1.heic", "cat/2.heic", "dog/1.txt"], r"but 2 HEIC \(\.heic; pip .*, 1 other files"),
        (["cat/1.npy"], r"but 1 arrays \(\.npy; load, and pass"),
        (["flowers.zip"], r"but 1 archives \(\.zip; unpack: python"),
        (["labels.csv"], r"but 1 tables \(\.csv; see skvision\.load_image_table\)"),
        ([".hidden/1.jpg"], r"it holds no images\. Expected"),
    ],
)
def test_the_error_of_a_folder_without_images_lists_its_files(made, without_packages, names, said):
    with pytest.raises(ValueError, match=said):
        load_image_folder(made(*names))


SYSTEM_FOLDERS = [
    *("$RECYCLE.BIN", "System Volume Information", "lost+found", "__MACOSX", "@eaDir", "#recycle"),
    *("RECYCLER", "found.000", "LOST.DIR", "@Recycle", "#snapshot", "CANONMSC", "thumbnails"),
    *("$WINDOWS.~BT", "$Extend", "Config.Msi", "@SynoEAStream", "_gsdata_", "THMBNL", "AVF_INFO"),
]


@pytest.mark.parametrize("name", SYSTEM_FOLDERS)
@pytest.mark.parametrize("where", ["", "cat/", "cat/deep/"])
def test_system_folders_are_not_searched(made, name, where):
    data = made(
        *CLASSES, "cat/deep/2.jpg", f"{where}{name}/x/1.jpg", f"{where}{name.lower()}/2.png"
    )
    found, message = warned(data)
    assert found.target.tolist() == ["cat", "cat", "dog"]
    assert str(data / where / name) in found.ignored
    assert "system folders" in message
    assert str(data / where / name) in message
    images, ignored = list_images(data)
    assert len(images) == 3
    assert str(data / where / name) in ignored


@pytest.mark.parametrize("name", [".Trashes", ".thumbnails", ".ipynb_checkpoints", ".@__thumb"])
def test_hidden_folders_are_not_warned_of(made, name):
    data = made(*CLASSES, f"{name}/1.jpg", f"cat/{name}/1.jpg")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = load_image_folder(data)
    assert len(found.data) == 2
    assert str(data / "cat" / name) in found.ignored


def test_system_folders_may_be_unreadable(made, monkeypatch):
    data = made(*CLASSES, "lost+found/1.jpg")
    original = os.scandir

    def refuse(path="."):
        if str(path).endswith("lost+found"):
            raise PermissionError(13, "Permission denied", path)
        return original(path)

    monkeypatch.setattr(os, "scandir", refuse)
    assert len(warned(data)[0].data) == 2


def test_augment_folder_ignores_and_names_the_same(made, tmp_path):
    data = made(*CLASSES, "__MACOSX/cat/._1.jpg", "cat/@eaDir/1.jpg", "dog/1.mp4")
    with pytest.warns(SkippedImageWarning, match="1 videos.*2 system folders") as caught:
        augment_folder(
            data, tmp_path / "more", ImageAugmenter(rotation_range=9), sampling_strategy=2
        )
    assert len(caught) == 1
    assert len(list((tmp_path / "more").rglob("*.jpg"))) == 4


def test_the_same_bytes_under_two_labels(made):
    data = made(*CLASSES, "cat/2.jpg", "dog/2.jpg", "dog/3.jpg")
    for copy, original in (("dog/2.jpg", "cat/2.jpg"), ("dog/3.jpg", "dog/1.jpg")):
        (data / copy).write_bytes((data / original).read_bytes())
    said = rf"1 files are .* {data}/cat/2\.jpg as 'cat' and {data}/dog/2\.jpg as 'dog'"
    with pytest.warns(UserWarning, match=said):
        load_image_folder(data, validate=True)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        load_image_folder(data)  # nothing is read


def test_the_same_bytes_are_found_across_folders_and_beside_unreadable_ones(made, tmp_path):
    first, second = (made(*CLASSES, root=tmp_path / name) for name in ("a", "b"))
    (second / "dog" / "1.jpg").write_bytes((first / "cat" / "1.jpg").read_bytes())
    (second / "cat" / "bad.jpg").write_bytes(b"x" * (first / "cat" / "1.jpg").stat().st_size)
    with (
        pytest.warns(SkippedImageWarning, match=r"bad\.jpg"),
        pytest.warns(UserWarning, match=r"a/cat/1\.jpg as 'cat' and .*b/dog/1\.jpg as 'dog'"),
    ):
        load_image_folder([first, second], validate=True, on_error="skip")


def test_the_error_of_an_unreadable_image_names_its_kind(made, without_packages):
    data = made(*CLASSES)
    (data / "cat" / "2.jpg").write_bytes(b"\0\0\0\x18ftypheic" + bytes(200))
    with pytest.raises(ImageDecodeError, match="it is a HEIC file; to read it: pip install"):
        load_image_folder(data, validate=True)
