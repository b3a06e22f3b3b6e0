"""Sessions of the core: how they begin, are moved, and end."""

from __future__ import annotations

from typing import Any

import pytest
from asyncua import ua

from labsim.endpoints.opcua.core.status import S
from labsim.endpoints.opcua.core.users import Accounts


def create(peer: Any) -> Any:
    """A session that is not activated."""
    response = peer.ask(ua.CreateSessionRequest())
    peer.token = response.Parameters.AuthenticationToken
    return response.Parameters


def close(peer: Any, delete: bool = True) -> int:
    """CloseSession; its result."""
    asked = ua.CloseSessionRequest()
    asked.DeleteSubscriptions = delete
    return int(peer.result(asked))


def test_tokens_cannot_be_guessed(server: Any, connect: Any) -> None:
    """Each token is 32 random bytes (OPC 10000-4 §7.35)."""
    tokens = {create(connect(server)).AuthenticationToken.Identifier for _ in range(5)}
    assert {len(token) for token in tokens} == {32}
    assert len(tokens) == 5


def test_a_session_must_be_activated(server: Any, connect: Any) -> None:
    """Before ActivateSession nothing is answered."""
    peer = connect(server)
    create(peer)
    assert peer.read("force").ResponseHeader.ServiceResult.value == S.BadSessionNotActivated


def test_a_session_is_of_one_channel(server: Any, connect: Any) -> None:
    """Another connection with the same token gets nothing until it activates the session itself."""
    one, other = connect(server).login(), connect(server)
    other.token = one.token
    assert other.read("force").ResponseHeader.ServiceResult.value == S.BadSecureChannelIdInvalid
    assert other.result(ua.ActivateSessionRequest()) == 0
    assert other.read("force").Results[0].Value.Value == 50.0
    assert one.read("force").ResponseHeader.ServiceResult.value == S.BadSecureChannelIdInvalid


def test_a_closed_session_is_known_to_be_closed(server: Any, connect: Any) -> None:
    """Closed and unknown sessions have different codes; an unknown one is anything else."""
    peer = connect(server).login()
    assert close(peer) == 0
    assert peer.read("force").ResponseHeader.ServiceResult.value == S.BadSessionClosed
    peer.token = ua.NodeId(5)
    assert peer.read("force").ResponseHeader.ServiceResult.value == S.BadSessionIdInvalid


def test_sessions_are_limited(server: Any, connect: Any) -> None:
    """Beyond the limit there is none; of those that were never activated the oldest gives way (§5.7.2.1)."""
    server.limits.max_unactivated_sessions = 2
    waiting = [connect(server) for _ in range(3)]
    for peer in waiting:
        create(peer)
    assert waiting[0].result(ua.ActivateSessionRequest()) == S.BadSessionClosed
    assert waiting[1].result(ua.ActivateSessionRequest()) == 0
    server.limits.max_sessions = len(server.sessions)
    assert connect(server).result(ua.CreateSessionRequest()) == S.BadTooManySessions


def test_a_session_outlives_its_connection_but_not_its_timeout(
    server: Any, connect: Any, wall: Any, events: Any
) -> None:
    """A client may come back to its session until the timeout; then it is closed, and that is told."""
    peer = connect(server).login()
    peer.connection.close("gone")
    assert len(server.sessions) == 1
    back = connect(server)
    back.token = peer.token
    assert back.result(ua.ActivateSessionRequest()) == 0
    back.connection.close("gone")
    wall.seconds += 3602
    server.timers.tick(wall.seconds)
    assert not server.sessions
    assert [event.kind for event in events][-1] == "session-close"
    assert events[-1].client == "192.0.2.1:5"


def test_a_session_without_activation_ends_with_its_connection(server: Any, connect: Any) -> None:
    """Nothing stays of a client that left in the middle."""
    peer = connect(server)
    create(peer)
    peer.connection.close("gone")
    assert not server.sessions


def test_timeouts_are_revised(server: Any, connect: Any) -> None:
    """The session timeout lies between 10 s and 1 h; 0 and NaN get the longest."""
    for wanted, granted in (
        (1.0, 10_000),
        (60_000, 60_000),
        (1e12, 3_600_000),
        (0, 3_600_000),
        (float("nan"), 3_600_000),
    ):
        asked = ua.CreateSessionRequest()
        asked.Parameters.RequestedSessionTimeout = wanted
        assert connect(server).ask(asked).Parameters.RevisedSessionTimeout == granted


@pytest.mark.parametrize(
    ("token", "code"),
    [
        (ua.AnonymousIdentityToken("anonymous"), S.BadIdentityTokenRejected),
        (ua.AnonymousIdentityToken("other"), S.BadIdentityTokenInvalid),
        (ua.UserNameIdentityToken("username", "operator", b"operator123", None), S.BadIdentityTokenInvalid),
        (ua.UserNameIdentityToken("username-plain", "operator", b"operator123", None), S.BadIdentityTokenInvalid),
        (ua.X509IdentityToken("certificate", b"x"), S.BadIdentityTokenInvalid),
    ],
)
def test_tokens_that_are_not_offered(make_server: Any, connect: Any, token: Any, code: int) -> None:
    """A server without anonymous access and plain passwords refuses both."""
    peer = connect(make_server(accounts=Accounts(None, [("operator", "operator123", "Operator")])))
    create(peer)
    asked = ua.ActivateSessionRequest()
    asked.Parameters.UserIdentityToken = token
    assert peer.result(asked) == code


def test_plain_passwords_are_an_option(make_server: Any, connect: Any) -> None:
    """With the option they are offered and taken; a wrong one is refused."""
    server = make_server(accounts=Accounts(None, [("operator", "operator123", "Operator")]), plain_passwords=True)
    for password, code in ((b"operator123", 0), (b"wrong", S.BadUserAccessDenied)):
        peer = connect(server)
        offered = [policy.PolicyId for policy in create(peer).ServerEndpoints[0].UserIdentityTokens]
        assert offered == ["username", "username-plain"]
        asked = ua.ActivateSessionRequest()
        asked.Parameters.UserIdentityToken = ua.UserNameIdentityToken("username-plain", "operator", password, None)
        assert peer.result(asked) == code


def test_a_first_read_needs_no_key(make_server: Any, connect: Any) -> None:
    """Without users and security nobody waits for the server's RSA key."""
    server = make_server(accounts=Accounts("Observer"))
    connect(server).login().read("force")
    assert server.pki._pair is None


def test_endpoints_show_the_host_the_client_used(server: Any, connect: Any) -> None:
    """The URL has the client's host name and the server's real port (OPC 10000-4 §5.5.4)."""
    server.host, server.port = "127.0.0.1", 4840
    peer = connect(server)
    for asked_url, shown in (
        ("opc.tcp://plant.example:1234/x", "opc.tcp://plant.example:4840"),
        ("opc.tcp://[::1]:1", "opc.tcp://[::1]:4840"),
        ("rubbish://[", "opc.tcp://127.0.0.1:4840"),
    ):
        asked = ua.GetEndpointsRequest()
        asked.Parameters.EndpointUrl = asked_url
        endpoints = peer.ask(asked).Endpoints
        assert {endpoint.EndpointUrl for endpoint in endpoints} == {shown}
        assert len(endpoints) == 7
        asked = ua.FindServersRequest()
        asked.Parameters.EndpointUrl = asked_url
        assert peer.ask(asked).Servers[0].DiscoveryUrls == [shown]
