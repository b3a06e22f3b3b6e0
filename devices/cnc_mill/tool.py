"""A cutting tool that wears by Taylor's law."""

from __future__ import annotations

import math
from dataclasses import dataclass

TAYLOR_N = 0.25
"""V T^n = C for carbide: 10 % more cutting speed leaves 0.68 of the life."""
FEED_EXPONENT = 1.2
"""Life falls with feed per tooth to this power (extended Taylor)."""
LIMIT_MM = 0.3
"""Flank wear VB at which a tool is worn out."""
LOAD_PER_WEAR = 0.4
"""Spindle load of a worn-out tool over that of a new one, less 1."""


@dataclass(slots=True)
class Tool:
    """One tool: name, its life relative to the setting ``tool_life``, and the part of its life that is used (1 is all)."""

    name: str
    life: float
    used: float = 0.0

    @property
    def flank_mm(self) -> float:
        """Flank wear VB: a quick run-in, a long straight part, a steep end."""
        u = self.used
        return LIMIT_MM * (0.2 * (1 - math.exp(-20 * u)) + 0.55 * u + 0.25 * u**8)

    @property
    def load_factor(self) -> float:
        """Spindle load relative to that of a new tool."""
        return 1 + LOAD_PER_WEAR * self.used

    @property
    def worn_out(self) -> bool:
        """Whether its life is over."""
        return self.used >= 1

    def cut(self, seconds: float, life_min: float, speed: float, feed: float) -> None:
        """Wear by ``seconds`` of cutting at ``speed`` and ``feed`` relative to the program; ``life_min`` as set."""
        if seconds <= 0 or speed <= 0:
            return
        rate = speed ** (1 / TAYLOR_N) * (feed / speed) ** FEED_EXPONENT
        self.used += seconds * rate / (life_min * self.life * 60)


def tools() -> dict[int, Tool]:
    """The new tools of the magazine by their number."""
    return {1: Tool("FACE-MILL-63", 1.0), 2: Tool("END-MILL-12", 0.8), 3: Tool("DRILL-8.5", 0.7)}
