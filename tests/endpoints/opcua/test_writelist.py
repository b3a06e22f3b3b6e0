"""The quick decoder of Write requests gives what the plain one gives."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Any

from asyncua import ua
from asyncua.ua.ua_binary import struct_to_binary
from hypothesis import given, settings
from hypothesis import strategies as st

from labsim.endpoints.opcua.core import writelist
from labsim.endpoints.opcua.core.codec import decode
from labsim.endpoints.opcua.core.status import Bad

VT = ua.VariantType
node_ids = st.one_of(
    st.integers(0, 2**32 - 1).map(ua.NodeId),
    st.builds(ua.NodeId, st.text(max_size=20), st.integers(0, 9)),
    st.builds(ua.NodeId, st.binary(max_size=20), st.integers(0, 9)),
    st.builds(lambda: ua.NodeId(uuid.UUID(int=7), 2)),
)
variants = st.one_of(
    st.floats().map(lambda number: ua.Variant(number, VT.Double)),
    st.floats(width=32).map(lambda number: ua.Variant(number, VT.Float)),
    st.booleans().map(lambda truth: ua.Variant(truth, VT.Boolean)),
    st.integers(-(2**63), 2**63 - 1).map(lambda number: ua.Variant(number, VT.Int64)),
    st.integers(0, 255).map(lambda number: ua.Variant(number, VT.Byte)),
    st.text(max_size=5).map(lambda text: ua.Variant(text, VT.String)),
    st.lists(st.integers(0, 9), max_size=3).map(lambda numbers: ua.Variant(numbers, VT.Int16, is_array=True)),
)
times = st.none() | st.datetimes(dt.datetime(1700, 1, 1), dt.datetime(2200, 1, 1))


@st.composite
def requests(draw: Any) -> bytes:
    """A WriteRequest as bytes."""
    asked = ua.WriteRequest()
    asked.RequestHeader.AuthenticationToken = ua.NodeId(b"t" * 32, 0, ua.NodeIdType.ByteString)
    for node_id in draw(st.lists(node_ids, max_size=5)):
        status = draw(st.sampled_from([None, ua.StatusCode(0), ua.StatusCode(0x80000000)]))
        data = ua.DataValue(draw(variants), status, draw(times), draw(st.none() | times))
        place = node_id, draw(st.integers(0, 30)), draw(st.sampled_from([None, "", "0:1"]))
        asked.Parameters.NodesToWrite.append(ua.WriteValue(*place, data))
    return bytes(struct_to_binary(asked))


def outcome(decoder: Any, body: bytes) -> Any:
    """What came of it: the request, or the code."""
    try:
        return repr(decoder(body))
    except Bad as refused:
        return refused.code


@settings(max_examples=150, deadline=None)
@given(requests(), st.lists(st.tuples(st.integers(0, 400), st.binary(max_size=4)), max_size=2))
def test_quick_equals_plain(body: bytes, cuts: Any) -> None:
    """Whole, bent and cut requests come to the same request or the same code."""
    bent = bytearray(body)
    for at, piece in cuts:
        bent[at % len(bent) : at % len(bent) + 1] = piece
        bent = bent or bytearray(body)
    for data in (body, bytes(bent)):
        assert outcome(writelist.decode_write, data) == outcome(lambda raw: decode(ua.WriteRequest, raw), data)


def test_what_is_kept_is_bounded() -> None:
    """A client that writes to ever new nodes cannot fill the memory."""
    value = ua.DataValue(ua.Variant(1.0, VT.Double))
    for number in range(writelist._KEPT // 1000 + 2):
        asked = ua.WriteRequest()
        targets = [ua.NodeId(number * 1000 + n, 7) for n in range(1000)]
        asked.Parameters.NodesToWrite = [ua.WriteValue(target, 13, None, value) for target in targets]
        writelist.decode_write(bytes(struct_to_binary(asked)))
    assert len(writelist._known) <= writelist._KEPT
