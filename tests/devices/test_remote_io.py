from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

import devices
from devices.remote_io.channel import BURN_OUT, NO_VALUE, RANGES, Channel
from devices.remote_io.sump import AREA_M2, HEIGHT_M, Sump
from labsim.plant import status


def level_of(device) -> float:
    """What a client makes of AI 0: raw, its type code, and 4 to 20 mA for 0 to 2 m."""
    assert device["ai_0_type"] == 0x0180
    return float(device["ai_0_raw"]) / 65535 * HEIGHT_M


def test_the_level_follows_the_mass_balance(bench):
    """Area times change of level is what came in less what was pumped; the raw numbers say the same."""
    rig = bench("remote-io", inflow=4)
    sump = rig.device._sump
    for on in (False, True):
        rig.write("do_0", on)
        before, entered, pumped = sump.level, sump.entered, sump.pumped
        device = rig.run(300)
        gone = (sump.entered - entered) - (sump.pumped - pumped)
        assert (sump.level - before) * AREA_M2 == pytest.approx(gone, abs=1e-9)
        assert level_of(device) == pytest.approx(sump.level, abs=0.02)


@given(
    steps=st.lists(st.tuples(st.floats(0, 12), st.booleans(), st.integers(1, 600)), max_size=8), level=st.floats(0, 2)
)
def test_water_is_neither_made_nor_lost(steps: list[tuple[float, bool, int]], level: float):
    """However it is run, level, pumped and overflowed water add up, and the level stays in the sump."""
    sump = Sump(level)
    for inflow, pumping, count in steps:
        for _ in range(count):
            sump.advance(0.1, inflow, pumping)
            assert 0 <= sump.level <= HEIGHT_M
    balance = sump.entered - sump.pumped - sump.overflow
    assert (sump.level - level) * AREA_M2 == pytest.approx(balance, abs=1e-9)


def test_the_wrong_range_reads_plausible_nonsense(bench):
    """AI 1 is set to 0-20 mA under a 4-20 mA transmitter: no flow reads as a fifth of the range; its type code tells."""
    device = bench("remote-io").run(1)
    assert device["ai_1_type"] == 0x0182
    assert float(device["ai_1_raw"]) / 65535 == pytest.approx(0.2, abs=0.001)
    assert device["ai_1"] == pytest.approx(4, abs=0.02)


def test_an_open_wire_is_told_in_every_way(bench):
    """Burn-out flag, status bits, raw 0 and BadNotConnected; back with the wire. An open Pt100 does the same."""
    rig = bench("remote-io")
    rig.device.configure("level_wiring", "open")
    rig.device.configure("pt100_wiring", "open")
    device = rig.run(0.1)
    for index in (0, 3):
        assert (device[f"ai_{index}_burn_out"], device[f"ai_{index}_status"]) == (True, BURN_OUT | NO_VALUE)
        assert device[f"ai_{index}_raw"] == 0
        assert rig.status(f"ai_{index}") == status.BAD_NOT_CONNECTED
    rig.device.configure("level_wiring", "ok")
    assert rig.run(0.1)["ai_0_burn_out"] is False
    assert rig.status("ai_0") == status.GOOD


def test_coils_and_the_output_word_are_the_same(bench):
    """A coil shows in the word and the other way round, in the order in which they were written."""
    rig = bench("remote-io")
    rig.write("do_word", 0b0110)
    rig.write("do_0", value=True)
    device = rig.run(0.1)
    assert device["do_word"] == 0b0111
    assert [device[f"do_{i}"] for i in range(4)] == [True, True, True, False]


def test_the_pump_tells_by_feedback_current_and_pulses(bench):
    """DO 0 starts the pump: feedback after a moment, an inrush, then 4.2 A, and pulses of 10 l counted without a miss."""
    rig = bench("remote-io", start_level=1.9)
    rig.write("do_0", value=True)
    peak = []
    device = rig.run(200, lambda d: peak.append(float(d["ai_2"])))
    assert device["di_2"] is True
    assert max(peak) > 9.9
    assert device["ai_2"] == pytest.approx(4.2, abs=0.3)
    assert device["counter_0"] == pytest.approx(rig.device._sump.pumped * 100, abs=1)
    assert device["counter_1"] == 1
    rig.device.configure("breaker_tripped", value=True)
    device = rig.run(1)
    assert (device["do_0"], device["di_2"]) == (True, False)


def test_counters_stop_clear_and_wrap(bench):
    """A counter counts only while started, is cleared by its coil, and wraps at 2^32 with its overflow flag."""
    rig = bench("remote-io", start_level=1.9, counter_start=2**32 - 2)
    rig.write("do_0", value=True)
    device = rig.run(60)
    assert device["counter_0_overflow"] is True
    assert device["counter_0"] < 20
    rig.write("counter_0_run", value=False)
    stood = rig.run(0.1)["counter_0"]
    assert rig.run(20)["counter_0"] == stood
    rig.write("counter_0_clear", value=True)
    device = rig.run(0.1)
    assert (device["counter_0"], device["counter_0_clear"]) == (0, False)


def test_peaks_are_kept_until_their_reset(bench):
    """The highest raw number of the level stays when the sump is emptied, and is the present one after its reset."""
    rig = bench("remote-io", start_level=1.8, inflow=0)
    rig.write("do_0", value=True)
    device = rig.run(200)
    assert device["ai_0_max"] / 65535 * HEIGHT_M == pytest.approx(1.8, abs=0.03)
    assert device["ai_0_min"] <= device["ai_0_raw"] < device["ai_0_max"]
    rig.write("ai_0_max_reset", value=True)
    assert rig.run(0.1)["ai_0_max"] / 65535 * HEIGHT_M < 1.6


def test_float_switches_and_alarms(bench):
    """A full sump closes the high float and raises the high alarm; an empty one opens the low float."""
    device = bench("remote-io", start_level=1.9).run(0.1)
    assert (device["di_0"], device["di_1"], device["ai_0_high"], device["ai_0_low"]) == (True, True, True, False)
    device = bench("remote-io", start_level=0.1, inflow=0).run(0.1)
    assert (device["di_0"], device["di_1"], device["ai_0_low"]) == (False, False, True)


def test_communication_safety(bench):
    """Without a write for the set time the outputs go to their safe values; the next write is obeyed again."""
    rig = bench("remote-io", safety_timeout=2, safe_outputs=4)
    assert rig.run(5)["safety_flag"] is False
    rig.write("do_word", 1)
    assert rig.run(1.9)["do_word"] == 1
    device = rig.run(0.5)
    assert (device["safety_flag"], device["do_word"], device["do_2"]) == (True, 4, True)
    rig.write("do_0", value=True)
    device = rig.run(0.1)
    assert (device["safety_flag"], device["do_word"]) == (False, 5)


@given(kind=st.sampled_from(sorted(RANGES)), signal=st.one_of(st.none(), st.floats(-100, 300)))
def test_a_channel_never_leaves_its_numbers(kind: str, signal: float | None):
    """Any signal gives 0 to 65535, and the state says when it was outside."""
    channel, span = Channel(), RANGES[kind]
    channel.convert(signal, span)
    assert 0 <= channel.raw <= 65535
    inside = signal is not None and span.low <= signal <= span.high
    assert (channel.state == 0) == inside


def test_functions_one_and_two_read_the_same_bits():
    """As the family does, inputs can be read as coils; so no bit has two meanings."""
    modbus = devices.interface("remote-io").modbus
    assert modbus is not None
    assert modbus.same_bits
    assert modbus.same_tables
