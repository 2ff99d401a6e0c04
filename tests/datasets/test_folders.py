from __future__ import annotations

import os
import shutil

import numpy as np
import pytest
from PIL import Image
from sklearn.datasets import load_digits

from skvision import ImageDecodeError, SkippedImageWarning, export_digits, load_image_folder
from skvision.datasets import find_unreadable, list_images
from skvision.images import decode

# the tiny images here have only one colour
pytestmark = pytest.mark.filterwarnings("ignore:.*byte for byte")


@pytest.fixture
def folder(tmp_path):
    """Two classes, b before a on disk, with other files among the images."""
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
    assert "6 images of 2 classes" in data.DESCR
    assert "4 other files ignored" in data.DESCR
    assert data.skipped == []


def test_return_X_y(folder):
    X, y = load_image_folder(str(folder), return_X_y=True)
    data = load_image_folder(folder)
    np.testing.assert_array_equal(X, data.data)
    np.testing.assert_array_equal(y, data.target)


def test_links_in_a_loop_end(folder):
    (folder / "cat" / "round").symlink_to(folder / "cat", target_is_directory=True)
    assert len(load_image_folder(folder).data) == 6


def test_links_to_a_folder_around_them_end(folder):
    (folder / "cat" / "up").symlink_to(folder, target_is_directory=True)
    (folder / "cat" / "sub" / "upper").symlink_to(folder.parent, target_is_directory=True)
    assert load_image_folder(folder).target.tolist() == ["cat"] * 4 + ["dog"] * 2


def test_an_image_with_two_names_counts_once(folder):
    (folder / "cat" / "again.jpg").symlink_to(folder / "cat" / "1.jpg")
    (folder / "cat" / "zzz").symlink_to(folder / "cat" / "sub", target_is_directory=True)
    data = load_image_folder(folder)
    names = [name.replace(str(folder), "") for name in data.data]
    assert names[:4] == ["/cat/0.jpg", "/cat/1.jpg", "/cat/2.jpg", "/cat/sub/deep.PNG"]
    assert str(folder / "cat" / "again.jpg") in data.ignored


def test_an_image_in_two_classes_is_refused(folder):
    (folder / "dog" / "cat.jpg").symlink_to(folder / "cat" / "1.jpg")
    with pytest.raises(ValueError, match=r"cat/1\.jpg and .*dog/cat\.jpg are the same file"):
        load_image_folder(folder)


def test_copies_count_as_separate_images(folder):
    shutil.copy(folder / "cat" / "1.jpg", folder / "dog" / "copy.jpg")
    os.link(folder / "cat" / "1.jpg", folder / "cat" / "hard.jpg")
    assert len(load_image_folder(folder).data) == 8


def test_a_class_folder_that_is_a_broken_link_is_refused(folder):
    (folder / "panda").symlink_to(folder / "gone")
    with pytest.raises(FileNotFoundError, match=r"The folder .*panda can't be listed: No such"):
        load_image_folder(folder)


def test_hidden_folders_are_ignored(folder):
    (folder / "cat" / ".thumbs").mkdir()
    Image.new("RGB", (4, 4)).save(folder / "cat" / ".thumbs" / "1.png")
    data = load_image_folder(folder)
    assert len(data.data) == 6
    assert str(folder / "cat" / ".thumbs") in data.ignored


def test_names_that_are_not_utf8(folder):
    cafe = folder / os.fsdecode(b"caf\xe9")
    cafe.mkdir()
    Image.new("RGB", (4, 4)).save(cafe / os.fsdecode(b"\xff.png"))
    data = load_image_folder(folder, validate=True)
    assert data.target_names[0] == os.fsdecode(b"caf\xe9")
    assert decode(data.data[0]).shape == (4, 4, 3)


