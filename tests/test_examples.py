"""All examples run: those in docstrings, in the README and in docs."""

from __future__ import annotations

import doctest
import importlib.util
import os
import re
import runpy
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from skvision import export_digits

from .cli.command import called
from .walking import module_names

ROOT = Path(__file__).parent.parent
HAS_CALLBACKS = importlib.util.find_spec("sklearn.callback") is not None  # scikit-learn 1.9


#: examples that train or explain the bundled network
SLOW = {
    "skvision.classifiers.finetuned",
    "skvision.classifiers.imagenet",
    "skvision.inspection.explanation",
    "skvision.inspection.label_issues",
}


@pytest.mark.parametrize(
    "name",
    [
        pytest.param(name, marks=[pytest.mark.slow] if name in SLOW else [])
        for name in module_names()
    ],
)
def test_docstring_examples(name):
    module = importlib.import_module(name)
    results = doctest.testmod(module, optionflags=doctest.NORMALIZE_WHITESPACE)
    assert results.failed == 0


# but for the service, which tests/test_serving.py starts, and the demo, a process of its own
SCRIPTS = [
    path
    for path in sorted((ROOT / "examples").glob("*.py"))
    if path.stem not in ("digits_demo", "serve")
]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
FLOWERS = dict(
    zip(
        ("daisy", "dandelion", "rose", "sunflower", "tulip"),
        ("zero", "one", "two", "three", "four"),
        strict=True,
    )
)


def blocks(page, language):
    return re.findall(rf"```{language}\n(.*?)```", page.read_text(), flags=re.DOTALL)


def pages_with(language):
    return [pytest.param(page, id=page.stem) for page in PAGES if blocks(page, language)]


@pytest.fixture(scope="session")
def pictures(tmp_path_factory):
    """The folders that README and docs use, with digits instead of photos."""
    folder = tmp_path_factory.mktemp("docs")
    export_digits(folder / "animals", n_per_class=20)
    for name in ("flowers", "more_flowers"):
        for flower, digit in FLOWERS.items():
            shutil.copytree(folder / "animals" / digit, folder / name / flower)
    return folder


@pytest.fixture
def work_folder(pictures, tmp_path, monkeypatch):
    for folder in pictures.iterdir():
        (tmp_path / folder.name).symlink_to(folder)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SKVISION_CACHE", str(tmp_path / "cache"))
    return tmp_path


def shortened(code):
    """Return the code with fewer epochs and images, so that it runs faster."""
    code = re.sub(r"epochs([= ])\d+", r"epochs\g<1>1", code)
    return re.sub(r"(per-class |sampling_strategy=)\d{4}", r"\g<1>25", code)


def in_process(line):
    """Run a command line in this process, without starting TensorFlow again; return its output."""
    words = shlex.split(line)
    target = None
    if ">" in words:
        words, target = words[: words.index(">")], words[-1]
    run = called(*words[1:])
    if target:
        Path(target).write_text(run.stdout)
    return run


def in_shell(line):
    """Run a line with `python` and `skvision` of this environment."""
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    environment = {**os.environ, "PATH": path}
    return subprocess.run(line, shell=True, env=environment, capture_output=True, text=True)


def test_pages_with_examples_exist():
    assert len(blocks(ROOT / "README.md", "python")) >= 2
    assert {page.id for page in pages_with("python")} >= {"README", "folders", "training"}
    assert {page.id for page in pages_with("sh")} >= {"README", "command_line"}


@pytest.mark.slow
@pytest.mark.parametrize("page", pages_with("python"))
def test_python_of_a_page_runs_from_top_to_bottom(page, work_folder):
    names = {}
    for block in blocks(page, "python"):
        if not HAS_CALLBACKS and "callback" in block.lower():
            continue
        exec(compile(shortened(block), page.name, "exec"), names)
    if "net" in names:
        assert names["net"].predict(names["X"][:3]).shape == (3,)


@pytest.mark.slow
@pytest.mark.parametrize("page", pages_with("sh"))
def test_shell_of_a_page_runs_from_top_to_bottom(page, work_folder):
    lines = [line for block in blocks(page, "sh") for line in block.splitlines() if line]
    assert lines
    for line in map(shortened, lines):
        run = in_process(line) if re.match(r"skvision [^|;&]*$", line) else in_shell(line)
        assert run.returncode == 0, f"{line}\n{run.stderr}"


@pytest.mark.slow
@pytest.mark.parametrize("script", SCRIPTS, ids=lambda p: p.stem)
def test_example_scripts_run(script, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "folder").mkdir()
    # scripts fill an empty folder with digits; the exam runs without a folder
    arguments = [] if script.stem == "animals_exam" else ["folder"]
    monkeypatch.setattr(sys, "argv", [str(script), *arguments])
    runpy.run_path(str(script), run_name="__main__")
    assert "ccuracy" in capsys.readouterr().out


@pytest.mark.slow
def test_the_demo_shows_its_own_lines_only(tmp_path):
    words = [sys.executable, str(ROOT / "examples" / "digits_demo.py"), "out"]
    environment = {k: v for k, v in os.environ.items() if k != "TF_CPP_MIN_LOG_LEVEL"}
    run = subprocess.run(words, capture_output=True, text=True, cwd=tmp_path, env=environment)
    assert run.returncode == 0, run.stderr
    assert [line[:9] for line in run.stderr.splitlines() if line] == ["epoch 8/8"]
    correct = re.search(r"([\d.]+)% of the other 450 images", run.stdout)
    assert float(correct[1]) > 95
    assert "china.jpg: palace" in run.stdout
    assert "flower.jpg: daisy" in run.stdout
    assert (tmp_path / "out" / "digits.skv").stat().st_size > 0


@pytest.mark.slow
@pytest.mark.parametrize("script", sorted((ROOT / "examples").glob("*.sh")), ids=lambda p: p.stem)
def test_example_shell_scripts_run(script):
    run = in_shell(str(script))
    assert run.returncode == 0, run.stderr
    assert "Accuracy" in run.stdout
