"""A machine of a packaging line: part after part through the PackML states.

What happens in order is driven by events alone, so a machine that waits costs nothing. A machine type overrides `work` and what
else it needs.
"""

from __future__ import annotations

import math
from typing import ClassVar

import simpy

from devices.packml.reason import Reason, time_class
from devices.packml.state import Command, Mode, State, after
from devices.packml.trouble import HELD_BY, TroubledMachine
from labsim.plant.device import Process
from labsim.plant.flow import Part, Signals, TimeClass

SUSPEND_AFTER_S = 3.0
"""So long a machine without parts, place or material waits in Execute before it suspends."""
_RAMP_S = 0.8
_EXECUTING = {State.EXECUTE, State.SUSPENDING, State.SUSPENDED, State.UNSUSPENDING}


class PackmlUnit(TroubledMachine):
    """One machine between two lanes; the README of its type says what it does with a part.

    Attributes:
        idle_kw, busy_kw: What it draws when it waits and when it works.
        air_m3h: Free air that it takes when it works, where it has a port for it.
    """

    idle_kw: ClassVar[float] = 0.3
    busy_kw: ClassVar[float] = 1.5
    air_m3h: ClassVar[float] = 0.0

    # What a machine type overrides.

    def work(self, part: Part) -> Process:
        """Do to a part what the machine does, for a cycle; sets ``part.good`` and ``part.marks``."""
        raise NotImplementedError

    def rejects(self, part: Part) -> bool:  # noqa: ARG002 - most machines throw nothing out
        """Whether a finished part leaves the line here."""
        return False

    def lacks_material(self) -> bool:
        """Whether the next part cannot be made for want of material."""
        return False

    def changeover_s(self) -> float:
        """How long an operator takes to set the machine up for what is to be made next; 0 when nothing changes."""
        return 0.0

    def changed_over(self) -> None:
        """The machine is set up."""

    # Life.

    def start(self) -> None:
        """Nothing in the machine, everything whole."""
        super().start()
        self._waits = Reason.NONE  # for parts, place or material
        self._changing = self._spending = self._busy = False
        self._go = self.env.event()
        self._worker: simpy.Process | None = None
        self._speed = 0.0
        self.watchers: list[Signals] = self.signals("signals")
        self.enter(State.STOPPED)

    def run(self) -> Process:
        """Part after part, as long as the machine executes."""
        self._worker = self.env.active_process
        inlet, outlet = self.lane("parts_in"), self.lane("parts_out")
        while True:
            if not self._runs:
                yield from self._executing()
            while self.lacks_material():
                self._wait_for(Reason.NO_MATERIAL)
                yield self.wait(1.0)
            self._wait_for(Reason.NONE)
            if not self._runs:
                yield from self._executing()
            getting = inlet.get()
            if not getting.triggered:
                self._wait_for(Reason.STARVED)
                yield getting
                self._wait_for(Reason.NONE)
            part = getting.value
            self.count("prod_consumed_count")
            part.trail.append((self.path, self.now_s))
            yield from self.work(part)
            self._finish(part)
            if not self.rejects(part):
                putting = outlet.put(part)
                if not putting.triggered:
                    self._wait_for(Reason.BLOCKED)
                    yield putting
                    self._wait_for(Reason.NONE)
            if 0 < int(self["order_quantity"]) <= int(self["order_good"]) and self.state is State.EXECUTE:
                order = {"Order": self["order_id"], "Good": self["order_good"], "Defective": self["order_bad"]}
                self.emit("OrderCompleted", **order)
                self.completed()

    @property
    def _runs(self) -> bool:
        return self.state is State.EXECUTE and self.mode is Mode.PRODUCTION and not self.fault

    def _executing(self) -> Process:
        while not self._runs:
            yield self._go

    def cycle_s(self) -> float:
        """How long the next part takes: one over the speed, with the scatter of an automatic machine (2 %)."""
        scatter = min(max(float(self.random.standard_normal()), -3.0), 3.0)
        return 60.0 / float(self["mach_speed"]) * (1.0 + 0.02 * scatter)

    def spend(self, seconds: float) -> Process:
        """Work so long on a part: only time in which the machine executes counts, and only in it things break."""
        left = seconds
        while True:
            if not self._runs:
                yield from self._executing()
            piece = min(left, self.to_minor, self.to_failure)
            began, self._spending = self.now_s, True
            try:
                yield self.wait(piece)
                spent = piece
            except simpy.Interrupt:
                spent = self.now_s - began
            self._spending = False
            left -= spent
            self.to_failure -= spent
            self.to_minor -= spent
            if self.to_failure <= 0:
                self.to_failure = self.draw_failure()
                self.env.process(self.break_down())
                yield self.wait(0.0)  # the breakdown begins before anything else does
            elif self.to_minor <= 0:
                yield from self.stop_shortly()
            elif left <= 0:
                return

    def _finish(self, part: Part) -> None:
        self.count("prod_processed_count")
        self.count("order_good" if part.good else "order_bad")
        if not part.good:
            self.count("prod_defective_count")
        for signals in self.watchers:
            signals.made += 1
            signals.bad += not part.good

    # In the states.

    def entered(self, state: State) -> None:
        """Work goes on in Execute and stands still elsewhere."""
        if self._spending and state is not State.EXECUTE and self._worker is not None:
            self._spending = False
            self._worker.interrupt()
        if state is State.SUSPENDED:
            self._unsuspend()
        elif state is State.EXECUTE and self.fault:
            held = self.fault in HELD_BY and self.mode is not Mode.MANUAL
            self.enter(State.HOLDING if held else State.ABORTING)
        elif state is State.EXECUTE:
            self.suspended_by_client = False
            if self._waits:
                self.later(SUSPEND_AFTER_S, self._suspend)
            self.resume()

    def begins_changeover(self) -> bool:
        """An operator sets the machine up in Starting."""
        self._changing = self.changeover_s() > 0
        if self._changing:
            self.env.process(self._change_over(self._visit))
        return self._changing

    def _change_over(self, visit: int) -> Process:
        with self.crew.request() as operator:
            yield operator
            yield self.wait(self.changeover_s())
        if visit == self._visit:  # else it was given up: the machine is as it was
            self._changing = False
            self.changed_over()
            self.done()

    def resume(self) -> None:
        """The next part, or the rest of this one."""
        if self._runs:
            self._go.succeed()
            self._go = self.env.event()

    def _wait_for(self, reason: Reason) -> None:
        """The machine waits for parts, place or material, or goes on: after a while it suspends, and back by itself."""
        if reason is self._waits:
            return
        self._waits = reason
        self["equipment_starved"], self["equipment_blocked"] = reason is Reason.STARVED, reason is Reason.BLOCKED
        self["material_interlock"] = reason is not Reason.NO_MATERIAL
        self.judge()
        if reason and self.state is State.EXECUTE:
            self.later(SUSPEND_AFTER_S, self._suspend)
        self._unsuspend()

    def _suspend(self) -> None:
        if self._waits and after(self.state, Command.SUSPEND, self.mode) is not None:
            self.enter(State.SUSPENDING)

    def _unsuspend(self) -> None:
        if self.state is State.SUSPENDED and not self._waits and not self.suspended_by_client:
            self.enter(State.UNSUSPENDING)

    def judge(self) -> None:
        """Why the machine stands, what its time counts as, and what it draws."""
        reason = self._reason()
        self["stop_reason_id"] = int(reason)
        doing = time_class(self.state, self.mode, reason)
        for signals in self.watchers:
            signals.enter(doing)
        self._busy = doing is TimeClass.PRODUCING
        dead = self.fault is Reason.NO_POWER
        self.power.demand = 0.0 if dead else self.busy_kw if self._busy else self.idle_kw
        if self.air is not None:
            self.air.demand = self.air_m3h if self._busy else 0.0

    def _reason(self) -> Reason:
        if self.fault:
            return self.fault
        if self.minor and self.state is State.EXECUTE:
            return Reason.MINOR_STOP
        if self.state in _EXECUTING:
            by_client = self.suspended_by_client and self.state is not State.EXECUTE
            return Reason.COMMAND if by_client else self._waits
        if self.state in (State.STARTING, State.RESETTING):
            return Reason.CHANGEOVER if self._changing and self.state is State.STARTING else Reason.NONE
        return Reason.ORDER_COMPLETE if self.state in (State.COMPLETING, State.COMPLETE) else Reason.COMMAND

    def step(self, dt: float) -> None:
        """Supplies, and the speed on its ramp."""
        super().step(dt)
        self.supplied()
        target = float(self["mach_speed"]) if self._busy else 0.0
        if self._speed != target:
            self._speed += (target - self._speed) * (1 - math.exp(-dt / _RAMP_S))
            if abs(self._speed - target) < 0.05:
                self._speed = target
            self["cur_mach_speed"] = self._speed

    def show(self) -> None:
        """Power, with the flicker of motors and valves."""
        flicker = min(max(float(self.random.standard_normal()), -4.0), 4.0)
        self["power"] = self.power.demand * (1 + 0.02 * flicker)
