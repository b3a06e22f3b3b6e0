"""Quantities that wander about 0, such as the load of a feeder or the voltage of a grid."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np


class Wander:
    """Independent Ornstein-Uhlenbeck processes: each forgets where it was with its own time constant.

    The step is the exact solution (Gillespie, Phys. Rev. E 54 (1996) 2084), so that their spread does not depend on its length.

    Args:
        random: Draws the beginning and every push.
        table: Of each kind its name, time constant in s, standard deviation, and how many there are.
    """

    def __init__(self, random: np.random.Generator, table: Sequence[tuple[str, float, float, int]]) -> None:
        count = [n for *_, n in table]
        self._tau = np.repeat([tau for _, tau, _, _ in table], count)
        self._sigma = np.repeat([sigma for _, _, sigma, _ in table], count)
        self._random = random
        self._at = random.standard_normal(len(self._tau)) * self._sigma
        self._dt = 0.0  # the step that the next two are for
        self._keep = self._push = self._at

    def step(self, dt: float) -> None:
        """Go on by ``dt`` seconds."""
        if dt != self._dt:
            self._dt, self._keep = dt, np.exp(-dt / self._tau)
            self._push = np.sqrt(1 - self._keep**2) * self._sigma
        self._at *= self._keep
        self._at += self._push * self._random.standard_normal(len(self._push))

    def tolist(self) -> list[float]:
        """Where they are, in the order of the table."""
        found: list[float] = self._at.tolist()
        return found
