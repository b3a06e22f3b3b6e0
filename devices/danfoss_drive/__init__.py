"""A variable-speed drive with the Danfoss FC profile on a fan."""

from __future__ import annotations

import math
from enum import Enum

from devices.motor.drive import Drive
from devices.motor.impeller import FAN_KW, Impeller
from devices.motor.motor import RAD_S, Plate
from devices.motor.sequence import bit
from labsim.plant.tags import Value

FAN = Impeller(
    shutoff=1500.0, drop=500 / 1.44e8, resistance=1000 / 1.44e8, idle_kw=0.8, efficiency=0.813, factor=FAN_KW
)
"""At rated speed: 12,000 m³/h, 1,000 Pa, 4.9 kW."""
CONTROL = (
    *("preset_lsb", "preset_msb", "no_dc_brake", "no_coast", "no_quick_stop", "no_hold", "start", "reset"),
    *("jog", "ramp_2", "data_valid", "relay_1", "relay_2", "setup_lsb", "setup_msb", "reverse"),
)
"""Bits of the control word, each a coil, from the least significant."""
STATUS = {
    0: "control_ready", 1: "drive_ready", 2: "enabled", 3: "tripped", 7: "warning", 8: "at_reference", 9: "auto",
    10: "in_range", 11: "running", 13: "voltage_limit", 14: "current_limit", 15: "thermal_limit",
}  # fmt: skip
"""Bits of the status word that are coils."""
DATA_VALID = 10
NONE, ETR, SILENCE, BROKEN_BELT, LOCKED = 0, 10, 17, 95, 99
FREEZE, STOP, JOG, MOST, STOP_AND_TRIP = 1, 2, 3, 4, 5


class Mode(Enum):
    """What the drive does with the motor."""

    COAST = "coast"
    QUICK_STOP = "quick stop"
    DC_BRAKE = "dc brake"
    STOP = "stop"
    HOLD = "hold"
    JOG = "jog"
    RUN = "run"


