"""A three-phase power meter on a low-voltage feeder."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from devices.power_meter.network import MOST_DRAWN, PHASES, Phasors, drawn, solve
from labsim.plant import status
from labsim.plant.device import Device, Process
from labsim.plant.wander import Wander

NOMINAL_V = 230.0
SHEDDABLE = 0.2
"""Part of the base load that the relay cuts off."""
SOLAR_MOST = 2.5
"""The most solar power, in units of the feeder's rated power: beyond it the voltage would leave its limits."""
MEASURED = (
    *("voltage_l1", "voltage_l2", "voltage_l3", "voltage_ln", "voltage_l12", "voltage_l23", "voltage_l31", "voltage_ll"),
    *("current_l1", "current_l2", "current_l3", "current_n", "current_average"),
    *("active_power_l1", "active_power_l2", "active_power_l3", "active_power_total"),
    *("reactive_power_l1", "reactive_power_l2", "reactive_power_l3", "reactive_power_total"),
    *("apparent_power_l1", "apparent_power_l2", "apparent_power_l3", "apparent_power_total"),
    *("power_factor_l1", "power_factor_l2", "power_factor_l3", "power_factor_total"),
    *("frequency", "temperature"),
)  # fmt: skip
"""Tags set at once in every step, in the order of their rows."""
_LOST_PHASE = {"none": -1, "L1": 0, "L2": 1, "L3": 2}
_PER_PHASE = ("voltage", "current", "active_power", "reactive_power", "apparent_power", "power_factor")
_LINES = ((1, ("voltage_l12", "voltage_l31")), (2, ("voltage_l12", "voltage_l23")), (3, ("voltage_l23", "voltage_l31")))
_LOST = tuple([MEASURED.index(name) for name in (*(f"{q}_l{k}" for q in _PER_PHASE), *lines)] for k, lines in _LINES)
"""Places in `MEASURED` that cannot be measured when a phase is lost."""
_NOISE = (
    # what wanders               time constant s, standard deviation, how many
    ("grid voltage",             120.0, 0.006,  1),
    ("phase voltage",             30.0, 0.0015, 3),
    ("common load",              300.0, 0.08,   1),
    ("phase load",                40.0, 0.025,  3),
    ("flicker",                    0.3, 0.001,  3),
    ("tangent phi",              200.0, 0.04,   1),
    ("frequency",                 20.0, 0.008,  1),
    ("cloud",                     90.0, 0.2,    1),
)  # fmt: skip
_ACTIVE, _REACTIVE, _APPARENT = (MEASURED.index(f"{kind}_power_total") for kind in ("active", "reactive", "apparent"))
_START = {
    "active_energy_delivered": 1.0,
    "active_energy_received": 0.0,
    "reactive_energy_delivered": 0.45,
    "apparent_energy_delivered": 1.1,
}
"""Energy registers at the start, as parts of the setting ``energy_start``."""
_MICROJOULES = 3_600_000_000
"""In one watt hour."""


