"""What clients call, acknowledge and read of the past over OPC UA."""

from __future__ import annotations

from typing import Any

import pytest
from grader_bench import Bench
from pydantic import ValidationError

from grader.outcome import State

BAD = 0x80AF0000


def call(bench: Bench, t: float, *arguments: object, user: str = "", status: int = 0) -> None:
    """A call of ``start_job``."""
    detail = {"name": "start_job", "arguments": list(arguments), "node": "n", "method": "m", "results": []}
    bench.event(t, "opcua", "call", device="oven1", user=user, status=status, detail=detail)


def acknowledge(bench: Bench, t: float, active: float, comment: str = "", status: int = 0, user: str = "") -> None:
    """An acknowledgement of ``hot``, active since ``active`` seconds."""
    detail = {"condition": "oven1.hot", "comment": comment, "active_ns": round(active * 1e9)}
    bench.event(t, "opcua", "acknowledge", device="oven1", user=user, status=status, detail=detail)


def confirm(bench: Bench, t: float, active: float) -> None:
    """A confirmation of ``hot``."""
    detail = {"condition": "oven1.hot", "action": "confirm", "active_ns": round(active * 1e9)}
    bench.event(t, "opcua", "condition", device="oven1", detail=detail)


def history(bench: Bench, t: float, tags: list[str], counts: list[int], what: str = "raw", **detail: object) -> None:
    """A read of history."""
    bench.event(t, "opcua", "history-read", tags=tags, values=counts, detail={"what": what, **detail})


def test_a_call_must_have_its_arguments(bench: Bench) -> None:
    """Numbers compare as numbers, null is any, and the nearest call says what it lacked."""
    call(bench, 1, "FLANGE-20", 5, user="operator")
    call(bench, 2, "PLATE-30", 7)
    wanted = {"method": "oven1.start_job"}
    assert bench.judge("opcua.called", **wanted).state is State.PASSED
    assert bench.judge("opcua.called", **wanted, arguments=["FLANGE-20", 5.0], user="operator").evidence == (1,)
    assert bench.judge("opcua.called", **wanted, arguments=["PLATE-30", None]).evidence == (2,)
    outcome = bench.judge("opcua.called", **wanted, arguments=["FLANGE-20", 6])
    assert outcome.state is State.FAILED
    assert "arguments" in outcome.reason["en"]
    assert bench.judge("opcua.called", **wanted, at_least=3).state is State.FAILED
    assert bench.judge("opcua.called", method="oven1.stop").state is State.FAILED
    assert bench.judge("opcua.called", method="meter1.start_job").state is State.FAILED


def test_a_refused_call_counts_only_where_refusal_is_asked(bench: Bench) -> None:
    """A bad result is no call that was done."""
    call(bench, 1, "X", 5, status=BAD)
    wanted = {"method": "oven1.start_job"}
    outcome = bench.judge("opcua.called", **wanted)
    assert outcome.state is State.FAILED
    assert "0x80AF0000" in outcome.reason["en"]
    assert bench.judge("opcua.called", **wanted, result="refused").state is State.PASSED


def test_an_alarm_is_acknowledged_in_time(bench: Bench) -> None:
    """Exactly at the limit passes; a nanosecond later does not."""
    acknowledge(bench, 70, 10, "seen", user="operator")
    wanted = {"alarm": "oven1.hot"}
    assert bench.judge("opcua.acknowledged", **wanted).state is State.PASSED
    assert bench.judge("opcua.acknowledged", **wanted, within="60 s").state is State.PASSED
    late = bench.judge("opcua.acknowledged", **wanted, within=59.999999999)
    assert late.state is State.FAILED
    assert "time" in late.reason["en"]
    assert bench.judge("opcua.acknowledged", **wanted, comment="see.*", user="operator").state is State.PASSED
    assert bench.judge("opcua.acknowledged", **wanted, comment="other").state is State.FAILED
    assert bench.judge("opcua.acknowledged", **wanted, user="").state is State.FAILED
    assert bench.judge("opcua.acknowledged", alarm="oven1.cold").state is State.FAILED


def test_a_refused_acknowledgement_is_none(bench: Bench) -> None:
    """One for an event of an earlier alarm does not count."""
    acknowledge(bench, 1, 0.5, status=0x809A0000)
    outcome = bench.judge("opcua.acknowledged", alarm="oven1.hot")
    assert outcome.state is State.FAILED
    assert outcome.evidence == (1,)


def test_a_confirmation_comes_after_and_for_the_same_alarm(bench: Bench) -> None:
    """A confirmation before it, or of an earlier time the alarm was active, does not count."""
    confirm(bench, 1, 10)
    acknowledge(bench, 12, 10)
    confirm(bench, 13, 5)
    wanted = {"alarm": "oven1.hot", "confirmed": True}
    assert bench.judge("opcua.acknowledged", **wanted).state is State.FAILED


