from __future__ import annotations

import struct
import zlib

import numpy as np
import pytest

import devices
from devices.reflow_oven.belt import Air
from devices.reflow_oven.recipe import PARAMETERS
from labsim.plant import status
from labsim.plant.clock import SimClock
from labsim.plant.device import Device
from labsim.plant.plant import Plant

COLD, HEATING, READY, PRODUCTION, FAULT = range(5)


def zones(device: Device, what: str) -> list[float]:
    """One figure of all eight zones."""
    return [float(device[f"zone{n}_{what}"]) for n in range(1, 9)]


def idle(bench, **settings):
    """A hot oven without boards, out of production."""
    rig = bench("reflow-oven", autostart=False, **settings)
    rig.run(6)
    return rig


def load(rig, version: int = 4) -> int:
    """Load what is staged with its right checksum."""
    return rig.device.call("load_recipe", ["A", version, rig.device["staged_checksum"]])[0]


def test_the_factory_recipe_gives_a_lead_free_profile(bench):
    """Every board has a peak of 235 to 245 °C, 50 to 70 s above 217 °C, a soak of 60 to 120 s and at most 3 K/s."""
    rig = bench("reflow-oven")
    device = rig.run(500)
    assert device["boards_completed"] >= 8
    assert device["boards_out_of_profile"] == 0
    assert 235 <= float(device["board_peak_temperature"]) <= 245
    assert 50 <= float(device["board_time_above_liquidus"]) <= 70
    assert 60 <= float(device["board_soak_time"]) <= 120
    assert 1 <= float(device["board_ramp"]) <= 3
    assert float(device["board_transit_time"]) == pytest.approx(4.0 / 0.85 * 60, rel=0.01)


def test_a_cold_oven_heats_up_before_it_takes_boards(bench):
    """From the room to ready takes minutes at full output, without overshoot beyond the tolerance; no board enters before."""
    rig = bench("reflow-oven", starts_hot=False)
    device = rig.run(60)
    assert device["state"] == HEATING
    assert max(zones(device, "output")) == 100
    while not device["ready"]:
        assert device["boards_in_oven"] == 0
        rig.run(0.1)
        assert rig.plant.clock.step < 12_000
    assert all(abs(t - s) < 6.5 for t, s in zip(zones(device, "temperature"), zones(device, "setpoint"), strict=True))
    rig.run(30)
    assert device["boards_in_oven"] > 0


def test_boards_cost_power(bench):
    """A full oven draws more than an empty one, because boards carry heat away; energy is the integral of power."""
    empty, full = idle(bench), bench("reflow-oven")
    total = [float(full.device["energy"])]

    def add(d: Device) -> None:
        total[0] += float(d.store.value[d.tags["power"].row]) / 36000

    full.run(500, add)
    empty.run(500)
    assert float(full.device["power"]) > float(empty.device["power"]) + 0.7
    assert float(full.device["energy"]) == pytest.approx(total[0], rel=1e-6)


def test_half_a_heater_lowers_the_peak(bench):
    """P23: the output goes to 100 %, the zone falls by tens of kelvin, its alarm comes and boards leave below their peak."""
    rig = bench("reflow-oven")
    rig.device.begin_fault("heater-half-power", {"zone": 7, "left": 50})
    device = rig.run(900)
    assert device["zone7_output"] == 100
    assert float(device["zone7_temperature"]) < 225
    assert device["zone7_alarm"]
    assert float(device["board_peak_temperature"]) < 232
    assert not device["board_profile_ok"]
    assert zones(device, "temperature")[:5] == pytest.approx(zones(device, "setpoint")[:5], abs=2)
    device.end_fault("heater-half-power")
    rig.run(900)
    assert not device["zone7_alarm"]
    assert device["board_profile_ok"]


