"""The mill in a cell: parts, power, coolant, and its own faults."""

from __future__ import annotations

import pytest

import devices
from labsim.plant import status
from labsim.plant.clock import SimClock
from labsim.plant.device import Device
from labsim.plant.plant import Plant

NO_COOLANT, STARVED, BLOCKED, NO_POWER = 9, 10, 11, 12
CALM = {"stops_per_hour": 0, "scrap_rate": 0, "warm_up": 0}


def cell(**coolant: object) -> Plant:
    """A mill with a coolant unit."""
    plant = Plant(1, SimClock(utc_ns=0))
    plant.add("unit", devices.load("coolant-unit"), coolant)
    plant.add("mill", devices.load("cnc-mill"), CALM)
    plant.connect("unit.coolant", "mill.coolant")
    plant.start()
    return plant


def run(plant: Plant, seconds: float) -> Device:
    """Go on for that long; the mill."""
    for _ in range(round(seconds * 10)):
        plant.advance()
    return plant.devices["mill"]


def test_without_coolant_the_mill_does_not_cut():
    """It is held with its reason while the coolant unit stands, and goes on when the pump runs; its demand brings heat."""
    plant = cell()
    mill = run(plant, 60)
    assert (mill["stop_reason"], mill["machinery_item_state"], mill["parts_completed"]) == (NO_COOLANT, 2, 0)
    assert plant.store.write(plant.store["unit.pump_command"].row, True) == status.GOOD
    run(plant, 200)
    assert mill["parts_completed"] >= 1
    (coolant,) = mill.supplies("coolant")
    assert coolant.demand in (0.0, 20.0)


def test_a_write_to_the_safety_block_stops_the_mill():
    """What trips the spindle at the coolant unit is felt at the machine within seconds."""
    plant = cell(runs_at_start=True)
    run(plant, 60)
    assert plant.store.write(plant.store["unit.safety_version"].row, 1) == status.GOOD
    mill = run(plant, 30)
    assert mill["stop_reason"] == NO_COOLANT
    assert mill["spindle_speed"] < 1


def test_without_power_everything_stands(bench):
    """The mill draws what it shows; without power it draws nothing and the spindle stops."""
    rig = bench("cnc-mill", **CALM)
    rig.run(60)
    (power,) = rig.device.supplies("power")
    assert power.demand > 1
    power.level = 0.0
    device = rig.run(5)
    assert (device["stop_reason"], device["power"], device["machinery_item_state"]) == (NO_POWER, 0, 2)
    assert device["spindle_speed"] < 10
    power.level = 1.0
    assert rig.run(120)["parts_completed"] >= 1


def test_a_mill_without_blanks_is_starved_and_one_without_room_blocked():
    """Two mills in a row: the first fills the buffer and is blocked while the second, out of Automatic, takes nothing."""
    plant = Plant(1, SimClock(utc_ns=0))
    for name in ("mill", "next", "last"):
        plant.add(name, devices.load("cnc-mill"), CALM)
    lane = plant.connect("mill.parts_out", "next.parts_in", buffer=1)
    plant.connect("next.parts_out", "last.parts_in", buffer=1)
    plant.start()
    plant.devices["next"]["operation_mode"] = 0
    mill = run(plant, 600)
    assert (mill["stop_reason"], len(lane), plant.devices["last"]["stop_reason"]) == (BLOCKED, 1, STARVED)
    part = lane.parts[0]
    assert part.marks["program"] == "BRACKET-10"
    assert part.good == (abs(float(part.marks["deviation"])) <= 25)
    assert [place for place, _ in part.trail] == ["mill"]


def test_a_broken_tool_cuts_nothing_and_makes_scrap(bench):
    """P16: the spindle of its operation runs in the air, every part is scrap, a new tool ends it."""
    rig = bench("cnc-mill", **CALM)
    rig.run(30)
    rig.device.begin_fault("tool-break", {"tool": 2})
    loads: list[float] = []

    def watch(d: Device) -> None:
        if d["program_step"] == "20 PROFILE" and d["tool_number"] == 2:
            loads.append(float(d["spindle_load"]))

    device = rig.run(300, watch)
    assert max(loads) < 20
    assert device["parts_good"] == 0
    assert device["parts_scrap"] >= 2
    scrap = int(device["parts_scrap"])
    while device["program_state"] != 2:
        rig.run(0.1)
    assert device.call("replace_tool", [2])[0] == status.GOOD
    rig.run(200)
    assert device["parts_good"] >= 1
    assert int(device["parts_scrap"]) <= scrap + 1


def test_a_tool_that_wears_fast_ends_early(bench):
    """P16: with six times the rate the end mill is worn out sooner than its life, the others are not."""
    sick, well = bench("cnc-mill", **CALM), bench("cnc-mill", **CALM)
    sick.device.begin_fault("tool-wear", {"tool": 2, "rate": 6})
    sick.run(150)
    well.run(150)
    assert float(sick.device["tool2_wear"]) == pytest.approx(6 * float(well.device["tool2_wear"]), rel=0.05)
    assert sick.device["tool1_wear"] == well.device["tool1_wear"]


def test_a_bearing_shows_in_vibration_before_it_shows_in_heat(bench):
    """P17: vibration is a multiple of that of a sound spindle while the temperature differs by a few kelvin; then it ends."""
    sick, well = bench("cnc-mill", **CALM), bench("cnc-mill", **CALM)
    sick.device.begin_fault("spindle-bearing", {"damage": 8, "growth": 3})
    peaks = {"sick": 0.0, "well": 0.0}

    def watch(name: str):
        def keep(d: Device) -> None:
            peaks[name] = max(peaks[name], float(d["spindle_vibration"]))

        return keep

    sick.run(600, watch("sick"))
    well.run(600, watch("well"))
    assert peaks["well"] < 1.8
    assert peaks["sick"] > 2 * peaks["well"]
    assert 0 < float(sick.device["spindle_temperature"]) - float(well.device["spindle_temperature"]) < 8
    sick.device.end_fault("spindle-bearing")
    peaks["sick"] = 0.0
    sick.run(120, watch("sick"))
    assert peaks["sick"] < 1.8
