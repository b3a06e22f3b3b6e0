from __future__ import annotations

import math
from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from grader.checks.message import Message, ValueParams, _said, all_judged
from grader.checks.plant import Condition, fitting
from grader.truth import Truth, Value, is_good, near
from labsim.evidence.event import Record
from labsim.evidence.evidence import Evidence
from labsim.evidence.history import Series
from labsim.evidence.manifest import TagInfo
from labsim.evidence.rows import Rows
from labsim.quantity import Tolerance

NUMBERS = st.one_of(
    st.integers(-3, 3).map(float),
    st.sampled_from([50.2, 49.8, 0.1, 0.3, -0.0, math.inf, -math.inf, math.nan, 5e-324, 1.7976931348623157e308]),
    st.floats(),
)
TOLERANCES = st.builds(
    Tolerance,
    absolute=st.one_of(st.sampled_from([0.0, 0.2, 0.1, 1.0, 1e308]), st.floats(0, 10)),
    relative=st.one_of(st.sampled_from([0.0, 0.01, 0.005, 1e300]), st.floats(0, 2)),
)
TEXTS = st.sampled_from(["A", "a", "b", ""])
STATUSES = st.sampled_from([0, 0, 0, 0x4000_0000, 0x8000_0000])


def truth_of(steps: Sequence[tuple[int, Any, int]], end: int, kind: str = "f64") -> Truth:
    """The truth of a tag with a value and a status from each moment on."""
    ordered = sorted(steps, key=lambda step: step[0])
    tag = TagInfo(row=0, path="a.b", device="a", name="b", type=kind)
    series = Series(
        np.array([t for t, _, _ in ordered], np.int64),
        np.array([value for _, value, _ in ordered], object if kind == "text" else np.float64),
        np.array([status for _, _, status in ordered], np.uint32),
    )
    evidence = SimpleNamespace(
        tags={"a.b": tag}, history=SimpleNamespace(series=lambda *_: series), end_ns=end, t_of_utc=lambda utc: utc
    )
    return Truth(cast(Evidence, evidence), "a.b")


def numeric(kind: str) -> st.SearchStrategy[Value]:
    """Values of a tag of that type."""
    return TEXTS if kind == "text" else NUMBERS


@settings(deadline=None)
@given(st.lists(st.tuples(NUMBERS, NUMBERS), max_size=20), TOLERANCES)
@example([(50.2, 50.0)], Tolerance(absolute=0.2))
@example([(math.inf, math.inf), (math.nan, math.nan)], Tolerance(absolute=1e308, relative=1e300))
def test_a_tolerance_allows_the_same_of_many_numbers_as_of_one(
    pairs: list[tuple[float, float]], tolerance: Tolerance
) -> None:
    """The comparison of arrays is that of two numbers, to the last bit."""
    got = near(tolerance, [one for one, _ in pairs], [other for _, other in pairs])
    assert got.tolist() == [tolerance.allows(one, other) for one, other in pairs]


@pytest.mark.parametrize("kind", ["f64", "text"])
@settings(deadline=None)
@given(st.data())
def test_many_values_find_the_moments_that_each_alone_finds(kind: str, data: st.DataObject) -> None:
    """`Truth.latest_matches` is `Truth.latest_match` of each, whatever the steps, the moments and the look back."""
    steps = data.draw(st.lists(st.tuples(st.integers(0, 12), numeric(kind), STATUSES), max_size=12))
    asked = data.draw(st.lists(st.tuples(numeric(kind), st.integers(0, 14), st.integers(0, 14)), max_size=12))
    tolerance = data.draw(TOLERANCES)
    truth = truth_of(steps, 13, kind)
    found = truth.latest_matches(
        [v for v, _, _ in asked], [t for _, t, _ in asked], [b for _, _, b in asked], tolerance
    )
    alone = [truth.latest_match(value, t, back, tolerance) for value, t, back in asked]
    assert found.tolist() == [-1 if moment is None else moment for moment in alone]


@settings(deadline=None)
@given(st.lists(st.tuples(st.integers(0, 9), NUMBERS, STATUSES), max_size=12), st.integers(0, 12))
def test_the_table_of_a_truth_holds_its_steps(steps: list[tuple[int, float, int]], end: int) -> None:
    """Columns and steps tell the same, also where a value was recorded twice at a moment."""
    truth = truth_of(steps, end)
    plain = [tuple(step) for step in truth.steps()][::-1]
    assert repr([*zip(*(column.tolist() for column in truth.table()), strict=True)]) == repr(plain)


