"""What the coupler's terminals are wired to: a belt, a clamp and a lift worked by air."""

from __future__ import annotations

from dataclasses import dataclass

BELT_MOST_M_S = 1.0
LEAST_BAR, FULL_BAR = 3.0, 6.0
"""Air below which a cylinder's spring wins, and at which it takes its stroke time."""
STROKE_S = 0.8
END = 0.02
"""Part of the stroke within which an end switch is on."""
PART_M = 0.2


@dataclass(slots=True)
class Cylinder:
    """A single-acting cylinder: air drives it out, a spring brings it home. ``position`` is 0 to 1."""

    position: float = 0.0

    def advance(self, dt: float, driven: bool, bar: float) -> None:
        """Go on for ``dt`` s."""
        out = driven and bar > LEAST_BAR
        speed = min(bar / FULL_BAR, 1.2) if out else -1.0
        self.position = min(max(self.position + speed * dt / STROKE_S, 0.0), 1.0)

    @property
    def home(self) -> bool:
        """The end switch of the spring's side."""
        return self.position <= END

    @property
    def out(self) -> bool:
        """The end switch of the air's side."""
        return self.position >= 1 - END


class Station:
    """Belt speed in m/s, air in bar, motor temperature in °C, two cylinders, and parts that come along.

    Attributes:
        belt: Speed of the belt.
        air: Pressure behind the regulator.
        motor: Temperature of the belt's motor.
        clamp: The first cylinder; closed it holds the part at the eye and with it the belt's parts.
        lift: The second cylinder.
        parts: Parts that have passed the eye.
    """

    def __init__(self, ambient: float, gap: float) -> None:
        self.belt = self.air = 0.0
        self.motor = ambient
        self.clamp, self.lift = Cylinder(), Cylinder()
        self.parts = 0
        self._ahead = gap  # metres until the next part reaches the eye; negative while it is there

    @property
    def seen(self) -> bool:
        """Whether a part is at the photo eye."""
        return self._ahead <= 0

    def advance(
        self, dt: float, belt: float, bar: float, drives: tuple[bool, bool], ambient: float, gap: float
    ) -> bool:
        """Go on for ``dt`` s; whether a part has passed, after which the next is ``gap`` m away."""
        self.belt += (belt - self.belt) * min(dt / 0.3, 1.0)
        self.belt = self.belt if self.belt > 1e-3 else 0.0
        self.air += (bar - self.air) * min(dt / 0.4, 1.0)
        self.clamp.advance(dt, drives[0], self.air)
        self.lift.advance(dt, drives[1], self.air)
        self.motor += (ambient + 30.0 * self.belt / BELT_MOST_M_S - self.motor) * dt / 600
        if not (self.seen and self.clamp.out):
            self._ahead -= self.belt * dt
        if self._ahead > -PART_M:
            return False
        self._ahead, self.parts = gap, self.parts + 1
        return True
