"""Convert words of the command line to arguments of a constructor. Pure functions.

``--set``, ``--search``, ``--config`` and the options that are shorthand for ``--set`` are all
read here, by the annotation of the argument.
"""

from __future__ import annotations

import ast
import difflib
import math
import re
import tomllib
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from types import NoneType, UnionType
from typing import Any, Literal, Union, get_args, get_origin

from ._constructor import Constructor

__all__ = ["describe", "parse", "read", "read_config", "read_grid", "read_settings"]

_WORDS = {
    **dict.fromkeys(("true", "yes", "on", "1"), True),
    **dict.fromkeys(("false", "no", "off", "0"), False),
}
# for a value of any type, 1 is a number and "on" may be a name
_LITERAL_WORDS = {"true": True, "false": False, "none": None}


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError
    return number


def _boolean(text: str) -> bool:
    if text.lower() not in _WORDS:
        raise ValueError
    return _WORDS[text.lower()]


def _none(text: str) -> None:
    if text.lower() != "none":
        raise ValueError


def _literal(text: str) -> Any:
    if text.lower() in _LITERAL_WORDS:
        return _LITERAL_WORDS[text.lower()]
    try:
        return ast.literal_eval(text)
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        return text


# annotation: function that reads it, its name, and its plural
_SCALARS: dict[Any, tuple[Any, str, str]] = {
    bool: (_boolean, "true or false", "times true or false"),
    int: (int, "a whole number", "whole numbers"),
    float: (_finite, "a number", "numbers"),
    NoneType: (_none, "none", "none"),
    str: (str, "a word", "words"),
    Any: (_literal, "anything", "values"),
}
_EXAMPLES = {int: "32,48", float: "0.5,1.5"}
_ORDER = {NoneType: 0, str: 2}


def parse(text: str, accepted: Any) -> Any:
    """Read a text as a value of an annotation.

    Parameters
    ----------
    text : str
        ``0.1``, ``true``, ``none``, ``32,64``, ``(32, 64)``, ``32x48``, ...
    accepted : annotation
        int, float, bool, str, None, Any, Literal, a tuple of them, or a union, whose members
        are tried in order, except none first and str last, since str accepts any text.

    Returns
    -------
    object
        A value of that type.

    Raises
    ------
    ValueError
        If the text isn't a value of that type.

    Examples
    --------
    >>> from typing import Any
    >>> from skvision.cli._arguments import parse
    >>> parse("32x48", tuple[int, int] | int), parse("32", tuple[int, int] | int)
    ((32, 48), 32)
    >>> parse("none", float | None), parse("{'cat': 2}", Any)
    (None, {'cat': 2})
    """
    text = text.strip()
    for member in sorted(_members(accepted), key=lambda kind: _ORDER.get(kind, 1)):
        with suppress(ValueError, KeyError):
            return _parse_one(text, member)
    raise ValueError(f"{text!r} is not {describe(accepted)}")


def _members(accepted: Any) -> tuple[Any, ...]:
    return get_args(accepted) if get_origin(accepted) in (Union, UnionType) else (accepted,)


def _parse_one(text: str, accepted: Any) -> Any:
    if get_origin(accepted) is Literal:
        return {str(word): word for word in get_args(accepted)}[text]
    if get_origin(accepted) is tuple:
        return _parse_tuple(text, get_args(accepted))
    reader, *_ = _scalar(accepted)
    return reader(text)


def _scalar(accepted: Any) -> tuple[Any, str, str]:
    # other types, such as a function, may still accept a literal
    return _SCALARS.get(accepted, _SCALARS[Any])


def _parse_tuple(text: str, types: tuple[Any, ...]) -> tuple[Any, ...]:
    in_brackets = text[:1] + text[-1:] in ("()", "[]")
    inner = (text[1:-1] if in_brackets else text).strip().removesuffix(",")
    parts = re.split("[,x]", inner) if inner else []  # sizes are written as 32x48
    if types[-1:] == (...,):
        types = types[:1] * len(parts)
    if len(parts) != len(types) or not (parts or in_brackets):
        raise ValueError
    return tuple(parse(part, kind) for part, kind in zip(parts, types, strict=True))


def describe(accepted: Any) -> str:
    """Describe the values that an annotation accepts, for an error.

    Examples
    --------
    >>> from skvision.cli._arguments import describe
    >>> describe(tuple[int, int] | int)
    '2 whole numbers such as 32x48, or a whole number'
    >>> describe(float | None)
    'a number or none'
    """
    *first, last = [_describe_one(member) for member in _members(accepted)]
    comma = "," if any(" such as " in name for name in first) else ""
    return f"{', '.join(first)}{comma} or {last}" if first else last