@pytest.mark.parametrize("kind", ["f64", "text"])
@settings(deadline=None)
@given(st.data())
def test_stretches_that_fit_are_those_of_a_look_at_each_step(kind: str, data: st.DataObject) -> None:
    """`fitting` over columns finds what a walk over the steps finds; a step that lasted no time breaks nothing."""
    steps = data.draw(st.lists(st.tuples(st.integers(0, 9), numeric(kind), STATUSES), max_size=12))
    wanted = st.one_of(st.integers(-3, 3).map(float), st.sampled_from(["A", "b", "no number"]))
    asked = data.draw(
        st.one_of(
            st.builds(lambda value, t: {"value": value, "tolerance": t}, wanted, TOLERANCES),
            st.builds(lambda low, width: {"low": low, "high": low + width}, st.integers(-3, 3), st.integers(0, 3)),
            st.builds(lambda bound, name: {name: bound}, st.integers(-3, 3), st.sampled_from(["low", "high"])),
        )
    )
    truth = truth_of(steps, 10, kind)
    condition = Condition.model_validate({"tag": "a.b", **asked})
    spans: list[tuple[int, int]] = []
    for step in reversed(list(truth.steps())):
        if is_good(step.status) and condition.met(step.value, truth.tag):
            if spans and spans[-1][1] == step.start:
                spans[-1] = (spans[-1][0], step.end)
            else:
                spans.append((step.start, step.end))
    assert fitting(truth, condition, truth.tag) == spans


PAYLOADS = st.one_of(
    st.sampled_from(["", "1", "[1]", "{", '{"v": NaN}', '{"v": 1e999}', '{"v": true}', '{"v": null}', '{"v": "2"}']),
    st.sampled_from(
        ['{"v": {"v": 2}}', '{"V": 2}', '{"v": "x"}', '{"v": 2, "v": 3}', f'{{"v": {10**400}}}', "[" * 5000]
    ),
    NUMBERS.map(lambda number: f'{{"v": {number!r}, "t": 5e-9}}'),
    st.builds(lambda v, t: f'{{"v": {v}, "t": {t}e-9}}', st.integers(-3, 3), st.integers(-3, 20)),
)
PATHS = st.sampled_from(["v", "", "v.v", "/v", "x"])


def plainly(evidence: Evidence, record: Record, params: ValueParams, truth: Truth, age: int) -> Message:
    """What a message is worth, by the scalar way alone."""
    message = _said(evidence, record, params, truth.tag)
    if message.value is None or message.fault:
        return message
    last, back = record.t, age
    if message.stated is not None:
        slack = round(params.time_margin * 1e9)
        last = min(message.stated + slack, record.t)
        back = last - (message.stated - slack)
    moment = truth.latest_match(message.value, last, back, params.tolerance) if back >= 0 else None
    message.right_until = None if moment is None else moment + age
    return message


@pytest.mark.parametrize("time", [None, "t"])
@pytest.mark.parametrize("kind", ["f64", "u16", "text"])
@settings(deadline=None)
@given(st.data())
def test_messages_are_worth_together_what_each_is_worth_alone(kind: str, time: str | None, data: st.DataObject) -> None:
    """Judging many messages at once gives each its own value, fault and time, whatever was sent."""
    steps = data.draw(st.lists(st.tuples(st.integers(0, 12), numeric(kind), STATUSES), max_size=8))
    sent = data.draw(st.lists(st.tuples(st.integers(0, 14), PAYLOADS, st.booleans()), max_size=8))
    truth = truth_of(steps, 13, kind)
    asked: dict[str, Any] = {"topic": "a", "tag": "a.b", "value": data.draw(PATHS), "tolerance": data.draw(TOLERANCES)}
    params = ValueParams.model_validate({**asked, "time": time, "time_margin": 2e-9})
    evidence = cast(Evidence, SimpleNamespace(t_of_utc=lambda utc: utc))
    records = Rows(
        Record(
            kind="publish", protocol="mqtt", values=[text], detail={"binary": binary}, seq=seq, t=t, w=0, m=0
        )
        for seq, (t, text, binary) in enumerate(sent, 1)
    )  # fmt: skip
    age = data.draw(st.integers(0, 9))
    together = all_judged(evidence, records, params, truth.tag, truth, age)
    alone = [plainly(evidence, record, params, truth, age) for record in records]
    assert repr(together.every()) == repr(alone)
