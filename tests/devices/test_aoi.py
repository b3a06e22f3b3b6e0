from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
import pytest

import devices
from devices.pick_and_place import PickAndPlace
from devices.smt.joint import BRIDGE, INSUFFICIENT, MISPLACED, MISSING, REFLOW, chances
from devices.stencil_printer import StencilPrinter
from labsim.plant.clock import SimClock
from labsim.plant.device import Device
from labsim.plant.flow import Part
from labsim.plant.plant import Plant


def line(seed: int, settings: dict[str, dict[str, Any]], types: dict[str, str], buffer: int = 4) -> Plant:
    """Machines one after the other."""
    plant = Plant(seed, SimClock(utc_ns=0))
    for path, kind in types.items():
        plant.add(path, devices.load(kind), settings.get(path))
    names = list(types)
    for before, after in pairwise(names):
        plant.connect(f"{before}.boards_out", f"{after}.boards_in", buffer=buffer)
    plant.start()
    return plant


SMT = {"printer": "stencil-printer", "placer": "pick-and-place", "oven": "reflow-oven", "aoi": "aoi"}


def test_each_cause_has_its_figure():
    """Chances are small for a nominal board, near 1 far outside, and grow with distance from the window."""
    assert all(chance < 0.01 for chance in chances({}).values())
    for cause, mark, values in (
        (INSUFFICIENT, "paste_volume_min", (60, 55, 50, 40)), (BRIDGE, "paste_volume_max", (140, 148, 155, 170)),
        (MISPLACED, "placement_offset", (55, 65, 75, 100)), (REFLOW, "peak_temperature", (235, 228, 225, 215)),
        (REFLOW, "time_above_liquidus", (45, 34, 30, 20)),
    ):  # fmt: skip
        grown = [chances({mark: value})[cause] for value in values]
        assert grown == sorted(grown)
        assert grown[-1] > 0.95
    assert chances({"components_missing": 1})[MISSING] == 1


def test_most_defects_come_from_printing():
    """Over 5,000 boards of a line in good order, printing has 60 to 70 % of the expected defects, on some 3 % of the boards."""
    plant = line(9, {}, {name: SMT[name] for name in ("printer", "placer")})
    printer, placer = plant.devices["printer"], plant.devices["placer"]
    assert isinstance(printer, StencilPrinter)
    assert isinstance(placer, PickAndPlace)
    expected = dict.fromkeys(range(1, 6), 0.0)
    for number in range(5000):
        part = Part(f"B{number}")
        printer["boards_since_clean"] = number % 10
        printer._print(part)
        for feeder in range(1, 7):
            placer[f"feeder{feeder}_parts"] = 5000
        placer._place(part, placer._pick()[1])
        for cause, chance in chances(part.marks).items():
            expected[cause] += chance
    total = sum(expected.values())
    assert 0.60 < (expected[INSUFFICIENT] + expected[BRIDGE]) / total < 0.70
    assert 0.02 < total / 5000 < 0.05


def test_boards_carry_their_history_through_the_line():
    """A board at the inspection has the marks of printer, placer and oven, and a trail through all of them in order."""
    plant = line(2, {"aoi": {"autostart": False}}, SMT, buffer=20)
    for _ in range(5000):
        plant.advance()
    part = plant.devices["aoi"].lane("boards_in").parts[0]
    assert [place for place, _ in part.trail] == ["printer", "placer", "oven"]
    times = [when for _, when in part.trail]
    assert times == sorted(times)
    assert {"paste_volume", "paste_volume_min", "placement_offset", "components_missing", "peak_temperature"} <= set(
        part.marks
    )
    plant.devices["aoi"]["production"] = True
    for _ in range(300):
        plant.advance()
    assert plant.devices["aoi"]["boards_inspected"] > 0
    assert part.marks["defect"] in range(6)


def test_counts_add_up(bench):
    """Called = failed + false calls; failed = the sum over causes; inspected = failed + handed on, within the one inside."""
    rig = bench("aoi", cycle="2 s", review_time="1 s", false_call_rate=10, stops_per_hour=0)

    def check(d: Device) -> None:
        causes = sum(int(d[f"defects_{name}"]) for name in ("insufficient", "bridge", "misplaced", "missing", "reflow"))
        assert causes == d["boards_failed"]
        assert int(d["boards_called"]) - int(d["boards_failed"]) - int(d["false_calls"]) in (0, 1)
        assert int(d["boards_taken"]) - int(d["boards_inspected"]) in (0, 1)

    device = rig.run(1500, check)
    assert device["false_calls"] > 20
    assert device["boards_failed"] > 3
    assert float(device["yield_total"]) == pytest.approx(
        100 * (1 - int(device["boards_failed"]) / int(device["boards_inspected"])), rel=1e-5
    )


def test_a_moved_threshold_costs_reviews_and_no_yield(bench):
    """Calls multiply, the yield stays that of the boards."""
    rig = bench("aoi", cycle="2 s", review_time="1 s", stops_per_hour=0)
    rig.device.begin_fault("threshold-moved", {"rate": 50})
    device = rig.run(900)
    assert int(device["false_calls"]) > 0.35 * int(device["boards_inspected"])
    assert float(device["yield_total"]) > 92


def test_low_paste_shows_at_the_printer_before_it_shows_here():
    """P22 through the line: after the drift most of the boards are insufficient, and the printer's mean had said so."""
    settings = {
        "printer": {"cycle": "5 s", "cleaning_time": "1 s", "stops_per_hour": 0},
        "aoi": {"cycle": "3 s", "review_time": "1 s", "stops_per_hour": 0},
    }
    plant = line(4, settings, {"printer": SMT["printer"], "aoi": SMT["aoi"]})
    printer, aoi = plant.devices["printer"], plant.devices["aoi"]
    printer.begin_fault("paste-drift", {"rate": 0.4})
    failed_at: float | None = None
    for _ in range(6000):
        plant.advance()
        if failed_at is None and int(aoi["boards_failed"]) >= 5:
            failed_at = float(printer["paste_volume"])
            break
    assert failed_at is not None
    assert failed_at < 90
    assert aoi["defects_insufficient"] >= 4


def test_failed_boards_leave_by_their_own_lane():
    """A board that fails is not good and goes to the rejects."""
    plant = Plant(1, SimClock(utc_ns=0))
    plant.add("a", devices.load("aoi"), {"cycle": "2 s", "review_time": "1 s", "escape_rate": 0, "stops_per_hour": 0})
    plant.add("b", devices.load("aoi"), {"autostart": False})
    lane = plant.connect("a.rejects_out", "b.boards_in", buffer=100)
    plant.start()
    for _ in range(8000):
        plant.advance()
    assert len(lane) == plant.devices["a"]["boards_failed"] > 0
    assert not any(part.good for part in lane.parts)
    assert np.all([part.marks["aoi_call"] == part.marks["defect"] for part in lane.parts])
