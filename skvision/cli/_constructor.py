"""A constructor's arguments, read from its source text.

Importing the classifier starts TensorFlow, which takes seconds. A mistyped option,
``--help`` and the shell's completion are answered at once; so the signature and
its documentation are read with `ast`, and nothing is imported.
"""

from __future__ import annotations

import ast
import inspect
import re
import typing
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

__all__ = ["Constructor", "minivgg", "read_constructor"]


@dataclass(frozen=True)
class Constructor:
    """What a class takes when it is made.

    Parameters
    ----------
    owner : str
        The class.
    types : mapping of str
        Each argument's annotation.
    defaults : mapping of str
        Each argument's default, as it is written in Python.
    routed : str
        ``"optimizer"`` if ``optimizer__momentum`` and its like are taken too, or "".
    documentation : str
        The arguments' part of the docstring.
    """

    owner: str
    types: Mapping[str, Any]
    defaults: Mapping[str, str]
    routed: str
    documentation: str

    def choices(self, name: str) -> list[str]:
        """The words that an argument takes, where the docstring lists them in braces."""
        listed = re.search(rf"^{name} : (\{{.*?\}})", self.documentation, flags=re.MULTILINE)
        return [str(word) for word in ast.literal_eval(f"[{listed[1][1:-1]}]")] if listed else []


def read_constructor(source: str, owner: str) -> Constructor:
    """Read the constructor of the class `owner` in a module's text.

    An annotation made of names that only the module knows counts as Any.

    Examples
    --------
    >>> from skvision.cli._constructor import read_constructor
    >>> source = '''
    ... class Net:
    ...     def __init__(self, size: int = 8, **optimizer_options): ...
    ... '''
    >>> net = read_constructor(source, "Net")
    >>> net.types, net.defaults, net.routed
    ({'size': <class 'int'>}, {'size': '8'}, 'optimizer')
    """
    body = next(
        node
        for node in ast.parse(source).body
        if isinstance(node, ast.ClassDef) and node.name == owner
    )
    init = next(
        node for node in body.body if isinstance(node, ast.FunctionDef) and node.name == "__init__"
    )
    arguments = init.args.args[1:]
    # defaults belong to the last arguments
    defaults = dict(
        zip(reversed([a.arg for a in arguments]), reversed(init.args.defaults), strict=False)
    )
    rest = init.args.kwarg.arg if init.args.kwarg else ""
    documented = re.search(
        r"^Parameters\n-+\n(.*?)(?=^\w+\n-+\n|\Z)",
        inspect.cleandoc(ast.get_docstring(body) or ""),
        flags=re.MULTILINE | re.DOTALL,
    )
    return Constructor(
        owner=owner,
        types={a.arg: _annotation(a.annotation) for a in arguments},
        defaults={a.arg: ast.unparse(defaults[a.arg]) for a in arguments if a.arg in defaults},
        routed=rest.removesuffix("_options"),
        documentation=documented[1].strip() if documented else "",
    )


def _annotation(node: ast.expr | None) -> Any:
    if node is None:
        return Any
    try:
        return eval(ast.unparse(node), dict(vars(typing)))
    except (NameError, AttributeError):
        return Any


@cache
def minivgg() -> Constructor:
    """The constructor of `skvision.MiniVGGClassifier`."""
    path = Path(__file__).parents[1] / "classifiers" / "minivgg.py"
    return read_constructor(path.read_text(encoding="utf-8"), "MiniVGGClassifier")
