from __future__ import annotations

import pytest

from devices.motor.sequence import State
from labsim.plant import status

STOPPED, RUN = 0x047E, 0x047F


def started(bench, percent: float = 100.0, **settings):
    """A drive that was started by its single registers and has run up."""
    rig = bench("v20-drive", **settings)
    for name, value in (("ramp_up", 1), ("ramp_down", 1), ("setpoint", percent), ("run_enable", 1), ("start", 1)):
        assert rig.write(name, value) == status.GOOD
    rig.run(3)
    return rig


def test_single_registers_start_and_stop(bench):
    """Run enable, then start: the motor runs up to setpoint times reference frequency; start back to 0 ramps down."""
    rig = started(bench, 60)
    assert rig.device["drive_state"] == State.OPERATION
    assert rig.device["output_frequency"] == pytest.approx(30, abs=0.01)
    assert rig.device["control_word"] == RUN
    rig.write("start", 0)
    device = rig.run(2)
    assert (device["drive_state"], device["speed"]) == (State.READY_TO_SWITCH_ON, 0)


def test_start_without_run_enable_turns_nothing(bench):
    """Bit 3 is off when the drive comes up: start alone makes it ready to operate."""
    rig = bench("v20-drive")
    rig.write("setpoint", 100)
    rig.write("start", 1)
    device = rig.run(2)
    assert (device["drive_state"], device["speed"]) == (State.READY_TO_OPERATE, 0)


def test_words_and_single_registers_are_the_same_thing(bench):
    """Control and setpoint word show in the single registers and the other way round; the last one written counts."""
    rig = bench("v20-drive")
    rig.write("control_word", RUN | 0x800)
    rig.write("setpoint_word", 0x2000)
    device = rig.run(0.1)
    assert [device[name] for name in ("start", "run_enable", "reverse", "setpoint")] == [1, 1, 1, 50]
    rig.write("reverse", 0)
    rig.write("setpoint", -25)
    device = rig.run(0.1)
    assert (device["control_word"], device["setpoint_word"]) == (RUN, -4096)
    rig.write("setpoint", 200)
    assert rig.run(0.1)["setpoint_word"] == 32767


def test_reverse_turns_the_motor_and_its_bit(bench):
    """With bit 11 it runs backwards: speed and actual word negative, status bit 14 off, frequency without a sign."""
    rig = started(bench, 50)
    assert int(rig.device["status_word"]) & 0x4000
    rig.write("reverse", 1)
    device = rig.run(4)
    assert device["speed"] == pytest.approx(-662, abs=6)
    assert device["actual_word"] == pytest.approx(-0x2000, abs=2)
    assert device["output_frequency"] == pytest.approx(25, abs=0.01)
    assert not int(device["status_word"]) & 0x4000


def test_slip_and_current_follow_the_load(bench):
    """At the same frequency a loaded belt slows the motor by its slip and draws more current."""
    light, heavy = started(bench, belt_load=0).device, started(bench, belt_load=80).device
    assert light["output_frequency"] == heavy["output_frequency"]
    assert 1455 < float(light["speed"]) < 1475
    assert float(heavy["speed"]) == pytest.approx(1500 - 105 * float(heavy["torque"]) / heavy.plate.torque, abs=3)
    assert heavy["current"] > light["current"]


def test_the_reference_frequency_scales_and_is_locked_while_running(bench):
    """100 % is the reference frequency; a client cannot change it while the motor runs."""
    rig = bench("v20-drive")
    assert rig.write("reference_frequency", 40) == status.GOOD
    for name, value in (("ramp_up", 1), ("setpoint", 100), ("run_enable", 1), ("start", 1)):
        rig.write(name, value)
    assert rig.run(2)["output_frequency"] == pytest.approx(40, abs=0.01)
    assert rig.write("reference_frequency", 50) == status.BAD_INVALID_STATE


def test_a_jam_trips_with_f90_and_needs_acknowledgement_and_a_new_start(bench):
    """The stalled motor trips; acknowledging while start is on leaves the drive inhibited until start goes off and on."""
    rig = started(bench)
    rig.device.configure("belt", "jammed")
    assert rig.run(6)["fault_code"] == 90
    rig.device.configure("belt", "ok")
    rig.write("fault_acknowledge", 1)
    device = rig.run(0.1)
    assert (device["fault_code"], device["drive_state"]) == (0, State.SWITCH_ON_INHIBITED)
    for name, value in (("fault_acknowledge", 0), ("start", 0)):
        rig.write(name, value)
    rig.run(0.1)
    rig.write("start", 1)
    assert rig.run(0.1)["drive_state"] == State.OPERATION


@pytest.mark.parametrize(("action", "fault"), [(1, 72), (0, 0)])
def test_the_watchdog_waits_for_the_first_write_and_trips_after_a_gap(bench, action: int, fault: int):
    """Set but never written to, nothing happens; after writes, a gap longer than the time is F72, or an alarm only."""
    rig = started(bench)
    rig.write("watchdog_action", action)
    rig.write("watchdog_time", 1500)
    for _ in range(4):
        assert rig.run(1)["alarm_code"] == 0
        rig.write("setpoint", 100)
    device = rig.run(2)
    assert (device["fault_code"], device["alarm_code"]) == (fault, 930)
    assert (device["drive_state"] == State.FAULT) == bool(fault)


def test_a_slack_belt_stands_while_the_motor_turns(bench):
    """Drive readings look healthy; only the belt's own speed tells."""
    rig = started(bench)
    assert rig.device["belt_speed"] == pytest.approx(0.75, abs=0.01)
    rig.device.configure("belt", "slack")
    device = rig.run(1)
    assert device["belt_speed"] == 0
    assert device["speed"] > 1400


def test_a_lasting_overload_trips_by_heat(bench):
    """At more than rated torque the motor heats over minutes, warns with A511, then trips with F11."""
    rig = started(bench, belt_load=110)
    rig.device.train.motor.heat = 1.0
    seen = []
    rig.run(900, lambda d: seen.append((int(d["alarm_code"]), int(d["fault_code"]))))
    warned, tripped = seen.index((511, 0)), seen.index((511, 11))
    assert 600 < warned < tripped - 600
