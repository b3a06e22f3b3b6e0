"""The arm: six axes that go from pose to pose together, each within its speed."""

from __future__ import annotations

from collections.abc import Sequence

Pose = tuple[float, float, float, float, float, float]

HOME: Pose = (0.0, -70.0, 80.0, 0.0, 60.0, 0.0)
INFEED: Pose = (-90.0, -35.0, 95.0, 0.0, 30.0, 90.0)
OUTFEED: Pose = (95.0, -35.0, 95.0, 0.0, 30.0, -90.0)
MACHINES: tuple[Pose, ...] = (
    (-40.0, -25.0, 60.0, 15.0, 55.0, 0.0),
    (0.0, -20.0, 55.0, 0.0, 55.0, 0.0),
    (40.0, -25.0, 60.0, -15.0, 55.0, 0.0),
)
FASTEST: Pose = (200.0, 175.0, 190.0, 360.0, 360.0, 450.0)
"""Degrees per second."""
WORK_PART = 0.55
"""Loaded and among machines it goes with this part of its speeds."""


class Arm:
    """Axis positions in degrees and the pose they go to.

    Attributes:
        position: Where the axes are.
        speed: How fast each moved in the last step, degrees per second.
    """

    def __init__(self) -> None:
        self.position: list[float] = list(HOME)
        self.speed: list[float] = [0.0] * 6
        self._goal: Pose = HOME

    @property
    def arrived(self) -> bool:
        """Whether it is where it was to go."""
        return all(here == there for here, there in zip(self.position, self._goal, strict=True))

    def go(self, goal: Pose) -> None:
        """Set out for another pose."""
        self._goal = goal

    def at(self, pose: Pose) -> bool:
        """Whether it stands in that pose."""
        return all(here == there for here, there in zip(self.position, pose, strict=True))

    def advance(self, dt: float, override: float, stiff: Sequence[float]) -> None:
        """Go on for ``dt`` s; all axes arrive together. ``stiff`` is what is left of each axis's speed, 1 is all."""
        ways = [there - here for here, there in zip(self.position, self._goal, strict=True)]
        fastest = [most * WORK_PART * override * left for most, left in zip(FASTEST, stiff, strict=True)]
        needed = max((abs(way) / most for way, most in zip(ways, fastest, strict=True)), default=0.0)
        if needed <= dt:
            self.speed = [way / dt for way in ways]
            self.position = list(self._goal)
            return
        self.speed = [way / needed for way in ways]
        self.position = [here + speed * dt for here, speed in zip(self.position, self.speed, strict=True)]
