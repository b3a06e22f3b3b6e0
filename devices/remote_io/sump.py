"""What the module is wired to: a sump that fills and a pump that empties it."""

from __future__ import annotations

AREA_M2, HEIGHT_M = 1.2, 2.0
PUMP_M3_H = 8.0
LEAST_LEVEL_M = 0.05
"""Below it the pump draws air."""


class Sump:
    """Level in m, flow of the pump and what ran over in m³.

    Attributes:
        level: Water level in m.
        flow: What the pump moves in m³/h.
        overflow: What ran over so far in m³.
        pumped: What the pump moved so far in m³.
        entered: What came in so far in m³.
    """

    def __init__(self, level: float) -> None:
        self.level = level
        self.flow = self.overflow = self.pumped = self.entered = 0.0

    def advance(self, dt: float, inflow: float, pumping: bool) -> None:
        """Go on for ``dt`` s with ``inflow`` m³/h."""
        wanted = PUMP_M3_H if pumping and self.level > LEAST_LEVEL_M else 0.0
        self.flow += (wanted - self.flow) * min(dt / 0.5, 1.0)
        self.flow = self.flow if self.flow > 0.01 else 0.0
        into, out = inflow * dt / 3600, min(self.flow * dt / 3600, self.level * AREA_M2)
        level = self.level + (into - out) / AREA_M2
        over = max(level - HEIGHT_M, 0.0)
        self.level = level - over
        self.entered, self.pumped, self.overflow = (
            self.entered + into,
            self.pumped + out,
            self.overflow + over * AREA_M2,
        )
