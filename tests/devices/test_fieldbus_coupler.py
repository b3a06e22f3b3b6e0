from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devices.fieldbus_coupler.station import Cylinder
from devices.fieldbus_coupler.watchdog import State, Watchdog
from labsim.plant import status

OFF, RUNNING, EXPIRED = 0, 1, 2
WORDS, BITS = 1 << 5, 1 << 4


def watched(bench, mask: int = WORDS, time: int = 10, **settings):
    """A coupler with air on, the clamp driven and its watchdog set."""
    rig = bench("fieldbus-coupler", **settings)
    for name, value in (("ao_1", 6), ("ao_0", 5), ("do_word", 0b101), ("watchdog_time", time), ("watchdog_mask", mask)):
        assert rig.write(name, value) == status.GOOD
    rig.run(0.1)
    return rig


def test_the_watchdog_is_off_until_it_is_set(bench):
    """Without a mask nothing expires, however long the client is silent."""
    rig = bench("fieldbus-coupler")
    rig.write("do_word", 1)
    device = rig.run(60)
    assert (device["watchdog_status"], device["do_word"]) == (OFF, 1)


def test_silence_clears_the_outputs_and_refuses_writes(bench):
    """A second without a write: outputs zero, LED code, writes refused; a restart is taken and outputs work again."""
    rig = watched(bench)
    assert rig.device["watchdog_status"] == RUNNING
    for _ in range(5):
        rig.write("ao_0", 5)
        assert rig.run(0.9)["watchdog_status"] == RUNNING
    assert rig.device["watchdog_least"] in (1, 2)
    device = rig.run(0.3)
    assert (device["watchdog_status"], device["led_code"]) == (EXPIRED, 11)
    assert [device[name] for name in ("do_word", "do_0", "ao_0", "ao_1")] == [0, False, 0, 0]
    assert rig.write("do_word", 1) == status.BAD_INVALID_STATE
    assert rig.write("do_0", value=True) == status.BAD_INVALID_STATE
    assert rig.write("watchdog_restart", 1) == status.GOOD
    device = rig.run(0.1)
    assert (device["watchdog_status"], device["watchdog_restart"], device["do_word"]) == (RUNNING, 0, 0)
    assert rig.write("do_word", 1) == status.GOOD
    assert rig.run(0.1)["do_0"] is True


def test_the_mask_chooses_what_triggers(bench):
    """With function 5 in the mask coils keep it alive and words do not."""
    rig = watched(bench, mask=BITS)
    assert rig.device["watchdog_status"] == OFF
    rig.write("do_3", value=True)
    assert rig.run(0.5)["watchdog_status"] == RUNNING
    rig.write("ao_0", 4)
    assert rig.run(0.7)["watchdog_status"] == EXPIRED


def test_the_trigger_register_wants_a_changed_number(bench):
    """A heartbeat that counts keeps it alive; the same number again, or 0, does not."""
    rig = watched(bench, mask=0)
    for beat in (1, 2, 3, 1):
        rig.write("watchdog_trigger", beat)
        assert rig.run(0.8)["watchdog_status"] == RUNNING
    rig.write("watchdog_trigger", 1)
    rig.write("watchdog_trigger", 0)
    assert rig.run(0.4)["watchdog_status"] == EXPIRED


def test_the_alternative_mode_recovers_by_itself(bench):
    """Every write triggers; after expiry the next write is taken and starts it again."""
    rig = watched(bench, mask=0)
    rig.write("watchdog_alternative", 1)
    assert rig.run(0.1)["watchdog_status"] == RUNNING
    assert rig.run(1.1)["watchdog_status"] == EXPIRED
    assert rig.write("do_0", value=True) == status.GOOD
    device = rig.run(0.1)
    assert (device["watchdog_status"], device["do_word"]) == (RUNNING, 1)


