"""``skvision augment``."""

from __future__ import annotations

import csv
import re
import shutil
import sys

import numpy as np
import pytest
from PIL import Image

from skvision import ImageAugmenter, augment_folder
from skvision.augmentation.presets import PRESETS

from .command import OnTerminal, called, ran, refused, run


def files(folder):
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and not path.name.startswith(".")
    }


def test_it_writes_the_same_as_the_library(digits_folder, tmp_path):
    options = (
        "--preset",
        "light",
        "--rotation",
        40,
        "--brightness",
        "0.5,1.5",
        "--no-horizontal-flip",
    )
    printed = ran(
        "augment", digits_folder, tmp_path / "a", "--per-class", 14, "--seed", 7, *options
    )
    assert (
        printed == f"140 images in {tmp_path / 'a'}, listed in {tmp_path / 'a' / 'manifest.csv'}\n"
    )
    augmenter = ImageAugmenter(
        **{**PRESETS["light"], "rotation_range": 40, "horizontal_flip": False},
        brightness_range=(0.5, 1.5),
    )
    augment_folder(digits_folder, tmp_path / "b", augmenter, sampling_strategy=14, random_state=7)
    assert files(tmp_path / "a") == files(tmp_path / "b")


def test_every_option_has_an_effect(digits_folder, tmp_path):
    words = (
        "--rotation", 1, "--width-shift", 0.1, "--height-shift", 0.1, "--shear", 5, "--zoom", 0.1,
        "--horizontal-flip", "--vertical-flip", "--crop", 0.1, "--brightness", "0.9,1.1",
        "--contrast", "0.9,1.1", "--channel-shift", 5, "--hue", 0.1, "--saturation", "0.5,2",
        "--noise", 0.01, "--erase", 0.1, "--fill-mode", "constant", "--cval", 9,
        "--only-new", "--jobs", 2,
    )  # fmt: skip
    output = tmp_path / "new"
    result = called("augment", digits_folder, output, "--per-class", 20, *words)
    assert result.returncode == 0, result.stderr
    with open(output / "manifest.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 80
    drawn = {name for row in rows for name in re.findall(r'"(\w+)":', row["parameters"])}
    from skvision.augmentation.operations import NEUTRAL

    in_pixels, filling = {"shift_x_pixels", "shift_y_pixels"}, {"fill_mode", "cval"}
    assert drawn == set(NEUTRAL) - in_pixels | filling


def test_preview_alone_and_with_the_files(digits_folder, tmp_path):
    result = called("augment", digits_folder, "--preview", tmp_path / "p.png", "--rotation", 40)
    assert result.stdout == f"Preview written to {tmp_path / 'p.png'}\n"
    pixels = np.asarray(Image.open(tmp_path / "p.png").convert("L"))
    assert pixels.shape[1] > pixels.shape[0] > 300
    assert (pixels < 100).mean() > 0.2  # the digits' black grounds
    result = called(
        "augment", digits_folder, tmp_path / "d", "--preview", tmp_path / "q.jpg",
        "--preset", "strong", "--per-class", "auto",
    )  # fmt: skip
    assert result.returncode == 0, result.stderr
    assert (tmp_path / "q.jpg").exists()
    assert "120 images" in result.stdout


def test_a_preview_is_not_written_for_a_folder_that_is_refused(digits_folder, tmp_path):
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "x").touch()
    words = ("--per-class", "20", "--rotation", "4", "--preview", tmp_path / "p.png")
    assert "is not empty" in refused("augment", digits_folder, tmp_path / "full", *words)
    assert not (tmp_path / "p.png").exists()


def test_a_preview_does_not_overwrite_linked_images(digits_folder, tmp_path):
    (tmp_path / "linked").mkdir()
    for name in ("one", "two"):
        (tmp_path / "linked" / name).symlink_to(digits_folder / name)
    picture = next((digits_folder / "one").glob("*.png"))
    before = picture.read_bytes()
    words = ("--rotation", "4", "--preview", picture)
    assert "must stay unchanged" in refused("augment", tmp_path / "linked", *words)
    assert picture.read_bytes() == before


