"""Connection, secure channel and discovery, claim by claim (OPC 10000-6 §6.7, §7.1; OPC 10000-4 §5.5, §5.6)."""

from __future__ import annotations

import struct
from typing import Any

import pytest
from asyncua import ua
from asyncua.ua.ua_binary import struct_to_binary

from labsim.endpoints.opcua.core.connection import Connection
from labsim.endpoints.opcua.core.status import S
from labsim.endpoints.opcua.core.users import Accounts

NONE = b"http://opcfoundation.org/UA/SecurityPolicy#None"
UA_TCP = "http://opcfoundation.org/UA-Profile/Transport/uatcp-uasc-uabinary"


class Wire:
    """A connection that got nothing yet."""

    def __init__(self, server: Any) -> None:
        self.out, self.hung = bytearray(), False
        self.connection = Connection(server, "192.0.2.7:9", self.out.extend, self._hang_up)

    def _hang_up(self, _drop: bool) -> None:
        self.hung = True

    def feed(self, data: bytes) -> bytes:
        """Send bytes; what comes back."""
        self.out.clear()
        self.connection.feed(data)
        return bytes(self.out)

    def greet(self) -> Wire:
        """Send a good HEL."""
        self.feed(hello())
        return self


@pytest.fixture
def wire(server: Any) -> Wire:
    """A connection that got nothing yet."""
    return Wire(server)


def hello(kind: bytes = b"HELF", version: int = 0, receive: int = 65535, send: int = 65535, url: bytes = b"") -> bytes:
    """A HEL message."""
    return struct.pack("<4sIIIIIIi", kind, 32 + len(url), version, receive, send, 0, 0, len(url)) + url


def opening(uri: bytes = NONE, channel: int = 0, sequence: int = 1, **fields: Any) -> bytes:
    """An OPN message without security."""
    asked = ua.OpenSecureChannelRequest()
    asked.Parameters.SecurityMode, asked.Parameters.RequestedLifetime = ua.MessageSecurityMode.None_, 60_000
    for name, value in fields.items():
        setattr(asked.Parameters, name, value)
    body = struct.pack("<i", len(uri)) + uri + b"\xff" * 8 + struct.pack("<II", sequence, 1) + struct_to_binary(asked)
    return struct.pack("<4sII", b"OPNF", 12 + len(body), channel) + body


HELLOS: list[tuple[str, bytes, int]] = [
    ("a_get_request_is_no_hello", b"GET / HTTP/1.1\r\n\r\n", S.BadTcpMessageTypeInvalid),
    ("a_message_before_hello", b"MSGF\x10\0\0\0" + b"\0" * 8, S.BadTcpMessageTypeInvalid),
    ("an_opening_before_hello", opening(), S.BadTcpMessageTypeInvalid),
    ("a_hello_in_chunks", hello(b"HELC"), S.BadTcpMessageTypeInvalid),
    ("a_receive_buffer_below_8192", hello(receive=8191), S.BadConnectionRejected),
    ("a_send_buffer_below_8192", hello(send=100), S.BadConnectionRejected),
    ("an_url_above_4096_bytes", hello(url=b"x" * 4097), S.BadTcpEndpointUrlInvalid),
    ("a_length_of_two_gigabytes", b"HELF" + struct.pack("<I", 2**31), S.BadTcpMessageTooLarge),
    ("a_length_below_the_header", b"HELF" + struct.pack("<I", 7), S.BadTcpMessageTooLarge),
]  # fmt: skip


@pytest.mark.parametrize(("data", "code"), [row[1:] for row in HELLOS], ids=[f"part6_7_1_2_{row[0]}" for row in HELLOS])
def test_hello_refused(wire: Wire, error_code: Any, data: bytes, code: int) -> None:
    """A wrong beginning gets an ERR with its code at once, and the connection ends."""
    answer = wire.feed(data)
    assert answer[:4] == b"ERRF"
    assert error_code(answer) == code
    assert wire.hung


ACKS: list[tuple[str, bytes, tuple[int, int]]] = [
    ("equal_buffers", hello(), (65535, 65535)),
    ("a_smaller_receive_buffer_is_our_send_buffer", hello(receive=8192), (65535, 8192)),
    ("a_smaller_send_buffer_is_our_receive_buffer", hello(send=9000), (9000, 65535)),
    ("larger_buffers_are_cut_to_ours", hello(receive=2**30, send=2**30), (65535, 65535)),
    ("a_newer_protocol_version_is_taken", hello(version=7), (65535, 65535)),
    ("an_url_is_taken", hello(url=b"opc.tcp://localhost:4840"), (65535, 65535)),
]


