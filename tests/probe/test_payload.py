from __future__ import annotations

import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labsim.probe.payload import Reader, plain, printable
from labsim.sparkplug.datatype import DataType
from labsim.sparkplug.payload import Metric, Payload, encode


@pytest.mark.parametrize(
    ("payload", "coding", "data"),
    [
        (b'{"value": 1.5}', "json", {"value": 1.5}),
        (b"231.4", "json", 231.4),
        (b"hello", "text", "hello"),
        (b"", "text", ""),
        ("溫度".encode(), "text", "溫度"),
        (b"\xff\x00", "hex", "ff00"),
        (b"[" * 100_000, "text", "[" * 100_000),
    ],
)
def test_what_a_payload_is_taken_for(payload: bytes, coding: str, data: object) -> None:
    """JSON, else text, else bytes."""
    found = Reader().read("t", payload)
    assert (found.coding, found.data) == (coding, data)


def test_sparkplug_data_speaks_by_the_names_of_its_birth() -> None:
    """An alias has the name and the type that the BIRTH gave, a negative number its sign."""
    reader = Reader()
    birth = Payload(
        timestamp=1,
        seq=0,
        metrics=[
            Metric.of(-5, DataType.INT16, name="temp", alias=7, timestamp=1),
            Metric.of(None, DataType.STRING, name="s"),
        ],
    )
    data = Payload(timestamp=2, seq=1, metrics=[Metric(alias=7, value=("int_value", 0xFFFE), is_historical=True)])
    first = reader.read("spBv1.0/g/NBIRTH/e", encode(birth))
    assert first.coding == "sparkplug"
    assert first.data["metrics"][0] == {"name": "temp", "alias": 7, "type": "Int16", "value": -5, "timestamp": 1}
    assert first.data["metrics"][1] == {"name": "s", "type": "String", "value": None}
    again = reader.read("spBv1.0/g/NDATA/e", encode(data)).data["metrics"][0]
    assert (again["name"], again["value"], again["historical"]) == ("temp", -2, True)
    unborn = Reader().read("spBv1.0/g/NDATA/e", encode(data)).data["metrics"][0]
    assert (unborn["alias"], unborn["value"]) == (7, 0xFFFE)


def test_a_host_says_its_state_in_json() -> None:
    """STATE messages are JSON, and a payload that is no Sparkplug is what else it may be."""
    assert Reader().read("spBv1.0/STATE/scada", b'{"online":true}').coding == "json"
    assert Reader().read("spBv1.0/g/NDATA/e", b"\xff\xff").coding == "hex"


@given(st.sampled_from(["t", "spBv1.0/g/NBIRTH/e", "spBv1.0/g/DDATA/e/d", "spBv1.0/STATE/h", "spBv1.0"]), st.binary())
def test_no_payload_raises(topic: str, payload: bytes) -> None:
    """Whatever bytes come on whatever topic are something that JSON can hold."""
    found = Reader().read(topic, payload)
    json.dumps(found.data)


@given(st.text())
def test_a_terminal_is_safe_from_what_is_printed(text: str) -> None:
    """No control character gets through but line ends and tabs."""
    shown = printable(text)
    assert len(shown) == len(text)
    assert all(char.isprintable() or char in "\n\t" for char in shown)


def test_numbers_that_json_has_not_are_named() -> None:
    """NaN and infinities by their names, bytes as hex."""
    assert plain([math.nan, math.inf, b"\x01", 1]) == ["nan", "inf", "01", 1]
