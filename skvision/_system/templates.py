"""Fill Jinja templates, for everything that is shown as HTML."""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from typing import Any

__all__ = ["filled", "package_text"]


def filled(package: str, template: str, /, **values: Any) -> str:
    """Fill a template of a package; values are escaped, and a missing one is an error.

    Parameters
    ----------
    package : str
        The package whose folder ``templates`` holds the template.
    template : str
        Name of the template.
    **values : object
        Its variables.

    Returns
    -------
    str
        The text. What UTF-8 can't encode, such as odd bytes in names of files, is a question
        mark.

    Examples
    --------
    >>> from skvision._system.templates import filled
    >>> "3 images" in filled("skvision.inspection.check", "image_check.html", n=3, results=[])
    True
    """
    text: str = _environment(package).get_template(template).render(**values)
    return text.encode("utf-8", "replace").decode("utf-8")


def package_text(package: str, name: str) -> str:
    """Return the text of a file in the folder ``templates`` of a package.

    Examples
    --------
    >>> from skvision._system.templates import package_text
    >>> len(package_text("skvision.inspection.check", "image_check.html")) > 0
    True
    """
    return (files(package) / "templates" / name).read_text(encoding="utf-8")


@cache
def _environment(package: str) -> Any:
    import jinja2  # only pages need it

    return jinja2.Environment(
        loader=jinja2.PackageLoader(package),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
