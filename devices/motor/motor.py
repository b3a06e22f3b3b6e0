"""An induction motor on an inverter: slip, torque, current and heat."""

from __future__ import annotations

import math
from dataclasses import dataclass

RAD_S = math.tau / 60
"""Radians per second in one revolution per minute."""
MAGNETISING = 0.35
"""Current without load over rated current."""
MOST_TORQUE = 1.5
"""The inverter's current limit as a torque, over rated torque."""
LAG_S = 0.05
FRICTION = 0.01
"""Torque of the bearings over rated torque."""
HEAT_TAU_S = 1800.0


@dataclass(frozen=True, slots=True)
class Plate:
    """A motor's nameplate: kW, r/min, synchronous r/min, Hz, V, A, and the inertia of the whole shaft in kg m²."""

    power: float
    speed: float
    synchronous: float
    frequency: float
    voltage: float
    current: float
    inertia: float

    @property
    def torque(self) -> float:
        """Rated torque in N·m."""
        return self.power * 1000 / (self.speed * RAD_S)


class Motor:
    """The state of one motor.

    Attributes:
        speed: r/min, negative backwards.
        torque: N·m at the shaft, of the motor.
        current: A, effective.
        heat: Heat in its windings over that at rated load (1 is rated; first order in the square of the current).
    """

    def __init__(self, plate: Plate) -> None:
        self.plate = plate
        self.speed = self.torque = self.current = self.heat = 0.0

    @property
    def slip(self) -> float:
        """Slip at the present torque in r/min."""
        return (self.plate.synchronous - self.plate.speed) * self.torque / self.plate.torque

    def advance(self, dt: float, field: float | None, load: float, blocked: bool = False) -> None:
        """Go on for ``dt`` s under a field that turns with ``field`` r/min (None: no current), against ``load`` N·m."""
        plate, most = self.plate, MOST_TORQUE * self.plate.torque
        load = math.copysign(load + FRICTION * plate.torque, self.speed or field or 1.0)
        if blocked:
            self.speed = 0.0
            slips = (field or 0.0) / (plate.synchronous - plate.speed)
            self.torque = min(max(slips * plate.torque, -most), most)
        elif field is None:
            self.torque = 0.0
            slower = self.speed - load / plate.inertia / RAD_S * dt
            self.speed = slower if slower * self.speed > 0 and abs(slower) > 0.2 else 0.0
        elif not field and not self.speed:
            self.torque = 0.0
        else:
            settled = field - (plate.synchronous - plate.speed) * load / plate.torque
            settled = settled if settled * field > 0 else 0.0  # too little slip yet to break the load away
            faster = self.speed + (settled - self.speed) * (1 - math.exp(-dt / LAG_S))
            torque = load + plate.inertia * (faster - self.speed) * RAD_S / dt
            if abs(torque) > most:
                torque = math.copysign(most, torque)
                faster = self.speed + (torque - load) / plate.inertia / RAD_S * dt
                if faster * self.speed < 0 and faster * field <= 0:
                    faster = 0.0  # the load brakes, it does not turn the shaft round
            self.speed, self.torque = (faster, torque) if abs(faster) > 0.2 or field else (0.0, 0.0)
        share = self.torque / plate.torque
        flowing = field is not None
        self.current = plate.current * math.sqrt(MAGNETISING**2 + (1 - MAGNETISING**2) * share**2) if flowing else 0.0
        self.heat += ((self.current / plate.current) ** 2 - self.heat) * (1 - math.exp(-dt / HEAT_TAU_S))
