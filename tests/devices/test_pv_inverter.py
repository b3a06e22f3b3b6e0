from __future__ import annotations

import math
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devices.pv_inverter import losses, output
from devices.pv_inverter.array import Array, clear_sky
from labsim.endpoints.modbus.register_map import RegisterMap
from labsim.plant import status
from labsim.plant.device import Device

OFF, SLEEPING, STARTING, BEST, THROTTLED, FAULT, STANDBY = 1, 2, 3, 4, 5, 7, 8


def true(device: Device, name: str) -> float:
    """The value as the store has it."""
    return float(device.store.value[device.tags[name].row])


def feeding(bench, **settings):
    """An inverter that feeds what the sun gives."""
    rig = bench("pv-inverter", **({"hour": 12, "start_delay": 1} | settings))
    rig.run(15)
    return rig


def test_power_is_never_made(bench):
    """At every step: DC power = U I, AC power + losses = DC power, S^2 = P^2 + Q^2, and energy is the sum of power."""
    rig = feeding(bench)
    assert rig.write("pf_setpoint", -0.9) == status.GOOD
    assert rig.write("pf_enabled", value=True) == status.GOOD
    first, sums = true(rig.device, "energy"), [0.0]

    def check(d: Device) -> None:
        dc, power = true(d, "dc_power"), true(d, "active_power")
        assert true(d, "dc_voltage") * true(d, "dc_current") == pytest.approx(dc, rel=1e-9)
        assert power + losses(power, 25_000) == pytest.approx(dc, rel=1e-6)
        assert math.hypot(power, true(d, "reactive_power")) == pytest.approx(true(d, "apparent_power"), rel=1e-9)
        assert true(d, "apparent_power") <= 25_000 * (1 + 1e-9)
        sums[0] += power / 36000

    device = rig.run(120, check)
    assert true(device, "energy") - first == pytest.approx(sums[0], rel=1e-6)
    assert true(device, "reactive_power") == pytest.approx(-true(device, "active_power") * math.tan(math.acos(0.9)))


def test_under_a_clear_sky_it_follows_the_best_point(bench):
    """At ten without clouds the array gives its best power, in state 4; a larger array at noon is cut at the rated power."""
    device = feeding(bench, hour=10, clouds=0).device
    array = Array.lit(28_000, true(device, "irradiance"), 26)
    assert device["state"] == BEST
    assert true(device, "dc_power") == pytest.approx(array.best[1], rel=1e-6)
    device = feeding(bench, clouds=0, array_power=35).device
    assert device["state"] == THROTTLED
    assert true(device, "active_power") == pytest.approx(25_000)
    assert true(device, "dc_voltage") > Array.lit(35_000, true(device, "irradiance"), 26).best[0]


def test_a_limit_throttles_and_falls_off_by_itself(bench):
    """30 % of 25 kW is not exceeded; not renewed in time the limit falls off, renewed with the same value it stays."""
    rig = feeding(bench, clouds=0)
    rig.write("limit_revert", 10)
    rig.write("limit_percent", 30)
    rig.write("limit_enabled", value=True)
    rig.run(8)
    assert true(rig.device, "active_power") == pytest.approx(7500)
    assert rig.device["state"] == THROTTLED
    rig.write("limit_percent", 30)
    assert rig.run(8)["limit_enabled"] is True
    assert rig.run(3)["limit_enabled"] is False
    assert true(rig.run(10), "active_power") > 20_000


def test_sun_grid_and_hand_make_the_state(bench):
    """It sleeps at night, waits before it connects, stops without grid and by hand, and comes back after the wait."""
    rig = bench("pv-inverter", hour=2, start_delay=5)
    assert rig.run(1)["state"] == SLEEPING
    assert true(rig.device, "active_power") < 0
    rig.device.configure("hour", 11)
    assert rig.run(3)["state"] == STARTING
    assert rig.run(15)["state"] == BEST
    rig.device.configure("grid", "lost")
    device = rig.run(0.1)
    assert (device["state"], device["events"], device["voltage_l1"], device["active_power"]) == (FAULT, 16, 0, 0)
    rig.device.configure("grid", "present")
    assert rig.run(4.5)["state"] == STARTING
    rig.run(3)
    rig.write("connect", value=False)
    device = rig.run(0.2)
    assert (device["state"], device["events"], device["dc_current"]) == (STANDBY, 64, 0)


def test_the_power_factor_has_a_least(bench):
    """Between -0.8 and 0.8 it is refused."""
    rig = bench("pv-inverter")
    assert rig.write("pf_setpoint", 0.5) == status.BAD_OUT_OF_RANGE
    assert rig.write("pf_setpoint", -0.8) == status.GOOD


def test_a_sunspec_client_finds_its_way(bench):
    """From the mark at 40001 by the lengths: models 1, 103 and 123 and the end; values with their scale factors are the tags."""
    device = feeding(bench).device
    places = RegisterMap(device, device.store)

    def word(doc: int, kind: str = "H") -> int:
        size = struct.calcsize(f">{kind}") // 2
        return struct.unpack(f">{kind}", places.span("holding", doc - 1, size).read()[0])[0]

    assert places.span("holding", 40000, 2).read()[0] == b"SunS"
    found, here = {}, 40003
    while word(here) != 0xFFFF:
        found[word(here)] = here
        length = word(here + 1)
        places.span("holding", here - 1, min(length + 2, 125))  # no hole on the way
        here += length + 2
    assert sorted(found) == [1, 103, 123]
    start = found[103]
    for name, value, factor, kind in (
        ("current", 2, 6, "H"),
        ("voltage_l1", 10, 13, "H"),
        ("active_power", 14, 15, "h"),
        ("frequency", 16, 17, "H"),
        ("apparent_power", 18, 19, "h"),
        ("dc_voltage", 29, 30, "H"),
        ("cabinet_temperature", 33, 37, "h"),
    ):
        scale = 10.0 ** word(start + factor, "h")
        assert word(start + value, kind) * scale == pytest.approx(true(device, name), abs=0.51 * scale), name
    assert word(start + 24, "I") == int(true(device, "energy")) or word(start + 24, "I") == round(
        true(device, "energy")
    )
    assert word(start + 38) == device["state"]


@given(irradiance=st.floats(1, 1100), air=st.floats(-20, 50), part=st.floats(0, 1))
def test_the_curve_of_the_array_has_one_best_point(irradiance: float, air: float, part: float):
    """No voltage gives more than the best point by over 0.5 %, and every lesser power is found above it."""
    array = Array.lit(20_000, irradiance, air)
    voltage, best = array.best
    for step in range(1, 40):
        tried = array.open * step / 40
        assert tried * array.current(tried) <= best * 1.005
    found = array.voltage_for(part * best)
    assert voltage <= found <= array.open * (1 + 1e-9)
    assert found * array.current(found) == pytest.approx(part * best, abs=1e-6 * best)


@given(dc=st.floats(0, 40_000))
def test_what_comes_out_and_the_losses_are_what_goes_in(dc: float):
    """The inverse of the losses is exact, and never gives more than it gets."""
    power = output(dc, 25_000)
    assert power <= dc
    if power:
        assert power + losses(power, 25_000) == pytest.approx(dc)


def test_the_sun_rises_at_six_and_is_highest_at_noon():
    """Nothing at night, 1,000 W/m² at noon."""
    assert [clear_sky(h) for h in (0, 5.9, 6, 18, 23)] == [0] * 5
    assert clear_sky(12) == pytest.approx(1000)
    assert clear_sky(9) == pytest.approx(clear_sky(15))
