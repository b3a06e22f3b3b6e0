"""A station of an SMT line: takes a board, works on it, hands it on; starved, blocked, stopped or without power in between."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from typing import Any

import simpy

from labsim.plant import status
from labsim.plant.device import Device, Process
from labsim.plant.flow import Lane, Part, TimeClass
from labsim.plant.tags import Value

OFF, STARVED, PROCESSING, BLOCKED, STOPPED, SERVICE, MATERIAL = range(7)
OUT_OF_SERVICE, NOT_EXECUTING, EXECUTING = 1, 2, 3
STOP_S = (5.0, 40.0)
"""Length of a short stop."""
IDLE_KW = 0.35
CLASSES = {
    OFF: TimeClass.IDLE, STARVED: TimeClass.STARVED, PROCESSING: TimeClass.PRODUCING, BLOCKED: TimeClass.BLOCKED,
    STOPPED: TimeClass.MINOR_STOP, SERVICE: TimeClass.SETUP, MATERIAL: TimeClass.STARVED,
}  # fmt: skip
"""What a monitor of OEE is told."""
TIMES = {STARVED: "starved_time", PROCESSING: "processing_time", BLOCKED: "blocked_time"}


class Station(Device):
    """The base of printer, placer and inspection.

    A subclass says what it does to a board in `work`, and what that draws in ``working_kw``. Times that it waits for with
    `busy` stand still while the station is stopped or without power.
    """

    working_kw = 1.5

    def start(self) -> None:
        """Empty, and in production when the settings say so."""
        self._doing = STARVED
        self._left = 0.0  # seconds of the present work
        self._done: simpy.Event | None = None
        self._stop = False  # a short stop
        self._live = True
        self["production"] = bool(self.settings["autostart"])
        self.env.process(self._stops())

    def work(self, part: Part) -> Generator[simpy.Event, Any, Lane | None]:
        """Work on one board; the lane it leaves by, or None when it leaves the line."""
        raise NotImplementedError

    def call(self, name: str, arguments: Sequence[Value]) -> tuple[int, Sequence[Value]]:  # noqa: ARG002 - none has any
        """Begin and end production."""
        self["production"] = name == "start_production"
        return status.GOOD, ()

    def run(self) -> Process:
        """Board after board."""
        lane = self.lane("boards_in")
        while True:
            self._doing = STARVED
            while not self["production"]:
                yield self.wait(0.2)
            part: Part = yield lane.get()
            while not self["production"]:
                yield self.wait(0.2)
            began = self.now_s
            part.trail.append((self.path, began))
            self["board_identity"] = part.identity
            self["boards_taken"] = int(self["boards_taken"]) + 1
            outlet = yield from self.work(part)
            self["cycle_time"] = min(self.now_s - began, 86_400.0)
            for signals in self.signals("signals"):
                signals.made += 1
                signals.bad += not part.good
            if outlet is None:
                continue
            self._doing = BLOCKED
            yield outlet.put(part)
            self["boards_completed"] = int(self["boards_completed"]) + 1

    def busy(self, seconds: float, doing: int = PROCESSING) -> simpy.Event:
        """An event that happens after so many seconds in which the station was not held."""
        self._doing, self._left = doing, seconds
        self._done = self.env.event()
        return self._done

    def service(self, seconds: float, doing: int = SERVICE) -> Process:
        """Wait for one of the plant's operators, and for what he does."""
        self._doing = doing
        with self.crew.request() as operator:
            yield operator
            yield self.busy(seconds, doing)

    def _stops(self) -> Process:
        """Short stops at a constant rate per hour of processing: one that falls into waiting does not happen."""
        while True:
            rate = float(self.settings["stops_per_hour"])
            yield self.wait(float(self.random.exponential(3600 / rate)) if rate else 60.0)
            if rate and self["state"] == PROCESSING:
                self._stop = True
                self["short_stops"] = int(self["short_stops"]) + 1
                yield self.wait(float(self.random.uniform(*STOP_S)))
                self._stop = False

    def step(self, dt: float) -> None:
        """Let the present work go on, tell the state, count times and energy."""
        (power,) = self.supplies("power")
        self._live = power.level > 0
        held = self._stop or not self._live
        if self._done is not None and not held:
            self._left -= dt
            if self._left <= 1e-9:
                event, self._done = self._done, None
                event.succeed()
        state = self._state()
        self["state"] = state
        self["machinery_item_state"] = (
            OUT_OF_SERVICE if state in (STOPPED, MATERIAL)
            else EXECUTING if state in (PROCESSING, SERVICE) else NOT_EXECUTING
        )  # fmt: skip
        for signals in self.signals("signals"):
            signals.enter(TimeClass.DOWN if not self._live else CLASSES[state])
        name = TIMES.get(state, "down_time")
        if state != OFF:
            self[name] = float(self[name]) + dt / 3600
        ripple = 1 + 0.02 * min(max(float(self.random.standard_normal()), -4.0), 4.0)
        drawn = (IDLE_KW + self.working_kw * (state in (PROCESSING, SERVICE))) * ripple if self._live else 0.0
        self["power"] = power.demand = drawn
        self["energy"] = float(self["energy"]) + drawn * dt / 3600

    def _state(self) -> int:
        if not self._live or (not self["production"] and self._doing == STARVED):
            return OFF
        return STOPPED if self._stop else self._doing
