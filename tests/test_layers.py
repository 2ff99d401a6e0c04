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
    {"inspection", "distributed"},
    {"classifiers"},
    {"feature_extraction"},
    {"persistence", "training"},
    {"networks", "augmentation"},
    {"datasets"},
    {"images", "backbone_table"},
    {"_sklearn"},
    {"_system"},
    {"exceptions"},
]
RANK = {name: rank for rank, names in enumerate(LAYERS) for name in names}
WITHOUT_KERAS = {
    "images",
    "backbone_table",
    "datasets",
    "augmentation",
    "persistence",
    "_sklearn",
    "_system",
}
# scikeras is Keras' own
WITH_KERAS = {("_sklearn", "scikeras_bridge")}


def modules():
    for path in sorted(PACKAGE.rglob("*.py")):
        parts = path.relative_to(PACKAGE).with_suffix("").parts
        if parts[0] in ("__init__", "__main__"):
            continue
        yield pytest.param(path, parts, id=".".join(parts))


def imported_layers(path, parts):
    """The layer of every import from within the package, relative or absolute, at any level."""
    package = ("skvision", *parts[:-1])
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom):
            base = package[: len(package) - (node.level - 1)] if node.level else ()
            module = (*base, *(node.module.split(".") if node.module else ()))
            imported = [(*module, alias.name) for alias in node.names]
        elif isinstance(node, ast.Import):
            imported = [tuple(alias.name.split(".")) for alias in node.names]
        else:
            continue
        for name in imported:
            if name[0] == "skvision":
                # a public name of the package belongs to the layer that it comes from
                yield _layer_of(name[1]) if len(name) > 1 else "skvision"


def _layer_of(name):
    return skvision._WHERE.get(name, name).partition(".")[0]


@pytest.mark.parametrize(("path", "parts"), list(modules()))
def test_imports_point_one_way(path, parts):
    for layer in imported_layers(path, parts):
        if layer in RANK:
            assert layer == parts[0] or RANK[layer] > RANK[parts[0]], f"{parts[0]} -> {layer}"
        else:
            assert layer.startswith("__"), f"{layer} is in no layer"


@pytest.mark.parametrize(
    ("line", "layers"),
    [
        ("from ..persistence import load", ["persistence"]),
        ("from skvision.persistence import load", ["persistence"]),
        ("from skvision import load", ["persistence"]),
        ("import skvision.persistence.safe_file", ["persistence"]),
        ("import skvision", ["skvision"]),
        ("def f():\n    from skvision import MiniVGGClassifier", ["classifiers"]),
        ("from .. import networks, __version__", ["networks", "__version__"]),
        ("import keras", []),
    ],
)
def test_imports_of_every_form_are_seen(tmp_path, line, layers):
    path = tmp_path / "module.py"
    path.write_text(line)
    assert list(imported_layers(path, ("feature_extraction", "module"))) == layers


@pytest.mark.parametrize(("path", "parts"), list(modules()))
def test_lower_layers_import_no_keras_at_module_level(path, parts):
    if parts[0] not in WITHOUT_KERAS or parts in WITH_KERAS:
        return
    for node in ast.parse(path.read_text()).body:
        names = [alias.name for alias in getattr(node, "names", [])]
        names += [getattr(node, "module", None) or ""]
        assert not any(n.split(".")[0] in ("keras", "tensorflow", "scikeras") for n in names)


def _imports(path):
    """The imports at the level of a module, as pairs of a module and a name."""
    for node in ast.parse(path.read_text()).body:
        for alias in getattr(node, "names", []):
            yield getattr(node, "module", None) or alias.name, alias.name


def _are_networks_first(path):
    """Whether a module imports `networks`, and no Keras before."""
    for module, name in _imports(path):
        if name == "networks":
            return True
        if module.split(".")[0] == "keras":
            return False
    return False


@pytest.mark.parametrize(("path", "parts"), list(modules()))
def test_the_backend_starts_quietly_from_every_module(path, parts):
    if parts[0] == "networks" or parts in WITH_KERAS:
        return
    if any(module.split(".")[0] == "keras" for module, _ in _imports(path)):
        assert _are_networks_first(path) or _are_networks_first(path.parent / "__init__.py")


@pytest.mark.parametrize(("path", "parts"), list(modules()))
def test_no_function_has_more_than_eight_parameters(path, parts):
    for node in ast.walk(ast.parse(path.read_text())):
        if not isinstance(node, ast.FunctionDef) or node.name == "__init__":
            continue
        if parts == ("cli", node.name):
            continue  # options of the command line
        arguments = node.args
        names = [each.arg for each in (*arguments.posonlyargs, *arguments.args)]
        names += [each.arg for each in arguments.kwonlyargs]
        assert len([name for name in names if name not in ("self", "cls")]) <= 8, node.name


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
    assert importing == ["scikeras_bridge.py"]


def test_importing_the_package_loads_no_keras():
    code = (
        "import sys, skvision; skvision.load_image_folder; skvision.export_digits\n"
        "print([m for m in ('keras', 'tensorflow', 'scikeras') if m in sys.modules])"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "[]"


def test_decoding_a_folder_starts_without_scikit_learn():
    # importing it takes seconds; the command line decodes meanwhile
    code = "import sys, skvision.datasets.folders; print('sklearn' in sys.modules)"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "False"


def test_public_names_exist():
    for name in skvision.__all__:
        assert getattr(skvision, name) is not None
    assert set(skvision.__all__) <= set(dir(skvision))
    with pytest.raises(AttributeError, match="no attribute 'nonsense'"):
        _ = skvision.nonsense


def test_no_two_files_have_one_name():
    names = [
        path.name for path in PACKAGE.rglob("*.py") if path.name not in ("__init__.py", "base.py")
    ]
    assert sorted(names) == sorted(set(names))
