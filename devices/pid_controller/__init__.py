"""A panel temperature controller on an oven."""

from __future__ import annotations

import math

from devices.pid_controller.loop import Loop, Tuning
from devices.pid_controller.oven import Oven
from labsim.plant import status
from labsim.plant.device import Device
from labsim.plant.tags import Tag, Value

AUTO, MANUAL, OFF = 0, 1, 2
SETPOINTS = ("setpoint_1", "setpoint_2")
DOOR_GAIN, DOOR_TAU = 0.5, 0.5
"""An open door halves what a percent of heat can hold, and the time it takes."""
NOISE_C, NOISE_TAU_S = 0.04, 0.8
HYSTERESIS = 0.5
SENSOR_LOW, SENSOR_HIGH = -150.0, 1350.0
"""What the thermocouple's input can measure."""


class PidController(Device):
    """See README.md of this folder for the model and its sources."""

    def start(self) -> None:
        """A cold oven and a controller in automatic."""
        self._oven = Oven(float(self.settings["ambient_temperature"]))
        self._oven.delay(float(self.settings["dead_time"]))
        self._loop = Loop()
        self._noise = NOISE_C * float(self.random.standard_normal())
        self._selected, self._target = 0, float(self["target_setpoint"])
        self._mode = AUTO
        self._sensed = 0.0
        self["eeprom_writes"] = int(self.settings["eeprom_writes"])
        self._measure(0.0)
        self["working_setpoint"] = self["pv"]

    def configured(self, name: str) -> None:
        """A new dead time changes the way of the heat; a new write count is that of another memory."""
        if name == "dead_time":
            self._oven.delay(float(self.settings["dead_time"]))
        if name == "eeprom_writes":
            self["eeprom_writes"] = int(self.settings["eeprom_writes"])

    def guard(self, tag: Tag, value: Value) -> int:
        """Setpoints stay within the range, and the range stays a range."""
        low, high = float(self["range_low"]), float(self["range_high"])
        if tag.name in (*SETPOINTS, "target_setpoint", "remote_setpoint") and not low <= float(value) <= high:
            return status.BAD_OUT_OF_RANGE
        if (tag.name == "range_low" and float(value) >= high) or (tag.name == "range_high" and float(value) <= low):
            return status.BAD_OUT_OF_RANGE
        return status.GOOD

    def step(self, dt: float) -> None:
        """Measure, control, heat."""
        self._measure(dt)
        self._choose(dt)
        self._control(dt)
        ambient, door = float(self.settings["ambient_temperature"]), bool(self.settings["door_open"])
        gain = float(self.settings["gain"]) * (DOOR_GAIN if door else 1)
        tau = float(self.settings["time_constant"]) * (DOOR_TAU if door else 1)
        heat = 0.0 if self.settings["heater_failed"] else float(self["working_output"])
        self._oven.advance(dt, heat, gain, tau, ambient)
        self["heater_power"] = heat / 100 * float(self.settings["heater_rating"])
        self._judge()

    def _measure(self, dt: float) -> None:
        keep = math.exp(-dt / NOISE_TAU_S)
        push = min(max(float(self.random.standard_normal()), -5.0), 5.0)
        self._noise = keep * self._noise + math.sqrt(1 - keep * keep) * NOISE_C * push
        if self.settings["sensor_break"]:
            self.mark("pv", status.BAD_SENSOR_FAILURE)
        else:
            self["pv"] = min(max(self._oven.temperature + self._noise, SENSOR_LOW), SENSOR_HIGH)
        sensed = float(self.shown("pv"))  # it acts on what its sensor says, true or not
        code = int(self.store.status[self.tags["pv"].row])
        self._broken = code >> 31 == 1 or math.isnan(sensed)
        self._sensed = self._sensed if math.isnan(sensed) else sensed

    def _choose(self, dt: float) -> None:
        """The setpoint in work: the target follows the selected memory and is written to it; remote has no memory."""
        selected = int(self["setpoint_select"])
        if selected == self._selected and self["target_setpoint"] != self._target:
            self[SETPOINTS[selected]] = self["target_setpoint"]
        low, high = float(self["range_low"]), float(self["range_high"])
        for name in (*SETPOINTS, "remote_setpoint"):
            self[name] = min(max(float(self[name]), low), high)
        self["target_setpoint"] = self[SETPOINTS[selected]]
        self._selected, self._target = selected, float(self["target_setpoint"])
        goal = float(self["remote_setpoint"] if self["remote_select"] else self._target)
        rate, now = float(self["setpoint_rate"]), float(self["working_setpoint"])
        most = rate / 60 * dt
        self["working_setpoint"] = goal if not rate else now + min(max(goal - now, -most), most)

    def _control(self, dt: float) -> None:
        mode, low, high = int(self["mode"]), 0.0, float(self["output_high"])
        tuning = Tuning(
            float(self["proportional_band"]),
            float(self["integral_time"]),
            float(self["derivative_time"]),
            float(self["cutback_low"]),
            float(self["cutback_high"]),
            bool(self["action"]),
        )
        setpoint, value = float(self["working_setpoint"]), self._sensed
        if mode == MANUAL and self._mode != MANUAL:
            self["manual_output"] = self._loop.output
        self._mode = mode
        if mode == MANUAL:
            self._loop.hold(min(float(self["manual_output"]), high), setpoint - value, tuning)
        elif mode == OFF or self._broken:
            safe = 0.0 if mode == OFF else min(float(self.settings["break_output"]), high)
            self._loop.hold(safe, setpoint - value, tuning)
        else:
            self._loop.advance(dt, setpoint, value, tuning, low, high)
        self["working_output"] = self._loop.output

    def _judge(self) -> None:
        """The two alarms with their hysteresis, and the status word."""
        value = self._sensed
        high, low = float(self["alarm_1_threshold"]), float(self["alarm_2_threshold"])
        one, two = bool(self["alarm_1"]), bool(self["alarm_2"])
        self["alarm_1"] = not self._broken and value > high - (HYSTERESIS if one else 0.0)
        self["alarm_2"] = not self._broken and value < low + (HYSTERESIS if two else 0.0)
        self["sensor_broken"] = self._broken
        bits = {0: self["alarm_1"], 1: self["alarm_2"], 4: self._mode == MANUAL, 5: self._broken}
        self["status_word"] = sum(1 << number for number, on in bits.items() if on)


BEHAVIOUR = PidController
