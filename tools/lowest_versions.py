"""The lowest versions that pyproject.toml allows, as pip takes them.

``python tools/lowest_versions.py`` prints ``scikit-learn==1.6 ...`` on one line: of all
dependencies and extras. ``python tools/lowest_versions.py --python`` prints the lowest Python.
"""

from __future__ import annotations

import re
import sys
import tomllib
from collections.abc import Mapping
from itertools import chain
from pathlib import Path
from typing import Any

_REQUIREMENT = re.compile(r"(?P<name>[\w.-]+)(\[[\w,-]+\])?(>=(?P<lowest>[\w.]+)(,.*)?)?")


def pins(project: Mapping[str, Any]) -> list[str]:
    """``name==version`` of each package, at its lower bound.

    Parameters
    ----------
    project : mapping
        The table ``[project]`` of pyproject.toml.

    Returns
    -------
    list of str

    Raises
    ------
    ValueError
        If a package has no lower bound, or two.
    """
    extras = project.get("optional-dependencies", {}).values()
    found: dict[str, str] = {}
    for requirement in chain(project["dependencies"], *extras):
        parts = _REQUIREMENT.fullmatch(requirement.replace(" ", ""))
        if parts is None:
            raise ValueError(f"{requirement!r} is not of the form name>=version.")
        name, lowest = parts["name"], parts["lowest"]
        if name == project["name"]:  # an extra that takes another in
            continue
        if lowest is None or found.setdefault(name, lowest) != lowest:
            raise ValueError(f"{requirement!r}: give {name} one lower bound, name>=version.")
    return [f"{name}=={lowest}" for name, lowest in found.items()]


def python(project: Mapping[str, Any]) -> str:
    """The lowest version of Python: ``"3.11"``."""
    found = re.match(r">=([\d.]+)", project["requires-python"])
    if found is None:
        raise ValueError(f"requires-python={project['requires-python']!r} has no lower bound.")
    return found[1]


if __name__ == "__main__":
    _file = Path(__file__).parents[1] / "pyproject.toml"
    _project = tomllib.loads(_file.read_text(encoding="utf-8"))["project"]
    print(python(_project) if "--python" in sys.argv else " ".join(pins(_project)))
