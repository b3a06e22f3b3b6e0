"""What the coach says about a record."""

from __future__ import annotations

from typing import Any

import pytest

import devices
from labsim.evidence.event import PLANT, Record
from labsim.lab.coach import Coach
from labsim.plant.clock import SimClock
from labsim.plant.plant import Plant
from labsim.text import LANGUAGES


@pytest.fixture
def coach() -> Coach:
    """A coach over a plant with one meter whose base register is 100."""
    plant = Plant(1, SimClock())
    plant.add("meter1", devices.load("power-meter"), {"base_register": 100})
    plant.start()
    return Coach(plant)


def record(kind: str, protocol: str = "modbus", **fields: Any) -> Record:
    """A record of one client."""
    return Record(
        kind=kind, protocol=protocol, seq=7, t=1_000_000_000, w=0, m=0, client="10.0.0.5:40000", session="s1", **fields
    )


def read(address: int, status: int = 2, device: str = "meter1", **detail: Any) -> Record:
    """A Modbus read of two holding registers."""
    return record(
        "read",
        device=device,
        status=status,
        detail={"unit": 11, "fc": 3, "table": "holding", "address": address, "count": 2} | detail,
    )


def test_40001_as_address_is_explained(coach: Coach) -> None:
    """Reading 40001 as an address says that the wire counts from 0, in every language, and never a value."""
    entry = coach.entry(read(40001))
    assert entry is not None
    assert entry["level"] == "error"
    assert "exception 02" in entry["text"]["en"]
    assert "40001" in entry["advice"]["en"]
    assert set(entry["advice"]) == set(LANGUAGES)


def test_manual_number_as_address_is_explained(coach: Coach) -> None:
    """Using the manual's number one too high says what the wire address is, base register and all."""
    number = 3110 + 100  # frequency, one too high: 3211 is a hole
    entry = coach.entry(read(number))
    assert entry is not None
    assert f"address {number - 1}" in entry["advice"]["en"]


def test_advice_is_given_once_per_mistake(coach: Coach) -> None:
    """The same client hears the same advice once."""
    first, second = coach.entry(read(40001)), coach.entry(read(40001))
    assert first is not None
    assert second is not None
    assert first["advice"]
    assert second["advice"] is None


def test_unknown_unit_is_silence(coach: Coach) -> None:
    """A unit that nobody has is told as silence."""
    entry = coach.entry(read(0, status=-1, device="", unit=19))
    assert entry is not None
    assert entry["text"]["en"] == "You asked unit 19; nobody answered."


def test_registers_are_shown_undecoded(coach: Coach) -> None:
    """A good read shows the registers as they were on the wire, not their value."""
    entry = coach.entry(
        record(
            "read",
            device="meter1",
            tags=["meter1.voltage_l1"],
            values=[230.5],
            detail={"unit": 11, "fc": 3, "table": "holding", "address": 3127, "count": 2, "raw": "43668000"},
        )
    )
    assert entry is not None
    assert "4366 8000" in entry["text"]["en"]
    assert "230" not in str(entry)


def test_polling_a_node_is_noticed(coach: Coach) -> None:
    """Twenty reads of one node in ten seconds bring the advice to subscribe, once."""
    advice = []
    for n in range(40):
        seen = record("read", "opcua", tags=["mill1.spindle_speed"], values=[1.0])
        seen.t = n * 400_000_000
        entry = coach.entry(seen)
        assert entry is not None
        advice.append(entry["advice"])
    assert [bool(a) for a in advice].count(True) == 1
    assert "400 ms" in next(a for a in advice if a)["en"]


def test_braces_in_a_payload_are_shown_as_they_are(coach: Coach) -> None:
    """A JSON payload and a topic with braces are quoted, not formatted."""
    entry = coach.entry(
        record("publish", "mqtt", app="gw", subject="a/{b}", values=['{"value": 1}'], detail={"qos": 1})
    )
    assert entry is not None
    assert '{"value": 1}' in entry["text"]["zh-Hant"]
    assert entry["level"] == "write"


@pytest.mark.parametrize(
    "quiet",
    [
        record("publish", "mqtt", app=PLANT, subject="t", values=["x"]),
        record("check", "lab"),
        record("fault", "lab", detail={"hidden": True}),
        record("setting", "lab", device="meter1", detail={"setting": "lost_phase", "by": "timeline"}),
    ],
)
def test_what_is_not_the_trainees_is_not_told(coach: Coach, quiet: Record) -> None:
    """The plant's own messages, the lab's housekeeping and hidden things are not in the feed."""
    assert coach.entry(quiet) is None


def test_calls_alarms_and_history_are_put_into_words(coach: Coach) -> None:
    """In every language; an EventId of the past is explained once."""
    named = {"name": "start_job", "method": "ns=2;s=x", "arguments": []}
    called = coach.entry(record("call", "opcua", detail=named, device="meter1"))
    assert called is not None
    assert called["text"]["en"] == "You called start_job → good"
    alarm = {"condition": "meter1.overload", "event_id": "00", "comment": ""}
    refused = coach.entry(record("acknowledge", "opcua", status=0x809A0000, detail=alarm))
    assert refused is not None
    assert refused["text"]["en"].endswith("BadEventIdUnknown")
    assert set(refused["advice"]) == set(LANGUAGES)
    shelved = coach.entry(record("condition", "opcua", detail=alarm | {"action": "shelve", "seconds": 5.0}))
    assert shelved is not None
    assert "meter1.overload: shelve → good" in shelved["text"]["en"]
    past = {"what": "processed", "aggregate": "Average", "counts": [3, 4], "nodes": ["a", "b"]}
    read_back = coach.entry(record("history-read", "opcua", tags=["meter1.frequency"], detail=past))
    assert read_back is not None
    assert read_back["text"]["en"] == "You read the history of meter1.frequency: Average, 7 values."
