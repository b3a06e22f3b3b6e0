from __future__ import annotations

from itertools import pairwise

import pytest

import devices
from labsim.plant import status
from labsim.plant.clock import SimClock
from labsim.plant.plant import Plant

FREE, OCCUPIED, LOADING, CLOSED = range(4)


def told(rig, name):
    """Events under a name, each with its time."""
    return [(one.t_ns / 1e9, dict(one.fields)) for one in rig.plant.events if one.name == name]


def test_trucks_come_are_worked_on_and_leave(bench):
    """In two hours states follow each other in order, the door is open for each truck and for no other reason, counts add up."""
    rig, states = bench("loading-dock"), []

    def watch(d):
        if not states or states[-1] != d["state"]:
            states.append(int(d["state"]))
        assert not (d["door_open"] and d["state"] == FREE)
        assert int(d["pallets_done"]) <= int(d["pallets_planned"])

    device = rig.run(7200, watch)
    allowed = {(FREE, OCCUPIED), (OCCUPIED, LOADING), (LOADING, FREE)}
    assert set(pairwise(states)) == allowed
    came, left = told(rig, "TruckArrived"), told(rig, "TruckLeft")
    assert device["trucks"] == len(left) > 3
    assert len(came) - len(left) in (0, 1)
    assert {one["Outbound"] for _, one in came} == {True, False}
    for (_, arrived), (_, gone) in zip(came, left, strict=False):
        assert (arrived["Truck"], arrived["Pallets"]) == (gone["Truck"], gone["Pallets"])
    under_way = int(device["pallets_done"]) if device["truck"] else 0
    assert device["pallets"] == sum(int(one["Pallets"]) for _, one in left) + under_way


def test_the_door_tells_both_ends_and_how_long(bench):
    """Events come in turn, and what a closing says is the time since the opening."""
    rig = bench("loading-dock")
    device = rig.run(5400)
    opened, closed = told(rig, "DoorOpened"), told(rig, "DoorClosed")
    assert device["door_openings"] == len(opened) > 2
    for (since, _), (until, one) in zip(opened, closed, strict=False):
        assert one["Seconds"] == pytest.approx(until - since, abs=0.2)


def test_the_air_follows_the_yard_while_the_door_is_open(bench):
    """With a stuck door it comes to the balance of both time constants; closed again it goes back to the hall."""
    rig = bench("loading-dock", truck_interval=86400)
    assert float(rig.run(60)["temperature"]) == pytest.approx(12, abs=0.3)
    rig.device.begin_fault("door-stuck", {})
    device = rig.run(1800)
    settled = (27 / 180 + 12 / 2400) / (1 / 180 + 1 / 2400)
    assert float(device["temperature"]) == pytest.approx(settled, abs=0.4)
    assert rig.plant.alarms["d1.warm"].state.active
    rig.device.end_fault("door-stuck")
    device = rig.run(2400)
    assert not device["door_open"]
    assert float(device["temperature"]) == pytest.approx(12 + (settled - 12) / 2.718, abs=0.6)


def test_a_dock_out_of_service_takes_no_truck(bench):
    """It says so, and one that is there is finished."""
    rig = bench("loading-dock", truck_interval=10)
    while rig.device["state"] != LOADING:
        rig.run(1)
    assert rig.write("in_service", value=False) == status.GOOD
    while rig.device["state"] == LOADING:
        rig.run(1)
    device = rig.run(600)
    assert (device["state"], device["trucks"]) == (CLOSED, 1)
    assert rig.write("in_service", value=True) == status.GOOD
    assert rig.run(1)["state"] == FREE


def test_pallets_go_from_dock_to_dock_and_a_truck_does_not_wait_for_ever():
    """What one dock unloads another loads, by identity; with nobody to take them the first truck leaves after 5 min."""
    plant = Plant(1, SimClock(utc_ns=0))
    plant.add("dock1", devices.load("loading-dock"), {"traffic": "inbound", "truck_interval": 30})
    plant.add("dock2", devices.load("loading-dock"), {"traffic": "outbound", "truck_interval": 30})
    plant.connect("dock1.parts_out", "dock2.parts_in", buffer=2)
    plant.start()
    for _ in range(36_000):
        plant.advance()
    first, second = plant.devices["dock1"], plant.devices["dock2"]
    waiting = first.lane("parts_out").parts
    assert int(first["pallets"]) == int(second["pallets"]) + len(waiting) > 20
    assert str(second["last_pallet"]).startswith("dock1-")
    plant.store.write(second.tags["in_service"].row, value=False)
    for _ in range(36_000):
        plant.advance()
    short = [one.fields for one in plant.events if one.name == "TruckLeft" and one.device == "dock1"]
    assert short[-1]["Pallets"] == 0
    assert len(first.lane("parts_out").parts) == 2