def test_a_slipping_conveyor_shows_its_motor(bench):
    """The shown speed stays, boards take 4/3 of the time and are longer above liquidus."""
    rig, well = bench("reflow-oven"), bench("reflow-oven")
    rig.device.begin_fault("conveyor-slip", {"slip": 25})
    slow, fast = rig.run(460), well.run(460)
    assert slow["conveyor_speed"] == fast["conveyor_speed"]
    assert float(slow["board_transit_time"]) == pytest.approx(float(fast["board_transit_time"]) / 0.75, rel=0.01)
    assert float(slow["board_time_above_liquidus"]) > 1.2 * float(fast["board_time_above_liquidus"])


def test_the_checksum_is_the_crc_of_24_floats(bench):
    """Anybody can compute ``staged_checksum``: CRC-32 over the parameters as big-endian float32 in the order of the tags."""
    rig = idle(bench)
    assert len(PARAMETERS) == 24
    assert rig.write("staged_zone3_setpoint", 171.3) == status.GOOD
    device = rig.run(0.1)
    names = [name for name in device.tags if name.startswith("staged_") and name != "staged_checksum"]
    packed = struct.pack(">24f", *(float(device[name]) for name in names))
    assert device["staged_checksum"] == f"{zlib.crc32(packed):08X}"
    assert device["staged_checksum"] != device["recipe_checksum"]


def test_a_recipe_is_loaded_whole_or_not_at_all(bench):
    """A wrong checksum, zones too far apart and an empty window are refused, each with its code, and nothing moves."""
    rig = idle(bench)
    device = rig.device
    before = [device[name] for name in PARAMETERS]
    assert rig.write("staged_zone8_setpoint", 256) == status.GOOD
    rig.run(0.1)
    assert device.call("load_recipe", ["A", 4, "00000000"])[0] == status.BAD_INVALID_ARGUMENT
    assert device["recipe_result"] == 3
    assert rig.write("staged_zone2_setpoint", 260) == status.GOOD
    rig.run(0.1)
    assert load(rig) == status.BAD_OUT_OF_RANGE
    assert (device["recipe_result"], [device[name] for name in PARAMETERS]) == (4, before)
    assert rig.write("staged_zone2_setpoint", 150) == status.GOOD
    rig.run(0.1)
    assert load(rig) == status.GOOD
    assert (device["recipe_name"], device["recipe_version"], device["zone8_setpoint"]) == ("A", 4, 256)
    rig.run(0.1)
    assert device["recipe_checksum"] == device["staged_checksum"]
    assert not device["recipe_modified"]


def test_nothing_is_loaded_in_production_or_with_boards_inside(bench):
    """Load and set-points are refused until production is off and the oven is empty; staging goes on."""
    rig = bench("reflow-oven")
    rig.run(40)
    assert rig.device["boards_in_oven"] > 0
    assert rig.write("staged_peak_high", 246) == status.GOOD
    assert load(rig) == status.BAD_INVALID_STATE
    assert rig.device["recipe_result"] == 2
    assert rig.write("zone1_setpoint", 130) == status.BAD_INVALID_STATE
    assert rig.write("production", False) == status.GOOD
    rig.run(10)
    assert load(rig) == status.BAD_INVALID_STATE
    rig.run(300)
    assert (rig.device["boards_in_oven"], rig.device["state"]) == (0, READY)
    assert load(rig) == status.GOOD
    assert rig.write("zone1_setpoint", 130) == status.GOOD
    rig.run(0.1)
    assert rig.device["recipe_modified"]


def test_an_edit_at_the_panel_shows_against_the_loaded_recipe(bench):
    """The set-point moves in production; name, version and checksum stay, ``recipe_modified`` comes."""
    rig = bench("reflow-oven")
    rig.run(1)
    name, checksum = rig.device["recipe_name"], rig.device["recipe_checksum"]
    rig.device.begin_fault("operator-edit", {"zone": 8, "change": 8})
    device = rig.run(0.1)
    assert (device["zone8_setpoint"], device["recipe_modified"]) == (260, True)
    assert (device["recipe_name"], device["recipe_checksum"]) == (name, checksum)


