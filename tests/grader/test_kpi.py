"""Energy and OEE figures against our own computation."""

from __future__ import annotations

from typing import Any

import pytest
from grader_bench import Bench

from grader.mean import growth, integral, mean
from grader.outcome import State
from grader.truth import Truth

S = 10**9


def powered(bench: Bench) -> None:
    """4 kW for ten minutes, 12 kW for ten, 2 kW for ten."""
    bench.true("meter1.power", (0, 4.0), (600, 12.0), (1200, 2.0))
    bench.true("meter1.state", (0, 2), (1200, 1))
    bench.end = 1800


ENERGY = {"tags": ["meter1.power"], "file": "e.csv", "row": "x", "span": {"to": "30 min"}, "interval": "10 min"}


@pytest.mark.parametrize(
    ("more", "right"),
    [
        ({}, 3.0),
        ({"times": 0.5}, 1.5),
        ({"figure": "mean"}, 6.0),
        ({"figure": "peak"}, 12.0),
        ({"figure": "peak", "interval": "15 min"}, 20 / 3),
        ({"figure": "peak", "interval": "15 min", "aligned": False}, 28 / 3),
        ({"figure": "share", "during": {"tag": "meter1.state", "value": 1}}, 100 / 9),
    ],
)
def test_energy_figures(bench: Bench, more: dict[str, Any], right: float) -> None:
    """Right within 1 %; twice as much is not."""
    powered(bench)
    bench.hand_in("e.csv", f"key,value\nx,{right:.4f}\n")
    assert bench.judge("kpi.energy", **{**ENERGY, **more}).state is State.PASSED
    other = Bench(bench.folder.with_name("other"))
    powered(other)
    other.hand_in("e.csv", f"key,value\nx,{right * 2:.4f}\n")
    assert other.judge("kpi.energy", **{**ENERGY, **more}).state is State.FAILED


def test_the_time_of_the_peak(bench: Bench) -> None:
    """The interval begins at 10 min."""
    powered(bench)
    bench.hand_in("e.csv", "key,value\nx,2026-01-01T00:10:00Z\ny,2026-01-01T00:20:00Z\n")
    at = {**ENERGY, "figure": "peak-time"}
    assert bench.judge("kpi.energy", **at).state is State.PASSED
    assert bench.judge("kpi.energy", **{**at, "row": "y"}).state is State.FAILED


@pytest.mark.parametrize(("rollover", "grown"), [(None, 60.0), (1000.0, 110.0)])
def test_a_counter_that_runs_back(bench: Bench, rollover: float | None, grown: float) -> None:
    """Reset to zero: what it counts from there; rolled over: what is missing to the end too."""
    bench.true("meter1.power", (0, 940.0), (10, 950.0), (20, 0.0), (30, 50.0))
    bench.end = 40
    assert growth(Truth(bench.evidence, "meter1.power"), 0, 40 * S, rollover) == grown


def test_means_are_weighted_by_time(bench: Bench) -> None:
    """1 for 9 s and 11 for 1 s are 2 on average; a bad value does not count."""
    bench.true("meter1.power", (0, 1.0), (9, 11.0), (10, 99.0, 0x80000000), (20, 0.0))
    bench.end = 30
    truth = Truth(bench.evidence, "meter1.power")
    assert mean(truth, 0, 10 * S) == pytest.approx(2.0)
    assert mean(truth, 0, 20 * S) == pytest.approx(2.0)
    assert integral(truth, 0, 20 * S) == pytest.approx(20.0)
    assert mean(truth, 10 * S, 20 * S) is None


# ---- OEE ----

OEE = {
    "state": "meter1.state", "producing": [2], "ideal": "10 s", "produced": "meter1.power", "good": "oven1.temp",
    "span": {"to": "1000 s"}, "breaks": [{"from": "100 s", "to": "200 s"}], "file": "oee.json", "row": "oee",
}  # fmt: skip


def produced(bench: Bench) -> None:
    """900 s planned, 600 s of production, 45 parts of which 36 are good: 66.7 %, 75 %, 80 %, 40 %."""
    bench.true("meter1.state", (0, 2), (100, 1), (200, 2), (700, 1))
    bench.true("meter1.power", (0, 5.0), *((200 + n * 10, 6.0 + n) for n in range(45)))
    bench.true("oven1.temp", (0, 1.0), *((200 + n * 10, 2.0 + n) for n in range(36)))
    bench.end = 1000


@pytest.mark.parametrize(
    ("figure", "right"), [("availability", 66.7), ("effectiveness", 75), ("quality", 80), ("oee", 40)]
)
def test_oee_figures(bench: Bench, figure: str, right: float) -> None:
    """By ISO 22400-2, in percent or as a fraction; two points off are too many."""
    produced(bench)
    bench.hand_in("oee.json", f'{{"oee": {right}, "wrong": {right + 2}, "part": {right / 100}}}')
    params = {**OEE, "figure": figure}
    assert bench.judge("kpi.oee", **params).state is State.PASSED
    assert bench.judge("kpi.oee", **{**params, "row": "wrong"}).state is State.FAILED
    assert bench.judge("kpi.oee", **{**params, "row": "part", "fraction": True}).state is State.PASSED


def test_live_figures_are_judged_over_the_time_before_them(bench: Bench) -> None:
    """The first 100 s all production, then a break: each message for its own ten seconds."""
    produced(bench)
    for t in range(10, 400, 10):
        bench.publish(t, "oee", {"a": 100 if t <= 100 or t > 200 else 0})
    live = {key: OEE[key] for key in ("state", "producing")}
    params = {**live, "figure": "availability", "topic": "oee", "value": "a", "over": "10 s"}
    assert bench.judge("kpi.oee", **params).state is State.PASSED
    assert bench.judge("kpi.oee", **{**params, "over": "100 s"}).state is State.FAILED


def test_a_figure_may_be_an_answer_with_its_unit(bench: Bench) -> None:
    """Or no number at all."""
    produced(bench)
    bench.event(999, "lab", "answer", values=["40 %"], detail={"task": "t"})
    params = {key: value for key, value in OEE.items() if key not in ("file", "row")}
    assert bench.judge("kpi.oee", **params, answer=True, task="t").state is State.PASSED
    other = Bench(bench.folder.with_name("other"))
    produced(other)
    other.event(999, "lab", "answer", values=["much"], detail={"task": "t"})
    assert "no number" in other.judge("kpi.oee", **params, answer=True, task="t").reason["en"]
