"""Modules and objects of the package, found by walking it, so that new ones are tested."""

from __future__ import annotations

import importlib
import inspect
import pkgutil

from sklearn.base import BaseEstimator

import skvision


def module_names():
    """Yield the names of all modules, private ones included."""
    yield "skvision"
    for module in pkgutil.walk_packages(skvision.__path__, "skvision."):
        if not module.name.endswith("__main__"):
            yield module.name


def public_modules():
    """Yield all modules without an underscore in their names."""
    for name in module_names():
        if "._" not in name:
            yield importlib.import_module(name)


def public_objects():
    """Yield (full name, class or function) of the names in `__all__` of public modules."""
    for module in public_modules():
        for name in getattr(module, "__all__", ()):
            thing = getattr(module, name)
            if getattr(thing, "__module__", None) == module.__name__ and callable(thing):
                yield f"{module.__name__}.{name}", thing


def is_abstract(cls):
    return any(
        getattr(inspect.getattr_static(cls, name), "__isabstractmethod__", False)
        for name in dir(cls)
    )


def public_estimators():
    """Return all public estimators by name, without base classes."""
    return {
        thing.__name__: thing
        for _, thing in public_objects()
        if inspect.isclass(thing) and issubclass(thing, BaseEstimator) and not is_abstract(thing)
    }