def test_the_error_without_matplotlib_has_the_pip_command(digits_folder, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    words = ("--rotation", "4", "--preview", tmp_path / "p.png")
    assert 'pip install "skvision[plot]"' in refused("augment", digits_folder, *words)


def test_preview_leaves_unreadable_images_out(digits_folder, tmp_path):
    shutil.copytree(digits_folder, tmp_path / "some")
    first = sorted((tmp_path / "some").rglob("*.png"))[0]
    first.write_bytes(b"no image")
    words = ("augment", tmp_path / "some", "--rotation", "4", "--preview", tmp_path / "p.png")
    assert str(first) in refused(*words)
    assert not (tmp_path / "p.png").exists()
    left_out = run(*words, "--skip-unreadable")
    assert left_out.returncode == 0
    assert first.name in left_out.stderr
    assert (tmp_path / "p.png").exists()


@pytest.mark.parametrize("preset", PRESETS)
def test_presets_are_valid_and_grow_stronger(preset):
    draws = ImageAugmenter(**PRESETS[preset]).draw([0], np.arange(100))
    assert np.ptp(draws["rotation"]) > 15
    assert PRESETS["light"].keys() < PRESETS["medium"].keys() < PRESETS["strong"].keys()


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["{src}", "--rotation", "4"], "pass the folder to write to, DST"),
        (["{src}", "{dst}", "--rotation", "4"], "pass --per-class"),
        (["{src}", "{dst}", "--per-class", "20"], "would stay unchanged"),
        (["{src}", "{dst}", "--per-class", "20", "--rotation", "0"], "would stay unchanged"),
        (["{src}", "{dst}", "--per-class", "many", "--rotation", "4"], "whole number or auto"),
        (["{src}", "{dst}", "--per-class", "4", "--rotation", "4"], "more than its target of 4"),
        (["{src}", "{dst}", "--per-class", "20", "--zoom", "1"], "zoom_range must be"),
        (["{src}", "{dst}", "--per-class", "20", "--brightness", "2"], "two numbers such as"),
        (["{src}", "{dst}", "--per-class", "20", "--fill-mode", "edge", "--zoom", "0.1"],
         "nearest.*constant.*reflect.*wrap"),
        (["{src}", "{src}/x", "--per-class", "20", "--rotation", "4"], "must stay unchanged"),
        (["{dst}/none", "{dst}", "--per-class", "20", "--rotation", "4"], "There is no folder"),
        (["{src}", "--preview", "{dst}/no/p.png", "--rotation", "4"], "There is no folder"),
        (["{src}", "--preview", "{src}/zero/p.png", "--rotation", "4"], "must stay unchanged"),
        (["{src}", "--preview", "{dst}.what", "--rotation", "4"], r"ending of an image .*\.png"),
        (["{src}", "{dst}", "--per-class", "20", "--rotation", "4", "--preview", "{dst}/p.png"],
         "outside DST"),
        (["{src}", "{dst}", "--per-class", "20", "--brightness", "1,1"], "would stay unchanged"),
    ],
)  # fmt: skip
def test_refusals(digits_folder, tmp_path, words, message):
    words = [word.format(src=digits_folder, dst=tmp_path / "new") for word in words]
    assert re.search(message, refused("augment", *words))
    assert not (tmp_path / "new").exists()


def test_ctrl_c_says_how_to_continue(digits_folder, tmp_path):
    command = OnTerminal(
        "augment", digits_folder, tmp_path / "out", "--per-class", 400, "--rotation", 40,
        "--jobs", 1,
    )  # fmt: skip
    command.wait_for(r"augmenting .* +[1-9]\d*%")
    command.interrupt()
    code, _, shown = command.end()
    assert code == 130
    assert "--resume continues" in " ".join(shown.split())
    assert not list((tmp_path / "out").rglob(".*.part*"))
