from __future__ import annotations

from typing import Any

import pytest
from grader_bench import Bench
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from grader.checks import load
from grader.checks.answer import _without_unit
from grader.outcome import State


@pytest.mark.parametrize(
    ("said", "params", "good"),
    [
        ("50 Hz", {"number": 50, "unit": "Hz"}, True),
        ("５０．２", {"number": 50, "unit": "Hz", "tolerance": 0.2}, True),
        (50.3, {"number": 50, "unit": "Hz", "tolerance": 0.2}, False),
        ("50 kHz", {"number": 50, "unit": "Hz"}, False),
        ("fifty", {"number": 50}, False),
        (" cdab ", {"equals": "CDAB"}, True),
        ("word  Swap", {"one_of": ["CDAB", "word swap"]}, True),
        ("ABCD", {"one_of": ["CDAB", "word swap"]}, False),
        ("2", {"equals": 2}, True),
        (True, {"equals": True}, True),
        ("no", {"equals": False}, True),
        ("FC03", {"regex": "(fc)?0?3"}, True),
        ("FC03 or FC04", {"regex": "(fc)?0?3"}, False),
        ([1], {"equals": 1}, False),
        (None, {"number": 1}, False),
    ],
)
def test_answers_are_judged_by_their_kind(bench: Bench, said: Any, params: dict[str, Any], good: bool) -> None:
    """Numbers with units, texts, choices, truth values and patterns."""
    bench.event(1, "lab", "answer", values=[said], detail={"task": "say"})
    outcome = bench.judge("answer", task="say", **params)
    assert (outcome.state is State.PASSED) is good
    assert "CDAB" not in str(outcome.expected)


def test_the_last_answer_to_the_task_counts(bench: Bench) -> None:
    """A right answer to another task and an earlier one do not."""
    bench.event(1, "lab", "answer", values=["1"], detail={"task": "say"})
    bench.event(2, "lab", "answer", values=["2"], detail={"task": "say"})
    bench.event(3, "lab", "answer", values=["1"], detail={"task": "other"})
    assert bench.judge("answer", task="say", equals="1").state is State.FAILED
    assert bench.judge("answer", task="say", equals="2").evidence == (2,)
    assert "no answer" in bench.judge("answer", task="none", equals="2").reason["en"]


@pytest.mark.parametrize(("said", "good"), [("4 kW", True), ("3", False), ("5", False), ("4000 W", False)])
def test_an_answer_about_the_plant_must_be_fresh(bench: Bench, said: str, good: bool) -> None:
    """What was true within the last seconds before the answer, in the tag's unit."""
    bench.true("meter1.power", (0, 3.0), (5, 4.0), (40, 5.0))
    bench.event(30, "lab", "answer", values=[said], detail={"task": "say"})
    bench.end = 60
    params = {"task": "say", "tag": "meter1.power", "age": "20 s"}
    assert (bench.judge("answer", **params).state is State.PASSED) is good


def test_one_kind_of_answer_is_given() -> None:
    """None, two, and a pattern that is none are refused when the scenario is read."""
    model = load("answer").Params
    for wrong in ({}, {"equals": 1, "number": 1}, {"regex": "("}):
        with pytest.raises(ValidationError):
            model.model_validate(wrong)


@given(st.text(max_size=30) | st.integers() | st.none() | st.floats())
def test_a_unit_is_split_off_without_an_error(raw: object) -> None:
    """Whatever is typed."""
    _without_unit(raw, "V")
    _without_unit(raw, None)
