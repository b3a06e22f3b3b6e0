"""A coolant unit: tank, filter, pumps, chiller, and a controller with moods."""

from __future__ import annotations

import math

from devices.coolant_unit.circuit import (
    DOSE_BAND,
    DOSE_L_MIN,
    EFFICIENCY,
    HEAD_BAR,
    HIGH_EFFICIENCY,
    HIGH_L_MIN,
    HIGH_TAU_S,
    LOSS_KW_PER_K,
    NOZZLE_BAR,
    PUMP_TAU_S,
    RATED_L_MIN,
    REFILL_L_MIN,
    STAGE_COP,
    STAGE_KW,
    WATER_PART,
    Filter,
    Tank,
    stage,
)
from labsim.plant import status
from labsim.plant.device import Device
from labsim.plant.tags import Tag, Value

STANDBY, RUNNING, HIGH, TRIPPED, UNPOWERED = range(5)
NONE, LOW_LEVEL, SAFETY_WRITTEN, TOO_HOT = range(4)
LEAST_LEVEL, HOTTEST_C = 15.0, 45.0
STORED = (
    "temperature_setpoint", "flow_setpoint", "high_pressure_setpoint", "concentration_setpoint", "refill_level",
    "filter_limit",
)  # fmt: skip
SAFETY = "safety_"
LIMITS = {"flow_setpoint": "flow_limit", "high_pressure_setpoint": "pressure_limit"}
REFILL_BAND = 5.0
BASE_KW, DEMAND_L_MIN = 0.15, 20.0
CLOGGED = 1.15
"""The band counts as clogged this much above the pressure at which it should have moved on."""