@pytest.mark.parametrize("locked", ["", "cat", "cat/sub"])
def test_a_folder_that_cannot_be_listed_is_named(folder, monkeypatch, locked):
    """Also for users without restrictions, such as root."""
    secret = str(folder / locked)
    originals = os.scandir, os.listdir

    def refuse(original):
        def call(path="."):
            if os.fspath(path) == secret:
                raise PermissionError(13, "Permission denied", secret)
            return original(path)

        return call

    monkeypatch.setattr(os, "scandir", refuse(originals[0]))
    monkeypatch.setattr(os, "listdir", refuse(originals[1]))
    with pytest.raises(PermissionError, match="can't be listed: Permission denied. Make it"):
        load_image_folder(folder)


def test_a_folder_without_permission_is_named(folder):
    (folder / "cat").chmod(0)
    try:
        if os.access(folder / "cat", os.R_OK):
            pytest.skip("permissions don't bind this user")
        with pytest.raises(PermissionError, match=r"The folder .*cat can't be listed"):
            load_image_folder(folder)
    finally:
        (folder / "cat").chmod(0o755)


@pytest.fixture
def days(tmp_path):
    """Two folders: Monday's cats and dogs, Tuesday's cats and pandas."""
    for day, names in (("monday", ("cat", "dog")), ("tuesday", ("cat", "panda"))):
        for name in names:
            (tmp_path / day / name).mkdir(parents=True)
            for i in range(2):
                Image.new("RGB", (4, 4)).save(tmp_path / day / name / f"{i}.png")
    return [tmp_path / "monday", tmp_path / "tuesday"]


@pytest.mark.parametrize("form", [list, tuple, lambda days: np.array(days, dtype=str)])
def test_classes_of_several_folders_are_joined(days, form):
    data = load_image_folder(form(days), validate=True)
    names = [str(each).replace(str(days[0].parent), "") for each in data.data]
    assert names == [
        *("/monday/cat/0.png", "/monday/cat/1.png", "/tuesday/cat/0.png", "/tuesday/cat/1.png"),
        *("/monday/dog/0.png", "/monday/dog/1.png"),
        *("/tuesday/panda/0.png", "/tuesday/panda/1.png"),
    ]
    assert data.target.tolist() == ["cat"] * 4 + ["dog"] * 2 + ["panda"] * 2
    assert data.target_names == ["cat", "dog", "panda"]
    assert str(days[0]) in data.DESCR
    assert str(days[1]) in data.DESCR


def test_one_folder_in_a_list_is_that_folder(folder):
    alone, listed = load_image_folder(folder), load_image_folder([folder])
    np.testing.assert_array_equal(alone.data, listed.data)
    np.testing.assert_array_equal(alone.target, listed.target)


def test_the_folder_given_twice_counts_once(days):
    assert len(load_image_folder([*days, days[0]]).data) == 8


def test_overlapping_folders_are_refused_where_labels_differ(days):
    with pytest.raises(ValueError, match="One image is in two classes"):
        load_image_folder([days[0], days[0].parent])


def test_the_bad_one_of_several_folders_is_named(days, tmp_path):
    with pytest.raises(FileNotFoundError, match="There is no folder .*wednesday"):
        load_image_folder([*days, tmp_path / "wednesday"])
    (tmp_path / "wednesday").mkdir()
    with pytest.raises(ValueError, match=r"images in \S*wednesday: it holds no images"):
        load_image_folder([*days, tmp_path / "wednesday"])
    (tmp_path / "wednesday").rmdir()
    (tmp_path / "wednesday").touch()
    with pytest.raises(NotADirectoryError, match="wednesday is a file"):
        load_image_folder([*days, tmp_path / "wednesday"])
    (days[1] / "cat" / "bad.png").touch()
    with pytest.raises(ImageDecodeError, match=r"tuesday/cat/bad\.png: the file is empty"):
        load_image_folder(days, validate=True)


def test_one_class_is_enough_in_one_of_several_folders(days):
    shutil.rmtree(days[1] / "panda")
    assert load_image_folder(days).target_names == ["cat", "dog"]
    shutil.rmtree(days[0] / "dog")
    with pytest.raises(ValueError, match="Only one class, 'cat', in .*monday, .*tuesday"):
        load_image_folder(days)


def test_an_empty_class_folder_beside_a_full_one_is_warned_about(days):
    for file in (days[1] / "cat").iterdir():
        file.unlink()
    with pytest.warns(SkippedImageWarning, match=r"tuesday/cat holds no images\.$"):
        assert load_image_folder(days).target_names == ["cat", "dog", "panda"]


