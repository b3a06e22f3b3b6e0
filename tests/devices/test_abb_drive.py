from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from devices.motor.sequence import Sequence, State
from labsim.plant import status

STOPPED, RUN, RESET = 0x047E, 0x047F, 0x04FE
FAST = {"acceleration_time": 1, "deceleration_time": 1, "emergency_stop_time": 0.4}


def started(bench, reference: float = 1500.0, **settings):
    """A drive that has run up to its reference."""
    rig = bench("abb-drive", **settings)
    for name, value in (*FAST.items(), ("reference", reference), ("control_word", STOPPED)):
        assert rig.write(name, value) == status.GOOD
    rig.run(0.1)
    rig.write("control_word", RUN)
    rig.run(3)
    return rig


def test_the_start_sequence_goes_through_its_states(bench):
    """0x047E makes it ready to switch on, 0x047F takes it to operation; the status word says each."""
    rig = bench("abb-drive")
    assert rig.device["drive_state"] == State.SWITCH_ON_INHIBITED
    assert int(rig.device["status_word"]) & 0x40
    rig.write("control_word", STOPPED)
    device = rig.run(0.1)
    assert device["drive_state"] == State.READY_TO_SWITCH_ON
    assert int(device["status_word"]) & 0x27F == 0x231
    rig.write("reference", 750)
    rig.write("control_word", RUN)
    device = rig.run(0.1)
    assert device["drive_state"] == State.OPERATION
    assert int(device["status_word"]) & 0x17F == 0x037
    device = rig.run(4)
    assert int(device["status_word"]) & 0x137 == 0x137
    assert device["speed"] == pytest.approx(750, abs=3)


def test_run_alone_does_not_start_an_inhibited_drive(bench):
    """0x047F without a word with bit 0 off before it leaves the drive inhibited."""
    rig = bench("abb-drive")
    rig.write("reference", 1500)
    rig.write("control_word", RUN)
    device = rig.run(5)
    assert (device["drive_state"], device["speed"]) == (State.SWITCH_ON_INHIBITED, 0)


def test_two_words_within_one_step_both_count(bench):
    """A client quicker than a step of the plant starts the drive all the same."""
    rig = bench("abb-drive")
    rig.write("control_word", STOPPED)
    rig.write("control_word", RUN)
    assert rig.run(0.1)["drive_state"] == State.OPERATION


def test_without_the_remote_bit_nothing_is_taken(bench):
    """With bit 10 off, a stop word and a new reference are ignored: the drive goes on as it was."""
    rig = started(bench)
    rig.write("control_word", 0x007E)
    rig.run(0.1)
    rig.write("reference", 300)
    device = rig.run(5)
    assert device["drive_state"] == State.OPERATION
    assert device["speed"] == pytest.approx(1500, abs=5)


@pytest.mark.parametrize(
    ("word", "active", "within", "after"),
    [
        (0x047E, State.OFF1_ACTIVE, (0.8, 1.3), State.READY_TO_SWITCH_ON),
        (0x047B, State.OFF3_ACTIVE, (0.2, 0.7), State.SWITCH_ON_INHIBITED),
        (0x047D, State.OFF2_ACTIVE, (0.6, 60.0), State.SWITCH_ON_INHIBITED),
    ],
)
def test_three_ways_to_stop(bench, word: int, active: State, within: tuple[float, float], after: State):
    """OFF1 stops by the ramp, OFF3 by the emergency ramp, OFF2 lets it coast without current; then the profile's state."""
    rig = started(bench)
    rig.write("control_word", word)
    steps = 0
    while rig.run(0.1)["drive_state"] == active:
        steps += 1
        assert (rig.device["current"] == 0) == (active == State.OFF2_ACTIVE)
        assert steps < 700
    assert within[0] <= steps / 10 <= within[1]
    assert rig.device["drive_state"] == after
    if after == State.SWITCH_ON_INHIBITED:
        rig.write("control_word", RUN)
        assert rig.run(2)["drive_state"] == State.SWITCH_ON_INHIBITED


def test_ramp_bits_hold_and_zero_the_speed(bench):
    """Bit 5 off holds the speed where it is, bit 6 off ramps to zero with operation still enabled."""
    rig = bench("abb-drive")
    for word in (STOPPED, RUN):
        rig.write("control_word", word)
    rig.write("reference", 1500)
    rig.run(2)
    rig.write("control_word", RUN & ~0x20)
    held = rig.run(0.5)["speed"]
    assert 300 < held < 1000
    assert rig.run(5)["speed"] == pytest.approx(held, abs=3)
    rig.write("control_word", RUN & ~0x40)
    device = rig.run(6)
    assert (device["drive_state"], device["speed"]) == (State.RAMP_ENABLED, pytest.approx(0, abs=1))
    assert device["running"] is True


