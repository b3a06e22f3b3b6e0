from __future__ import annotations

from itertools import pairwise

import pytest
from grader_bench import Bench
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from grader.checks import load
from grader.checks.polling import PolledParams, _regular, answered, polls_of
from grader.outcome import State
from labsim.evidence.event import Record
from labsim.evidence.rows import Rows
from labsim.quantity import Tolerance

POLL = {"device": "meter1", "every": "1 s", "within": "20 %", "for": "10 s"}


def poll(bench: Bench, start: float, count: int, every: float = 1.0, requests: int = 1, **fields: object) -> None:
    """Polls at a steady period."""
    for n in range(count):
        for k in range(requests):
            bench.read(start + n * every + k * 0.01, {"meter1.voltage": 230.0}, **fields)  # type: ignore[arg-type]


def test_a_tag_counts_when_a_good_request_held_it(bench: Bench) -> None:
    """Read whole and answered: all of the marks, with the record behind it."""
    bench.read(1, {"meter1.voltage": 230.0, "meter1.power": 4.0})
    outcome = bench.judge("modbus.read", tags=["meter1.voltage", "meter1.power"])
    assert (outcome.state, outcome.score, outcome.evidence) == (State.PASSED, 1, (1,))


def test_each_tag_carries_its_share(bench: Bench) -> None:
    """Half of the tags is half of the marks, and the missing one is named."""
    bench.read(1, {"meter1.voltage": 230.0})
    outcome = bench.judge("modbus.read", tags=["meter1.voltage", "meter1.power"])
    assert (outcome.state, outcome.score) == (State.FAILED, 0.5)
    assert "meter1.power" in outcome.reason["en"]


def test_together_wants_one_request(bench: Bench) -> None:
    """Two requests that hold a tag each are not one that holds both."""
    bench.read(1, {"meter1.voltage": 230.0})
    bench.read(2, {"meter1.power": 4.0})
    both = {"tags": ["meter1.voltage", "meter1.power"]}
    assert bench.judge("modbus.read", **both).score == 1
    assert bench.judge("modbus.read", **both, together=True).score == 0


def test_why_nothing_was_read_is_told_from_what_was_asked(bench: Bench) -> None:
    """An exception, another table and another device are three different reasons."""
    wanted = {"tags": ["meter1.voltage"], "fc": 3}
    bench.event(1, "modbus", "read", device="", status=-1, detail={"unit": 19, "fc": 3})
    bench.read(2, {"oven1.temp": 20.0}, device="oven1")
    bench.read(3, status=2)
    outcome = bench.judge("modbus.read", **wanted)
    assert "exception 02" in outcome.reason["en"]
    assert outcome.actual == "02 ×1"


def test_a_unit_that_nobody_has_is_named(bench: Bench) -> None:
    """Silence is explained by the unit it came from."""
    bench.event(1, "modbus", "read", device="", status=-1, detail={"unit": 19, "fc": 3})
    assert "unit 19" in bench.judge("modbus.read", device="meter1").reason["en"]


def test_another_function_code_does_not_count(bench: Bench) -> None:
    """A read of the input table is none of the holding table."""
    bench.read(1, {"meter1.voltage": 230.0}, fc=4, table="input")
    assert bench.judge("modbus.read", tags=["meter1.voltage"], table="holding").actual == "FC04"
    assert bench.judge("modbus.read", tags=["meter1.voltage"], fc=4).score == 1


def test_without_evidence_everything_fails(bench: Bench) -> None:
    """An untouched lab earns nothing from any Modbus check, and nothing raises."""
    assert bench.judge("modbus.read", device="meter1").state is State.FAILED
    assert bench.judge("modbus.polled", **POLL).state is State.FAILED
    assert bench.judge("modbus.wrote", tag="oven1.setpoint").state is State.FAILED
    assert bench.judge("modbus.exception", device="meter1", code=2).state is State.FAILED


def test_steady_polls_pass(bench: Bench) -> None:
    """Eleven polls make ten periods, which fill ten seconds."""
    poll(bench, 5, 11)
    outcome = bench.judge("modbus.polled", **POLL)
    assert outcome.state is State.PASSED
    assert "00:00:05" in outcome.reason["en"]


