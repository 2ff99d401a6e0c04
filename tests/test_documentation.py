"""Signatures are annotated, docstrings match signatures, and links of pages resolve."""

from __future__ import annotations

import inspect
import re
import tomllib
from importlib.resources import files
from pathlib import Path

import pytest
from numpydoc.docscrape import get_doc_object
from numpydoc.validate import Validator, validate

import skvision

from .walking import public_objects

EXPORTED = [getattr(skvision, name) for name in skvision.__all__ if name != "__version__"]


def own_bases(cls):
    """Return a class and its base classes in skvision."""
    return [base for base in cls.__mro__ if base.__module__.startswith("skvision")]


#: the public API: all of `skvision.__all__`, with base classes that have methods
MET = {base for thing in EXPORTED if inspect.isclass(thing) for base in own_bases(thing)}
MET |= {thing for thing in EXPORTED if inspect.isfunction(thing)}


def name_of(thing):
    return f"{thing.__module__}.{thing.__qualname__}"


def methods_of(cls):
    """Yield (name, function) of a class's own constructor, public methods and properties."""
    for name, member in vars(cls).items():
        function = getattr(member, "__func__", getattr(member, "fget", member))
        # not the methods of dataclasses
        ours = inspect.isfunction(function) and function.__module__ == cls.__module__
        if ours and (name == "__init__" or not name.startswith("_")):
            yield name, function


#: full name: (class or function, the class that it belongs to)
THINGS = {
    name_of(thing): (thing, None) for thing in {*MET, *(each for _, each in public_objects())}
}
METHODS = {
    f"{name}.{attribute}": (function, cls)
    for name, (cls, _) in THINGS.items()
    if inspect.isclass(cls)
    for attribute, function in methods_of(cls)
}
FUNCTIONS = sorted(
    [*METHODS, *(name for name, (each, _) in THINGS.items() if inspect.isfunction(each))]
)
DOCUMENTED = sorted(name for name in [*THINGS, *METHODS] if not name.endswith(".__init__"))


ROOT = Path(__file__).parents[1]
RECORDS = sorted((ROOT / "docs" / "design").glob("[0-9]*.md"))
PAGES = sorted(
    [*ROOT.glob("*.md"), *ROOT.glob("benchmarks/*.md"), *ROOT.glob("docs/**/*.md")],
)


def prose(page):
    """A page without its blocks of code."""
    return re.sub(r"^```.*?^```", "", page.read_text(), flags=re.DOTALL | re.MULTILINE)


def anchors(page):
    """The names by which links reach the headings of a page, as GitHub makes them."""
    titles = re.findall(r"^#+ (.*)$", prose(page), flags=re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


@pytest.mark.parametrize("page", [pytest.param(p, id=str(p.relative_to(ROOT))) for p in PAGES])
def test_links_lead_to_files_and_headings(page):
    for target in re.findall(r"\]\(([^)\s]+)\)", prose(page)):
        if target.startswith(("http://", "https://")):
            continue
        name, _, heading = target.partition("#")
        aim = (page.parent / name).resolve() if name else page
        assert aim.exists(), target
        assert not heading or heading in anchors(aim), target


@pytest.mark.parametrize("page", RECORDS, ids=lambda page: page.stem)
def test_files_that_a_record_names_exist(page):
    for name in re.findall(r"[\w/]+/\w+\.(?:py|md)\b", prose(page)):
        if name.startswith(("tests/", "benchmarks/")):
            assert (ROOT / name).exists(), name
        else:
            assert (ROOT / "skvision" / name).exists(), name


def test_design_records_have_one_form_and_are_in_the_index():
    index = (ROOT / "docs" / "design" / "README.md").read_text()
    assert len(RECORDS) >= 40
    for number, record in enumerate(RECORDS, start=1):
        titles = re.findall(r"^#+ (.*)$", record.read_text(), flags=re.MULTILINE)
        assert titles[1:] == ["Context", "Decision", "Cost", "Evidence"], record.name
        assert record.name.startswith(f"{number:02}-")
        assert f"[{titles[0]}]({record.name})" in index


def test_types_are_shipped():
    assert (files("skvision") / "py.typed").is_file()
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text())
    assert "py.typed" in settings["tool"]["setuptools"]["package-data"]["skvision"]


@pytest.mark.parametrize("name", FUNCTIONS)
def test_signatures_are_annotated(name):
    function, cls = {**THINGS, **METHODS}[name]
    signature = inspect.signature(function)
    parameters = list(signature.parameters.values())
    if cls is not None and not isinstance(
        inspect.getattr_static(cls, function.__name__), staticmethod
    ):
        parameters = parameters[1:]  # self
    assert [each.name for each in parameters if each.annotation is each.empty] == []
    assert signature.return_annotation is not signature.empty


# https://numpydoc.readthedocs.io/en/latest/validation.html has the list
#: rules for every docstring: existing sections in order; existing parameters in order, each with
#: its type
EVERYWHERE = re.compile("GL0[1-7]|GL10|SS0[1-5]|PR0[2-6]|PR10|RT0[45]|SA0[234]")
#: rules for the public API: complete docstrings
MET_BY_USERS = re.compile("GL08|SS06|PR0[1789]|RT0[13]|YD01|EX01")


def needless(code, message, thing, cls):
    """Return whether a complaint is about an intended exception."""
    if code == "EX01":  # only exported names need examples, and exceptions don't
        speaks = inspect.isclass(thing) and issubclass(thing, Exception)
        return thing not in EXPORTED or speaks
    if code == "GL08":  # documented at its declaration
        return cls is not None and bool(inspect.getdoc(getattr(cls, thing.__name__)))
    if code == "PR01":  # bases whose subclasses have the constructor
        return inspect.isclass(thing) and thing.__init__ is object.__init__
    if code == "PR02":  # options of the optimiser are hidden from tools that read signatures
        kinds = inspect.signature(thing.__init__ if inspect.isclass(thing) else thing).parameters
        hidden = {f"**{each.name}" for each in kinds.values() if each.kind is each.VAR_KEYWORD}
        return message == f"Unknown parameters {hidden}"
    return False


@pytest.mark.parametrize("name", DOCUMENTED)
def test_docstrings_are_sound(name):
    thing, cls = {**THINGS, **METHODS}[name]
    documented = Validator(get_doc_object(thing)).doc_all_parameters
    found = [
        f"{code}: {message}"
        for code, message in validate(name)["errors"]
        if EVERYWHERE.match(code)
        or (MET_BY_USERS.match(code) and (thing in MET or cls in MET))
        or (code == "PR01" and documented)
        if not needless(code, message, thing, cls)
    ]
    assert found == []


def written_default(kind, thing):
    """Return the value after ``default=`` in a parameter's type, evaluated in its module."""
    found = re.search(r"default=(.*)$", kind)
    names = vars(inspect.getmodule(thing))
    return eval(found[1], {**names}) if found else inspect.Parameter.empty


@pytest.mark.parametrize("name", DOCUMENTED)
def test_documented_defaults_are_the_signatures(name):
    thing, _ = {**THINGS, **METHODS}[name]
    documented = Validator(get_doc_object(thing)).doc_all_parameters
    if not documented:
        return
    signature = inspect.signature(thing.__init__ if inspect.isclass(thing) else thing)
    for parameter, (kind, _) in documented.items():
        if not parameter.startswith("*"):
            written, real = written_default(kind, thing), signature.parameters[parameter].default
            assert (type(written), written) == (type(real), real), f"{parameter} : {kind}"
