"""Diagnostics of server, sessions and subscriptions (OPC 10000-5 §6.3.3 to §6.3.5)."""

from __future__ import annotations

from typing import Any

from asyncua import ua

from labsim.endpoints.opcua.core.users import Accounts

S = ua.StatusCodes
SUMMARY, SUBSCRIPTIONS, SESSIONS, SECURITY = 2275, 2290, 3707, 3708


def value(peer: Any, number: int) -> Any:
    """The value of a variable of the standard, or its bad status."""
    found = peer.read(ua.ReadValueId(ua.NodeId(number), 13)).Results[0]
    return found.Value.Value if found.StatusCode.is_good() else found.StatusCode.value


def subscribe(peer: Any, interval: float) -> int:
    """A subscription with one item; its id."""
    asked = ua.CreateSubscriptionRequest()
    asked.Parameters.RequestedPublishingInterval, asked.Parameters.PublishingEnabled = interval, True
    asked.Parameters.RequestedLifetimeCount, asked.Parameters.RequestedMaxKeepAliveCount = 3000, 10
    number = peer.ask(asked).Parameters.SubscriptionId
    one = ua.MonitoredItemCreateRequest(ua.ReadValueId(ua.NodeId("press1.force", 2), 13))
    items = ua.CreateMonitoredItemsRequest()
    items.Parameters.SubscriptionId, items.Parameters.ItemsToCreate = number, [one]
    assert peer.ask(items).Results[0].StatusCode.value == 0
    return int(number)


def test_the_server_counts(make_server: Any, connect: Any, wall: Any) -> None:
    """Sessions and subscriptions now and ever, refused logins and requests, sessions that ran out."""
    server = make_server(accounts=Accounts(None, [("admin", "admin123", "SecurityAdmin")]))
    stranger = connect(server)
    assert stranger.result(ua.CreateSessionRequest()) == 0
    for server.accounts.anonymous in (None, "SecurityAdmin"):
        peer = connect(server)
        if server.accounts.anonymous is None:
            peer.ask(ua.CreateSessionRequest())
            assert peer.result(ua.ActivateSessionRequest()) != 0
        else:
            peer.login()
    subscribe(peer, 200)
    subscribe(peer, 500)
    assert peer.result(ua.ReadRequest()) == S.BadNothingToDo
    found = value(peer, SUMMARY)
    assert (found.CurrentSessionCount, found.CumulatedSessionCount) == (3, 3)
    assert (found.CurrentSubscriptionCount, found.CumulatedSubscriptionCount) == (2, 2)
    assert found.PublishingIntervalCount == 2
    assert found.RejectedSessionCount == 1
    assert found.RejectedRequestsCount >= 2
    assert value(peer, 2278) == 3
    wall.seconds += 100_000
    server.timers.tick(wall.seconds)
    assert server.diagnostics.timeouts == 3


def test_what_a_session_did(make_server: Any, connect: Any) -> None:
    """An administrator sees who is there, how, and what each has asked; nobody else does."""
    server = make_server(accounts=Accounts("SecurityAdmin", [("viewer", "viewer123", "Observer")]))
    peer = connect(server).login()
    number = subscribe(peer, 200)
    peer.read("force")
    peer.read("force")
    assert peer.result(ua.ReadRequest()) == S.BadNothingToDo
    (session,) = value(peer, SESSIONS)
    assert (session.CurrentSubscriptionsCount, session.CurrentMonitoredItemsCount) == (1, 1)
    assert (session.ReadCount.TotalCount, session.ReadCount.ErrorCount) == (3, 1)
    assert session.CreateSubscriptionCount.TotalCount == 1
    assert session.TotalRequestCount.TotalCount >= 6
    (security,) = value(peer, SECURITY)
    assert (security.AuthenticationMechanism, security.SecurityMode) == ("Anonymous", ua.MessageSecurityMode.None_)
    (subscription,) = value(peer, SUBSCRIPTIONS)
    assert (subscription.SubscriptionId, subscription.MonitoredItemCount) == (number, 1)
    assert (subscription.PublishingInterval, subscription.SessionId) == (200.0, session.SessionId)
    server.accounts.anonymous = "Observer"
    other = connect(server).login()
    assert [value(other, number) for number in (SESSIONS, SECURITY, SUBSCRIPTIONS)] == [S.BadUserAccessDenied] * 3
