"""Subscriptions to events over OPC UA."""

from __future__ import annotations

from typing import Any

import pytest
from grader_bench import Bench

from grader.checks.opcua_events import bounds
from grader.outcome import State

ABOVE = [["GreaterThanOrEqual", "Severity", 500]]


def watch(bench: Bench, t: float, where: list[list[Any]], *select: str, device: str = "oven1", queue: int = 10) -> None:
    """A monitored item on events."""
    detail = {"select": list(select), "where": where, "queue": queue, "node": "n", "mode": "Reporting"}
    bench.event(t, "opcua", "subscribe", device=device, detail=detail)


ASKED: dict[str, Any] = {"device": "oven1", "fields": ["Severity", "Message"], "severity": 500, "queue": 10}


def test_nobody_listens(bench: Bench) -> None:
    """Without an item on events there is nothing to judge."""
    outcome = bench.judge("opcua.listened", **ASKED)
    assert (outcome.state, outcome.score) == (State.FAILED, 0)


def test_what_a_filter_lacks_costs_its_share(bench: Bench) -> None:
    """The item that lacks least counts, and what it lacks is named."""
    watch(bench, 1, [], "Severity", "Message")
    watch(bench, 2, [], "Severity", queue=1)
    outcome = bench.judge("opcua.listened", **ASKED)
    assert (outcome.state, round(outcome.score, 3), outcome.evidence) == (State.FAILED, 0.667, (1,))
    assert outcome.reason["en"].endswith("not as asked: severity 0 and above.")


def test_the_filter_that_was_asked_for_passes(bench: Bench) -> None:
    """More fields than asked for do no harm."""
    watch(bench, 1, ABOVE, "Severity", queue=1)
    watch(bench, 2, ABOVE, "EventType", "Severity", "Message")
    outcome = bench.judge("opcua.listened", **ASKED)
    assert (outcome.state, outcome.evidence) == (State.PASSED, (2,))


def test_events_of_another_device_do_not_count(bench: Bench) -> None:
    """With a device only the items on its own events; a monitored value is none."""
    watch(bench, 1, ABOVE, "Severity", device="meter1")
    bench.event(2, "opcua", "subscribe", device="oven1", tags=["oven1.zone1"], detail={"queue": 10})
    assert bench.judge("opcua.listened", device="oven1").state is State.FAILED
    assert bench.judge("opcua.listened").state is State.PASSED


@pytest.mark.parametrize(
    ("where", "found"),
    [
        ([], (0, 1000)),
        (ABOVE, (500, 1000)),
        ([["GreaterThan", "Severity", 499]], (500, 1000)),
        ([["LessThanOrEqual", 500, "Severity"]], (500, 1000)),
        ([["Between", "Severity", 500, 800]], (500, 800)),
        ([["And", "#1", "#2"], ["OfType", "i=2915"], ["GreaterThanOrEqual", "Severity", 500.0]], (500, 1000)),
        ([["Or", "#1", "#1"], ["GreaterThanOrEqual", "Severity", 500]], (0, 1000)),
        ([["And", "#0", "#9"]], (0, 1000)),
        ([["GreaterThan", "Severity", "many"]], (0, 1000)),
    ],
)
def test_severity_of_a_where_clause(where: list[list[Any]], found: tuple[int, int]) -> None:
    """However a client writes it: from the least to the greatest severity that passes."""
    assert bounds(where) == found