def _describe_one(accepted: Any) -> str:
    if get_origin(accepted) is Literal:
        return " or ".join(str(word) for word in get_args(accepted))
    if get_origin(accepted) is tuple:
        kind, *others = get_args(accepted)
        _, _, several = _scalar(kind)
        number = "" if others == [...] else f"{len(others) + 1} "
        example = "32x48" if (number, kind) == ("2 ", int) else _EXAMPLES.get(kind, "a,b")
        return f"{number}{several} such as {example}"
    _, name, _ = _scalar(accepted)
    return name


def read(constructor: Constructor, name: str, text: str, where: str) -> Any:
    """Read the argument `name`; errors name `where` it was written."""
    accepted = _accepted(constructor, name, where)
    try:
        return parse(text, accepted)
    except ValueError:
        raise ValueError(f"{where} takes {describe(accepted)}, not {text!r}.") from None


def _accepted(constructor: Constructor, name: str, where: str) -> Any:
    if name in constructor.types:
        return constructor.types[name]
    routed = f"{constructor.routed}__"
    if constructor.routed and name.startswith(routed) and name != routed:
        return Any
    near = difflib.get_close_matches(name, constructor.types, n=3, cutoff=0.5)
    hint = f" Did you mean {' or '.join(near)}?" if near else ""
    raise ValueError(
        f"{where}: {constructor.owner} has no argument {name!r}.{hint} "
        f"{constructor.listing} lists them all."
    )


def read_settings(
    constructor: Constructor, texts: Iterable[str], option: str = "--set"
) -> dict[str, Any]:
    """Read ``name=value`` texts.

    Examples
    --------
    >>> from skvision.cli._arguments import read_settings
    >>> from skvision.cli._constructor import minivgg
    >>> read_settings(minivgg(), ["filters=16,32", "optimizer__momentum=0.9"])
    {'filters': (16, 32), 'optimizer__momentum': 0.9}
    """
    return {
        name: read(constructor, name, value, f"{option} {name}")
        for name, value in _assignments(constructor, texts, option).items()
    }


def read_grid(
    constructor: Constructor, texts: Iterable[str], option: str = "--search"
) -> dict[str, list[Any]]:
    """Read ``name=value,value`` texts; commas or semicolons separate values.

    Commas within brackets, or in a text with semicolons, belong to a value.

    Examples
    --------
    >>> from skvision.cli._arguments import read_grid
    >>> from skvision.cli._constructor import minivgg
    >>> read_grid(minivgg(), ["learning_rate=0.1,0.01", "filters=(16,),(16,32)"])
    {'learning_rate': [0.1, 0.01], 'filters': [(16,), (16, 32)]}
    """
    grid = {}
    for name, value in _assignments(constructor, texts, option).items():
        values = [read(constructor, name, text, f"{option} {name}") for text in _split(value)]
        for position, each in enumerate(values):
            if each in values[:position]:
                raise ValueError(f"{option} {name} contains the value {each!r} twice.")
        grid[name] = values
    return grid


def _assignments(constructor: Constructor, texts: Iterable[str], option: str) -> dict[str, str]:
    found: dict[str, str] = {}
    for text in texts:
        name, equals, value = (part.strip() for part in text.partition("="))
        if not (name and equals and value):
            raise ValueError(
                f"{option} takes name=value, not {text!r}. {constructor.listing} lists the names."
            )
        if name in found:
            raise ValueError(f"{option} sets {name} twice: {found[name]!r} and {value!r}.")
        found[name] = value
    return found


def _split(text: str) -> list[str]:
    """Split at semicolons or, without semicolons, at commas outside brackets."""
    if ";" in text:
        return text.split(";")
    parts, depth = [""], 0
    for character in text:
        depth += (character in "([{") - (character in ")]}")
        if character == "," and not depth:
            parts.append("")
        else:
            parts[-1] += character
    return parts


def read_config(constructor: Constructor, path: Path) -> dict[str, Any]:
    """Read a TOML file whose keys are arguments; its lists become tuples."""
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise FileNotFoundError(f"There is no file {path} for --config to read.") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ValueError(f"{path} isn't a TOML file: {error}") from None
    return {
        name: read(constructor, name, _as_text(value), f"{path}: {name}")
        for name, value in content.items()
    }


def _as_text(value: Any) -> str:
    if isinstance(value, list):
        value = tuple(value)
    return value if isinstance(value, str) else repr(value)
