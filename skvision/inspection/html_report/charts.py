"""The geometry of charts: numbers become places in a drawing; templates draw them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

__all__ = ["Axis", "Chart", "Dot", "Line", "chart", "ticks"]

# of the drawing, in its own units: text of 14 stays readable on a phone
WIDTH, HEIGHT = 440, 300
_LEFT, _RIGHT, _TOP, _BOTTOM = 58, 24, 14, 48
_N_TICKS = 5

Range = tuple[float, float]


@dataclass(frozen=True)
class Line:
    """A line through points (x, y); `style` is a class of the style sheet."""

    label: str
    points: Sequence[tuple[float, float]]
    style: str


@dataclass(frozen=True)
class Dot:
    """A dot with an interval along y; `size` from 0 to 1."""

    x: float
    y: float
    low: float
    high: float
    size: float
    label: str


@dataclass(frozen=True)
class Chart:
    """A chart whose parts are places in the drawing."""

    x_label: str
    y_label: str
    #: for readers who don't see the chart
    description: str
    #: places and texts
    x_ticks: list[tuple[float, str]]
    y_ticks: list[tuple[float, str]]
    #: label, style and points of each
    lines: list[tuple[str, str, str]]
    #: x, y, y of the low end, y of the high end, radius, label
    dots: list[tuple[float, float, float, float, float, str]] = field(default_factory=list)
    #: vertical lines and their texts
    marks: list[tuple[float, str]] = field(default_factory=list)
    width: int = WIDTH
    height: int = HEIGHT
    left: int = _LEFT
    right: int = WIDTH - _RIGHT
    top: int = _TOP
    bottom: int = HEIGHT - _BOTTOM


@dataclass(frozen=True)
class Axis:
    """An axis: its text, its range, and whether it counts in percent."""

    label: str
    range: Range
    is_share: bool = False
    is_whole: bool = False


def chart(
    x: Axis,
    y: Axis,
    lines: Sequence[Line],
    *,
    description: str,
    dots: Sequence[Dot] = (),
    marks: Sequence[tuple[float, str]] = (),
) -> Chart:
    """Place lines and dots in a drawing.

    Parameters
    ----------
    x, y : Axis
        The axes.
    lines : sequence of Line
        Lines in the units of the axes.
    description : str
        The text for readers who don't see the chart.
    dots : sequence of Dot, default=()
        Dots in the units of the axes.
    marks : sequence of tuple (float, str), default=()
        Values of x with a vertical line, and their texts.

    Returns
    -------
    Chart

    Examples
    --------
    >>> from skvision.inspection.html_report.charts import Axis, Line, chart
    >>> axes = Axis("share", (0, 1), is_share=True), Axis("loss", (0, 2))
    >>> drawn = chart(*axes, [Line("a", [(0, 0), (1, 2)], "first")], description="A line.")
    >>> drawn.lines[0][2], drawn.x_ticks[-1]
    ('58,252 416,14', (416.0, '100%'))
    """

    def across(value: float) -> float:
        return _place(value, x.range, (_LEFT, WIDTH - _RIGHT))

    def up(value: float) -> float:
        return _place(value, y.range, (HEIGHT - _BOTTOM, _TOP))

    return Chart(
        x.label,
        y.label,
        description,
        [(across(tick), _text(tick, x)) for tick in ticks(*x.range, is_whole=x.is_whole)],
        [(up(tick), _text(tick, y)) for tick in ticks(*y.range, is_whole=y.is_whole)],
        [
            (
                line.label,
                line.style,
                " ".join(f"{across(a):g},{up(b):g}" for a, b in line.points if math.isfinite(b)),
            )
            for line in lines
        ],
        [
            (across(dot.x), up(dot.y), up(dot.low), up(dot.high), 3 + 7 * dot.size, dot.label)
            for dot in dots
        ],
        [(across(value), text) for value, text in marks],
    )


def ticks(low: float, high: float, *, is_whole: bool = False) -> list[float]:
    """Return round numbers from `low` to `high`, about five.

    Examples
    --------
    >>> from skvision.inspection.html_report.charts import ticks
    >>> ticks(0, 1)
    [0.0, 0.2, 0.4, 0.6, 0.8, 1.0]
    >>> ticks(1, 3, is_whole=True)
    [1.0, 2.0, 3.0]
    """
    if high <= low:
        return [low]
    rough = (high - low) / _N_TICKS
    unit = 10.0 ** math.floor(math.log10(rough))
    step = next(factor * unit for factor in (1, 2, 5, 10) if factor * unit >= rough * 0.999)
    if is_whole:
        step = max(1.0, step)
    first = math.ceil(low / step - 1e-9)
    n = math.floor(high / step + 1e-9) - first + 1
    return [round((first + k) * step, 10) for k in range(n)]


def _place(value: float, of: Range, room: tuple[float, float]) -> float:
    share = (value - of[0]) / (of[1] - of[0]) if of[1] > of[0] else 0.5
    return round(room[0] + min(1.0, max(0.0, share)) * (room[1] - room[0]), 2)


def _text(value: float, axis: Axis) -> str:
    return f"{100 * value:g}%" if axis.is_share else f"{value:g}"
