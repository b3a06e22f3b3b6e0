"""A loading robot: fetches, delivers, and stops for people."""

from __future__ import annotations

import simpy

from devices.loading_robot.arm import FASTEST, HOME, INFEED, MACHINES, OUTFEED, Arm, Pose
from labsim.plant import status
from labsim.plant.device import Device, Process
from labsim.plant.flow import Lane, Part
from labsim.plant.tags import Tag, Value

DISABLED, WAITING, FETCHING, GRIPPING, DELIVERING, RELEASING, PROTECTIVE, EMERGENCY, FAULT = range(9)
NO_TASK, LOAD, UNLOAD = range(3)
NO_FAULT, PART_LOST = range(2)
MANUAL_REDUCED, AUTOMATIC_EXTERNAL = 1, 4
HEAT_K, MOTOR_TAU_S = 42.0, 900.0
"""A motor at its full speed all the time would be so much above the room."""
STIFF_HEAT = 3.0
IDLE_KW, BRAKED_KW, MOTION_KW = 0.45, 0.2, 2.6


class LoadingRobot(Device):
    """See README.md of this folder for the model and its sources."""

    def start(self) -> None:
        """At home with an open gripper."""
        self._arm = Arm()
        self._doing = WAITING  # what the program does, whatever holds it
        self._moved = True  # in the step before: then positions are shown once more
        self._held: Part | None = None
        self._arrived: simpy.Event | None = None
        warm = self.random.uniform(0.0, 6.0, 6).tolist()  # of the shift before
        self._motors = [float(self.settings["ambient_temperature"]) + rise for rise in warm]
        self._machines = self._joined()
        self["run_enable"] = bool(self.settings["autostart"])
        self._show(0.0, False)

    def _joined(self) -> dict[int, tuple[Lane, Lane]]:
        """Lanes to and from each machine that is joined both ways; one of its own where there is none."""
        ports = {
            number: (f"machine{number}_out", f"machine{number}_in")
            for number in range(1, 4)
            if self.flows[f"machine{number}_out"] and self.flows[f"machine{number}_in"]
        }
        if ports:
            return {number: (self.lane(there), self.lane(back)) for number, (there, back) in ports.items()}
        there, back = Lane(self.env, 1), Lane(self.env, 1)
        self.env.process(self._own_machine(there, back))
        return {1: (there, back)}

    def _own_machine(self, there: Lane, back: Lane) -> Process:
        while True:
            part = yield there.get()
            yield self.wait(float(self.settings["machine_time"]))
            yield back.put(part)

    def guard(self, tag: Tag, value: Value) -> int:
        """No enabling while something stops it."""
        if tag.name == "run_enable" and value and (self._stopped or self["fault"]):
            return status.BAD_INVALID_STATE
        return status.GOOD

    @property
    def _stopped(self) -> bool:
        return bool(self["protective_stop"]) or bool(self["emergency_stop"])

    # What happens in order.

    def run(self) -> Process:
        """Unload what is ready, load what is free; the machines take turns."""
        inlet, outlet = self.lane("parts_in"), self.lane("parts_out")
        numbers = list(self._machines)
        turn = 0
        while True:
            number = numbers[turn % len(numbers)]
            turn += 1
            there, back = self._machines[number]
            if not self["run_enable"]:
                yield self.wait(0.5)
            elif not back.empty and not outlet.full:
                yield from self._carry(UNLOAD, number, back, MACHINES[number - 1], outlet, OUTFEED)
            elif not there.full and not inlet.empty:
                yield from self._carry(LOAD, number, inlet, INFEED, there, MACHINES[number - 1])
            elif turn % len(numbers) == 0:
                yield self.wait(0.5)

    def _carry(self, task: int, number: int, source: Lane, fetch: Pose, target: Lane, deliver: Pose) -> Process:
        """One part from one place to another, and home."""
        began = self.now_s
        self["task"], self["machine"] = task, number
        yield from self._travel(FETCHING, fetch)
        yield from self._pause(GRIPPING, float(self.settings["gripper_time"]))
        part: Part = yield source.get()
        part.trail.append((self.path, self.now_s))
        self._held = part
        slips = self.faults.get("gripper-slips")
        lost = slips is not None and float(self.random.random()) < slips["chance"] / 100
        yield from self._travel(DELIVERING, HOME if lost else deliver)
        if lost:
            part.good = False
            self._held, self["fault"] = None, PART_LOST
            self["parts_lost"] = int(self["parts_lost"]) + 1
            while self["fault"]:
                yield self.wait(0.2)
        else:
            yield from self._pause(RELEASING, float(self.settings["gripper_time"]))
            self._held = None
            yield target.put(part)
            name = "parts_loaded" if task == LOAD else "parts_unloaded"
            self[name] = int(self[name]) + 1
        yield from self._travel(WAITING, HOME)
        self["task"], self["machine"] = NO_TASK, 0
        self["cycle_time"] = min(self.now_s - began, 86400.0)

    def _travel(self, doing: int, pose: Pose) -> Process:
        """Until `step` says that the arm is there."""
        self._doing = doing
        self._arm.go(pose)
        self._arrived = self.env.event()
        yield self._arrived

    def _pause(self, doing: int, seconds: float) -> Process:
        """A time that does not run while the robot is held."""
        self._doing = doing
        left = seconds
        while left > 1e-9:
            yield self.wait(0.1)
            if not self._holds:
                left -= 0.1

    # What flows.

    def step(self, dt: float) -> None:
        """Stops, motion, heat."""
        (power,) = self.supplies("power")
        live = power.level > 0
        self._judge()
        if not live:
            self["run_enable"] = False
        held = self._holds
        stiff = self.faults.get("axis-stiff")
        left = [1.0] * 6
        if stiff is not None:
            left[int(stiff["axis"]) - 1] = stiff["speed"] / 100
        if held:
            self._arm.speed = [0.0] * 6
        else:
            self._arm.advance(dt, float(self["speed_override"]) / 100, left)
        if self._arrived is not None and self._arm.arrived and not held:
            event, self._arrived = self._arrived, None
            event.succeed()
        effort = 0.0
        for index, (speed, most) in enumerate(zip(self._arm.speed, FASTEST, strict=True)):
            part = abs(speed) / most
            effort += part
            heat = HEAT_K * part * (STIFF_HEAT if left[index] < 1 else 1.0)
            ambient = float(self.settings["ambient_temperature"])
            self._motors[index] += (ambient + heat - self._motors[index]) * dt / MOTOR_TAU_S
        ripple = 1 + 0.01 * min(max(float(self.random.standard_normal()), -4.0), 4.0)
        drawn = ripple * ((BRAKED_KW if held else IDLE_KW) + MOTION_KW * min(effort / 3, 1.5))
        power.demand = drawn if live else 0.0
        self["operating_hours"] = float(self["operating_hours"]) + (effort > 0) * dt / 3600
        self._show(power.demand, held)

    @property
    def _holds(self) -> bool:
        return self._stopped or not self["run_enable"] or bool(self["fault"])

    def _judge(self) -> None:
        """Stops come at once and go by an acknowledgement, when their cause is gone."""
        closed, pressed = bool(self.settings["fence_closed"]), bool(self.settings["emergency_stop_pressed"])
        self["fence_closed"] = closed
        acknowledged = bool(self["acknowledge"])
        self["acknowledge"] = False
        if acknowledged:
            self["fault"] = NO_FAULT
        if not closed and self["run_enable"]:
            self["protective_stop"] = True
        elif closed and acknowledged:
            self["protective_stop"] = False
        if pressed:
            self["emergency_stop"], self["run_enable"] = True, False
        elif acknowledged:
            self["emergency_stop"] = False

    def _show(self, power: float, held: bool) -> None:
        moving = any(self._arm.speed)
        for index in range(6):
            if moving or self._moved:
                self[f"axis{index + 1}_position"] = self._arm.position[index]
                self[f"axis{index + 1}_speed"] = self._arm.speed[index]
            self[f"motor{index + 1}_temperature"] = self._motors[index]
        self["moving"] = self._moved = moving
        self["at_home"] = self._arm.at(HOME)
        self["part_present"] = self["gripper_closed"] = self._held is not None
        self["part_identity"] = self._held.identity if self._held is not None else ""
        self["power"] = power
        self["operational_mode"] = AUTOMATIC_EXTERNAL if self["run_enable"] else MANUAL_REDUCED
        self["state"] = (
            EMERGENCY if self["emergency_stop"] else PROTECTIVE if self["protective_stop"] else FAULT if self["fault"]
            else DISABLED if held else self._doing
        )  # fmt: skip


BEHAVIOUR = LoadingRobot
