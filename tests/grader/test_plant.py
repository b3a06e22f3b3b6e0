from __future__ import annotations

import pytest
from grader_bench import Bench
from pydantic import ValidationError

from grader.checks import load
from grader.outcome import State

HELD = {"tag": "oven1.temp", "value": 245, "tolerance": 2, "for": "30 s", "writes": ["oven1.setpoint"]}


def write(bench: Bench, t: float, status: int = 0, protocol: str = "modbus") -> None:
    """A client writes the set-point."""
    bench.event(t, protocol, "write", device="oven1", tags=["oven1.setpoint"], values=[245.0], status=status)


def test_an_untouched_plant_holds_nothing(bench: Bench) -> None:
    """A value that was right from the start is nobody's work."""
    bench.true("oven1.temp", (0, 245.0))
    bench.end = 100
    assert bench.judge("plant.held", **HELD).state is State.FAILED
    assert bench.judge("plant.held", **HELD, after_write=False).state is State.PASSED


@pytest.mark.parametrize(("until", "good"), [(40.0, True), (39.9, False)])
def test_it_holds_for_exactly_as_long_as_asked(bench: Bench, until: float, good: bool) -> None:
    """Thirty seconds from the write are enough, a step less is not; both limits of the tolerance are in."""
    bench.true("oven1.temp", (0, 243.0), (20, 247.0), (until, 247.1))
    write(bench, 10)
    bench.end = 60
    outcome = bench.judge("plant.held", **HELD)
    assert (outcome.state is State.PASSED) is good
    assert outcome.evidence == (1,)


def test_bad_quality_breaks_the_stretch(bench: Bench) -> None:
    """A right number with a bad status is not a value that holds."""
    bench.true("oven1.temp", (0, 245.0), (20, 245.0, 0x808C0000), (21, 245.0))
    write(bench, 0)
    bench.end = 45
    assert bench.judge("plant.held", **HELD).state is State.FAILED
    assert "24 s at most" in bench.judge("plant.held", **HELD).reason["en"]


def test_a_refused_write_is_none(bench: Bench) -> None:
    """An exception does not start the clock."""
    bench.true("oven1.temp", (0, 245.0))
    write(bench, 1, status=3)
    bench.end = 60
    assert "No client wrote" in bench.judge("plant.held", **HELD).reason["en"]


def test_what_never_fitted_says_where_it_stands(bench: Bench) -> None:
    """The last value, with its unit; without a history nothing raises."""
    bench.true("oven1.temp", (0, 20.0))
    write(bench, 1, protocol="opcua")
    bench.end = 60
    assert bench.judge("plant.held", **HELD).actual == "20 °C"
    assert bench.judge("plant.held", **{**HELD, "tag": "meter1.power"}).state is State.FAILED


def test_a_range_may_be_open(bench: Bench) -> None:
    """One limit is enough; NaN is in no range."""
    bench.true("oven1.temp", (0, 245.0), (31, float("nan")))
    bench.end = 100
    only_low = {"tag": "oven1.temp", "low": 245, "for": "31 s", "after_write": False}
    assert bench.judge("plant.held", **only_low).state is State.PASSED
    assert bench.judge("plant.held", **{**only_low, "for": "32 s"}).state is State.FAILED


def test_once_is_enough_for_never(bench: Bench) -> None:
    """A trip of one step fails, with its time and the write before it."""
    bench.true("meter1.alarm", (0, False), (5, True), (5.1, False))
    bench.event(4, "modbus", "write", device="meter1", tags=["meter1.power"], values=[1.0])
    bench.end = 10
    outcome = bench.judge("plant.never", tag="meter1.alarm", value=True)
    assert outcome.state is State.FAILED
    assert "00:00:05.0 UTC" in outcome.reason["en"]
    assert outcome.evidence == (1,)
    assert bench.judge("plant.never", tag="meter1.alarm", value=True, after="5.1 s").state is State.PASSED
    assert bench.judge("plant.never", tag="meter1.power", high=1).state is State.PASSED


def test_a_condition_is_a_value_or_a_range() -> None:
    """Neither and both are refused when the scenario is read."""
    model = load("plant.never").Params
    for wrong in ({}, {"value": 1, "low": 0}, {"low": 2, "high": 1}):
        with pytest.raises(ValidationError):
            model.model_validate({"tag": "a.b", **wrong})


def test_conditions_must_hold_at_the_same_time(bench: Bench) -> None:
    """The temperature held for 30 s, the state for 30 s, both together for 20 s only."""
    bench.true("oven1.temp", (0, 20), (10, 245), (40, 20))
    bench.true("meter1.state", (0, 1), (20, 2), (50, 1))
    bench.end = 60
    asked = {"tag": "oven1.temp", "low": 240, "after_write": False, "also": [{"tag": "meter1.state", "value": 2}]}
    assert bench.judge("plant.held", **asked, **{"for": "20 s"}).state is State.PASSED
    assert bench.judge("plant.held", **asked, **{"for": "25 s"}).state is State.FAILED
