from __future__ import annotations

import simpy

from devices.packml.reason import Reason
from devices.packml.state import State

CALM = {"mtbf": 0, "minor_stops_per_hour": 0}


def test_bottles_come_from_pallets(bench):
    """Every bottle taken in leaves the pallet; an empty one is changed by an operator while the machine suspends."""
    made = bench("loading-machine", pallet_size=60, pallet_change_time=30, scrap_rate=0, **CALM)
    seen = set()
    device = made.run(600, lambda d: seen.add((d.state, d["stop_reason_id"])))
    used = device["pallets_used"] - device["pallet_change"]
    assert device["pallets_used"] >= 3
    assert device["prod_processed_count"] + device["pallet_level"] == 60 * (used + 1)
    assert (State.SUSPENDED, Reason.NO_MATERIAL) in seen
    assert device.state is State.EXECUTE or device["pallet_change"]


def test_damaged_bottles_do_not_go_onto_the_line(bench):
    """Those taken in are those passed on, those thrown out and the one inside."""
    made = bench("loading-machine", scrap_rate=20, **CALM)
    device = made.run(900)
    passed = device.lane("parts_out").passed
    assert device["damaged_count"] == device["prod_defective_count"] > 20
    assert device["prod_processed_count"] == passed + device["damaged_count"]
    assert device["prod_consumed_count"] - device["prod_processed_count"] in (0, 1)


def test_without_an_operator_no_pallet_is_changed(bench):
    """The change waits for one of the plant's crew."""
    made = bench("loading-machine", pallet_size=12, pallet_change_time=5, **CALM)
    made.device.crew = crew = simpy.Resource(made.plant.env, 1)
    busy = crew.request()
    device = made.run(300)
    assert device["prod_processed_count"] == 12
    crew.release(busy)
    made.run(60)
    assert device["prod_processed_count"] > 12
