"""What clients browse, poll and leave alone over OPC UA."""

from __future__ import annotations

import pytest
from grader_bench import Bench
from pydantic import ValidationError

from grader.checks import load
from grader.cut import Cut
from grader.outcome import State

TAG, OTHER = "oven1.setpoint", "oven1.temp"
BAD = 0x801F0000


def read(bench: Bench, t: float, *tags: str) -> None:
    """One good Read request."""
    bench.event(t, "opcua", "read", device="oven1", tags=list(tags), values=[1.0] * len(tags), detail={"nodes": []})


def subscribe(bench: Bench, t: float, tag: str, status: int = 0) -> None:
    """One monitored item."""
    bench.event(t, "opcua", "subscribe", device="oven1", tags=[tag], status=status, detail={"publishing_ms": 500})


def write(bench: Bench, t: float, tag: str, status: int = 0) -> None:
    """One write."""
    bench.event(t, "opcua", "write", device="oven1", tags=[tag], values=[1.0], status=status)


def call(bench: Bench, t: float, name: str, status: int = 0) -> None:
    """One call."""
    bench.event(t, "opcua", "call", device="oven1", status=status, detail={"name": name})


def browse(bench: Bench, t: float, *nodes: str, device: str = "", user: str = "", status: int = 0) -> None:
    """One Browse request."""
    named = [f"ns=2;s={node}" for node in nodes]
    owners = [node.replace("/", ".").partition(".")[0] for node in nodes]
    detail = {"nodes": named} if device else {"nodes": named, "devices": owners}
    bench.event(t, "opcua", "browse", device=device, user=user, status=status, detail=detail)


@pytest.mark.parametrize("name", ["opcua.browsed", "opcua.not-polled", "opcua.never"])
def test_an_untouched_lab_earns_nothing(bench: Bench, name: str) -> None:
    """Who does nothing polls nothing and breaks nothing, and gets no marks."""
    params = {"device": "oven1"} if name == "opcua.browsed" else {"tags": [TAG]}
    assert bench.judge(name, **params).state is State.FAILED


def test_nodes_of_the_device_count_once(bench: Bench) -> None:
    """Not those above it, not those of another whose name begins alike, none twice, none that were refused."""
    browse(bench, 1, "Machines")
    browse(bench, 2, "oven1", device="oven1")
    browse(bench, 3, "oven1", device="oven1")
    browse(bench, 4, "oven1/Heating", "oven12", "meter1/Phases", "oven1.temp")
    browse(bench, 5, "oven1/Cooling", device="oven1", status=BAD)
    outcome = bench.judge("opcua.browsed", device="oven1", at_least=3)
    assert outcome.state is State.PASSED
    assert outcome.actual == "3"
    assert outcome.evidence == (2, 4)
    assert bench.judge("opcua.browsed", device="oven1", at_least=4).state is State.FAILED
    assert bench.judge("opcua.browsed", device="oven1", user="operator").state is State.FAILED


def test_reads_now_and_then_are_no_polling(bench: Bench) -> None:
    """Four reads spread over a window that holds three; the one more within it is polling."""
    subscribe(bench, 1, TAG)
    for t in (2, 30, 59, 62):
        read(bench, t, TAG)
    assert bench.judge("opcua.not-polled", tags=[TAG]).state is State.PASSED
    other = Bench(bench.folder.with_name("other"))
    subscribe(other, 1, TAG)
    for t in (2, 30, 59, 61.9):
        read(other, t, TAG)
    outcome = other.judge("opcua.not-polled", tags=[TAG])
    assert outcome.state is State.FAILED
    assert outcome.evidence == (2, 3, 4, 5)
    assert outcome.reason["en"] == "oven1.setpoint was read 4 times in 60 s from 00:00:02.0 UTC."


