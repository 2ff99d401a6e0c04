"""Read a constructor's arguments from its source text.

Importing the classifier starts TensorFlow, which takes seconds. So that mistyped options,
``--help`` and shell completion respond immediately, this module reads the signature and its
documentation with `ast`, without importing the classifier.
"""

from __future__ import annotations

import ast
import inspect
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from types import GenericAlias
from typing import Any

__all__ = ["Constructor", "features", "finetuned", "minivgg", "read_constructor", "transformer"]

_FEATURES_LISTING = "skvision train --model features --arguments"


@dataclass(frozen=True)
class Constructor:
    """The constructor of a class.

    Parameters
    ----------
    owner : str
        Name of the class.
    types : mapping of str
        Annotation of each argument.
    defaults : mapping of str
        Default of each argument, as Python source.
    routed : str
        ``"optimizer"`` if arguments such as ``optimizer__momentum`` are accepted too, or "".
    documentation : str
        The section Parameters of the docstring.
    listing : str, default="skvision train --arguments"
        The command that prints the section.
    """

    owner: str
    types: Mapping[str, Any]
    defaults: Mapping[str, str]
    routed: str
    documentation: str
    listing: str = "skvision train --arguments"

    def choices(self, name: str) -> list[str]:
        """Return the accepted words of an argument, if the docstring lists them in braces."""
        listed = re.search(rf"^{name} : (\{{.*?\}})", self.documentation, flags=re.MULTILINE)
        return [str(word) for word in ast.literal_eval(f"[{listed[1][1:-1]}]")] if listed else []


def read_constructor(source: str, owner: str) -> Constructor:
    """Read the constructor of the class `owner`, or the function `owner`, in a module's text.

    An annotation with names that only the module knows counts as Any.

    Examples
    --------
    >>> from skvision.cli._constructor import read_constructor
    >>> source = '''
    ... class Net:
    ...     def __init__(self, size: int = 8, *, rate: float = 0.1, **optimizer_options): ...
    ... '''
    >>> net = read_constructor(source, "Net")
    >>> net.types, net.defaults, net.routed
    ({'size': <class 'int'>, 'rate': <class 'float'>}, {'size': '8', 'rate': '0.1'}, 'optimizer')
    """
    body = _definition(ast.parse(source).body, owner)
    init = body
    if isinstance(init, ast.ClassDef):
        init = _definition(init.body, "__init__")
    assert isinstance(init, ast.FunctionDef)
    positional = init.args.args[init is not body :]  # a constructor's without self
    arguments = [*positional, *init.args.kwonlyargs]
    # defaults belong to the last positional arguments
    without = len(positional) - len(init.args.defaults)
    given = [*[None] * without, *init.args.defaults, *init.args.kw_defaults]
    defaults = {a.arg: value for a, value in zip(arguments, given, strict=True)}
    rest = init.args.kwarg.arg if init.args.kwarg else ""
    documented = re.search(
        r"^Parameters\n-+\n(.*?)(?=^\w+\n-+\n|\Z)",
        inspect.cleandoc(ast.get_docstring(body) or ""),
        flags=re.MULTILINE | re.DOTALL,
    )
    return Constructor(
        owner=owner,
        types={a.arg: _annotation(a.annotation) for a in arguments},
        defaults={name: ast.unparse(value) for name, value in defaults.items() if value},
        routed=rest.removesuffix("_options"),
        documentation=documented[1].strip() if documented else "",
    )


def _definition(body: list[ast.stmt], name: str) -> ast.ClassDef | ast.FunctionDef:
    return next(
        node
        for node in body
        if isinstance(node, ast.ClassDef | ast.FunctionDef) and node.name == name
    )


_TYPES = {kind.__name__: kind for kind in (bool, dict, float, int, list, str, tuple)}


def _annotation(node: ast.expr | None) -> Any:
    """Return the type of an annotation, without evaluating it; Any for an unknown one."""
    match node:
        case ast.Constant(value):
            return value
        case ast.Name(name):
            return _TYPES.get(name, Any)
        case ast.BinOp(left, ast.BitOr(), right):
            return _annotation(left) | _annotation(right)
        case ast.Subscript(ast.Name("tuple"), ast.Tuple(parts)):
            return GenericAlias(tuple, tuple(map(_annotation, parts)))
        case _:
            return Any


@cache
def minivgg() -> Constructor:
    """The constructor of `skvision.MiniVGGClassifier`."""
    return _read("classifiers/minivgg.py", "MiniVGGClassifier")


@cache
def finetuned() -> Constructor:
    """The constructor of `skvision.FineTunedClassifier`."""
    return _read("classifiers/finetuned.py", "FineTunedClassifier")


@cache
def transformer() -> Constructor:
    """The constructor of `skvision.PretrainedFeatureTransformer`."""
    return _read(
        "feature_extraction/transformer.py",
        "PretrainedFeatureTransformer",
        listing=_FEATURES_LISTING,
    )


@cache
def features() -> Constructor:
    """The arguments of `skvision.make_feature_classifier`, including options that it passes on."""
    passed_on = transformer()
    pipeline = _read("feature_extraction/pipeline.py", "make_feature_classifier")
    head = re.search(r"^head : .*?(?=^\w)", pipeline.documentation, re.MULTILINE | re.DOTALL)
    assert head is not None
    return Constructor(
        owner="--model features",
        types={"head": pipeline.types["head"], **passed_on.types},
        defaults={"head": pipeline.defaults["head"], **passed_on.defaults},
        routed="head",
        documentation=(
            f"{head[0]}**head_options : object\n    Parameters of the classifier, with the prefix "
            "``head__``:\n    ``head__C=0.01``, ``head__n_neighbors=3``, ...\n"
            f"{passed_on.documentation}"
        ),
        listing=_FEATURES_LISTING,
    )


def _read(module: str, owner: str, **more: Any) -> Constructor:
    path = Path(__file__).parents[1] / module
    return replace(read_constructor(path.read_text(encoding="utf-8"), owner), **more)
