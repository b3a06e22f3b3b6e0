"""A remote I/O module on Ethernet, wired to a sump with a pump."""

from __future__ import annotations

import math

from devices.orders import Orders
from devices.remote_io.channel import BURN_OUT, FULL, RANGES, Channel
from devices.remote_io.sump import HEIGHT_M, PUMP_M3_H, Sump
from labsim.plant import status
from labsim.plant.device import Device, Process
from labsim.plant.tags import Tag, Value

ANALOGUE, INPUTS, OUTPUTS, COUNTERS = 4, 6, 4, 2
HIGH_FLOAT_M, LOW_FLOAT_M = 1.6, 0.2
LITRES_PER_EDGE = 5.0
"""The flow meter's pulse output changes every 5 l: one pulse is 10 l."""
FEEDBACK_S = 0.3
COUNT_MOST = 2**32
WAVE_M, FLICKER = 0.004, 0.002


class RemoteIo(Device):
    """See README.md of this folder for the model and its sources."""

    def start(self) -> None:
        """A half empty sump, outputs off."""
        self._sump = Sump(float(self.settings["start_level"]))
        self._channels = [Channel() for _ in range(ANALOGUE)]
        self._outputs = 0
        self._orders = Orders(self)
        self._silent = math.inf
        self._wander = self._contactor_s = self._pump_s = 0.0
        self._water = float(self.settings["water_temperature"])
        self._door = False
        self._was = [False] * COUNTERS
        for index in range(COUNTERS):
            self[f"counter_{index}"] = int(self.settings["counter_start"])
        self._sense(0.0)
        self._orders.settle()

    def run(self) -> Process:
        """Somebody looks in now and then."""
        while True:
            yield self.wait(float(self.random.exponential(900.0)))
            self._door = True
            yield self.wait(float(self.random.uniform(15.0, 120.0)))
            self._door = False

    def take(self, tag: Tag, value: Value) -> Value:
        """Takes every write down."""
        self._orders.take(tag.name, value)
        return value

    def step(self, dt: float) -> None:
        """Outputs, sump, inputs."""
        self._obey()
        self._watch(dt)
        driven = bool(self._outputs & 1)
        self._contactor_s = self._contactor_s + dt if driven and not self.settings["breaker_tripped"] else 0.0
        pumping = self._contactor_s > FEEDBACK_S
        self._pump_s = self._pump_s + dt if pumping else 0.0
        keep = math.exp(-dt / 60)
        noise = min(max(float(self.random.standard_normal()), -4.0), 4.0)
        self._wander = keep * self._wander + math.sqrt(1 - keep * keep) * 0.25 * noise
        inflow = float(self.settings["inflow"]) * max(1 + self._wander, 0.0)
        self._sump.advance(dt, inflow, pumping)
        self._sense(dt)
        self._orders.settle()

    # Outputs.

    def _obey(self) -> None:
        """Coils and the word of the outputs are the same bits; commands act once."""
        for name, value, by_client in self._orders.drain():
            self._silent = 0.0 if by_client else self._silent
            if name == "do_word":
                self._outputs = int(value)
            elif name.startswith("do_"):
                bit = 1 << int(name[-1])
                self._outputs = self._outputs | bit if value else self._outputs & ~bit
            elif value and name.startswith("counter_") and name.endswith("_clear"):
                self[name[: -len("_clear")]] = 0
            elif value and name.startswith("counter_"):
                pass  # start and overflow flag are read where they stand
            elif value and name.endswith("_max_reset"):
                self._channels[int(name[3])].highest = self._channels[int(name[3])].raw
            elif value and name.endswith("_min_reset"):
                self._channels[int(name[3])].lowest = self._channels[int(name[3])].raw
            if value and (name.endswith(("_reset", "_clear"))):
                self[name] = False

    def _watch(self, dt: float) -> None:
        """Communication safety: without a sign of life the outputs go to their safe values."""
        self._silent += dt
        limit = float(self.settings["safety_timeout"])
        lost = limit > 0 and math.isfinite(self._silent) and self._silent > limit
        if lost and not self["safety_flag"]:
            self._outputs = int(self.settings["safe_outputs"])
        self["safety_flag"] = lost
        self["do_word"] = self._outputs
        for index in range(OUTPUTS):
            self[f"do_{index}"] = bool(self._outputs >> index & 1)

    # Inputs.

    def _sense(self, dt: float) -> None:
        sump, pumping = self._sump, self._pump_s > 0
        wave, flicker, thermal = (min(max(x, -4.0), 4.0) for x in self.random.standard_normal(3).tolist())
        self._water += (float(self.settings["water_temperature"]) - self._water) * (1 - math.exp(-dt / 1800))
        level = sump.level + WAVE_M * wave
        amperes = 0.0
        if pumping:
            loaded = 4.2 if sump.flow > 0.5 * PUMP_M3_H else 2.4
            amperes = (25.0 if self._pump_s < 0.25 else loaded) * (1 + 5 * FLICKER * flicker)
        signals: list[float | None] = [
            4 + 16 * level / HEIGHT_M,
            4 + 16 * sump.flow / 10.0 * (1 + FLICKER * flicker),
            min(amperes, 10.5),
            self._water + 0.03 * thermal,
        ]
        if self.settings["level_wiring"] == "open":
            signals[0] = 0.0
        if self.settings["pt100_wiring"] == "open":
            signals[3] = None
        kinds = (str(self.settings["ai_0_range"]), str(self.settings["ai_1_range"]), "0-10 V", "Pt100")
        for index, (signal, kind) in enumerate(zip(signals, kinds, strict=True)):
            self._show(index, signal, kind)
        self._digital(pumping)

    def _show(self, index: int, signal: float | None, kind: str) -> None:
        """One analogue input as all of its registers."""
        channel, span = self._channels[index], RANGES[kind]
        channel.convert(signal, span)
        name = f"ai_{index}"
        broken = bool(channel.state & BURN_OUT)
        code = status.BAD_NOT_CONNECTED if broken else status.GOOD
        value = span.low + (span.high - span.low) * channel.raw / FULL
        self.store.set(self.tags[name].row, value, code)
        self.store.set(self.tags[f"{name}_raw"].row, channel.raw, code)
        self[f"{name}_max"], self[f"{name}_min"] = channel.highest, channel.lowest
        self[f"{name}_status"], self[f"{name}_type"] = channel.state, span.code
        self[f"{name}_burn_out"] = broken
        part = 100 * channel.raw / FULL
        self[f"{name}_high"] = not broken and part > float(self.settings["alarm_high"])
        self[f"{name}_low"] = not broken and part < float(self.settings["alarm_low"])

    def _digital(self, pumping: bool) -> None:
        pulses = bool(int(self._sump.pumped * 1000 / LITRES_PER_EDGE) % 2)
        level = self._sump.level
        states = (level >= HIGH_FLOAT_M, level >= LOW_FLOAT_M, pumping, self._door, pulses, False)
        for index, state in enumerate(states):
            self[f"di_{index}"] = state
        self["di_word"] = sum(1 << index for index, state in enumerate(states) if state)
        for index, state in enumerate((pulses, pumping)):
            if state and not self._was[index] and self[f"counter_{index}_run"]:
                count = int(self[f"counter_{index}"]) + 1
                if count == COUNT_MOST:
                    self[f"counter_{index}_overflow"] = True
                self[f"counter_{index}"] = count % COUNT_MOST
            self._was[index] = state


BEHAVIOUR = RemoteIo
