"""A belt conveyor: a load of nearly constant torque."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Belt:
    """Torque by friction of the empty belt and of what lies on it, in N·m at the motor.

    Attributes:
        empty: Torque of the empty belt.
        loaded: What the full load adds.
        viscous: What rated speed adds, as a part of the rest.
        metres: Belt speed in m/s at rated speed.
    """

    empty: float
    loaded: float
    viscous: float
    metres: float

    def torque(self, speed: float, load: float) -> float:
        """Torque at relative ``speed`` with ``load`` 0 to 1 and more."""
        return (self.empty + self.loaded * load) * (1 + self.viscous * abs(speed))
