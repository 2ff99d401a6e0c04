"""Help, completion and errors of all commands."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from skvision import __version__
from skvision.cli._completion import activations, optimizers
from skvision.cli.app import _explain
from skvision.networks import ACTIVATIONS, OPTIMIZERS

from .command import called, ran, refused, run

COMMANDS = (
    "check", "train", "predict", "evaluate", "report", "info", "augment", "export", "features",
    "networks", "cache",
)  # fmt: skip


def test_help_and_version():
    for words, by in (["--help"], run), ([], called):
        result = by(*words)
        assert result.returncode in (0, 2)
        for command in COMMANDS:
            assert command in result.stdout
    assert ran("--version", by=called) == f"skvision {__version__}\n"
    assert "--learning-rate" in ran("train", "--help", by=called)


def completing(line):
    """The environment in which bash asks what it may offer after `line`."""
    return {
        "_SKVISION_COMPLETE": "complete_bash",
        "COMP_WORDS": line,
        "COMP_CWORD": str(len(line.split(" ")) - 1),
    }


def test_help_and_completion_load_no_keras():
    code = (
        "import os, sys\n"
        "from skvision.cli import main\n"
        "for words in (['--help'], ['train', '--arguments'], []):\n"
        f"    os.environ.update({completing('skvision ')} if not words else {{}})\n"
        "    try:\n        main(words)\n    except SystemExit:\n        pass\n"
        "heavy = {'keras', 'tensorflow', 'sklearn', 'numpy'}\n"
        "print(sorted(heavy & set(sys.modules)))"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    for said in ("Usage: skvision", "image_size : ", "networks"):
        assert said in result.stdout
    assert result.stdout.strip().endswith("[]")


@pytest.mark.parametrize(
    ("line", "offered"),
    [
        ("skvision ", set(COMMANDS)),
        ("skvision train x --model f", {"features", "finetune"}),
        ("skvision train x --head ", {"logistic", "svm", "knn", "forest"}),
        ("skvision train x --model features --set lay", {"layer="}),
        ("skvision train x --set ep", {"epochs="}),
        ("skvision train x --search image_s", {"image_size="}),
        ("skvision train x --optimizer rms", {"rmsprop"}),
        ("skvision train x --optimizer RMS", {"RMSprop"}),
        ("skvision train x --activation leaky", {"leaky_relu"}),
        ("skvision train x --resize ", {"stretch", "crop", "pad"}),
        ("skvision predict m x --format ", {"table", "csv", "json"}),
    ],
)
def test_completion(line, offered, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name, value in completing(line).items():
        monkeypatch.setenv(name, value)
    assert set(ran(by=called).split()) == offered


def test_completion_knows_what_the_library_knows():
    assert set(optimizers("")) == set(OPTIMIZERS)
    assert set(activations("")) == set(ACTIVATIONS)


def test_completion_is_installed(tmp_path):
    """By the installed command, in a real shell, into a separate home folder."""
    folder = Path(sys.executable).parent
    environment = {
        **os.environ,
        "HOME": str(tmp_path),
        "PATH": f"{folder}{os.pathsep}{os.environ['PATH']}",
    }
    script = "skvision --show-completion; skvision --install-completion; exit $?"
    result = subprocess.run(
        ["bash", "--norc", "-c", script], capture_output=True, text=True, env=environment
    )
    assert result.returncode == 0, result.stderr
    assert "_SKVISION_COMPLETE=complete_bash" in result.stdout
    assert "skvision" in (tmp_path / ".bashrc").read_text()
    source = subprocess.run(
        [folder / "skvision"],
        capture_output=True,
        text=True,
        env={**environment, "_SKVISION_COMPLETE": "source_bash"},
    )
    assert "_SKVISION_COMPLETE=complete_bash" in source.stdout


def test_no_such_command():
    assert "No such command 'frob'" in refused("frob", by=run)


def test_debug_shows_where(tmp_path):
    words = ("train", tmp_path / "nowhere", "--out", tmp_path / "m.joblib")
    for arguments in (("--debug", *words), (*words, "--debug")):
        result = called(*arguments)
        assert result.returncode == 2
        assert "Traceback" in result.stderr
        assert "FileNotFoundError: There is no folder" in result.stderr


def test_an_unexpected_error_is_one_line_too(capsys):
    _explain(TypeError("no\nnumber"), debug=False)
    expected = "skvision: TypeError: no number. Add --debug to see where.\n"
    assert capsys.readouterr().err == expected


def test_a_closed_reader_is_not_an_error():
    command = f"{sys.executable} -m skvision train --arguments | head -1"
    result = subprocess.run(
        ["bash", "-c", f"set -o pipefail; {command}"], capture_output=True, text=True
    )
    assert result.stdout.startswith("image_size")
    assert "Traceback" not in result.stderr


def test_a_command_in_this_process_leaves_the_environment(tmp_path):
    before = dict(os.environ)
    called("augment", tmp_path, tmp_path / "out", "--per-class", 1, "--jobs", 7)
    assert dict(os.environ) == before
