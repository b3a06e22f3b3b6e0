from __future__ import annotations

import pytest

from devices.chiller.circuit import saturation
from labsim.plant import status
from labsim.plant.device import Device

OFF, IDLE, COOLING, FAULT = range(4)


def true(device: Device, name: str) -> float:
    """The value as the store has it."""
    return float(device.store.value[device.tags[name].row])


def test_the_saturation_line_is_that_of_r134a():
    """Table values at 0, 20, 40 and 60 °C, within 2 %."""
    for celsius, bar in ((0, 2.93), (20, 5.72), (40, 10.17), (60, 16.82)):
        assert saturation(celsius) == pytest.approx(bar, rel=0.02)


def test_the_supply_comes_to_its_band(bench):
    """After some minutes the supply stays about the set-point, and stages follow the load."""
    rig = bench("chiller", load_swing=0)
    rig.run(900)
    seen: list[float] = []
    stages: set[int] = set()

    def watch(d: Device) -> None:
        seen.append(float(d["supply_temperature"]))
        stages.add(int(d["stages"]))

    device = rig.run(900, watch)
    assert 4.5 < min(seen) < max(seen) < 10.5
    assert stages <= {2, 3, 4}
    assert device["state"] == COOLING


def test_heat_is_balanced(bench):
    """Cooling = flow x heat capacity x difference of return and supply, and energy is the integral of power."""
    rig = bench("chiller", load_swing=0)
    total = [0.0]

    def check(d: Device) -> None:
        total[0] += true(d, "power") / 36000
        if d["flow_switch"]:
            difference = true(d, "return_temperature") - true(d, "supply_temperature")
            assert true(d, "cooling_power") == pytest.approx(d._flow * 4.19 / 3.6 * difference, rel=1e-6, abs=1e-6)

    device = rig.run(300, check)
    assert true(device, "energy") == pytest.approx(total[0], rel=1e-9)
    assert true(device, "cooling_energy") > 2 * true(device, "energy")


def test_hot_air_costs_efficiency(bench):
    """The COP falls with the temperature of the air at the condenser."""
    cops = [float(bench("chiller", ambient_temperature=air, load_swing=0).run(900)["cop"]) for air in (15, 30, 42)]
    assert cops == sorted(cops, reverse=True)
    assert 2 < cops[1] < 5


def test_a_fouled_condenser_costs_and_trips_on_a_hot_day(bench):
    """Condensing pressure rises; in 42 °C air the high pressure switch stops the chiller until it is reset."""
    rig, well = bench("chiller", load=90, load_swing=0), bench("chiller", load=90, load_swing=0)
    rig.device.begin_fault("condenser-fouled", {"rise": 15})
    dirty, clean = rig.run(600), well.run(600)
    assert float(dirty["discharge_pressure"]) > float(clean["discharge_pressure"]) + 3
    assert float(dirty["cop"]) < float(clean["cop"])
    dirty.configure("ambient_temperature", 43)
    rig.run(600)
    assert (dirty["fault"], dirty["state"], dirty["power"] > 1) == (2, FAULT, False)
    assert rig.write("run_command", True) == status.BAD_INVALID_STATE
    dirty.end_fault("condenser-fouled")
    assert rig.write("fault_reset", True) == status.GOOD
    rig.run(0.2)
    assert rig.write("run_command", True) == status.GOOD
    assert rig.run(120)["state"] == COOLING


def test_lost_refrigerant_needs_more_stages(bench):
    """Suction pressure falls and more stages run for the same load."""
    rig, well = (bench("chiller", load=40, load_swing=0) for _ in range(2))
    rig.device.begin_fault("refrigerant-lost", {"left": 60})
    sums = [0, 0]
    for index, one in enumerate((rig, well)):
        one.run(900)
        for _ in range(900):
            sums[index] += int(one.run(1)["stages"])
    assert sums[0] > 1.15 * sums[1]
    assert float(rig.device["suction_pressure"]) < float(well.device["suction_pressure"])


def test_the_flow_switch_stops_the_compressors_at_once(bench):
    """A pump below half of its flow opens the switch: stages off, then the fault."""
    rig = bench("chiller")
    rig.run(120)
    rig.device.begin_fault("pump-weak", {"flow": 30})
    rig.run(10)
    assert (rig.device["flow_switch"], rig.device["stages"]) == (False, 0)
    rig.run(20)
    assert rig.device["fault"] == 1


def test_stages_are_limited_and_apart(bench):
    """Never more than the limit, and two changes upwards are at least the stage delay apart."""
    rig = bench("chiller", load=150, stage_delay="20 s")
    assert rig.write("stage_limit", 2) == status.GOOD
    starts: list[float] = []

    def watch(d: Device) -> None:
        if len(starts) < int(d["stage_starts"]):
            starts.append(d.now_s)
        assert d["stages"] <= 2

    rig.run(200, watch)
    assert len(starts) == 2
    assert starts[1] - starts[0] >= 19.9