class CoolantUnit(Device):
    """See README.md of this folder for the model and its sources."""

    def start(self) -> None:
        """A tank as the settings say, and a pump that stands or has just been started."""
        self._fill()
        self._filter = Filter()
        self._flow = self._high = 0.0
        self._busy = int(self.settings["busy_answers"])
        self._stored = 0  # set-points accepted since the setting ``lost_write``
        self._written = False  # the safety block, since the last step
        self._noise = 0.0
        self._permit()
        self["pump_command"] = bool(self.settings["runs_at_start"]) and bool(self["permissive"])
        self._show(0.0, 0.0)

    def _fill(self) -> None:
        full = float(self.settings["tank_volume"])
        litres = full * float(self.settings["start_level"]) / 100
        oil = litres * float(self.settings["start_concentration"]) / 100
        self._tank = Tank(full, litres - oil, oil, float(self.settings["start_temperature"]))

    def configured(self, name: str) -> None:
        """The tank is filled anew; the controller is busy, or counts its set-points, from the beginning."""
        if name in ("tank_volume", "start_level", "start_temperature", "start_concentration"):
            self._fill()
        elif name == "busy_answers":
            self._busy = int(self.settings["busy_answers"])
        elif name == "lost_write":
            self._stored = 0

    # What clients write.

    def guard(self, tag: Tag, value: Value) -> int:
        """Busy as often as set; no pump without its permissive; no set-point above a limit, unless it is clamped."""
        if self._busy:
            self._busy -= 1
            return status.BAD_WAITING_FOR_INITIAL_DATA
        if tag.name == "pump_command" and value and not self["permissive"]:
            return status.BAD_INVALID_STATE
        limit = LIMITS.get(tag.name)
        if limit is not None and not self.settings["clamps"] and float(value) > float(self.settings[limit]):
            return status.BAD_OUT_OF_RANGE
        return status.GOOD

    def take(self, tag: Tag, value: Value) -> Value:
        """Set-points are clamped or lost as set; the safety block keeps its values, and notices."""
        self._busy = 0
        if tag.name.startswith(SAFETY):
            self._written = True
            return self[tag.name]
        if tag.name not in STORED:
            return value
        self._stored += 1
        if self._stored == self.settings["lost_write"]:
            return self[tag.name]
        limit = LIMITS.get(tag.name)
        return value if limit is None else min(float(value), float(self.settings[limit]))

    # What flows.

    def step(self, dt: float) -> None:
        """Judge, pump, filter, refill, cool."""
        (power,) = self.supplies("power")
        live = power.level > 0
        if self["fault_reset"]:
            self["fault_reset"] = False
            self._reset()
        self._judge()
        if not live or not self["permissive"]:
            self["pump_command"] = False
        running = bool(self["pump_command"])
        if running and not self["pump_running"]:
            self["pump_starts"] = int(self["pump_starts"]) + 1
        self["pump_running"] = running
        self["operating_hours"] = float(self["operating_hours"]) + running * dt / 3600
        high = running and bool(self["high_pressure_command"])
        hydraulic = self._pump(running, high, dt)
        self._pass(running, live, dt)
        load = self._cool(running, live, hydraulic, dt)
        self["state"] = (
            UNPOWERED if not live else TRIPPED if self["fault"] else HIGH if high else RUNNING if running else STANDBY
        )
        power.demand = load if live else 0.0
        self._show(power.demand, dt)
        for joined in self.supplies("coolant"):
            joined.level = float(self["supply_pressure"]) if running else 0.0

    def _reset(self) -> None:
        if self["fault"] == TOO_HOT and self._tank.celsius > HOTTEST_C - 5:
            return
        self["fault"], self["spindle_trip"] = NONE, False

    def _judge(self) -> None:
        """Faults hold until they are reset; the permissive is made of three conditions."""
        if self._written:
            self._written = False
            self["fault"], self["spindle_trip"] = SAFETY_WRITTEN, True
        if self["fault"] == NONE:
            if self["pump_running"] and self._tank.percent < LEAST_LEVEL:
                self["fault"] = LOW_LEVEL
            elif self._tank.celsius > HOTTEST_C:
                self["fault"] = TOO_HOT
        self._permit()

    def _permit(self) -> None:
        self["level_ok"] = self._tank.percent >= LEAST_LEVEL
        self["door_closed"], self["no_fault"] = bool(self.settings["door_closed"]), self["fault"] == NONE
        self["permissive"] = bool(self["level_ok"]) and bool(self["door_closed"]) and bool(self["no_fault"])

    def _pump(self, running: bool, high: bool, dt: float) -> float:
        """Flow and pressures after ``dt`` s; the electric power of both pumps, kW."""
        worn = self.faults.get("pump-worn")
        head = HEAD_BAR * (worn["head"] / 100 if worn is not None else 1.0)
        goal = min(float(self["flow_setpoint"]), self._filter.most(head)) if running else 0.0
        self._flow += (goal - self._flow) * (1 - math.exp(-dt / PUMP_TAU_S))
        self._high += ((float(self["high_pressure_setpoint"]) if high else 0.0) - self._high) * (
            1 - math.exp(-dt / HIGH_TAU_S)
        )
        self._flow, self._high = (
            0.0 if v < 0.02 and not on else v for v, on in ((self._flow, running), (self._high, high))
        )
        self._drop = self._filter.resistance(self._flow)
        self._supply = NOZZLE_BAR * (self._flow / RATED_L_MIN) ** 2
        low = self._flow * (self._supply + self._drop) / 600 / EFFICIENCY  # l/min x bar / 600 = kW
        return low + HIGH_L_MIN * self._high / 600 / HIGH_EFFICIENCY * high

    def _pass(self, running: bool, live: bool, dt: float) -> None:
        """The filter clogs and moves on; losses leave, refill and dose come."""
        stuck = self.faults.get("filter-stuck")
        self._filter.pass_on(self._flow * dt / 60 * (stuck["speed"] if stuck is not None else 1.0))
        self._filter.clogging = min(self._filter.clogging, 200.0)
        if self._drop > float(self["filter_limit"]) and stuck is None and running:
            self._filter.clogging = 0.0
            self["filter_advances"] = int(self["filter_advances"]) + 1
        self["filter_clogged"] = self._drop > CLOGGED * float(self["filter_limit"])
        tank = self._tank
        if running:
            tank.take(float(self.settings["losses"]) / 100 * tank.full * dt / 3600, WATER_PART)
        leak = self.faults.get("leak")
        if leak is not None:
            tank.take(leak["rate"] * dt / 60)
        low, level = float(self["refill_level"]), self._sensed("tank_level")
        if not live or level is None:
            self["refilling"] = False
            return
        self["refilling"] = level < (min(low + REFILL_BAND, 100.0) if self["refilling"] else low)
        wanted, ambient = float(self["concentration_setpoint"]), float(self.settings["ambient_temperature"])
        measured = self._sensed("concentration")
        off = wanted - measured if measured is not None else 0.0
        added = 0.0
        if self["refilling"]:
            added = tank.add(REFILL_L_MIN * dt / 60, min(max(wanted + 4 * off, 0.0), 25.0), ambient)
        elif running and abs(off) > DOSE_BAND and level < 98:
            added = tank.add(DOSE_L_MIN * dt / 60 * (1 if off > 0 else 10), 100.0 if off > 0 else 0.0, ambient)
        self["refilled"] = float(self["refilled"]) + added

    def _cool(self, running: bool, live: bool, pumps: float, dt: float) -> float:
        """Heat of cutting and pumping against the chiller and the room; the electric power of the unit, kW."""
        flows = self.supplies("coolant")
        demand = sum(joined.demand for joined in flows) / DEMAND_L_MIN if flows else 1.0
        cutting = float(self.settings["heat_load"]) * demand if running else 0.0
        warm, now = self._sensed("coolant_temperature"), int(self["chiller_stage"]) if live else 0
        if live and warm is not None:
            now = stage(now, warm - float(self["temperature_setpoint"]))
        self["chiller_stage"] = now
        cold = 0.0 if "chiller-failed" in self.faults else now * STAGE_KW
        room = LOSS_KW_PER_K * (float(self.settings["ambient_temperature"]) - self._tank.celsius)
        self._tank.heat(cutting + pumps + room - cold, dt)
        return BASE_KW + pumps + now * STAGE_KW / STAGE_COP

    def _sensed(self, name: str) -> float | None:
        """What a transmitter says, which the controller goes by; None when it says nothing."""
        row = self.tags[name].row
        value = float(self.shown(name))
        return value if math.isfinite(value) and int(self.store.status[row]) >> 30 != 2 else None

    def _show(self, power: float, dt: float) -> None:
        """What the transmitters say, with a little noise where the coolant moves."""
        push = min(max(float(self.random.standard_normal()), -4.0), 4.0)
        self._noise += (push - self._noise) * 0.3
        ripple = 1 + 0.006 * self._noise
        for name, value in (
            ("tank_level", self._tank.percent + 0.05 * self._noise * (self._flow > 0)),
            ("coolant_temperature", self._tank.celsius + 0.03 * self._noise),
            ("concentration", self._tank.concentration),
            ("filter_pressure", (self._drop if dt else 0.0) * ripple),
            ("supply_pressure", (self._supply if dt else 0.0) * ripple),
            ("flow", self._flow * ripple),
            ("high_pressure", self._high * ripple),
            ("power", power),
        ):
            tag = self.tags[name]
            self[name] = min(max(value, tag.low or 0.0), tag.high or value)


BEHAVIOUR = CoolantUnit
