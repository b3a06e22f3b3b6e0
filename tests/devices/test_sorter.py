from __future__ import annotations

from itertools import pairwise

import pytest

import devices
from devices.sorter import LANES, lane_of
from devices.sorter.belt import CARTON_M, PITCH_M
from labsim.plant import status
from labsim.plant.clock import SimClock
from labsim.plant.flow import Part
from labsim.plant.plant import Plant

CLEAN = {"no_read": 0, "mis_sort": 0}
STOPPED, RUNNING, JAMMED, NO_POWER = range(4)


def counts(device) -> int:
    """Cartons that are somewhere, on the belt or off it."""
    return (
        sum(int(device[f"lane{lane}_count"]) for lane in range(1, LANES + 1))
        + int(device["rejected"])
        + int(device["on_belt"])
    )


def told(rig, name):
    """Fields of the events under a name."""
    return [dict(one.fields) for one in rig.plant.events if one.name == name]


def test_no_carton_is_lost_and_none_touches_another(bench):
    """At every step of half an hour with no-reads, mis-sorts, full lanes and a closed one: in = on the belt + out."""
    rig = bench("sorter", rate=40, no_read=5, mis_sort=2, chute_capacity=1)

    def check(d):
        assert counts(d) == d["cartons_in"]
        places = [carton.place for carton in d._belt.cartons]
        assert all(a - b >= PITCH_M - 1e-9 > CARTON_M for a, b in pairwise(places))

    rig.run(900, check)
    rig.write("lane2_enabled", value=False)
    device = rig.run(900, check)
    assert int(device["recirculated"]) > 50
    assert int(device["mis_sorts"]) > 2


def test_every_carton_goes_down_its_lane(bench):
    """Without errors each code is read once and sorted into the lane that it says, and lanes share evenly."""
    rig = bench("sorter", **CLEAN)
    device = rig.run(1200)
    scanned, gone = told(rig, "CartonScanned"), told(rig, "CartonSorted")
    lanes = {one["Code"]: one["Lane"] for one in scanned}
    assert len(lanes) == len(scanned)
    assert all(lanes[one["Code"]] == one["Lane"] == lane_of(Part(one["Code"])) for one in gone)
    shares = [int(device[f"lane{lane}_count"]) for lane in range(1, LANES + 1)]
    assert max(shares) - min(shares) <= 2
    assert (device["recirculated"], device["rejected"], device["mis_sorts"]) == (0, 0, 0)


def test_a_mark_of_the_part_decides_its_lane():
    """The mark ``lane`` goes before the identity; one that is no lane does not."""
    assert lane_of(Part("x-8", marks={"lane": 3})) == 3
    assert lane_of(Part("x-8", marks={"lane": 9})) == 1
    assert lane_of(Part("nothing")) == 1


def test_the_rate_is_what_is_set_and_no_more_than_the_belt_takes(bench):
    """At 25 a minute the throughput is 25; at 80 and 0.5 m/s it is 60 * 0.5 / 0.7."""
    slow, fast = bench("sorter", **CLEAN, rate=25), bench("sorter", **CLEAN, rate=80)
    assert fast.write("speed_setpoint", 0.5) == status.GOOD
    slow.run(300)
    fast.run(300)
    assert slow.device["throughput"] == pytest.approx(25, abs=2)
    before = int(fast.device["cartons_in"])
    assert int(fast.run(600)["cartons_in"]) - before == pytest.approx(10 * 60 * 0.5 / 0.7, rel=0.05)