@pytest.mark.parametrize(
    ("speed", "flow", "head", "shaft"), [(1500, 20.0, 24.0, 2.01), (1200, 14.4, 16.3, 0.99), (900, 7.7, 10.4, 0.35)]
)
def test_the_pump_meets_its_system(bench, speed: float, flow: float, head: float, shaft: float):
    """With 8 m of static head the flow falls faster than the speed, to the worked numbers."""
    rig = started(bench, speed)
    assert rig.device["flow"] == pytest.approx(flow, rel=0.02)
    assert rig.device["head"] == pytest.approx(head, rel=0.02)
    assert rig.device.train.load_kw == pytest.approx(shaft, rel=0.06)


def test_below_the_static_head_there_is_no_flow(bench):
    """At half speed the pump cannot lift: head without flow. Without static head half the speed is half the flow."""
    assert started(bench, 740).device["flow"] == 0
    full = float(started(bench, 1500, static_head=0).device["flow"])
    assert float(started(bench, 750, static_head=0).device["flow"]) == pytest.approx(full / 2, rel=0.01)


def test_a_blocked_pump_stalls_the_drive_and_a_reset_needs_its_edge(bench):
    """A stall trips with 7121 at the current limit; bit 7 from 0 to 1 resets, then bit 0 must go off and on again."""
    rig = started(bench)
    rig.device.configure("pump", "blocked")
    peak = []
    rig.run(5, lambda d: peak.append(float(d["current"])))
    assert max(peak) == pytest.approx(7.2, abs=0.4)
    assert (rig.device["drive_state"], rig.device["fault_code"]) == (State.FAULT, 0x7121)
    assert int(rig.device["status_word"]) & 0xF == 0x8
    rig.device.configure("pump", "ok")
    rig.write("control_word", RUN | 0x80)
    device = rig.run(0.1)
    assert (device["drive_state"], device["fault_code"]) == (State.SWITCH_ON_INHIBITED, 0)
    rig.write("control_word", STOPPED)
    rig.write("control_word", RUN)
    assert rig.run(3)["speed"] == pytest.approx(1500, abs=5)


def test_a_dry_pump_warns_and_takes_little(bench):
    """Without water there is no flow, hardly any power, and a warning after ten seconds."""
    rig = started(bench)
    loaded = float(rig.device["power"])
    rig.device.configure("pump", "dry")
    device = rig.run(12)
    assert (device["flow"], device["warning_code"]) == (pytest.approx(0, abs=1e-3), 0xA8BF)
    assert device["power"] < loaded / 3
    assert int(device["status_word"]) & 0x80


def test_a_cavitating_pump_is_below_its_curve_and_noisy(bench):
    """Less flow, head and power than the curve has, a scattering flow; at half speed nothing of it, and nothing afterwards."""
    rig = started(bench, static_head=0)
    good = rig.run(5)
    flow, head, power = (float(good[name]) for name in ("flow", "head", "power"))
    rig.device.begin_fault("cavitation", {"vapour": 30})
    seen: list[float] = []
    rig.run(3)
    device = rig.run(30, lambda d: seen.append(float(d["flow"])))
    assert np.mean(seen) == pytest.approx(flow * 0.7**0.5, rel=0.02)
    assert np.std(seen) > 0.01 * flow
    assert device["head"] == pytest.approx(0.7 * head, rel=0.02)
    assert device["power"] < 0.8 * power
    rig.write("reference", 750)
    rig.run(10)
    assert rig.device["flow"] == pytest.approx(flow / 2, rel=0.01)
    rig.device.end_fault("cavitation")
    rig.write("reference", 1500)
    assert rig.run(10)["flow"] == pytest.approx(flow, rel=0.01)


def test_a_silent_master_trips_the_drive(bench):
    """With a communication loss time, a master that stops writing trips it; one that repeats its word does not."""
    rig = started(bench)
    rig.device.configure("communication_timeout", 2)
    rig.write("control_word", RUN)
    for _ in range(5):
        rig.write("control_word", RUN)
        assert rig.run(1)["fault_code"] == 0
    assert rig.run(2.5)["fault_code"] == 0x6681


def test_local_control_ignores_the_fieldbus(bench):
    """At the keypad the drive follows its own speed and status bit 9 is off."""
    rig = started(bench, local_control=True, local_speed=600)
    assert rig.device["speed"] == pytest.approx(600, abs=5)
    assert not int(rig.device["status_word"]) & 0x200


@given(words=st.lists(st.tuples(st.integers(0, 0xFFFF), st.booleans()), max_size=40))
def test_no_word_enables_operation_without_switching_on_first(words: list[tuple[int, bool]]):
    """Whatever the words: operation is entered only by one with bits 0 to 3 on, after one with bit 0 off."""
    sequence, armed = Sequence(), False
    for word, standstill in words:
        was = sequence.enabled
        sequence.follow(word, standstill=standstill)
        armed |= not word & 1
        if sequence.enabled and not was:
            assert word & 0xF == 0xF
            assert armed
