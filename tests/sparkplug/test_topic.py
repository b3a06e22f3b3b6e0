from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labsim.sparkplug.topic import HostState, Topic, check_id, decode_state, parse_topic, state_topic


@pytest.mark.parametrize(
    "topic",
    [
        Topic("G", "NBIRTH", "E"),
        Topic("G", "NCMD", "E"),
        Topic("廠 1", "DBIRTH", "E", "D"),
        Topic("NBIRTH", "DDATA", "STATE", "x"),
    ],
)
def test_a_topic_comes_back_in_its_parts(topic):
    """Ids may be anything but the reserved characters, even words of the namespace."""
    assert parse_topic(str(topic)) == topic


@pytest.mark.parametrize(
    ("topic", "why"),
    [
        ("spAv1.0/G/NBIRTH/E", "namespace"),
        ("spBv1.0/G/NBIRTH", "is not"),
        ("spBv1.0/G/NBIRTH/E/D", "without a device"),
        ("spBv1.0/G/DDATA/E", "with a device"),
        ("spBv1.0/G/nbirth/E", "message type"),
        ("spBv1.0/G/NDATA/E/D/x", "is not"),
        ("spBv1.0//NDATA/E", "is not"),
        ("spBv1.0/STATE/host", "is not"),
    ],
)
def test_what_is_no_topic_is_said(topic, why):
    """Each way a topic can be wrong has its words."""
    with pytest.raises(ValueError, match=why):
        parse_topic(topic)


def test_the_state_of_a_host():
    """JSON with a flag and a time, on a topic of its own (§6.4.27)."""
    state = HostState(True, 1_767_225_600_000)
    assert decode_state(state.encode()) == state
    assert state_topic("scada") == "spBv1.0/STATE/scada"


@pytest.mark.parametrize(
    "data",
    [b"", b"ONLINE", b"[]", b'{"online":1,"timestamp":2}', b'{"online":true}', b'{"online":true,"timestamp":"2"}',
     b'{"online":true,"timestamp":true}', b'{"online":true,"timestamp":-1}', b"\xff", b"[" * 100_000],
)  # fmt: skip
def test_what_is_no_state_is_refused(data):
    """Also the plain ONLINE of version 2."""
    with pytest.raises(ValueError, match=r"."):
        decode_state(data)


@given(st.binary(max_size=80), st.text(max_size=40))
def test_anything_else_is_a_value_error(data, text):
    """Topics and states come from a network."""
    for call in (lambda: decode_state(data), lambda: parse_topic(text)):
        try:
            found = call()
        except ValueError:
            continue
        assert found is not None


@pytest.mark.parametrize("text", ["", "a/b", "a+", "#"])
def test_ids_with_reserved_characters_are_refused(text):
    """They would not fit a topic."""
    with pytest.raises(ValueError, match="no Sparkplug id"):
        check_id(text)
