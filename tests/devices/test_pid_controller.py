from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devices.pid_controller.loop import Loop, Tuning
from labsim.endpoints.modbus.exception import ModbusError
from labsim.endpoints.modbus.request import parse
from labsim.endpoints.modbus.unit import Unit
from labsim.plant import status

MANUAL, OFF = 1, 2


def in_manual(bench, output: float, **settings):
    """A controller whose output is set by hand."""
    rig = bench("pid-controller", **settings)
    rig.write("mode", MANUAL)
    rig.run(0.1)
    rig.write("manual_output", output)
    return rig


def test_the_oven_is_first_order_with_dead_time(bench):
    """After a step of 50 %: nothing for the dead time, 63.2 % of K u one time constant later, K u in the end."""
    rig = in_manual(bench, 50, dead_time=10, time_constant=60, gain=2, ambient_temperature=20)
    assert rig.run(9.8)["pv"] == pytest.approx(20, abs=0.3)
    assert rig.run(60.2)["pv"] == pytest.approx(20 + 100 * 0.632, abs=0.6)
    assert rig.run(400)["pv"] == pytest.approx(120, abs=0.4)


def test_the_loop_settles_at_the_setpoint(bench):
    """From cold it reaches 120 °C with less than 8 K of overshoot and then holds it within half a degree."""
    rig = bench("pid-controller")
    peak = []
    rig.run(1200, lambda d: peak.append(float(d["pv"])))
    assert 119.5 < max(peak) < 128
    late = []
    device = rig.run(60, lambda d: late.append(float(d["pv"])))
    assert all(abs(value - 120) < 0.5 for value in late)
    assert device["working_output"] == pytest.approx((120 - 24) / 2.2, abs=3)


def test_a_long_saturation_does_not_wind_up(bench):
    """After half an hour at full output below an unreachable setpoint, the output leaves its limit with the setpoint at once."""
    rig = bench("pid-controller", gain=1)
    rig.write("target_setpoint", 300)
    assert rig.run(1800)["working_output"] == 100
    rig.write("target_setpoint", 100)
    assert rig.run(0.1)["working_output"] < 5


def test_manual_and_automatic_change_without_a_bump(bench):
    """Going to manual keeps the output where it was; coming back begins from the manual output."""
    rig = bench("pid-controller")
    before = float(rig.run(400)["working_output"])
    rig.write("mode", MANUAL)
    assert rig.run(0.1)["working_output"] == pytest.approx(before, abs=2)
    rig.write("manual_output", before + 20)
    rig.run(1)
    rig.write("mode", 0)
    assert rig.run(0.1)["working_output"] == pytest.approx(before + 20, abs=2)
    rig.write("mode", OFF)
    assert rig.run(0.1)["working_output"] == 0


def test_an_open_door_asks_for_more_heat_and_a_failed_heater_for_all(bench):
    """The loop answers a door with more output; a failed heater shows as full output, no power and a falling temperature."""
    rig = bench("pid-controller")
    calm = float(rig.run(900)["working_output"])
    rig.device.configure("door_open", value=True)
    assert rig.run(200)["working_output"] > calm + 20
    rig.device.configure("heater_failed", value=True)
    device = rig.run(200)
    assert (device["working_output"], device["heater_power"]) == (100, 0)
    assert device["pv"] < 80


def test_a_broken_sensor_goes_to_the_safe_output(bench):
    """The value is BadSensorFailure at its last number, status bit 5 is on, the output is the one set for this."""
    rig = bench("pid-controller", break_output=15)
    last = rig.run(100)["pv"]
    rig.device.configure("sensor_break", value=True)
    device = rig.run(1)
    assert rig.status("pv") == status.BAD_SENSOR_FAILURE
    assert (device["pv"], device["working_output"], device["status_word"]) == (last, 15, 0x20)
    rig.device.configure("sensor_break", value=False)
    rig.run(0.1)
    assert rig.status("pv") == status.GOOD


