"""Folders in the commands: classes, levels, files that are left out, and invalid folders."""

from __future__ import annotations

import json
import shutil
import sys

import pytest
from PIL import Image

from skvision import load

from .command import called, ran, refused

QUICK = ("--epochs", 1, "--image-size", 8, "--jobs", 1)


@pytest.fixture(scope="module")
def parts(digits_folder, tmp_path_factory):
    """A data set in parts: train and test, three classes each, and a flat folder."""
    data = tmp_path_factory.mktemp("parts") / "data"
    for name in ("one", "two", "three"):
        for number, file in enumerate(sorted((digits_folder / name).iterdir())):
            to = data / ("test" if number % 4 == 0 else "train") / name
            to.mkdir(parents=True, exist_ok=True)
            shutil.copy(file, to)
    return data


def test_parts_are_refused_with_the_right_command(parts, model, tmp_path):
    meant = f"skvision train {parts / 'train'} --test {parts / 'test'}, or skvision evaluate MODEL"
    out = tmp_path / "m.skv"
    assert meant in refused("train", parts, "--out", out, *QUICK)
    assert meant in refused("evaluate", model, parts)
    assert meant in refused("features", parts, "--out", tmp_path / "f.npz")
    words = ("--per-class", 20, "--rotation", 9)
    assert meant in refused("augment", parts, tmp_path / "more", *words)
    assert list(tmp_path.iterdir()) == []


SLOW = pytest.mark.slow
MODELS = {
    "minivgg": QUICK,
    "searched": (*QUICK, "--search", "learning_rate=0.1,0.01", "--cv", 2),
    "features": ("--model", "features", "--set", "image_size=32", "--set", "cache=none"),
    "finetune": (
        "--model", "finetune", "--set", "image_size=32", "--set", "cache=none",
        "--set", "warmup_epochs=1", "--set", "fine_tune_epochs=1", "--set", "dense_units=4",
    ),
}  # fmt: skip


@pytest.mark.parametrize(
    "words",
    [
        # EfficientNetLite0 is built and compiled
        pytest.param(words, id=name, marks=[] if name in ("minivgg", "searched") else SLOW)
        for name, words in MODELS.items()
    ],
)
def test_a_folder_of_test_images(parts, tmp_path, words):
    out = tmp_path / "m.skv"
    result = called("train", parts / "train", "--test", parts / "test", "--out", out, *words)
    assert result.returncode == 0, result.stderr
    assert result.stdout.startswith("27 images: 9 one, 9 three, 9 two\n")
    assert f"on 9 images of {parts / 'test'}" in result.stdout
    assert "on the 27 training images" in result.stdout
    model = load(out)
    measured = json.loads(ran("evaluate", out, parts / "test", "--format", "json", by=called))
    accuracy, test = measured["accuracy"], str(parts / "test")
    assert model.held_out_ == {"accuracy": accuracy, "n_samples": 9, "folders": [test]}
    assert f"on 9 images of {test}" in ran("info", out, by=called)


def test_invalid_folders_of_test_images(parts, digits_folder, tmp_path):
    train = ("train", parts / "train", "--out", tmp_path / "m.skv", *QUICK)
    assert "not both" in refused(*train, "--test", parts / "test", "--test-fraction", "0.1")
    unknown = refused(*train, "--test", digits_folder)
    assert "classes that the model doesn't know: eight, five, four, nine," in unknown
    assert "9 images of --test are training images too" in refused(
        *train, "--test", parts / "train" / "one"
    )
    (tmp_path / "linked").symlink_to(parts / "train")
    assert "27 images of --test are training images too" in refused(
        *train, "--test", tmp_path / "linked"
    )
    assert "There is no folder" in refused(*train, "--test", tmp_path / "nowhere")
    assert not (tmp_path / "m.skv").exists()


def test_evaluate_some_classes_of_the_model(model, parts, digits_folder):
    figures = json.loads(ran("evaluate", model, parts / "test", "--format", "json", by=called))
    assert figures["n"] == 9
    assert figures["classes"]["one"]["n"] == 3
    assert figures["classes"]["nine"] | {"precision": 0} == {
        "precision": 0, "recall": None, "f1": None, "n": 0,
    }  # fmt: skip
    row = next(
        line
        for line in ran("evaluate", model, parts / "test", by=called).splitlines()
        if line.startswith("nine")
    )
    assert row.split()[2:] == ["-", "-", "0"]


def test_evaluate_one_class(model, digits_folder, tmp_path):
    """In a separate folder, as the class folder itself, and in another case."""
    shutil.copytree(digits_folder / "one", tmp_path / "only" / "One")
    for folder in (tmp_path / "only", digits_folder / "one", tmp_path / "only" / "One"):
        result = called("evaluate", model, folder, "--format", "json")
        assert result.returncode == 0, result.stderr
        assert json.loads(result.stdout)["classes"]["one"]["n"] == 12
        warned = "'One' as 'one'" in result.stderr
        assert warned == ("only" in folder.parts)


