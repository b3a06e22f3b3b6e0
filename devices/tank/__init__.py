"""A tank with a pump, an outlet by gravity and an overflow pipe."""

from __future__ import annotations

import math

from labsim.plant import status
from labsim.plant.device import Device
from labsim.plant.tags import Tag, Value

GRAVITY = 9.81
DISCHARGE = 0.62
"""Discharge coefficient of a sharp-edged orifice (Torricelli)."""
PUMP_TAU_S = 2.0
STOPPED = 0.01
"""Below this part of its flow a pump that was switched off stands."""
WAVE_TAU_S = 1.5
RIPPLE = 0.01
"""Standard deviation of the pump's flow, as a part of it."""
TRIP, RELEASE = 97.0, 95.0


def drop(level: float, opening: float, area: float, dt: float) -> float:
    """How far the level (m) of a tank of ``area`` falls in ``dt`` seconds through ``opening`` (both m²).

    The solution of A dh/dt = -Cd a sqrt(2 g h): the root of the level falls evenly, to 0 and no further.
    """
    root = math.sqrt(level)
    fall = DISCHARGE * opening * math.sqrt(2 * GRAVITY) * dt / (2 * area)
    return level if fall >= root else fall * (2 * root - fall)


class Tank(Device):
    """See README.md of this folder for the model and its sources."""

    def start(self) -> None:
        """A pump that stands still, and liquid up to the setting ``start_level``."""
        self._volume = float(self.settings["start_level"]) / 100 * self._full
        self._pump = 0.0  # part of its flow that the pump gives
        self._wave = self._ripple = 0.0
        self._spilled = 0.0  # since this overflow began
        self._show(0.0, 0.0, 0.0)

    def configured(self, name: str) -> None:
        """What no longer fits a smaller tank is lost with the old one; a new start level fills or empties it."""
        if name == "start_level":
            self._volume = float(self.settings["start_level"]) / 100 * self._full
        if name in ("diameter", "height"):
            self._volume = min(self._volume, self._full)

    @property
    def _area(self) -> float:
        return math.pi / 4 * float(self.settings["diameter"]) ** 2

    @property
    def _full(self) -> float:
        return self._area * float(self.settings["height"])

    @property
    def level(self) -> float:
        """The true level, m."""
        return self._volume / self._area

    def guard(self, tag: Tag, value: Value) -> int:
        """The overfill protection lets nobody start the pump."""
        if tag.name == "pump_command" and value and self["protection_tripped"]:
            return status.BAD_INVALID_STATE
        return status.GOOD

    def step(self, dt: float) -> None:
        """Move pump and valve, then balance what comes in with what goes out."""
        self._protect()
        running = bool(self["pump_command"])
        if running and not self["pump_running"]:
            self["pump_starts"] = int(self["pump_starts"]) + 1
        self["pump_running"] = running
        self["pump_hours"] = float(self["pump_hours"]) + running * dt / 3600
        self._pump += (running - self._pump) * (1 - math.exp(-dt / PUMP_TAU_S))
        if not running and self._pump < STOPPED:
            self._pump = 0.0
        self._move_valve(dt)
        keep = math.exp(-dt / WAVE_TAU_S)
        push = math.sqrt(1 - keep * keep)
        wave, ripple = self.random.standard_normal(2).tolist()
        self._wave = keep * self._wave + push * wave
        self._ripple = keep * self._ripple + push * ripple

        come = float(self.settings["pump_capacity"]) / 3600 * self._pump * max(1 + RIPPLE * self._ripple, 0.0) * dt
        bore = math.pi / 4 * (float(self.settings["outlet_bore"]) / 1000) ** 2
        opening = bore * float(self["valve_position"]) / 100
        filled = self.level + come / 2 / self._area  # half of what comes in flows out with the rest
        gone = min(drop(filled, opening, self._area, dt) * self._area, self._volume + come)
        kept = max(self._volume + come - gone, 0.0)
        self._volume = min(kept, self._full)
        spilled = kept - self._volume
        for name, amount in (("inflow", come), ("outflow", gone), ("overflow", spilled)):
            self[f"{name}_total"] = float(self[f"{name}_total"]) + amount
        self._tell(spilled)
        self._show(come / dt, gone / dt, spilled / dt)

    def _protect(self) -> None:
        """A float switch of its own, so foam does not blind it."""
        percent = 100 * self._volume / self._full
        limit = RELEASE if self["protection_tripped"] else TRIP
        tripped = bool(self.settings["overfill_protection"]) and percent >= limit
        self["protection_tripped"] = tripped
        if tripped:
            self["pump_command"] = False

    def _move_valve(self, dt: float) -> None:
        wanted, here = float(self["valve_setpoint"]), float(self["valve_position"])
        most = 100 * dt / float(self.settings["stroke_time"])
        self["valve_position"] = here + min(max(wanted - here, -most), most)

    def _tell(self, spilled: float) -> None:
        """One event for each overflow, at its end."""
        if spilled:
            self._spilled += spilled
        elif self._spilled:
            self.emit("Overflowed", Volume=round(self._spilled, 3))
            self._spilled = 0.0

    def _show(self, come: float, gone: float, spilled: float) -> None:
        measured = max(self.level + float(self.settings["level_noise"]) / 1000 * self._wave, 0.0)
        height = float(self.settings["height"])
        self["inflow"], self["outflow"], self["overflow"] = 3600 * come, 3600 * gone, 3600 * spilled
        self["overflowing"] = spilled > 0
        names = ("level", "level_percent", "volume")
        if self.settings["echo_loss"]:
            for name in names:
                self.mark(name, status.BAD_SENSOR_FAILURE)
            return
        for name, value in zip(names, (measured, 100 * measured / height, measured * self._area), strict=True):
            self[name] = min(value, float(self.tags[name].high or value))


BEHAVIOUR = Tank
