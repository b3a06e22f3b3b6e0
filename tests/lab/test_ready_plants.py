"""The plants that come with labsim, run: parts are conserved, times add up, every run is the same."""

from __future__ import annotations

import hashlib

import pytest

import devices
from labsim.lab.build import join_devices
from labsim.lab.catalogue import LabCatalogue
from labsim.plant.clock import SimClock
from labsim.plant.flow import Lane
from labsim.plant.plant import Plant
from labsim.scenario.include import load_plant, ready_plants

ROUGH = {"mtbf": 300, "mttr": 20, "minor_stops_per_hour": 30, "scrap_rate": 5}


def built(name: str, seed: str = "1", crew: int | None = 2, **settings: object) -> Plant:
    """A ready plant, started; ``settings`` are given to every device that has them."""
    plan = load_plant(ready_plants()[name], LabCatalogue())
    for device in plan.plant.values():
        kinds = LabCatalogue().device_settings(device.type)
        device.settings.update({key: value for key, value in settings.items() if key in kinds})
    plant = join_devices(plan.model_copy(update={"crew": crew}), seed, SimClock(utc_ns=0))
    plant.start()
    return plant


def run(plant: Plant, seconds: float) -> Plant:
    """Go on for that long."""
    for _ in range(round(seconds * 10)):
        plant.advance()
    return plant


@pytest.mark.parametrize("seed", ["1", "2"])
def test_a_pack_line_loses_no_bottle(seed):
    """Entered = left + thrown out + in buffers + in machines, after half an hour of a line in which much goes wrong."""
    plant = run(built("pack", seed, **ROUGH), 1800)
    machines = [plant.devices[path] for path in ("load1", "fill1", "seal1")]
    loader, filler, sealer = machines
    lanes = [len(loader.lane("parts_out")), len(filler.lane("parts_out"))]
    inside = [int(m["prod_consumed_count"]) - int(m["prod_processed_count"]) for m in machines]
    # a part that waits for room has been processed and has not left
    waiting = [bool(m["equipment_blocked"]) for m in machines]
    left = sealer.lane("parts_out").passed
    scrapped = int(loader["prod_defective_count"]) + int(sealer["prod_defective_count"])
    assert loader["prod_consumed_count"] == left + scrapped + sum(lanes) + sum(inside) + sum(waiting)
    assert scrapped > 10
    assert left > 200


def test_a_bottle_keeps_its_history():
    """Its identity, which stations had it when, and what they did to it."""
    plant = built("pack")
    taken = []
    lane = plant.devices["fill1"].lane("parts_out")
    while not taken:
        plant.advance()
        taken = list(lane.parts)
    part = taken[0]
    assert part.identity.startswith("load1-0000")
    assert [station for station, _ in part.trail] == ["load1", "fill1"]
    assert part.trail[0][1] < part.trail[1][1]
    assert part.marks["fill_weight"] == pytest.approx(499, rel=0.05)
    assert part.product == "water-500"


def test_the_slowest_machine_makes_the_line_and_the_others_wait_for_it():
    """Without trouble the line makes what the filler makes; the loader is blocked, the sealer starved."""
    calm = dict.fromkeys(ROUGH, 0) | {"mttr": 1, "torque_scatter": 0}
    plant = run(built("pack", **calm), 900)
    filler = plant.devices["fill1"]
    assert filler["prod_processed_count"] == pytest.approx(900 / 60 * 24, rel=0.03)
    assert plant.devices["seal1"].lane("parts_out").passed == pytest.approx(filler["prod_processed_count"], abs=3)
    assert len(plant.devices["load1"].lane("parts_out")) >= 11  # of 12
    assert len(filler.lane("parts_out")) <= 1
    oee = plant.devices["line_oee"]
    assert oee["production_time"] / oee["planned_busy_time"] > 0.9
    assert oee["produced_quantity"] == oee["good_quantity"] + oee["scrap_quantity"] == filler["prod_processed_count"]
    assert oee["oee"] == pytest.approx(100 * 2.5 * oee["good_quantity"] / oee["planned_busy_time"], rel=0.01)


def test_a_buffer_hides_short_stops():
    """With room between the machines the same trouble costs less: that is what buffers are for."""
    made = []
    for buffer in (1, 60):
        plan = load_plant(ready_plants()["pack"], LabCatalogue())
        flows = [f.model_copy(update={"buffer": buffer}) if f.buffer else f for f in plan.flows]
        for path in ("load1", "fill1", "seal1"):
            plan.plant[path].settings.update({"minor_stops_per_hour": 40, "mtbf": 0})
        plant = join_devices(plan.model_copy(update={"flows": flows}), "4", SimClock(utc_ns=0))
        plant.start()
        run(plant, 900)
        made.append(plant.devices["seal1"].lane("parts_out").passed)
    assert made[1] > 1.03 * made[0]


def test_a_smaller_crew_repairs_later():
    """With one operator for three machines that break often, less is made than with one for each."""
    made = [
        run(built("pack", "2", crew=crew, mtbf=60, mttr=120, minor_stops_per_hour=0), 2400)
        .devices["seal1"].lane("parts_out").passed
        for crew in (1, None)
    ]  # fmt: skip
    assert made[0] < 0.8 * made[1]


