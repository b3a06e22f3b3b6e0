from __future__ import annotations

import json
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from grader_bench import Bench
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from grader.checks import load
from grader.outcome import State

SAMPLES = {
    "topic": "t", "value": "v", "tag": "meter1.voltage", "tolerance": 1, "time": "time", "gap_free": "samples",
    "every": "1 s", "for": "30 s", "coverage": "100 %",
}  # fmt: skip
CHANGES = {
    "topic": "t", "value": "v", "tag": "meter1.alarm", "time": "time", "gap_free": "changes", "for": "30 s",
    "coverage": "100 %",
}  # fmt: skip


def utc(t: float) -> str:
    """Plant seconds as a client writes the time."""
    return f"2026-01-01T00:{int(t) // 60:02d}:{t % 60:06.3f}Z"


def ramp(bench: Bench, until: int = 80) -> None:
    """A voltage that rises by 10 V each second."""
    bench.true("meter1.voltage", *((s, 100.0 + 10 * s) for s in range(until)))
    bench.end = until


def sample(bench: Bench, stated: int, arrives: float, **fields: Any) -> None:
    """What was true half a second into a second, whenever it comes."""
    value = fields.pop("value", 100.0 + 10 * stated)
    bench.publish(arrives, "t", {"v": value, "time": utc(stated + 0.5)}, **fields)


def outage(bench: Bench, start: int = 25, end: int = 45, forgotten: range = range(0)) -> None:
    """A sample a second; during the outage they are kept, and sent one after another when it is over."""
    ramp(bench)
    for s in range(5, 70):
        late = start <= s < end
        if s not in forgotten:
            sample(bench, s, end + 0.6 + (s - start) * 0.01 if late else s + (0.6 if s < start else 0.9))


def test_what_was_kept_during_an_outage_counts_with_its_own_time(bench: Bench) -> None:
    """Twenty seconds without network, and not a sample is missing afterwards."""
    outage(bench)
    outcome = bench.judge("mqtt.matches-truth", **SAMPLES, outage="15 s", unique=True, in_order=True)
    assert outcome.state is State.PASSED, outcome
    assert outcome.actual["en"].startswith("100 % of 30 s")  # type: ignore[index,union-attr] # a text here


def test_what_was_lost_during_an_outage_is_missed(bench: Bench) -> None:
    """The window lies around the outage: good stretches before and after do not stand in for it."""
    outage(bench, forgotten=range(25, 45))
    outcome = bench.judge("mqtt.matches-truth", **SAMPLES, outage="15 s")
    assert outcome.state is State.FAILED
    assert "some are missing" in outcome.reason["en"]
    assert "send it later" in outcome.help["en"]
    assert bench.judge("mqtt.matches-truth", **{**SAMPLES, "for": "15 s"}).state is State.PASSED  # no outage asked for


@pytest.mark.parametrize(("gap", "good"), [(1, True), (2, False)])
def test_one_missing_sample_is_a_gap(bench: Bench, gap: int, good: bool) -> None:
    """A gap of one and a half periods is none; two periods are."""
    ramp(bench)
    for s in range(5, 70, 1):
        if gap == 1 or s != 37:
            sample(bench, s, s + 0.6)
    full = {**SAMPLES, "for": "60 s"}
    assert (bench.judge("mqtt.matches-truth", **full).state is State.PASSED) is good


def test_without_an_outage_nothing_is_proven(bench: Bench) -> None:
    """A series that was never interrupted says nothing about what happens when it is."""
    ramp(bench)
    for s in range(5, 70):
        sample(bench, s, s + 0.6)
    assert "no stretch of 15 s" in bench.judge("mqtt.matches-truth", **SAMPLES, outage="15 s").reason["en"]
    assert bench.judge("mqtt.matches-truth", **SAMPLES).state is State.PASSED


def test_late_has_a_limit(bench: Bench) -> None:
    """What comes later than allowed is as good as lost."""
    outage(bench)
    outcome = bench.judge("mqtt.matches-truth", **SAMPLES, outage="15 s", late="10 s")
    assert outcome.state is State.FAILED
    assert "later than 10 s after their own time: 10, the latest by 20.1 s" in outcome.reason["en"]
    assert bench.judge("mqtt.matches-truth", **SAMPLES, outage="15 s", late="25 s").state is State.PASSED


def test_the_time_of_sending_is_not_the_time_of_reading(bench: Bench) -> None:
    """Old values stamped with now are not true at their time."""
    ramp(bench)
    for s in range(5, 70):
        sample(bench, s, s + 0.6, value=100.0 + 10 * (s - 4))
    outcome = bench.judge("mqtt.matches-truth", **SAMPLES)
    assert outcome.state is State.FAILED
    assert "not true" in outcome.reason["en"]


