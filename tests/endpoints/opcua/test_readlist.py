"""The quick decoder of Read requests gives what the plain one gives."""

from __future__ import annotations

import uuid
from typing import Any

from asyncua import ua
from asyncua.ua.ua_binary import struct_to_binary
from hypothesis import given, settings
from hypothesis import strategies as st

from labsim.endpoints.opcua.core import readlist
from labsim.endpoints.opcua.core.codec import decode
from labsim.endpoints.opcua.core.status import Bad

node_ids = st.one_of(
    st.integers(0, 2**32 - 1).map(ua.NodeId),
    st.builds(ua.NodeId, st.integers(0, 2**32 - 1), st.integers(0, 300)),
    st.builds(ua.NodeId, st.text(max_size=20), st.integers(0, 9)),
    st.builds(ua.NodeId, st.binary(max_size=20), st.integers(0, 9)),
    st.builds(lambda: ua.NodeId(uuid.UUID(int=7), 2)),
)


@st.composite
def requests(draw: Any) -> bytes:
    """A ReadRequest as bytes."""
    asked = ua.ReadRequest()
    asked.RequestHeader.AuthenticationToken = ua.NodeId(b"t" * 32, 0, ua.NodeIdType.ByteString)
    asked.RequestHeader.RequestHandle, asked.RequestHeader.AuditEntryId = (
        draw(st.integers(0, 99)),
        draw(st.text(max_size=3)),
    )
    asked.Parameters.MaxAge = draw(st.floats(allow_nan=False))
    asked.Parameters.TimestampsToReturn = ua.TimestampsToReturn(draw(st.integers(0, 4)))
    for node_id in draw(st.lists(node_ids, max_size=5)):
        one = ua.ReadValueId(node_id, draw(st.integers(0, 30)), draw(st.sampled_from([None, "", "0:1"])))
        one.DataEncoding = ua.QualifiedName(
            draw(st.sampled_from([None, "", "Default Binary"])), draw(st.integers(0, 2))
        )
        asked.Parameters.NodesToRead.append(one)
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
        assert outcome(readlist.decode_read, data) == outcome(lambda raw: decode(ua.ReadRequest, raw), data)


def test_what_is_kept_is_bounded() -> None:
    """A client that asks for ever new nodes cannot fill the memory."""
    for number in range(readlist._KEPT // 1000 + 2):
        asked = ua.ReadRequest()
        asked.Parameters.NodesToRead = [ua.ReadValueId(ua.NodeId(number * 1000 + n, 7), 13) for n in range(1000)]
        readlist.decode_read(bytes(struct_to_binary(asked)))
    assert len(readlist._known) <= readlist._KEPT
