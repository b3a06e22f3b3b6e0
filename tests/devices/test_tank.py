from __future__ import annotations

import math

import pytest

from labsim.plant import status
from labsim.plant.device import Device


def content(device: Device) -> float:
    """The true volume by the measured level of a sensor without noise, m³."""
    store = device.store
    return float(store.value[device.tags["volume"].row])


def test_mass_is_conserved(bench):
    """At every step of twenty minutes: content = content at the start + in - out - over, through full, empty and overflow."""
    rig = bench(
        "tank", level_noise=0, overfill_protection=False, start_level=60, pump_capacity=50, height=1, outlet_bore=80
    )
    first, seen = content(rig.device), set()

    def check(d: Device) -> None:
        balance = float(d["inflow_total"]) - float(d["outflow_total"]) - float(d["overflow_total"])
        assert content(d) - first == pytest.approx(balance, abs=1e-9)
        seen.add("over" if d["overflowing"] else "empty" if content(d) == 0 else "between")

    rig.write("pump_command", value=True)
    rig.run(150, check)
    rig.write("pump_command", value=False)
    rig.write("valve_setpoint", 100)
    rig.run(300, check)
    assert seen == {"over", "empty", "between"}


def test_the_tank_empties_as_torricelli_says(bench):
    """Emptying from h takes A / (Cd a) sqrt(2 h / g), and half of that time leaves a quarter of the level."""
    rig = bench("tank", level_noise=0, start_level=100, outlet_bore=80)
    rig.device["valve_setpoint"] = rig.device["valve_position"] = 100.0
    area, opening = math.pi / 4 * 1.6**2, math.pi / 4 * 0.08**2
    whole = area / (0.62 * opening) * math.sqrt(2 * 2.5 / 9.81)
    assert float(rig.run(whole / 2)["level"]) == pytest.approx(2.5 / 4, rel=1e-3)
    assert content(rig.run(whole / 2 - 5)) > 0
    assert content(rig.run(10)) == 0


def test_inflow_and_outlet_come_to_the_level_where_they_are_equal(bench):
    """With pump and valve constant the level settles at h = (q / (Cd a))^2 / 2 g."""
    rig = bench("tank", level_noise=0, diameter=0.5, pump_capacity=6, start_level=33)
    rig.device["valve_setpoint"] = rig.device["valve_position"] = 50.0
    rig.write("pump_command", value=True)
    device = rig.run(600)
    settled = (6 / 3600 / (0.62 * math.pi / 4 * 0.04**2 * 0.5)) ** 2 / (2 * 9.81)
    assert float(device["level"]) == pytest.approx(settled, rel=0.02)
    assert float(device["inflow"]) == pytest.approx(float(device["outflow"]), rel=0.03)


def test_the_level_never_rises_above_the_overflow(bench):
    """Too much goes over: the level stands at the pipe, the flow over is what the pump gives, and an event tells it."""
    rig = bench("tank", level_noise=0, overfill_protection=False, start_level=95)
    rig.device["valve_setpoint"] = rig.device["valve_position"] = 0.0
    rig.write("pump_command", value=True)
    most = [0.0]
    device = rig.run(150, lambda d: most.append(float(d["level"])))
    assert max(most) == pytest.approx(2.5)
    assert device["overflow"] == pytest.approx(device["inflow"])
    rig.write("pump_command", value=False)
    rig.run(30)
    assert not device["overflowing"]
    assert float(device["overflow_total"]) > 0.2


def test_the_overfill_protection_stops_the_pump_and_refuses_a_start(bench):
    """At 97 % the pump stops and its command falls back; a start is refused until the level is below 95 %."""
    rig = bench("tank", level_noise=0, start_level=94, pump_capacity=40)
    rig.write("pump_command", value=True)
    device = rig.device
    while device["pump_command"]:
        rig.run(0.1)
    assert (device["pump_running"], device["protection_tripped"]) == (False, True)
    assert 96.9 < float(device["level_percent"]) < 99
    assert rig.write("pump_command", value=True) == status.BAD_INVALID_STATE
    rig.write("valve_setpoint", 100)
    while float(rig.run(1)["level_percent"]) > 94.9:
        pass
    rig.run(0.1)
    assert rig.write("pump_command", value=True) == status.GOOD
    assert rig.run(0.1)["pump_starts"] == 2


def test_the_valve_takes_its_stroke_time(bench):
    """From closed to open in 15 s, evenly."""
    rig = bench("tank")
    rig.device["valve_setpoint"] = rig.device["valve_position"] = 0.0
    rig.write("valve_setpoint", 100)
    assert rig.run(7.5)["valve_position"] == pytest.approx(50)
    assert rig.run(7.5)["valve_position"] == pytest.approx(100)


def test_foam_blinds_the_sensor_and_nothing_else(bench):
    """Level and volume are BadSensorFailure and keep their last value; totals count on, and all comes back."""
    rig = bench("tank")
    rig.run(1)
    rig.device.configure("echo_loss", value=True)
    level, out = rig.device["level"], rig.device["outflow_total"]
    device = rig.run(5)
    assert [rig.status(n) for n in ("level", "volume", "level_percent")] == [status.BAD_SENSOR_FAILURE] * 3
    assert device["level"] == level
    assert float(device["outflow_total"]) > float(out)
    device.configure("echo_loss", value=False)
    rig.run(0.1)
    assert rig.status("level") == status.GOOD


def test_noise_is_of_the_set_size(bench):
    """The level scatters around the truth by the set standard deviation."""
    rig, levels = bench("tank", level_noise=5), []
    rig.device["valve_setpoint"] = rig.device["valve_position"] = 0.0
    rig.run(600, lambda d: levels.append(1000 * (float(d["level"]) - 1.0)))
    assert math.sqrt(sum(x * x for x in levels) / len(levels)) == pytest.approx(5, rel=0.2)
