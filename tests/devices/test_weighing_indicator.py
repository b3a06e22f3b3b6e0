from __future__ import annotations

import pytest

from labsim.plant import status
from labsim.plant.device import Device


def loaded(bench, load: float = 20.0, **settings):
    """A scale with a load of our own that stands still."""
    rig = bench("weighing-indicator", **({"zero_drift": 0, "mean_load": 0} | settings))
    rig.device._load = load
    rig.run(6)
    assert rig.device["stable"]
    return rig


def bit(device: Device, number: int) -> bool:
    """A bit of the status."""
    return bool(int(device["status"]) >> number & 1)


def test_weights_add_up_and_digits_lack_only_the_point(bench):
    """At every step net = gross - tare, a weight is its digits over 10^decimals, and digits are whole divisions."""
    rig = bench("weighing-indicator", pause=1, division="5", decimals=3)
    assert rig.write("tare_digits", 1235) == status.GOOD
    rig.run(0.1)

    def check(d: Device) -> None:
        assert int(d["net_digits"]) == int(d["gross_digits"]) - 1235
        assert float(d["gross"]) == pytest.approx(int(d["gross_digits"]) / 1000, abs=1e-9)
        assert int(d["gross_digits"]) % 5 == 0
        assert bit(d, 2) != d["stable"]
        assert [n for n in range(27, 32) if bit(d, n)] == [30]

    rig.run(120, check)
    assert rig.device["weighings"] > 3


def test_a_load_swings_before_it_is_stable(bench):
    """After a load the weight overshoots and is unstable, then stands within a division of the truth."""
    rig = bench("weighing-indicator", zero_drift=0, mean_load=0, filter=0)
    rig.run(2)
    rig.device._load = 30.0
    seen, unstable = [], 0

    def check(d: Device) -> None:
        nonlocal unstable
        seen.append(float(d["gross"]))
        unstable += not d["stable"]

    rig.run(6, check)
    assert max(seen) > 33
    assert unstable > 5
    assert rig.device["stable"]
    assert seen[-1] == pytest.approx(30, abs=0.02)


def test_tare_makes_the_net_weight_zero_and_clear_takes_it_back(bench):
    """Command 2 puts the gross weight into the tare, command 3 empties it."""
    rig = loaded(bench)
    assert rig.write("command", 2) == status.GOOD
    device = rig.run(0.2)
    assert (device["net"], device["tare"], bit(device, 3), bit(device, 4)) == (0, 20, True, False)
    assert rig.write("command", 3) == status.GOOD
    device = rig.run(0.2)
    assert (device["net"], device["tare"], bit(device, 3)) == (20, 0, False)


def test_a_command_needs_an_edge(bench):
    """The same command again does nothing; back to 0 and again it does."""
    rig = loaded(bench)
    tag = rig.device.tags["command"]
    rig.write("command", 2)
    rig.run(0.2)
    rig.device._load = 10.0
    rig.run(6)
    rig.write("command", 2)
    assert rig.run(0.2)["tare"] == 20
    rig.write("command", 0)
    rig.run(0.1)
    rig.write("command", 2)
    assert rig.run(0.2)["tare"] == 10
    edge = rig.device.interface.modbus.registers[-1]
    assert (edge.doc, edge.effect, tag.name) == (40025, "edge", edge.tag)


def test_what_moves_is_neither_zeroed_nor_tared(bench):
    """While the weight is unstable both commands are refused; zero also beyond 2 % of the capacity."""
    rig = loaded(bench)
    assert rig.write("command", 1) == status.BAD_INVALID_STATE
    rig.device._load = 40.0
    rig.run(0.3)
    assert not rig.device["stable"]
    assert rig.write("command", 2) == status.BAD_INVALID_STATE
    assert rig.write("command", 3) == status.GOOD


def test_the_zero_point_drifts_and_can_be_set(bench):
    """With 100 divisions an hour the empty scale shows 2 of them after 72 s; zero brings it back."""
    rig = bench("weighing-indicator", zero_drift=100, mean_load=0)
    device = rig.run(72)
    assert float(device["gross"]) == pytest.approx(0.04, abs=0.021)
    assert not bit(device, 12)
    assert rig.write("command", 1) == status.GOOD
    device = rig.run(0.5)
    assert (device["gross"], bit(device, 5), bit(device, 12)) == (0, True, True)


def test_overload_and_a_broken_cell_are_errors(bench):
    """Beyond 120 % bit 4, without a cell bit 3; weights are BadSensorFailure then, and never stable."""
    rig = bench("weighing-indicator", mean_load=0)
    rig.device._load = 80.0
    rig.run(5)
    assert (rig.device["error"], rig.device["stable"], rig.status("net")) == (16, False, status.BAD_SENSOR_FAILURE)
    rig.device._load = 10.0
    rig.run(5)
    assert (rig.device["error"], rig.status("net")) == (0, status.GOOD)
    rig.device.configure("load_cell", "broken")
    rig.run(0.1)
    assert (rig.device["error"], rig.status("gross_digits")) == (8, status.BAD_SENSOR_FAILURE)


def test_a_preset_tare_is_bounded_and_marked(bench):
    """A client writes the tare in digits, at most the capacity; bit 4 says that it was preset."""
    rig = loaded(bench)
    assert rig.write("tare_digits", 6001) == status.BAD_OUT_OF_RANGE
    assert rig.write("tare_digits", 500) == status.GOOD
    device = rig.run(0.2)
    assert (device["tare"], device["net"], bit(device, 4)) == (5, 15, True)
