from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import pytest
from grader_bench import Bench
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from grader.checks import load
from grader.checks.modbus_exceptions import ExceptionsParams, _best
from grader.outcome import State
from labsim.evidence.event import Record
from labsim.evidence.evidence import Evidence
from labsim.evidence.rows import Rows


def requests(bench: Bench, start: float, count: int, wrong: int, every: float = 0.1, status: int = 2) -> None:
    """A stretch of requests, of which the first go wrong."""
    for n in range(count):
        bench.read(start + n * every, status=status if n < wrong else 0)


@pytest.mark.parametrize(("limit", "good"), [("5 %", True), ("4.9 %", False), ("0 %", False), (0.05, True)])
def test_the_share_is_exactly_the_declared_one(bench: Bench, limit: object, good: bool) -> None:
    """Five of a hundred are 5 %, the limit included."""
    requests(bench, 0, 100, 5)
    outcome = bench.judge("modbus.exceptions", device="meter1", at_most=limit)
    assert (outcome.state is State.PASSED) is good
    assert outcome.actual["en"].startswith("5 %")  # type: ignore[index,union-attr] # a text here
    assert "02 ×5" in outcome.actual["en"]  # type: ignore[index,union-attr] # a text here


def test_the_rate_is_by_the_minute(bench: Bench) -> None:
    """Six in two minutes are three a minute; a burst in a few seconds is counted as one minute."""
    requests(bench, 0, 121, 6, every=1)
    assert bench.judge("modbus.exceptions", device="meter1", per_minute=3).state is State.PASSED
    assert bench.judge("modbus.exceptions", device="meter1", per_minute=2.9).state is State.FAILED
    burst = Bench(bench.folder.with_name("burst"))
    requests(burst, 0, 30, 2)
    assert burst.judge("modbus.exceptions", device="meter1", per_minute=2).state is State.PASSED


def test_a_trainee_may_explore_first(bench: Bench) -> None:
    """With a window the best stretch counts; over the whole attempt it does not pass."""
    requests(bench, 0, 50, 50)
    requests(bench, 20, 200, 0)
    bench.end = 60
    strict = {"device": "meter1", "at_most": "0 %"}
    assert bench.judge("modbus.exceptions", **strict).state is State.FAILED
    assert bench.judge("modbus.exceptions", **strict, **{"for": "15 s"}).state is State.PASSED
    assert bench.judge("modbus.exceptions", **strict, **{"for": "15 s"}, at_least=201).state is State.FAILED


def test_a_window_lies_wholly_inside_the_attempt(bench: Bench) -> None:
    """A good minute that has lasted ten seconds is none yet."""
    requests(bench, 0, 100, 0)
    bench.end = 10
    window = {"device": "meter1", "at_most": "0 %", "for": "60 s"}
    assert "No stretch of 60 s" in bench.judge("modbus.exceptions", **window).reason["en"]


def test_silence_is_an_error_too_and_codes_can_be_chosen(bench: Bench) -> None:
    """No answer counts, also that of a unit that nobody has; with codes only those count."""
    requests(bench, 0, 30, 0)
    for t in range(3):
        bench.event(t, "modbus", "read", device="", status=-1, detail={"unit": 9, "fc": 3})
    assert "3 of 33" in bench.judge("modbus.exceptions", at_most="1 %").reason["en"]
    assert bench.judge("modbus.exceptions", at_most="1 %", codes=[2]).state is State.PASSED
    assert bench.judge("modbus.exceptions", device="meter1", at_most="1 %").state is State.PASSED


def test_nothing_done_is_nothing_earned(bench: Bench) -> None:
    """Without requests there is no share of them."""
    assert bench.judge("modbus.exceptions", device="meter1", at_most="5 %").state is State.FAILED
    few = Bench(bench.folder.with_name("few"))
    requests(few, 0, 19, 0)
    assert "19 of the 20" in few.judge("modbus.exceptions", device="meter1", at_most="5 %").reason["en"]


def test_a_limit_must_be_given() -> None:
    """Neither share nor rate is no check; a share is 0 to 100 %."""
    for wrong in ({}, {"at_most": "101 %"}, {"at_most": -0.1}, {"at_most": True}, {"per_minute": -1}):
        with pytest.raises(ValidationError):
            load("modbus.exceptions").Params.model_validate({"device": "meter1", **wrong})


@settings(deadline=None)
@given(st.lists(st.tuples(st.integers(0, 40), st.sampled_from([0, 0, 2, 3, -1])), min_size=1, max_size=30), st.data())
def test_the_best_stretch_is_that_of_a_look_at_each(sent: list[tuple[int, int]], data: st.DataObject) -> None:
    """The smallest share, then the most requests, then the first: as when every stretch is looked at by itself."""
    asked: dict[str, Any] = {
        "at_most": 0.5,
        "for": data.draw(st.integers(1, 50)),
        "at_least": data.draw(st.integers(1, 5)),
    }
    params = ExceptionsParams.model_validate({**asked, "codes": data.draw(st.sampled_from([(), (2,), (3, 4)]))})
    second, end = 10**9, data.draw(st.integers(0, 45)) * 10**9
    requests = Rows(
        Record(kind="read", protocol="modbus", status=status, seq=seq, t=t * second, w=0, m=0)
        for seq, (t, status) in enumerate(sorted(sent, key=lambda each: each[0]), 1)
    )
    found = []
    for first, request in enumerate(requests):
        until = request.t + round((params.lasting or 0) * second)
        inside = [r for r in requests[first:] if r.t <= until]
        wrong = sum(r.status in params.codes if params.codes else r.status != 0 for r in inside)
        if until <= end and len(inside) >= params.at_least:
            found.append((wrong / len(inside), -len(inside), first, wrong))
    best = _best(cast(Evidence, SimpleNamespace(end_ns=end)), params, requests)
    got = None if best is None else (best.share, best.first - best.end, best.first, best.wrong)
    assert got == min(found, default=None)
