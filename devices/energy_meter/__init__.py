"""A three-phase energy meter on a feeder with harmonics."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from devices.power_meter.network import MOST_DRAWN, PHASES, Phasors, drawn, solve
from labsim.plant import status
from labsim.plant.device import Device
from labsim.plant.wander import Wander

NOMINAL_V = 230.0
SOLAR_MOST = 2.5
"""The most solar power, in units of the feeder's rated power."""
DISTORTION_BY_CURRENT = 0.08
"""Distortion of the voltage per distortion of the current at rated load: what harmonic currents drop in the network."""
ROLLOVER_WH = 1_000_000_000_000
_MICROJOULES = 3_600_000_000  # in one watt hour
_PHASE = tuple(f"l{k + 1}" for k in PHASES)
_KINDS = (
    "voltage", "line", "current", "apparent_power", "active_power", "reactive_power",
    "power_factor", "thd_voltage", "thd_current",
)  # fmt: skip
_TOTALS = (
    "frequency", "voltage_ln", "voltage_ll", "current_average", "apparent_power_total", "active_power_total",
    "reactive_power_total", "power_factor_total", "unbalance_voltage", "unbalance_current",
)  # fmt: skip
_LINE_NAMES = ("voltage_l12", "voltage_l23", "voltage_l31")
MEASURED = (
    *(name for kind in _KINDS for name in (_LINE_NAMES if kind == "line" else [f"{kind}_{p}" for p in _PHASE])),
    *_TOTALS,
)
"""Tags set at once in every step, in the order of their rows."""
_LOST = tuple(
    [MEASURED.index(f"{kind}_{_PHASE[k]}") for kind in _KINDS if kind != "line"]
    + [MEASURED.index(_LINE_NAMES[k]), MEASURED.index(_LINE_NAMES[(k + 2) % 3])]
    for k in PHASES
)
"""Places in `MEASURED` that cannot be measured when a phase is lost."""
_NOISE = (
    # what wanders      time constant s, standard deviation, how many
    ("grid voltage",    150.0, 0.005,  1),
    ("phase voltage",    25.0, 0.0015, 3),
    ("common load",     240.0, 0.09,   1),
    ("phase load",       30.0, 0.03,   3),
    ("flicker",           0.3, 0.001,  3),
    ("tangent phi",     180.0, 0.05,   1),
    ("frequency",        20.0, 0.008,  1),
    ("cloud",            90.0, 0.2,    1),
    ("harmonics",        60.0, 0.06,   3),
)  # fmt: skip
COUNTERS = {
    "active_import": 1.0,
    "active_export": 0.0,
    "reactive_import": 0.4,
    "reactive_export": 0.01,
    "apparent": 1.1,
}
"""Energy counters of tariff 1 at the start, as parts of the setting ``energy_start``; tariff 2 has a third of them."""


