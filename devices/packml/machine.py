"""The PackML state machine of one machine: commands, modes, times in states. What it does with parts is in `unit`."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import simpy

from devices.packml.reason import Reason
from devices.packml.state import COMPLETES, MODE_CHANGES, TMC, Command, Mode, State, after
from labsim.plant import status
from labsim.plant.device import Device
from labsim.plant.tags import Tag, Value

DURATION_S: Mapping[State, float] = {
    State.CLEARING: 2.0, State.STARTING: 3.0, State.STOPPING: 2.0, State.ABORTING: 0.5, State.HOLDING: 1.0,
    State.UNHOLDING: 1.5, State.SUSPENDING: 0.5, State.UNSUSPENDING: 1.0, State.RESETTING: 2.5, State.COMPLETING: 1.5,
}  # fmt: skip
"""How long an acting state lasts."""
REACTION_S = 2.0
"""So long an operator takes to press the next button."""
LASTED: Mapping[State, str] = {
    State.STOPPED: "stopped_time", State.IDLE: "idle_time", State.EXECUTE: "execute_time", State.HELD: "held_time",
    State.SUSPENDED: "suspended_time", State.ABORTED: "aborted_time", State.COMPLETE: "complete_time",
}  # fmt: skip
"""Tag that sums up the seconds in a state."""
TOTALS = {f"prod_{kind}_count": f"prod_{kind}_acc" for kind in ("consumed", "processed", "defective")}
COUNTERS = (*TOTALS, "order_good", "order_bad")
_METHODS = {
    "abort": Command.ABORT, "clear": Command.CLEAR, "stop": Command.STOP, "reset": Command.RESET, "start": Command.START,
    "hold": Command.HOLD, "unhold": Command.UNHOLD, "suspend": Command.SUSPEND, "unsuspend": Command.UNSUSPEND,
    "to_complete": Command.COMPLETE,
}  # fmt: skip
_OPERATOR = {
    State.ABORTED: Command.CLEAR, State.STOPPED: Command.RESET, State.IDLE: Command.START, State.HELD: Command.UNHOLD,
}  # fmt: skip
NO_ORDER = {State.STOPPED, State.IDLE, State.COMPLETE, State.ABORTED}


class PackmlMachine(Device):
    """States, modes and commands. A subclass says what happens in them: `entered`, `changeover`, `judge`."""

    def start(self) -> None:
        """Stopped, in production mode; an operator, where there is one, starts it."""
        self.state, self.mode = State.STOPPED, Mode.PRODUCTION
        self.fault = Reason.NONE
        self.suspended_by_client = False
        self._wanted = bool(self.settings["auto_restart"])  # by the operator
        self._visit = 0  # of states: what was meant for an earlier one comes to nothing
        self._entered = self._mode_entered = self._reset_at = 0.0
        self._lasted = dict.fromkeys(LASTED, 0.0)
        self._said: dict[str, int] = {}  # what a request that is being judged writes beside its command
        self._second = 0

    # What a subclass overrides.

    def entered(self, state: State) -> None:
        """The machine has come into a state."""

    def begins_changeover(self) -> bool:
        """Whether Starting lasts until `done`, because the machine is set up for something else."""
        return False

    def judge(self) -> None:
        """State, mode or fault has changed: what follows for the rest of the machine."""

    def show(self) -> None:
        """Once a second: what is shown of slow things."""

    # States.

    def enter(self, state: State) -> None:
        """Go into a state; an acting one is left by itself when its time is over."""
        before, now = self.state, self.now_s
        if before in self._lasted:
            self._lasted[before] += now - self._entered
        self.state, self._entered = state, now
        self._visit += 1
        self["state_current"], self["state_enumeration"] = int(state), TMC[state]
        if state is not before:
            self.emit("StateChanged", From=int(before), To=int(state))
        if before is State.COMPLETE and state is State.RESETTING:
            self["order_good"] = self["order_bad"] = 0
        if state in DURATION_S and not (state is State.STARTING and self.begins_changeover()):
            self.later(DURATION_S[state], self.done)
        self.judge()
        visit = self._visit
        self.entered(state)
        if visit == self._visit:
            self.press_later()

    def done(self) -> None:
        """The work of an acting state is done."""
        self.enter(COMPLETES[self.state])

    def later(self, seconds: float, act: Callable[[], None]) -> None:
        """Do something later, unless the machine has left its state by then."""
        visit = self._visit

        def due(_event: simpy.Event) -> None:
            if visit == self._visit:
                act()

        self.wait(seconds).callbacks.append(due)

    # The operator.

    def press_later(self) -> None:
        """An operator who wants the machine to run presses what comes next."""
        if self._wanted and not self.fault and self.state in _OPERATOR:
            self.later(REACTION_S, self._press)

    def _press(self) -> None:
        if self._wanted and not self.fault and (state := after(self.state, _OPERATOR[self.state], self.mode)):
            self.enter(state)

    def configured(self, name: str) -> None:
        """An operator comes or goes."""
        if name == "auto_restart":
            self._wanted = bool(self.settings[name])
            self.press_later()

    # Commands of clients.

    def command(self, command: Command) -> int:
        """Do a command of a client; BadInvalidState when the state or the mode has no such transition."""
        state = self._after(command)
        if state is None:
            return status.BAD_INVALID_STATE
        self.suspended_by_client = command is Command.SUSPEND
        if command in (Command.START, Command.UNHOLD):
            self._wanted = bool(self.settings["auto_restart"])
        elif command in (Command.STOP, Command.ABORT, Command.HOLD, Command.COMPLETE):
            self._wanted = False
        self.enter(state)
        return status.GOOD

    def completed(self) -> None:
        """All that was ordered is made."""
        self._wanted = False
        self.enter(State.COMPLETING)

    def _after(self, command: Command) -> State | None:
        if command is Command.CLEAR and self.fault is Reason.EMERGENCY_STOP:
            return None  # the button is still pressed
        return after(self.state, command, self.mode)

    def set_mode(self, mode: Mode) -> int:
        """Change the unit mode; BadInvalidState outside Stopped, Idle and Aborted."""
        if mode is not self.mode:
            if self.state not in MODE_CHANGES:
                return status.BAD_INVALID_STATE
            self.mode, self._mode_entered = mode, self.now_s
            self["unit_mode_current"] = int(mode)
            self.judge()
        return status.GOOD

    def guard(self, tag: Tag, value: Value) -> int:
        """A request is judged with the command or mode that stands beside it, also one of the same write."""
        good = True
        match tag.name:
            case "cntrl_cmd" | "unit_mode":
                self._said[tag.name] = int(value)
            case "cmd_change_request" if value:
                good = self._after(Command(self._said.get("cntrl_cmd", int(self["cntrl_cmd"])))) is not None
            case "unit_mode_change_request" if value:
                wanted = self._said.get("unit_mode", int(self["unit_mode"]))
                good = wanted == self.mode or self.state in MODE_CHANGES
            case "order_id" | "order_quantity":
                good = self.state in NO_ORDER
        return status.GOOD if good else status.BAD_INVALID_STATE

    def take(self, tag: Tag, value: Value) -> Value:
        """Requests are carried out at once and read false again; a new order begins at nothing."""
        match tag.name:
            case "cmd_change_request" if value:
                self.command(Command(int(self["cntrl_cmd"])))
                return False
            case "unit_mode_change_request" if value:
                self.set_mode(Mode(int(self["unit_mode"])))
                return False
            case "reset_counters" if value:
                self.reset_counters()
                return False
            case "order_id":
                self["order_good"] = self["order_bad"] = 0
        return value

    def call(self, name: str, arguments: Sequence[Value]) -> tuple[int, Sequence[Value]]:
        """The commands, the mode, the speed and the counters as methods."""
        if name in _METHODS:
            return self.command(_METHODS[name]), ()
        if name == "set_unit_mode":
            number = int(arguments[0])
            known = any(number == mode for mode in Mode)
            return (self.set_mode(Mode(number)) if known else status.BAD_INVALID_ARGUMENT), ()
        if name == "set_mach_speed":
            return self.store.write(self.tags["mach_speed"].row, float(arguments[0])), ()
        if name == "clear_counters":
            self.reset_counters()
            return status.GOOD, ()
        return super().call(name, arguments)

    # Counters and times.

    def count(self, name: str) -> None:
        """One more, also of what is never reset."""
        self[name] = int(self[name]) + 1
        if (total := TOTALS.get(name)) is not None:
            self[total] = int(self[total]) + 1

    def reset_counters(self) -> None:
        """Production counters, those of the order and the time since the last reset begin anew."""
        for name in COUNTERS:
            self[name] = 0
        self._reset_at = self.now_s

    def step(self, dt: float) -> None:  # noqa: ARG002 - only whole seconds of plant time count here
        """Once a second, how long everything has lasted."""
        if self._said:
            self._said = {}
        now = self.now_s
        if int(now) == self._second:
            return
        self._second = int(now)
        self["state_current_time"] = int(now - self._entered)
        self["mode_current_time"] = int(now - self._mode_entered)
        self["acc_time_since_reset"] = int(now - self._reset_at)
        if (name := LASTED.get(self.state)) is not None:
            self[name] = int(self._lasted[self.state] + now - self._entered)
        self.show()