class PowerMeter(Device):
    """See README.md of this folder for the model and its sources."""

    def start(self) -> None:
        """First reading at plant time 0, with the energy register where the settings put it."""
        first = self.tags[MEASURED[0]].row
        assert [self.tags[name].row - first for name in MEASURED] == list(range(len(MEASURED)))
        self._first = first
        self._wander = Wander(self.random, _NOISE)
        self._share: list[float] = (1 + 0.08 * self.random.standard_normal(3)).tolist()
        self._motor: complex = 0  # demand of the motor in units of the rated apparent power of a phase
        self._temperature = float(self.settings["ambient_temperature"]) + 8.0
        self._energy: dict[str, int] = {}
        self.configured("energy_start")
        self["serial_number"] = int(self.serial)
        self._supplied, self._above = self.supplies("load_out"), self.supplies("supply_in")[0]
        self._measure(0.0)

    def configured(self, name: str) -> None:
        """A new start value sets the energy registers; every other setting is read in the next step."""
        if name == "energy_start":
            start = int(self.settings["energy_start"])
            self._energy = {register: round(start * part) * _MICROJOULES for register, part in _START.items()}

    def run(self) -> Process:
        """A pump motor that is started direct on line now and then: six times its current for some seconds, then its load."""
        while True:
            yield self.wait(float(self.random.exponential(75.0)))
            size = 0.12 * float(self.random.uniform(0.7, 1.3))
            self._motor = 6 * size * complex(0.3, math.sqrt(1 - 0.3**2))
            yield self.wait(float(self.random.uniform(1.5, 4.0)))
            self._motor = size * complex(0.85, math.sqrt(1 - 0.85**2))
            yield self.wait(float(self.random.uniform(20.0, 90.0)))
            self._motor = 0

    def step(self, dt: float) -> None:
        """Let load and grid wander, then measure."""
        self._wander.step(dt)
        self._measure(dt)

    def _demand(self, load: list[float], tangent: float, sun: float) -> list[complex]:
        """What the feeder takes, VA per phase."""
        rated = NOMINAL_V * float(self.settings["rated_current"])
        level = float(self.settings["load"]) / 100 * (1 - SHEDDABLE * bool(self["shed_load"]))
        solar = min(float(self.settings["solar"]) * 1000 / 3, SOLAR_MOST * rated) * min(max(0.7 + sun, 0.0), 1.0)
        cosine = 1 / math.sqrt(1 + tangent * tangent)
        motor = self._motor if self.settings["lost_phase"] == "none" else 0  # a motor on two phases trips at once
        if self._supplied:
            return [min(drawn(self._supplied) / 3, MOST_DRAWN * rated) * complex(1, tangent) - solar for _ in PHASES]
        return [
            rated * (level * self._share[k] * max(load[k], 0.0) * cosine * complex(1, tangent) + motor) - solar
            for k in PHASES
        ]

    def _measure(self, dt: float) -> None:
        grid, u1, u2, u3, common, l1, l2, l3, f1, f2, f3, tangent, hertz, sun = self._wander.tolist()
        rated = float(self.settings["rated_current"])
        lost = _LOST_PHASE[str(self.settings["lost_phase"])]
        source = [0.0 if k == lost else NOMINAL_V * (1 + grid + u) for k, u in enumerate((u1, u2, u3))]
        load = [1 + common + phase + flicker for phase, flicker in ((l1, f1), (l2, f2), (l3, f3))]
        demand = self._demand(load, max(0.42 + tangent, 0.05), sun)
        phasors = solve(source, complex(0.01, 0.02) * NOMINAL_V / rated, demand)

        currents = [abs(current) for current in phasors.current]
        target = float(self.settings["ambient_temperature"]) + 6.0 + 8.0 * (sum(currents) / (3 * rated)) ** 2
        self._temperature += (target - self._temperature) * (1 - math.exp(-dt / 900.0))
        values = self._quantities(phasors, currents, lost)
        active, reactive, apparent = values[_ACTIVE], values[_REACTIVE], values[_APPARENT]
        codes: int | NDArray[np.uint32] = status.GOOD
        if lost >= 0:
            codes = np.zeros(len(MEASURED), np.uint32)
            codes[_LOST[lost]] = status.BAD_NOT_CONNECTED
        values += [50 + hertz, self._temperature]
        self.store.set_span(self._first, np.array(values), codes)
        self._count(active, reactive, apparent, dt)
        self._above.demand = max(active, 0.0)
        for supply in self._supplied:
            supply.level = self._above.level if lost < 0 else 0.0  # three-phase machines trip when a phase is lost
        for k in PHASES:
            self[f"phase_loss_l{k + 1}"] = k == lost
        self["overload"] = max(currents) > rated
        self["exporting"] = active < 0

    @staticmethod
    def _quantities(phasors: Phasors, currents: list[float], lost: int) -> list[float]:
        """Everything of `MEASURED` that follows from the phasors. Averages are over the phases that are there."""
        live = [k for k in PHASES if k != lost]
        voltages = [abs(voltage) for voltage in phasors.voltage]
        lines = [phasors.line_voltage(k) for k in PHASES]
        whole = [lines[k] for k in PHASES if lost not in (k, (k + 1) % 3)]
        powers = [phasors.power(k) for k in PHASES]
        apparent = [abs(power) for power in powers]
        values = [*voltages, sum(voltages[k] for k in live) / len(live), *lines, sum(whole) / len(whole)]
        values += [*currents, phasors.neutral, sum(currents[k] for k in live) / len(live)]
        for parts in ([s.real for s in powers], [s.imag for s in powers], apparent):
            values += [*parts, sum(parts)]
        factors = [power.real / s if s else 1.0 for power, s in zip(powers, apparent, strict=True)]
        total = sum(apparent)
        return [*values, *factors, sum(s.real for s in powers) / total if total else 1.0]

    def _count(self, active: float, reactive: float, apparent: float, dt: float) -> None:
        """Add the energy of one step in whole microjoules, so that no rounding piles up over the years."""
        direction = "received" if active < 0 else "delivered"
        added: dict[str, Any] = {
            f"active_energy_{direction}": abs(active),
            "reactive_energy_delivered": max(reactive, 0.0),
            "apparent_energy_delivered": apparent,
        }
        for name, kilo in added.items():
            self._energy[name] += round(kilo * dt * 1e9)
        rollover = int(self.settings["energy_rollover"])
        for name, amount in self._energy.items():
            whole = amount // _MICROJOULES
            self[name] = whole % rollover if name.startswith("active") else whole / 1000


BEHAVIOUR = PowerMeter
