"""`make test` leaves out the tests marked slow, and no public name or argument with them."""

from __future__ import annotations

import ast
import inspect
from pathlib import Path

import pytest
import typer

import skvision
from skvision.cli.app import app

TESTS = Path(__file__).parent
PUBLIC = [name for name in skvision.__all__ if name != "__version__"]


def is_slow(node):
    """Whether a test is marked slow, or all tests of a module are."""
    if isinstance(node, ast.Module):
        return any(ast.unparse(each) == "pytestmark = pytest.mark.slow" for each in node.body)
    marks = getattr(node, "decorator_list", [])
    return any(ast.unparse(mark) == "pytest.mark.slow" for mark in marks)


def words_of(node):
    """Names, arguments and texts, but for what tests marked slow say."""
    for child in ast.iter_child_nodes(node):
        if is_slow(child):
            continue
        if isinstance(child, ast.Name):
            yield child.id
        elif isinstance(child, ast.Attribute):
            yield child.attr
        elif isinstance(child, ast.keyword) and child.arg:
            yield child.arg.rpartition("__")[2]
        elif isinstance(child, ast.Constant) and isinstance(child.value, str):
            # also `--option`, and `name=value` as the command line takes it
            for word in child.value.replace(";", " ").split():
                yield word.partition("=")[0].rpartition("__")[2]
        yield from words_of(child)


def words_of_quick_tests():
    for file in TESTS.rglob("*.py"):
        module = ast.parse(file.read_text())
        if file != Path(__file__) and not is_slow(module):
            yield from words_of(module)


@pytest.fixture(scope="module")
def words():
    return set(words_of_quick_tests())


def arguments(thing):
    signature = inspect.signature(thing)
    return {
        name
        for name, parameter in signature.parameters.items()
        if parameter.kind in (parameter.KEYWORD_ONLY, parameter.POSITIONAL_OR_KEYWORD)
        and parameter.default is not parameter.empty
    }


def options(command):
    """What each option of a command, and of the commands in it, is called: by a flag both ways."""
    for parameter in command.params:
        if names := {name for name in [*parameter.opts, *parameter.secondary_opts] if "--" in name}:
            yield names
    for each in getattr(command, "commands", {}).values():
        yield from options(each)


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("def test(): f(a=1)", {"f", "a"}),
        ("def test(): x.f('--b=2', c__d=3)", {"x", "f", "--b", "d"}),
        ("@pytest.mark.slow\ndef test(): f(a=1)", set()),
        ("@pytest.mark.slow\nclass Test:\n    def test(): f()", set()),
    ],
)
def test_words_of_slow_tests_are_left_out(source, expected):
    assert set(words_of(ast.parse(source))) == expected


@pytest.mark.parametrize("name", PUBLIC)
def test_a_quick_test_names_what_is_public_and_its_arguments(name, words):
    thing = getattr(skvision, name)
    ours = inspect.isfunction(thing) or not issubclass(thing, Exception)
    assert {name, *(arguments(thing) if ours else ())} <= words


def test_a_quick_test_gives_each_option_of_the_command_line(words):
    found = list(options(typer.main.get_command(app)))
    assert len(found) > 60
    assert [names for names in found if not names & words] == []