def test_chosen_classes(digits_folder, tmp_path):
    out = tmp_path / "m.skv"
    words = ("--classes", "one, two", "--out", out, *QUICK)
    result = called("train", digits_folder, *words)
    assert result.returncode == 0, result.stderr
    assert result.stdout.startswith("24 images: 12 one, 12 two\n")
    assert "No class folders eleven with" in refused(
        "train", digits_folder, "--classes", "eleven", *words[2:]
    )


@pytest.fixture
def mixed(digits_folder, tmp_path, monkeypatch):
    """Six images, and files that are left out: HEIC, video, system folders."""
    monkeypatch.setitem(sys.modules, "pillow_heif", None)
    for name in ("one", "two"):
        folder = tmp_path / "mixed" / name
        folder.mkdir(parents=True)
        for file in sorted((digits_folder / name).iterdir())[:3]:
            shutil.copy(file, folder)
    for number in range(20):
        (tmp_path / "mixed" / "one" / f"{number}.heic").write_bytes(b"x")
    for name in ("__MACOSX", "@eaDir"):
        (tmp_path / "mixed" / name).mkdir()
        Image.new("L", (8, 8)).save(tmp_path / "mixed" / name / "1.png")
    return tmp_path / "mixed"


@pytest.mark.filterwarnings("always::skvision.exceptions.SkippedImageWarning")
@pytest.mark.parametrize(
    "command", ["train", "evaluate", "predict", "augment", pytest.param("features", marks=SLOW)]
)
def test_files_that_are_left_out_are_reported(mixed, model, tmp_path, command):
    words = {
        "train": ("train", mixed, "--out", tmp_path / "m.skv", "--test-fraction", 0, *QUICK),
        "evaluate": ("evaluate", model, mixed),
        "predict": ("predict", model, mixed),
        "augment": ("augment", mixed, tmp_path / "more", "--per-class", 4, "--rotation", 9),
        "features": ("features", mixed, "--out", tmp_path / "f.npz", "--set", "cache=none"),
    }[command]
    result = called(*words)
    assert result.returncode == 0, result.stderr
    (line,) = [line for line in result.stderr.splitlines() if "left out" in line]
    assert '20 HEIC (.heic; pip install "skvision[heic]")' in line
    assert "2 system folders" in line
    if command == "predict":
        assert len(result.stdout.splitlines()) == 6


def test_the_error_of_a_folder_without_images_lists_its_files(mixed, model):
    for file in mixed.rglob("*.png"):
        file.unlink()
    assert "no images in the folder" in refused("predict", model, mixed)
    for words in (("predict", model, mixed), ("evaluate", model, mixed)):
        assert "20 HEIC (.heic; pip install" in refused(*words)


def test_the_reason_for_one_left_out_image(mixed, model):
    (mixed / "one" / "0.heic").write_bytes(b"\0\0\0\x18ftypheic" + bytes(99))
    said = called("predict", model, mixed / "one" / "0.heic").stderr
    assert 'it is a HEIC file; to read it: pip install "skvision[heic]"' in said


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ("https://example.org/flowers", "is a URL, and skvision doesn't download"),
        ("{tmp}/flowers.zip", "is an archive. Unpack it and pass the folder"),
        ("{tmp}/flowers.tar.gz", "is an archive"),
        ("{tmp}/labels.csv", "skvision.load_image_table("),
        ("{tmp}/flat", "read them in Python by skvision.load_image_table"),
    ],
)
def test_paths_that_are_not_folders_of_classes(tmp_path, model, given, said):
    (tmp_path / "flat").mkdir()
    for name in ("flowers.zip", "flowers.tar.gz", "labels.csv"):
        (tmp_path / name).write_bytes(b"x")
    for name in ("cat.0.png", "dog.0.png"):
        Image.new("L", (8, 8)).save(tmp_path / "flat" / name)
    for command in (("train", "--out", tmp_path / "m.skv"), ("evaluate", model)):
        assert said in refused(*command, given.format(tmp=tmp_path))


def test_a_url_as_an_image(model):
    said = called("predict", model, "https://example.org/cat.jpg").stderr
    assert "it is a URL, and skvision doesn't download" in said


def test_home(model, digits_folder, tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    shutil.copy(model, tmp_path / "m.skv")
    shutil.copytree(digits_folder, tmp_path / "digits")
    assert len(ran("predict", "~/m.skv", "~/digits/one", by=called).splitlines()) == 12
    assert "on 120 images" in ran("evaluate", "~/m.skv", "~/digits", by=called)
    called("train", "~/digits", "--out", "~/again.skv", *QUICK)
    assert (tmp_path / "again.skv").exists()
