"""How the vehicle moves: it turns on the spot, then drives straight, with limited speed and acceleration."""

from __future__ import annotations

import math
from dataclasses import dataclass

ACCELERATION = 0.5
"""m/s², also for braking."""
TURN_RATE = 0.8
"""rad/s."""
AIM = 0.02
"""rad by which the heading may be off when it drives."""
CREEP = 0.05
"""m/s at the end of a way, so that it ends."""
THERE_M = 0.005


def wrapped(angle: float) -> float:
    """An angle between -pi and pi."""
    return math.atan2(math.sin(angle), math.cos(angle))


@dataclass(slots=True)
class Drive:
    """Position (m), heading (rad) and motion.

    Attributes:
        speed: m/s, ahead.
        turning: rad/s.
        driven: Metres since the start.
        since_node: Metres since the last node.
    """

    x: float
    y: float
    theta: float = 0.0
    speed: float = 0.0
    turning: float = 0.0
    driven: float = 0.0
    since_node: float = 0.0

    @property
    def moving(self) -> bool:
        """Whether it drives or turns."""
        return self.speed > 0 or self.turning != 0

    def distance(self, target: tuple[float, float]) -> float:
        """Metres to a point."""
        return math.hypot(target[0] - self.x, target[1] - self.y)

    def brake(self, dt: float) -> None:
        """Slow down, straight ahead."""
        self.turning = 0.0
        self.speed = max(self.speed - ACCELERATION * dt, 0.0)
        self._ahead(self.speed * dt)

    def approach(self, dt: float, target: tuple[float, float], *, limit: float, further: float) -> bool:
        """Go on towards ``target`` at most at ``limit``, to stand ``further`` metres behind it; whether it is reached."""
        left = self.distance(target)
        if left <= THERE_M:
            self.x, self.y = target
            self.turning = 0.0
            if not further:
                self.speed = 0.0
            return True
        off = wrapped(math.atan2(target[1] - self.y, target[0] - self.x) - self.theta)
        if self.speed == 0 and abs(off) > AIM:
            turn = min(TURN_RATE * dt, abs(off))
            self.turning = math.copysign(turn / dt, off)
            self.theta = wrapped(self.theta + math.copysign(turn, off))
            return False
        self.turning = 0.0
        self.theta = wrapped(self.theta + off)
        # The speed from which it still comes to a stand, if it brakes from the end of this step on.
        step = ACCELERATION * dt
        still = math.sqrt(step * step / 4 + 2 * ACCELERATION * (left + further)) - step / 2
        self.speed = min(max(min(limit, still), min(CREEP, limit)), self.speed + step)
        self._ahead(min(self.speed * dt, left))
        return False

    def _ahead(self, way: float) -> None:
        self.x += way * math.cos(self.theta)
        self.y += way * math.sin(self.theta)
        self.driven += way
        self.since_node += way
