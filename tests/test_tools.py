"""Helpers of the Makefile: pinned versions, and paths of tests."""

from __future__ import annotations

import importlib.util
import re
import tomllib
from itertools import chain
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]

_spec = importlib.util.spec_from_file_location(
    "lowest_versions", ROOT / "tools" / "lowest_versions.py"
)
lowest_versions = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(lowest_versions)


def test_every_dependency_and_extra_is_pinned_to_its_lower_bound():
    pins = lowest_versions.pins(PROJECT)
    listed = [*chain(PROJECT["dependencies"], *PROJECT["optional-dependencies"].values())]
    own = [each for each in listed if each.startswith("skvision[")]
    assert len(pins) == len({each.split(">=")[0] for each in listed} - set(own))
    for pin in pins:
        name, version = pin.split("==")
        assert any(each.split(",")[0] == f"{name}>={version}" for each in listed)
    assert "keras==3.15.1" in pins
    assert lowest_versions.python(PROJECT) == "3.11"


@pytest.mark.parametrize(
    ("requirement", "message"),
    [
        ("numpy", "'numpy': give numpy one lower bound"),
        ("keras>=3.16", "'keras>=3.16': give keras one lower bound"),
        ("numpy==2.0", "'numpy==2.0' is not of the form name>=version"),
    ],
)
def test_requirements_without_a_single_lower_bound_are_refused(requirement, message):
    project = {
        "name": "skvision",
        "dependencies": ["keras >= 3.15.1, < 4"],
        "optional-dependencies": {"more": [requirement], "all": ["skvision[more]"]},
    }
    with pytest.raises(ValueError, match=message):
        lowest_versions.pins(project)
    del project["optional-dependencies"]["more"]
    assert lowest_versions.pins(project) == ["keras==3.15.1"]


def test_the_tests_in_the_makefile_exist():
    named = re.findall(r"tests/[\w/.]+", (ROOT / "Makefile").read_text(encoding="utf-8"))
    assert "tests/_sklearn" in named
    assert [path for path in named if not (ROOT / path).exists()] == []
