"""The base of a drive as a device: what clients wrote, in order; how long they have been silent; what it measures."""

from __future__ import annotations

import math

from devices.motor.motor import Plate
from devices.motor.train import Train
from devices.orders import Orders
from labsim.plant.device import Device
from labsim.plant.tags import Tag, Value

GRID_TAU_S, GRID_SIGMA = 60.0, 0.006
STALL_S = 4.0
OVERLOAD = 1.2
"""Heat of the motor, over rated, at which a drive trips."""


class Drive(Device):
    """A device with a `Train`; its interface has the tags that `show` sets.

    A drive looks at its control word every few milliseconds, a step is 100 ms. So `orders` gives what clients wrote since the
    last step in the order in which it came: a word that stood for a moment only has its effect all the same.
    """

    plate: Plate
    compensates = False

    def start(self) -> None:
        """A cold drive on a live grid."""
        self.train = Train(self.plate, compensates=self.compensates)
        self._grid = GRID_SIGMA * float(self.random.standard_normal())
        self._flicker = 0.0
        self._silent = math.inf  # until a client has written once
        self._stalled = 0.0
        self.train.energy = float(self.random.integers(500, 20_000))
        self.written = Orders(self)
        self.show()

    def take(self, tag: Tag, value: Value) -> Value:
        """Takes every write down."""
        self.written.take(tag.name, value)
        return value

    def orders(self) -> list[dict[str, Value]]:
        """What clients wrote since the last step: values by tag, in a new group where a tag is written again."""
        groups: list[dict[str, Value]] = []
        for order in self.written.drain():
            if not groups or order.tag in groups[-1]:
                groups.append({})
            groups[-1][order.tag] = order.value
            self._silent = 0.0 if order.by_client else self._silent
        return groups

    def silent(self, dt: float, limit: float) -> bool:
        """Whether clients that have written once are silent for longer than ``limit`` s (0: never)."""
        self._silent += dt
        return limit > 0 and math.isfinite(self._silent) and self._silent > limit

    def turn(
        self, dt: float, target: float | None, ramp: tuple[float, float], load: float, blocked: bool = False
    ) -> None:
        """Let the train go on; grid and load wander a little."""
        keep = math.exp(-dt / GRID_TAU_S)
        grid, flicker = self.random.standard_normal(2).tolist()
        self._grid = keep * self._grid + math.sqrt(1 - keep * keep) * GRID_SIGMA * min(max(grid, -4.0), 4.0)
        self._flicker += (0.01 * min(max(flicker, -4.0), 4.0) - self._flicker) * 0.3
        self.train.advance(dt, target, ramp, load * (1 + self._flicker), 1 + self._grid, blocked)
        stuck = target is not None and abs(self.train.output) > 0.05 and self.train.standstill
        self._stalled = self._stalled + dt if stuck else 0.0

    @property
    def stalled(self) -> bool:
        """Whether the motor pushes in vain for some seconds."""
        return self._stalled > STALL_S

    @property
    def overloaded(self) -> bool:
        """Whether the motor is too hot."""
        return self.train.motor.heat > OVERLOAD

    def show(self) -> None:
        """Everything that every drive measures."""
        train, motor = self.train, self.train.motor
        self["speed"] = motor.speed
        self["output_frequency"] = abs(train.frequency)
        self["output_voltage"] = train.voltage
        self["dc_voltage"] = train.dc_voltage
        self["current"] = motor.current
        self["torque"] = 100 * motor.torque / train.plate.torque
        self["power"] = train.power
        self["energy"] = train.energy
        self["motor_load"] = 100 * motor.heat
        self["heatsink_temperature"] = float(self.settings["ambient_temperature"]) + train.heatsink
