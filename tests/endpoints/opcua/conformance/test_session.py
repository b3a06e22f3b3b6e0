"""Sessions, claim by claim (OPC 10000-4 §5.7)."""

from __future__ import annotations

from typing import Any

import pytest
from asyncua import ua

from labsim.endpoints.opcua.core.status import S
from labsim.endpoints.opcua.core.users import Accounts

GOOD = 0
ANONYMOUS = "anonymous"


def create(peer: Any, **fields: Any) -> Any:
    """CreateSession; its response."""
    asked = ua.CreateSessionRequest()
    for name, value in fields.items():
        setattr(asked.Parameters, name, value)
    response = peer.ask(asked)
    if response.ResponseHeader.ServiceResult.value == GOOD:
        peer.token = response.Parameters.AuthenticationToken
    return response


TIMEOUTS = [
    ("no_wish_gets_the_longest", 0.0, 3_600_000),
    ("a_negative_wish_gets_the_longest", -5.0, 3_600_000),
    ("no_number_gets_the_longest", float("nan"), 3_600_000),
    ("a_short_wish_is_raised", 1.0, 10_000),
    ("a_good_wish_is_granted", 120_000.0, 120_000),
    ("a_long_wish_is_cut", 1e15, 3_600_000),
    ("infinity_is_cut", float("inf"), 3_600_000),
]


@pytest.mark.parametrize(
    ("wanted", "granted"), [row[1:] for row in TIMEOUTS], ids=[f"5_7_2_{row[0]}" for row in TIMEOUTS]
)
def test_timeout(server: Any, connect: Any, wanted: float, granted: float) -> None:
    """RevisedSessionTimeout is what the server keeps."""
    assert create(connect(server), RequestedSessionTimeout=wanted).Parameters.RevisedSessionTimeout == granted


CREATED: list[tuple[str, Any]] = [
    ("the_session_id_is_not_the_token", lambda one: one.SessionId != one.AuthenticationToken),
    ("the_server_nonce_has_32_bytes", lambda one: len(one.ServerNonce) == 32),
    ("the_endpoints_are_told", lambda one: len(one.ServerEndpoints) == 7),
    ("the_largest_request_is_told", lambda one: one.MaxRequestMessageSize > 0),
    ("the_token_is_opaque", lambda one: one.AuthenticationToken.NodeIdType == ua.NodeIdType.ByteString),
    ("the_token_has_32_bytes", lambda one: len(one.AuthenticationToken.Identifier) == 32),
    ("nothing_is_signed_without_security", lambda one: not one.ServerSignature.Signature),
    ("no_software_certificates", lambda one: not one.ServerSoftwareCertificates),
]


@pytest.mark.parametrize("holds", [row[1] for row in CREATED], ids=[f"5_7_2_{row[0]}" for row in CREATED])
def test_created(server: Any, connect: Any, holds: Any) -> None:
    """The parts of a CreateSessionResponse."""
    assert holds(create(connect(server)).Parameters)


@pytest.mark.parametrize(
    ("uri", "code"), [(None, GOOD), ("", GOOD), ("urn:test:server", GOOD), ("urn:another", S.BadServerUriInvalid)],
    ids=["5_7_2_no_server_uri", "5_7_2_an_empty_server_uri", "5_7_2_our_server_uri", "5_7_2_another_server_uri"],
)  # fmt: skip
def test_server_uri(server: Any, connect: Any, uri: str | None, code: int) -> None:
    """A ServerUri must be ours when it is given."""
    assert create(connect(server), ServerUri=uri).ResponseHeader.ServiceResult.value == code


def test_5_7_2_nonces_differ(server: Any, connect: Any) -> None:
    """No nonce is given twice."""
    assert len({create(connect(server)).Parameters.ServerNonce for _ in range(8)}) == 8


@pytest.mark.parametrize(
    "message",
    [ua.ReadRequest, ua.WriteRequest, ua.BrowseRequest, ua.CallRequest, ua.CreateSubscriptionRequest, ua.PublishRequest,
     ua.TranslateBrowsePathsToNodeIdsRequest, ua.RegisterNodesRequest, ua.HistoryReadRequest, ua.CancelRequest],
    ids=lambda one: f"5_7_3_no_{one.__name__}_before_activation",
)  # fmt: skip
def test_before_activation(server: Any, connect: Any, message: Any) -> None:
    """A session that was not activated does nothing."""
    peer = connect(server)
    create(peer)
    assert peer.result(message()) == S.BadSessionNotActivated


@pytest.mark.parametrize(
    "token",
    [ua.NodeId(), ua.NodeId(1), ua.NodeId("text", 0), ua.NodeId(b"x" * 32, 0, ua.NodeIdType.ByteString),
     ua.NodeId(b"x" * 32, 3, ua.NodeIdType.ByteString)],
    ids=["7_36_null", "7_36_a_number", "7_36_a_text", "7_36_other_bytes", "7_36_another_namespace"],
)  # fmt: skip
def test_wrong_token(peer: Any, token: Any) -> None:
    """What is no token of a session has BadSessionIdInvalid."""
    peer.token = token
    assert peer.read("force").ResponseHeader.ServiceResult.value == S.BadSessionIdInvalid


def activate(peer: Any, token: Any = None) -> int:
    """ActivateSession; its result."""
    asked = ua.ActivateSessionRequest()
    if token is not None:
        asked.Parameters.UserIdentityToken = token
    return int(peer.result(asked))