def test_doubles_are_found_in_the_window(bench: Bench) -> None:
    """The same time twice is a double, also when QoS 1 sent it again."""
    outage(bench)
    sample(bench, 30, 46, dup=True)
    found = bench.judge("mqtt.matches-truth", **SAMPLES, outage="15 s", unique=True)
    assert "for the second time: 1" in found.reason["en"]
    assert bench.judge("mqtt.matches-truth", **SAMPLES, outage="15 s").state is State.PASSED


def test_news_before_history_is_out_of_order(bench: Bench) -> None:
    """A client that first sends what is new and then what it kept breaks the order."""
    ramp(bench)
    for s in range(5, 70):
        sample(bench, s, 50 + (s - 25) * 0.01 if 25 <= s < 45 else s + 0.6)
    found = bench.judge("mqtt.matches-truth", **SAMPLES, outage="15 s", in_order=True)
    assert "older than the one before: 20" in found.reason["en"]
    assert bench.judge("mqtt.matches-truth", **SAMPLES, outage="15 s").state is State.PASSED


def test_a_fresh_series_can_be_held_to_order_too(bench: Bench) -> None:
    """Doubles and order also count where freshness is judged."""
    ramp(bench)
    for s in range(5, 40):
        sample(bench, s, s + 0.6)
        sample(bench, s, s + 0.7)
    fresh = {key: SAMPLES[key] for key in ("topic", "value", "tag", "tolerance", "time")} | {
        "for": "20 s",
        "age": "3 s",
    }
    assert bench.judge("mqtt.matches-truth", **fresh).state is State.PASSED
    assert bench.judge("mqtt.matches-truth", **fresh, unique=True).state is State.FAILED


def door(bench: Bench, told: list[int]) -> None:
    """An alarm that changes every four seconds; only some changes are told, each a second late."""
    bench.true("meter1.alarm", *((s, (s // 4) % 2) for s in range(0, 60, 4)))
    for s in told:
        bench.publish(s + 1, "t", {"v": bool((s // 4) % 2), "time": utc(s + 0.1)})
    bench.end = 60


def test_every_change_arrives(bench: Bench) -> None:
    """Each change has a message with its time; the first value is no change."""
    door(bench, list(range(0, 60, 4)))
    outcome = bench.judge("mqtt.matches-truth", **CHANGES)
    assert outcome.state is State.PASSED, outcome
    assert "8 of 8 changes" in outcome.actual["en"]  # type: ignore[index,operator,union-attr] # a text here


def test_a_change_that_was_not_told_is_missed(bench: Bench) -> None:
    """Every third change is lost: no window of five changes is whole."""
    door(bench, [s for s in range(0, 60, 4) if s % 12])
    outcome = bench.judge("mqtt.matches-truth", **CHANGES)
    assert outcome.state is State.FAILED
    assert bench.judge("mqtt.matches-truth", **{**CHANGES, "coverage": "60 %"}).state is State.PASSED


def test_a_tag_that_hardly_changes_proves_nothing(bench: Bench) -> None:
    """One change in a window is too few to pass, however well it was told."""
    bench.true("meter1.alarm", (0, 0), (20, 1))
    bench.publish(21, "t", {"v": True, "time": utc(20.1)})
    bench.end = 90
    assert bench.judge("mqtt.matches-truth", **CHANGES).state is State.FAILED
    assert bench.judge("mqtt.matches-truth", **CHANGES, changes=1).state is State.PASSED


def test_untouched_fails(bench: Bench) -> None:
    """No message, no marks."""
    ramp(bench)
    assert bench.judge("mqtt.matches-truth", **SAMPLES, outage="5 s").state is State.FAILED


@pytest.mark.parametrize(
    "wrong",
    [
        {"time": None},
        {"every": None},
        {"gap_free": "changes"},
        {"gap_free": None, "every": None, "outage": "5 s"},
        {"for": "0 s"},
    ],
)
def test_parameters_that_do_not_go_together_are_refused(wrong: dict[str, Any]) -> None:
    """The scenario is told when it is read."""
    with pytest.raises(ValidationError):
        load("mqtt.matches-truth").Params.model_validate({**SAMPLES, **wrong})


stamps = st.floats(0, 200).map(utc) | st.integers() | st.text(max_size=8) | st.none()


@settings(max_examples=25, deadline=None)
@given(st.lists(st.tuples(st.floats(0, 60), st.floats() | st.none(), stamps), max_size=12))
def test_no_series_raises(messages: list[tuple[float, float | None, Any]]) -> None:
    """Any times and values, in any order, come to an outcome."""
    with TemporaryDirectory() as folder:
        bench = Bench(Path(folder) / "attempt")
        ramp(bench)
        bench.true("meter1.alarm", (0, 0), (9, 1))
        for t, value, stamp in messages:
            bench.publish(t, "t", json.dumps({"v": value, "time": stamp}))
        for params in (SAMPLES, CHANGES, {**SAMPLES, "outage": "1 s"}, {**CHANGES, "outage": "1 s", "changes": 1}):
            bench.judge("mqtt.matches-truth", **params, unique=True, in_order=True)
