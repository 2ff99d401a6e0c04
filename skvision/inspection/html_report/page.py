"""Write the page of a report: templates, style sheet and script in one file."""

from __future__ import annotations

import base64
import hashlib
from typing import Any

from ..._system.templates import filled, package_text
from .page_contents import Contents, Missing

__all__ = ["page"]

_PACKAGE = "skvision.inspection.html_report"


def page(contents: Contents) -> str:
    """Return the HTML of a report.

    It loads nothing: its security policy forbids all requests, and any script but its own, so
    that a text that looks like HTML can't act either.
    """
    script = package_text(_PACKAGE, "report.js")
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    return filled(
        _PACKAGE,
        "report.html",
        it=contents,
        script=_verbatim(script, "</script"),
        style=_verbatim(package_text(_PACKAGE, "report.css"), "</style"),
        policy=f"default-src 'none'; img-src data:; style-src 'unsafe-inline'; "
        f"script-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'",
        is_missing=lambda section: isinstance(section, Missing),
        percent=_percent,
        number=_number,
    )


def _percent(share: float, digits: int = 1) -> str:
    return f"{100 * share:.{digits}f}%"


def _verbatim(text: str, never: str) -> Any:
    """Return our own text, which is not escaped, since style sheets and scripts can't be."""
    from markupsafe import Markup

    assert never not in text
    # not of a user: a file of this package
    return Markup(text)  # nosec B704


def _number(value: float) -> str:
    """Return a number with a minus sign proper, and 0 without one."""
    return f"{round(value, 2) + 0.0:.2f}".replace("-", "\N{MINUS SIGN}")
