from __future__ import annotations

import pytest

import devices
from labsim.plant import status
from labsim.plant.clock import SimClock
from labsim.plant.device import Device
from labsim.plant.flow import Signals, TimeClass
from labsim.plant.plant import Plant

OFF, STARVED, PROCESSING, BLOCKED, STOPPED, SERVICE, MATERIAL = range(7)
QUICK = {"cycle": "5 s", "cleaning_time": "2 s", "stops_per_hour": 0}


def volumes(rig, boards: int) -> list[float]:
    """Mean volume of that many boards, one after the other."""
    seen: list[float] = []

    def watch(d: Device) -> None:
        if int(d["boards_completed"]) + int(d["boards_washed"]) > len(seen):
            seen.append(float(d["paste_volume"]))

    while len(seen) < boards:
        rig.run(1, watch)
    return seen


def test_the_mean_falls_until_the_stencil_is_cleaned(bench):
    """The tenth board after a cleaning has less paste than the first; the eleventh is as the first."""
    rig = bench("stencil-printer", clogging=2, **QUICK)
    seen = volumes(rig, 40)
    first, last = seen[0::10], seen[9::10]
    assert sum(first) / 4 == pytest.approx(100, abs=4)
    assert sum(last) / 4 == pytest.approx(82, abs=4)
    assert rig.device["cleanings"] in (3, 4)


def test_somebody_can_have_it_cleaned(bench):
    """The request is done before the next board and goes back."""
    rig = bench("stencil-printer", **QUICK)
    volumes(rig, 3)
    assert rig.device.call("clean", []) == (status.GOOD, ())
    rig.run(12)
    assert rig.device["cleanings"] == 1
    assert not rig.device["clean_request"]
    assert int(rig.device["boards_since_clean"]) <= 2


def test_drift_stays_when_the_stencil_is_cleaned(bench):
    """P22: the mean falls on from cleaning to cleaning, and comes back when the fault ends."""
    rig = bench("stencil-printer", clogging=0, **QUICK)
    rig.device.begin_fault("paste-drift", {"rate": 0.5})
    seen = volumes(rig, 40)
    assert sum(seen[:10]) / 10 - sum(seen[30:]) / 10 == pytest.approx(15, abs=3)
    rig.device.end_fault("paste-drift")
    assert volumes(rig, 41)[-1] > 90


def test_boards_below_the_limit_are_washed(bench):
    """With little paste every board is below the inspection limit, and none goes on."""
    rig = bench("stencil-printer", **QUICK)
    rig.device.begin_fault("paste-drift", {"rate": 5})
    rig.run(120)
    device = rig.run(60)
    assert device["boards_washed"] > 5
    assert float(device["paste_volume_min"]) < 45
    assert int(device["boards_taken"]) - int(device["boards_washed"]) - int(device["boards_completed"]) in (0, 1)


def test_paste_is_used_and_replaced(bench):
    """What is left falls by about 0.9 g a board, and an empty cartridge is replaced."""
    rig = bench("stencil-printer", cartridge=10, paste_time="3 s", **QUICK)
    lows = []
    rig.run(200, lambda d: lows.append(float(d["paste_left"])))
    assert min(lows) < 0.9
    assert lows.count(10.0) > 20


def test_times_add_up(bench):
    """Processing + starved + blocked + down = the time since the start, whatever happens."""
    rig = bench("stencil-printer", cycle="5 s", stops_per_hour=60)
    device = rig.run(900)
    total = sum(float(device[f"{name}_time"]) for name in ("processing", "starved", "blocked", "down"))
    assert total == pytest.approx(0.25, rel=1e-6)
    assert device["short_stops"] > 3
    assert float(device["down_time"]) > 0.005


def test_a_full_outlet_blocks_and_no_power_stops():
    """A board that finds no room waits in the machine; without power the work stands and goes on afterwards."""
    plant = Plant(1, SimClock(utc_ns=0))
    printer = plant.add("p", devices.load("stencil-printer"), QUICK)
    plant.add("q", devices.load("pick-and-place"), {"autostart": False})
    lane = plant.connect("p.boards_out", "q.boards_in", buffer=2)
    plant.start()
    for _ in range(300):
        plant.advance()
    assert (printer["state"], len(lane), printer["boards_completed"]) == (BLOCKED, 2, 2)
    assert lane.parts[0].marks["paste_volume"] > 80
    (power,) = printer.supplies("power")
    power.level = 0.0
    plant.advance()
    assert (printer["state"], printer["power"], printer["machinery_item_state"]) == (OFF, 0, 2)
    power.level = 1.0
    plant.advance()
    assert printer["state"] == BLOCKED


def test_out_of_production_no_board_is_taken(bench):
    """The board inside is finished, then the machine is off."""
    rig = bench("stencil-printer", **QUICK)
    rig.run(12)
    assert rig.write("production", False) == status.GOOD
    device = rig.run(20)
    taken = device["boards_taken"]
    assert (device["state"], device["boards_completed"]) == (OFF, taken)
    assert rig.run(30)["boards_taken"] == taken
    assert device.call("start_production", []) == (status.GOOD, ())
    assert rig.run(10)["boards_taken"] > taken


@pytest.mark.parametrize("kind", ["stencil-printer", "pick-and-place", "reflow-oven", "aoi"])
def test_a_monitor_is_told_how_the_time_goes(kind):
    """The times that a monitor hears of add up to the run, and its counts are those of the machine."""
    plant = Plant(1, SimClock(utc_ns=0))
    device = plant.add("d", devices.load(kind))
    plant.add("m", devices.load("oee-monitor"))
    signals = plant.connect("d.signals", "m.unit")
    plant.start()
    assert isinstance(signals, Signals)
    for _ in range(4000):
        plant.advance()
    assert sum(signals.seconds()) == pytest.approx(400, abs=0.2)
    assert signals.seconds()[TimeClass.PRODUCING] > 200
    handed_on = int(device["boards_inspected" if kind == "aoi" else "boards_completed"])
    assert handed_on > 3
    assert signals.made - handed_on in (0, 1)  # one may be about to leave


def test_one_operator_serves_one_machine_at_a_time():
    """With nobody free a printer without paste waits, and goes on when the operator is."""
    plant = Plant(1, SimClock(utc_ns=0), crew=1)
    printer = plant.add("p", devices.load("stencil-printer"), {"cartridge": 10, "paste_time": "3 s", **QUICK})
    plant.start()
    busy = plant.crew.request()
    for _ in range(1500):
        plant.advance()
    assert (printer["state"], float(printer["paste_left"]) < 0.9) == (SERVICE, True)
    plant.crew.release(busy)
    for _ in range(50):
        plant.advance()
    assert float(printer["paste_left"]) > 5