@pytest.mark.parametrize(
    ("data", "buffers"), [row[1:] for row in ACKS], ids=[f"part6_7_1_2_4_{row[0]}" for row in ACKS]
)
def test_acknowledge(wire: Wire, data: bytes, buffers: tuple[int, int]) -> None:
    """ACK tells version 0, the buffers both sides can take, and the limits of a message."""
    kind, size, version, *found, message, chunks = struct.unpack("<4sIIIIII", wire.feed(data))
    assert (kind, size, version, tuple(found)) == (b"ACKF", 28, 0, buffers)
    assert message > 0
    assert chunks > 0


OPENINGS: list[tuple[str, bytes, int]] = [
    ("an_unknown_policy", opening(b"http://opcfoundation.org/UA/SecurityPolicy#Smoke"), S.BadSecurityPolicyRejected),
    ("a_policy_that_is_out_of_date", opening(b"http://opcfoundation.org/UA/SecurityPolicy#Basic128Rsa15"),
     S.BadSecurityPolicyRejected),
    ("none_with_sign", opening(SecurityMode=ua.MessageSecurityMode.Sign), S.BadSecurityModeRejected),
    ("an_invalid_mode", opening(SecurityMode=ua.MessageSecurityMode.Invalid), S.BadSecurityModeRejected),
    ("a_policy_that_needs_a_certificate", opening(b"http://opcfoundation.org/UA/SecurityPolicy#Basic256Sha256"),
     S.BadCertificateInvalid),
    ("a_renewal_of_nothing", opening(RequestType=ua.SecurityTokenRequestType.Renew), S.BadTcpSecureChannelUnknown),
]  # fmt: skip


@pytest.mark.parametrize(("data", "code"), [row[1:] for row in OPENINGS], ids=[f"5_6_2_{row[0]}" for row in OPENINGS])
def test_opening_refused(wire: Wire, error_code: Any, data: bytes, code: int) -> None:
    """A channel that cannot be is refused with ERR, never with silence."""
    answer = wire.greet().feed(data)
    assert answer[:4] == b"ERRF"
    assert error_code(answer) == code
    assert wire.hung


@pytest.mark.parametrize(
    ("wanted", "granted"), [(0, None), (1, 10_000), (60_000, 60_000), (2**32 - 1, 3_600_000)],
    ids=["5_6_2_no_wish", "5_6_2_too_short", "5_6_2_as_wished", "5_6_2_too_long"],
)  # fmt: skip
def test_lifetime(wire: Wire, parse_answer: Any, wanted: int, granted: int | None) -> None:
    """The lifetime of a token is revised to what the server allows."""
    answer = wire.greet().feed(opening(RequestedLifetime=wanted))
    token = _opened(answer).SecurityToken
    assert 10_000 <= token.RevisedLifetime <= 3_600_000
    assert granted in (None, token.RevisedLifetime)
    assert token.ChannelId
    assert token.TokenId


def _opened(answer: bytes) -> Any:
    """The parameters of an OPN response without security."""
    from asyncua.ua.ua_binary import Buffer, struct_from_binary

    size = struct.unpack_from("<i", answer, 12)[0]
    return struct_from_binary(ua.OpenSecureChannelResponse, Buffer(answer[12 + 4 + size + 8 + 8 :])).Parameters


def test_5_6_2_a_renewal_keeps_the_channel_and_changes_the_token(wire: Wire) -> None:
    """Renew gives a new token of the same channel."""
    first = _opened(wire.greet().feed(opening()))
    again = opening(channel=first.SecurityToken.ChannelId, sequence=2, RequestType=ua.SecurityTokenRequestType.Renew)
    second = _opened(wire.feed(again))
    assert second.SecurityToken.ChannelId == first.SecurityToken.ChannelId
    assert second.SecurityToken.TokenId != first.SecurityToken.TokenId


def test_5_6_2_channel_ids_differ(server: Any) -> None:
    """Two channels have two ids."""
    found = {_opened(Wire(server).greet().feed(opening())).SecurityToken.ChannelId for _ in range(5)}
    assert len(found) == 5


def test_5_6_3_close_secure_channel_is_not_answered(peer: Any) -> None:
    """CLO ends the connection without a word."""
    body = struct_to_binary(ua.CloseSecureChannelRequest())
    peer.sequence += 1
    head = struct.pack("<4sIIIII", b"CLOF", 24 + len(body), peer.channel, 1, peer.sequence, 99)
    peer.connection.feed(head + body)
    assert not peer.out
    assert peer.hung == "closed"


def test_part6_6_7_2_sequence_numbers_may_not_jump(peer: Any, error_code: Any) -> None:
    """Each number is the one before plus one."""
    peer.sequence += 5
    peer.post(ua.ReadRequest())
    assert error_code(bytes(peer.out)) == S.BadSequenceNumberInvalid


