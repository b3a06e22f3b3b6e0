from __future__ import annotations

import pytest

import devices
from devices.loading_robot.arm import FASTEST, HOME, INFEED, Arm
from labsim.plant import status
from labsim.plant.clock import SimClock
from labsim.plant.device import Device
from labsim.plant.plant import Plant

DISABLED, WAITING, FETCHING, GRIPPING, DELIVERING, RELEASING, PROTECTIVE, EMERGENCY, FAULT = range(9)


def test_axes_arrive_together_and_within_their_speeds():
    """No axis is faster than it can be, and none arrives before another."""
    arm = Arm()
    arm.go(INFEED)
    steps = 0
    while not arm.arrived:
        arm.advance(0.1, 1.0, [1.0] * 6)
        assert all(abs(speed) <= most for speed, most in zip(arm.speed, FASTEST, strict=True))
        moved = [here != start for here, start, there in zip(arm.position, HOME, INFEED, strict=True) if start != there]
        assert all(moved)
        steps += 1
    assert 5 < steps < 30


def test_parts_are_conserved(bench):
    """Loaded = unloaded + what is in the machine, the gripper not counted, at every step; both go on."""
    rig = bench("loading-robot", machine_time="20 s")

    def check(d: Device) -> None:
        assert 0 <= int(d["parts_loaded"]) - int(d["parts_unloaded"]) <= 4
        assert d["part_present"] == d["gripper_closed"]

    device = rig.run(300, check)
    assert device["parts_unloaded"] > 6
    assert device["parts_lost"] == 0
    assert float(device["cycle_time"]) > 4


def test_a_task_goes_in_order(bench):
    """Fetch, grip, deliver, release, and home again."""
    rig, seen = bench("loading-robot"), []

    def watch(d: Device) -> None:
        if not seen or seen[-1] != d["state"]:
            seen.append(d["state"])

    rig.run(20, watch)
    first = seen.index(FETCHING)
    assert seen[first : first + 5] == [FETCHING, GRIPPING, DELIVERING, RELEASING, WAITING]


def test_an_open_fence_stops_the_robot_until_it_is_acknowledged(bench):
    """It stands where it is; acknowledging helps only with a closed fence; then it goes on with its part."""
    rig = bench("loading-robot")
    while rig.device["state"] != DELIVERING:
        rig.run(0.1)
    rig.device.configure("fence_closed", False)
    device = rig.run(0.2)
    here, held = [device[f"axis{n}_position"] for n in range(1, 7)], device["part_identity"]
    rig.write("acknowledge", True)
    rig.run(5)
    assert (device["state"], device["moving"], device["acknowledge"]) == (PROTECTIVE, False, False)
    assert [device[f"axis{n}_position"] for n in range(1, 7)] == here
    device.configure("fence_closed", True)
    assert rig.run(1)["state"] == PROTECTIVE
    rig.write("acknowledge", True)
    rig.run(0.3)
    assert (device["state"], device["part_identity"]) == (DELIVERING, held)


def test_an_emergency_stop_takes_the_enabling_away(bench):
    """Enabling is refused until it is released and acknowledged."""
    rig = bench("loading-robot")
    rig.device.configure("emergency_stop_pressed", True)
    assert rig.run(1)["state"] == EMERGENCY
    assert rig.write("run_enable", True) == status.BAD_INVALID_STATE
    rig.device.configure("emergency_stop_pressed", False)
    rig.write("acknowledge", True)
    assert rig.run(0.2)["state"] == DISABLED
    assert rig.write("run_enable", True) == status.GOOD
    assert rig.run(0.2)["state"] != DISABLED


def test_override_slows_the_task(bench):
    """At 25 % a task takes clearly longer than at 100 %."""
    fast, slow = bench("loading-robot"), bench("loading-robot")
    slow.write("speed_override", 25)
    fast.run(60)
    slow.run(60)
    assert float(slow.device["cycle_time"]) > 1.5 * float(fast.device["cycle_time"])


def test_a_slipping_gripper_loses_parts(bench):
    """A lost part stops the robot until it is acknowledged; then it goes on."""
    rig = bench("loading-robot")
    rig.device.begin_fault("gripper-slips", {"chance": 100})
    device = rig.run(30)
    assert (device["state"], device["parts_lost"], device["parts_loaded"]) == (FAULT, 1, 0)
    device.end_fault("gripper-slips")
    rig.write("acknowledge", True)
    assert rig.run(30)["parts_loaded"] >= 1


def test_a_stiff_axis_is_hot_and_slow(bench):
    """Its motor is warmer than that of the same robot without the fault, and tasks take longer."""
    sick, well = bench("loading-robot", machine_time="5 s"), bench("loading-robot", machine_time="5 s")
    sick.device.begin_fault("axis-stiff", {"axis": 1, "speed": 30})
    sick.run(600)
    well.run(600)
    assert float(sick.device["motor1_temperature"]) > float(well.device["motor1_temperature"]) + 2
    assert sick.device["parts_loaded"] < well.device["parts_loaded"]


def test_the_robot_serves_two_mills():
    """Blanks go to both machines and come back as parts with the mills' marks."""
    plant = Plant(3, SimClock(utc_ns=0))
    robot = plant.add("r1", devices.load("loading-robot"))
    for number in (1, 2):
        plant.add(f"m{number}", devices.load("cnc-mill"), {"warm_up": "1 s", "stops_per_hour": 0})
        plant.connect(f"r1.machine{number}_out", f"m{number}.parts_in")
        plant.connect(f"m{number}.parts_out", f"r1.machine{number}_in")
    plant.start()
    for _ in range(6000):
        plant.advance()
    for number in (1, 2):
        assert plant.devices[f"m{number}"]["parts_completed"] >= 3
    assert robot["parts_unloaded"] >= 6
    made = sum(int(plant.devices[f"m{n}"]["parts_completed"]) for n in (1, 2))
    assert 0 <= made - int(robot["parts_unloaded"]) <= 3
    assert robot["parts_loaded"] == pytest.approx(made, abs=4)
