"""Ramp, inverter and motor as one: what a drive makes of a reference."""

from __future__ import annotations

import math

from devices.motor.motor import RAD_S, Motor, Plate

STANDSTILL = 0.005
"""Relative speed below which a motor counts as standing."""
DC_PER_AC = 1.35


class Train:
    """A motor on an inverter.

    Speeds are relative: 1 is the synchronous speed of the plate.

    Args:
        plate: The motor.
        compensates: The inverter adds the slip, so that the speed and not only the frequency is what was asked for.

    Attributes:
        output: Where the ramp stands.
        frequency: Output frequency in Hz, negative backwards.
        voltage: Output voltage in V.
        dc_voltage: Voltage of the link in V.
        power: Power taken by the motor in kW, negative while it brakes.
        heatsink: Temperature over ambient in K.
        energy: Taken from the grid, kWh.
    """

    def __init__(self, plate: Plate, *, compensates: bool) -> None:
        self.plate, self.motor, self._compensates = plate, Motor(plate), compensates
        self.output = self.frequency = self.voltage = self.power = self.heatsink = self.energy = 0.0
        self.dc_voltage = DC_PER_AC * plate.voltage
        self._powered = False

    @property
    def speed(self) -> float:
        """Relative speed of the shaft."""
        return self.motor.speed / self.plate.synchronous

    @property
    def standstill(self) -> bool:
        """Whether the shaft stands."""
        return abs(self.speed) < STANDSTILL

    @property
    def load_kw(self) -> float:
        """Mechanical power in kW."""
        return self.motor.torque * self.motor.speed * RAD_S / 1000

    def advance(
        self,
        dt: float,
        target: float | None,
        ramp: tuple[float, float],
        load: float,
        grid: float,
        blocked: bool = False,
    ) -> None:
        """Go on for ``dt`` s towards ``target`` (None: no current, the shaft coasts).

        Args:
            dt: Seconds.
            target: Relative speed asked for.
            ramp: Seconds from 0 to 1 and from 1 to 0.
            load: Torque of the load in N·m.
            grid: Grid voltage over its nominal value.
            blocked: The shaft is stuck.
        """
        if target is None:
            self.output, field = 0.0, None
        else:
            if not self._powered:
                self.output = self.speed  # a flying start catches the shaft where it is
            self._ramp(dt, target, ramp)
            field = self.output * self.plate.synchronous + (self.motor.slip if self._compensates else 0.0)
            field = field if self.output or not self.standstill else 0.0
        self._powered = target is not None
        self.motor.advance(dt, field, load, blocked)
        self._electrics(dt, field, grid)

    def _ramp(self, dt: float, target: float, ramp: tuple[float, float]) -> None:
        """Away from zero with the first time, towards it with the second; through zero it does both."""
        away = abs(target) > abs(self.output) and target * self.output >= 0
        seconds = ramp[0] if away else ramp[1]
        goal = target if target * self.output >= 0 else 0.0
        most = dt / max(seconds, dt)
        self.output += min(max(goal - self.output, -most), most)

    def _electrics(self, dt: float, field: float | None, grid: float) -> None:
        plate, motor = self.plate, self.motor
        if field is None:
            self.frequency = self.voltage = self.power = 0.0
        else:
            self.frequency = field / plate.synchronous * plate.frequency
            self.voltage = plate.voltage * min(0.03 + 0.97 * abs(self.frequency) / plate.frequency, 1.0)
            losses = plate.power * (
                0.04 * abs(self.frequency) / plate.frequency + 0.08 * (motor.current / plate.current) ** 2
            )
            self.power = self.load_kw + losses
        taken = self.power / plate.power
        self.dc_voltage = DC_PER_AC * plate.voltage * grid * (1 - (0.02 if taken >= 0 else 0.2) * max(taken, -1.5))
        warm = 35.0 * (motor.current / plate.current) ** 2
        self.heatsink += (warm - self.heatsink) * (1 - math.exp(-dt / 150.0))
        self.energy += (max(self.power, 0.0) + 0.03) * dt / 3600
