"""Places of numbers in a drawing."""

from __future__ import annotations

import pytest

from skvision.inspection.html_report.charts import Axis, Dot, Line, chart, ticks


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [
        (0, 1, [0, 0.2, 0.4, 0.6, 0.8, 1]),
        (0.5, 1, [0.5, 0.6, 0.7, 0.8, 0.9, 1]),
        (0, 2.3, [0, 0.5, 1, 1.5, 2]),
        (3, 3, [3]),
        (0, 0.0021, [0, 0.0005, 0.001, 0.0015, 0.002]),
    ],
)
def test_ticks_are_round(low, high, expected):
    assert ticks(low, high) == pytest.approx(expected)


def test_epochs_are_whole():
    assert ticks(1, 2, is_whole=True) == [1, 2]
    assert all(tick == int(tick) for tick in ticks(1, 37, is_whole=True))


def test_places_lie_within_the_axes():
    drawn = chart(
        Axis("x", (0, 10)),
        Axis("y", (0, 1), is_share=True),
        [Line("a", [(0, 0), (5, float("nan")), (10, 2)], "first")],
        dots=[Dot(5, 0.5, 0.25, 0.75, 1, "5 images")],
        description="A test.",
    )
    (label, style, points) = drawn.lines[0]
    assert (label, style) == ("a", "first")
    # a value that isn't finite is left out, and one off the axis lies on its end
    assert points == f"{drawn.left},{drawn.bottom} {drawn.right},{drawn.top}"
    x, y, low, high, radius, _ = drawn.dots[0]
    assert x == (drawn.left + drawn.right) / 2
    assert drawn.top < high < y < low < drawn.bottom
    assert radius == 10
    assert [text for _, text in drawn.y_ticks] == ["0%", "20%", "40%", "60%", "80%", "100%"]
