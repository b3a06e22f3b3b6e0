from __future__ import annotations

import json
import math
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from grader_bench import UTC_ORIGIN_NS, Bench
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from grader.checks import load
from grader.outcome import State
from grader.suspicion import WORD_ORDER

TRUTH = {"topic": "t", "value": "v", "tag": "meter1.voltage", "tolerance": 1, "age": "2 s", "for": "10 s"}


def ramp(bench: Bench, until: int = 40) -> None:
    """A voltage that rises by 10 V each second, so that late values are wrong ones."""
    bench.true("meter1.voltage", *((s, 100.0 + 10 * s) for s in range(until)))
    bench.end = until


def stamp(t: float) -> str:
    """Plant seconds as a payload's time."""
    return (datetime.fromtimestamp(UTC_ORIGIN_NS // 10**9, UTC) + timedelta(seconds=t)).isoformat()


def gateway(bench: Bench, start: int, count: int, lag: float = 0.0, factor: float = 1.0, **fields: Any) -> None:
    """Publishes each second what was true ``lag`` seconds ago."""
    for n in range(count):
        t = start + n + 0.5
        bench.publish(t, "t", {"v": (100.0 + 10 * int(t - lag)) * factor}, **fields)


def test_fresh_true_values_pass(bench: Bench) -> None:
    """A value a second, true when it was sent."""
    ramp(bench)
    gateway(bench, 5, 15)
    outcome = bench.judge("mqtt.matches-truth", **TRUTH)
    assert outcome.state is State.PASSED, outcome


def test_the_plants_own_messages_never_count(bench: Bench) -> None:
    """What the plant publishes is no trainee's work, neither as values nor as messages."""
    ramp(bench)
    gateway(bench, 5, 15, app="plant")
    assert bench.judge("mqtt.matches-truth", **TRUTH).state is State.FAILED
    assert bench.judge("mqtt.published", topic="t").state is State.FAILED


@pytest.mark.parametrize("mark", ["will", "repeat"])
def test_a_will_or_a_repeated_message_is_no_value(bench: Bench, mark: str) -> None:
    """What the broker sends for a lost client, and a QoS 2 message that came twice, is not counted."""
    ramp(bench)
    gateway(bench, 5, 15, **{mark: True})
    assert bench.judge("mqtt.published", topic="t").state is State.FAILED


@pytest.mark.parametrize(("lag", "good"), [(1.0, True), (3.0, False)])
def test_a_value_ages_from_when_it_was_true(bench: Bench, lag: float, good: bool) -> None:
    """Sent at once but read long ago is old; the lag is named."""
    ramp(bench)
    gateway(bench, 5, 30, lag)
    outcome = bench.judge("mqtt.matches-truth", **{**TRUTH, "age": "2.5 s"})
    assert (outcome.state is State.PASSED) is good
    if not good:
        assert "earlier" in outcome.help["en"]


def test_a_value_that_is_not_sent_again_grows_old(bench: Bench) -> None:
    """Right once is not right for ten seconds, even when the truth stands still."""
    bench.true("meter1.voltage", (0, 230.0))
    bench.publish(1, "t", {"v": 230.0})
    bench.end = 30
    outcome = bench.judge("mqtt.matches-truth", **TRUTH)
    assert outcome.state is State.FAILED
    assert "2 s of 10 s only" in outcome.reason["en"]


def test_coverage_is_of_time_and_its_limit_is_in(bench: Bench) -> None:
    """Nineteen seconds of twenty are 95 %: one silent second more is too much."""
    bench.true("meter1.voltage", (0, 230.0))
    for t in range(19):
        bench.publish(t, "t", {"v": 230.0})
    bench.end = 60
    half = {**TRUTH, "for": "20 s", "age": "1 s"}
    assert bench.judge("mqtt.matches-truth", **half, coverage="95 %").state is State.PASSED
    assert bench.judge("mqtt.matches-truth", **half, coverage="96 %").state is State.FAILED


def test_a_wrong_message_replaces_a_right_one(bench: Bench) -> None:
    """Whoever listens sees the last value: alternating right and wrong is right half of the time."""
    bench.true("meter1.voltage", (0, 230.0))
    for t in range(30):
        bench.publish(t, "t", {"v": 230.0})
        bench.publish(t + 0.5, "t", {"v": 99.0})
    assert bench.judge("mqtt.matches-truth", **TRUTH).state is State.FAILED
    assert bench.judge("mqtt.matches-truth", **TRUTH, coverage="50 %").state is State.PASSED


def test_a_wrong_value_is_shown_beside_the_truth_and_suspected(bench: Bench) -> None:
    """Expected and found with their units, and what kind of mistake it looks like."""
    ramp(bench)
    gateway(bench, 5, 15, factor=10)
    outcome = bench.judge("mqtt.matches-truth", **TRUTH)
    assert "said 2900 V, the tag was worth 290 V" in outcome.reason["en"]
    assert "factor of 10" in outcome.help["en"]
    assert outcome.reason.missing == ()


def test_a_wild_exponent_is_suspected_as_word_order(bench: Bench) -> None:
    """A float of another word order, rounded on its way, is still recognised."""
    bench.true("meter1.voltage", (0, 230.0))
    bench.publish(5, "t", {"v": 2.3e23})
    assert bench.judge("mqtt.matches-truth", **TRUTH).help == WORD_ORDER


def test_a_lost_phase_is_null_or_nan(bench: Bench) -> None:
    """NaN is true only where the truth is NaN, and JSON null says it too."""
    bench.true("meter1.voltage", (0, math.nan))
    for t in range(15):
        bench.publish(t, "t", {"v": None if t % 2 else math.nan})
    assert bench.judge("mqtt.matches-truth", **TRUTH).state is State.PASSED


def test_a_number_where_the_truth_is_nan_is_wrong(bench: Bench) -> None:
    """The last good value is not the truth."""
    bench.true("meter1.voltage", (0, 230.0), (1, math.nan))
    for t in range(10, 25):
        bench.publish(t, "t", {"v": 230.0})
    assert bench.judge("mqtt.matches-truth", **TRUTH).state is State.FAILED


def test_text_and_labels_are_values_too(bench: Bench) -> None:
    """A text tag is compared as text, an enumeration by number or label, a bool by its usual words."""
    bench.true("meter1.batch", (0, "B-17"))
    bench.true("meter1.state", (0, 2))
    bench.true("meter1.alarm", (0, True))
    for t in range(15):
        bench.publish(t, "a", "b-17")
        bench.publish(t, "b", {"v": "运行"})
        bench.publish(t, "c", {"v": True})
        bench.publish(t, "d", {"v": "RUN"})
    for topic, value, tag in (("a", "", "batch"), ("b", "v", "state"), ("c", "v", "alarm"), ("d", "v", "state")):
        params = {**TRUTH, "topic": topic, "value": value, "tag": f"meter1.{tag}"}
        assert bench.judge("mqtt.matches-truth", **params).state is State.PASSED, topic


def test_a_payload_without_the_value_says_so(bench: Bench) -> None:
    """No JSON, no such part, no number: each is named, none raises."""
    bench.true("meter1.voltage", (0, 230.0))
    for t in range(6):
        bench.publish(t, "t", "{")
    assert "JSON" in bench.judge("mqtt.matches-truth", **TRUTH).reason["en"]


def test_the_payloads_own_time_is_held_to_the_truth(bench: Bench) -> None:
    """Values stamped with when they were true pass late; stamped with when they were sent they do not."""
    ramp(bench)
    for n in range(5, 30):
        then = f"2026-01-01T00:00:{n - 1:02d}.5Z"
        bench.publish(n + 0.5, "t", {"v": 100.0 + 10 * (n - 1), "time": then, "sent": f"2026-01-01T00:00:{n:02d}.5Z"})
    wanted = {**TRUTH, "age": "3 s"}
    assert bench.judge("mqtt.matches-truth", **wanted, time="time").state is State.PASSED
    assert bench.judge("mqtt.matches-truth", **wanted, time="sent").state is State.FAILED
    assert bench.judge("mqtt.matches-truth", **wanted, time="nowhere").state is State.FAILED


def test_a_slip_in_the_topic_is_told(bench: Bench) -> None:
    """Messages on other topics are listed; without any, it says so."""
    bench.publish(1, "/t", {"v": 1})
    assert bench.judge("mqtt.matches-truth", **TRUTH).actual == "/t"
    assert "other topics: 1" in bench.judge("mqtt.published", topic="t").reason["en"]


def test_published_judges_flags_and_shape(bench: Bench) -> None:
    """QoS, retain, JSON keys and count; the fault of the last wrong one is named."""
    bench.publish(1, "a/b", {"v": 1, "m": {"u": "V"}}, qos=1, retain=True)
    bench.publish(2, "a/c", "text", qos=1)
    good = {"topic": "a/+", "qos": 1, "retain": True, "keys": ["v", "m.u"]}
    assert bench.judge("mqtt.published", **good).evidence == (1,)
    assert "1 of 2 messages" in bench.judge("mqtt.published", **good, at_least=2).reason["en"]
    assert "retain false, it is not JSON" in bench.judge("mqtt.published", **good, at_least=2).reason["en"]
    assert "m.x" in bench.judge("mqtt.published", topic="a/b", keys=["m.x"]).reason["en"]
    assert bench.judge("mqtt.published", topic="a/b", qos=0).state is State.FAILED


def test_every_topic_must_be_among_the_messages(bench: Bench) -> None:
    """Many messages on one topic do not stand for another; the count is over all of them."""
    for t in range(4):
        bench.publish(t, "a/b", "1")
    outcome = bench.judge("mqtt.published", topic="a/+", at_least=4, every_topic=["a/b", "a/c"])
    assert outcome.state is State.FAILED
    assert "a/c" in outcome.reason["en"]
    assert bench.judge("mqtt.published", topic="a/+", at_least=4, every_topic=["a/b"]).state is State.PASSED


def test_refused_and_binary_messages_do_not_count_as_shaped(bench: Bench) -> None:
    """The access list's refusals are told; a binary payload has no JSON."""
    bench.event(1, "mqtt", "deny", subject="t", values=["1"])
    assert "refused by the broker: 1" in bench.judge("mqtt.published", topic="t").reason["en"]
    other = Bench(bench.folder.with_name("other"))
    other.publish(1, "t", "00ff", binary=True)
    assert other.judge("mqtt.published", topic="t", format="json").state is State.FAILED
    assert other.judge("mqtt.published", topic="t").state is State.PASSED


SCHEMA = {
    "type": "object",
    "required": ["value", "time"],
    "properties": {"value": {"type": "number"}, "time": {"type": "string"}, "meta": {"$ref": "#/$defs/meta"}},
    "$defs": {"meta": {"type": "object", "required": ["unit"]}},
    "additionalProperties": False,
}


@pytest.mark.parametrize(
    ("payload", "lack"),
    [
        ({"value": 1, "time": "x"}, ""),
        ({"value": 1}, "time?"),
        ({"value": "1", "time": "x"}, "value (type)"),
        ({"value": 1, "time": "x", "more": 1}, "additionalProperties"),
        ({"value": 1, "time": "x", "meta": {}}, "meta (required)"),
        ([1], "type"),
        ("text", "JSON"),
    ],
)
def test_a_payload_is_held_to_a_json_schema(bench: Bench, payload: Any, lack: str) -> None:
    """What it lacks is named by its place and the schema's word."""
    bench.publish(1, "t", payload)
    outcome = bench.judge("mqtt.published", topic="t", schema=SCHEMA)
    assert (outcome.state is State.PASSED) is (lack == "")
    assert lack in outcome.reason["en"]


def test_a_wrong_schema_is_told_when_the_scenario_is_read() -> None:
    """Where it is wrong, and what is."""
    for wrong in ({"type": "nubmer"}, {"properties": {"a": {"minimum": "1"}}}):
        with pytest.raises(ValidationError, match="not a JSON Schema"):
            load("mqtt.published").Params.model_validate({"topic": "t", "schema": wrong})


def test_a_schema_reaches_no_network(bench: Bench) -> None:
    """A reference to another document is a fault of the check alone, not a request."""
    bench.publish(1, "t", {"a": 1})
    with pytest.raises(Exception, match="example"):
        bench.judge("mqtt.published", topic="t", schema={"$ref": "https://example.com/schema.json"})


RATE = {"topic": "t/+", "every": "1 s", "for": "20 s"}


def beat(bench: Bench, topic: str, every: float, count: int = 60) -> None:
    """Messages at a steady period."""
    for n in range(count):
        bench.publish(1 + n * every, topic, {"v": n})


@pytest.mark.parametrize(("every", "good"), [(0.8, True), (1.2, True), (0.75, False), (1.25, False)])
def test_messages_follow_each_other_at_the_period(bench: Bench, every: float, good: bool) -> None:
    """The tolerance is the declared one; too quick is as wrong as too slow."""
    beat(bench, "t/a", every)
    outcome = bench.judge("mqtt.published", **RATE)
    assert (outcome.state is State.PASSED) is good
    assert good or outcome.actual["en"].startswith("median period")  # type: ignore[index,union-attr] # a text here


def test_each_topic_has_its_own_period(bench: Bench) -> None:
    """Two topics in turn are not one at double rate; a topic that is not asked for needs no period."""
    beat(bench, "t/a", 1)
    beat(bench, "t/b", 3)
    assert "t/b" in bench.judge("mqtt.published", **RATE).reason["en"]
    assert bench.judge("mqtt.published", **RATE, every_topic=["t/a"]).state is State.PASSED


def test_only_messages_that_fit_make_a_period(bench: Bench) -> None:
    """Every second message has no value: those that fit are two seconds apart."""
    for n in range(60):
        bench.publish(1 + n, "t/a", {"v": 1} if n % 2 else {})
    assert bench.judge("mqtt.published", **RATE, keys=["v"]).state is State.FAILED


def test_a_period_fits_into_its_window() -> None:
    """A window shorter than the period is refused."""
    with pytest.raises(ValidationError, match="at least as long"):
        load("mqtt.published").Params.model_validate({"topic": "t", "every": "10 s", "for": "5 s"})


payloads = st.text(max_size=40) | st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=5),
    lambda inner: st.dictionaries(st.sampled_from(["v", "time"]), inner, max_size=2),
).map(json.dumps)


