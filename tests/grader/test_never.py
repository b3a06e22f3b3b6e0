from __future__ import annotations

from typing import Any

import pytest
from grader_bench import Bench
from pydantic import ValidationError

from grader.checks import load
from grader.outcome import State

RANGE = {"device": "oven1", "table": "holding", "first": 100, "last": 109}


def write(bench: Bench, t: float, *, status: int = 0, **detail: Any) -> None:
    """A write of the setpoint."""
    where = {"unit": 3, "fc": 6, "table": "holding", "address": 10, "count": 1, **detail}
    bench.event(
        t, "modbus", "write", device="oven1", tags=["oven1.setpoint"], values=[1.0], status=status, detail=where
    )


@pytest.mark.parametrize("name", ["modbus.never", "mqtt.never"])
def test_an_untouched_lab_earns_nothing(bench: Bench, name: str) -> None:
    """Who does nothing does no harm, and gets no marks; a penalty takes none either."""
    params: dict[str, Any] = {"tags": ["oven1.setpoint"]} if name == "modbus.never" else {"topics": ["cmd/#"]}
    assert bench.judge(name, **params).state is State.FAILED
    assert bench.judge(name, **params, at_least=0).state is State.PASSED


def test_a_write_to_the_tag_fails_and_is_named(bench: Bench) -> None:
    """Tag and time are told; reads do not matter, unless they are forbidden too."""
    bench.read(1, {"oven1.setpoint": 1.0}, device="oven1")
    assert bench.judge("modbus.never", tags=["oven1.setpoint"]).state is State.PASSED
    assert bench.judge("modbus.never", tags=["oven1.setpoint"], action="any").state is State.FAILED
    other = Bench(bench.folder.with_name("other"))
    write(other, 7)
    outcome = other.judge("modbus.never", tags=["oven1.setpoint"])
    assert outcome.reason["en"] == "oven1.setpoint was written at 00:00:07.0 UTC."
    assert outcome.evidence == (1,)


def test_work_on_another_device_is_no_work_here(bench: Bench) -> None:
    """What makes it count is a good request to the device it is about."""
    bench.read(1, {"meter1.voltage": 230.0})
    assert bench.judge("modbus.never", tags=["oven1.setpoint"]).state is State.FAILED


@pytest.mark.parametrize(
    ("address", "count", "hit"), [(99, 1, False), (99, 2, True), (109, 1, True), (110, 5, False), (90, 50, True)]
)
def test_a_range_is_touched_by_any_part_of_a_request(bench: Bench, address: int, count: int, hit: bool) -> None:
    """Both ends belong to it; another table or device does not."""
    bench.read(0, {"oven1.temp": 20.0}, device="oven1")
    write(bench, 1, address=address, count=count)
    write(bench, 2, address=100, table="coil")
    assert (bench.judge("modbus.never", ranges=[RANGE]).state is State.FAILED) is hit


def test_a_refused_write_counts_unless_it_is_said_otherwise(bench: Bench) -> None:
    """Trying the door handle is not forbidden everywhere."""
    bench.read(0, {"oven1.temp": 20.0}, device="oven1")
    write(bench, 1, status=2, address=105)
    assert bench.judge("modbus.never", ranges=[RANGE]).state is State.FAILED
    assert bench.judge("modbus.never", ranges=[RANGE], refused=False).state is State.PASSED


def test_something_must_be_forbidden() -> None:
    """Neither tags nor ranges, or a range that runs backwards, is refused when the scenario is read."""
    for wrong in ({}, {"ranges": [{**RANGE, "first": 200}]}):
        with pytest.raises(ValidationError):
            load("modbus.never").Params.model_validate(wrong)


def subscribe(bench: Bench, t: float, pattern: str, app: str = "gw") -> None:
    """One accepted subscription."""
    bench.event(t, "mqtt", "subscribe", app=app, subject=pattern, detail={"qos": 0, "granted": 0})


def test_a_message_on_a_forbidden_topic_fails(bench: Bench) -> None:
    """Who, where and when are told; the plant's own messages never count, a will does."""
    bench.publish(1, "site/cmd/start", "1", app="plant")
    bench.publish(2, "site/state", "1")
    assert bench.judge("mqtt.never", topics=["site/cmd/#"]).state is State.PASSED
    other = Bench(bench.folder.with_name("other"))
    other.publish(2, "site/cmd/start", "1", will=True)
    outcome = other.judge("mqtt.never", topics=["site/cmd/#"])
    assert outcome.reason["en"] == "gw published on site/cmd/start at 00:00:02.0 UTC."


@pytest.mark.parametrize(
    ("pattern", "hit"),
    [("#", True), ("+/cmd/start", True), ("site/#", True), ("$share/g/site/cmd/+", True), ("site/state", False)],
)
def test_a_subscription_that_would_hear_it_fails(bench: Bench, pattern: str, hit: bool) -> None:
    """Whatever would be sent the forbidden topic is a subscription to it."""
    subscribe(bench, 1, pattern)
    assert (bench.judge("mqtt.never", topics=["site/cmd/#"], action="subscribe").state is State.FAILED) is hit


def test_only_the_clients_that_are_meant_count(bench: Bench) -> None:
    """An explorer that listens to everything is not the gateway."""
    subscribe(bench, 1, "#", app="mqtt-explorer-1")
    bench.publish(2, "site/state", "1", app="gateway-1")
    assert bench.judge("mqtt.never", topics=["#"], action="subscribe", client="gateway-.*").state is State.PASSED
    with pytest.raises(ValidationError, match="regular expression"):
        load("mqtt.never").Params.model_validate({"topics": ["#"], "client": "("})


def test_what_the_broker_refused_counts_unless_it_is_said_otherwise(bench: Bench) -> None:
    """A denied publish was tried all the same."""
    bench.publish(1, "site/state", "1")
    bench.event(2, "mqtt", "deny", app="gw", subject="site/cmd/x", values=["1"], detail={"action": "publish"})
    assert bench.judge("mqtt.never", topics=["site/cmd/#"]).state is State.FAILED
    assert bench.judge("mqtt.never", topics=["site/cmd/#"], refused=False).state is State.PASSED
