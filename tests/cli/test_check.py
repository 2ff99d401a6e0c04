"""``skvision check``."""

from __future__ import annotations

import json
import shutil

import pytest
from PIL import Image

from .command import called, ran, refused


@pytest.fixture
def folder(digits_folder, tmp_path, monkeypatch):
    monkeypatch.setenv("SKVISION_CACHE", str(tmp_path / "cache"))
    for name in ("one", "two"):
        shutil.copytree(digits_folder / name, tmp_path / "digits" / name)
    return tmp_path / "digits"


def test_findings_are_listed(folder):
    Image.new("L", (8, 8)).save(folder / "one" / "black.png")
    table = ran("check", folder, by=called)
    assert "It is all black." in table
    assert str(folder / "one" / "black.png") in table
    assert "burst" in table
    assert "not applicable: No image names its camera" in table
    found = json.loads(ran("check", folder, "--format", "json", "--jobs", 1, by=called))
    assert found[0].keys() == {"code", "message", "score", "files"}
    assert found[0]["files"] == [str(folder / "one" / "black.png")]
    page = ran("check", folder, "--format", "html", "--no-cache", by=called)
    assert page.startswith("<!DOCTYPE html>")


def test_the_exit_status_tells_of_chosen_codes(folder, digits_folder, tmp_path):
    for name in ("one", "two"):
        shutil.copytree(digits_folder / name, tmp_path / "other" / name)
    leaks = ("check", folder, "--against", tmp_path / "other", "--format", "json")
    assert called(*leaks).returncode == 0
    result = called(*leaks, "--fail-on", "unreadable, leak")
    assert result.returncode == 1
    assert sum(each["code"] == "leak" for each in json.loads(result.stdout)) > 1
    assert called(*leaks, "--fail-on", "unreadable").returncode == 0


def test_bad_options(folder, tmp_path):
    assert "--fail-on takes unreadable, odd" in refused("check", folder, "--fail-on", "nonsense")
    assert "are the same folder" in refused("check", folder, "--against", folder)
    assert "lie in one another" in refused("check", folder, "--against", folder / "one")
    (tmp_path / "none").mkdir()
    assert "no images" in refused("check", tmp_path / "none")
