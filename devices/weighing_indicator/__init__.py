"""A platform scale with its indicator."""

from __future__ import annotations

import math
from collections import deque

from labsim.plant import status
from labsim.plant.device import Device, Process
from labsim.plant.tags import Tag, Value

NONE, ZERO, TARE, CLEAR = 0, 1, 2, 3
PLATFORM_HZ, PLATFORM_DAMPING, PLATFORM_PART = 6.0, 0.12, 0.2
"""The empty platform's own frequency and damping; its mass as a part of the capacity."""
SUBSTEPS = 20
ZERO_RANGE = 0.02
"""Part of the capacity within which zero can be set."""
OVER, UNDER = 1.2, -0.2
"""Parts of the capacity at which the converter is at the end of its range."""
NOISE = 0.08
"""Standard deviation of the converter's noise, in divisions."""
STILL_STEPS = 6
"""Stable when this many steps lie within half a division."""
UNSTABLE_BIT, NET_BIT, PRESET_BIT, ZEROED_BIT, CENTRE_BIT, POINT_BIT = 2, 3, 4, 5, 12, 27
_WEIGHTS = ("net", "gross", "net_digits", "gross_digits")


class WeighingIndicator(Device):
    """See README.md of this folder for the model and its sources."""

    def start(self) -> None:
        """An empty platform, zero set."""
        self._load = 0.0  # what stands on the platform, kg
        self._shown = self._speed = 0.0  # what the platform presses on the cell with, kg, and its rate
        self._filtered = self._zero = 0.0
        self._tare = 0  # digits
        self._preset = self._zeroed = self._weighed = False
        self._command = NONE
        self._recent: deque[float] = deque([0.0], STILL_STEPS)
        self._show()

    @property
    def _digit(self) -> float:
        """Weight of the last digit, kg."""
        return float(10.0 ** -int(self.settings["decimals"]))

    @property
    def _division(self) -> int:
        return int(self.settings["division"])

    def _digits(self, weight: float) -> int:
        """A weight rounded to divisions, as a whole number without the decimal point."""
        return round(weight / self._digit / self._division) * self._division

    def configured(self, name: str) -> None:
        """Another resolution loses the tare."""
        if name in ("decimals", "division", "capacity"):
            self._set_tare(0, preset=False)

    def guard(self, tag: Tag, value: Value) -> int:
        """No zero and no tare of a weight that moves, no tare beyond the capacity."""
        if tag.name == "tare_digits":
            fits = float(value) * self._digit <= float(self.settings["capacity"])
            return status.GOOD if fits else status.BAD_OUT_OF_RANGE
        if value == self["command"] or value not in (ZERO, TARE):
            return status.GOOD
        if not self["stable"] or self["error"]:
            return status.BAD_INVALID_STATE
        far = abs(self._filtered) > ZERO_RANGE * float(self.settings["capacity"])
        negative = self._filtered - self._zero < 0
        return status.BAD_INVALID_STATE if (far if value == ZERO else negative) else status.GOOD

    def run(self) -> Process:
        """Somebody puts a load on, waits until it was weighed, and takes it off; with a mean load of 0 nobody comes."""
        while True:
            yield self.wait(float(self.random.exponential(float(self.settings["pause"]))) + 0.5)
            if not self.settings["mean_load"]:
                continue
            part = float(self.settings["mean_load"]) / 100 * float(self.random.uniform(0.6, 1.4))
            self._load = part * float(self.settings["capacity"])
            yield self.wait(float(self.random.uniform(4.0, 9.0)))
            self._load = 0.0

    def step(self, dt: float) -> None:
        """Let the platform swing, filter and round, then do what clients asked for."""
        capacity = float(self.settings["capacity"])
        self._swing(capacity, dt)
        drift = float(self.settings["zero_drift"]) * self._division * self._digit * self.now_s / 3600
        noise = NOISE * self._division * self._digit * float(self.random.standard_normal())
        measured = self._shown + drift + noise
        seconds = float(self.settings["filter"])
        self._filtered += (measured - self._filtered) * (1 - math.exp(-dt / seconds) if seconds else 1.0)
        self._filtered = min(max(self._filtered, UNDER * capacity), OVER * capacity)
        self._recent.append(self._filtered)
        if int(self["tare_digits"]) != self._tare:
            self._set_tare(int(self["tare_digits"]), preset=True)
        command = int(self["command"])
        if command != self._command:
            self._command = command
            self._obey(command)
        self["heartbeat"] = (int(self["heartbeat"]) + 1) % 65536
        self._show()

    def _swing(self, capacity: float, dt: float) -> None:
        """A mass on a spring with a damper: the more stands on it, the slower it swings."""
        omega = 2 * math.pi * PLATFORM_HZ / math.sqrt(1 + self._load / (PLATFORM_PART * capacity))
        h = dt / SUBSTEPS
        for _ in range(SUBSTEPS):
            pull = omega * omega * (self._load - self._shown) - 2 * PLATFORM_DAMPING * omega * self._speed
            self._speed += h * pull
            self._shown += h * self._speed

    def _obey(self, command: int) -> None:
        if command == ZERO:
            self._zero, self._zeroed = self._filtered, True
        elif command == TARE:
            self._set_tare(max(self._digits(self._filtered - self._zero), 0), preset=False)
        elif command == CLEAR:
            self._set_tare(0, preset=False)

    def _set_tare(self, digits: int, *, preset: bool) -> None:
        self._tare, self._preset = digits, preset and digits > 0
        self["tare_digits"] = digits

    def _show(self) -> None:
        capacity, weight = float(self.settings["capacity"]), self._filtered - self._zero
        broken = self.settings["load_cell"] == "broken"
        under = broken or self._filtered <= UNDER * capacity
        over = not broken and self._filtered >= OVER * capacity
        self["error"] = under << 3 | over << 4
        still = max(self._recent) - min(self._recent) <= 0.5 * self._division * self._digit
        self["stable"] = stable = still and len(self._recent) == STILL_STEPS and not (under or over)
        self["tare"] = self._tare * self._digit
        if under or over:
            for name in _WEIGHTS:
                self.mark(name, status.BAD_SENSOR_FAILURE)
        else:
            gross = self._digits(weight)
            for name, digits in (("gross", gross), ("net", gross - self._tare)):
                self[f"{name}_digits"] = digits
                self[name] = round(digits * self._digit, int(self.settings["decimals"]))
        centre = abs(weight) <= self._division * self._digit / 4 and not (under or over)
        self["status"] = (
            (not stable) << UNSTABLE_BIT
            | (self._tare > 0) << NET_BIT
            | self._preset << PRESET_BIT
            | self._zeroed << ZEROED_BIT
            | centre << CENTRE_BIT
            | 1 << POINT_BIT + int(self.settings["decimals"])
        )
        self._count(weight, stable=stable)

    def _count(self, weight: float, *, stable: bool) -> None:
        """One weighing for each load, when it is stable for the first time."""
        large = weight > 20 * self._division * self._digit
        if stable and large and not self._weighed:
            self._weighed = True
            self["weighings"] = int(self["weighings"]) + 1
            self.emit("Weighed", Net=float(self["net"]), Tare=float(self["tare"]))
        self._weighed = self._weighed and large


BEHAVIOUR = WeighingIndicator
