from __future__ import annotations

import pytest

from devices.pick_and_place import NEEDS
from labsim.plant import status
from labsim.plant.device import Device

MATERIAL = 6


def test_components_are_conserved(bench):
    """What left the reels = placed + picked wrongly, at every step."""
    rig = bench("pick-and-place", mispick_rate=3, stops_per_hour=0)
    before = sum(int(rig.device[f"feeder{n}_parts"]) for n in range(1, 7))

    def check(d: Device) -> None:
        if d["reels_changed"]:
            return
        gone = before - sum(int(d[f"feeder{n}_parts"]) for n in range(1, 7))
        on_its_way = gone - int(d["placements"]) - int(d["mispicks"])
        assert 0 <= on_its_way <= 2 * sum(NEEDS)
        assert int(d["picks"]) == int(d["placements"]) + int(d["mispicks"])

    device = rig.run(200, check)
    assert device["placements"] > 1000
    assert device["mispicks"] > 10


def test_the_cycle_follows_the_speed(bench):
    """220 components at 40,000 per hour and 4 s for the board."""
    device = bench("pick-and-place", mispick_rate=0, stops_per_hour=0).run(60)
    assert device["cycle_time"] == pytest.approx(4 + 220 * 3600 / 40_000, abs=0.2)


def test_an_empty_feeder_stops_the_machine(bench):
    """It names the feeder; a new reel lets it go on, by a call at once, by the operator after a while."""
    rig = bench("pick-and-place", stops_per_hour=0, operator_time="3600 s", reel=600)
    for _ in range(400):
        if rig.run(1)["state"] == MATERIAL:
            break
    device = rig.device
    number = int(device["empty_feeder"])
    assert device["state"] == MATERIAL
    assert int(device[f"feeder{number}_parts"]) < 2 * NEEDS[number - 1]
    done = device["boards_completed"]
    assert device.call("refill", [9])[0] == status.BAD_INVALID_ARGUMENT
    code, outputs = device.call("refill", [number])
    assert code == status.GOOD
    assert outputs[0] < 2 * NEEDS[number - 1]
    rig.run(60)
    assert device["boards_completed"] > done
    slow = bench("pick-and-place", stops_per_hour=0, operator_time="10 s", reel=600)
    assert slow.run(900)["reels_changed"] >= 3


def test_a_clogged_nozzle_costs_picks_and_time(bench):
    """The rate of good picks falls and the cycle gets longer."""
    sick, well = (bench("pick-and-place", stops_per_hour=0) for _ in range(2))
    sick.device.begin_fault("nozzle-clogged", {"feeder": 1, "rate": 15})
    sick.run(300)
    well.run(300)
    assert float(sick.device["pick_rate"]) < 97 < 99.5 < float(well.device["pick_rate"])
    assert float(sick.device["cycle_time"]) > float(well.device["cycle_time"]) + 1


def test_a_shifted_camera_moves_the_offset(bench):
    """The mean offset in X and the largest offset grow by the shift."""
    sick, well = (bench("pick-and-place", stops_per_hour=0) for _ in range(2))
    sick.device.begin_fault("camera-shifted", {"shift": 60})
    sick.run(100)
    well.run(100)
    assert float(sick.device["offset_x"]) == pytest.approx(60, abs=10)
    assert float(sick.device["placement_offset"]) > float(well.device["placement_offset"]) + 25