@settings(max_examples=25, deadline=None)
@given(st.lists(payloads, max_size=8))
def test_no_payload_raises(texts: list[str]) -> None:
    """Garbage, huge numbers and missing parts are outcomes, for every kind of tag."""
    with TemporaryDirectory() as folder:
        bench = Bench(Path(folder) / "attempt")
        for path, value in (("meter1.voltage", 230.0), ("meter1.alarm", 0), ("meter1.batch", "b"), ("meter1.state", 2)):
            bench.true(path, (0, value))
        for t, text in enumerate(texts):
            bench.publish(t, "t", text)
        for tag in ("voltage", "alarm", "batch", "state"):
            for extra in ({}, {"time": "time"}, {"value": ""}):
                outcome = bench.judge("mqtt.matches-truth", **{**TRUTH, "tag": f"meter1.{tag}", **extra})
                assert 0 <= outcome.score <= 1
        for asked in (
            {"keys": ["v.a"], "format": "json"},
            {"schema": {"properties": {"v": {"type": "number", "minimum": 3}}}},
        ):
            assert bench.judge("mqtt.published", topic="t", **asked).state in (State.PASSED, State.FAILED)


@pytest.mark.parametrize(
    ("payload", "asked", "fault"),
    [
        ("21.5", {"format": "number"}, None),
        (" -3e2\n", {"format": "number"}, None),
        ("21,5", {"format": "number"}, "not a number"),
        ("21.5 C", {"format": "number"}, "not a number"),
        ('{"value": 21.5}', {"format": "number"}, "not a number"),
        ("", {"format": "number"}, "not a number"),
        ("offline", {"pattern": "on|offline"}, None),
        ("gone offline", {"pattern": "on|offline"}, "not as asked"),
        ("line 7", {"pattern": "line [0-9]+", "format": "text"}, None),
    ],
)
def test_a_payload_of_plain_text(bench: Bench, payload: str, asked: dict[str, str], fault: str | None) -> None:
    """A number that stands alone, or any text that fits an expression as a whole; JSON is not needed."""
    bench.publish(1, "t", payload)
    outcome = bench.judge("mqtt.published", topic="t", **asked)
    assert (outcome.state is State.PASSED) is (fault is None)
    assert fault is None or fault in outcome.reason["en"]
    assert asked.get("pattern", asked.get("format", "")) in str(outcome.expected)


