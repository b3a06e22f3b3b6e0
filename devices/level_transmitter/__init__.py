"""A radar level transmitter over a vessel that is drawn off and filled again."""

from __future__ import annotations

import math

from labsim.plant import status
from labsim.plant.device import Device
from labsim.plant.tags import Tag, Value

ORDERS = ("ABCD", "CDAB", "DCBA", "BADC")
"""By the number in register 3000."""
VESSEL_M2 = 3.1
FILLING_M3_H = 125.0
LOW, HIGH = 0.25, 0.85
"""Parts of the mounting height at which filling begins and ends."""
NOISE_M = 0.001
BLOCKING_M = 0.25
"""Nearer than this the sensor sees nothing of the surface."""
LEAST_SPAN_M = 0.1
_ECHOED = ("level", "distance", "filling", "level_by_setting", "level_big_endian")


class LevelTransmitter(Device):
    """See README.md of this folder for the model and its sources."""

    def start(self) -> None:
        """A vessel that is two thirds full."""
        self._level = float(self.settings["mounting_height"]) * float(self.random.uniform(0.5, 0.7))
        self._distance = float(self.settings["mounting_height"]) - self._level
        self._filling = False
        self._use = 1.0
        self._wave = self._fade = 0.0
        self._temperature = float(self.settings["ambient_temperature"]) + 5.0
        self["adjustment_min"] = float(self.settings["mounting_height"]) - 0.1
        self.configured("word_order")
        self._show()

    def configured(self, name: str) -> None:
        """Register 3000 shows the byte order; a lower vessel holds less."""
        if name == "word_order":
            self["byte_order"] = ORDERS.index(str(self.settings["word_order"]))
        if name == "mounting_height":
            self._level = min(self._level, HIGH * float(self.settings["mounting_height"]))

    def guard(self, tag: Tag, value: Value) -> int:
        """The distance at 0 % is the longer one."""
        low = float(value) if tag.name == "adjustment_min" else float(self["adjustment_min"])
        high = float(value) if tag.name == "adjustment_max" else float(self["adjustment_max"])
        if tag.name in ("adjustment_min", "adjustment_max") and low - high < LEAST_SPAN_M:
            return status.BAD_OUT_OF_RANGE
        return status.GOOD

    def step(self, dt: float) -> None:
        """Move the surface, follow it with the damping."""
        order = ORDERS[int(self["byte_order"])]
        if order != self.settings["word_order"]:
            self.configure("word_order", order)
        height = float(self.settings["mounting_height"])
        push, wave, fade = self.random.standard_normal(3).tolist()
        self._use += (1 - self._use) * dt / 120 + 0.4 * math.sqrt(2 * dt / 120) * push
        flow = -float(self.settings["use"]) * min(max(self._use, 0.0), 2.0)
        self._filling = self._level < (HIGH if self._filling else LOW) * height
        flow += FILLING_M3_H * self._filling
        self._level = min(max(self._level + flow / 3600 / VESSEL_M2 * dt, 0.0), height - BLOCKING_M)
        self._wave += -self._wave * dt / 1.5 + math.sqrt(2 * dt / 1.5) * wave
        self._fade += -self._fade * dt / 5 + math.sqrt(2 * dt / 5) * fade
        damping = float(self.settings["damping"])
        echo = min(max(height - self._level + NOISE_M * self._wave, BLOCKING_M), height)
        if not self.settings["echo_loss"]:
            self._distance += (echo - self._distance) * (1 - math.exp(-dt / damping) if damping else 1.0)
        warm = float(self.settings["ambient_temperature"]) + 5.0
        self._temperature += (warm - self._temperature) * (1 - math.exp(-dt / 600))
        self._show()

    def _show(self) -> None:
        self["electronics_temperature"] = self._temperature
        if self.settings["echo_loss"]:
            for name in _ECHOED:
                self.mark(name, status.BAD_SENSOR_FAILURE)
            self["status"], self["echo_amplitude"] = 0b1011, max(9.0 + 2 * self._fade, 0.0)
            return
        level = max(float(self.settings["mounting_height"]) - self._distance, 0.0)
        empty, full = float(self["adjustment_min"]), float(self["adjustment_max"])
        for name in ("level", "level_by_setting", "level_big_endian"):
            self[name] = level
        self["distance"] = self._distance
        self["filling"] = min(max(100 * (empty - self._distance) / (empty - full), -1000.0), 1000.0)
        self["status"] = 0
        self["echo_amplitude"] = min(max(78 - 20 * math.log10(max(self._distance, 0.3)) + 1.5 * self._fade, 0.0), 120.0)


BEHAVIOUR = LevelTransmitter