def test_the_target_is_the_selected_setpoint(bench):
    """A new target is kept in the selected setpoint; selecting the other one brings its value back."""
    rig = bench("pid-controller")
    rig.write("target_setpoint", 90)
    assert rig.run(0.1)["setpoint_1"] == 90
    rig.write("setpoint_select", 1)
    assert rig.run(0.1)["target_setpoint"] == 60
    rig.write("setpoint_2", 70)
    device = rig.run(0.1)
    assert (device["target_setpoint"], device["setpoint_1"], device["working_setpoint"]) == (70, 90, 70)


def test_the_rate_limit_ramps_and_the_range_refuses(bench):
    """The working setpoint moves by so much a minute; a setpoint outside the range is refused."""
    rig = bench("pid-controller")
    rig.write("setpoint_rate", 6)
    before = float(rig.device["working_setpoint"])
    assert rig.run(60)["working_setpoint"] == pytest.approx(before + 6, abs=0.05)
    assert rig.write("target_setpoint", 301) == status.BAD_OUT_OF_RANGE
    assert rig.write("range_high", -5) == status.BAD_OUT_OF_RANGE


def test_alarms_have_hysteresis(bench):
    """Alarm 1 comes above its threshold, in the status word too, and goes only half a degree below it."""
    rig = in_manual(bench, 50, time_constant=20)
    rig.run(200)
    level = 24 + 110
    rig.write("alarm_1_threshold", level - 1)
    device = rig.run(0.1)
    assert (device["alarm_1"], device["status_word"]) == (True, 0x11)
    rig.write("alarm_1_threshold", level + 0.25)
    assert rig.run(0.1)["alarm_1"] is True
    rig.write("alarm_1_threshold", level + 1)
    assert rig.run(0.1)["alarm_1"] is False


def test_the_memory_wears_by_modbus_writes_and_the_remote_setpoint_does_not(bench):
    """Address 2 counts every write and fails at 100,000; address 26 can be written for ever."""
    rig = bench("pid-controller", eeprom_writes=99_998)
    unit = Unit(rig.device, rig.plant.store)

    def write(address: int, raw: int) -> None:
        pdu = bytes((6,)) + address.to_bytes(2, "big") + raw.to_bytes(2, "big")
        unit.answer(parse(pdu), pdu)

    for raw in (900, 900):
        write(2, raw)
        write(26, raw)
    assert rig.run(0.1)["eeprom_writes"] == 100_000
    with pytest.raises(ModbusError, match="4"):
        write(2, 800)
    write(26, 800)
    device = rig.run(0.1)
    assert (device["target_setpoint"], device["remote_setpoint"], device["eeprom_writes"]) == (90, 80, 100_000)


@given(
    band=st.floats(0.1, 999), integral=st.floats(0, 9999), derivative=st.floats(0, 999), cutback=st.floats(0, 999),
    values=st.lists(st.floats(-200, 1400), min_size=2, max_size=30), high=st.floats(0, 100), direct=st.booleans(),
)  # fmt: skip
def test_the_output_stays_within_its_limits(band, integral, derivative, cutback, values, high, direct):
    """Whatever the tuning and the measured values: 0 <= output <= limit."""
    loop, tuning = Loop(), Tuning(band, integral, derivative, cutback, cutback, direct)
    for setpoint, value in itertools.pairwise(values):
        assert 0 <= loop.advance(0.1, setpoint, value, tuning, 0.0, high) <= high


def test_it_regulates_what_its_sensor_says(bench):
    """A sensor that shows 20 °C too much keeps the oven 20 °C too cold; one that is broken is told as broken."""
    rig = bench("pid-controller")
    rig.run(3600)
    faults, setpoint = rig.plant.faults, float(rig.device["working_setpoint"])
    faults.begin(1, f"{rig.device.path}.pv", "offset", {"by": 20.0})
    device = rig.run(3600)
    assert float(device["pv"]) == pytest.approx(setpoint - 20, abs=2)
    assert float(device.shown("pv")) == pytest.approx(setpoint, abs=2)
    faults.end(1)
    faults.begin(2, f"{device.path}.pv", "wire-break", {})
    assert bool(rig.run(1)["sensor_broken"])
    faults.end(2)
    assert not bool(rig.run(1)["sensor_broken"])
