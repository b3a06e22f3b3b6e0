"""A three-axis machining centre that makes parts until its target is reached."""

from __future__ import annotations

import math
from collections.abc import Sequence

import simpy

from devices.cnc_mill.motion import Axes
from devices.cnc_mill.programs import AT_SPEED, HOME, PROGRAMS, SPINDLE_TAU_S, TOOL_SWAP_S, Move, Operation, Program
from devices.cnc_mill.tool import tools
from labsim.plant import status
from labsim.plant.device import Device, Process
from labsim.plant.flow import Part, TimeClass
from labsim.plant.tags import Tag, Value

OUT_OF_SERVICE, NOT_EXECUTING, EXECUTING = 1, 2, 3
INITIALIZING, RUNNING, ENDED, INTERRUPTED = 0, 1, 2, 3
AUTOMATIC, SERVICE = 1, 4
OPERATION_TO_MACHINERY_MODE = {0: 0, 1: 3, 2: 2, 3: 3, 4: 1, 5: 0}
FAULTS = (1, 2, 3, 4)
NO_STOP, TOOL_CHANGE, LOADING, TARGET_REACHED, NOT_AUTOMATIC, NO_COOLANT, STARVED, BLOCKED, NO_POWER = 0, *range(5, 13)
_TIME_CLASSES = {
    NO_STOP: TimeClass.SETUP, TOOL_CHANGE: TimeClass.SETUP, LOADING: TimeClass.SETUP, TARGET_REACHED: TimeClass.IDLE,
    STARVED: TimeClass.STARVED, BLOCKED: TimeClass.BLOCKED,
} | dict.fromkeys(FAULTS, TimeClass.MINOR_STOP)  # fmt: skip
TOLERANCE_UM = 25.0
WARM_UP_SPEED = 3000.0
TOOL_CHANGE_S = 40.0
COOLANT_L_MIN, LEAST_COOLANT = 20.0, 0.3
"""Coolant drawn while it executes, and the pressure (bar) that it needs at least."""
VIBRATION_MM_S, UNBALANCE_MM_S, BEARING_MM_S = 0.35, 0.8, 0.25
"""RMS velocity at the spindle nose: standing machine's floor, unbalance at 8,000 r/min, and a bearing's first damage."""
WORST_BEARING = 40.0


