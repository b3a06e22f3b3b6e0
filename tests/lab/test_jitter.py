from __future__ import annotations

from labsim.lab.jitter import Jitter


def test_a_minute_of_steps_is_one_measure() -> None:
    """The median, the 95th percentile and the worst of 600 steps, then it begins anew."""
    jitter = Jitter(1.0)
    told = [jitter.add(n * 100_000) for n in range(600)]
    assert told[:-1] == [None] * 599
    assert told[-1] == {"steps": 600, "median_ms": 30.0, "p95_ms": 57.0, "worst_ms": 59.9}
    assert jitter.take() is None


def test_what_is_left_at_the_end_is_told() -> None:
    """A step that was early was not late."""
    jitter = Jitter(10.0)
    jitter.add(-5)
    assert jitter.take() == {"steps": 1, "median_ms": 0.0, "p95_ms": 0.0, "worst_ms": 0.0}
