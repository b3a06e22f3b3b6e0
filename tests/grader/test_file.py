from __future__ import annotations

import math
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from grader_bench import Bench
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from grader.checks import load
from grader.outcome import State

EXPECT = {"file": "map.csv", "key": "tag", "expect": {"u": "meter1.voltage", "p": "meter1.power"}}


def handed(bench: Bench, *rows: str, head: str = "tag,value") -> None:
    """A CSV file."""
    bench.hand_in("map.csv", "\n".join([head, *rows]))


def test_values_as_they_were_read_pass(bench: Bench) -> None:
    """Any of the values that this attempt's client read is right, within the tolerance."""
    bench.read(1, {"meter1.voltage": 230.0, "meter1.power": 4.0})
    bench.read(2, {"meter1.voltage": 240.0})
    handed(bench, "U, 229.0", "p,4.02")
    outcome = bench.judge("file.values", **EXPECT)
    assert outcome.state is State.PASSED
    assert set(outcome.evidence) >= {1, 2}


def test_each_key_carries_its_share(bench: Bench) -> None:
    """A wrong value and a missing one cost their own share; the wrong one is suspected, the right one not told."""
    bench.read(1, {"meter1.voltage": 230.0, "meter1.power": 4.0})
    handed(bench, "u,2300", "p,4")
    outcome = bench.judge("file.values", **EXPECT)
    assert (outcome.state, outcome.score, outcome.actual) == (State.FAILED, 0.5, "u: 2300")
    assert "factor of 10" in outcome.help["en"]
    assert "230 " not in str((outcome.reason, outcome.expected))
    assert outcome.reason.missing == ()


def test_a_value_nobody_read_is_not_right(bench: Bench) -> None:
    """True or not: without a read it is copied or guessed."""
    bench.true("meter1.voltage", (0, 230.0))
    bench.true("meter1.power", (0, 4.0))
    bench.read(1, {"meter1.power": 4.0}, status=2)
    handed(bench, "u,230", "p,4")
    outcome = bench.judge("file.values", **EXPECT)
    assert outcome.score == 0
    assert "no client read" in outcome.reason["en"]


def test_a_subscription_is_a_long_read(bench: Bench) -> None:
    """Values from the time of the subscription on count, older ones do not."""
    bench.true("meter1.power", (0, 3.0), (5, 4.0), (9, 5.0))
    bench.event(6, "opcua", "subscribe", tags=["meter1.power"])
    bench.end = 20
    one = {"file": "map.csv", "key": "tag", "expect": {"p": "meter1.power"}}
    for value, score in (("4", 1), ("5", 1), ("3", 0)):
        other = Bench(bench.folder.with_name(f"with{value}"))
        other.__dict__.update({k: v for k, v in bench.__dict__.items() if k in ("_events", "_truth", "end")})
        handed(other, f"p,{value}")
        assert other.judge("file.values", **one).score == score, value


def test_all_rows_of_a_key_must_be_right(bench: Bench) -> None:
    """A file full of guesses with the right one among them is wrong."""
    bench.read(1, {"meter1.voltage": 230.0, "meter1.power": 4.0})
    handed(bench, "u,230", "u,231", "u,999", "p,4")
    assert bench.judge("file.values", **EXPECT).score == 0.5


def test_a_lost_value_is_nan(bench: Bench) -> None:
    """NaN is right for what read as NaN, and no number is."""
    bench.read(1, {"meter1.voltage": math.nan, "meter1.power": 4.0})
    handed(bench, "u,nan", "p,4")
    assert bench.judge("file.values", **EXPECT).score == 1


def test_constants_are_compared_by_their_kind(bench: Bench) -> None:
    """Text without case and width, numbers exactly, truth values by their words; the answer is not shown."""
    bench.hand_in("a.json", '{"order": "ｃｄａｂ", "base": 40.1, "step": "20", "on": true, "off": "TRUE"}')
    wanted = {"file": "a.json", "constants": {"order": "CDAB", "base": 40, "step": 20, "on": True, "off": False}}
    outcome = bench.judge("file.values", **wanted, tolerance=1)
    assert (outcome.score, outcome.actual) == (0.6, "base: 40.1, off: TRUE")


@pytest.mark.parametrize(
    ("time", "good"),
    [
        ("2026-01-01T00:00:05Z", True),
        ("2026-01-01T08:00:05+08:00", True),
        ("2026-01-01T00:00:04Z", True),
        ("2026-01-01T00:00:03.9Z", False),
        ("2026-01-01T00:00:11.1Z", False),
        ("2026-01-01T08:00:05Z", False),
        ("soon", False),
        ("", False),
    ],
)
def test_a_row_is_held_to_its_time(bench: Bench, time: str, good: bool) -> None:
    """True from second 5 to 10: a second of margin at each end is in, a step more is not; local time as UTC is out."""
    bench.true("meter1.power", (0, 1.0), (5, 4.0), (10.1, 1.0))
    bench.end = 60
    handed(bench, f"p,4,{time}", head="tag,value,time")
    params = {"file": "map.csv", "key": "tag", "expect": {"p": "meter1.power"}, "truth": "at-time"}
    assert (bench.judge("file.values", **params).state is State.PASSED) is good


def test_no_file_and_a_file_that_is_none_say_so(bench: Bench) -> None:
    """The files that are there are listed; a file without the columns is told why."""
    bench.hand_in("sub/other.csv", "tag,value\nu,1\n")
    bench.hand_in("bad.csv", "a,b\n1,2\n")
    assert bench.judge("file.values", **EXPECT).actual == "bad.csv, sub/other.csv"
    assert "no column tag" in bench.judge("file.values", **{**EXPECT, "file": "bad.csv"}).reason["en"]
    assert bench.judge("file.values", **{**EXPECT, "file": "sub/other.csv"}).score == 0


def test_what_cannot_be_meant_is_refused() -> None:
    """Nothing to expect, one key twice, a path out of the folder."""
    model = load("file.values").Params
    for wrong in (
        {"file": "a.csv"},
        {"file": "a.csv", "expect": {"a": "m.t"}, "constants": {"a": 1}},
        {"file": "/etc/a.csv", "constants": {"a": 1}},
        {"file": "a.txt", "constants": {"a": 1}},
    ):
        with pytest.raises(ValidationError):
            model.model_validate(wrong)


@settings(max_examples=25, deadline=None)
@given(st.binary(max_size=60) | st.text(max_size=60).map(lambda s: f"tag,value,time\nu,{s},{s}\n".encode()))
def test_no_file_raises(data: bytes) -> None:
    """Whatever is handed in is an outcome."""
    with TemporaryDirectory() as folder:
        bench = Bench(Path(folder) / "attempt")
        bench.read(1, {"meter1.voltage": 230.0})
        bench.hand_in("map.csv", data)
        for truth in ("when-read", "at-time"):
            bench.judge("file.values", **EXPECT, constants={"c": 1}, truth=truth)


@pytest.mark.parametrize(("serial", "score"), [("PM-0042", 1), ("PM-0043", 0.5)])
def test_nameplates_are_those_of_the_seat(bench: Bench, serial: str, score: float) -> None:
    """What stands on the device is right, another seat's serial number is not."""
    handed(bench, f"serial,{serial}", "maker,ACME")
    plates = {"serial": "meter1.serial", "maker": "meter1.manufacturer"}
    assert bench.judge("file.values", file="map.csv", key="tag", nameplates=plates).score == score
