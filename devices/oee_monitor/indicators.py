"""Key performance indicators of a work unit after ISO 22400-2:2014, from times and quantities that were observed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from labsim.plant.flow import TimeClass

LOSSES = {
    TimeClass.IDLE: 1, TimeClass.SETUP: 2, TimeClass.STARVED: 3, TimeClass.BLOCKED: 4, TimeClass.MINOR_STOP: 5,
    TimeClass.DOWN: 6,
}  # fmt: skip
SPEED_LOSS, QUALITY_LOSS = 7, 8


@dataclass(frozen=True, slots=True)
class Indicators:
    """What a unit's time and parts come to.

    Attributes:
        seconds: Time by `TimeClass`; together the time that was observed.
        per_item: Planned run time per item (PRI), seconds.
        produced: Produced quantity (PQ), all parts worked on.
        good: Good quantity (GQ).
    """

    seconds: Sequence[float]
    per_item: float
    produced: int
    good: int

    @property
    def elapsed(self) -> float:
        """All the time that was observed."""
        return sum(self.seconds)

    @property
    def planned_busy(self) -> float:
        """PBT: what was observed less planned stops."""
        return self.elapsed - self.seconds[TimeClass.PLANNED]

    @property
    def production(self) -> float:
        """APT."""
        return self.seconds[TimeClass.PRODUCING]

    @property
    def availability(self) -> float:
        """APT / PBT."""
        return self.production / self.planned_busy if self.planned_busy > 0 else 0.0

    @property
    def effectiveness(self) -> float:
        """PRI x PQ / APT; above 1 when the unit is quicker than planned."""
        return self.per_item * self.produced / self.production if self.production > 0 else 0.0

    @property
    def quality(self) -> float:
        """GQ / PQ."""
        return self.good / self.produced if self.produced else 0.0

    @property
    def oee(self) -> float:
        """Availability x effectiveness x quality rate, which is PRI x GQ / PBT."""
        return self.availability * self.effectiveness * self.quality

    def biggest_loss(self) -> int:
        """The number of the largest loss in seconds of planned busy time; 0 when there is none."""
        lost = {number: self.seconds[kind] for kind, number in LOSSES.items()}
        lost[SPEED_LOSS] = self.production - self.per_item * self.produced
        lost[QUALITY_LOSS] = self.per_item * (self.produced - self.good)
        number, seconds = max(lost.items(), key=lambda item: item[1])
        return number if seconds > 0 else 0