def test_a_clamp_keeps_staged_set_points_low(bench):
    """With ``recipe_clamp`` a staged set-point above it is accepted and stands at the limit, as the read-back shows."""
    rig = idle(bench, recipe_clamp=250)
    assert rig.write("staged_zone8_setpoint", 258) == status.GOOD
    assert rig.device["staged_zone8_setpoint"] == 250


def test_a_lying_thermocouple_moves_the_zone_only_when_the_controller_goes_by_it(bench):
    """A zone's tag that reads 10 K low: with elements of their own nothing happens, otherwise the true zone gets hotter."""
    ends = {}
    for sensor in ("own", "zone"):
        rig = idle(bench, control_sensor=sensor)
        rig.write("reference_zone", 5)

        def lie(d: Device) -> None:
            d.store.show(d.tags["zone5_temperature"].row, float(d._zones.celsius[4]) - 10)

        ends[sensor] = float(rig.run(600, lie)["reference_temperature"])
    assert ends["own"] == pytest.approx(190, abs=0.5)
    assert ends["zone"] == pytest.approx(200, abs=1)


def test_a_runaway_zone_is_stopped_by_the_thermostat(bench):
    """A thermocouple that reads cold drives its zone to 320 °C; the oven trips and resets only when it has cooled."""
    rig = idle(bench, control_sensor="zone")

    def lie(d: Device) -> None:
        d.store.show(d.tags["zone8_temperature"].row, 20.0)

    while not rig.device["fault"]:
        rig.run(1, lie)
        assert rig.plant.clock.step < 12_000
    assert rig.device._zones.celsius.max() < 322
    assert rig.device.call("reset", [])[0] == status.BAD_INVALID_STATE
    assert rig.write("production", True) == status.BAD_INVALID_STATE
    rig.run(120)
    assert rig.device.call("reset", [])[0] == status.GOOD
    assert rig.run(1)["state"] == HEATING


def test_a_thermocouple_without_a_value_keeps_the_output(bench):
    """In ``control_sensor: zone`` a bad or missing value holds the heater where it is."""
    rig = idle(bench, control_sensor="zone")
    rig.run(60)

    def gone(d: Device) -> None:
        d.store.show(d.tags["zone4_temperature"].row, float("nan"), status.BAD_SENSOR_FAILURE)

    gone(rig.device)
    before = rig.device["zone4_output"]
    assert rig.run(60, gone)["zone4_output"] == before
    assert rig.device["zone4_alarm"]


def test_boards_carry_their_profile_and_a_blocked_outlet_lets_none_in():
    """Parts leave with marks; a full outlet stops the entrance while those inside go through."""
    plant = Plant(1, SimClock(utc_ns=0))
    oven = plant.add("o", devices.load("reflow-oven"))
    plant.add("a", devices.load("aoi"), {"autostart": False})
    lane = plant.connect("o.boards_out", "a.boards_in", buffer=2)
    plant.start()
    for _ in range(6400):
        plant.advance()
    assert (len(lane), oven["boards_in_oven"], oven["production"]) == (2, 0, True)
    assert oven["boards_completed"] > 2
    part = lane.parts[0]
    assert part.marks["profile_ok"] is True
    assert 235 < float(part.marks["peak_temperature"]) < 245
    assert part.marks["oven_recipe"] == "LF-STD 3"
    assert [place for place, _ in part.trail] == ["o"]


def test_air_runs_straight_between_the_zones():
    """In the middle of a zone the air has its temperature, between two middles the mean."""
    air = Air([100, 120, 140, 160, 180, 200, 220, 240], 60, 25)
    assert air.at(0.2) == 100
    assert air.at(0.4) == pytest.approx(110)
    assert air.at(3.0) == pytest.approx(240)
    assert air.at(9.9) == 60
    assert 25 < air.at(0.0) < 100


def test_oxygen_falls_under_nitrogen(bench):
    """With nitrogen the oven starts purged and its oxygen is below the limit; without it is that of air."""
    assert float(bench("reflow-oven", nitrogen=True).run(5)["oxygen_ppm"]) < 1000
    assert np.isclose(float(bench("reflow-oven").run(5)["oxygen_ppm"]), 209_500)
