"""Quality labels and fault reports against the faults that were injected."""

from __future__ import annotations

from typing import Any

import pytest
from grader_bench import UTC_ORIGIN_NS, Bench
from hypothesis import given
from hypothesis import strategies as st

from grader.faults import common, disturbed, injected, length, merged, without
from grader.outcome import State

BAD_STATUS = 0x80000000


def fault(bench: Bench, target: str, name: str, begin: float, end: float | None = None, number: int = 1) -> None:
    """A fault as the host journals it."""
    about = {"subject": target}
    bench.event(
        begin, "lab", "fault", **about, detail={"fault": name, "phase": "begin", "number": number, "hidden": True}
    )
    if end is not None:
        bench.event(end, "lab", "fault", **about, detail={"fault": name, "phase": "end", "number": number})


def test_faults_are_read_from_the_journal(bench: Bench) -> None:
    """One that ended, one that lasts; two at one target are told apart by their number."""
    fault(bench, "meter1.voltage", "stuck", 10, 20, 1)
    fault(bench, "meter1.voltage", "noise", 15, None, 2)
    bench.end = 60
    found = injected(bench.evidence)
    assert [(one.name, one.start // 10**9, one.end // 10**9) for one in found] == [("stuck", 10, 20), ("noise", 15, 60)]


SPANS = st.lists(st.tuples(st.integers(0, 99), st.integers(1, 9)).map(lambda p: (p[0], p[0] + p[1])), max_size=8).map(
    merged
)


@given(SPANS, SPANS)
def test_stretches_add_up(one: list[tuple[int, int]], other: list[tuple[int, int]]) -> None:
    """What is in both and what is only in the first make up the first, instant by instant."""

    def instants(spans: list[tuple[int, int]]) -> set[int]:
        return {t for low, high in spans for t in range(low, high)}

    assert instants(common(one, other)) == instants(one) & instants(other)
    assert instants(without(one, other)) == instants(one) - instants(other)
    assert length(one) == len(instants(one))


# ---- quality.labelled ----

LABELS = {"points": {"v": "meter1.voltage", "p": "meter1.power"}, "grace": "2 s"}


def labelled(bench: Bench, voltage: list[tuple[float, str]], power: list[tuple[float, str]] = ((0, "good"),)) -> None:  # type: ignore[assignment] # a short default
    """Labels of two points from given times on, a message a second; the voltage was stuck from 20 s to 40 s."""
    bench.true("meter1.voltage", (0, 230.0))
    bench.true("meter1.power", (0, 4.0))
    fault(bench, "meter1.voltage", "stuck", 20, 40)
    for topic, labels in (("v", voltage), ("p", power)):
        for t in range(60):
            label = next(text for since, text in reversed(labels) if since <= t)
            bench.publish(t, topic, {"value": 1, "quality": label})
    bench.end = 60


@pytest.mark.parametrize(
    ("voltage", "power", "state"),
    [
        ([(0, "good"), (21, "bad"), (41, "good")], [(0, "good")], State.PASSED),
        ([(0, "Good"), (22, "uncertain"), (40, "GOOD")], [(0, "192")], State.PASSED),
        ([(0, "good"), (30, "bad"), (41, "good")], [(0, "good")], State.FAILED),
        ([(0, "good")], [(0, "good")], State.FAILED),
        ([(0, "bad")], [(0, "good")], State.FAILED),
        ([(0, "good"), (21, "bad"), (41, "good")], [(0, "good"), (21, "bad"), (41, "good")], State.FAILED),
    ],
)
def test_labels_fit_the_faults(
    bench: Bench, voltage: list[tuple[float, str]], power: list[tuple[float, str]], state: State
) -> None:
    """In time, too late, never, always, and at the point that was well."""
    labelled(bench, voltage, power)
    assert bench.judge("quality.labelled", **LABELS).state is state


@pytest.mark.parametrize(
    ("ahead", "state", "said"),
    [
        (0.0, State.PASSED, ""),
        (-1.5, State.PASSED, ""),
        (30.0, State.PASSED, ""),
        (-15.0, State.FAILED, "15 s behind"),
        (-8 * 3600.0, State.FAILED, "8 h behind"),
    ],
)
def test_a_clients_wrong_clock_is_told(bench: Bench, ahead: float, state: State, said: str) -> None:
    """Within the grace it is forgiven, ahead of the message it is the message that counts, and what is far off is told."""
    bench.end = 60
    fault(bench, "meter1.voltage", "stuck", 20, 40)
    for n in range(60):
        at = UTC_ORIGIN_NS / 1e9 + n + ahead
        bench.publish(n, "v", {"quality": "bad" if 20 <= n < 40 else "good", "at": at})
    params = {"points": {"v": "meter1.voltage"}, "grace": "2 s", "time": "at"}
    outcome = bench.judge("quality.labelled", **params)
    assert outcome.state is state
    assert said in outcome.reason["en"]


@pytest.mark.parametrize(("ahead", "said"), [(8 * 3600, "ahead"), (-8 * 3600, "behind")])
def test_a_file_of_another_time_zone_is_told(bench: Bench, ahead: int, said: str) -> None:
    """When most of its times lie outside the lab, that is what is said."""
    bench.end = 60
    fault(bench, "meter1.voltage", "stuck", 20, 40)
    rows = (f"{UTC_ORIGIN_NS // 10**9 + n + ahead},{'bad' if 20 <= n < 40 else 'good'}" for n in range(60))
    bench.hand_in("q.csv", "\n".join(["time,v", *rows]))
    outcome = bench.judge("quality.labelled", points={"v": "meter1.voltage"}, file="q.csv", time="time")
    assert said in outcome.reason["en"]
    assert "time zone" in outcome.help["en"]


def test_labels_may_stand_in_a_file(bench: Bench) -> None:
    """With their own times."""
    fault(bench, "meter1", "dead", 20, 40)
    bench.end = 60
    rows = [(0, "good"), (20, "bad"), (40, "good")]
    bench.hand_in("q.csv", "time,v\n" + "".join(f"2026-01-01T00:00:{t:02d}Z,{label}\n" for t, label in rows))
    params = {"file": "q.csv", "time": "time", "points": {"v": "meter1.voltage"}}
    assert bench.judge("quality.labelled", **params).state is State.PASSED


def test_a_bad_status_of_the_plant_is_bad(bench: Bench) -> None:
    """Without any fault; and nothing passes when nothing was bad."""
    bench.true("meter1.voltage", (0, 230.0), (20, 230.0, BAD_STATUS), (40, 230.0))
    for t in range(60):
        bench.publish(t, "v", {"quality": "bad" if 20 <= t < 40 else "good"})
    bench.end = 60
    params: dict[str, Any] = {"points": {"v": "meter1.voltage"}}
    assert bench.judge("quality.labelled", **params).state is State.PASSED
    outcome = bench.judge("quality.labelled", **params, status=False)
    assert "Nothing was bad" in outcome.reason["en"]


# ---- fault.reported ----


@pytest.mark.parametrize(
    ("rows", "more", "score"),
    [
        (["meter1,stuck", "oven1.temp,frozen"], {"kinds": {"drift": ["frozen"]}}, 1),
        (["meter1.voltage,Stuck", "oven1,drift"], {}, 1),
        (["meter1,stuck"], {}, 0.5),
        (["meter1,stuck", "oven1,noise"], {}, 0),
        (["meter1,stuck", "oven1,noise"], {"false_most": 1}, 0.5),
        (["meter1,stuck", "meter1,stuck", "oven1,drift"], {}, 1),
        (["oven1,stuck"], {"faults": ["stuck"]}, 0),
        (["meter1,stuck"], {"faults": ["stuck"]}, 1),
    ],
)
def test_faults_are_reported_in_a_file(bench: Bench, rows: list[str], more: dict[str, Any], score: float) -> None:
    """Device and kind, in the words of the scenario; a report of no fault costs as much as one that was found."""
    fault(bench, "meter1.voltage", "stuck", 20, 40, 1)
    fault(bench, "oven1.temp", "drift", 30, None, 2)
    fault(bench, "link.modbus", "delay", 30, None, 3)
    bench.end = 60
    bench.hand_in("report.csv", "\n".join(["device,kind", *rows]))
    assert bench.judge("fault.reported", file="report.csv", **more).score == score


@pytest.mark.parametrize(
    ("reports", "within", "state"),
    [
        ([(30, "stuck")], "20 s", State.PASSED),
        ([(50, "stuck")], "20 s", State.FAILED),
        ([(25, "noise"), (30, "stuck")], "20 s", State.FAILED),
        ([(10, "stuck")], "20 s", State.FAILED),
    ],
)
def test_the_first_report_comes_in_time(
    bench: Bench, reports: list[tuple[float, str]], within: str, state: State
) -> None:
    """Not late, not wrong, and not before there was anything to report."""
    fault(bench, "meter1.voltage", "stuck", 20, 60)
    for t, kind in reports:
        bench.publish(t, "report", {"device": "meter1", "kind": kind})
    bench.end = 90
    assert bench.judge("fault.reported", topic="report", within=within, first=True).state is state


def test_a_report_names_when_it_began(bench: Bench) -> None:
    """Within the margin."""
    fault(bench, "meter1.voltage", "stuck", 20, 60)
    bench.end = 90
    bench.hand_in("r.yaml", "- {device: meter1, kind: stuck, at: 2026-01-01T00:00:25Z}\n")
    params = {"file": "r.yaml", "time": "at"}
    assert bench.judge("fault.reported", **params, time_margin="10 s").state is State.PASSED
    assert bench.judge("fault.reported", **params, time_margin="2 s").state is State.FAILED


@pytest.mark.parametrize(("targets", "state"), [((), State.FAILED), (("link.modbus",), State.PASSED)])
def test_silence_on_a_link_may_make_values_bad(bench: Bench, targets: tuple[str, ...], state: State) -> None:
    """Where the scenario says so; a fault that is named like its layer is called without it."""
    bench.event(
        20, "lab", "fault", subject="link.modbus", detail={"fault": "link.black-hole", "phase": "begin", "number": 1}
    )
    bench.event(
        40, "lab", "fault", subject="link.modbus", detail={"fault": "link.black-hole", "phase": "end", "number": 1}
    )
    bench.true("meter1.voltage", (0, 230.0))
    for t in range(60):
        bench.publish(t, "v", {"quality": "bad" if 20 <= t < 40 else "good"})
    bench.end = 60
    params = {"points": {"v": "meter1.voltage"}, "targets": targets, "faults": ["black-hole"]}
    assert bench.judge("quality.labelled", **params).state is state


def test_a_fault_that_leaves_values_right_makes_none_bad(bench: Bench) -> None:
    """A slow device and a worn tool are no bad values; what the host names as concerned is."""
    fault(bench, "meter1", "slow", 10, 50)
    bench.event(
        20,
        "lab",
        "fault",
        subject="meter1",
        tags=["meter1.power"],
        detail={"fault": "swap", "phase": "begin", "number": 2},
    )
    bench.end = 60
    assert list(disturbed(bench.evidence, "meter1.voltage")) == []
    assert list(disturbed(bench.evidence, "meter1.power")) == [(20 * 10**9, 60 * 10**9)]


def test_right_faults_at_wrong_times_are_told_apart(bench: Bench) -> None:
    """Where the device and the kind are right and the time is of another zone, nothing is called no fault."""
    bench.end = 60
    fault(bench, "meter1.voltage", "stuck", 20)
    began = UTC_ORIGIN_NS // 10**9 + 20 + 8 * 3600
    bench.hand_in("report.csv", f"device,kind,time\nmeter1,stuck,{began}\n")
    outcome = bench.judge("fault.reported", file="report.csv", time="time")
    assert outcome.state is State.FAILED
    assert "The faults are right" in outcome.reason["en"]
    assert "meter1 stuck, off by up to 8 h" in outcome.reason["en"]
    assert "time zone" in outcome.help["en"]
    assert bench.judge("fault.reported", file="report.csv").state is State.PASSED
