"""Quantities that wander."""

from __future__ import annotations

import numpy as np

from labsim.plant.wander import Wander

TABLE = (("slow", 50.0, 2.0, 1), ("quick", 1.0, 0.5, 2))


def test_spread_does_not_depend_on_the_step() -> None:
    """Each has the standard deviation of its table, whether it goes by small or by large steps."""
    for dt in (0.5, 20.0):
        wander = Wander(np.random.default_rng(1), TABLE)
        seen = []
        for _ in range(20_000):
            wander.step(dt)
            seen.append(wander.tolist())
        assert np.allclose(np.std(seen, axis=0), [2.0, 0.5, 0.5], rtol=0.15)


def test_memory_is_the_time_constant() -> None:
    """After one time constant a value is known to 1/e."""
    wander = Wander(np.random.default_rng(2), (("one", 10.0, 1.0, 4000),))
    before = np.array(wander.tolist())
    for _ in range(100):
        wander.step(0.1)
    assert np.isclose(np.mean(before * np.array(wander.tolist())), np.exp(-1), atol=0.06)


def test_same_draws_give_the_same_walk() -> None:
    """Two of one seed are the same, number by number."""
    one, other = (Wander(np.random.default_rng(3), TABLE) for _ in range(2))
    for wander in (one, other):
        wander.step(0.1)
    assert one.tolist() == other.tolist()
