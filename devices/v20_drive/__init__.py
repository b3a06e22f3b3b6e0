"""A compact variable-speed drive with the register map of the SINAMICS V20 on a belt conveyor."""

from __future__ import annotations

from devices.motor.belt import Belt
from devices.motor.drive import Drive
from devices.motor.motor import Plate
from devices.motor.sequence import Sequence, State, bit
from labsim.plant import status
from labsim.plant.tags import Tag, Value

BELT = Belt(empty=1.5, loaded=5.0, viscous=0.15, metres=0.8)
BITS = {"start": 0, "run_enable": 3, "fault_acknowledge": 7, "reverse": 11}
"""Registers that are single bits of the control word."""
REMOTE, REVERSE = 10, 11
REST = 0x0476
"""The control word of a drive that nobody has written to: all but on and run enable."""
FULL = 0x4000
"""100 % in the setpoint word and the actual word."""
NO_FAULT, STALL, OVERLOAD, SILENCE = 0, 90, 11, 72
NO_ALARM, HOT, DELAYED = 0, 511, 930


class V20Drive(Drive):
    """See README.md of this folder for the model and its sources."""

    plate = Plate(power=0.75, speed=1395, synchronous=1500, frequency=50, voltage=400, current=1.9, inertia=0.02)

    def start(self) -> None:
        """Powered on with the control word at rest: ready to switch on."""
        self.sequence = Sequence()
        self._word = REST
        self["control_word"] = REST
        self._target = 0.0
        super().start()
        self._follow()
        self._report()
        self.written.settle()

    def guard(self, tag: Tag, value: Value) -> int:
        """Ramps and the reference frequency are not changed while the motor runs."""
        if tag.name == "reference_frequency" and self.sequence.enabled:
            return status.BAD_INVALID_STATE
        return super().guard(tag, value)

    def step(self, dt: float) -> None:
        """Orders of the clients, then state machine, motor and belt."""
        for order in self.orders():
            self._take(order)
        self._follow()
        self._watch(dt)
        self._turn(dt)
        self.show()
        self["torque"] = self.train.motor.torque
        self._report()
        self.written.settle()

    # Control.

    def _take(self, order: dict[str, Value]) -> None:
        """The control word and its single bits are one thing, and so are the setpoint in % and its word: the last one counts."""
        if "control_word" in order:
            self._word = int(order["control_word"])
        for name, number in BITS.items():
            if name in order:
                self._word = self._word & ~(1 << number) | bool(order[name]) << number
        if "setpoint_word" in order:
            self["setpoint"] = min(max(100 * int(order["setpoint_word"]) / FULL, -200.0), 200.0)
        if "setpoint" in order:
            self["setpoint_word"] = min(max(round(float(order["setpoint"]) / 100 * FULL), -32768), 32767)
        self._follow()

    def _follow(self) -> None:
        self["control_word"] = self._word
        for name, number in BITS.items():
            self[name] = int(bit(self._word, number))
        if not bit(self._word, REMOTE):
            return  # the drive is not under this master's control: it goes on as it was
        hertz = float(self["setpoint"]) / 100 * float(self["reference_frequency"])
        most = float(self.settings["maximum_frequency"])
        self._target = min(max(hertz, -most), most) * (-1 if bit(self._word, REVERSE) else 1)
        if self.sequence.follow(self._word, standstill=self.train.standstill, clear=not self.overloaded):
            self["fault_code"] = NO_FAULT

    def _watch(self, dt: float) -> None:
        limit = float(self["watchdog_time"]) / 1000
        late = self.silent(dt, limit)
        fault = STALL if self.stalled else OVERLOAD if self.overloaded else NO_FAULT
        fault = fault or (SILENCE if late and self["watchdog_action"] == 1 else NO_FAULT)
        if fault and self.sequence.state is not State.FAULT:
            self.sequence.trip()
            self["fault_code"] = fault
        self["alarm_code"] = HOT if self.train.motor.heat > 1.05 else DELAYED if late else NO_ALARM

    # What flows.

    def _turn(self, dt: float) -> None:
        relative = self._target / self.plate.frequency
        up, down = float(self["ramp_up"]), float(self["ramp_down"])
        target: float | None
        match self.sequence.state:
            case State.OPERATION:
                target = relative
            case State.RAMP_OUTPUT_ENABLED:
                target = self.train.output
            case State.OPERATION_ENABLED | State.OFF3_ACTIVE:
                target, down = 0.0, min(down, float(self.settings["quick_stop_time"]))
            case State.RAMP_ENABLED | State.OFF1_ACTIVE:
                target = 0.0
            case _:
                target = None
        load = BELT.torque(self.train.speed, float(self.settings["belt_load"]) / 100)
        scale = self.plate.frequency / float(self.settings["maximum_frequency"])  # ramps go from 0 to the maximum
        self.turn(dt, target, (up * scale, down * scale), load, self.settings["belt"] == "jammed")
        slips = self.settings["belt"] == "slack"
        self["belt_speed"] = 0.0 if slips else BELT.metres * self.train.speed

    def _report(self) -> None:
        sequence, state, train = self.sequence, self.sequence.state, self.train
        frequency = train.frequency
        away = abs(frequency - self._target) if sequence.enabled else 0.0
        bits = (
            *sequence.status_bits(self._word),
            self["alarm_code"] != NO_ALARM,
            away < 3.0,
            True,  # control by a master is possible
            abs(frequency) >= float(self.settings["maximum_frequency"]) - 0.1,
            abs(train.motor.torque) < 1.45 * self.plate.torque,  # the current limit is not reached
            False,  # no holding brake
            train.motor.heat < 1.05,  # the motor is not overloaded
            train.motor.speed >= 0,
            train.heatsink < 60,  # nor is the inverter
        )
        self["status_word"] = sum(1 << number for number, on in enumerate(bits) if on)
        self["drive_state"], self["running"] = int(state), sequence.enabled
        actual = frequency / float(self["reference_frequency"]) * FULL
        self["actual_word"] = round(min(max(actual, -32767.0), 32767.0))


BEHAVIOUR = V20Drive
