"""What the broker keeps, sessions that outlive connections, pace, commands and alerts."""

from __future__ import annotations

from typing import Any

import pytest
from grader_bench import Bench

from grader.outcome import State

GOOD, BAD = State.PASSED, State.FAILED


def fresh(bench: Bench, name: str) -> Bench:
    """Another bench beside it."""
    return Bench(bench.folder.with_name(name))


# ---- mqtt.retained ----


def kept(bench: Bench) -> None:
    """Two docks with a state, a third that was cleared, and a message that is not retained."""
    bench.publish(1, "dock/1/state", {"value": 1, "time": 0}, retain=True)
    bench.publish(1, "dock/2/state", "online", retain=True)
    bench.publish(1, "dock/3/state", "x", retain=True)
    bench.publish(2, "dock/3/state", "", retain=True)
    bench.publish(2, "dock/4/state", "x")


@pytest.mark.parametrize(
    ("params", "score"),
    [
        ({"topics": ["dock/1/state", "dock/2/state"]}, 1),
        ({"topics": ["dock/1/state", "dock/4/state"]}, 0.5),
        ({"topics": ["dock/1/state", "dock/2/state"], "keys": ["value"]}, 0.5),
        ({"says": {"dock/2/state": "online"}}, 1),
        ({"says": {"dock/1/state": 1}, "value": "value"}, 1),
        ({"says": {"dock/2/state": "offline"}}, 0),
        ({"cleared": ["dock/3/#"], "none": ["dock/3/#"]}, 1),
        ({"cleared": ["dock/4/state", "dock/2/state"]}, 0),
        ({"topics": ["dock/1/state"], "none": ["dock/#"]}, 0),
    ],
)
def test_the_store_as_it_stands_is_judged(bench: Bench, params: dict[str, Any], score: float) -> None:
    """What is kept, what it says, what was cleared, and what must not be there."""
    kept(bench)
    assert bench.judge("mqtt.retained", **params).score == pytest.approx(score)


# ---- mqtt.session ----


def away(bench: Bench, *, resumed: bool = True, granted: int = 1, qos: int = 1, sent: int = 3) -> None:
    """A portal subscribes, leaves for ten seconds, and comes back."""
    who = {"app": "portal", "session": "s1"}
    bench.event(0, "mqtt", "connect", **who, detail={"clean": False})
    bench.event(1, "mqtt", "subscribe", **who, subject="dock/#", detail={"qos": 1, "granted": granted})
    bench.event(2, "mqtt", "close", **who, detail={"clean": True})
    for n in range(sent):
        bench.publish(3 + n, "dock/1/door", "open", qos=qos)
    detail = {"clean": False, "resumed": True} if resumed else {"clean": True}
    bench.event(12, "mqtt", "connect", app="portal", session="s2", detail=detail)


@pytest.mark.parametrize(
    ("facts", "state"),
    [
        ({}, GOOD),
        ({"resumed": False}, BAD),
        ({"granted": 0}, BAD),
        ({"qos": 0}, BAD),
        ({"sent": 2}, BAD),
    ],
)
def test_a_session_outlives_its_connection(bench: Bench, facts: dict[str, Any], state: State) -> None:
    """Three events of QoS 1 were sent while it was away, and the session went on."""
    away(bench, **facts)
    assert bench.judge("mqtt.session", topic="dock/+/door", client="portal", at_least=3, away="5 s").state is state


def test_messages_that_were_dropped_are_not_delivered(bench: Bench) -> None:
    """The broker's limit took one of three."""
    away(bench)
    bench.event(6, "mqtt", "drop", app="portal", subject="dock/1/door", detail={"lost": 1})
    assert bench.judge("mqtt.session", at_least=3).actual == "2"


# ---- pace ----


def test_no_window_holds_too_many_messages(bench: Bench) -> None:
    """Ten a second are ten, wherever the second lies."""
    for n in range(40):
        bench.publish(n / 10, "a", n)
    assert bench.judge("mqtt.rate", topic="#", most=10).state is GOOD
    outcome = bench.judge("mqtt.rate", topic="#", most=9)
    assert (outcome.state, outcome.actual) == (BAD, "10 / 1 s")
    assert bench.judge("mqtt.rate", topic="#", most=10, at_least=50).state is BAD


BEAT = {"topic": "a", "heartbeat": "10 s", "for": "60 s"}


@pytest.mark.parametrize(
    ("messages", "state"),
    [
        ([(t * 10, 1) for t in range(9)], GOOD),
        ([(t * 10, 1) for t in range(9)] + [(t * 10 + 3, t) for t in range(2, 7)] , GOOD),
        ([(t, 1) for t in range(90)], BAD),
        ([(t * 20, 1) for t in range(6)], BAD),
    ],
)  # fmt: skip
def test_values_are_sent_on_change_and_as_a_sign_of_life(
    bench: Bench, messages: list[tuple[float, float]], state: State
) -> None:
    """A beat passes, with changes between too; the same each second or too rarely does not."""
    for t, value in messages:
        bench.publish(t, "a", value)
    assert bench.judge("mqtt.by-exception", **BEAT).state is state


def changing(bench: Bench, delay: float, late: int = 0) -> None:
    """The state changes every five seconds; each change is published after a delay, the last ones later by 4 s."""
    for n in range(20):
        bench.true("meter1.state", (n * 5, n))
        bench.publish(n * 5 + delay + (4 if n >= 20 - late else 0), "state", {"v": n})
    bench.end = 110


