"""An air-cooled water chiller with four stages on a water loop."""

from __future__ import annotations

import math

from devices.chiller.circuit import Circuit, saturation
from labsim.plant import status
from labsim.plant.device import Device
from labsim.plant.tags import Tag, Value

OFF, IDLE, COOLING, FAULT = range(4)
NONE, NO_FLOW, HIGH_PRESSURE, FROST, LOW_PRESSURE = range(5)
STAGES = 4
WATER = 4.19 / 3600 * 1000
"""kW per m³/h and kelvin."""
HIGH_BAR, LOW_BAR, FROST_C = 22.0, 0.9, 3.0
FLOW_PART, FLOW_DELAY_S = 0.5, 3.0
"""The flow switch opens below this part of the rated flow; the chiller trips when it is open for so long."""
PUMP_TAU_S, CAPACITY_TAU_S = 2.0, 12.0
SWING_TAU_S = 240.0
PUMP_KW, FAN_KW, STANDBY_KW = 1.5, 0.9, 0.1
ROOM_KW_PER_K = 0.25
PRESSURE_BAR = 2.5


class Chiller(Device):
    """See README.md of this folder for the model and its sources."""

    def start(self) -> None:
        """A loop a little above its set-point."""
        self._water = float(self["setpoint"]) + 3.0  # return, which is the mean of the loop
        self._supply = self._water
        self._circuit = Circuit(self._water, float(self.settings["ambient_temperature"]))
        self._flow = float(self.settings["rated_flow"]) if self.settings["autostart"] else 0.0
        self._cold = 0.0  # cooling power, kW
        self._swing = 0.0
        self._since_stage = self._without_flow = 0.0
        self["run_command"] = bool(self.settings["autostart"])
        self._show(0.0, 0.0)

    def guard(self, tag: Tag, value: Value) -> int:
        """It does not start with a fault."""
        if tag.name == "run_command" and value and self["fault"]:
            return status.BAD_INVALID_STATE
        return status.GOOD

    def step(self, dt: float) -> None:
        """Flow, stages, circuit, water."""
        (supply,) = self.supplies("power")
        live = supply.level > 0
        if self["fault_reset"]:
            self["fault_reset"] = False
            self["fault"] = NONE
        running = live and bool(self["run_command"]) and not self["fault"]
        self._move_water(running, dt)
        self._stage(running, dt)
        stages = int(self["stages"])
        fouled, leaked = self.faults.get("condenser-fouled"), self.faults.get("refrigerant-lost")
        air = float(self.settings["ambient_temperature"])
        self._circuit.settle(
            self._supply,
            air,
            stages / STAGES,
            fouled["rise"] if fouled else 0.0,
            leaked["left"] / 100 if leaked else 1.0,
        )
        wanted = stages * self._circuit.capacity(float(self.settings["stage_capacity"]))
        self._cold += (wanted - self._cold) * (1 - math.exp(-dt / CAPACITY_TAU_S))
        if not stages and self._cold < 0.05:
            self._cold = 0.0
        self._balance(dt)
        compressors = wanted / self._circuit.cop if stages else 0.0
        power = compressors + FAN_KW * stages + PUMP_KW * running + STANDBY_KW
        self._judge(running, stages, dt)
        supply.demand = power if live else 0.0
        self._show(supply.demand, dt)

    def _move_water(self, running: bool, dt: float) -> None:
        weak = self.faults.get("pump-weak")
        goal = float(self.settings["rated_flow"]) * (weak["flow"] / 100 if weak else 1.0) if running else 0.0
        self._flow += (goal - self._flow) * (1 - math.exp(-dt / PUMP_TAU_S))
        if not running and self._flow < 0.05:
            self._flow = 0.0
        self["flow_switch"] = self._flow >= FLOW_PART * float(self.settings["rated_flow"])
        for joined in self.supplies("chilled_water"):
            joined.level = PRESSURE_BAR if self["flow_switch"] else 0.0

    def _stage(self, running: bool, dt: float) -> None:
        """A stage more above the switching difference, one less below half of it, by what the supply's sensor says."""
        stages, self._since_stage = int(self["stages"]), self._since_stage + dt
        most = int(self["stage_limit"])
        if not running or not self["flow_switch"]:
            self["stages"] = 0
            return
        seen = float(self.shown("supply_temperature"))
        if not math.isfinite(seen) or int(self.store.status[self.tags["supply_temperature"].row]) >> 30 == 2:
            return  # without a measurement the stages stay
        off = seen - float(self["setpoint"])
        if stages > most:
            self["stages"] = most
        elif self._since_stage >= float(self.settings["stage_delay"]):
            if off > float(self["differential"]) and stages < most:
                self["stages"], self._since_stage = stages + 1, 0.0
                self["stage_starts"] = int(self["stage_starts"]) + 1
            elif off < -float(self["differential"]) / 2 and stages:
                self["stages"], self._since_stage = stages - 1, 0.0

    def _balance(self, dt: float) -> None:
        """C dT/dt = load + room - cooling; supply = return - cooling / (flow x heat capacity)."""
        keep = math.exp(-dt / SWING_TAU_S)
        push = min(max(float(self.random.standard_normal()), -4.0), 4.0)
        self._swing = keep * self._swing + math.sqrt(1 - keep * keep) * push
        swing = 1 + float(self.settings["load_swing"]) / 100 * min(max(self._swing, -1.5), 1.5)
        load = float(self.settings["load"]) * max(swing, 0.0)
        load += sum(joined.demand for joined in self.supplies("chilled_water"))
        moving = self["flow_switch"]
        air = float(self.settings["ambient_temperature"])
        heat = (load if moving else 0.0) + ROOM_KW_PER_K * (air - self._water) - self._cold
        capacity = 4.19 * float(self.settings["loop_volume"])  # kJ/K
        self._water = min(max(self._water + heat * dt / capacity, -5.0), 55.0)
        drop = self._cold / (WATER * self._flow) if moving else 0.0
        self._supply = max(self._water - drop, -8.0)

    def _judge(self, running: bool, stages: int, dt: float) -> None:
        """Each fault stops the chiller until it is reset."""
        self._without_flow = self._without_flow + dt if running and not self["flow_switch"] else 0.0
        found = NONE
        if self._without_flow > FLOW_DELAY_S + 5 * PUMP_TAU_S:
            found = NO_FLOW
        elif stages and saturation(self._circuit.condensing) > HIGH_BAR:
            found = HIGH_PRESSURE
        elif stages and self._supply < FROST_C:
            found = FROST
        elif stages and saturation(self._circuit.evaporating) < LOW_BAR:
            found = LOW_PRESSURE
        if found and not self["fault"]:
            self["fault"], self["run_command"], self["stages"] = found, False, 0
        fault, on = self["fault"], running and not self["fault"]
        self["common_alarm"] = bool(fault)
        self["state"] = FAULT if fault else OFF if not on else COOLING if self["stages"] else IDLE
        self["operating_hours"] = float(self["operating_hours"]) + bool(stages) * dt / 3600

    def _show(self, power: float, dt: float) -> None:
        push = min(max(float(self.random.standard_normal()), -4.0), 4.0)
        cooling = self._cold if dt else 0.0
        for name, value in (
            ("supply_temperature", self._supply + 0.01 * push),
            ("return_temperature", self._water + 0.01 * push),
            ("flow", self._flow * (1 + 0.004 * push)),
            ("evaporating_temperature", self._circuit.evaporating),
            ("condensing_temperature", self._circuit.condensing),
            ("suction_pressure", saturation(self._circuit.evaporating)),
            ("discharge_pressure", saturation(self._circuit.condensing)),
            ("cooling_power", cooling),
            ("power", power),
            ("cop", cooling / power if power > 0 else 0.0),
            ("ambient_temperature", float(self.settings["ambient_temperature"])),
        ):
            tag = self.tags[name]
            assert tag.low is not None
            assert tag.high is not None
            self[name] = min(max(value, tag.low), tag.high)
        self["energy"] = float(self["energy"]) + power * dt / 3600
        self["cooling_energy"] = float(self["cooling_energy"]) + cooling * dt / 3600


BEHAVIOUR = Chiller
