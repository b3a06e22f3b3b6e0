from __future__ import annotations

import itertools
import struct

import pytest

from labsim.endpoints.modbus.register_map import RegisterMap
from labsim.plant import status
from labsim.plant.device import Device


def raw(device: Device, address: int) -> bytes:
    """Two input registers as they go to the wire."""
    return RegisterMap(device, device.store).span("input", address, 2).read()[0]


def test_one_level_stands_in_three_byte_orders(bench):
    """106 swaps the words, 2002 does not, 1302 does as register 3000 says: the same four bytes each time."""
    rig = bench("level-transmitter")
    for number, order in enumerate(("ABCD", "CDAB", "DCBA", "BADC")):
        assert rig.write("byte_order", number) == status.GOOD
        device = rig.run(1)
        assert device.settings["word_order"] == order
        a, b, c, d = struct.pack(">f", device["level"])
        assert raw(device, 2002) == bytes((a, b, c, d))
        assert raw(device, 106) == bytes((c, d, a, b))
        assert raw(device, 1302) == bytes({"A": a, "B": b, "C": c, "D": d}[letter] for letter in order)


def test_the_setting_shows_in_register_3000(bench):
    """Whether a person at the device or a client chooses the byte order, both see it."""
    rig = bench("level-transmitter", word_order="DCBA")
    assert rig.device["byte_order"] == 2
    rig.device.configure("word_order", "CDAB")
    assert rig.run(0.1)["byte_order"] == 1


def test_level_and_distance_add_up_and_filling_follows_the_adjustment(bench):
    """Level + distance is the mounting height; filling is linear between the two adjusted distances."""
    rig = bench("level-transmitter", mounting_height=6)
    assert rig.write("adjustment_min", 5.5) == status.GOOD
    assert rig.write("adjustment_max", 0.5) == status.GOOD

    def check(d: Device) -> None:
        assert float(d["level"]) + float(d["distance"]) == pytest.approx(6, abs=1e-5)
        assert float(d["filling"]) == pytest.approx((5.5 - float(d["distance"])) / 5 * 100, abs=1e-3)

    rig.run(20, check)
    assert rig.write("adjustment_max", 5.45) == status.BAD_OUT_OF_RANGE
    assert rig.write("adjustment_min", 0.55) == status.BAD_OUT_OF_RANGE


def test_the_vessel_is_drawn_off_and_filled_again(bench):
    """The level falls and rises between a quarter and 85 % of the height, never quicker than the flows let it."""
    rig, levels = bench("level-transmitter", use=40, damping=0), []
    rig.run(1800, lambda d: levels.append(float(d["level"])))
    assert min(levels) == pytest.approx(1.0, abs=0.02)
    assert max(levels) <= 0.85 * 4 + 0.02
    steps = [b - a for a, b in itertools.pairwise(levels)]
    assert max(abs(step) for step in steps) < 0.012


def test_without_an_echo_values_stay_and_the_status_says_so(bench):
    """Modbus shows the last number, and bits 0, 1 and 3 of register 100; the temperature is not of the echo."""
    rig = bench("level-transmitter")
    rig.run(2)
    rig.device.configure("echo_loss", value=True)
    rig.run(0.1)
    before = raw(rig.device, 106)
    device = rig.run(10)
    assert raw(device, 106) == before
    assert device["status"] == 0b1011
    bad = {name for name in device.tags if rig.status(name) == status.BAD_SENSOR_FAILURE}
    assert bad == {"level", "distance", "filling", "level_by_setting", "level_big_endian"}
    device.configure("echo_loss", value=False)
    assert rig.run(0.1)["status"] == 0
    assert rig.status("level") == status.GOOD


def test_damping_smooths_the_waves(bench):
    """With twenty seconds of damping the level scatters far less than without."""

    def roughness(damping: float) -> float:
        values: list[float] = []
        bench("level-transmitter", damping=damping, use=0).run(120, lambda d: values.append(float(d["distance"])))
        return sum(abs(b - a) for a, b in itertools.pairwise(values))

    assert roughness(20) < roughness(0) / 5
