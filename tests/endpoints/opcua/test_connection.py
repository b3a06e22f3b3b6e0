"""One connection of the core: limits, sequence, faults, and rubbish of all kinds."""

from __future__ import annotations

import struct
from collections.abc import Callable
from typing import Any

import msgspec
import pytest
from asyncua import ua
from asyncua.ua.ua_binary import struct_to_binary
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from labsim.endpoints.opcua.core.services import SERVICES
from labsim.endpoints.opcua.core.status import S
from labsim.endpoints.opcua.core.users import Accounts
from labsim.errors import EvidenceError
from labsim.evidence.encoding import encode
from labsim.evidence.event import Entry, Event
from labsim.evidence.polls import Polls

decode = msgspec.json.Decoder(Event).decode


def browse(*keys: int) -> Any:
    """A Browse of nodes of namespace 0 with everything."""
    asked = ua.BrowseRequest()
    for key in keys:
        one = ua.BrowseDescription()
        one.NodeId, one.BrowseDirection = ua.NodeId(key), ua.BrowseDirection.Both
        one.NodeClassMask, one.ResultMask, one.IncludeSubtypes = 0, 63, True
        asked.Parameters.NodesToBrowse.append(one)
    return asked


def test_a_large_answer_is_cut_into_the_clients_chunks(server: Any, connect: Any) -> None:
    """No chunk is larger than the client's buffer, and together they are the whole answer."""
    peer = connect(server, receive=8192).login()
    peer.post(browse(*[84, 85, 2253, 2004, 58, 61, 63, 22, 24, 31, 45] * 20))
    sizes = [len(chunk) for chunk in peer.chunks()]
    assert len(sizes) > 5
    assert max(sizes) <= 8192


@pytest.mark.parametrize("limits", [{"max_message": 12_000}, {"receive": 8192, "max_chunks": 2}])
def test_an_answer_beyond_the_clients_limits_is_a_fault(server: Any, connect: Any, limits: dict[str, int]) -> None:
    """A client that cannot take the answer is told so (OPC 10000-6 §7.1.2.3)."""
    peer = connect(server, **limits).login()
    assert peer.result(browse(*[58, 61, 22] * 40)) == S.BadResponseTooLarge
    assert peer.result(browse(84)) == 0


def test_endless_chunks_are_cut_off(server: Any, connect: Any, error_code: Any) -> None:
    """Neither many small chunks nor a few large ones may pile up."""
    for size in (10, 65_000):
        peer = connect(server)
        for _ in range(70):
            if not peer.hung:
                peer.send(b"x" * size, final=b"C", request=9)
        assert error_code(bytes(peer.out)) == S.BadRequestTooLarge
        assert peer.hung


def test_chunks_of_two_messages_may_not_mix(server: Any, connect: Any, error_code: Any) -> None:
    """A chunk of another request inside a message cuts the connection."""
    peer = connect(server)
    peer.send(b"x" * 100, final=b"C", request=2)
    peer.send(b"y", request=3)
    assert error_code(bytes(peer.out)) == S.BadTcpMessageTypeInvalid


def test_an_aborted_message_is_forgotten(peer: Any) -> None:
    """After an abort chunk the next message is served (OPC 10000-6 §6.7.3)."""
    peer.send(b"x" * 100, final=b"C", request=50)
    peer.send(b"", final=b"A", request=50)
    assert peer.result(browse(84)) == 0


def test_a_repeated_sequence_number_cuts_the_connection(peer: Any, error_code: Any) -> None:
    """A chunk that is played again is not taken (OPC 10000-6 §6.7.2.4)."""
    peer.sequence -= 1
    peer.post(browse(84))
    assert error_code(bytes(peer.out)) == S.BadSequenceNumberInvalid


@pytest.mark.parametrize(("field", "code"), [(8, S.BadTcpSecureChannelUnknown), (12, S.BadSecureChannelTokenUnknown)])
def test_a_foreign_channel_or_token_cuts_the_connection(peer: Any, error_code: Any, field: int, code: int) -> None:
    """Channel id and token id must be this channel's own."""
    chunk = bytearray(struct.pack("<4sIIIII", b"MSGF", 24, peer.channel, 1, peer.sequence + 1, 1))
    chunk[field : field + 4] = b"\xff\xff\xff\x7f"
    peer.connection.feed(bytes(chunk))
    assert error_code(bytes(peer.out)) == code