def test_a_pattern_that_does_not_compile_is_told(bench: Bench) -> None:
    """When the scenario is read, not when it is graded."""
    with pytest.raises(ValidationError, match="not a regular expression"):
        bench.judge("mqtt.published", topic="t", pattern="(on")


@pytest.mark.parametrize(
    ("shift", "said", "advised"),
    [
        (-5.0, "their time stamps are 5.1 s behind", "clock that the time comes from"),
        (60.0, "ahead", "clock that the time comes from"),
        (8 * 3600.0, "8 h ahead", "time zone"),
        (-8 * 3600.0, "8 h behind", "time zone"),
    ],
)
def test_right_values_with_wrong_time_stamps_are_told_apart(
    bench: Bench, shift: float, said: str, advised: str
) -> None:
    """When only the time is wrong, that is what is said, with how far it is off."""
    ramp(bench)
    for n in range(5, 25):
        utc = stamp(n + shift)
        bench.publish(n + 0.1, "t", {"v": 100.0 + 10 * n, "at": utc})
    outcome = bench.judge("mqtt.matches-truth", **TRUTH, time="at")
    assert outcome.state is State.FAILED
    assert said in outcome.reason["en"]
    assert "right" in outcome.reason["en"]
    assert advised in outcome.help["en"]


def test_wrong_values_with_wrong_time_stamps_are_wrong_values(bench: Bench) -> None:
    """A wrong value is told first, whatever its time stamp says."""
    ramp(bench)
    for n in range(5, 25):
        bench.publish(n + 0.1, "t", {"v": 7.0, "at": stamp(n - 8 * 3600)})
    assert "not true" in bench.judge("mqtt.matches-truth", **TRUTH, time="at").reason["en"]
