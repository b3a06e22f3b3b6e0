"""A Coriolis flow meter in a pipe."""

from __future__ import annotations

import math

from labsim.plant import status
from labsim.plant.device import Device, Process

ORDERS = ("DCBA", "ABCD", "BADC", "CDAB")
"""By the number in register 4915."""
NO_FAULT, EMPTY_PIPE, ABOVE_SCALE = 0, 862, 441
CODES = {NO_FAULT: "", EMPTY_PIPE: "S862", ABOVE_SCALE: "S441"}
EXPANSION_PER_K = 2.1e-4
ZERO_SCALE_M3_S = 0.01
"""The zero error is a part of this flow, 36 m³/h."""
VALVE_TAU_S = 0.8
NOISE = 0.003
EMPTY_NOISE_M3_S = 0.002
TURBULENCE_TAU_S = 0.4
MOST_M3_S = 0.03
_FLOWS = ("mass_flow", "volume_flow", "density")
_PICO = 10**12  # totals are counted in whole millionths of a cubic centimetre, so that no rounding piles up


class FlowMeter(Device):
    """See README.md of this folder for the model and its sources."""

    def start(self) -> None:
        """A pipe that stands still, with the totalizer where the settings put it."""
        self._open = 0.0 if self.settings["profile"] == "batches" else 1.0
        self._flow = 0.0  # true volume flow, m³/s
        self._noise = self._warmth = 0.0
        self._totals = [0, 0]
        self.configured("total_start")
        self.configured("word_order")
        self._measure(0.0)

    def configured(self, name: str) -> None:
        """Register 4915 shows the byte order; a new start value sets totalizer 1."""
        if name == "word_order":
            self["byte_order"] = ORDERS.index(str(self.settings["word_order"]))
        if name == "total_start":
            self._totals[0] = round(float(self.settings["total_start"]) * _PICO)

    def run(self) -> Process:
        """Batches: open for a while, closed for a shorter while."""
        while True:
            yield self.wait(float(self.random.uniform(5.0, 20.0)))
            self._open = 1.0
            yield self.wait(float(self.random.uniform(20.0, 60.0)))
            self._open = 0.0

    def step(self, dt: float) -> None:
        """Carry out commands, then let the liquid flow and measure."""
        order = ORDERS[int(self["byte_order"])]
        if order != self.settings["word_order"]:
            self.configure("word_order", order)
        for index in (0, 1):
            if self[f"reset_total_{index + 1}"]:
                self[f"reset_total_{index + 1}"] = False
                self._totals[index] = 0
        wanted = float(self.settings["flow"]) / 3600
        if self.settings["profile"] == "batches":
            wanted *= self._open
        elif self.settings["profile"] == "reverse":
            wanted = -wanted
        if self.settings["pipe"] == "empty":
            wanted = 0.0
        self._flow += (wanted - self._flow) * (1 - math.exp(-dt / VALVE_TAU_S))
        keep = math.exp(-dt / TURBULENCE_TAU_S)
        noise, warmth = self.random.standard_normal(2).tolist()
        self._noise = keep * self._noise + math.sqrt(1 - keep * keep) * noise
        self._warmth += -self._warmth * dt / 120 + 0.6 * math.sqrt(2 * dt / 120) * warmth
        self._measure(dt)

    def _measure(self, dt: float) -> None:
        empty = self.settings["pipe"] == "empty"
        temperature = float(self.settings["temperature"]) + self._warmth
        zero = float(self.settings["zero_error"]) / 100 * ZERO_SCALE_M3_S
        flow = self._flow * (1 + NOISE * self._noise) + zero
        density = float(self.settings["density"]) * (1 - EXPANSION_PER_K * (temperature - 20))
        if empty:  # the tubes swing with hardly any mass: what they seem to measure is noise
            flow, density = EMPTY_NOISE_M3_S * self._noise, 1.2
        flow = min(max(flow, -MOST_M3_S), MOST_M3_S)
        scale = float(self["qmax"])
        if abs(flow) < float(self["low_flow_cutoff"]) * scale:
            flow = 0.0
        detected = empty and bool(self["empty_pipe_detection"])
        if detected:
            flow = 0.0
        self["temperature"] = temperature
        self["mass_flow"], self["volume_flow"], self["density"] = flow * density, flow, density
        above = abs(flow) > scale
        if detected:
            for name in _FLOWS:
                self.mark(name, status.BAD_SENSOR_FAILURE)
        elif above:
            self.mark("volume_flow", status.UNCERTAIN_UNITS_EXCEEDED)
        self["diagnostic_number"] = number = EMPTY_PIPE if detected else ABOVE_SCALE if above else NO_FAULT
        self["diagnostic_text"] = CODES[number]
        self._totals[flow < 0] += round(abs(flow) * dt * _PICO)
        self["total_1"], self["total_2"] = (total / _PICO for total in self._totals)


BEHAVIOUR = FlowMeter