def test_what_machines_draw_is_what_their_meter_reads():
    """The meter's power is the sum of the machines' within their flicker; a lost phase stops them all."""
    plant = run(built("pack", minor_stops_per_hour=0, mtbf=0), 120)
    machines = [plant.devices[path] for path in ("load1", "fill1", "seal1")]
    meter = plant.devices["line_meter"]
    drawn = sum(device.supplies("power")[0].demand for device in machines)
    assert meter["active_power_total"] == pytest.approx(drawn, rel=0.03)
    meter.configure("lost_phase", "L2")
    run(plant, 5)
    assert {device.state.name for device in machines} == {"ABORTED"}
    assert meter["active_power_total"] == pytest.approx(0, abs=0.01)


@pytest.mark.parametrize("name", sorted(ready_plants()))
def test_a_ready_plant_repeats_bit_for_bit(name):
    """One seed gives one history of every tag, another seed another."""

    def history(seed: str) -> bytes:
        plant, digest = built(name, seed), hashlib.sha256()
        for _ in range(900):
            plant.advance()
            digest.update(plant.store.value.tobytes() + plant.store.status.tobytes())
        return digest.digest()

    assert history("7") == history("7") != history("8")


@pytest.mark.parametrize("name", sorted(ready_plants()))
def test_parts_move_through_every_lane_of_a_ready_plant(name):
    """Nothing stands for ever: within twenty minutes parts have gone through each buffer."""
    plant = built(name)
    lanes = {f"{one.source} > {one.target}": one.flow for one in plant.joined if isinstance(one.flow, Lane)}
    while plant.clock.step < 12_000 and not all(lane.passed for lane in lanes.values()):
        run(plant, 10)
    assert [where for where, lane in lanes.items() if not lane.passed] == []


def test_a_line_in_strides_is_the_same_kind_of_line():
    """Minutes as one step: parts are conserved, times add up, and it makes what the line makes step by step."""
    strides, steps = built("pack", "3", mtbf=0), run(built("pack", "3", mtbf=0), 3600)
    for _ in range(60):
        strides.stride(600)
    assert strides.clock.step == steps.clock.step == 36_000
    made = [plant.devices["seal1"].lane("parts_out").passed for plant in (strides, steps)]
    assert made[0] == pytest.approx(made[1], rel=0.08)
    machines = [strides.devices[path] for path in ("load1", "fill1", "seal1")]
    inside = sum(int(m["prod_consumed_count"]) - int(m["prod_processed_count"]) for m in machines)
    inside += sum(bool(m["equipment_blocked"]) for m in machines) + sum(len(m.lane("parts_out")) for m in machines[:2])
    scrapped = int(machines[0]["prod_defective_count"]) + int(machines[2]["prod_defective_count"])
    assert machines[0]["prod_consumed_count"] == made[0] + scrapped + inside
    assert strides.devices["line_oee"]["elapsed_time"] == pytest.approx(3600)


def test_machines_hold_when_their_compressor_stands():
    """Air that machines use empties the network; below 4.5 bar they hold, and go on when there is air again."""
    plan = load_plant(ready_plants()["pack"], LabCatalogue())
    for path in ("load1", "fill1", "seal1"):
        plan.plant[path].settings.update({"mtbf": 0, "minor_stops_per_hour": 0})
    plant = join_devices(plan, "1", SimClock(utc_ns=0))
    compressor = plant.add("comp1", devices.load("compressor"), {"demand": 900, "receiver": 0.5, "leaks": 20})
    for path in ("fill1", "seal1"):
        plant.connect("comp1.air_out", f"{path}.air")
    plant.start()
    filler = run(plant, 60).devices["fill1"]
    assert filler.state.name == "EXECUTE"
    used = sum(plant.devices[path].air.demand for path in ("fill1", "seal1"))
    assert 0 < used < 20  # not the 900 m³/h of the setting
    assert compressor.call("stop", ())[0] == 0
    run(plant, 600)
    assert compressor["pressure"] < 4.5
    assert (filler.state.name, filler["stop_reason_id"]) == ("HELD", 9)
    assert compressor.call("start", ())[0] == 0
    run(plant, 120)
    assert filler.state.name == "EXECUTE"


def test_meters_in_two_levels_add_up():
    """The main meter carries what the three below it carry, and the outage of a branch is its own."""
    plant = run(built("util"), 300)
    branches = [plant.devices[path] for path in ("air_meter", "cold_meter", "hall_meter")]
    main = plant.devices["main_meter"]
    assert main["active_power_total"] == pytest.approx(sum(b["active_power_total"] for b in branches), rel=0.05)
    chiller = plant.devices["chiller1"].supplies("power")[0]
    main.configure("lost_phase", "L1")
    run(plant, 1)
    assert chiller.level == 0
    main.configure("lost_phase", "none")
    run(plant, 1)
    assert chiller.level == 1