@pytest.mark.parametrize(
    ("profiles", "any_"), [([], True), ([UA_TCP], True), (["urn:nope"], False), (["urn:nope", UA_TCP], True)],
    ids=["5_5_4_no_filter", "5_5_4_our_profile", "5_5_4_another_profile", "5_5_4_ours_among_others"],
)  # fmt: skip
def test_endpoint_filter(server: Any, connect: Any, profiles: list[str], any_: bool) -> None:
    """ProfileUris picks endpoints by their transport."""
    asked = ua.GetEndpointsRequest()
    asked.Parameters.ProfileUris = profiles
    assert bool(connect(server).ask(asked).Endpoints) == any_


@pytest.fixture
def offered(make_server: Any, connect: Any) -> list[Any]:
    """EndpointDescriptions of a server with users."""
    server = make_server(accounts=Accounts("Observer", [("operator", "operator123", "Operator")]))
    asked = ua.GetEndpointsRequest()
    asked.Parameters.EndpointUrl = "opc.tcp://some-name:4840/path"
    found: list[Any] = connect(server).ask(asked).Endpoints
    return found


ENDPOINTS: list[tuple[str, Any]] = [
    ("5_5_4_seven_policies_and_modes", lambda all_: len({(e.SecurityPolicyUri, e.SecurityMode) for e in all_}) == 7),
    ("7_14_a_stronger_endpoint_has_a_higher_level", lambda all_: all(
        weak.SecurityLevel < strong.SecurityLevel
        for weak in all_ for strong in all_ if (weak.SecurityMode, strong.SecurityMode) == (1, 3))),
    ("7_14_the_url_has_the_host_the_client_used", lambda all_: all("some-name" in e.EndpointUrl for e in all_)),
    ("7_14_a_secured_endpoint_has_a_certificate", lambda all_: all(
        e.ServerCertificate for e in all_ if e.SecurityMode > 1)),
    ("7_14_the_transport_profile_is_told", lambda all_: {e.TransportProfileUri for e in all_} == {UA_TCP}),
    ("7_2_the_application_is_a_server", lambda all_: {e.Server.ApplicationType for e in all_}
     == {ua.ApplicationType.Server}),
    ("7_2_the_application_uri_is_the_servers", lambda all_: {e.Server.ApplicationUri for e in all_}
     == {"urn:test:server"}),
    ("7_42_anonymous_and_user_name_are_offered", lambda all_: all(
        {t.TokenType for t in e.UserIdentityTokens} >= {ua.UserTokenType.Anonymous, ua.UserTokenType.UserName}
        for e in all_)),
    ("7_42_policy_ids_are_unique", lambda all_: all(
        len({t.PolicyId for t in e.UserIdentityTokens}) == len(e.UserIdentityTokens) for e in all_)),
    ("7_42_a_password_is_never_plain", lambda all_: all(
        t.SecurityPolicyUri and not t.SecurityPolicyUri.endswith("#None")
        for e in all_ for t in e.UserIdentityTokens
        if t.TokenType == ua.UserTokenType.UserName and e.SecurityMode == 1)),
]  # fmt: skip


@pytest.mark.parametrize("holds", [row[1] for row in ENDPOINTS], ids=[row[0] for row in ENDPOINTS])
def test_endpoints(offered: list[Any], holds: Any) -> None:
    """What GetEndpoints tells is complete and true."""
    assert holds(offered)


@pytest.mark.parametrize(
    ("uris", "count"), [([], 1), (["urn:test:server"], 1), (["urn:other"], 0)],
    ids=["5_5_2_all_servers", "5_5_2_this_server", "5_5_2_another_server"],
)  # fmt: skip
def test_find_servers(server: Any, connect: Any, uris: list[str], count: int) -> None:
    """FindServers knows the server itself, and works without a session."""
    asked = ua.FindServersRequest()
    asked.Parameters.ServerUris = uris
    assert len(connect(server).ask(asked).Servers) == count


@pytest.mark.parametrize(
    "name", ["FindServersOnNetwork", "RegisterServer2", "AddNodes", "DeleteNodes", "AddReferences",
             "DeleteReferences", "QueryFirst", "QueryNext", "HistoryUpdate"],
    ids=lambda name: f"7_38_{name}_is_unsupported",
)  # fmt: skip
def test_unsupported(peer: Any, name: str) -> None:
    """A service that is not here says so, and the session goes on."""
    assert peer.result(getattr(ua, f"{name}Request")()) == S.BadServiceUnsupported
    assert peer.read("force").Results[0].Value.Value == 50.0


def test_7_32_the_request_handle_comes_back(peer: Any) -> None:
    """A response and a fault have the handle of their request."""
    for message in (ua.ReadRequest(), ua.GetEndpointsRequest()):
        message.RequestHeader.RequestHandle = 4711
        assert peer.ask(message).ResponseHeader.RequestHandle == 4711
