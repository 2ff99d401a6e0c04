"""Imports point one way, and the lower layers load no Keras."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import skvision

PACKAGE = Path(skvision.__file__).parent

# a layer may import those to its right, and itself
LAYERS = [
    {"cli"},
    {"inspection", "distributed", "persistence"},
    {"classifiers"},
    {"feature_extraction"},
    {"training"},
    {"networks", "augmentation"},
    {"datasets"},
    {"images"},
    {"atomic", "callbacks", "estimator", "exceptions", "labels", "memory", "progress", "threads"},
]
RANK = {name: rank for rank, names in enumerate(LAYERS) for name in names}
WITHOUT_KERAS = {"images", "datasets", "augmentation", "persistence"} | set(LAYERS[-1])


def modules():
    for path in sorted(PACKAGE.rglob("*.py")):
        parts = path.relative_to(PACKAGE).with_suffix("").parts
        if parts[0] in ("__init__", "__main__"):
            continue
        yield pytest.param(path, parts, id=".".join(parts))


def imported_layers(path, parts):
    """(layer, is at module level) of every import from within the package."""
    tree = ast.parse(path.read_text())
    top = set(ast.walk(ast.Module([n for n in tree.body if not is_function(n)], [])))
    package = parts[:-1]
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.level:
            base = package[: len(package) - (node.level - 1)]
            where = (*base, *(node.module.split(".") if node.module else ()))
            names = [where[0]] if where else [alias.name for alias in node.names]
            yield from ((name, node in top) for name in names)


def is_function(node):
    return isinstance(node, ast.FunctionDef | ast.ClassDef)


@pytest.mark.parametrize(("path", "parts"), list(modules()))
def test_imports_point_one_way(path, parts):
    for layer, _ in imported_layers(path, parts):
        if layer in RANK:
            assert layer == parts[0] or RANK[layer] > RANK[parts[0]], f"{parts[0]} -> {layer}"
        else:
            assert layer.startswith("__"), f"{layer} is in no layer"


@pytest.mark.parametrize(("path", "parts"), list(modules()))
def test_lower_layers_import_no_keras_at_module_level(path, parts):
    if parts[0] not in WITHOUT_KERAS:
        return
    for node in ast.parse(path.read_text()).body:
        names = [alias.name for alias in getattr(node, "names", [])]
        names += [getattr(node, "module", None) or ""]
        assert not any(n.split(".")[0] in ("keras", "tensorflow", "scikeras") for n in names)


def test_every_folder_is_a_layer():
    folders = {path.parent.name for path in PACKAGE.glob("*/__init__.py")}
    assert folders <= set(RANK)


def test_only_one_file_imports_scikeras():
    importing = [
        path.name
        for path in PACKAGE.rglob("*.py")
        if any(
            line.startswith(("import scikeras", "from scikeras"))
            for line in path.read_text().splitlines()
        )
    ]
    assert importing == ["_scikeras.py"]


def test_importing_the_package_loads_no_keras():
    code = (
        "import sys, skvision; skvision.load_image_folder; skvision.export_digits\n"
        "print([m for m in ('keras', 'tensorflow', 'scikeras') if m in sys.modules])"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "[]"


def test_public_names_exist():
    for name in skvision.__all__:
        assert getattr(skvision, name) is not None
    assert set(skvision.__all__) <= set(dir(skvision))
    with pytest.raises(AttributeError, match="no attribute 'nonsense'"):
        _ = skvision.nonsense