def test_each_tag_carries_its_share(bench: Bench) -> None:
    """One subscribed, one never: half; a refused item is none; reads of another tag do not matter."""
    subscribe(bench, 1, TAG)
    subscribe(bench, 1, OTHER, status=BAD)
    for t in range(10):
        read(bench, 2 + t, "oven1.power")
    outcome = bench.judge("opcua.not-polled", tags=[TAG, OTHER])
    assert outcome.score == 0.5
    assert OTHER in outcome.reason["en"]
    assert bench.judge("opcua.not-polled", tags=[TAG]).state is State.PASSED


def test_a_window_has_a_length() -> None:
    """A window of nothing is refused when the scenario is read."""
    with pytest.raises(ValidationError):
        load("opcua.not-polled").Params.model_validate({"tags": [TAG], "within": 0})


def test_a_forbidden_write_is_named(bench: Bench) -> None:
    """Tag and time are told; other tags and reads do not matter, unless they are forbidden too."""
    read(bench, 1, TAG)
    write(bench, 2, OTHER)
    assert bench.judge("opcua.never", tags=[TAG]).state is State.PASSED
    assert bench.judge("opcua.never", tags=[TAG], action="any").state is State.FAILED
    other = Bench(bench.folder.with_name("other"))
    write(other, 7, TAG)
    outcome = other.judge("opcua.never", tags=[TAG])
    assert outcome.reason["en"] == "oven1.setpoint was written at 00:00:07.0 UTC."
    assert outcome.evidence == (1,)


def test_refused_attempts_count_unless_it_is_said_otherwise(bench: Bench) -> None:
    """Writes and calls alike."""
    read(bench, 0, OTHER)
    write(bench, 1, TAG, status=BAD)
    call(bench, 2, "open_door", status=BAD)
    wanted = {"tags": [TAG], "methods": ["oven1.open_door"]}
    assert bench.judge("opcua.never", **wanted).evidence == (2, 3)
    assert bench.judge("opcua.never", **wanted, refused=False).state is State.PASSED


def test_a_forbidden_call_is_named(bench: Bench) -> None:
    """Whatever the action is that tags are guarded against."""
    call(bench, 1, "start")
    assert bench.judge("opcua.never", methods=["oven1.open_door"]).state is State.PASSED
    other = Bench(bench.folder.with_name("other"))
    call(other, 3, "open_door")
    outcome = other.judge("opcua.never", methods=["oven1.open_door"])
    assert outcome.reason["en"] == "oven1.open_door was called at 00:00:03.0 UTC."


def test_work_elsewhere_is_no_work_here(bench: Bench) -> None:
    """What makes it count is good requests to the devices it is about; penalties ask for none."""
    bench.event(1, "opcua", "read", device="meter1", tags=["meter1.voltage"], values=[230.0])
    assert bench.judge("opcua.never", tags=[TAG]).state is State.FAILED
    assert bench.judge("opcua.never", tags=[TAG], at_least=0).state is State.PASSED


def test_something_must_be_forbidden() -> None:
    """Neither tags nor methods is refused when the scenario is read."""
    with pytest.raises(ValidationError):
        load("opcua.never").Params.model_validate({})


def test_an_item_of_before_the_stretch_is_still_watched(bench: Bench) -> None:
    """Polled until 10 s, subscribed at 5 s: from 12 s on it was not polled."""
    bench.event(5, "opcua", "subscribe", tags=["meter1.power"], device="meter1", detail={"subscription": 1, "item": 1})
    for n in range(10):
        bench.event(n, "opcua", "read", tags=["meter1.power"], values=[1.0], device="meter1")
    bench.event(30, "opcua", "read", tags=["meter1.power"], values=[1.0], device="meter1")
    check = load("opcua.not-polled")
    asked = check.Params.model_validate({"tags": ["meter1.power"], "reads": 2})
    assert check().judge(bench.evidence, asked).score == 0
    assert check().judge(Cut(bench.evidence, start_ns=12 * 10**9), asked).score == 1
