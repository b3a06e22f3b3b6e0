from __future__ import annotations

import struct

import pytest

from labsim.endpoints.modbus.register_map import RegisterMap
from labsim.plant import status
from labsim.plant.device import Device


def true(device: Device, name: str) -> float:
    """The value as the store has it, before a protocol rounds it to single precision."""
    return float(device.store.value[device.tags[name].row])


def raw(device: Device, doc: int, count: int) -> bytes:
    """Holding registers by their printed number, as they go to the wire."""
    return RegisterMap(device, device.store).span("holding", doc - 1, count).read()[0]


def test_mass_is_volume_times_density_and_totals_are_the_integral(bench):
    """At every step mass flow = density x volume flow; totalizer 1 moves by the exact sum of the volume flow."""
    rig = bench("flow-meter")
    before, sums = true(rig.device, "total_1"), [0.0]

    def check(d: Device) -> None:
        assert true(d, "mass_flow") == pytest.approx(true(d, "volume_flow") * true(d, "density"), rel=1e-12)
        sums[0] += true(d, "volume_flow") * 0.1

    device = rig.run(300, check)
    assert sums[0] > 0.5
    assert true(device, "total_1") - before == pytest.approx(sums[0], abs=1e-9)
    assert true(device, "total_2") == 0


def test_the_volume_flow_is_in_cubic_metres_per_second(bench):
    """24 m³/h is 0.00667 m³/s: 3,600 times less than who reads it as m³/h believes."""
    device = bench("flow-meter", profile="steady", zero_error=0).run(30)
    assert float(device["volume_flow"]) * 3600 == pytest.approx(24, rel=0.02)
    assert device.tags["volume_flow"].unit.symbol == "m³/s"


def test_the_cut_off_hides_a_zero_error_which_creeps_without_it(bench):
    """In a standing liquid the default cut-off shows 0; without one the totalizer creeps by the error, forward or back."""
    rig = bench("flow-meter", flow=0, zero_error=-0.5)
    start = true(rig.device, "total_1"), true(rig.device, "total_2")
    device = rig.run(30)
    assert (true(device, "total_1"), true(device, "total_2"), device["volume_flow"]) == (*start, 0)
    assert rig.write("low_flow_cutoff", 0.0) == status.GOOD
    rig.run(100)
    assert true(device, "total_2") == pytest.approx(0.005 * 0.01 * 100, rel=1e-6)


def test_a_flow_that_runs_back_is_negative_and_counted_apart(bench):
    """Totalizer 1 stands still and totalizer 2 counts."""
    rig = bench("flow-meter", profile="reverse")
    rig.run(5)
    before = true(rig.device, "total_1")
    device = rig.run(30)
    assert float(device["mass_flow"]) < 0
    assert true(device, "total_1") == before
    assert true(device, "total_2") == pytest.approx(24 / 3600 * 33, rel=0.1)


def test_an_empty_pipe_is_seen_or_makes_noise(bench):
    """With detection flows are BadSensorFailure and nothing is counted; without it noise looks good and is counted."""
    rig = bench("flow-meter", pipe="empty")
    device = rig.run(1)
    assert (device["diagnostic_number"], device["diagnostic_text"]) == (862, "S862")
    assert rig.status("mass_flow") == rig.status("volume_flow") == status.BAD_SENSOR_FAILURE
    before = true(device, "total_1")
    assert rig.write("empty_pipe_detection", value=False) == status.GOOD
    rig.run(60)
    assert (device["diagnostic_number"], rig.status("volume_flow")) == (0, status.GOOD)
    assert true(device, "total_1") > before + 0.01
    assert true(device, "total_2") > 0.01


def test_above_the_full_scale_the_flow_is_uncertain(bench):
    """A client that sets the full scale too low makes the flow uncertain; it is still shown."""
    rig = bench("flow-meter", profile="steady")
    rig.run(10)
    assert rig.write("qmax", 0.005) == status.GOOD
    device = rig.run(1)
    assert rig.status("volume_flow") == status.UNCERTAIN_UNITS_EXCEEDED
    assert device["diagnostic_number"] == 441
    assert float(device["volume_flow"]) > 0.006


def test_register_4915_turns_the_bytes_of_every_value(bench):
    """By the family's numbers 0 to 3 the bytes go 0-1-2-3, 3-2-1-0, 2-3-0-1 and 1-0-3-2, where 3 is the most significant."""
    rig = bench("flow-meter", profile="steady")
    assert rig.device["byte_order"] == 3
    for number, places in enumerate(((3, 2, 1, 0), (0, 1, 2, 3), (1, 0, 3, 2), (2, 3, 0, 1))):
        assert rig.write("byte_order", number) == status.GOOD
        device = rig.run(1)
        plain = struct.pack(">f", device["temperature"])
        assert raw(device, 3007, 2) == bytes(plain[place] for place in places)


def test_the_single_precision_totalizer_loses_litres(bench):
    """Beyond 131,072 m³ a float moves by 16 litres, where the double counts every drop."""
    rig = bench("flow-meter", profile="steady", word_order="ABCD")
    coarse, fine = set(), set()
    for _ in range(50):
        device = rig.run(0.1)
        coarse.add(struct.unpack(">f", raw(device, 3023, 2))[0])
        fine.add(struct.unpack(">d", raw(device, 3015, 4))[0])
    assert len(fine) == 50
    assert len(coarse) < 5


def test_a_reset_empties_one_totalizer(bench):
    """The command is carried out once and falls back."""
    rig = bench("flow-meter", profile="steady")
    rig.run(5)
    assert rig.write("reset_total_1", value=True) == status.GOOD
    device = rig.run(1)
    assert device["reset_total_1"] is False
    assert 0 < true(device, "total_1") < 0.02
