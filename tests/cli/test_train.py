"""``skvision train``."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess

import joblib
import numpy as np
import pytest
from PIL import Image

from skvision import ImageDecodeError, MiniVGGClassifier, load

from .command import COMMAND, OnTerminal, called, ran, refused, run


def test_train_writes_a_model_that_the_library_reads(model):
    net = load(model)
    assert net.n_epochs_ == 12
    assert net.get_params()["image_size"] == 8
    assert net.get_params()["learning_rate"] == 0.05
    assert net.verbose == 0
    assert net.held_out_["n_samples"] == 30
    assert 0 <= net.held_out_["accuracy"] <= 1


def test_joblib_files_are_written_on_request(digits_folder, tmp_path):
    out = tmp_path / "m.joblib"
    options = ("--epochs", 1, "--image-size", 8, "--batch-size", 16, "--test-fraction", 0)
    called("train", digits_folder, "--out", out, *options)
    net = joblib.load(out)
    assert (net.n_epochs_, net.batch_size) == (1, 16)
    assert "--trust" in refused("info", out)
    assert json.loads(ran("info", out, "--trust", "--format", "json", by=called))["epochs"] == 1


def test_options_override_set_and_config_and_the_seed_gives_the_same_model(
    model, digits_folder, tmp_path
):
    config = tmp_path / "net.toml"
    config.write_text("epochs = 1\nimage_size = [8, 8]\nlearning_rate = 9.0\nrandom_state = 1\n")
    again = tmp_path / "again.skv"
    result = called(
        "train", digits_folder, "--out", again, "--config", config, "--epochs", 12,
        "--set", "epochs=2", "--set", "learning_rate=0.05", "--set", "optimizer__momentum=0.0",
    )  # fmt: skip
    assert result.returncode == 0, result.stderr
    net = load(again)
    assert (net.epochs, net.image_size, net.learning_rate) == (12, (8, 8), 0.05)
    assert net.get_params()["optimizer__momentum"] == 0.0
    X = np.random.default_rng(0).integers(0, 256, (5, 8, 8), dtype=np.uint8)
    np.testing.assert_array_equal(net.predict_proba(X), load(model).predict_proba(X))


@pytest.mark.parametrize(("value_range", "times"), [("auto", 1), ("0,120", 0), ("percentile", 0)])
def test_a_scale_that_is_a_guess_is_warned_of_once(tmp_path, value_range, times):
    for index, label in enumerate(["across", "along"] * 4):
        (tmp_path / label).mkdir(exist_ok=True)
        counts = np.arange(64, dtype=np.uint16).reshape(8, 8) * 120 // 63
        Image.fromarray(counts).save(tmp_path / label / f"{index}.png")
    options = ("--epochs", 1, "--image-size", 8, "--test-fraction", 0)
    result = called(
        "train",
        tmp_path,
        "--out",
        tmp_path / "m.skv",
        *options,
        "--set",
        f"value_range={value_range}",
    )
    assert result.stderr.count("numbers from 0 to 120, on a scale of 0..65535") == times


def test_the_arguments_are_listed():
    listed = ran("train", "--arguments")
    for name in ("image_size : ", "filters : ", "**optimizer_options : "):
        assert f"\n{name}" in f"\n{listed}"


def test_wrong_arguments(tmp_path, digits_folder):
    train = ("train", digits_folder, "--out", tmp_path / "m.skv")
    assert "--out" in refused("train", digits_folder)
    assert ".skv" in refused("train", digits_folder, "--out", tmp_path / "m.txt")
    for words, message in [
        (("--epochs", "many"), "--epochs takes a whole number, not 'many'."),
        (("--image-size", "big"), "--image-size takes 2 whole numbers such as 32x48, or a whole"),
        (("--learning-rate", "nan"), "--learning-rate takes a number or none, not 'nan'."),
        (("--test-fraction", "2"), "--test-fraction must be"),
        (("--set", "epochs"), "--set takes name=value"),
        (("--set", "epoch=3"), "Did you mean epochs?"),
        (("--config", tmp_path / "no.toml"), "There is no file"),
        (("--search", "epochs=1,2", "--epochs", "3"), "epochs is both set and searched"),
        (("--search", "epochs=1,2", "--cv", "1"), "--cv"),
        (("--cv", "3"), "--cv needs --search"),
        (("--jobs", "0"), "--jobs"),
        (("--search", "epochs=1,2", "--cv", "10"), "eight has 9. Lower --cv or add images."),
        (("--epochs", "0"), "Got 0"),
        (("--set", "optimizer__momentum=x"), "momentum"),
        (("--activation", "x"), "Unknown activation"),
    ]:
        assert message in refused(*train, *words)
    assert list(tmp_path.iterdir()) == []


def test_wrong_folders(tmp_path, digits_folder):
    out = tmp_path / "m.skv"
    nowhere = refused("train", tmp_path / "nowhere", "--out", out, by=run)
    assert "There is no folder" in nowhere
    assert "no images" in refused("train", tmp_path, "--out", out)
    assert "lie directly in it" in refused("train", digits_folder / "one", "--out", out)
    assert "to write" in refused("train", digits_folder, "--out", tmp_path / "nowhere" / "m.skv")


@pytest.mark.filterwarnings("always::skvision.exceptions.SkippedImageWarning")
def test_a_corrupt_image_is_an_error_before_training(tmp_path, digits_folder):
    folder = shutil.copytree(digits_folder, tmp_path / "digits")
    (folder / "one" / "bad.jpg").write_text("<html>")
    out = tmp_path / "m.skv"
    assert "bad.jpg" in refused("train", folder, "--out", out)
    # the other folder with the same classes, so that both are read
    other = shutil.copytree(digits_folder, tmp_path / "more")
    result = called(
        "train", folder, other, "--out", out, "--epochs", 1, "--image-size", 8,
        "--skip-unreadable", "--test-fraction", 0, "--jobs", 1,
    )  # fmt: skip
    assert result.returncode == 0, result.stderr
    assert "warning: 1 unreadable images were left out" in result.stderr
    assert result.stdout.startswith("240 images: 24 eight")
    assert "held out" not in result.stdout
    assert not hasattr(load(out), "held_out_")


@pytest.mark.slow
def test_search(tmp_path, digits_folder):
    out = tmp_path / "m.skv"
    result = run(
        "train", digits_folder, "--out", out, "--epochs", 2, "--image-size", 8,
        "--set", "dense_units=16", "--search", "learning_rate=0.1,1e30",
        "--search", "filters=(8,),(8,16)", "--cv", 2, "--jobs", 2,
    )  # fmt: skip
    assert result.returncode == 0, result.stderr
    assert "absl" not in result.stderr
    rows = result.stdout.split("2 folds each\n")[1].splitlines()[:5]
    assert rows[0].split() == ["rank", "learning_rate", "filters", "accuracy", "std"]
    assert [row.split()[0] for row in rows[1:]] == ["1", "2", "-", "-"]
    # the end of a long line is printed, although standard output isn't a terminal
    assert rows[4].endswith("try a tenth of it.")
    assert "failed: Training diverged" in rows[4]
    assert "\nBest: learning_rate=0.1, filters=(8," in result.stdout
    assert "on 30 images held out" in result.stdout
    net = load(out)
    assert (net.n_epochs_, net.learning_rate, net.dense_units) == (2, 0.1, (16,))


@pytest.mark.slow
def test_ctrl_c_before_the_first_epoch_writes_nothing(tmp_path, digits_folder):
    out = tmp_path / "m.skv"
    process = subprocess.Popen(
        [*COMMAND, "train", digits_folder, "--out", out, "--image-size", "8"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert "120 images" in process.stdout.readline()
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert err == "skvision: interrupted; no file was written\n"
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
def test_ctrl_c_leaves_the_model_of_the_last_epoch(tmp_path, digits_folder):
    out = tmp_path / "m.skv"
    training = OnTerminal(
        "train", digits_folder, "--out", out, "--epochs", 100000, "--image-size", 8
    )
    training.wait_for(r"epoch [2-9]\d*/100000")
    training.interrupt()
    code, printed, shown = training.end()
    assert code == 130, shown
    assert "Accuracy" in printed
    assert "Traceback" not in shown
    net = load(out)
    assert 1 <= net.n_epochs_ < 100000
    said = f"skvision: interrupted after epoch {net.n_epochs_} of 100000; the model of that epoch"
    assert said in shown
    assert len(net.predict([str(next((digits_folder / "one").iterdir()))])) == 1


@pytest.mark.parametrize(
    ("error", "code", "said"),
    [
        (
            KeyboardInterrupt(),
            130,
            "interrupted after epoch 1 of 1; the model of that epoch was written to {out}, its "
            "accuracy not measured",
        ),
        (
            ImageDecodeError("a.png", "no such file"),
            2,
            "The model was written to {out}, but not evaluated: cannot read the image a.png: "
            "no such file",
        ),
    ],
)
def test_a_model_that_could_not_be_evaluated_is_written(
    error, code, said, tmp_path, digits_folder, monkeypatch
):
    def score(*_):
        raise error

    monkeypatch.setattr(MiniVGGClassifier, "score", score)
    out = tmp_path / "m.skv"
    result = called("train", digits_folder, "--out", out, "--epochs", 1, "--image-size", 8)
    assert result.returncode == code
    assert result.stderr.splitlines()[-1] == f"skvision: {said.format(out=out)}"
    assert load(out).n_epochs_ == 1


@pytest.mark.slow
def test_a_model_is_not_lost_with_its_folder(tmp_path, digits_folder):
    folder, spare = tmp_path / "gone", tmp_path / "spare"
    folder.mkdir()
    spare.mkdir()
    process = subprocess.Popen(
        [*COMMAND, "train", digits_folder, "--out", folder / "m.skv", "--epochs", "1",
         "--image-size", "8"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "TMPDIR": str(spare)},
    )  # fmt: skip
    assert "120 images" in process.stdout.readline()
    shutil.rmtree(folder)  # while TensorFlow starts
    _, err = process.communicate(timeout=120)
    assert process.returncode == 2
    (saved,) = spare.glob("skvision-*/m.skv")
    last = err.strip().splitlines()[-1]
    assert last.startswith(f"skvision: The model could not be written to {folder / 'm.skv'} (")
    assert f"it is saved as {saved}." in last
    assert load(saved).n_epochs_ == 1


@pytest.mark.parametrize("words", [("--set", "learning_rate=1e30"), ()])
def test_nothing_is_written_if_training_fails(words, tmp_path):
    """By divergence, and by a class with too few images to hold one out."""
    from PIL import Image

    folder = tmp_path / "folder"
    for name, n in (("cat", 8), ("dog", 8 if words else 1)):
        (folder / name).mkdir(parents=True)
        for k in range(n):
            Image.effect_noise((8, 8), 50).save(folder / name / f"{k}.png")
    out = tmp_path / "m.skv"
    result = called("train", folder, "--out", out, "--image-size", 8, *words)
    assert result.returncode == 2
    assert ("diverged" if words else "dog") in result.stderr.strip().splitlines()[-1]
    assert "Traceback" not in result.stderr
    assert list(tmp_path.iterdir()) == [folder]
