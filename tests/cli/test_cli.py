"""The command line as a user meets it: real processes, their output and exit codes."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
import time

import joblib
import numpy as np
import pytest

from skvision import __version__

COMMAND = (sys.executable, "-m", "skvision")


def run(*words, cwd=None):
    return subprocess.run(
        [*COMMAND, *map(str, words)],
        capture_output=True,
        text=True,
        cwd=cwd,
        timeout=300,
    )


def refused(*words, cwd=None):
    """The one line on standard error of a command that must exit with 2."""
    result = run(*words, cwd=cwd)
    assert result.returncode == 2, result.stderr
    assert "Traceback" not in result.stderr
    lines = result.stderr.strip().splitlines()
    assert len(lines) == 1, lines
    assert lines[0].startswith("skvision: ")
    return lines[0]


@pytest.fixture(scope="module")
def model(digits_folder, tmp_path_factory):
    path = tmp_path_factory.mktemp("model") / "m.joblib"
    result = run(
        "train", digits_folder, "--out", path, "--epochs", 12, "--image-size", 8,
        "--learning-rate", 0.05, "--seed", 1,
    )  # fmt: skip
    assert result.returncode == 0, result.stderr
    assert re.search(r"Accuracy [01]\.\d+ on 30 pictures kept back", result.stdout)
    assert f"Model written to {path}" in result.stdout
    return path


def test_help_and_version():
    for words in (["--help"], []):
        result = run(*words)
        assert result.returncode in (0, 2)
        for command in ("train", "predict", "evaluate"):
            assert command in result.stdout
    assert run("--version").stdout.strip() == f"skvision {__version__}"
    assert "--learning-rate" in run("train", "--help").stdout


def test_help_loads_no_keras():
    code = (
        "import sys\n"
        "from skvision.cli import main\n"
        "try:\n    main(['--help'])\nexcept SystemExit:\n    pass\n"
        "heavy = {'keras', 'tensorflow', 'sklearn', 'numpy'}\n"
        "print(sorted(heavy & set(sys.modules)))"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert result.stdout.strip().endswith("[]")


def test_train_writes_what_the_library_reads(model):
    net = joblib.load(model)
    assert net.n_epochs_ == 12
    assert net.get_params()["image_size"] == (8, 8)
    assert net.get_params()["learning_rate"] == 0.05


def test_the_same_seed_gives_the_same_model(model, digits_folder, tmp_path):
    again = tmp_path / "again.joblib"
    run(
        "train", digits_folder, "--out", again, "--epochs", 12, "--image-size", 8,
        "--learning-rate", 0.05, "--seed", 1,
    )  # fmt: skip
    X = np.random.default_rng(0).integers(0, 256, (4, 8, 8), dtype=np.uint8)
    np.testing.assert_array_equal(
        joblib.load(again).predict_proba(X), joblib.load(model).predict_proba(X)
    )


def test_predict_names_files_and_folders(model, digits_folder):
    one = sorted((digits_folder / "one").iterdir())[0]
    result = run("predict", model, one, digits_folder / "two", "--top", 3, "--trust")
    assert result.returncode == 0
    assert result.stderr == ""
    lines = result.stdout.splitlines()
    assert len(lines) == 13
    file, answer = lines[0].split(": ")
    assert file == str(one)
    names_and_scores = [part.split() for part in answer.split(", ")]
    assert len(names_and_scores) == 3
    scores = [float(score) for _, score in names_and_scores]
    assert scores == sorted(scores, reverse=True)


def test_evaluate_prints_the_figures(model, digits_folder):
    result = run("evaluate", model, digits_folder, "--trust")
    assert result.returncode == 0
    assert re.search(r"Accuracy [01]\.\d{4} on 120 pictures", result.stdout)
    assert "precision" in result.stdout
    rows = result.stdout.split("Confusion matrix")[1].strip().splitlines()[2:]
    counts = np.array([[int(word) for word in row.split()[1:]] for row in rows])
    assert counts.sum() == 120
    np.testing.assert_array_equal(counts.sum(axis=1), np.full(10, 12))
    accuracy = float(re.search(r"Accuracy ([01]\.\d+)", result.stdout)[1])
    assert accuracy == pytest.approx(np.trace(counts) / 120, abs=1e-4)


def test_unreadable_pictures_do_not_stop_the_others(model, digits_folder, tmp_path):
    good = sorted((digits_folder / "one").iterdir())[0]
    bad = tmp_path / "bad.png"
    bad.write_bytes(b"")
    result = run("predict", model, bad, good, "--trust")
    assert result.returncode == 2
    assert len(result.stdout.splitlines()) == 1
    assert result.stderr.strip() == f"skvision: cannot read the picture {bad}: the file is empty"


def test_wrong_arguments(tmp_path, digits_folder):
    out = tmp_path / "m.joblib"
    assert "No such command 'frob'" in refused("frob")
    assert "--out" in refused("train", digits_folder)
    assert "--epochs" in refused("train", digits_folder, "--out", out, "--epochs", "many")
    assert "Got 0" in refused("train", digits_folder, "--out", out, "--epochs", "0")
    assert "32x48" in refused("train", digits_folder, "--out", out, "--image-size", "big")
    assert ".joblib" in refused("train", digits_folder, "--out", tmp_path / "m.txt")
    assert "--test-fraction" in refused(
        "train", digits_folder, "--out", out, "--test-fraction", "2"
    )
    assert "Unknown activation" in refused(
        "train", digits_folder, "--out", out, "--activation", "x"
    )
    assert not out.exists()
    assert list(tmp_path.iterdir()) == []


def test_wrong_folders(tmp_path, digits_folder):
    out = tmp_path / "m.joblib"
    assert "There is no folder" in refused("train", tmp_path / "nowhere", "--out", out)
    assert "no pictures" in refused("train", tmp_path, "--out", out)
    assert "lie directly in it" in refused("train", digits_folder / "one", "--out", out)
    assert "to write" in refused("train", digits_folder, "--out", tmp_path / "nowhere" / "m.joblib")


def test_a_corrupt_picture_ends_training_before_it_begins(tmp_path, digits_folder):
    import shutil

    folder = shutil.copytree(digits_folder, tmp_path / "digits")
    (folder / "one" / "bad.jpg").write_text("<html>")
    out = tmp_path / "m.joblib"
    assert "bad.jpg" in refused("train", folder, "--out", out)
    result = run(
        "train", folder, "--out", out, "--epochs", 1, "--image-size", 8, "--skip-unreadable"
    )
    assert result.returncode == 0
    assert "warning: 1 unreadable pictures were left out" in result.stderr
    assert out.exists()


def test_wrong_models(tmp_path, model, digits_folder):
    one = sorted((digits_folder / "one").iterdir())[0]
    assert "--trust" in refused("predict", model, one)
    assert "There is no model file" in refused("predict", tmp_path / "m.joblib", one, "--trust")
    broken = tmp_path / "broken.joblib"
    broken.write_bytes(model.read_bytes()[:3000])
    assert "damaged" in refused("predict", broken, one, "--trust")
    broken.write_text("hello")
    assert "damaged" in refused("evaluate", broken, digits_folder, "--trust")
    joblib.dump({"no": "model"}, broken)
    assert "holds a dict" in refused("predict", broken, one, "--trust")


def test_a_model_is_not_loaded_without_trust(tmp_path, digits_folder):
    class Bomb:
        def __reduce__(self):
            return (open, (str(tmp_path / "exploded"), "w"))

    joblib.dump(Bomb(), tmp_path / "m.joblib")
    refused("predict", tmp_path / "m.joblib", digits_folder)
    assert not (tmp_path / "exploded").exists()


def test_ctrl_c_ends_training_cleanly(tmp_path, digits_folder):
    out = tmp_path / "m.joblib"
    process = subprocess.Popen(
        [*COMMAND, "train", digits_folder, "--out", out, "--epochs", "100000", "--image-size", "8"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert "120 pictures" in process.stdout.readline()
    time.sleep(15)  # TensorFlow starts, then training
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "Traceback" not in err
    assert err.strip().endswith("skvision: interrupted; no file was written")
    assert list(tmp_path.iterdir()) == []


def test_a_folder_with_other_classes(model, tmp_path):
    from PIL import Image

    for name in ("cat", "dog"):
        (tmp_path / name).mkdir()
        Image.new("RGB", (8, 8)).save(tmp_path / name / "1.png")
    assert "does not know: cat, dog" in refused("evaluate", model, tmp_path, "--trust")
