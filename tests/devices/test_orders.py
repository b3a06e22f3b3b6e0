from __future__ import annotations

import pytest

from labsim.plant import status

RUN, STOP = 0x047F, 0x047E


def test_a_refused_request_moves_nothing(bench):
    """A request that starts the drive and is refused for its second value has not started it."""
    rig = bench("v20-drive")
    tags = rig.device.tags
    code = rig.plant.store.write_all([(tags["control_word"].row, RUN), (tags["ramp_up"].row, 9999.0)])
    assert code == status.BAD_OUT_OF_RANGE
    device = rig.run(0.1)
    assert (device["control_word"], device["running"], device["start"]) == (0x0476, False, 0)


@pytest.mark.parametrize(
    ("kind", "word", "on", "bit", "mask"),
    [
        ("v20-drive", "control_word", RUN, "start", 0x01),
        ("danfoss-drive", "control_word", 0x047C, "start", 0x40),
        ("remote-io", "do_word", 1, "do_0", 0x01),
        ("fieldbus-coupler", "do_word", 1, "do_0", 0x01),
    ],
)
def test_what_an_endpoint_sets_is_obeyed(bench, kind: str, word: str, on: int, bit: str, mask: int):
    """The watchdog of an endpoint sets a word, or one of its bits, to a safe value; the device follows either."""
    rig = bench(kind)
    for name, safe in ((word, on & ~mask), (bit, 0)):
        rig.write(word, on)
        assert bool(rig.run(0.1)[bit]) is True
        rig.device[name] = safe
        device = rig.run(0.1)
        assert (bool(device[bit]), int(device[word]) & mask) == (False, 0)


def test_an_endpoints_safe_value_is_no_sign_of_life(bench):
    """Only clients keep a drive's own watchdog quiet."""
    rig = bench("v20-drive")
    rig.write("watchdog_time", 1000)
    rig.run(0.5)
    rig.device["setpoint"] = 5.0
    assert rig.run(0.7)["fault_code"] == 72


def test_the_last_of_word_and_bit_counts(bench):
    """Within one step a word, then a bit of it, then the word: the word stands."""
    rig = bench("fieldbus-coupler")
    rig.write("do_word", 3)
    rig.write("do_0", value=False)
    assert rig.run(0.1)["do_word"] == 2
    rig.write("do_7", value=True)
    rig.write("do_word", 1)
    assert rig.run(0.1)["do_word"] == 1
