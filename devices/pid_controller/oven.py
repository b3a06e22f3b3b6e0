"""A heated chamber: first order plus dead time."""

from __future__ import annotations

import math
from collections import deque

STEP_S = 0.1


class Oven:
    """tau dT/dt = -(T - ambient) + K u(t - theta).

    Attributes:
        temperature: In °C.
    """

    def __init__(self, ambient: float) -> None:
        self.temperature = ambient
        self._way: deque[float] = deque([0.0])

    def delay(self, seconds: float) -> None:
        """Change the dead time; what is under way is kept as far as it fits."""
        places = max(round(seconds / STEP_S), 0) + 1
        oldest = self._way[0]
        way = list(self._way)[-places:]
        self._way = deque([oldest] * (places - len(way)) + way)

    def advance(self, dt: float, output: float, gain: float, tau: float, ambient: float) -> None:
        """Go on for ``dt`` s with ``output`` % of heat; ``gain`` in K per %."""
        self._way.append(output)
        delayed = self._way.popleft()
        goal = ambient + gain * delayed
        self.temperature += (goal - self.temperature) * (1 - math.exp(-dt / tau))
