"""Every example runs: those in docstrings, and the README's."""

from __future__ import annotations

import doctest
import importlib
import os
import pkgutil
import re
import runpy
import subprocess
import sys
from pathlib import Path

import pytest

import skvision
from skvision import export_digits

ROOT = Path(__file__).parent.parent


def module_names():
    for module in pkgutil.walk_packages(skvision.__path__, "skvision."):
        if not module.name.endswith("__main__"):
            yield module.name


@pytest.mark.parametrize("name", list(module_names()))
def test_docstring_examples(name):
    module = importlib.import_module(name)
    results = doctest.testmod(module, optionflags=doctest.NORMALIZE_WHITESPACE)
    assert results.failed == 0


def readme_blocks(language):
    text = (ROOT / "README.md").read_text()
    return re.findall(rf"```{language}\n(.*?)```", text, flags=re.DOTALL)


@pytest.fixture
def animals_like(tmp_path, monkeypatch):
    """A working folder with `animals/` in it, as the README assumes."""
    monkeypatch.chdir(tmp_path)
    export_digits(tmp_path / "animals", n_per_class=20)
    return tmp_path


def shortened(code):
    """The README's code with fewer epochs: what it does, in less time."""
    return re.sub(r"epochs=\d+", "epochs=1", code)


def test_readme_has_the_examples_that_are_tested():
    assert len(readme_blocks("python")) >= 2


def test_readme_python_runs_from_top_to_bottom(animals_like):
    names = {}
    for block in readme_blocks("python"):
        exec(compile(shortened(block), "README.md", "exec"), names)
    assert names["net"].classes_.size == 10


@pytest.mark.slow
def test_readme_shell_runs(animals_like):
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    lines = [
        line
        for block in readme_blocks("sh")
        for line in block.splitlines()
        if line.startswith("skvision ")
    ]
    assert lines
    for line in lines:
        line = re.sub(r"--epochs \d+", "--epochs 1", line)
        run = subprocess.run(
            line, shell=True, env={**os.environ, "PATH": path}, capture_output=True, text=True
        )
        assert run.returncode == 0, f"{line}\n{run.stderr}"


@pytest.mark.slow
@pytest.mark.parametrize("script", sorted((ROOT / "examples").glob("*.py")), ids=lambda p: p.stem)
def test_example_scripts_run(script, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", [str(script), str(tmp_path)])
    runpy.run_path(str(script), run_name="__main__")
    assert "ccuracy" in capsys.readouterr().out
