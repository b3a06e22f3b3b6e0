from __future__ import annotations

import pytest
from grader_bench import Bench

from grader.outcome import State


@pytest.mark.parametrize(
    ("p95_ms", "state"), [(0, State.FAILED), (10, State.FAILED), (60, State.PASSED), (900, State.PASSED)]
)
def test_a_period_is_not_judged_finer_than_the_machine_was(bench: Bench, p95_ms: float, state: State) -> None:
    """Periods of 1.15 s, where 1 s ± 10 % is asked: right only where steps were 25 ms late at either end, or more."""
    for n in range(40):
        bench.read(n * 1.15)
    bench.event(20, "lab", "jitter", detail={"steps": 600, "p95_ms": p95_ms})
    asked = {"device": "meter1", "every": "1 s", "within": "10 %", "for": "30 s"}
    assert bench.judge("modbus.polled", **asked).state is state


def test_a_limit_is_at_most_doubled(bench: Bench) -> None:
    """Periods of 1.5 s are wrong on any machine."""
    for n in range(40):
        bench.read(n * 1.5)
    bench.event(20, "lab", "jitter", detail={"steps": 600, "p95_ms": 5000})
    asked = {"device": "meter1", "every": "1 s", "within": "10 %", "for": "30 s"}
    assert bench.judge("modbus.polled", **asked).state is State.FAILED
