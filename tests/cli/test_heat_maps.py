"""``skvision predict --explain``."""

from __future__ import annotations

import csv
import io
import json
import shutil

import numpy as np
import pytest
from PIL import Image

from skvision import explain, load
from skvision.inspection.overlays import enlarged, overlaid

from .command import called, ran, refused


def test_heat_maps_are_written_beside_the_answers(model, one, digits_folder, tmp_path):
    folder = tmp_path / "new" / "maps"
    text = ran("predict", model, one, digits_folder / "two", "--explain", folder, by=called)
    lines = text.splitlines()
    assert len(lines) == len(list(folder.iterdir())) == 13
    assert lines[0].startswith(f"{one}: ")
    assert lines[0].endswith(f" (heat map {folder / one.stem}.png)")
    found = explain(load(model), [one])
    shown = np.asarray(Image.open(folder / f"{one.stem}.png"))
    np.testing.assert_array_equal(shown[:, :224], enlarged(found.images[0]))
    np.testing.assert_array_equal(shown[:, 232:], overlaid(found.images, found.maps)[0])


def test_controls_are_in_csv_and_json(model, one, tmp_path):
    words = ("predict", model, one, "--explain", tmp_path, "--format")
    found = explain(load(model), [one])
    (row,) = csv.DictReader(io.StringIO(ran(*words, "csv", by=called)))
    assert row["heat_map"] == str(tmp_path / f"{one.stem}.png")
    assert float(row["deletion"]) == pytest.approx(found.deletion_[0], abs=1e-4)
    (entry,) = json.loads(ran(*words, "json", by=called))
    shown = entry["heat_map"]
    assert shown["file"] == row["heat_map"]
    assert shown["random_deletion"] == pytest.approx(found.random_deletion_[0], abs=1e-4)
    assert shown["sanity"] == pytest.approx(found.sanity_[0], abs=1e-4)


def test_names_that_occur_twice_and_unreadable_images(model, one, tmp_path):
    files = []
    for number in "123":
        (tmp_path / number).mkdir()
        files.append(shutil.copy(one, tmp_path / number / "A.png"))
    bad = tmp_path / "bad.png"
    bad.write_bytes(b"")
    result = called("predict", model, files[0], bad, *files[1:], "--explain", tmp_path / "maps")
    assert result.returncode == 2
    assert len(result.stdout.splitlines()) == 3
    assert "bad.png: the file is empty" in result.stderr
    names = sorted(path.name for path in (tmp_path / "maps").iterdir())
    assert names == ["A-2.png", "A-3.png", "A.png"]


def test_a_folder_that_cannot_be_written_is_refused_before_the_work(model, one, tmp_path):
    file = tmp_path / "file"
    file.write_text("")
    assert "can't be written" in refused("predict", model, one, "--explain", file)
    assert "can't be written" in refused("predict", model, one, "--explain", file / "maps")