class CncMill(Device):
    """See README.md of this folder for the model and its sources."""

    def start(self) -> None:
        """A cold machine with new tools and an empty job."""
        ambient = float(self.settings["ambient_temperature"])
        self._axes, self._magazine = Axes(), tools()
        self._power, self._coolant = self.supplies("power")[0], self.supplies("coolant")[0]
        self._monitors = self.signals("signals")
        self._worn: dict[int, float] = {}  # use of each tool as it is shown
        self._operation: Operation | None = None
        self._arrived: simpy.Event | None = None
        self._commanded = 0.0  # spindle speed of the program, r/min
        self._speed = self._load = 0.0
        self._spindle_c = self._coolant_c = ambient
        self._flicker = 0.0
        self._fault = NO_STOP
        self._waits_for = NO_STOP  # why the machine stands when nothing is wrong
        self._without = NO_STOP  # a supply that is missing
        self._broken: set[int] = set()  # numbers of tools without their cutting edges
        self._bearing = 0.0  # damage of the spindle bearing, 0 is none
        self._job = 1
        self["job_identifier"] = "JOB-0001"
        self["parts_lifetime"] = int(self.random.integers(2_000, 90_000))
        self["operation_cycles"] = self["parts_lifetime"]
        self._select(self._program())
        self.env.process(self._interruptions())
        self._show(0.0, 0.0)

    def _program(self) -> Program:
        return PROGRAMS[str(self.settings["program"])]

    def _select(self, program: Program) -> None:
        self["program_name"], self["program_number"] = program.name, program.number
        self["planned_cycle_time"] = round(program.planned_s, 1)

    def guard(self, tag: Tag, value: Value) -> int:
        """No target below what is made, no new job inside a program (OPC 10000-4: BadInvalidState)."""
        if tag.name == "part_target" and float(value) < float(self["parts_completed"]):
            return status.BAD_INVALID_STATE
        if tag.name == "reset" and value and self["program_state"] != ENDED:
            return status.BAD_INVALID_STATE
        return status.GOOD

    def call(self, name: str, arguments: Sequence[Value]) -> tuple[int, Sequence[Value]]:
        """Start a job, or put a new tool into the magazine; neither inside a program (BadInvalidState)."""
        if self["program_state"] != ENDED:
            return status.BAD_INVALID_STATE, ()
        if name == "start_job":
            return self._start_job(str(arguments[0]), int(arguments[1]))
        number = int(arguments[0])
        if number not in self._magazine:
            return status.BAD_INVALID_ARGUMENT, ()
        worn = 100 * self._magazine[number].used
        self._magazine[number].used = 0.0
        self._broken.discard(number)
        self["tool_changes"] = int(self["tool_changes"]) + 1
        return status.GOOD, (worn,)

    def _start_job(self, program: str, parts: int) -> tuple[int, Sequence[Value]]:
        most = self.tags["part_target"].high
        if program not in PROGRAMS or parts < 1 or (most is not None and parts > most):
            return status.BAD_INVALID_ARGUMENT, ()
        self.configure("program", program)
        self._new_job()
        self["part_target"] = parts
        self._select(PROGRAMS[program])
        return status.GOOD, (self["job_identifier"],)

    # What happens in order.

    def run(self) -> Process:
        """Warm up, then part after part."""
        self["is_warm_up"] = True
        self._commanded = WARM_UP_SPEED
        yield self.wait(float(self.settings["warm_up"]))
        self._commanded = 0.0
        self["is_warm_up"] = False
        while True:
            while self["operation_mode"] != AUTOMATIC or float(self["parts_completed"]) >= float(self["part_target"]):
                self._waits_for = TARGET_REACHED if self["operation_mode"] == AUTOMATIC else NOT_AUTOMATIC
                yield self.wait(0.5)
            for number, tool in self._magazine.items():
                if tool.worn_out:
                    yield from self._renew(number)
            self._waits_for = STARVED if self.lane("parts_in").empty else LOADING
            part: Part = yield self.lane("parts_in").get()
            part.trail.append((self.path, self.now_s))
            self._waits_for = LOADING
            yield self.wait(float(self.random.triangular(5.0, 6.0, 9.0)))
            self._waits_for = NO_STOP
            yield from self._make_part(self._program())
            part.good = part.good and self["part_quality"] == 1
            part.marks["deviation"], part.marks["program"] = self["part_deviation"], self["program_name"]
            self._waits_for = BLOCKED if self.lane("parts_out").full else NO_STOP
            yield self.lane("parts_out").put(part)
            self._waits_for = NO_STOP

    def _renew(self, number: int) -> Process:
        self._waits_for = TOOL_CHANGE
        yield self.wait(TOOL_CHANGE_S * float(self.random.uniform(0.8, 1.3)))
        self._magazine[number].used = 0.0
        self._broken.discard(number)
        self["tool_changes"] = int(self["tool_changes"]) + 1

    def _make_part(self, program: Program) -> Process:
        began = self.now_s
        self._select(program)
        self["program_state"] = INITIALIZING
        for operation in program.operations:
            self["program_step"] = operation.step
            yield self.wait(TOOL_SWAP_S)
            self["tool_number"] = operation.tool
            self["program_state"] = RUNNING
            self._operation, self._commanded = operation, operation.speed
            yield self._travel(operation.moves, operation.feed)
            self._operation, self._commanded = None, 0.0
            yield self._travel((Move(HOME, cut=False),))
        self["program_state"], self["program_step"] = ENDED, ""
        self["cycle_time"] = self.now_s - began
        self._count(program)

    def _travel(self, moves: tuple[Move, ...], feed: float = 0.0) -> simpy.Event:
        """An event that `step` triggers when the axes have gone along ``moves``."""
        self._axes.follow(moves, feed)
        self._arrived = self.env.event()
        return self._arrived

    def _count(self, program: Program) -> None:
        """Measure the part and count it: the end mill's wear and the spindle's heat move its critical dimension."""
        deviation = 60.0 * self._magazine[2].flank_mm + 0.2 * (self._spindle_c - 35.0)
        deviation += 3.0 * float(self.random.standard_normal())
        if self.random.random() < float(self.settings["scrap_rate"]) / 100:
            deviation = float(self.random.choice((-1, 1)) * self.random.uniform(1.2, 3.0)) * TOLERANCE_UM
        if any(operation.tool in self._broken for operation in program.operations):
            deviation = 4 * TOLERANCE_UM + abs(deviation)  # what a broken tool should have cut is still there
        deviation += 0.4 * self._bearing * float(self.random.standard_normal()) if self._bearing else 0.0
        good = abs(deviation) <= TOLERANCE_UM
        self["part_deviation"], self["part_quality"] = deviation, 1 if good else 2
        finished = {
            "Program": program.name,
            "Job": self["job_identifier"],
            "Good": good,
            "CycleTime": self["cycle_time"],
        }
        self.emit("ProgramFinished", **finished)
        for signals in self._monitors:
            signals.made += 1
            signals.bad += not good
        for name in ("parts_completed", "parts_good" if good else "parts_scrap", "parts_lifetime", "operation_cycles"):
            self[name] = int(self[name]) + 1

    def _interruptions(self) -> Process:
        """Short stops at a constant rate per operating hour: one that falls into standing still does not happen."""
        while True:
            rate = float(self.settings["stops_per_hour"])
            yield self.wait(float(self.random.exponential(3600 / rate)) if rate else 60.0)
            if rate and self["machinery_item_state"] == EXECUTING and self._axes.moving:
                self._fault = FAULTS[int(self.random.integers(len(FAULTS)))]
                yield self.wait(float(self.random.uniform(5.0, 40.0)))
                self._fault = NO_STOP

    # What flows.

    def step(self, dt: float) -> None:
        """Spindle, axes, wear, heat and counters of one step."""
        if self["reset"]:
            self._new_job()
        self._supplied()
        held = self._fault != NO_STOP or self._without != NO_STOP or self["operation_mode"] != AUTOMATIC
        self._commit(held)
        feed, turn = float(self["feed_override"]) / 100, float(self["spindle_override"]) / 100
        standing = held and (not self["is_warm_up"] or self._without == NO_POWER)
        commanded = 0.0 if standing else self._commanded * turn
        self._speed += (commanded - self._speed) * (1 - math.exp(-dt / SPINDLE_TAU_S))
        if self._speed < 1 and not commanded:
            self._speed = 0.0
        ready = commanded > 0 and self._speed >= AT_SPEED * commanded
        travel = self._axes.advance(0.0 if held else dt, feed, ready)
        if self._arrived is not None and not self._axes.moving:
            self._arrived.succeed()
            self._arrived = None
        self._wear(travel.cut_s, dt, feed, turn)
        self._show(travel.distance / dt * 60, dt)

    def _supplied(self) -> None:
        """Draw power and coolant; without the one it stands, without the other it does not cut."""
        power, coolant = self._power, self._coolant
        power.demand = float(self["power"])
        coolant.demand = COOLANT_L_MIN if self["machinery_item_state"] == EXECUTING else 0.0
        dry = coolant.level < LEAST_COOLANT and self["program_state"] in (RUNNING, INTERRUPTED)
        self._without = NO_POWER if power.level <= 0 else NO_COOLANT if dry else NO_STOP

    def faulted(self, name: str) -> None:
        """A tool breaks, and is whole again when the fault ends or it is replaced; a bearing begins to grow worse."""
        fault = self.faults.get(name)
        if name == "tool-break":
            self._broken = {int(fault["tool"])} if fault is not None else set()
        if name == "spindle-bearing":
            self._bearing = fault["damage"] if fault is not None else 0.0

    def _new_job(self) -> None:
        self._job += 1
        self["job_identifier"] = f"JOB-{self._job:04d}"
        for name in ("parts_completed", "parts_good", "parts_scrap"):
            self[name] = 0
        self["reset"] = False

    def _commit(self, held: bool) -> None:
        """States that follow from what the process does and what holds it."""
        if self["program_state"] in (RUNNING, INTERRUPTED):
            self["program_state"] = INTERRUPTED if held else RUNNING
        in_program = self["program_state"] != ENDED
        waits = self._waits_for
        if in_program and self._fault == NO_STOP and self._without == NO_STOP and held:
            waits = NOT_AUTOMATIC
        self["stop_reason"] = self._fault or self._without or waits
        self["channel_state"] = 2 if not in_program else 1 if held else 0
        executing = in_program and not held
        self["machinery_item_state"] = OUT_OF_SERVICE if self._fault else EXECUTING if executing else NOT_EXECUTING
        self["machinery_operation_mode"] = OPERATION_TO_MACHINERY_MODE[int(self["operation_mode"])]
        self["light_red"], self["light_green"] = self._fault != NO_STOP, executing
        self["light_yellow"] = not executing and self._fault == NO_STOP
        for signals in self._monitors:
            signals.enter(self._doing(executing))

    def _doing(self, executing: bool) -> TimeClass:
        """What the time counts as; a feed of 0 inside a running program is a loss like any other short stop."""
        if self["operation_mode"] == SERVICE:
            return TimeClass.PLANNED
        if self["is_warm_up"]:
            return TimeClass.SETUP
        if executing:
            return TimeClass.PRODUCING if float(self["feed_override"]) > 0 else TimeClass.MINOR_STOP
        return _TIME_CLASSES.get(int(self["stop_reason"]), TimeClass.DOWN)

    def _wear(self, cut_s: float, dt: float, feed: float, turn: float) -> None:
        """Tool wear and spindle load; the load grows with chip thickness, speed and wear."""
        self._flicker += (float(self.random.standard_normal()) * 0.02 - self._flicker) * 0.3
        target = 4.0 * min(self._speed / 8000, 1.5)
        if cut_s > 0 and self._operation is not None and self._operation.tool not in self._broken:
            tool = self._magazine[self._operation.tool]
            wear = self.faults.get("tool-wear")
            faster = wear["rate"] if wear is not None and int(wear["tool"]) == self._operation.tool else 1.0
            tool.cut(cut_s * faster, float(self.settings["tool_life"]), turn, feed)
            target += self._operation.load * (feed / turn) ** 0.75 * turn * tool.load_factor * cut_s / dt
        self._load += (target * (1 + self._flicker) - self._load) * (1 - math.exp(-dt / 0.5))

    def _show(self, feed_rate: float, dt: float) -> None:
        """Heat, power and everything that is read off the machine."""
        ambient = float(self.settings["ambient_temperature"])
        spindle = ambient + 14 * self._speed / 8000 + 45 * self._load / 100
        spindle = min(spindle + 0.6 * self._bearing * self._speed / 8000, 118.0)
        self._spindle_c += (spindle - self._spindle_c) * (1 - math.exp(-dt / 500))
        self._coolant_c += (ambient + 18 * self._load / 100 - self._coolant_c) * (1 - math.exp(-dt / 900))
        pump = 0.9 if self["machinery_item_state"] == EXECUTING else 0.0
        power = 1.1 + pump + 15.0 * self._load / 100 + feed_rate / 18_000 * 1.2
        self["power"] = 0.0 if self._without == NO_POWER else power
        self._vibrate(dt)
        self["feed_rate"] = feed_rate
        self["position_x"], self["position_y"], self["position_z"] = self._axes.position
        self["spindle_speed"], self["spindle_rotating"] = self._speed, self._speed > 0
        self["spindle_load"], self["spindle_temperature"] = self._load, self._spindle_c
        self["coolant_temperature"] = self._coolant_c
        self["tool_name"] = self._magazine[int(self["tool_number"])].name
        for number, tool in self._magazine.items():
            if tool.used != self._worn.get(number):
                self._worn[number] = tool.used
                self[f"tool{number}_wear"] = 100 * tool.used
        self["power_on_duration"] = float(self["power_on_duration"]) + 1000 * dt
        if self["machinery_item_state"] == EXECUTING:
            self["operation_duration"] = float(self["operation_duration"]) + 1000 * dt

    def _vibrate(self, dt: float) -> None:
        """RMS velocity at the spindle nose: unbalance with the square of the speed, cutting, and a bearing that grows worse."""
        bearing = self.faults.get("spindle-bearing")
        turning = self._speed / 8000
        if bearing is not None:
            self._bearing = min(self._bearing * math.exp(bearing["growth"] * dt / 3600), WORST_BEARING)
        unbalance, cutting = UNBALANCE_MM_S * turning**2, 0.012 * self._load
        damage = BEARING_MM_S * self._bearing * min(turning, 1.5) * (1 + 2 * abs(self._flicker))
        self["spindle_vibration"] = min(math.hypot(VIBRATION_MM_S, unbalance, cutting, damage), 60.0)


BEHAVIOUR = CncMill
