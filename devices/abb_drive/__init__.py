"""A variable-speed drive with the ABB Drives profile on a pump."""

from __future__ import annotations

from devices.motor.drive import Drive
from devices.motor.impeller import PUMP_KW, Impeller
from devices.motor.motor import RAD_S, Plate
from devices.motor.sequence import Sequence, State, bit

PUMP = Impeller(shutoff=32.0, drop=0.02, resistance=0.04, idle_kw=0.4, efficiency=0.811, factor=PUMP_KW)
"""At rated speed and 8 m of static head: 20 m³/h, 24 m, 2.0 kW."""
REMOTE = 10
STOPPED, RUN = 0x047E, 0x047F
"""What the keypad's buttons amount to."""
NO_FAULT, STALL, OVERLOAD, SILENCE = 0, 0x7121, 0x7122, 0x6681
NO_WARNING, WARN_OVERLOAD, WARN_SILENCE, WARN_UNDERLOAD = 0, 0xA783, 0xA7CE, 0xA8BF
AT_SETPOINT = 0.01
CAVITATION_FROM, CAVITATION_NOISE = 0.6, 0.3
"""Relative speed below which a pump does not cavitate, as the NPSH it needs falls with n², and noise of its flow per vapour."""
WATER_S, LEAST_FLOW = 0.4, 0.01
"""Time constant of the water in the pipe, and the flow in m³/h that is none."""


class AbbDrive(Drive):
    """See README.md of this folder for the model and its sources."""

    plate = Plate(power=2.2, speed=1450, synchronous=1500, frequency=50, voltage=400, current=5.0, inertia=0.03)
    compensates = True

    def start(self) -> None:
        """Powered on, waiting for a control word with bit 0 off."""
        self._word = 0
        self._reference = 0.0
        self._dry_s = 0.0
        self._wanted = 0.0
        self.sequence = Sequence()
        super().start()
        self._pump(0.0)
        self._report()
        self.written.settle()

    def step(self, dt: float) -> None:
        """Orders of the clients, then state machine, motor and pump."""
        for order in self.orders():
            if "control_word" in order:
                self._obey(int(order["control_word"]))
        self._obey(int(self["control_word"]))
        self._watch(dt)
        self._turn(dt)
        self._pump(dt)
        self.show()
        self._report()
        self.written.settle()

    # Control.

    def _obey(self, word: int) -> None:
        """Let the state machine follow a control word, as far as it is one of a master in control."""
        if self.settings["local_control"]:
            self._reference = float(self.settings["local_speed"])
            if self.sequence.state is State.SWITCH_ON_INHIBITED:
                self.sequence.follow(STOPPED, standstill=self.train.standstill)
            self.sequence.follow(RUN if self._reference else STOPPED, standstill=self.train.standstill)
            return
        reference = float(self["reference"])
        if bit(word, REMOTE) or (not word and not reference):
            self._word, self._reference = word, reference
        # else: bit 10 is off, the last word and the last reference stand
        if self.sequence.follow(self._word, standstill=self.train.standstill, clear=not self.overloaded):
            self["fault_code"] = NO_FAULT

    def _watch(self, dt: float) -> None:
        """Faults and warnings."""
        silent = self.silent(dt, float(self.settings["communication_timeout"])) and not self.settings["local_control"]
        action = self.settings["communication_loss"]
        self._dry_s = self._dry_s + dt if self.sequence.enabled and self._dry else 0.0
        fault = STALL if self.stalled else OVERLOAD if self.overloaded else NO_FAULT
        fault = fault or (SILENCE if silent and action == "fault" and self.sequence.enabled else NO_FAULT)
        if fault and self.sequence.state is not State.FAULT:
            self.sequence.trip()
            self["fault_code"] = fault
        hot = self.train.motor.heat > 1.05
        warnings = (
            (hot, WARN_OVERLOAD),
            (silent and action != "none", WARN_SILENCE),
            (self._dry_s > 10, WARN_UNDERLOAD),
        )
        self["warning_code"] = next((code for on, code in warnings if on), NO_WARNING)

    # What flows.

    def _turn(self, dt: float) -> None:
        most = float(self.settings["maximum_speed"]) / self.plate.synchronous
        wanted = min(max(self._reference / self.plate.synchronous, -most), most)
        down, emergency = float(self["deceleration_time"]), float(self["emergency_stop_time"])
        target: float | None
        match self.sequence.state:
            case State.OPERATION:
                target = wanted
            case State.RAMP_OUTPUT_ENABLED:
                target = self.train.output
            case State.OPERATION_ENABLED | State.OFF3_ACTIVE:
                target, down = 0.0, emergency
            case State.RAMP_ENABLED | State.OFF1_ACTIVE:
                target = 0.0
            case _:
                target = None
        self._wanted = wanted
        relative = max(abs(self.train.speed), 0.02)
        load = self._shaft_kw * 1000 / (relative * self.plate.synchronous * RAD_S)
        blocked = self.settings["pump"] == "blocked"
        self.turn(dt, target, (float(self["acceleration_time"]), down), load, blocked)

    @property
    def _dry(self) -> bool:
        return self.settings["pump"] == "dry" or "dry-run" in self.faults

    def _vapour(self, speed: float) -> float:
        """Share of vapour in the pump, 0 to 1."""
        if "cavitation" not in self.faults:
            return 0.0
        share = min(max((speed - CAVITATION_FROM) / (1 - CAVITATION_FROM), 0.0), 1.0)
        return share * float(self.faults["cavitation"]["vapour"]) / 100

    def _pump(self, dt: float) -> None:
        opening, speed = float(self.settings["valve"]) / 100, self.train.speed
        vapour = self._vapour(speed)
        point = PUMP.point(speed, opening, float(self.settings["static_head"]), self._dry, vapour)
        self._shaft_kw = point.power
        flow = float(self["flow"])
        moved = point.flow
        if vapour and moved:  # bubbles come and go
            moved *= 1 + CAVITATION_NOISE * vapour * min(max(float(self.random.standard_normal()), -3.0), 3.0)
        flow += (moved - flow) * min(dt / WATER_S, 1.0)
        self["flow"] = flow if flow > LEAST_FLOW else 0.0
        self["head"] = point.rise

    def _report(self) -> None:
        """The status word and what goes with it."""
        sequence, state = self.sequence, self.sequence.state
        at = state is State.OPERATION and abs(self.train.speed - self._wanted) < AT_SETPOINT
        above = abs(self.train.motor.speed) >= float(self.settings["supervision_limit"])
        bits = (
            *sequence.status_bits(self._word),
            self["warning_code"] != NO_WARNING,
            at,
            not self.settings["local_control"],
            above,
            bit(self._word, 11),
            True,  # external run enable
        )
        word = sum(1 << number for number, on in enumerate(bits) if on)
        self["status_word"], self["drive_state"] = word, int(state)
        self["running"], self["at_setpoint"] = sequence.enabled, at


BEHAVIOUR = AbbDrive