def named(name: str | None, password: bytes | None, policy: str = "username-plain") -> Any:
    """A user name with a plain password."""
    return ua.UserNameIdentityToken(policy, name, password, None)


TOKENS: list[tuple[str, Any, int]] = [
    ("no_token_is_anonymous", None, GOOD),
    ("anonymous", ua.AnonymousIdentityToken(ANONYMOUS), GOOD),
    ("anonymous_of_another_policy", ua.AnonymousIdentityToken("nope"), S.BadIdentityTokenInvalid),
    ("the_right_password", named("operator", b"right"), GOOD),
    ("a_wrong_password", named("operator", b"wrong"), S.BadUserAccessDenied),
    ("an_unknown_user", named("nobody", b"right"), S.BadUserAccessDenied),
    ("an_empty_name", named("", b"right"), S.BadIdentityTokenInvalid),
    ("a_user_name_of_another_policy", named("operator", b"right", "nope"), S.BadIdentityTokenInvalid),
    ("a_certificate_that_is_not_offered", ua.X509IdentityToken("certificate", b"x"), S.BadIdentityTokenInvalid),
    ("an_issued_token_that_is_not_offered", ua.IssuedIdentityToken("issued", b"x", None), S.BadIdentityTokenInvalid),
]


@pytest.mark.parametrize(("token", "code"), [row[1:] for row in TOKENS], ids=[f"7_41_{row[0]}" for row in TOKENS])
def test_identity(make_server: Any, connect: Any, token: Any, code: int) -> None:
    """Each identity token is taken or refused for its own reason."""
    server = make_server(accounts=Accounts("Observer", [("operator", "right", "Operator")]), plain_passwords=True)
    peer = connect(server)
    create(peer)
    assert activate(peer, token) == code


def test_7_41_anonymous_may_be_refused(make_server: Any, connect: Any) -> None:
    """A server without anonymous users refuses them."""
    peer = connect(make_server(accounts=Accounts(None, [("operator", "right", "Operator")])))
    create(peer)
    assert activate(peer) in (S.BadIdentityTokenRejected, S.BadIdentityTokenInvalid)


def test_5_7_3_a_failed_activation_leaves_the_session_as_it_was(make_server: Any, connect: Any) -> None:
    """After a wrong password the session is still not activated, and can be."""
    server = make_server(accounts=Accounts("Observer", [("operator", "right", "Operator")]), plain_passwords=True)
    peer = connect(server)
    create(peer)
    assert activate(peer, named("operator", b"wrong")) == S.BadUserAccessDenied
    assert peer.read("force").ResponseHeader.ServiceResult.value == S.BadSessionNotActivated
    assert activate(peer, named("operator", b"right")) == GOOD


def test_5_7_3_a_user_can_change_on_the_same_channel(make_server: Any, connect: Any) -> None:
    """A session gets another user's rights with another activation."""
    server = make_server(accounts=Accounts("Observer", [("operator", "right", "Operator")]), plain_passwords=True)
    peer = connect(server)
    create(peer)
    activate(peer)
    assert peer.write("setpoint", ua.Variant(1.0)) == S.BadUserAccessDenied
    assert activate(peer, named("operator", b"right")) == GOOD
    assert peer.write("setpoint", ua.Variant(1.0)) == GOOD
    assert activate(peer, ua.AnonymousIdentityToken(ANONYMOUS)) == GOOD
    assert peer.write("setpoint", ua.Variant(1.0)) == S.BadUserAccessDenied


def test_5_7_3_each_activation_gives_a_new_nonce(server: Any, connect: Any) -> None:
    """A nonce serves one activation."""
    peer = connect(server)
    found = {create(peer).Parameters.ServerNonce}
    for _ in range(4):
        found.add(peer.ask(ua.ActivateSessionRequest()).Parameters.ServerNonce)
    assert len(found) == 5


def test_5_7_4_a_closed_session_is_closed(peer: Any) -> None:
    """Its token is known as that of a closed session; a second close is refused too."""
    assert peer.result(ua.CloseSessionRequest()) == GOOD
    assert peer.result(ua.CloseSessionRequest()) == S.BadSessionClosed


def test_5_7_4_close_before_activation(server: Any, connect: Any) -> None:
    """A session can be closed on the channel that made it, though it was never activated."""
    peer = connect(server)
    create(peer)
    assert peer.result(ua.CloseSessionRequest()) == GOOD
    assert not server.sessions


def test_5_7_5_cancel_counts_what_it_cancelled(peer: Any) -> None:
    """A waiting Publish is answered with BadRequestCancelledByClient."""
    asked = ua.CreateSubscriptionRequest()
    asked.Parameters.RequestedPublishingInterval = 60_000
    peer.ask(asked)
    for handle in (7, 7, 8):
        waiting = ua.PublishRequest()
        waiting.RequestHeader.RequestHandle = handle
        peer.post(waiting)
    peer.chunks()
    cancel = ua.CancelRequest()
    cancel.Parameters.RequestHandle = 7
    peer.post(cancel)
    chunks = peer.chunks()
    assert len(chunks) == 3
    assert int.from_bytes(chunks[0][40:44], "little") == S.BadRequestCancelledByClient


def test_5_7_5_cancel_of_nothing_is_good(peer: Any) -> None:
    """Nothing to cancel counts 0."""
    response = peer.ask(ua.CancelRequest())
    assert (response.ResponseHeader.ServiceResult.value, response.Parameters.CancelCount) == (GOOD, 0)
