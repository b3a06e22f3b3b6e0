"""A screw compressor that feeds a leaking network."""

from __future__ import annotations

import math
from collections.abc import Sequence

from labsim.plant import status
from labsim.plant.device import Device
from labsim.plant.tags import Tag, Value

AMBIENT_BAR = 1.013
STOPPED, STANDBY, STARTING, UNLOADED, LOADED, FAULT = range(6)
NONE, START, STOP, RESET = range(4)
TOO_HOT, TRIP_C, RESET_C = 1, 110.0, 100.0
START_S = 4.0
UNLOADED_PART = 0.28
"""Power of an unloaded screw, as a part of that at rated pressure."""
ISENTROPIC = 0.4 / 1.4
RATED_BAR, LEAK_BAR = 7.5, 7.0
SAFETY_BAR = 11.0
"""The safety valve lets go what would bring the pressure above this."""
HEAT_K = {"good": 58.0, "fouled": 100.0}
LEAST_BAND_BAR = 0.2
_METHODS = {"start": START, "stop": STOP, "reset": RESET}


def work(gauge: float) -> float:
    """Isentropic work of a volume of free air up to ``gauge`` (bar), in units of that to 7.5 bar."""

    def rise(pressure: float) -> float:
        return float((1 + pressure / AMBIENT_BAR) ** ISENTROPIC - 1)

    return rise(gauge) / rise(RATED_BAR)


class Compressor(Device):
    """See README.md of this folder for the model and its sources."""

    def start(self) -> None:
        """A network at 6.8 bar."""
        self._gauge = 6.8
        self._power, self._consumers = self.supplies("power")[0], self.supplies("air_out")
        self._temperature = float(self.settings["ambient_temperature"]) + 20
        self._use = 1.0  # what consumers take, as a part of the setting
        self._in_state = 0.0  # seconds
        self._used = self._leaked = self._blown = 0.0  # free air since the start, m³
        self["state"] = STANDBY if self.settings["autostart"] else STOPPED
        self["pressure"], self["temperature"] = self._gauge, self._temperature

    def guard(self, tag: Tag, value: Value) -> int:
        """The band has a least width; a command that cannot be carried out is refused."""
        low = float(value) if tag.name == "load_pressure" else float(self["load_pressure"])
        high = float(value) if tag.name == "unload_pressure" else float(self["unload_pressure"])
        if tag.name in ("load_pressure", "unload_pressure") and high - low < LEAST_BAND_BAR:
            return status.BAD_OUT_OF_RANGE
        return self._may(int(value)) if tag.name == "command" else status.GOOD

    def call(self, name: str, arguments: Sequence[Value]) -> tuple[int, Sequence[Value]]:  # noqa: ARG002 - none has any
        """Start, stop and reset, as the command register does."""
        command = _METHODS[name]
        if (code := self._may(command)) == status.GOOD:
            self._obey(command)
        return code, ()

    def _may(self, command: int) -> int:
        hot = self._temperature > RESET_C
        blocked = self["state"] == FAULT and (command == START or (command == RESET and hot))
        return status.BAD_INVALID_STATE if blocked else status.GOOD

    def _obey(self, command: int) -> None:
        state = self["state"]
        if command == START and state == STOPPED:
            self._enter(STANDBY)
        elif command == STOP and state != FAULT:
            self._enter(STOPPED)
        elif command == RESET and state == FAULT:
            self["fault"] = 0
            self._enter(STOPPED)

    def _enter(self, state: int) -> None:
        self["state"], self._in_state = state, 0.0
        if state == LOADED:
            self["load_cycles"] = int(self["load_cycles"]) + 1
        if state == STARTING:
            self["motor_starts"] = int(self["motor_starts"]) + 1

    def step(self, dt: float) -> None:
        """Command, pressure switch, then the balance of the air."""
        if command := int(self["command"]):
            self["command"] = NONE
            self._obey(command)
        self._in_state += dt
        self._switch()
        state = self["state"]
        capacity = float(self.settings["capacity"])
        flow = capacity if state == LOADED else 0.0
        self._balance(flow, capacity, dt)
        self._warm(int(state), dt)
        rated = float(self.settings["rated_power"])
        power = rated * (
            work(self._gauge) if state == LOADED else UNLOADED_PART if state in (STARTING, UNLOADED) else 0
        )
        self["power"], self["delivery"], self["pressure"] = power, flow, self._gauge
        self._power.demand = power
        for consumer in self._consumers:
            consumer.level = self._gauge
        self["energy"] = float(self["energy"]) + power * dt / 3600
        self["delivered"] = float(self["delivered"]) + flow * dt / 3600
        if state in (LOADED, UNLOADED):
            name = "loaded_hours" if state == LOADED else "unloaded_hours"
            self[name] = float(self[name]) + dt / 3600

    def _switch(self) -> None:
        """Load below the one pressure, unload above the other; stop the motor when it ran unloaded for long."""
        state, low = self["state"], self._gauge < float(self["load_pressure"])
        if state == STANDBY and low:
            self._enter(STARTING)
        elif state == STARTING and self._in_state >= START_S:
            self._enter(UNLOADED)
        elif state == UNLOADED and low:
            self._enter(LOADED)
        elif state == LOADED and self._gauge > float(self["unload_pressure"]):
            self._enter(UNLOADED)
        elif state == UNLOADED and self._in_state >= float(self.settings["idle_stop"]):
            self._enter(STANDBY)

    def _balance(self, flow: float, capacity: float, dt: float) -> None:
        """V dp/dt = p0 (q_in - q_use - q_leak); a leak is choked, so it flows with the absolute pressure."""
        push = float(self.random.standard_normal())
        self._use += (1 - self._use) * dt / 60 + 0.25 * math.sqrt(2 * dt / 60) * push
        wanted = float(self.settings["demand"]) * min(max(self._use, 0.0), 2.5)
        if self._consumers:
            wanted = sum(consumer.demand for consumer in self._consumers)
        use = wanted * min(self._gauge / 3, 1.0)
        absolute = self._gauge + AMBIENT_BAR
        choked = absolute / (LEAK_BAR + AMBIENT_BAR) * min(self._gauge / 0.9, 1.0)
        leak = float(self.settings["leaks"]) / 100 * capacity * choked
        scale = AMBIENT_BAR / float(self.settings["receiver"])  # bar per m³ of free air
        held = self._gauge / scale + flow * dt / 3600  # free air above ambient
        taken = min((use + leak) * dt / 3600, held)
        self._used += taken * use / (use + leak) if use + leak else 0.0
        self._leaked += taken * leak / (use + leak) if use + leak else 0.0
        gauge = (held - taken) * scale
        self._gauge = min(gauge, SAFETY_BAR)
        self._blown += (gauge - self._gauge) / scale

    def _warm(self, state: int, dt: float) -> None:
        rise = HEAT_K[str(self.settings["cooling"])] * (1.0 if state == LOADED else 0.55)
        target = float(self.settings["ambient_temperature"]) + (rise if state in (LOADED, UNLOADED) else 0.0)
        self._temperature += (target - self._temperature) * (1 - math.exp(-dt / 120))
        self["temperature"] = self._temperature
        if self._temperature > TRIP_C and state != FAULT:
            self["fault"] = TOO_HOT
            self._enter(FAULT)


BEHAVIOUR = Compressor