@pytest.mark.parametrize("rate", [0, 3, 100])
def test_codes_that_are_not_read_come_round_and_are_rejected_in_the_end(bench, rate):
    """They come at their rate; after three rounds without a code a carton is rejected."""
    rig = bench("sorter", mis_sort=0, rate=20)
    rig.device.begin_fault("no-read", {"rate": rate})
    device = rig.run(1800)
    share = int(device["no_reads"]) / int(device["scanned"])
    assert share == pytest.approx(rate / 100, abs=0.02)
    assert float(device["no_read_rate"]) == pytest.approx(100 * share)
    if rate == 100:
        gone = told(rig, "CartonSorted")
        assert gone
        assert {one["Lane"] for one in gone} == {0}
        assert int(device["recirculated"]) >= 2 * len(gone)
    if rate == 0:
        assert device["recirculated"] == 0


def test_a_diverter_that_misses_puts_it_into_the_next_lane(bench):
    """At 100 % lanes 1 to 3 go one lane on, and lane 4 comes round for ever."""
    rig = bench("sorter", no_read=0, mis_sort=100, rate=10)
    device = rig.run(600)
    for one in told(rig, "CartonSorted"):
        assert one["Lane"] == lane_of(Part(str(one["Code"]))) + 1
    assert device["lane1_count"] == 0
    assert device["mis_sorts"] == len(told(rig, "CartonSorted")) > 10


def test_a_full_lane_lets_its_cartons_come_round():
    """With nobody taking from lane 1 its chute fills, its alarm comes, and the other lanes go on."""
    plant = Plant(1, SimClock(utc_ns=0))
    plant.add("sort1", devices.load("sorter"), {**CLEAN, "chute_capacity": 3})
    plant.add("agv1", devices.load("agv"))
    plant.connect("sort1.lane1_out", "agv1.parts_in", buffer=2)
    plant.start()
    for _ in range(6000):
        plant.advance()
    device = plant.devices["sort1"]
    assert (device["lane1_count"], device["lane1_level"], device["lane1_full"]) == (5, 3, True)
    assert int(device["lane2_count"]) > 30
    assert int(device["recirculated"]) > 10
    assert plant.alarms["sort1.lane1_full"].state.active
    assert counts(device) == device["cartons_in"]


def test_a_jam_stops_the_belt_until_it_is_cleared_and_reset(bench):
    """After 5 s; start and reset are refused while the carton is held; nothing is lost, and the line runs as before."""
    rig = bench("sorter", **CLEAN)
    rig.run(60)
    rig.device.begin_fault("jam", {})
    device = rig.run(3)
    assert not device["jam"]
    device = rig.run(30)
    assert (device["jam"], device["state"], device["speed"], device["eye_scanner"]) == (True, JAMMED, 0, True)
    assert device["zone2"] == 2
    assert told(rig, "JamDetected") == [{"Zone": 2}]
    assert rig.write("command", 1) == status.BAD_INVALID_STATE
    assert device.call("reset", [])[0] == status.BAD_INVALID_STATE
    device.end_fault("jam")
    assert rig.run(10)["jam"]
    assert rig.write("command", 3) == status.GOOD
    device = rig.run(1)
    assert (device["jam"], device["state"], device["command"]) == (False, RUNNING, 0)
    before = int(device["lane1_count"])
    device = rig.run(120)
    assert int(device["lane1_count"]) > before
    assert (device["jams"], counts(device)) == (1, device["cartons_in"])


def test_commands_and_power(bench):
    """Stop and start by method and register; without power it stands, and draws what it does with it."""
    rig = bench("sorter", autostart=False)
    assert rig.run(10)["state"] == STOPPED
    assert rig.device.call("start", [])[0] == status.GOOD
    device = rig.run(10)
    assert (device["state"], float(device["speed"])) == (RUNNING, pytest.approx(1.0))
    (supply,) = device.supplies("power")
    assert supply.demand == pytest.approx(float(device["motor_power"]), rel=1e-6)
    assert supply.demand > 0.7
    supply.level = 0.0
    device = rig.run(5)
    assert (device["state"], device["speed"], supply.demand) == (NO_POWER, 0, 0)
    supply.level = 1.0
    assert rig.write("command", 2) == status.GOOD
    assert rig.run(5)["state"] == STOPPED
