"""`ImageCheck`: what the checks of a data set found."""

from __future__ import annotations

import base64
import io
from textwrap import wrap
from typing import Any

import numpy as np
from PIL import Image

from ..._system.templates import filled
from ...exceptions import ImageDecodeError
from ..frames import as_frame
from ..plotting import COLOURS, new_panels, short_text, style, width_of
from ..thumbnails import draw_image, thumbnail
from .check_table import CheckResult
from .findings import Finding, Subject

__all__ = ["ImageCheck"]

# findings of a code, and images of a finding, that a notebook shows; and their size in pixels
_SHOWN, _IMAGES, _PIXELS = 12, 4, 112
# images in a row of a plot, and inches of each
_COLUMNS, _CELL = 4, 1.8


class ImageCheck:
    """What the checks of a data set found.

    `check_images` creates it. A notebook shows it as a page with small images.

    Parameters
    ----------
    results : list of CheckResult
        The result of each check, in the order of the table of checks.
    subject : Subject
        The images.

    Attributes
    ----------
    findings : list of Finding
        All findings. Each has ``code``, ``message``, ``score``, ``places`` (in X) and ``against``
        (places in `against`).
    figure_ : matplotlib.figure.Figure
        The figure, after `plot`.

    See Also
    --------
    check_images : Run the checks.

    Examples
    --------
    >>> import numpy as np
    >>> from skvision import ImageCheck, check_images
    >>> draw = np.random.default_rng(0)
    >>> X = draw.integers(0, 256, (4, 16, 16, 3), dtype=np.uint8)
    >>> X[3] = X[0]
    >>> found = check_images(X)
    >>> isinstance(found, ImageCheck), found.status("exact-duplicate")
    (True, 'found')
    >>> found.findings[0].places
    (0, 3)
    """

    def __init__(self, results: list[CheckResult], subject: Subject) -> None:
        self.results = results
        self.subject = subject

    @property
    def findings(self) -> list[Finding]:
        """All findings, those of one check together."""
        return [finding for result in self.results for finding in result.findings]

    def status(self, code: str) -> str:
        """Return how a check ended.

        Parameters
        ----------
        code : str
            The code of the check.

        Returns
        -------
        str
            ``"found"``, ``"passed"`` or ``"not applicable"``.

        Raises
        ------
        ValueError
            If there is no such check.
        """
        return self._result(code).status

    def files(self, finding: Finding) -> list[Any]:
        """Return the images of a finding: file names, or places if the images aren't files.

        Parameters
        ----------
        finding : Finding
            One of `findings`.

        Returns
        -------
        list of str or int
            Images of X, then those of `against`.
        """
        sets = [(self.subject.images, finding.places)]
        if self.subject.against is not None:
            sets.append((self.subject.against, finding.against))
        return [
            place if images.survey.names is None else images.survey.names[place]
            for images, places in sets
            for place in places
        ]

    def frame(self) -> Any:
        """Return the findings as a table.

        Returns
        -------
        pandas.DataFrame or dict of str to ndarray
            One row per finding: ``code``, ``message``, ``score`` from 0 to 1, and ``files``, a
            list of file names (or places). A dict if pandas is not installed.
        """
        found = self.findings
        files = np.empty(len(found), object)
        files[:] = [self.files(each) for each in found]
        return as_frame(
            {
                "code": np.array([each.code for each in found], object),
                "message": np.array([each.message for each in found], object),
                "score": np.array([each.score for each in found], float),
                "files": files,
            }
        )

    def plot(self, ax: Any = None, *, code: str | None = None, n_findings: int = 8) -> ImageCheck:
        """Plot the images of findings; several images of one finding have a row of their own.

        Images of X have a blue frame, those of `against` an orange one.

        Parameters
        ----------
        ax : matplotlib.axes.Axes, Figure or SubFigure, default=None
            Where to plot; None for a new figure.
        code : str, default=None
            The check whose findings are shown; None for all.
        n_findings : int, default=8
            Maximum number of findings, at least 1; those with the highest score of each check.

        Returns
        -------
        self : ImageCheck
            The same object, with ``figure_``.

        Raises
        ------
        ValueError
            If there is no such check, or no finding with images.
        ImportError
            If matplotlib is not installed.
        """
        if isinstance(n_findings, bool) or not isinstance(n_findings, int) or n_findings < 1:
            raise ValueError(f"n_findings must be a whole number from 1. Received: {n_findings!r}")
        found = self.findings if code is None else list(self._result(code).findings)
        # a file that can't be read has nothing to show
        shown = [each for each in found if self._pictures(each, 1)]
        if not shown:
            raise ValueError(
                "There is nothing to plot: no finding has images that can be read. "
                "print(check) lists the results."
            )
        with style():
            self._plot_rows(ax, shown[:n_findings])
        return self

    def _plot_rows(self, ax: Any, shown: list[Finding]) -> None:
        n_columns = int(max(1, min(_COLUMNS, width_of(ax) / _CELL)))
        rows = self._rows(shown, n_columns)
        size = (_CELL * n_columns, sum(_CELL + (0.35 if title else 0.7) for title, _ in rows))
        panels = new_panels(ax, (len(rows), n_columns), size)
        for row, (title, cells) in zip(panels, rows, strict=True):
            for panel in row[len(cells) :]:
                panel.set_axis_off()
            for panel, (text, pixels, is_ours) in zip(row, cells, strict=False):
                draw_image(panel, pixels, COLOURS[0] if is_ours else COLOURS[1], 1.5)
                panel.set_xlabel(text, fontsize=8)
            if title:
                row[0].set_title(short_text(title, 17 * n_columns), fontsize=9, loc="left")
        self.figure_ = panels[0, 0].figure

    def _rows(
        self, shown: list[Finding], n_columns: int
    ) -> list[tuple[str, list[tuple[str, np.ndarray, bool]]]]:
        """Return rows of images: a title and several of one finding, or one each of several."""
        rows: list[tuple[str, list[tuple[str, np.ndarray, bool]]]] = []
        for finding in shown:
            pictures = self._pictures(finding, n_columns)
            if len(finding.places) + len(finding.against) > 1:
                named = [
                    (short_text(_end_of(name), 22), pixels, is_ours)
                    for name, pixels, is_ours in pictures
                ]
                rows.append((f"{finding.code}: {finding.message}", named))
                continue
            name, pixels, is_ours = pictures[0]
            lines = wrap(finding.message, 24)[:3]
            text = "\n".join([short_text(_end_of(name), 22), *map(short_text, lines)])
            if not rows or rows[-1][0] or len(rows[-1][1]) == n_columns:
                rows.append(("", []))
            rows[-1][1].append((text, pixels, is_ours))
        return rows

    def __repr__(self) -> str:
        lines = [f"ImageCheck of {len(self):,} images"]
        for result in self.results:
            said = result.reason or f"{len(result.findings):,} found" * bool(result.findings)
            lines.append(f"  {result.check.code:<16}{said or 'passed'}")
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        return self.html()

    def html(self) -> str:
        """Return the results as a part of an HTML page, with small images in it.

        Returns
        -------
        str
            HTML that loads nothing. Each check shows at most 12 findings, and each finding at
            most 4 images.
        """
        return filled(
            "skvision.inspection.check",
            "image_check.html",
            n=len(self),
            results=self._all_shown(),
        )

    def page(self) -> str:
        """Return the results as a whole HTML page.

        Returns
        -------
        str
            `html` with a head.
        """
        return filled(
            "skvision.inspection.check", "check_page.html", n=len(self), results=self._all_shown()
        )

    def __len__(self) -> int:
        return len(self.subject.images)

    def _all_shown(self) -> list[dict[str, Any]]:
        return [self._shown(result) for result in self.results]

    def _shown(self, result: CheckResult) -> dict[str, Any]:
        return {
            "check": result.check,
            "status": result.status,
            "reason": result.reason,
            "n": len(result.findings),
            "findings": [
                {
                    "message": each.message,
                    "score": each.score,
                    "n": len(each.places) + len(each.against),
                    "files": self.files(each)[:_IMAGES],
                    "pictures": [
                        (_end_of(name), _embedded(pixels))
                        for name, pixels, _ in self._pictures(each, _IMAGES, _PIXELS)
                    ],
                }
                for each in result.findings[:_SHOWN]
            ],
        }

    def _pictures(
        self, finding: Finding, most: int, longest: int = 256
    ) -> list[tuple[Any, np.ndarray, bool]]:
        """Return names and pixels of a finding's first images, and whether each is of X."""
        every = [(self.subject.images, place, True) for place in finding.places]
        if self.subject.against is not None:
            there = [(self.subject.against, place, False) for place in finding.against]
            # one of each side first
            every = [*every[: max(1, most - len(there))], *there]
        pictures = []
        for images, place, is_ours in every[:most]:
            try:
                pixels = thumbnail(images.survey.images, place, longest)
            except ImageDecodeError:
                continue
            pictures.append((images.name(place), pixels, is_ours))
        return pictures

    def _result(self, code: str) -> CheckResult:
        for result in self.results:
            if result.check.code == code:
                return result
        codes = ", ".join(repr(result.check.code) for result in self.results)
        raise ValueError(f"code must be one of {codes}. Received: {code!r}")


def _end_of(name: str) -> str:
    """Return the last two parts of a file's name: its class folder and its own."""
    return "/".join(str(name).replace("\\", "/").split("/")[-2:])


def _embedded(pixels: np.ndarray) -> str:
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "JPEG", quality=85)
    return f"data:image/jpeg;base64,{base64.b64encode(buffer.getvalue()).decode()}"
