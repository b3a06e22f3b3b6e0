from __future__ import annotations

import pytest
from grader_bench import Bench
from pydantic import ValidationError

from grader.checks import load
from grader.outcome import State

HERE, THERE = "10.0.0.7:5000", "10.0.0.8:5000"
BACK = {"tag": "oven1.setpoint", "read_back": "2 s"}
FIRST = {"tag": "oven1.setpoint", "permissive": {"tag": "meter1.alarm", "value": False}, "fresh": "3 s"}


def write(bench: Bench, t: float, value: float, client: str = HERE, status: int = 0) -> None:
    """One write of the setpoint."""
    bench.event(
        t, "modbus", "write", client=client, device="oven1", tags=["oven1.setpoint"], values=[value], status=status
    )


def read(bench: Bench, t: float, tag: str, value: object, client: str = HERE) -> None:
    """One good read."""
    bench.event(t, "modbus", "read", client=client, device=tag.partition(".")[0], tags=[tag], values=[value])


@pytest.mark.parametrize(("delay", "good"), [(0.5, True), (2.0, True), (2.1, False)])
def test_a_write_is_read_back_in_time(bench: Bench, delay: float, good: bool) -> None:
    """The limit is in; a reading after it is none."""
    write(bench, 5, 200.0)
    read(bench, 5 + delay, "oven1.setpoint", 200.0)
    outcome = bench.judge("modbus.order", **BACK)
    assert (outcome.state is State.PASSED) is good
    assert good or "oven1.setpoint was not read back within 2 s" in outcome.reason["en"]


def test_every_write_must_be_read_back(bench: Bench) -> None:
    """One write of three that nobody looked after spoils it, and is named."""
    for t in (5, 10, 15):
        write(bench, t, float(t))
        if t != 10:
            read(bench, t + 1, "oven1.setpoint", float(t))
    outcome = bench.judge("modbus.order", **BACK)
    assert outcome.state is State.FAILED
    assert outcome.actual == "2/3"
    assert "00:00:10.0" in outcome.reason["en"]
    assert bench.judge("modbus.order", **BACK, last=1).state is State.PASSED


def test_another_computer_does_not_read_back_for_the_client(bench: Bench) -> None:
    """A screen that polls the setpoint anyway is not the client's care; another port of the same computer is."""
    write(bench, 5, 200.0)
    read(bench, 6, "oven1.setpoint", 200.0, client=THERE)
    assert bench.judge("modbus.order", **BACK).state is State.FAILED
    same = Bench(bench.folder.with_name("same"))
    write(same, 5, 200.0)
    read(same, 6, "oven1.setpoint", 200.0, client="10.0.0.7:5001")
    assert same.judge("modbus.order", **BACK).state is State.PASSED


def test_feedback_may_be_another_tag(bench: Bench) -> None:
    """A command is confirmed by what the machine says, when the scenario asks for that."""
    write(bench, 5, 200.0)
    read(bench, 6, "oven1.setpoint", 200.0)
    assert bench.judge("modbus.order", **BACK, feedback="oven1.temp").state is State.FAILED


@pytest.mark.parametrize(
    ("when", "seen", "fault"),
    [
        (4.0, 0, ""),
        (2.0, 0, ""),
        (1.9, 0, "was not read in the 3 s before it"),
        (4.0, 1, "meter1.alarm was read as 1"),
        (6.0, 0, "was not read"),
    ],
)
def test_a_permissive_is_seen_true_before_the_command(bench: Bench, when: float, seen: int, fault: str) -> None:
    """Fresh, fitting and before: anything else is out of order, and says what."""
    read(bench, when, "meter1.alarm", seen)
    write(bench, 5, 200.0)
    outcome = bench.judge("modbus.order", **FIRST)
    assert (outcome.state is State.PASSED) is (fault == "")
    assert fault in outcome.reason["en"]


def test_the_latest_reading_of_a_permissive_counts(bench: Bench) -> None:
    """It was true, but the client had since seen that it is not."""
    read(bench, 3, "meter1.alarm", 0)
    read(bench, 4, "meter1.alarm", 1)
    write(bench, 5, 200.0)
    assert bench.judge("modbus.order", **FIRST).state is State.FAILED


def test_only_writes_of_the_value_are_commands(bench: Bench) -> None:
    """With a value, other writes need no order, and without one of it there is nothing to pass."""
    write(bench, 5, 100.0)
    write(bench, 8, 200.0)
    read(bench, 9, "oven1.setpoint", 200.0)
    assert bench.judge("modbus.order", **BACK, value=200).state is State.PASSED
    assert bench.judge("modbus.order", **BACK, value=300).state is State.FAILED


def test_refused_writes_and_silence_earn_nothing(bench: Bench) -> None:
    """An untouched lab and one whose device took nothing both fail."""
    write(bench, 5, 200.0, status=3)
    read(bench, 6, "oven1.setpoint", 100.0)
    assert "refused" in bench.judge("modbus.order", **BACK).reason["en"]
    assert Bench(bench.folder.with_name("idle")).judge("modbus.order", **BACK).state is State.FAILED


def test_fewer_writes_than_asked_for_fail(bench: Bench) -> None:
    """Good manners once are not good manners three times."""
    write(bench, 5, 200.0)
    read(bench, 6, "oven1.setpoint", 200.0)
    assert "1 of 3" in bench.judge("modbus.order", **BACK, at_least=3).reason["en"]


def test_an_order_needs_something_to_look_at() -> None:
    """Without read-back and permissive the scenario is refused."""
    with pytest.raises(ValidationError, match="read_back"):
        load("modbus.order").Params.model_validate({"tag": "oven1.setpoint"})
    with pytest.raises(ValidationError, match="at least"):
        load("modbus.order").Params.model_validate({**BACK, "at_least": 3, "last": 2})
