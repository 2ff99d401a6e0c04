"""Private names are used only by their object, or by the one file for a library."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

import skvision

PACKAGE = Path(skvision.__file__).parent

#: library: the only file that may use its private parts; None if no file does
DOORS = {
    "keras": "networks/keras_compat.py",
    "openvino": "networks/openvino_compat.py",
    "sklearn": "_sklearn/compat.py",
    "scikeras": "_sklearn/scikeras_bridge.py",
    **dict.fromkeys(["click", "joblib", "jax", "skops", "tensorflow", "torch", "typer"]),
}

#: public names that begin with an underscore: those of named tuples
PUBLIC = {"_asdict", "_fields", "_make", "_replace"}

#: file: private names of other objects that it may use
ALLOWED = {
    # scikit-learn's protocol: a class extends the parameter table of its base class
    "classifiers/finetuned.py": {"_parameter_constraints"},
    "classifiers/minivgg.py": {"_parameter_constraints"},
}


def is_private(name):
    return name.startswith("_") and not name.endswith("__") and name not in PUBLIC


def private_uses(tree):
    """Yield (name, library or None) of each use of a private name."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and is_private(node.attr) and not is_own(node.value):
            yield node.attr, None
        elif isinstance(node, ast.Call) and asks_for_private(node):
            yield node.args[1].value, None
        elif isinstance(node, ast.Import):
            for alias in node.names:
                yield from of_library(alias.name)
        elif isinstance(node, ast.ImportFrom) and not node.level:
            for alias in node.names:
                yield from of_library(f"{node.module}.{alias.name}")
        elif isinstance(node, ast.Constant) and str(node.value).startswith("keras.src"):
            yield node.value, "keras"


def is_own(owner):
    """Return whether an expression is self, cls or super()."""
    if isinstance(owner, ast.Call):
        return isinstance(owner.func, ast.Name) and owner.func.id == "super"
    return isinstance(owner, ast.Name) and owner.id in ("self", "cls")


def asks_for_private(call):
    """Return whether a call reads or sets another object's private name by its text."""
    return (
        isinstance(call.func, ast.Name)
        and call.func.id in ("getattr", "hasattr", "setattr", "delattr")
        and isinstance(call.args[1], ast.Constant)
        and is_private(call.args[1].value)
        and not is_own(call.args[0])
    )


def of_library(name):
    library, *rest = name.split(".")
    if library in DOORS and (rest[:1] == ["src"] or any(map(is_private, rest))):
        yield name, library


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("x._name", ["_name"]),
        ("f()._name = 1", ["_name"]),
        ("self.part._name", ["_name"]),
        ("Base._name", ["_name"]),
        ("getattr(x, '_name', None)", ["_name"]),
        ("hasattr(type(x), '_name')", ["_name"]),
        ("from sklearn.utils._param_validation import Interval", None),
        ("from sklearn.utils.validation import _check_y", None),
        ("import keras.src.ops", None),
        ("from keras import src", None),
        ("from openvino import _pyopenvino", None),
        ("kind.startswith('keras.src.backend')", ["keras.src.backend"]),
        ("self._name, cls._name, super()._name", []),
        ("getattr(self, '_name')", []),
        ("x.__class__.__name__, BaseEstimator.__sklearn_clone__(x)", []),
        ("row._asdict()", []),
        ("from sklearn.utils.validation import check_is_fitted", []),
        ("from .._system import atomic", []),
    ],
)
def test_private_uses_are_found(line, expected):
    found = [name for name, _ in private_uses(ast.parse(line))]
    assert found == expected if expected is not None else len(found) == 1


@pytest.mark.parametrize(
    "path", sorted(PACKAGE.rglob("*.py")), ids=lambda path: str(path.relative_to(PACKAGE))
)
def test_private_parts_are_used_behind_doors_only(path):
    file = path.relative_to(PACKAGE).as_posix()
    used = set(private_uses(ast.parse(path.read_text())))
    for name, library in used:
        assert library is None or file == DOORS[library], f"{name} is for {DOORS[library]} alone"
    if file not in DOORS.values():
        # equal, so that an unused allowance is an error
        assert {name for name, _ in used} == ALLOWED.get(file, set())


def test_doors_and_allowances_name_existing_files():
    assert all((PACKAGE / file).is_file() for file in {*filter(None, DOORS.values()), *ALLOWED})
