"""What a trainee delivered beside what was true, for the checks that compare the two over time."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from pydantic import ValidationError

from grader.checks import load
from grader.checks.file import FileValuesParams
from grader.checks.file_series import FileSeriesParams
from grader.checks.message import all_judged
from grader.checks.mqtt import by_clients
from grader.checks.truthful import MatchesTruthParams
from grader.jitter import longer
from grader.payload import utc_ns_of
from grader.table import TableError, read_columns, read_rows
from grader.truth import Truth, as_value, real
from grader.window import nanoseconds
from labsim.errors import UnknownNameError
from labsim.evidence.evidence import Evidence
from labsim.evidence.manifest import TagInfo
from labsim.quantity import Tolerance
from labsim.scenario.fields import nested_checks
from labsim.scenario.model import CheckSpec


@dataclass(frozen=True, slots=True)
class Point:
    """One value that was delivered, at the time it is judged at (nanoseconds of plant time)."""

    t: int
    value: float
    right: bool


@dataclass(slots=True)
class Comparison:
    """One tag: its true value as steps ``(from, value)``, and the points that were delivered for it."""

    tag: TagInfo
    tolerance: Tolerance
    points: list[Point] = field(default_factory=list)
    steps: list[tuple[int, float]] = field(default_factory=list)
    end: int = 0


def comparisons(evidence: Evidence, spec: CheckSpec, *, files: bool) -> list[Comparison]:
    """What a check, or those inside it, compare, tag by tag; empty when they compare nothing over time, or nothing came.

    Args:
        evidence: The attempt.
        spec: The check.
        files: Also for hand-in files, whose truth the trainee has not been told while the lab is running.
    """
    found = (_framed(evidence, one) for one in _inside(evidence, spec.check, spec.params, files))
    return [each for each in found if each is not None]


def _inside(evidence: Evidence, check: str, given: Mapping[str, Any], files: bool) -> Iterator[Comparison]:
    try:
        model = load(check).Params
        how = _COMPARED.get(check)
        if how is not None and (files or not check.startswith("file.")):
            yield from how(evidence, model.model_validate(dict(given)))
    except (UnknownNameError, ValidationError):
        return  # what is wrong with it, its outcome says
    for _, name, inner in nested_checks(model, given):
        yield from _inside(evidence, name, inner, files)


def _published(evidence: Evidence, params: MatchesTruthParams) -> Iterator[Comparison]:
    tag = evidence.tags[params.tag]
    path = real(evidence, params.tag) if params.real else params.tag
    truth, age = Truth(evidence, path), longer(evidence, nanoseconds(params.age))
    one = Comparison(evidence.tags[path], params.tolerance)
    for message in all_judged(evidence, by_clients(evidence, params.topic), params, tag, truth, age).every():
        if isinstance(message.value, float):
            t = message.stated if message.stated is not None else message.record.t
            one.points.append(Point(t, message.value, message.right_until is not None))
    yield one


def _written(evidence: Evidence, params: FileValuesParams) -> Iterator[Comparison]:
    """The rows of a hand-in file that name their times."""
    handed = evidence.file(params.file) if params.truth == "at-time" else None
    if handed is None:
        return
    try:
        rows = read_rows(handed.data, params.file, params.key, params.value, params.time)
    except TableError:
        return
    slack = nanoseconds(params.time_margin)
    for key, path in params.expect.items():
        tag, truth = evidence.tags[path], Truth(evidence, path)
        one = Comparison(tag, params.tolerance)
        for row in rows:
            utc, value = utc_ns_of(row.time), as_value(row.value, tag)
            if row.key.casefold() != key.casefold() or utc is None or not isinstance(value, float):
                continue
            t = evidence.t_of_utc(utc)
            right = truth.latest_match(value, t + slack, 2 * slack, params.tolerance) is not None
            one.points.append(Point(t, value, right))
        yield one


def _logged(evidence: Evidence, params: FileSeriesParams) -> Iterator[Comparison]:
    """The columns of a hand-in file with a row per time; of intervals there is no value at a time to draw."""
    handed = evidence.file(params.file) if params.of == "value" else None
    if handed is None:
        return
    try:
        lines = read_columns(handed.data, params.file, [params.time, *params.columns])
    except TableError:
        return
    slack = nanoseconds(params.time_margin)
    for place, path in enumerate(params.columns.values(), 1):
        tag = evidence.tags[real(evidence, path) if params.real else path]
        truth, one = Truth(evidence, tag.path), Comparison(tag, params.tolerance)
        for _, cells in lines:
            utc, value = utc_ns_of(cells[0]), as_value(cells[place], tag)
            if utc is None or cells[place] in (None, "") or not isinstance(value, float):
                continue
            t = evidence.t_of_utc(utc)
            right = truth.latest_match(value, t + slack, 2 * slack, params.tolerance) is not None
            one.points.append(Point(t, value, right))
        yield one


_COMPARED: dict[str, Callable[[Evidence, Any], Iterator[Comparison]]] = {
    "mqtt.matches-truth": _published,
    "file.series": _logged,
    "file.values": _written,
}


def _framed(evidence: Evidence, one: Comparison) -> Comparison | None:
    """The comparison with the truth of the time in which something was delivered; None when there is nothing to show."""
    if one.tag.type == "text":
        return None
    one.points = sorted(
        (p for p in one.points if math.isfinite(p.value) and 0 <= p.t <= evidence.end_ns), key=lambda p: p.t
    )
    if not one.points:
        return None
    first, last = one.points[0].t, one.points[-1].t
    margin = max((last - first) // 20, 2_000_000_000)
    start, one.end = max(0, first - margin), min(evidence.end_ns, last + margin)
    series = evidence.history.series(one.tag.path, start, one.end)
    one.steps = [
        (int(t), float(v))
        for t, v in zip(series.times_ns.tolist(), series.values.tolist(), strict=True)
        if math.isfinite(v)
    ]
    return one if one.steps else None
