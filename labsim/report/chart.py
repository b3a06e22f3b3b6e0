"""The chart of delivered against true values."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise

from grader.words import number, quantity
from labsim.report import svg, words
from labsim.report.axis import Scale, elapsed, ticks, time_ticks
from labsim.report.delivered import Comparison, Point

WIDTH, HEIGHT, LEFT, TOP, BOTTOM = 960, 260, 74, 16, 40
_POINTS, _STEPS = 600, 1200


def chart(one: Comparison, name: str, lang: str) -> str:
    """The chart as SVG: the true value as a stepped line with its tolerance, right values as dots, wrong ones as crosses.

    Args:
        one: What to draw.
        name: Unique on the page.
        lang: Language of its words.
    """
    right = sum(point.right for point in one.points)
    title = words.word("chart", lang, tag=one.tag.path)
    description = words.word("chart.desc", lang, n=len(one.points), right=right, tag=one.tag.path)
    root = svg.picture(WIDTH, HEIGHT, name, title, description)
    values = [value for _, value in one.steps] + [point.value for point in one.points]
    low, high = min(values), max(values)
    slack = max(one.tolerance.absolute + one.tolerance.relative * max(abs(low), abs(high)), (high - low) * 0.08)
    slack = slack or max(abs(high) * 0.05, 1.0)
    y = Scale(low - slack, high + slack, HEIGHT - BOTTOM, TOP)
    start, end = one.steps[0][0], max(one.end, one.steps[0][0] + 1_000_000_000)
    x = Scale(start, end, LEFT, WIDTH - 12)
    for value in ticks(y.low, y.high):
        svg.add(root, "line", "grid", x1=LEFT, x2=WIDTH - 12, y1=y(value), y2=y(value))
        svg.text(root, "label", LEFT - 6, y(value) + 4, number(value), text_anchor="end")
    for t in time_ticks(start, end):
        svg.add(root, "line", "grid", x1=x(t), x2=x(t), y1=TOP, y2=HEIGHT - BOTTOM)
        svg.text(root, "label", x(t), HEIGHT - BOTTOM + 16, elapsed(t), text_anchor="middle")
    unit = f" ({one.tag.unit})" if one.tag.unit and one.tag.unit != "1" else ""
    svg.text(root, "label", WIDTH - 12, HEIGHT - 6, words.word("plant_time", lang), text_anchor="end")
    svg.text(root, "label name", 4, HEIGHT - 6, f"{one.tag.path}{unit}")
    steps = list(thinned(one.steps, start, end))
    svg.add(root, "path", "tolerance", d=_tolerance(one, steps, x, y, end))
    svg.add(root, "path", "truth", d=_stepped(steps, x, y, end))
    for point in _some(one.points):
        tip = f"{elapsed(point.t)}  {quantity(point.value, one.tag.unit)}"
        if point.right:
            svg.add(root, "circle", "dot", tip=tip, cx=x(point.t), cy=y(point.value), r=2.6)
        else:
            svg.cross(root, "cross", x(point.t), y(point.value), 3, tip)
    return svg.markup(root)


def thinned(steps: Sequence[tuple[int, float]], start: int, end: int) -> Iterator[tuple[int, float]]:
    """Steps in order, with the lowest and highest of each of some columns when there are more than can be drawn."""
    if len(steps) <= _STEPS:
        yield from steps
        return
    columns: dict[int, list[tuple[int, float]]] = {}
    for step in steps:
        columns.setdefault((step[0] - start) * (_STEPS // 4) // max(end - start, 1), []).append(step)
    for column in columns.values():
        chosen = {column[0], min(column, key=_value), max(column, key=_value), column[-1]}
        yield from sorted(chosen)


def _value(step: tuple[int, float]) -> float:
    return step[1]


def _some(points: Sequence[Point]) -> list[Point]:
    """All wrong points and some of the right ones, when there are more than can be drawn."""
    if len(points) <= _POINTS:
        return list(points)
    stride = -(-len(points) // _POINTS)
    wrong = [point for point in points if not point.right]
    wrong = wrong[:: -(-len(wrong) // _POINTS)] if wrong else []
    return sorted([*points[::stride], *wrong], key=lambda point: point.t)


def _stepped(steps: Sequence[tuple[int, float]], x: Scale, y: Scale, end: int) -> str:
    parts = [f"M{x(steps[0][0])} {y(steps[0][1])}"]
    parts += [f"H{x(t)}V{y(value)}" for t, value in steps[1:]]
    return "".join([*parts, f"H{x(end)}"])


def _tolerance(one: Comparison, steps: Sequence[tuple[int, float]], x: Scale, y: Scale, end: int) -> str:
    """A strip around the true value as wide as the tolerance."""
    absolute, relative = one.tolerance.absolute, one.tolerance.relative
    parts = []
    for (t, value), (until, _) in pairwise([*steps, (end, 0.0)]):
        off = absolute + relative * abs(value)
        parts.append(f"M{x(t)} {y(value + off)}H{x(until)}V{y(value - off)}H{x(t)}z")
    return "".join(parts)
