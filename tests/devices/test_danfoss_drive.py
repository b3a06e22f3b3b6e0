from __future__ import annotations

import pytest

from devices.danfoss_drive import CONTROL
from labsim.plant import status

STOP, RUN = 0x043C, 0x047C


def started(bench, percent: float = 100.0, **settings):
    """A drive that has run up to its reference."""
    rig = bench("danfoss-drive", **settings)
    for name, value in (("ramp_1_up", 5), ("ramp_1_down", 6), ("reference", percent), ("control_word", RUN)):
        assert rig.write(name, value) == status.GOOD
    rig.run(9)
    return rig


def test_start_and_stop_by_the_word(bench):
    """0x047C starts and reaches the reference, 0x043C ramps down and lets the motor go."""
    rig = started(bench, 80)
    device = rig.device
    assert device["output_frequency"] == pytest.approx(40, abs=0.01)
    assert device["actual_value"] == pytest.approx(80, abs=0.01)
    assert int(device["status_word"]) == 0b0000_1111_0000_0111
    rig.write("control_word", STOP)
    device = rig.run(10)
    assert (device["speed"], device["current"], device["running"]) == (0, 0, False)


def test_coils_are_the_bits_of_the_word(bench):
    """All coils in one request start it as the word would, and each shows the other; a single coil then stops it."""
    rig = bench("danfoss-drive")
    rig.write("reference", 50)
    rows = rig.device.tags
    bits = [(rows[name].row, bool(RUN >> number & 1)) for number, name in enumerate(CONTROL)]
    assert rig.plant.store.write_all(bits) == status.GOOD
    device = rig.run(0.1)
    assert (device["control_word"], device["running"]) == (RUN, True)
    rig.write("start", value=False)
    assert rig.run(0.1)["control_word"] == STOP
    rig.write("control_word", RUN | 0x8000)
    assert rig.run(0.1)["reverse"] is True


def test_without_data_valid_nothing_is_taken(bench):
    """With bit 10 off, a stop and a new reference are ignored."""
    rig = started(bench, 60)
    rig.write("reference", 10)
    rig.write("control_word", STOP & ~0x400)
    assert rig.run(5)["output_frequency"] == pytest.approx(30, abs=0.01)


@pytest.mark.parametrize(
    ("bit", "within", "powered"), [(6, (5.5, 7.0), True), (4, (0.8, 3.5), True), (3, (15, 200), False)]
)
def test_stops_differ_in_time(bench, bit: int, within: tuple[float, float], powered: bool):
    """A stop follows its ramp, a quick stop brakes at the current limit, coasting takes long and draws nothing."""
    rig = started(bench)
    rig.write("quick_stop_time", 1)
    rig.write("control_word", RUN & ~(1 << bit))
    seconds, braked = 0.0, False
    while float(rig.run(0.1)["speed"]) > 10 and seconds < 200:
        seconds += 0.1
        assert (rig.device["current"] > 0) == powered
        braked |= float(rig.device["torque"]) < -100
    assert within[0] <= seconds <= within[1]
    assert braked == (bit == 4)


def test_hold_jog_and_presets(bench):
    """Bit 5 off holds the frequency, jog has its own, presets are added to the bus reference."""
    rig = started(bench, 50)
    rig.write("control_word", RUN & ~0x20)
    rig.run(0.1)
    rig.write("reference", 100)
    assert rig.run(5)["output_frequency"] == pytest.approx(25, abs=0.01)
    rig.write("control_word", RUN | 0x100)
    assert rig.run(5)["output_frequency"] == pytest.approx(10, abs=0.01)
    rig.write("reference", 10)
    rig.write("control_word", RUN | 2)
    assert rig.run(5)["output_frequency"] == pytest.approx(35, abs=0.01)


@pytest.mark.parametrize("percent", [40.0, 60.0, 80.0])
def test_affinity_laws(bench, percent: float):
    """Without a static part, flow goes with speed, pressure with its square, shaft power with its cube."""
    full, part = started(bench, 100), started(bench, percent)
    part.run(15)
    n = part.device.train.speed / full.device.train.speed
    assert float(part.device["airflow"]) / float(full.device["airflow"]) == pytest.approx(n, rel=0.01)
    assert float(part.device["pressure"]) / float(full.device["pressure"]) == pytest.approx(n**2, rel=0.01)
    friction = 0.01 * full.device.plate.torque * 157e-3 * n
    ratio = (part.device.train.load_kw - friction) / (full.device.train.load_kw - friction / n)
    assert ratio == pytest.approx(n**3, rel=0.1)


def test_a_clogged_filter_takes_flow_and_raises_pressure(bench):
    """At the same speed a clogged filter gives less air at more pressure and less power."""
    clean, clogged = started(bench, filter_clogging=0).device, started(bench, filter_clogging=75).device
    assert float(clogged["airflow"]) < 0.75 * float(clean["airflow"])
    assert clogged["pressure"] > clean["pressure"]
    assert clogged["power"] < clean["power"]


def test_a_broken_belt_leaves_the_motor_turning(bench):
    """The drive runs at its reference without load and without air, and warns after ten seconds."""
    rig = started(bench, 80, belt="broken")
    device = rig.run(10)
    assert (device["airflow"], device["warning_code"], device["at_reference"]) == (0, 95, True)
    assert float(device["torque"]) < 5


def test_a_seized_fan_trips_and_reset_is_an_edge(bench):
    """Alarm 99 coasts the motor; a reset that stands does nothing, its edge ends the alarm and the start bit still counts."""
    rig = started(bench, 80, belt="seized")
    device = rig.run(0.1)
    assert (device["alarm_code"], device["tripped"], device["enabled"], device["current"]) == (99, True, False, 0)
    rig.device.configure("belt", "ok")
    rig.write("control_word", RUN | 0x80)
    assert rig.run(0.1)["alarm_code"] == 0
    rig.device.configure("belt", "seized")
    assert rig.run(6)["alarm_code"] == 99
    rig.write("control_word", RUN | 0x80)
    assert rig.run(0.1)["alarm_code"] == 99


@pytest.mark.parametrize(
    ("function", "hertz", "alarm"), [(0, 30, 0), (1, 30, 0), (2, 0, 0), (3, 10, 0), (4, 50, 0), (5, 0, 17)]
)
def test_a_silent_master(bench, function: int, hertz: float, alarm: int):
    """After the timeout the drive goes on, freezes, stops, jogs, runs at its maximum or trips, as 8-04 says."""
    rig = started(bench, 60)
    rig.write("timeout_time", 1)
    rig.write("timeout_function", function)
    device = rig.run(9)
    assert device["output_frequency"] == pytest.approx(hertz, abs=0.1)
    assert device["alarm_code"] == alarm
    assert device["warning_code"] == (17 if function else 0)
    if function in (1, 2, 3, 4):
        rig.write("control_word", RUN)
        assert rig.run(0.9)["warning_code"] == 0


def test_hand_operation_ignores_the_bus(bench):
    """In hand operation the panel's frequency counts and status bit 9 is off."""
    device = started(bench, 100, operation="hand").device
    assert device["output_frequency"] == pytest.approx(20, abs=0.01)
    assert not int(device["status_word"]) & 0x200
