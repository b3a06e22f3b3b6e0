from __future__ import annotations

import pytest

from devices.compressor import AMBIENT_BAR, work
from labsim.plant import status
from labsim.plant.device import Device

STOPPED, STANDBY, STARTING, UNLOADED, LOADED, FAULT = range(6)


def true(device: Device, name: str) -> float:
    """The value as the store has it."""
    return float(device.store.value[device.tags[name].row])


def test_air_is_conserved(bench):
    """At every step: air in the receiver = at the start + delivered - used - leaked - blown off."""
    rig = bench("compressor", demand=300)
    scale = 1.5 / AMBIENT_BAR
    first = true(rig.device, "pressure") * scale

    def check(d: Device) -> None:
        balance = true(d, "delivered") - d._used - d._leaked - d._blown
        assert true(d, "pressure") * scale - first == pytest.approx(balance, abs=1e-9)

    device = rig.run(300, check)
    assert device._used > 5
    assert device._leaked > 1


def test_pressure_stays_in_its_band(bench):
    """When the compressor is larger than the use, pressure stays between the two set pressures and a little around."""
    rig, seen = bench("compressor"), set()
    rig.run(60)

    def check(d: Device) -> None:
        seen.add(d["state"])
        assert 6.3 < float(d["pressure"]) < 7.6
        assert (float(d["delivery"]) > 0) == (d["state"] == LOADED)

    rig.run(300, check)
    assert seen == {UNLOADED, LOADED}


def test_leaks_show_in_load_and_unload_times_without_consumers(bench):
    """The leak test: with no use, loaded time over all running time is the leak's part of the delivery, within a tenth."""
    rig = bench("compressor", demand=0, leaks=25, idle_stop=3600, receiver=0.5)
    while not rig.device["load_cycles"]:
        rig.run(1)
    before = true(rig.device, "loaded_hours"), true(rig.device, "unloaded_hours")
    cycles = int(rig.device["load_cycles"])
    while int(rig.device["load_cycles"]) < cycles + 6:
        rig.run(0.1)
    loaded, unloaded = true(rig.device, "loaded_hours") - before[0], true(rig.device, "unloaded_hours") - before[1]
    assert loaded / (loaded + unloaded) == pytest.approx(0.25, rel=0.1)


def test_energy_is_the_integral_of_power_and_idling_costs(bench):
    """Energy counts at every step; unloaded the motor takes 28 %, loaded what the pressure asks for."""
    rig, sums = bench("compressor"), [0.0]

    def check(d: Device) -> None:
        sums[0] += true(d, "power") / 36000
        if d["state"] == UNLOADED:
            assert true(d, "power") == pytest.approx(0.28 * 37)
        if d["state"] == LOADED:
            assert 0.9 * 37 < true(d, "power") < 1.02 * 37

    assert true(rig.run(200, check), "energy") == pytest.approx(sums[0], rel=1e-9)
    assert work(7.5) == 1
    assert work(6.5) < 0.95


def test_a_motor_that_idles_stops_and_starts_by_itself(bench):
    """After the set time unloaded it is in standby without power; low pressure starts it again."""
    rig, seen = bench("compressor", demand=0, leaks=10, idle_stop=10, receiver=0.5), []

    def check(d: Device) -> None:
        if not seen or seen[-1] != d["state"]:
            seen.append(d["state"])

    rig.run(260, check)
    assert seen[:6] == [STANDBY, STARTING, UNLOADED, LOADED, UNLOADED, STANDBY]
    assert seen[6:9] == [STARTING, UNLOADED, LOADED]
    assert rig.device["motor_starts"] >= 2


def test_a_fouled_cooler_trips_the_compressor_until_it_is_cool_and_reset(bench):
    """Above 110 °C it is in fault; start and a reset while hot are refused, then a reset clears it."""
    rig = bench("compressor", cooling="fouled", demand=330)
    for _ in range(900):
        if rig.run(1)["state"] == FAULT:
            break
    device = rig.device
    assert (device["state"], device["fault"]) == (FAULT, 1)
    assert rig.write("command", 1) == status.BAD_INVALID_STATE
    assert device.call("reset", [])[0] == status.BAD_INVALID_STATE
    rig.run(30)
    assert device["power"] == 0
    assert rig.write("command", 3) == status.GOOD
    rig.run(0.1)
    assert (device["state"], device["fault"], device["command"]) == (STOPPED, 0, 0)


def test_stop_and_start_by_register_and_method(bench):
    """A stopped compressor lets the pressure fall; started, it brings it back."""
    rig = bench("compressor")
    assert rig.write("command", 2) == status.GOOD
    assert rig.run(60)["state"] == STOPPED
    low = float(rig.device["pressure"])
    assert low < 6
    assert rig.device.call("start", []) == (status.GOOD, ())
    assert float(rig.run(60)["pressure"]) > low


def test_the_band_has_a_least_width(bench):
    """Setting the two pressures closer than 0.2 bar is refused."""
    rig = bench("compressor")
    assert rig.write("load_pressure", 7.4) == status.BAD_OUT_OF_RANGE
    assert rig.write("unload_pressure", 6.6) == status.BAD_OUT_OF_RANGE
    assert rig.write("load_pressure", 7.2) == status.GOOD