def test_a_confirmed_alarm_passes(bench: Bench) -> None:
    """Acknowledged, then confirmed."""
    acknowledge(bench, 12, 10)
    confirm(bench, 13, 10)
    assert bench.judge("opcua.acknowledged", alarm="oven1.hot", confirmed=True).state is State.PASSED


def test_history_counts_over_pages(bench: Bench) -> None:
    """Values of several reads of the right kind add up, tag by tag."""
    tags = ["oven1.temp", "oven1.setpoint"]
    history(bench, 1, tags, [100, 3], **{"from": 0, "to": 60_000_000_000})
    history(bench, 2, ["oven1.temp"], [50], **{"from": 0, "to": 60_000_000_000})
    assert bench.judge("opcua.history-read", tags=tags).state is State.PASSED
    assert bench.judge("opcua.history-read", tags=tags, values=150).score == 0.5
    assert bench.judge("opcua.history-read", tags=["oven1.temp"], values=150, span="1 min").state is State.PASSED
    assert bench.judge("opcua.history-read", tags=["oven1.temp"], span=60.1).state is State.FAILED
    assert bench.judge("opcua.history-read", tags=["meter1.power"]).state is State.FAILED


def test_history_of_the_right_kind(bench: Bench) -> None:
    """A raw read is no aggregate; an open end has no span; backwards is as good."""
    history(bench, 1, ["oven1.temp"], [5], "processed", aggregate="Average", **{"from": 9_000_000_000, "to": 0})
    history(bench, 2, ["oven1.setpoint"], [5], "raw", **{"from": 0})
    wanted = {"tags": ["oven1.temp"], "what": "processed"}
    assert bench.judge("opcua.history-read", **wanted, aggregate="Average", span=9).state is State.PASSED
    assert bench.judge("opcua.history-read", **wanted, aggregate="Maximum").state is State.FAILED
    assert bench.judge("opcua.history-read", tags=["oven1.setpoint"], what="processed").state is State.FAILED
    assert bench.judge("opcua.history-read", tags=["oven1.setpoint"], span=1).state is State.FAILED


def test_a_method_of_the_server_itself(bench: Bench) -> None:
    """It has no device: it is known by the node of the method, as the object or its type has it."""
    for t, node in ((1, "i=12737"), (2, "i=13737")):
        bench.event(t, "opcua", "call", user="admin", detail={"node": "i=12637", "method": node, "arguments": []})
    assert bench.judge("opcua.called", standard="CreateSigningRequest", user="admin").evidence == (1,)
    assert bench.judge("opcua.called", standard="UpdateCertificate").evidence == (2,)
    assert "ApplyChanges was never called" in bench.judge("opcua.called", standard="ApplyChanges").reason["en"]


@pytest.mark.parametrize(
    ("params", "state"),
    [
        ({"action": "shelve"}, State.PASSED),
        ({"action": "shelve", "for": "10 min"}, State.PASSED),
        ({"action": "shelve", "for": "11 min"}, State.FAILED),
        ({"action": "shelve", "user": "guest"}, State.FAILED),
        ({"action": "unshelve"}, State.FAILED),
        ({"action": "disable"}, State.FAILED),
    ],
)
def test_an_alarm_is_shelved(bench: Bench, params: dict[str, Any], state: State) -> None:
    """The act that is asked for, long enough, by the right user, and taken by the server."""
    about = {"condition": "oven1.hot"}
    bench.event(1, "opcua", "condition", user="op", detail=about | {"action": "shelve", "seconds": 600.0})
    bench.event(2, "opcua", "condition", user="op", status=0x80000000, detail=about | {"action": "disable"})
    outcome = bench.judge("opcua.condition", alarm="oven1.hot", **params)
    assert outcome.state is state
    assert params["action"] != "disable" or "refused by the server: 1" in outcome.reason["en"]


def test_the_events_of_a_device_are_read_from_its_history(bench: Bench) -> None:
    """Pages add up; reads of values and of other devices are none."""
    for t, device, what, count in ((1, "oven1", "events", 3), (2, "oven1", "events", 2), (3, "meter1", "events", 9)):
        bench.event(t, "opcua", "history-read", device=device, detail={"what": what, "counts": [count]})
    asked: dict[str, Any] = {"device": "oven1", "what": "events"}
    assert bench.judge("opcua.history-read", **asked, values=5).evidence == (1, 2)
    assert "5 of 6" in bench.judge("opcua.history-read", **asked, values=6).reason["en"]
    with pytest.raises(ValidationError, match="'device' with 'what: events'"):
        bench.judge("opcua.history-read", device="oven1")
