from __future__ import annotations

import pytest

import devices
from labsim.plant import status
from labsim.plant.clock import SimClock
from labsim.plant.device import Device
from labsim.plant.plant import Plant

STANDBY, RUNNING, HIGH, TRIPPED, UNPOWERED = range(5)


def true(device: Device, name: str) -> float:
    """The value as the store has it."""
    return float(device.store.value[device.tags[name].row])


def test_oil_and_water_are_balanced(bench):
    """Oil and water in the tank = those at the start + refilled - lost, at every step of half an hour."""
    rig = bench("coolant-unit", runs_at_start=True, losses=10, start_level=76)
    tank, before = rig.device._tank, rig.device._tank.litres

    def check(d: Device) -> None:
        assert tank.water >= 0 <= tank.oil
        lost = 0.10 * 400 / 36000
        check.lost += lost if d["pump_running"] else 0.0
        assert tank.litres == pytest.approx(before + true(d, "refilled") - check.lost, abs=1e-6)

    check.lost = 0.0
    device = rig.run(1800, check)
    assert true(device, "refilled") > 10


def test_the_concentration_comes_to_its_setpoint(bench):
    """Dosing raises a lean emulsion, water thins a rich one, both to within the dosing band."""
    lean = bench("coolant-unit", runs_at_start=True, start_concentration=5, start_level=78)
    assert lean.run(1500)["concentration"] == pytest.approx(6.5, abs=0.25)
    rich = bench("coolant-unit", runs_at_start=True, start_concentration=8, start_level=70)
    assert rich.run(1500)["concentration"] == pytest.approx(6.5, abs=0.25)


def test_water_evaporates_so_the_concentration_rises(bench):
    """With a tank that is neither refilled nor dosed, the losses leave a richer emulsion."""
    rig = bench("coolant-unit", runs_at_start=True, losses=20, start_concentration=6.45)
    before = rig.device._tank.concentration
    assert rig.run(300)._tank.concentration > before
    assert rig.device["refilled"] == 0


def test_flow_follows_its_setpoint_until_the_filter_holds_it_back(bench):
    """A clean filter gives 30 l/min and a higher set-point more pressure; a stuck band gives less flow at more pressure."""
    rig = bench("coolant-unit", runs_at_start=True)
    device = rig.run(30)
    assert device["flow"] == pytest.approx(30, rel=0.03)
    clean, supply = float(device["filter_pressure"]), float(device["supply_pressure"])
    assert rig.write("flow_setpoint", 40) == status.GOOD
    rig.run(30)
    assert float(device["supply_pressure"]) == pytest.approx(supply * (40 / 30) ** 2, rel=0.03)
    device.begin_fault("filter-stuck", {"speed": 500})
    rig.run(600)
    assert float(device["filter_pressure"]) > 4 * clean
    assert float(device["flow"]) < 36
    assert device["filter_clogged"]
    device.end_fault("filter-stuck")
    rig.run(10)
    assert not device["filter_clogged"]
    assert device["filter_advances"] == 1


def test_the_chiller_holds_the_temperature_and_a_failed_one_does_not(bench):
    """Within 40 minutes the coolant is about its set-point; with the fault it warms on while the stages run."""
    rig, sick = bench("coolant-unit", runs_at_start=True), bench("coolant-unit", runs_at_start=True)
    sick.device.begin_fault("chiller-failed", {})
    assert rig.run(2400)["coolant_temperature"] == pytest.approx(22, abs=1.5)
    assert float(sick.run(2400)["coolant_temperature"]) > 26
    assert sick.device["chiller_stage"] == 2


def test_the_pump_needs_its_permissive(bench):
    """An open door refuses the start and stops a running pump; a closed one lets it start again."""
    rig = bench("coolant-unit")
    assert rig.run(1)["permissive"]
    assert rig.write("pump_command", True) == status.GOOD
    assert rig.run(1)["pump_running"]
    rig.device.configure("door_closed", False)
    device = rig.run(1)
    assert (device["permissive"], device["pump_running"], device["pump_command"]) == (False, False, False)
    assert rig.write("pump_command", True) == status.BAD_INVALID_STATE
    device.configure("door_closed", True)
    rig.run(0.2)
    assert rig.write("pump_command", True) == status.GOOD