@pytest.mark.parametrize(("every", "good"), [(0.8, True), (1.2, True), (0.79, False), (1.21, False)])
def test_the_tolerance_of_a_period_is_the_declared_one(bench: Bench, every: float, good: bool) -> None:
    """20 % of a second is in, a hundredth more is out."""
    poll(bench, 0, 30, every)
    assert (bench.judge("modbus.polled", **POLL).state is State.PASSED) is good


def test_only_the_best_window_counts(bench: Bench) -> None:
    """Bad attempts before and after do not spoil a good stretch."""
    poll(bench, 0, 8, 2.5)
    poll(bench, 30, 11)
    poll(bench, 60, 40, 0.2)
    assert bench.judge("modbus.polled", **POLL).state is State.PASSED


def test_a_gap_weighs_as_long_as_it_lasts(bench: Bench) -> None:
    """One gap of four seconds in twenty is a fifth of the time, though one period of many."""
    poll(bench, 0, 9)
    poll(bench, 12, 9)
    assert bench.judge("modbus.polled", **{**POLL, "for": "20 s"}, share="75 %").state is State.PASSED
    assert bench.judge("modbus.polled", **{**POLL, "for": "20 s"}).state is State.FAILED


def test_too_short_is_told_as_too_short(bench: Bench) -> None:
    """Six good seconds of ten: regular, but not for long enough."""
    poll(bench, 0, 7)
    outcome = bench.judge("modbus.polled", **POLL)
    assert "6 s of 10 s only" in outcome.reason["en"]


def test_too_many_requests_are_told(bench: Bench) -> None:
    """Three requests a poll where two are allowed."""
    poll(bench, 0, 15, requests=3)
    outcome = bench.judge("modbus.polled", **POLL, requests_per_poll=2)
    assert outcome.state is State.FAILED
    assert "3 requests" in outcome.reason["en"]
    assert bench.judge("modbus.polled", **POLL, requests_per_poll=3).state is State.PASSED


def test_polls_that_are_refused_or_miss_a_tag_do_not_count(bench: Bench) -> None:
    """A steady stream of exceptions is no polling; neither is one of the wrong tag."""
    poll(bench, 0, 15)
    assert "meter1.power" in bench.judge("modbus.polled", **POLL, tags=["meter1.power"]).reason["en"]
    assert bench.judge("modbus.polled", **POLL, tags=["meter1.voltage"]).state is State.PASSED


def test_steady_exceptions_are_no_polling(bench: Bench) -> None:
    """Every answer was exception 02."""
    poll(bench, 0, 15, status=2)
    assert bench.judge("modbus.polled", **POLL).state is State.FAILED


@pytest.mark.parametrize(("jitter", "good"), [("200 ms", True), ("190 ms", False), (None, True)])
def test_jitter_is_from_one_period_to_the_next(bench: Bench, jitter: str | None, good: bool) -> None:
    """Periods of 0.9 s and 1.1 s in turn are within 20 %, and 200 ms apart from each other."""
    t = 0.0
    for n in range(30):
        bench.read(t, {"meter1.voltage": 230.0})
        t = round(t + (0.9 if n % 2 else 1.1), 3)
    outcome = bench.judge("modbus.polled", **POLL, jitter=jitter)
    assert (outcome.state is State.PASSED) is good
    assert good or "more than 190 ms" in outcome.reason["en"]


def test_a_break_is_one_fault_and_not_two(bench: Bench) -> None:
    """The period after a gap is compared with no gap."""
    poll(bench, 0, 11)
    poll(bench, 12.5, 11)
    share = {**POLL, "for": "20 s", "share": "87 %", "jitter": "50 ms"}
    assert bench.judge("modbus.polled", **share).state is State.PASSED


def test_polling_another_device_does_not_count(bench: Bench) -> None:
    """The device of the parameters, no other."""
    poll(bench, 0, 15, device="oven1")
    assert bench.judge("modbus.polled", **POLL).state is State.FAILED


def test_polls_must_be_told_apart() -> None:
    """A tolerance of half the period is refused when the scenario is read."""
    with pytest.raises(ValidationError, match="under half"):
        load("modbus.polled").Params.model_validate({**POLL, "within": "50 %"})