@pytest.mark.parametrize(
    ("writes", "state"),
    [
        ([("watchdog_stop", 0xAAAA), ("watchdog_stop", 0x5555)], OFF),
        ([("watchdog_stop", 0x5555), ("watchdog_stop", 0xAAAA)], RUNNING),
        ([("watchdog_simple_stop", 0xAA55)], OFF),
        ([("watchdog_simple_stop", 0x1234)], RUNNING),
    ],
)
def test_stopping_takes_the_right_numbers(bench, writes: list[tuple[str, int]], state: int):
    """AAAA then 5555 hex, or one of two simple numbers, stop it; anything else does not."""
    rig = watched(bench)
    for name, value in writes:
        assert rig.write(name, value) == status.GOOD
    assert rig.run(0.1)["watchdog_status"] == state
    assert rig.write("watchdog_time", 20) == (status.GOOD if state == OFF else status.BAD_INVALID_STATE)


def test_an_expired_watchdog_lets_the_clamp_go(bench):
    """Outputs at zero take the air away: the spring opens the clamp and the belt stands, as the inputs say."""
    rig = watched(bench, time=50)
    device = rig.run(3)
    assert [device[f"di_{i}"] for i in (0, 1, 5, 6)] == [False, True, True, True]
    assert device["ai_0"] == pytest.approx(12, abs=0.05)
    device = rig.run(6)
    assert [device[f"di_{i}"] for i in (0, 1, 5, 6)] == [True, False, False, False]


def test_without_air_nothing_moves(bench):
    """With 2 bar of supply the clamp stays open although its output is on."""
    device = watched(bench, time=600, air_supply=2).run(5)
    assert (device["do_0"], device["di_0"], device["di_1"]) == (True, True, False)
    assert device["ai_1"] == pytest.approx(4 + 16 * 0.2, abs=0.05)


def test_a_closed_clamp_holds_the_part(bench):
    """Parts pass while the clamp is open; closed, the one at the eye stays there."""
    rig = bench("fieldbus-coupler")
    for name, value in (("ao_1", 6), ("ao_0", 10), ("do_2", True)):
        rig.write(name, value)
    rig.run(60)
    passed = int(rig.device["parts"])
    assert 20 < passed < 80
    rig.write("do_0", value=True)
    held = int(rig.run(20)["parts"])
    assert held <= passed + 2
    device = rig.run(60)
    assert (device["parts"], device["di_4"]) == (held, True)


def test_an_open_wire_is_not_connected(bench):
    """AI 3 is never connected, AI 1 when its wire is open: Bad, and below 4 mA."""
    rig = bench("fieldbus-coupler", pressure_wiring="open")
    rig.run(0.1)
    assert rig.status("ai_1") == rig.status("ai_3") == status.BAD_NOT_CONNECTED
    assert rig.device["ai_1"] == 0
    assert rig.status("ai_0") == status.GOOD


@given(
    events=st.lists(
        st.one_of(
            st.tuples(st.just("wrote"), st.sampled_from([(5, 15), (6, 16)])),
            st.tuples(st.just("trigger"), st.integers(0, 3)),
            st.tuples(st.just("stop"), st.sampled_from([0xAAAA, 0x5555, 0])),
            st.tuples(st.just("advance"), st.floats(0, 2)),
        ),
        max_size=40,
    ),
    alternative=st.booleans(),
)
def test_an_expired_watchdog_is_only_left_as_it_may(events: list, alternative: bool):
    """From EXPIRED it goes to OFF by a stop, to RUNNING only in the alternative mode (or by a restart)."""
    watchdog = Watchdog()
    watchdog.time, watchdog.mask, watchdog.alternative = 10, WORDS, alternative
    for name, value in events:
        before = watchdog.state
        getattr(watchdog, name)(value)
        if before is State.EXPIRED and watchdog.state is State.RUNNING:
            assert alternative
        if watchdog.state is State.EXPIRED and before is not State.EXPIRED:
            assert name == "advance"


@given(moves=st.lists(st.tuples(st.booleans(), st.floats(0, 10), st.floats(0, 1)), max_size=30))
def test_a_cylinder_stays_within_its_stroke(moves: list[tuple[bool, float, float]]):
    """However it is driven, the position is 0 to 1 and both end switches are never on together."""
    cylinder = Cylinder()
    for driven, bar, dt in moves:
        cylinder.advance(dt, driven, bar)
        assert 0 <= cylinder.position <= 1
        assert not (cylinder.home and cylinder.out)