def test_a_write_to_the_safety_block_trips_the_spindles(bench):
    """Even the present value trips: the values stay, the pump stops, only a reset brings it back."""
    rig = bench("coolant-unit", runs_at_start=True)
    rig.run(5)
    assert rig.write("safety_minimum_flow", 80) == status.GOOD
    device = rig.run(0.1)
    assert (device["spindle_trip"], device["fault"], device["state"]) == (True, 2, TRIPPED)
    assert device["pump_running"] is False
    assert rig.write("safety_checksum", 1) == status.GOOD
    assert device["safety_checksum"] == 48879
    rig.run(0.2)
    assert rig.write("fault_reset", True) == status.GOOD
    rig.run(0.2)
    assert (device["spindle_trip"], device["fault"], device["permissive"]) == (False, 0, True)
    assert device["fault_reset"] is False


def test_an_empty_tank_stops_the_pump(bench):
    """A leak that refilling cannot follow ends in the fault of a low level."""
    rig = bench("coolant-unit", runs_at_start=True, start_level=20)
    rig.device.begin_fault("leak", {"rate": 60})
    device = rig.run(90)
    assert (device["fault"], device["pump_running"], device["level_ok"]) == (1, False, False)


def test_a_busy_controller_refuses_so_many_requests(bench):
    """The first two requests to write are refused as busy, each as a whole; the third is carried out."""
    rig = bench("coolant-unit", busy_answers=2)
    rows = [
        (rig.device.tags[name].row, value)
        for name, value in (("temperature_setpoint", 20), ("flow_setpoint", 25), ("concentration_setpoint", 7))
    ]
    assert rig.plant.store.write_all(rows) == status.BAD_WAITING_FOR_INITIAL_DATA
    assert rig.plant.store.write_all(rows) == status.BAD_WAITING_FOR_INITIAL_DATA
    assert rig.device["flow_setpoint"] == 30
    assert rig.plant.store.write_all(rows) == status.GOOD
    assert (rig.device["temperature_setpoint"], rig.device["flow_setpoint"]) == (20, 25)


def test_limits_refuse_or_clamp(bench):
    """A set-point above its limit is refused; with ``clamps`` it is accepted and stands at the limit at once."""
    strict, soft = bench("coolant-unit"), bench("coolant-unit", clamps=True)
    assert strict.write("flow_setpoint", 50) == status.BAD_OUT_OF_RANGE
    assert strict.device["flow_setpoint"] == 30
    assert soft.write("flow_setpoint", 50) == status.GOOD
    assert soft.device["flow_setpoint"] == 45
    assert soft.write("flow_setpoint", 61) == status.BAD_OUT_OF_RANGE


def test_one_set_point_is_lost(bench):
    """With ``lost_write`` 2 the second set-point is accepted and keeps its value, the same again is stored."""
    rig = bench("coolant-unit", lost_write=2)
    assert rig.write("temperature_setpoint", 20) == status.GOOD
    assert rig.write("flow_setpoint", 25) == status.GOOD
    assert (rig.device["temperature_setpoint"], rig.device["flow_setpoint"]) == (20, 30)
    assert rig.write("flow_setpoint", 25) == status.GOOD
    assert rig.device["flow_setpoint"] == 25


def test_what_was_accepted_can_be_done_again_without_what_was_refused(bench):
    """A replay, which knows accepted writes alone, comes to the same values as a run with busy answers and a lost write."""
    live, again = (bench("coolant-unit", busy_answers=3, lost_write=2, clamps=True) for _ in range(2))
    tags = live.device.tags
    for name, value in (("flow_setpoint", 50), ("refill_level", 60), ("refill_level", 61), ("flow_setpoint", 55)) * 2:
        if live.write(name, value) == status.GOOD:
            again.plant.store.accept(((tags[name].row, live.device[name]),))
        live.run(1)
        again.run(1)
    assert live.plant.store.value.tobytes() == again.plant.store.value.tobytes()


def test_without_power_nothing_runs():
    """A supply that fails stops the pump and draws nothing; what is joined loses its pressure."""
    plant = Plant(1, SimClock(utc_ns=0))
    unit = plant.add("d1", devices.load("coolant-unit"), {"runs_at_start": True})
    plant.start()
    (power,) = unit.supplies("power")
    for _ in range(100):
        plant.advance()
    assert power.demand == pytest.approx(float(unit["power"]), rel=1e-6)
    power.level = 0.0
    plant.advance()
    assert (unit["state"], unit["pump_running"], unit["power"]) == (UNPOWERED, False, 0.0)