def test_an_accepted_write_of_the_value_passes(bench: Bench) -> None:
    """Refused writes and other values do not count; the boundary of the tolerance does."""
    wrote = {"device": "oven1", "tags": ["oven1.setpoint"]}
    bench.event(1, "modbus", "write", **wrote, values=[245.0], status=3)
    bench.event(2, "modbus", "write", **wrote, values=[244.5], detail={"fc": 16})
    wanted = {"tag": "oven1.setpoint", "value": 245}
    assert bench.judge("modbus.wrote", **wrote_params(wanted, 0.5)).evidence == (2,)
    assert bench.judge("modbus.wrote", **wrote_params(wanted, 0.5), fc=6).state is State.FAILED
    outcome = bench.judge("modbus.wrote", **wrote_params(wanted, 0.4))
    assert outcome.state is State.FAILED
    assert (outcome.expected, outcome.actual) == ("245 °C ±0.4 °C", "244.5 °C")


def wrote_params(wanted: dict[str, object], tolerance: float) -> dict[str, object]:
    """Parameters with a tolerance."""
    return {**wanted, "tolerance": tolerance}


def test_refused_writes_say_so(bench: Bench) -> None:
    """A write that only met exceptions is told as refused, with the code."""
    bench.event(1, "modbus", "write", device="oven1", tags=["oven1.setpoint"], values=[245.0], status=3)
    assert bench.judge("modbus.wrote", tag="oven1.setpoint").actual == "0x3"


def test_the_exception_that_was_asked_for_passes(bench: Bench) -> None:
    """Another code does not, and is named; no answer is no exception."""
    bench.read(1, status=3)
    bench.event(1, "modbus", "read", device="meter1", status=-1)
    assert bench.judge("modbus.exception", device="meter1", code=3).state is State.PASSED
    assert bench.judge("modbus.exception", device="meter1", code=2).actual == "03"
    assert bench.judge("modbus.exception", device="oven1", code=3).state is State.FAILED


def test_values_that_belong_together_are_written_together(bench: Bench) -> None:
    """Two writes of one value each are not one write of two."""
    pair = {"tag": "oven1.setpoint", "along": ["meter1.power"]}
    bench.event(1, "modbus", "write", tags=["oven1.setpoint"], values=[20.0], detail={"fc": 6})
    bench.event(2, "modbus", "write", tags=["meter1.power"], values=[4.0], detail={"fc": 6})
    assert bench.judge("modbus.wrote", **pair).state is State.FAILED
    other = Bench(bench.folder.with_name("other"))
    other.event(1, "modbus", "write", tags=["oven1.setpoint", "meter1.power"], values=[20.0, 4.0], detail={"fc": 16})
    assert other.judge("modbus.wrote", **pair, value=20.0, fc=16).state is State.PASSED


@settings(deadline=None)
@given(
    st.lists(
        st.tuples(st.integers(0, 100), st.sampled_from([0, 0, 2]), st.sets(st.sampled_from(["a.x", "a.y"]))), min_size=2
    ),
    st.sampled_from([(), ("a.x",), ("a.x", "a.y")]),
    st.sampled_from([None, 0.1, 0.3]),
)
def test_polls_are_judged_together_as_each_alone(
    sent: list[tuple[int, int, set[str]]], tags: tuple[str, ...], jitter: float | None
) -> None:
    """Which polls were answered whole, and which periods are regular, is what a look at each by itself finds."""
    requests = Rows(
        Record(
            kind="read", protocol="modbus", device="a", status=status, tags=sorted(held), seq=seq, t=t * 10**8, w=0, m=0
        )
        for seq, (t, status, held) in enumerate(sorted(sent, key=lambda each: each[0]), 1)
    )
    params = PolledParams.model_validate({"device": "a", "every": 1, "within": "20 %", "for": 10, "jitter": jitter})
    polls = polls_of(requests, 10**9)
    spans = list(zip(polls.firsts.tolist(), polls.ends.tolist(), strict=True))
    assert [r for first, end in spans for r in requests[first:end]] == requests
    for (first, end), whole in zip(spans, answered(requests, polls, tags), strict=True):
        good = [r for r in requests[first:end] if r.status == 0]
        assert whole == (bool(good) and all(any(tag in r.tags for r in good) for tag in tags))
    periods = [(b - a) / 1e9 for a, b in pairwise(polls.times.tolist())]
    near = [params.within.allows(period, 1) for period in periods]
    steady = [
        jitter is None or index == 0 or not near[index - 1]
        or Tolerance(absolute=jitter).allows(period, periods[index - 1])
        for index, period in enumerate(periods)
    ]  # fmt: skip
    assert _regular(polls, params).tolist() == [good and even for good, even in zip(near, steady, strict=True)]
