"""`load_image_table`: file names and labels from CSV files and frames."""

from __future__ import annotations

import os
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
import polars as pl
import pytest

from skvision import ImageDecodeError, SkippedImageWarning, load_image_table

NAMES = ["a/1.jpg", "a/2.jpg", "b/3.jpg", "b/4.jpg"]
LABELS = ["cat", "dog", "cat", "dog"]


@pytest.fixture
def folder(made):
    return made(*NAMES)


def written(folder, *rows, name="labels.csv", **how):
    (folder / name).write_text("\n".join(rows), **how)
    return folder / name


def in_cells(delimiter=",", heads=("path", "label")):
    rows = [heads, *zip(NAMES, LABELS, strict=True)]
    return [delimiter.join(row) for row in rows]


def expect(found, folder, labels=LABELS):
    assert found.data.tolist() == [str(folder / name) for name in NAMES]
    assert found.target.tolist() == labels
    assert found.filenames is found.data
    assert (found.ignored, found.skipped) == ([], [])


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|", ", "])
def test_a_csv_file_beside_the_images(folder, delimiter, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = load_image_table(written(folder, *in_cells(delimiter)), validate=True)
    expect(found, folder)
    assert found.target_names == ["cat", "dog"]
    assert "groups" not in found
    assert f"4 images of 2 classes in {folder}/labels.csv" in found.DESCR


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_encodings_line_ends_and_quotes(folder, encoding):
    rows = ['"label";"path"', '"Küken; klein";"a/1.jpg"', "", "dog ;a/2.jpg\r", "  "]
    found = load_image_table(written(folder, *rows, encoding=encoding))
    assert found.target.tolist() == ["Küken; klein", "dog"]


def test_columns_by_name_and_by_number(folder):
    named = written(folder, *in_cells(heads=("file name", "Klasse")))
    expect(load_image_table(named, path="file name", label="Klasse"), folder)
    numbered = written(folder, *in_cells(",x,")[1:])
    found = load_image_table(numbered, path=0, label=2)
    expect(found, folder)
    X, y = load_image_table(numbered, path=0, label=2, return_X_y=True)
    assert X.tolist() == found.data.tolist()
    assert y.tolist() == found.target.tolist()


FRAMES = [dict, pd.DataFrame, pl.DataFrame]


@pytest.mark.parametrize("frame", FRAMES)
def test_frames(folder, frame):
    expect(load_image_table(frame({"path": NAMES, "label": LABELS}), root=folder), folder)
    full = frame({"path": [str(folder / name) for name in NAMES], "label": LABELS})
    expect(load_image_table(full, root="/nowhere"), folder)


def test_labels_of_a_frame_keep_their_type(folder):
    for labels, kind in (([7, 8, 7, 8], "i"), ([True, False, True, False], "b")):
        found = load_image_table(pd.DataFrame({"path": NAMES, "label": labels}), root=folder)
        assert found.target.tolist() == labels
        assert found.target.dtype.kind == kind
    category = pd.DataFrame({"path": NAMES, "label": pd.Categorical(LABELS)})
    expect(load_image_table(category, root=folder), folder)


def test_labels_of_a_csv_file_are_text(folder):
    rows = [f"{name},{label}" for name, label in zip(NAMES, ["007", "8", "007", "8"], strict=True)]
    found = load_image_table(written(folder, "path,label", *rows))
    assert found.target.tolist() == ["007", "8", "007", "8"]


@pytest.mark.parametrize("frame", FRAMES)
def test_groups(folder, frame):
    table = frame({"path": NAMES, "label": LABELS, "patient": [1, 1, 2, 2]})
    found = load_image_table(table, root=folder, groups="patient")
    np.testing.assert_array_equal(found.groups, [1, 1, 2, 2])


def test_groups_stay_with_their_images(folder):
    (folder / "a" / "2.jpg").write_bytes(b"x")
    rows = [f"{name},{label},g{k}" for k, (name, label) in
            enumerate(zip(NAMES, LABELS, strict=True))]  # fmt: skip
    table = written(folder, "path,label,g", rows[0], *rows)
    with pytest.warns(SkippedImageWarning, match=r"2\.jpg"):
        found = load_image_table(table, groups="g", validate=True, on_error="skip")
    assert found.groups.tolist() == ["g0", "g2", "g3"]
    assert found.target.tolist() == ["cat", "cat", "dog"]
    assert found.ignored == [str(folder / NAMES[0])]
    with pytest.raises(ImageDecodeError, match=r"2\.jpg"):
        load_image_table(table, validate=True)


def test_labels_that_look_the_same_are_one_class(folder):
    table = {"path": NAMES, "label": ["Cat", "cat", "cat", "dog "]}
    with pytest.warns(UserWarning, match="'Cat' and 'cat' as 'cat'"):
        assert load_image_table(table, root=folder).target_names == ["cat", "dog"]


def test_labels_in_file_names(made):
    folder = made("cat.0.jpg", "cat.1.jpg", "dog.0.jpg")
    files = sorted(folder.iterdir())
    found = load_image_table({"path": files, "label": [f.name.split(".")[0] for f in files]})
    assert found.target.tolist() == ["cat", "cat", "dog"]


@pytest.mark.parametrize(
    ("name", "cure"),
    [
        ("a/9.jpg", "Pass root="),
        ("a/1", "The names lack their endings"),
        ("a\\1.jpg", "backslashes: replace them"),
        (" a/1.jpg ", "spaces around them: strip"),
        ("here.jpg", r"relative to the working directory: pass root='\.'"),
        ("https://example.org/1.jpg", "skvision doesn't download: download the images first"),
    ],
)
def test_missing_files(folder, tmp_path, monkeypatch, name, cure):
    monkeypatch.chdir(tmp_path)
    Path("here.jpg").touch()
    table = {"path": [*NAMES, name, "x"], "label": [*LABELS, "dog", "dog"]}
    with pytest.raises(FileNotFoundError, match=r"^2 of 6 files .* row 4") as refused:
        load_image_table(table, root=folder)
    message = str(refused.value)
    assert repr(name) in message
    assert f"(working directory {tmp_path})" in message
    refused.match(cure)
    with pytest.warns(SkippedImageWarning, match="2 unreadable images"):
        load_image_table(table, root=folder, validate=True, on_error="skip")


def test_home(made, tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    folder = made(*NAMES)
    written(folder, "path,label", "~/data/a/1.jpg,cat", "a/2.jpg,dog")
    found = load_image_table("~/data/labels.csv")
    assert found.data.tolist() == [str(folder / "a/1.jpg"), str(folder / "a/2.jpg")]
    found = load_image_table({"path": NAMES, "label": LABELS}, root="~/data")
    expect(found, folder)


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        (["path,label", "a/1.jpg,cat", "a/2.jpg,"], "row 3 of .* is empty in column 'label'"),
        (["path,label", "a/1.jpg,cat", "a/2.jpg"], "row 3 of .* is empty in column 'label'"),
        (["path,label", ",cat"], "row 2 of .* is empty in column 'path'"),
        (["path,label"], "no rows besides its header"),
        (["image;class", "a/1.jpg;cat"], "no column 'path'. Pass path= one of these: 'image', "),
        (["a/1.jpg,cat", "a/2.jpg,dog"], "its first line isn't a header, pass numbers"),
        (["path,label", "a/1.jpg,cat", "a/2.jpg,cat"], "Only one label, cat, in"),
        (["path,label", "a/1.jpg,cat", "a/1.jpg,dog"], "two labels in .* row 2 and dog in row 3"),
        ([""], "is empty"),
        (["path,label", "\0"], "is not text"),
    ],
)  # fmt: skip
def test_wrong_csv_files(folder, rows, message):
    with pytest.raises(ValueError, match=message):
        load_image_table(written(folder, *rows))