def test_unknown_services_are_unsupported(peer: Any) -> None:
    """A service that is not here is refused, and the connection goes on."""
    for message in (ua.AddNodesRequest(), ua.HistoryUpdateRequest(), ua.QueryFirstRequest()):
        assert peer.result(message) == S.BadServiceUnsupported
    assert peer.result(browse(84)) == 0


def test_a_silent_connection_is_closed(server: Any, wall: Any, connect: Any) -> None:
    """Who opens no secure channel within 5 s is cut off."""
    from labsim.endpoints.opcua.core.connection import Connection

    hung: list[bool] = []
    Connection(server, "192.0.2.9:1", lambda _data: None, hung.append)
    wall.seconds += 4
    server.timers.tick(wall.seconds)
    assert not hung
    wall.seconds += 3
    server.timers.tick(wall.seconds)
    assert hung == [False]


def test_a_token_that_ran_out_ends_the_channel(server: Any, peer: Any, wall: Any, error_code: Any) -> None:
    """A channel that is not renewed ends a quarter after its lifetime (OPC 10000-4 §5.6.2.1)."""
    wall.seconds += 3600 * 1.25 + 2
    server.timers.tick(wall.seconds)
    assert error_code(bytes(peer.out)) == S.BadSecureChannelClosed


def test_the_oldest_connection_without_session_gives_way(server: Any, connect: Any) -> None:
    """A full server takes a new connection instead of an idle one, never of one in use (OPC 10000-4 §5.6.2.1)."""
    used, idle = connect(server).login(), connect(server)
    server.limits.max_connections = 2
    assert server.admit()
    assert (used.hung, idle.hung) == ("", "closed")
    server.limits.max_connections = 1
    assert not server.admit()


INSIDE = [service for service in SERVICES.values() if service.in_session]


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.sampled_from(INSIDE),
    st.lists(st.tuples(st.integers(0, 200), st.binary(max_size=3)), max_size=4),
    st.binary(max_size=60),
)
def test_broken_bodies_are_answered(server: Any, connect: Any, service: Any, cuts: Any, tail: bytes) -> None:
    """Any body of any service is answered or cuts the connection; none is an internal error."""
    server.limits.max_sessions = 10_000
    peer = connect(server).login()
    message = browse(84) if service.name == "Browse" else service.message()
    message.RequestHeader.AuthenticationToken = peer.token
    body = bytearray(struct_to_binary(message))
    for at, piece in cuts:
        place = 60 + at % max(1, len(body) - 60)
        body[place : place + 1] = piece
    peer.send(bytes(body + tail))
    for chunk in peer.chunks():
        if chunk[:3] == b"MSG" and struct.unpack_from("<H", chunk, 26)[0] == 397:
            assert struct.unpack_from("<I", chunk, 40)[0] != S.BadInternalError
        assert chunk[:3] != b"ERR" or struct.unpack_from("<I", chunk, 8)[0] != S.BadTcpInternalError
    peer.connection.close("done")


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.binary(max_size=120))
def test_rubbish_on_an_open_channel(server: Any, connect: Any, data: bytes) -> None:
    """Any bytes after OPN are answered or cut off, and nothing stays behind."""
    peer = connect(server)
    peer.connection.feed(data)
    peer.send(data)
    peer.connection.close("done")
    assert peer.connection not in server.connections


@pytest.mark.parametrize(
    "value",
    [
        b"\x01\x80" + struct.pack("<I", 2**31 - 1),  # 2^31 - 1 times Null, of no bytes
        b"\x01\x8c" + struct.pack("<ii", 100_000, -4) + b"\xfc\xff\xff\xff" * 2,  # texts of negative length
        b"\x01\xc6" + struct.pack("<iiii", 1, 1, 2, 30_000) + struct.pack("<i", 30_000),  # dimensions beyond the data
        b"\x01" + b"\x18" * 5000,  # Variants in Variants
    ],
)
def test_values_that_promise_too_much(peer: Any, value: bytes, wall: Any) -> None:
    """Small bytes that would decode to huge values are refused by their promise."""
    message = ua.WriteRequest()
    message.RequestHeader.AuthenticationToken = peer.token
    message.Parameters.NodesToWrite = [ua.WriteValue(ua.NodeId("x", 2), 13, None, ua.DataValue(ua.Variant()))]
    body = struct_to_binary(message)
    at = body.rfind(b"\x01\x00")
    peer.send(body[:at] + value)
    chunk = peer.chunks()[0]
    assert struct.unpack_from("<I", chunk, 40)[0] == S.BadDecodingError


