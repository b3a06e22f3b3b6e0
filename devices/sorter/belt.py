"""Cartons on the belt of a sorter: where each one is, and that none runs into another."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from labsim.plant.flow import Part

CARTON_M, GAP_M = 0.4, 0.3
"""Length of a carton, and what is kept between two at least."""
PITCH_M = CARTON_M + GAP_M
SCAN_M = 2.0
DIVERTS_M = (4.0, 6.0, 8.0, 10.0)
REJECT_M = 12.0
RETURN_M = 22.0
"""The way back ends here, where the induction begins anew."""
ZONES = 6
ZONE_M = REJECT_M / ZONES


@dataclass(slots=True, eq=False)
class Carton:
    """A part on the belt.

    Attributes:
        part: What it is.
        place: Of its front edge, m from the induction.
        lane: Where it is to go; 0 while nobody knows.
        missed: Its diverter missed it, so the next one takes it.
        rounds: How often it has come back.
    """

    part: Part
    place: float = 0.0
    lane: int = 0
    missed: bool = False
    rounds: int = 0


@dataclass(slots=True)
class Belt:
    """All cartons, the foremost first."""

    cartons: list[Carton] = field(default_factory=list)
    stuck: Carton | None = None

    @property
    def room(self) -> bool:
        """Whether a carton fits in at the induction."""
        return not self.cartons or self.cartons[-1].place >= PITCH_M

    def add(self, carton: Carton) -> None:
        """Put a carton on the belt at its beginning."""
        carton.place = 0.0
        self.cartons.append(carton)

    def advance(self, way: float) -> Iterator[tuple[Carton, float]]:
        """Move all, each with where it was; one that would touch the next waits behind it."""
        limit = RETURN_M
        for carton in list(self.cartons):
            before = carton.place
            if carton is not self.stuck:
                carton.place = max(min(before + way, limit), before)
            limit = carton.place - PITCH_M
            yield carton, before

    def remove(self, carton: Carton) -> None:
        """Take a carton off."""
        self.cartons.remove(carton)
        if self.stuck is carton:
            self.stuck = None

    def covers(self, place: float) -> bool:
        """Whether a carton is before a photo-eye."""
        return any(place <= carton.place <= place + CARTON_M for carton in self.cartons)

    def zones(self) -> list[int]:
        """Cartons in each zone of the sorting way."""
        found = [0] * ZONES
        for carton in self.cartons:
            if carton.place < REJECT_M:
                found[int(carton.place / ZONE_M)] += 1
        return found