class EnergyMeter(Device):
    """See README.md of this folder for the model and its sources."""

    def start(self) -> None:
        """First reading at plant time 0, with the counters where the settings put them."""
        first = self.tags[MEASURED[0]].row
        assert [self.tags[name].row - first for name in MEASURED] == list(range(len(MEASURED)))
        self._first = first
        self._wander = Wander(self.random, _NOISE)
        self._share: list[float] = (1 + 0.08 * self.random.standard_normal(3)).tolist()
        self._energy: dict[str, int] = {}  # microjoules, so that no rounding piles up
        self._shown: dict[str, float] = {}
        self._worked_ms = 0
        self._supplied, self._above = self.supplies("load_out"), self.supplies("supply_in")[0]
        self._begin_period()
        self.configured("energy_start")
        self._measure(0.0)

    def configured(self, name: str) -> None:
        """A new start value sets the counters; a new period length begins a period."""
        if name == "energy_start":
            for counter, part in COUNTERS.items():
                for tariff, share in (("t1", 1.0), ("t2", 1 / 3)):
                    amount = round(float(self.settings["energy_start"]) * part * share)
                    self._show_energy(f"{counter}_energy_{tariff}", amount * _MICROJOULES)
        if name == "period":
            self._begin_period()

    def step(self, dt: float) -> None:
        """Take over what clients wrote into the counters, let load and grid wander, then measure."""
        for name, shown in self._shown.items():
            now = float(self[name])
            if now != shown:
                self._energy[name] = round(now / self._unit(name) * _MICROJOULES)
        if int(self["operating_time"]) != self._worked_ms // 1000:
            self._worked_ms = int(self["operating_time"]) * 1000
        self._wander.step(dt)
        self._measure(dt)

    def _measure(self, dt: float) -> None:
        grid, u1, u2, u3, common, l1, l2, l3, f1, f2, f3, tangent, hertz, sun, *more = self._wander.tolist()
        rated = float(self.settings["rated_current"])
        lost = {"none": -1, "L1": 0, "L2": 1, "L3": 2}[str(self.settings["lost_phase"])]
        source = [0.0 if k == lost else NOMINAL_V * (1 + grid + u) for k, u in enumerate((u1, u2, u3))]
        load = [1 + common + phase + flicker for phase, flicker in ((l1, f1), (l2, f2), (l3, f3))]
        tangent = max(0.5 + tangent, 0.05)
        level = float(self.settings["load"]) / 100 * NOMINAL_V * rated / math.sqrt(1 + tangent * tangent)
        solar = float(self.settings["solar"]) * 1000 / 3 * min(max(0.7 + sun, 0.0), 1.0)
        solar = min(solar, SOLAR_MOST * NOMINAL_V * rated)
        demand = [level * self._share[k] * max(load[k], 0.0) * complex(1, tangent) - solar for k in PHASES]
        if self._supplied:
            watts = min(drawn(self._supplied) / 3, MOST_DRAWN * NOMINAL_V * rated)
            demand = [watts * complex(1, tangent) - solar for _ in PHASES]
            for supply in self._supplied:
                supply.level = self._above.level if lost < 0 else 0.0  # three-phase machines trip when one is lost
        phasors = solve(source, complex(0.01, 0.02) * NOMINAL_V / rated, demand)
        own = [min(max(float(self.settings["harmonics"]) / 100 * (1 + m), 0.0), 1.0) for m in more]
        values = self._quantities(phasors, [abs(d + solar) / NOMINAL_V for d in demand], own, lost, rated)
        values.insert(MEASURED.index("frequency"), 50 + hertz)
        codes: NDArray[np.uint32] = np.zeros(len(MEASURED), np.uint32)
        if lost >= 0:
            codes[_LOST[lost]] = status.BAD_NOT_CONNECTED
        self.store.set_span(self._first, np.array(values), codes)
        by_name = dict(zip(MEASURED, values, strict=True))
        self._above.demand = max(by_name["active_power_total"], 0.0) / 1000
        self._count(by_name["active_power_total"], by_name["reactive_power_total"], by_name["apparent_power_total"], dt)
        currents = [by_name[f"current_{p}"] for p in _PHASE]
        if max(currents) > 0.01 * rated:
            self._worked_ms = (self._worked_ms + round(dt * 1000)) % (1000 * 2**32)
        self["operating_time"] = self._worked_ms // 1000
        self["diagnostics"] = (lost >= 0) | (max(currents) > rated) << 1
        self["digital_inputs"] = int(self.settings["tariff"] == "T2")

    @staticmethod
    def _quantities(
        phasors: Phasors, load_current: list[float], harmonics: list[float], lost: int, rated: float
    ) -> list[float]:
        """Everything of `MEASURED` but the frequency.

        Fundamentals come from the phasors; harmonic currents from the load alone, as an inverter's are small. RMS of both:
        I^2 = I1^2 (1 + THD^2). Harmonics carry no active power here, so P and Q are those of the fundamental and S is not.
        """
        live = [k for k in PHASES if k != lost]
        one = [abs(current) for current in phasors.current]
        residue = [h * i if k in live else 0.0 for k, (h, i) in enumerate(zip(harmonics, load_current, strict=True))]
        thd_i = [min(r / i, 2.0) if i else 0.0 for r, i in zip(residue, one, strict=True)]
        thd_u = [
            0.012 + DISTORTION_BY_CURRENT * min(r / rated, 1.0) if k in live else 0.0 for k, r in enumerate(residue)
        ]
        voltage = [abs(u) * math.sqrt(1 + t * t) for u, t in zip(phasors.voltage, thd_u, strict=True)]
        current = [i * math.sqrt(1 + t * t) for i, t in zip(one, thd_i, strict=True)]
        lines = [phasors.line_voltage(k) for k in PHASES]
        power = [1000 * phasors.power(k) for k in PHASES]
        apparent = [u * i for u, i in zip(voltage, current, strict=True)]
        factor = [abs(p.real) / s if s else 1.0 for p, s in zip(power, apparent, strict=True)]
        active, reactive, total = sum(p.real for p in power), sum(p.imag for p in power), sum(apparent)
        whole = [lines[k] for k in PHASES if lost not in (k, (k + 1) % 3)]
        u_mean, i_mean = (sum(q[k] for k in live) / len(live) for q in (voltage, current))
        return [
            *voltage, *lines, *current, *apparent, *(p.real for p in power), *(p.imag for p in power), *factor,
            *(100 * t for t in thd_u), *(100 * t for t in thd_i),
            u_mean, sum(whole) / len(whole), i_mean, total, active, reactive, abs(active) / total if total else 1.0,
            100 * max(abs(voltage[k] - u_mean) for k in live) / u_mean,
            100 * max(abs(current[k] - i_mean) for k in live) / i_mean if i_mean else 0.0,
        ]  # fmt: skip

    # Energy and the period.

    @staticmethod
    def _unit(name: str) -> float:
        """How many of the counter's unit are one Wh, varh or VAh."""
        return 1.0 if name.startswith("active") else 0.001

    def _show_energy(self, name: str, amount: int) -> None:
        self._energy[name] = amount % (ROLLOVER_WH * _MICROJOULES)
        self[name] = self._shown[name] = self._energy[name] / _MICROJOULES * self._unit(name)

    def _begin_period(self) -> None:
        self._elapsed = self._imported = self._exported = 0.0
        self._high, self._low = -math.inf, math.inf

    def _count(self, active: float, reactive: float, apparent: float, dt: float) -> None:
        tariff = str(self.settings["tariff"]).lower()
        for counter, watts in (
            ("active_export" if active < 0 else "active_import", abs(active)),
            ("reactive_export" if reactive < 0 else "reactive_import", abs(reactive)),
            ("apparent", apparent),
        ):
            name = f"{counter}_energy_{tariff}"
            self._show_energy(name, self._energy[name] + round(watts * dt * 1e6))
        self._elapsed += dt
        self._imported += max(active, 0.0) * dt
        self._exported += max(-active, 0.0) * dt
        self._high, self._low = max(self._high, active), min(self._low, active)
        length = int(self.settings["period"])
        if self._elapsed >= length - dt / 2:
            self["period_import"], self["period_export"] = self._imported / length, self._exported / length
            self["period_max"], self["period_min"] = self._high, self._low
            self._begin_period()
        self["period_length"], self["period_elapsed"] = length, int(self._elapsed + dt / 2)


BEHAVIOUR = EnergyMeter