def test_a_message_may_not_hold_too_many_fields(peer: Any) -> None:
    """60,000 operations in one message are refused while they are decoded."""
    message = ua.ReadRequest()
    message.RequestHeader.AuthenticationToken = peer.token
    message.Parameters.NodesToRead = [ua.ReadValueId(ua.NodeId(2258), 13)] * 30_000
    body = struct_to_binary(message)
    parts = [body[at : at + 60_000] for at in range(0, len(body), 60_000)]
    for number, part in enumerate(parts):
        peer.send(part, final=b"F" if number == len(parts) - 1 else b"C", request=77)
    assert struct.unpack_from("<I", peer.chunks()[0], 40)[0] == S.BadEncodingLimitsExceeded


def test_a_sink_that_raises_cuts_the_connection(make_server: Callable[..., Any], connect: Any) -> None:
    """When the evidence of a request cannot be kept, no answer leaves and the connection ends."""
    full: list[bool] = []

    def sink(_event: Event) -> None:
        if full:
            raise EvidenceError("the disk is full")

    peer = connect(make_server(sink)).login()
    full.append(True)
    peer.post(browse(84))
    assert not peer.out
    assert peer.hung == "dropped"


def test_a_segment_is_kept_at_once_and_answered_after(make_server: Any, connect: Any) -> None:
    """Requests in the same bytes are one batch of evidence, in order; their answers leave together, when it is kept."""
    kept = list[list[Entry]]()
    peer = connect(make_server(Polls(lambda entries: kept.append([*entries])), accounts=Accounts("Operator"))).login()
    sent = list[int]()
    kept.clear()
    peer.connection.push = lambda data: sent.append(len(kept)) or peer.out.extend(data)
    for _ in range(2):
        peer.together(reading(), writing(), reading(), writing())
        assert len(peer.chunks()) == 4
    assert sent == [1, 2]
    first, again = kept
    assert [one.kind for one in first if isinstance(one, Event)] == [
        "read",
        "write",
    ]  # those that come again are encoded
    lines = [decode(one + b"}") if isinstance(one, bytes) else one for one in first + again]
    assert [one.kind for one in lines] == ["read", "write"] * 4
    assert [one.values for one in lines] == [[50.0], [42.0]] + [[42.0]] * 6
    assert [one.detail.get("old") for one in lines] == [None, 50.0] + [None, 42.0] * 3
    assert encode(lines[4]) == again[0]
    assert encode(lines[5]) == again[1]


def test_a_segment_that_cannot_be_kept_gets_no_answer_at_all(make_server: Any, connect: Any) -> None:
    """None of its requests is answered, the connection is dropped, and others go on."""
    full = False

    def keep(_entries: object) -> None:
        if full:
            raise EvidenceError("disk full")

    server = make_server(Polls(keep), accounts=Accounts("Operator"))
    peer, other = connect(server).login(), connect(server).login()
    full = True
    peer.together(reading(), writing(), reading())
    assert (bytes(peer.out), peer.hung) == (b"", "dropped")
    assert peer.connection not in server.connections
    full = False
    assert other.read("setpoint").Results[0].Value.Value == 42.0


def reading() -> Any:
    """A Read that is compiled."""
    asked = ua.ReadRequest()
    asked.Parameters.NodesToRead = [ua.ReadValueId(ua.NodeId("press1.setpoint", 2), ua.AttributeIds.Value)]
    return asked


def writing() -> Any:
    """A Write of one node."""
    asked, value = ua.WriteRequest(), ua.DataValue(ua.Variant(42.0, ua.VariantType.Double))
    target = ua.NodeId("press1.setpoint", 2)
    asked.Parameters.NodesToWrite = [ua.WriteValue(target, ua.AttributeIds.Value, None, value)]
    return asked