@pytest.mark.parametrize(
    ("table", "error", "message"),
    [
        ("nowhere.csv", FileNotFoundError, "There is no file nowhere.csv. Looked in /"),
        (".", IsADirectoryError, "is a folder"),
        ("https://example.org/labels.csv", ValueError, "is a URL, and skvision doesn't download"),
        ("labels.xlsx", ValueError, r"pandas\.read_excel\('labels\.xlsx'\)"),
        ("labels.parquet", ValueError, r"pandas\.read_parquet"),
        ([("1.jpg", "cat")], TypeError, "Received: list"),
        (3, TypeError, "Received: int"),
        ({"path": ["1.jpg"]}, ValueError, "the table has no column 'label'"),
        ({"path": ["1.jpg"], "label": []}, ValueError, "different lengths"),
        ({"path": [], "label": []}, ValueError, "no rows"),
        (
            {"path": [None], "label": [1]},
            ValueError,
            "row 0 of the table is empty in column 'path'",
        ),
        ({"path": [3], "label": [1]}, ValueError, "has no file name in column 'path', but 3"),
        ({"path": ["x"], "label": [float("nan")]}, ValueError, "empty in column 'label'"),
        ({"path": ["x"], "label": [pd.NA]}, ValueError, "empty in column 'label'"),
    ],
)
def test_wrong_tables(table, error, message):
    with pytest.raises(error, match=message):
        load_image_table(table)


def test_more_wrong_tables(folder):
    written(folder, "path,label", "a/1.jpg,caf\xe9", encoding="latin-1")
    with pytest.raises(ValueError, match="isn't UTF-8 text. Save it as UTF-8"):
        load_image_table(folder / "labels.csv")
    several = {"path": NAMES, "label": [["cat", "dog"], ["cat"], [], ["dog"]]}
    with pytest.raises(ValueError, match="A row needs one label. Received: .'cat', 'dog'"):
        load_image_table(several, root=folder)
    with pytest.raises(ValueError, match="on_error must be"):
        load_image_table(several, root=folder, on_error="ignore")


def test_one_file_under_two_names(folder):
    os.symlink(folder / "a/1.jpg", folder / "again.jpg")
    table = {"path": [*NAMES, "again.jpg"], "label": [*LABELS, "cat"]}
    assert load_image_table(table, root=folder).ignored == [str(folder / "again.jpg")]
    table["label"][-1] = "dog"
    with pytest.raises(ValueError, match="again.jpg has two labels"):
        load_image_table(table, root=folder)