class DanfossDrive(Drive):
    """See README.md of this folder for the model and its sources."""

    plate = Plate(power=5.5, speed=1460, synchronous=1500, frequency=50, voltage=400, current=11.0, inertia=1.2)

    def start(self) -> None:
        """Powered on, with no valid control word yet."""
        self._word = self._valid = 0
        self._reference = 0.0
        self._reset = False
        self._mode = Mode.COAST
        self._wanted = 0.0
        self._shaft_kw = self._unloaded_s = 0.0
        super().start()
        self._report()
        self.written.settle()

    def step(self, dt: float) -> None:
        """Orders of the clients, then commands, motor and fan."""
        for order in self.orders():
            self._take(order)
        self._obey()
        self._watch(dt)
        self._turn(dt)
        self._fan(dt)
        self.show()
        self._report()
        self.written.settle()

    # Control.

    def _take(self, order: dict[str, Value]) -> None:
        """Coils and the word are the same 16 bits; the last one written counts."""
        if "control_word" in order:
            self._word = int(order["control_word"])
        for number, name in enumerate(CONTROL):
            if name in order:
                self._word = self._word & ~(1 << number) | bool(order[name]) << number
        self["control_word"] = self._word
        for number, name in enumerate(CONTROL):
            self[name] = bit(self._word, number)
        self._obey()

    def _obey(self) -> None:
        """Take the word and the reference over, if the word says that it is valid."""
        if not bit(self._word, DATA_VALID):
            return
        self._valid, self._reference = self._word, float(self["reference"])
        edge = bit(self._word, 7) and not self._reset
        self._reset = bit(self._word, 7)
        if edge and self["alarm_code"] != NONE and not self.overloaded:
            self["alarm_code"] = NONE

    def _watch(self, dt: float) -> None:
        """Alarms, warnings and what a silent master makes of the mode."""
        late = self.silent(dt, float(self["timeout_time"])) and self["timeout_function"] != 0
        function = int(self["timeout_function"]) if late and self.settings["operation"] == "auto" else 0
        belt = self.settings["belt"] == "broken" and self._mode is Mode.RUN and abs(self.train.speed) > 0.2
        self._unloaded_s = self._unloaded_s + dt if belt else 0.0
        alarm = LOCKED if self.stalled else ETR if self.overloaded else SILENCE if function == STOP_AND_TRIP else NONE
        if alarm and self["alarm_code"] == NONE:
            self["alarm_code"] = alarm
        hot = self.train.motor.heat > 1.05
        warnings = ((hot, ETR), (late, SILENCE), (self._unloaded_s > 10, BROKEN_BELT))
        self["warning_code"] = next((code for on, code in warnings if on), NONE)
        self._mode = Mode.COAST if self["alarm_code"] != NONE else self._decide(function)

    def _decide(self, timeout: int) -> Mode:
        match self.settings["operation"]:
            case "off":
                return Mode.STOP
            case "hand":
                return Mode.RUN
        if timeout:
            return {FREEZE: Mode.HOLD, STOP: Mode.STOP, JOG: Mode.JOG, MOST: Mode.RUN}[timeout]
        word = self._valid
        stops = ((3, Mode.COAST), (4, Mode.QUICK_STOP), (2, Mode.DC_BRAKE))
        stop = next((mode for number, mode in stops if not bit(word, number)), None)
        if stop is not None:
            return stop
        if bit(word, 8):
            return Mode.JOG
        if not bit(word, 6):
            return Mode.STOP
        return Mode.RUN if bit(word, 5) else Mode.HOLD

    def _demand(self) -> float:
        """Frequency asked for in Hz: bus reference plus preset reference, within the maximum reference."""
        most = float(self["maximum_reference"])
        if self.settings["operation"] == "hand":
            return min(float(self.settings["hand_frequency"]), most)
        if self["warning_code"] == SILENCE and self["timeout_function"] == MOST:
            return most
        preset = (0.0, *(float(self.settings[f"preset_{k}"]) for k in (1, 2, 3)))[self._valid & 3]
        hertz = (self._reference + preset) / 100 * most
        return min(max(hertz, -most), most) * (-1 if bit(self._valid, 15) else 1)

    # What flows.

    def _turn(self, dt: float) -> None:
        self._wanted = self._demand() / self.plate.frequency
        ramp = "ramp_2" if bit(self._valid, 9) else "ramp_1"
        up, down = float(self[f"{ramp}_up"]), float(self[f"{ramp}_down"])
        target: float | None = 0.0
        match self._mode:
            case Mode.COAST:
                target = None
            case Mode.RUN:
                target = self._wanted
            case Mode.JOG:
                target = float(self["jog_frequency"]) / self.plate.frequency
            case Mode.HOLD:
                target = self.train.output
            case Mode.QUICK_STOP:
                down = float(self["quick_stop_time"])
            case Mode.DC_BRAKE:
                down = 0.0  # as hard as the current limit lets it
        if not target and self.train.standstill and self._mode not in (Mode.RUN, Mode.JOG):
            target = None
        load = self._shaft_kw * 1000 / (max(abs(self.train.speed), 0.02) * self.plate.synchronous * RAD_S)
        self.turn(dt, target, (up, down), load, self.settings["belt"] == "seized")

    def _fan(self, dt: float) -> None:
        """The air follows the wheel; the belt between motor and wheel may be broken."""
        opening = float(self.settings["damper"]) / 100 / math.sqrt(1 + float(self.settings["filter_clogging"]) / 25)
        broken = self.settings["belt"] == "broken"
        point = FAN.point(0.0 if broken else self.train.speed, opening)
        self._shaft_kw = point.power
        air = float(self["airflow"])
        air += (point.flow - air) * min(dt / 0.8, 1.0)
        self["airflow"] = air if air > 1 else 0.0
        self["pressure"] = point.rise

    def _report(self) -> None:
        train, mode, hertz = self.train, self._mode, self.train.frequency
        tripped = self["alarm_code"] != NONE
        off = self.settings["operation"] == "off"
        state = {
            "control_ready": not tripped,
            "drive_ready": not tripped and not off,
            "enabled": not tripped and mode is not Mode.COAST,
            "tripped": tripped,
            "warning": self["warning_code"] != NONE,
            "at_reference": mode is Mode.RUN and abs(train.output - self._wanted) < 1e-6,
            "auto": self.settings["operation"] == "auto",
            "in_range": abs(hertz) <= float(self["maximum_reference"]) + 0.05,
            "running": train.output != 0,
            "voltage_limit": train.dc_voltage > 700,
            "current_limit": train.motor.current > 1.4 * self.plate.current,
            "thermal_limit": train.motor.heat > 1.05,
        }
        for name, value in state.items():
            self[name] = value
        self["status_word"] = sum(1 << number for number, name in STATUS.items() if state[name])
        actual = 100 * hertz / float(self["maximum_reference"])
        self["actual_value"] = min(max(actual, -199.9), 199.9)
        self["relay_1_out"], self["relay_2_out"] = bit(self._valid, 11), bit(self._valid, 12)


BEHAVIOUR = DanfossDrive
