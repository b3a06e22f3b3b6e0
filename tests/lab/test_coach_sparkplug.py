"""What the coach says of Sparkplug and of commands."""

from __future__ import annotations

from typing import Any

import pytest

from labsim.endpoints.mqtt.evidence import describe
from labsim.evidence.event import Record
from labsim.lab.coach import Coach
from labsim.plant import status
from labsim.plant.clock import SimClock
from labsim.plant.plant import Plant
from labsim.sparkplug.datatype import DataType
from labsim.sparkplug.payload import DataSet, Metric, Payload, bd_seq, encode
from labsim.text import LANGUAGES


def said(kind: str, **fields: Any) -> dict[str, Any]:
    """The entry of one record of a client."""
    entry = Coach(Plant(1, SimClock())).entry(
        Record(kind=kind, protocol="mqtt", seq=1, t=0, w=0, m=0, app="gw", session="s", **fields)
    )
    assert entry is not None
    assert set(entry["text"]) == set(LANGUAGES)
    return entry


def published(data: bytes, topic: str = "spBv1.0/G/NBIRTH/E") -> str:
    """The sentence about a publish."""
    text, detail = describe(data)
    return said("publish", subject=topic, values=[text], detail={"qos": 0, **detail})["text"]["en"]


def test_a_sparkplug_payload_is_told_in_one_line() -> None:
    """Names, aliases and values, a few of them; not the bytes."""
    metrics = [
        bd_seq(3, 1), Metric.of(False, DataType.BOOLEAN, name="Node Control/Rebirth"), Metric.of(231.5, 9, name="u", alias=1),
        Metric(alias=7, is_null=True), Metric(alias=8, value=("dataset_value", DataSet())), Metric.of("x" * 99, 12, name="t"),
        Metric.of(-1, 1, name="n"),
    ]  # fmt: skip
    sentence = published(encode(Payload(timestamp=1, metrics=metrics, seq=0)))
    told = "seq 0: bdSeq = 3, Node Control/Rebirth = false, u = 231.5, alias 7 = null, alias 8 = <dataset>, t = xxx"
    assert told in sentence
    assert sentence.endswith("… (7)")


@pytest.mark.parametrize("data", [b"\x12\xff\xff", b'{"online": true}', b""])
def test_what_is_no_payload_is_shown_as_it_is(data: bytes) -> None:
    """Bytes in hex, text as text."""
    assert (data.decode() if data[:1] != b"\x12" else data.hex()) in published(data)


def test_a_command_is_told_with_what_became_of_it() -> None:
    """Accepted or refused, and why."""
    good = said("write", subject="t/set", tags=["meter1.shed_load"], values=[True])
    bad = said("write", subject="t/set", tags=["meter1.shed_load"], values=[None], status=status.BAD_TYPE_MISMATCH)
    assert "gw set meter1.shed_load to True" in good["text"]["en"]
    assert ("BadTypeMismatch" in bad["text"]["en"], good["level"], bad["level"]) == (True, "write", "error")
