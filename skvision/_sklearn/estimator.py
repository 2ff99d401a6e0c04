"""The common base of all estimators."""

from __future__ import annotations

import platform
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from importlib import metadata
from typing import Any

from .keras_words import KerasWords

__all__ = [
    "STATE_KEEPER",
    "DocumentationLink",
    "KeptState",
    "all_or_nothing",
    "installed_versions",
    "unchanged",
]

#: packages that results depend on besides data, parameters and seeds
_PACKAGES = ("skvision", "keras", "tensorflow", "scikit-learn", "numpy")

#: while a safe file is written or read: converts an estimator's state into plain values (`put`)
#: and back (`take`); `skvision.persistence` sets it
STATE_KEEPER: ContextVar[Any] = ContextVar("skvision_state_keeper", default=None)


def installed_versions() -> dict[str, str]:
    """Return the versions of Python and of the packages that results depend on.

    Examples
    --------
    >>> from skvision._sklearn.estimator import installed_versions
    >>> list(installed_versions())
    ['python', 'skvision', 'keras', 'tensorflow', 'scikit-learn', 'numpy']
    """
    return {
        "python": platform.python_version(),
        **{package: metadata.version(package) for package in _PACKAGES},
    }


class KeptState:
    """Mixin: the state of an estimator for pickles and for safe files.

    A safe file isn't a pickle, but reads and writes estimators by the same two methods.
    """

    def __getstate__(self) -> Any:
        state = super().__getstate__()
        keeper = STATE_KEEPER.get()
        return state if keeper is None else keeper.put(self, state)

    def __setstate__(self, state: Any) -> None:
        keeper = STATE_KEEPER.get()
        state = state if keeper is None else keeper.take(type(self), state)
        super().__setstate__(state)  # type: ignore[misc]


class DocumentationLink(KerasWords, KeptState):
    """Mixin of all estimators: the link to the documentation in the HTML representation."""

    _doc_link_module = "skvision"
    _doc_link_template = (
        "https://skvision.readthedocs.io/en/stable/api/skvision.{estimator_name}.html"
    )


@contextmanager
def unchanged(estimator: Any) -> Iterator[None]:
    """Restore an estimator's attributes after the block.

    Examples
    --------
    >>> from types import SimpleNamespace
    >>> from skvision._sklearn.estimator import unchanged
    >>> estimator = SimpleNamespace(verbose=0)
    >>> with unchanged(estimator):
    ...     estimator.verbose = 2
    >>> estimator
    namespace(verbose=0)
    """
    before = dict(vars(estimator))
    try:
        yield
    finally:
        vars(estimator).clear()
        vars(estimator).update(before)


@contextmanager
def all_or_nothing(estimator: Any) -> Iterator[None]:
    """Restore an estimator's attributes if the block fails.

    Examples
    --------
    >>> from types import SimpleNamespace
    >>> from skvision._sklearn.estimator import all_or_nothing
    >>> estimator = SimpleNamespace(fitted=1)
    >>> try:
    ...     with all_or_nothing(estimator):
    ...         estimator.fitted = 2
    ...         raise KeyboardInterrupt
    ... except KeyboardInterrupt:
    ...     print(estimator)
    namespace(fitted=1)
    """
    before = dict(vars(estimator))
    try:
        yield
    except BaseException:
        vars(estimator).clear()
        vars(estimator).update(before)
        raise
