"""What all estimators share, whatever they estimate."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

__all__ = ["DocumentationLink", "all_or_nothing"]


class DocumentationLink:
    """Mixin: where the link in the HTML representation leads."""

    _doc_link_module = "skvision"
    _doc_link_template = (
        "https://skvision.readthedocs.io/en/stable/api/skvision.{estimator_name}.html"
    )


@contextmanager
def all_or_nothing(estimator: Any) -> Iterator[None]:
    """Put an estimator's attributes back as they were if the block fails.

    Examples
    --------
    >>> from types import SimpleNamespace
    >>> from skvision.estimator import all_or_nothing
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
