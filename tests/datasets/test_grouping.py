"""Groups of a folder's images: by an expression, by a function, by bursts."""

from __future__ import annotations

import os
import re
from pathlib import Path

import numpy as np
import pytest
from PIL import ExifTags, Image

from skvision import load_image_folder
from skvision.datasets.grouping import as_grouping, series_of

NAMES = ["cat/tom_1.jpg", "cat/tom_2.jpg", "cat/kit_1.jpg", "dog/rex_1.jpg", "dog/old/ace_1.jpg"]
FOUND = ["kit", "tom", "tom", "ace", "rex"]


@pytest.mark.parametrize(
    "groups",
    [
        r"([^/]+)_\d+\.jpg$",
        re.compile(r"/(\w+)_"),
        r"(?:cat|dog)(?:/old)?/(?P<animal>[a-z]+)",
        lambda file: Path(file).name.split("_")[0],
    ],
)
def test_an_expression_or_a_function_finds_groups(made, groups):
    data = load_image_folder(made(*NAMES), groups=groups)
    assert data.groups.tolist() == FOUND
    assert len(data.data) == len(data.target) == 5
    assert [Path(file).name.split("_")[0] for file in data.data] == FOUND


def test_without_groups_there_is_no_entry(made):
    assert "groups" not in load_image_folder(made(*NAMES))


def test_pairs_come_without_groups(made):
    X, y = load_image_folder(made(*NAMES), groups=r"(\w+)_", return_X_y=True)
    assert len(X) == len(y) == 5


def test_the_name_within_the_folder_is_searched(made, tmp_path, monkeypatch):
    # not the part outside, which is the same for all
    folder = made(*NAMES, root=tmp_path / "animal_7" / "data")
    expected = ["cat", "cat", "cat", "dog", "dog"]
    assert load_image_folder(folder, groups=r"([a-z]+)/").groups.tolist() == expected
    monkeypatch.chdir(folder)
    for here in (".", "../data", str(folder) + os.sep):
        assert load_image_folder(here, groups=r"^([a-z]+)/").groups.tolist() == expected


def test_each_of_several_folders_counts_by_itself(made, tmp_path):
    first = made("cat/a_1.jpg", "dog/a_1.jpg", root=tmp_path / "pets")
    second = made("cat/b_1.jpg", "dog/c_1.jpg", root=tmp_path / "pets2")
    data = load_image_folder([first, second], groups=r"^(?:cat|dog)/(\w)_")
    assert data.groups.tolist() == ["a", "b", "a", "c"]


def test_groups_of_unreadable_images_are_left_out(made):
    folder = made(*NAMES)
    (folder / "cat" / "kit_1.jpg").write_bytes(b"no image")
    with pytest.warns(UserWarning, match="unreadable"):
        data = load_image_folder(folder, groups=r"(\w+)_", validate=True, on_error="skip")
    assert data.groups.tolist() == ["tom", "tom", "ace", "rex"]
    assert len(data.data) == 4


@pytest.mark.parametrize(
    ("groups", "said"),
    [
        (r"([^/]+)_(\d+)", r"has 2 groups in parentheses, and must have one. Write \(\?:...\)"),
        (r"\w+_\d+", "has no groups in parentheses, and must have one. Put the part"),
        (r"(\w+", "isn't a regular one: missing \\)"),
        (r"animal(\d+)", r"none of the 5 images.*for example 'cat/kit_1.jpg'"),
        (r"(tom|kit)_", r"only 3 of the 5 images.*for example 'dog/old/ace_1.jpg'"),
        (r"tom_(\d)|_", r"only 2 of the 5 images.*for example 'cat/kit_1.jpg'"),
        (r"^(x*)", "none of the 5 images"),
        ("bursts", "has no groups in parentheses"),
        (lambda file: None, r"returned None for .*cat.kit_1\.jpg"),
        (lambda file: 1 if "cat" in file else "a", "all be of one type. Received 1 and 'a'"),
        (lambda file: [1, 2], "What the function groups returns has shape"),
    ],
)
def test_groups_that_are_not_found_are_refused_before_decoding(made, groups, said):
    folder = made(*NAMES)
    (folder / "cat" / "kit_1.jpg").write_bytes(b"no image")
    with pytest.raises(ValueError, match=said):
        load_image_folder(folder, groups=groups, validate=True)


@pytest.mark.parametrize("groups", [5, ["a"] * 5, re.compile(rb"(\w+)_")])
def test_groups_of_another_type_are_refused(made, groups):
    with pytest.raises(TypeError, match="groups must be"):
        load_image_folder(made(*NAMES), groups=groups)


# bursts


def shoot(path, time, model="EOS 5D"):
    exif = Image.Exif()
    exif[ExifTags.Base.Model] = model
    exif.get_ifd(ExifTags.IFD.Exif)[ExifTags.Base.DateTimeOriginal] = f"2024:05:01 12:00:{time:02}"
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("L", (4, 4), time).save(path, exif=exif)


def test_photos_of_one_camera_within_seconds_are_a_burst(tmp_path):
    # by name: burst of 0, 3, 6; alone at 10; another camera at 3; no EXIF data
    for name, time, model in [
        ("cat/a.jpg", 6, "EOS 5D"),
        ("cat/b.jpg", 10, "EOS 5D"),
        ("cat/c.jpg", 3, "EOS 5D"),
        ("dog/d.jpg", 0, "EOS 5D"),
        ("dog/e.jpg", 3, "D90"),
    ]:
        shoot(tmp_path / name, time, model)
    Image.new("L", (4, 4)).save(tmp_path / "dog" / "f.jpg")
    Image.new("L", (4, 4), 9).save(tmp_path / "dog" / "g.jpg")
    (tmp_path / "dog" / "h.jpg").write_bytes(b"no image")
    data = load_image_folder(tmp_path, groups="burst")
    assert data.groups.tolist() == [0, 1, 0, 0, 2, 3, 4, 5]


def test_without_exif_data_each_image_is_a_group(made):
    assert load_image_folder(made(*NAMES), groups="burst").groups.tolist() == [0, 1, 2, 3, 4]
    assert as_grouping("burst")([], []).tolist() == []


def test_series_end_where_photos_are_far_apart():
    times = np.array([0.0, 2.9, 5.8, 8.9, 3.0])
    cameras = np.array(["a", "a", "a", "a", "b"])
    assert series_of(times, cameras, 3).tolist() == [0, 0, 0, 1, 2]
    assert series_of(times, cameras, 3.2).tolist() == [0, 0, 0, 0, 1]
