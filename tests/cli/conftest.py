"""One model, trained from the command line once."""

from __future__ import annotations

import re

import pytest

from .command import called

#: the options of the model, and the same as --set and --config
TRAINING = ("--epochs", 12, "--image-size", 8, "--learning-rate", 0.05, "--seed", 1)


@pytest.fixture(scope="session")
def model(digits_folder, tmp_path_factory):
    path = tmp_path_factory.mktemp("model") / "m.skv"
    result = called("train", digits_folder, "--out", path, *TRAINING)
    assert result.returncode == 0, result.stderr
    assert re.search(r"Accuracy [01]\.\d+ on 30 images held out", result.stdout)
    assert f"Model written to {path}" in result.stdout
    return path


@pytest.fixture(scope="session")
def one(digits_folder):
    """The file of an image of a one."""
    return sorted((digits_folder / "one").iterdir())[0]