@pytest.mark.parametrize(("delay", "late", "state"), [(1, 0, GOOD), (1, 1, GOOD), (1, 4, BAD), (3, 0, BAD)])
def test_changes_are_published_soon(bench: Bench, delay: float, late: int, state: State) -> None:
    """At the 90th percentile."""
    changing(bench, delay, late)
    outcome = bench.judge(
        "mqtt.latency", topic="state", value="v", tag="meter1.state", within="2 s", share=0.9, tolerance=0
    )
    assert outcome.state is state


def test_a_value_of_before_the_change_is_no_news(bench: Bench) -> None:
    """A gateway that always sends the old value never publishes a change."""
    for n in range(20):
        bench.true("meter1.state", (n * 5, n))
        bench.publish(n * 5 + 1, "state", n - 1)
    bench.end = 110
    outcome = bench.judge("mqtt.latency", topic="state", tag="meter1.state", within="2 s", tolerance=0)
    assert outcome.state is BAD
    assert "never: " in outcome.reason["en"]


def test_points_share_the_marks(bench: Bench) -> None:
    """One of two points is true."""
    bench.true("meter1.voltage", (0, 230.0))
    bench.true("meter1.power", (0, 4.0))
    for t in range(30):
        bench.publish(t, "v", 230.0)
        bench.publish(t, "p", 5.0)
    outcome = bench.judge("mqtt.points", points={"v": "meter1.voltage", "p": "meter1.power"}, **{"for": "20 s"})
    assert (outcome.score, outcome.actual) == (0.5, "1/2")
    assert "p: " in outcome.reason["en"]


# ---- mqtt.replied ----

LIMITS = {
    "request": "cmd", "reply": "reply", "correlation": "id", "tag": "oven1.setpoint", "low": 0, "high": 300, "status": "status",
}  # fmt: skip


def commanded(bench: Bench, *, writes: int = 1, illegal: int = 0, says: str = "refused", delay: float = 1) -> None:
    """A command that may be done, and one that may not."""
    bench.publish(1, "cmd", {"id": "a", "value": 200}, app="mes", session="m")
    for n in range(writes):
        bench.event(1.2 + n / 10, "modbus", "write", device="oven1", tags=["oven1.setpoint"], values=[200.0])
    bench.publish(1 + delay, "reply", {"id": "a", "status": "ok"}, session="g")
    bench.publish(5, "cmd", {"id": "b", "value": 900}, app="mes", session="m")
    for _ in range(illegal):
        bench.event(5.2, "modbus", "write", device="oven1", tags=["oven1.setpoint"], values=[900.0])
    bench.publish(5.5, "reply", {"id": "b", "status": says}, session="g")
    bench.end = 20


@pytest.mark.parametrize(
    ("facts", "score"),
    [
        ({}, 1),
        ({"writes": 0}, 0.5),
        ({"writes": 2}, 0.5),
        ({"illegal": 1}, 0.5),
        ({"says": "ok"}, 0.5),
        ({"delay": 3}, 0.5),
    ],
)
def test_commands_are_done_once_or_refused(bench: Bench, facts: dict[str, Any], score: float) -> None:
    """Answered in time with their id; written exactly once; not at all when out of range."""
    commanded(bench, **facts)
    assert bench.judge("mqtt.replied", **LIMITS).score == score


def test_the_correlation_data_of_version_5_is_an_id(bench: Bench) -> None:
    """With the response topic that the command names; nobody answers himself."""
    asked = {"properties": {"correlation_data": "01ff", "response_topic": "r/1"}}
    bench.publish(1, "cmd", "x", session="m", **asked)
    bench.publish(1.1, "r/1", "y", session="m", properties={"correlation_data": "01ff"})
    bench.end = 9
    assert bench.judge("mqtt.replied", request="cmd").state is BAD
    other = fresh(bench, "other")
    other.publish(1, "cmd", "x", session="m", **asked)
    other.publish(1.1, "r/1", "y", session="g", properties={"correlation_data": "01ff"})
    other.end = 9
    assert other.judge("mqtt.replied", request="cmd").state is GOOD


def test_both_kinds_of_commands_must_have_come(bench: Bench) -> None:
    """Without one that is out of range nothing is proven."""
    bench.publish(1, "cmd", {"id": "a", "value": 200}, session="m")
    bench.end = 9
    assert "refused" in bench.judge("mqtt.replied", **LIMITS).reason["en"]


# ---- mqtt.told ----

HOT = {"topic": "alarm", "tag": "oven1.temp", "low": 250, "after": "2 s", "within": "10 s"}


@pytest.mark.parametrize(
    ("messages", "more", "state"),
    [
        ([15], {}, GOOD),
        ([15, 20], {}, GOOD),
        ([15, 20], {"once": True}, BAD),
        ([25], {}, BAD),
        ([5, 15], {}, BAD),
        ([5, 15], {"false_most": 1}, GOOD),
        ([11], {}, BAD),
    ],
)
def test_an_alarm_is_told_in_time(bench: Bench, messages: list[float], more: dict[str, Any], state: State) -> None:
    """It was hot from 10 s to 40 s: an event from 12 s on, to be told until 22 s."""
    bench.true("oven1.temp", (0, 200), (10, 260), (40, 200))
    for t in messages:
        bench.publish(t, "alarm", "on")
    bench.end = 60
    assert bench.judge("mqtt.told", **HOT, **more).state is state


def test_a_fault_is_told(bench: Bench) -> None:
    """The fault of the meter began at 10 s."""
    bench.event(10, "lab", "fault", subject="meter1.voltage", detail={"fault": "stuck", "phase": "begin", "number": 1})
    bench.publish(14, "alarm", {"state": "active"})
    bench.end = 60
    told = {"topic": "alarm", "fault": "meter1", "payload": "active", "part": "state"}
    assert bench.judge("mqtt.told", **told, within="10 s").state is GOOD
    assert bench.judge("mqtt.told", **told, within="2 s").state is BAD
