from __future__ import annotations

import numpy as np
import pytest
from PIL import Image
from sklearn.datasets import load_digits

from skvision import ImageDecodeError, SkippedImageWarning, export_digits, load_image_folder
from skvision.datasets import find_unreadable, list_images
from skvision.images import decode


@pytest.fixture
def folder(tmp_path):
    """Two classes, b before a on disk; with things among them that are no pictures."""
    root = tmp_path / "pets"
    for name, count in (("dog", 2), ("cat", 3)):
        (root / name).mkdir(parents=True)
        for i in range(count):
            Image.new("RGB", (4, 4)).save(root / name / f"{i}.jpg")
    (root / "cat" / "sub").mkdir()
    Image.new("RGB", (4, 4)).save(root / "cat" / "sub" / "deep.PNG")
    (root / "cat" / ".hidden.jpg").write_bytes(b"x")
    (root / "cat" / "notes.txt").write_text("x")
    (root / ".git").mkdir()
    (root / "README").write_text("x")
    return root


def test_subfolders_are_the_classes(folder):
    data = load_image_folder(folder)
    assert data.target_names == ["cat", "dog"]
    assert data.target.tolist() == ["cat"] * 4 + ["dog"] * 2
    names = [name.replace(str(folder), "") for name in data.data]
    assert names == [
        "/cat/0.jpg",
        "/cat/1.jpg",
        "/cat/2.jpg",
        "/cat/sub/deep.PNG",
        "/dog/0.jpg",
        "/dog/1.jpg",
    ]
    ignored = {name.replace(str(folder), "") for name in data.ignored}
    assert ignored == {"/cat/.hidden.jpg", "/cat/notes.txt", "/.git", "/README"}
    assert "6 pictures of 2 classes" in data.DESCR
    assert "4 other files ignored" in data.DESCR
    assert data.skipped == []


def test_return_X_y(folder):
    X, y = load_image_folder(str(folder), return_X_y=True)
    data = load_image_folder(folder)
    np.testing.assert_array_equal(X, data.data)
    np.testing.assert_array_equal(y, data.target)


def test_links_in_a_circle_end(folder):
    (folder / "cat" / "round").symlink_to(folder / "cat", target_is_directory=True)
    assert len(load_image_folder(folder).data) == 6


def test_a_class_folder_may_be_a_link(folder, tmp_path):
    (tmp_path / "elsewhere").mkdir()
    Image.new("RGB", (4, 4)).save(tmp_path / "elsewhere" / "1.png")
    (folder / "panda").symlink_to(tmp_path / "elsewhere", target_is_directory=True)
    assert load_image_folder(folder).target_names == ["cat", "dog", "panda"]


def test_validate_raises_for_the_bad_file(folder):
    bad = folder / "dog" / "bad.jpg"
    bad.write_bytes(b"")
    assert len(load_image_folder(folder).data) == 7
    with pytest.raises(ImageDecodeError, match=r"bad\.jpg: the file is empty"):
        load_image_folder(folder, validate=True)


def test_validate_can_skip_the_bad_files(folder):
    bad = folder / "dog" / "bad.jpg"
    bad.write_text("<html>")
    with pytest.warns(SkippedImageWarning, match=r"1 unreadable pictures .*bad.jpg: it is not"):
        data = load_image_folder(folder, validate=True, on_error="skip")
    assert len(data.data) == len(data.target) == 6
    assert data.skipped[0][0] == str(bad)


def test_empty_class_folder_is_warned_about(folder):
    (folder / "panda").mkdir()
    with pytest.warns(SkippedImageWarning, match="'panda' is not a class"):
        assert load_image_folder(folder).target_names == ["cat", "dog"]


def test_bad_folders(tmp_path, folder):
    with pytest.raises(FileNotFoundError, match="There is no folder"):
        load_image_folder(tmp_path / "nowhere")
    with pytest.raises(NotADirectoryError, match="is a file"):
        load_image_folder(folder / "README")
    (tmp_path / "empty").mkdir()
    with pytest.raises(ValueError, match="it holds no pictures"):
        load_image_folder(tmp_path / "empty")
    with pytest.raises(ValueError, match="2 pictures lie directly in it"):
        load_image_folder(folder / "dog")
    (tmp_path / "one" / "cat").mkdir(parents=True)
    Image.new("RGB", (4, 4)).save(tmp_path / "one" / "cat" / "1.png")
    with pytest.raises(ValueError, match="Only one class, 'cat'"):
        load_image_folder(tmp_path / "one")
    with pytest.raises(ValueError, match="on_error must be"):
        load_image_folder(folder, on_error="ignore")


def test_list_images(folder):
    images, ignored = list_images(folder / "dog")
    assert [name[-5:] for name in images] == ["0.jpg", "1.jpg"]
    assert ignored == []


def test_find_unreadable_keeps_the_order(tmp_path, folder):
    files = [str(tmp_path / "b.jpg"), str(folder / "dog" / "0.jpg"), str(tmp_path / "a.jpg")]
    assert [error.source for error in find_unreadable(files)] == [files[0], files[2]]


def test_digits_are_exported_whole(tmp_path):
    folder = export_digits(tmp_path / "deep" / "digits")
    X, y = load_image_folder(folder, validate=True, return_X_y=True)
    digits = load_digits()
    names = np.array(
        ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"]
    )
    assert len(X) == len(digits.images) == 1797
    for file, label in zip(X[::100], y[::100], strict=True):
        index = int(file[-8:-4])
        assert names[digits.target[index]] == label
        np.testing.assert_array_equal(
            decode(file)[:, :, 0], np.round(digits.images[index] * 255 / 16)
        )


def test_digits_can_be_fewer(tmp_path):
    folder = export_digits(tmp_path, n_per_class=3)
    assert all(len(list(each.iterdir())) == 3 for each in folder.iterdir())
    with pytest.raises(ValueError, match="at least 1"):
        export_digits(tmp_path, n_per_class=0)
