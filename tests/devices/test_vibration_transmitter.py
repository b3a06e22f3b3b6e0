from __future__ import annotations

import struct

import pytest

from devices.vibration_transmitter.bearing import pass_frequency
from labsim.endpoints.modbus.register_map import RegisterMap
from labsim.plant.device import Device

QUIET = {"unbalance": 0, "misalignment": 0, "defect": 0}


def mean(rig, name: str, captures: int = 10) -> float:
    """Mean of a value over some captures, after the motor has run up."""
    rig.run(20)
    return sum(float(rig.run(1)[name]) for _ in range(captures)) / captures


def test_velocity_is_what_unbalance_and_misalignment_make(bench):
    """Velocity RMS of each axis is the root of the sum of squares of its parts, within 5 %."""
    for settings, wanted in (
        ({"unbalance": 4}, (4.0, 3.2, 0.8)),
        ({"misalignment": 4}, (2.0, 2.0, 4.0)),
        ({"unbalance": 3, "misalignment": 8}, (5.0, 4.665, 8.022)),
    ):
        rig = bench("vibration-transmitter", **(QUIET | settings))
        rig.run(20)
        for axis, velocity in enumerate(wanted, 1):
            assert float(rig.device[f"velocity_{axis}"]) == pytest.approx(velocity, rel=0.05, abs=0.05)


def test_a_tone_of_twice_the_frequency_has_twice_the_acceleration(bench):
    """For one velocity RMS acceleration = 2 pi f v: at twice the shaft's speed it is twice as high."""
    once, twice = (
        bench("vibration-transmitter", **(QUIET | kind)).run(20) for kind in ({"unbalance": 10}, {"misalignment": 10})
    )
    assert float(twice["acceleration_3"]) / float(once["acceleration_1"]) == pytest.approx(2, rel=0.03)
    assert float(once["acceleration_1"]) == pytest.approx(2 * 3.14159 * 1480 / 60 * 0.010, rel=0.03)


@pytest.mark.parametrize("race", ["outer", "inner"])
@pytest.mark.parametrize("speed", [1480, 2900])
def test_the_envelope_shows_the_frequency_of_the_damaged_race(bench, race: str, speed: float):
    """The strongest line of the envelope stands within one line (2.5 Hz) of BPFO or BPFI."""
    rig = bench("vibration-transmitter", bearing_fault=race, defect=10, growth=10000, speed=speed)
    rig.run(20)
    found = sorted(float(rig.run(1)["envelope_frequency"]) for _ in range(9))[4]
    assert found == pytest.approx(pass_frequency(race, speed / 60), abs=3.5)


def test_the_pass_frequencies_of_a_6205_are_those_of_the_tables():
    """BPFO 3.585 and BPFI 5.415 times the shaft's speed."""
    assert pass_frequency("outer", 1.0) == pytest.approx(3.585, abs=1e-3)
    assert pass_frequency("inner", 1.0) == pytest.approx(5.415, abs=1e-3)


def test_signs_of_damage_come_in_their_order(bench):
    """Kurtosis and envelope rise while the velocity does not yet; then velocity; the temperature comes last."""

    def signs(defect: float) -> tuple[float, float, float]:
        rig = bench("vibration-transmitter", defect=defect, growth=10000)
        return mean(rig, "kurtosis", 5), float(rig.device["envelope"]), float(rig.device["velocity_highest"])

    healthy, early, late = signs(0), signs(8), signs(80)
    assert healthy[0] == pytest.approx(3, abs=0.4)
    assert early[0] > 6
    assert early[1] > 2 * healthy[1]
    assert early[2] < 1.15 * healthy[2]
    assert late[2] > 2.8
    assert late[1] > 5 * early[1]


def test_damage_grows_tenfold_in_the_set_time_and_never_heals(bench):
    """In 0.05 h the envelope of the blows grows about tenfold; a motor that stands does not wear."""
    rig, worst = bench("vibration-transmitter", defect=5, growth=0.05), [0.0]

    def check(d: Device) -> None:
        assert d._defect >= worst[-1]
        worst.append(d._defect)

    before = mean(rig, "envelope_amplitude", 5)
    rig.run(180 - 25, check)
    assert worst[-1] == pytest.approx(0.5, rel=0.05)
    assert mean(rig, "envelope_amplitude", 5) > 5 * before
    rig.device.configure("running", value=False)
    rig.run(60)
    stood = rig.device._defect
    assert rig.run(30)._defect == stood
    assert rig.device["severity"] == 0


def test_registers_are_imperial_and_the_rest_is_metric(bench):
    """178 is velocity in inches per second, 172 acceleration in g, input 1 velocity in thousandths of mm/s: one value each."""
    device = bench("vibration-transmitter", unbalance=5).run(20)
    places = RegisterMap(device, device.store)
    inches = struct.unpack(">f", places.span("holding", 178, 2).read()[0])[0]
    g = struct.unpack(">f", places.span("holding", 172, 2).read()[0])[0]
    thousandths = struct.unpack(">H", places.span("input", 1, 1).read()[0])[0]
    assert inches * 25.4 == pytest.approx(float(device["velocity_1"]), rel=1e-6)
    assert g * 9.80665 == pytest.approx(float(device["acceleration_1"]), rel=1e-6)
    assert thousandths == pytest.approx(1000 * float(device["velocity_1"]), abs=0.51)


def test_zones_follow_the_highest_axis(bench):
    """A to D end at 1.12, 2.8 and 7.1 mm/s."""
    for unbalance, zone in ((0.5, 0), (2, 1), (5, 2), (12, 3)):
        assert bench("vibration-transmitter", **(QUIET | {"unbalance": unbalance})).run(20)["severity"] == zone