def test_paths_that_are_not_folders_are_refused():
    with pytest.raises(ValueError, match="Received no folders"):
        load_image_folder([])
    with pytest.raises(TypeError, match="Expected a folder, or a sequence of folders. Received: 3"):
        load_image_folder(3)
    with pytest.raises(TypeError, match=r"Received: \[None\]"):
        load_image_folder([None])


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
    with pytest.warns(
        SkippedImageWarning, match=r"1 unreadable images .*bad.jpg: it is a web page"
    ):
        data = load_image_folder(folder, validate=True, on_error="skip")
    assert len(data.data) == len(data.target) == 6
    assert data.skipped[0][0] == str(bad)


def test_every_kind_of_bad_file_is_skipped_with_its_reason(folder):
    good = load_image_folder(folder, return_X_y=True)
    cat, dog = folder / "cat", folder / "dog"
    pixels = np.random.default_rng(0).integers(0, 256, (90, 90, 3), np.uint8)
    whole = dog / "cut.jpg"
    Image.fromarray(pixels).save(whole)
    whole.write_bytes(whole.read_bytes()[:3000])
    (dog / "text.jpg").write_text("<html>")
    (dog / "nothing.png").touch()
    os.mkfifo(dog / "pipe.jpg")
    (dog / "lost.jpg").symlink_to(folder / "gone.jpg")
    (cat / "round.jpg").symlink_to(cat / "round.jpg")
    (cat / "bomb.ppm").write_text("P6 60000 60000 255 x")
    with pytest.warns(SkippedImageWarning, match=r"7 unreadable .*; and 2 more\.$"):
        data = load_image_folder(folder, validate=True, on_error="skip")
    reasons = {os.path.basename(file): reason for file, reason in data.skipped}
    expected = {
        "bomb.ppm": "60,000 x 60,000 pixels",
        "round.jpg": "symbolic links form a loop",
        "cut.jpg": "truncated",
        "lost.jpg": "a link to",
        "nothing.png": "empty",
        "pipe.jpg": "a pipe",
        "text.jpg": "not an image",
    }
    assert list(reasons) == list(expected)
    for name, part in expected.items():
        assert part in reasons[name]
    np.testing.assert_array_equal(data.data, good[0])
    np.testing.assert_array_equal(data.target, good[1])
    assert "7 unreadable images skipped" in data.DESCR
    with pytest.raises(ImageDecodeError, match=r"bomb\.ppm"):  # the first
        load_image_folder(folder, validate=True)


def test_a_class_that_loses_all_images_is_named(folder):
    (folder / "panda").mkdir()
    (folder / "panda" / "1.jpg").touch()
    with pytest.warns(SkippedImageWarning, match="No images of 'panda' are left"):
        data = load_image_folder(folder, validate=True, on_error="skip")
    assert data.target_names == ["cat", "dog"]


def test_bad_files_only(folder):
    for file, _ in zip(*load_image_folder(folder, return_X_y=True), strict=True):
        open(file, "w").close()
    with (
        pytest.warns(SkippedImageWarning, match="6 unreadable"),
        pytest.raises(ValueError, match="None of the images in .*pets can be read"),
    ):
        load_image_folder(folder, validate=True, on_error="skip")


def test_empty_class_folder_is_warned_about(folder):
    (folder / "panda").mkdir()
    with pytest.warns(SkippedImageWarning, match="'panda' isn't a class"):
        assert load_image_folder(folder).target_names == ["cat", "dog"]


def test_bad_folders(tmp_path, folder):
    with pytest.raises(FileNotFoundError, match="There is no folder"):
        load_image_folder(tmp_path / "nowhere")
    with pytest.raises(NotADirectoryError, match="is a file"):
        load_image_folder(folder / "README")
    (tmp_path / "empty").mkdir()
    with pytest.raises(ValueError, match="it holds no images"):
        load_image_folder(tmp_path / "empty")
    with pytest.raises(ValueError, match="2 images lie directly in it"):
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
