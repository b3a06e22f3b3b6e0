"""Marks that nobody can reach are told where they stand."""

from __future__ import annotations

import pytest

NEVER = "- plant.never: {tag: mill1.tripped, marks: 2.5, id: calm}"
POLLED = "- modbus.polled: {device: meter1, every: 1 s, within: 20 %, for: 3 min, marks: 4}"


def test_a_check_that_waits_for_a_task_that_waits_for_its_own(told):
    """The circle goes over a check and a task; neither the checks nor the tasks alone have one."""
    problems = told((POLLED, POLLED.replace("marks: 4", "marks: 4, depends: [calm]")))
    assert problems == [("dependency-cycle", "[calm]}")]


@pytest.mark.parametrize("own", ["decode.1", "decode.2"])
def test_a_check_that_waits_for_itself(told, own):
    """Directly, or by way of another check of its task."""
    problems = told((POLLED, POLLED.replace("marks: 4", f"marks: 4, depends: [{own}]")))
    assert [code for code, _ in problems] == ["dependency-cycle"]


def test_an_answer_nobody_is_asked_for(told):
    """An ``answer`` check of a task without a question cannot be passed; one that asks can."""
    assert told((NEVER, "- answer: {equals: 5, marks: 2.5}")) == [
        ("unreachable-marks", "answer: {equals: 5, marks: 2.5}")
    ]
    question = "answer: {en: How many?, zh-Hant: 多少？, zh-Hans: 多少？}"
    assert (
        told((NEVER, "- answer: {equals: 5, marks: 2.5}"), ("    marks: 2.5\n", f"    marks: 2.5\n    {question}\n"))
        == []
    )


def test_an_answer_to_a_task_that_is_not_there(told):
    """The task of an ``answer`` check is one of the scenario."""
    problems = told((NEVER, "- answer: {equals: 5, task: decod, marks: 2.5}"))
    assert problems == [("unknown-dependency", "decod, marks: 2.5}")]


def test_a_window_longer_than_the_lab(told):
    """Nobody can poll for an hour in a lab of 45 minutes; for 45 minutes one can."""
    assert told(("for: 3 min", "for: 1 h")) == [("unreachable-marks", "1 h, marks: 4}")]
    assert told(("for: 3 min", "for: 45 min")) == []
