"""What a server grants at most: log-ins, requests, sessions, channels, subscriptions, items, operations."""

from __future__ import annotations

from typing import Any

import pytest
from asyncua import ua
from pydantic import ValidationError

from labsim.endpoints.opcua.core.limits import Limits
from labsim.endpoints.opcua.core.status import Bad
from labsim.endpoints.opcua.core.throttle import Throttle
from labsim.endpoints.opcua.core.users import Accounts
from labsim.endpoints.opcua.protection import limits_of, security_of
from labsim.evidence.event import Event
from labsim.scenario.opcua import OpcuaLimits, OpcuaSecurity

S = ua.StatusCodes


def login(peer: Any, password: bytes) -> int:
    """Result of a log-in with a plain password."""
    peer.token = peer.ask(ua.CreateSessionRequest()).Parameters.AuthenticationToken
    asked = ua.ActivateSessionRequest()
    asked.Parameters.UserIdentityToken = ua.UserNameIdentityToken("username-plain", "operator", password, None)
    return int(peer.result(asked))


def test_passwords_cannot_be_tried_for_ever(make_server: Any, connect: Any, wall: Any, events: list[Event]) -> None:
    """After ten wrong ones in a minute not even the right one is looked at, until the minute is over."""
    server = make_server(accounts=Accounts("Observer", [("operator", "right", "Operator")]), plain_passwords=True)
    for _ in range(10):
        assert login(connect(server), b"wrong") == S.BadUserAccessDenied
    assert login(connect(server), b"right") == S.BadUserAccessDenied
    assert "too many failed log-ins from 192.0.2.1" in events[-1].detail["reason"]
    assert connect(server).login().read("force").Results[0].Value.Value == 50.0  # others may go on
    wall.seconds += 61
    assert login(connect(server), b"right") == 0


def test_one_host_does_not_lock_out_another() -> None:
    """Failures are counted by host, and the number of hosts that are remembered is bounded."""
    throttle = Throttle(2, 60)
    for now in (0.0, 1.0):
        throttle.failed("a", now)
    with pytest.raises(Bad, match="in 58 s"):
        throttle.check("a", 2)
    throttle.check("b", 2)
    throttle.check("a", 60.5)  # the first is a minute old
    for number in range(2000):
        throttle.failed(f"host {number}", 70)
    assert len(throttle._failures) == 1000


def test_a_connection_that_asks_too_often(make_server: Any, connect: Any, wall: Any) -> None:
    """One second's worth may come at once; then BadServerTooBusy, quick reads too, while others are served."""
    server = make_server(limits=Limits(max_requests_per_s=5))
    peer, other = connect(server).login(), connect(server).login()
    wall.seconds += 10
    codes = [peer.read("force").ResponseHeader.ServiceResult.value for _ in range(7)]
    assert codes == [0] * 5 + [S.BadServerTooBusy] * 2
    assert other.read("force").ResponseHeader.ServiceResult.value == 0
    wall.seconds += 0.2
    codes = [peer.read("force").ResponseHeader.ServiceResult.value for _ in range(2)]
    assert codes == [0, S.BadServerTooBusy]


def test_items_are_limited_over_all_subscriptions(make_server: Any, connect: Any, reading: Any) -> None:
    """The items of all sessions count; what the capabilities say is what there is."""
    server = make_server(limits=limits_of({"items": 3}))
    first, second = connect(server).login(), connect(server).login()

    def watch(peer: Any, count: int) -> list[int]:
        created = ua.CreateSubscriptionRequest()
        created.Parameters.RequestedPublishingInterval, created.Parameters.RequestedLifetimeCount = 1000, 100
        items = ua.CreateMonitoredItemsRequest()
        items.Parameters.SubscriptionId = peer.ask(created).Parameters.SubscriptionId
        items.Parameters.ItemsToCreate = [ua.MonitoredItemCreateRequest(reading("force")) for _ in range(count)]
        return [int(result.StatusCode.value) for result in peer.ask(items).Results]

    assert watch(first, 2) == [0, 0]
    assert watch(second, 2) == [0, S.BadTooManyMonitoredItems]
    assert first.read(reading(ua.NodeId(24097))).Results[0].Value.Value == 3


def test_limits_of_a_scenario(make_server: Any, connect: Any, reading: Any) -> None:
    """Each name of a scenario is a limit of the core; what is not given stays."""
    given = OpcuaLimits(sessions=1, operations=2, subscriptions=1, channels=3).model_dump(exclude_none=True)
    server = make_server(limits=limits_of(given))
    peer = connect(server).login()
    assert connect(server).result(ua.CreateSessionRequest()) == S.BadTooManySessions
    assert peer.read("force", "speed", "count").ResponseHeader.ServiceResult.value == S.BadTooManyOperations
    assert peer.read(reading(ua.NodeId(11705))).Results[0].Value.Value == 2
    created = ua.CreateSubscriptionRequest()
    created.Parameters.RequestedPublishingInterval, created.Parameters.RequestedLifetimeCount = 1000, 100
    assert peer.result(created) == 0
    assert peer.result(created) == S.BadTooManySubscriptions
    assert limits_of({}) == Limits()
    assert set(OpcuaLimits.model_fields) == {
        "sessions", "unactivated_sessions", "channels", "subscriptions", "items", "operations", "requests_per_s",
        "wrong_logins",
    }  # fmt: skip
    assert limits_of(dict.fromkeys(OpcuaLimits.model_fields, 1)) != Limits()


def test_servers_count_on_their_own(make_server: Any, connect: Any) -> None:
    """A greedy client of one server takes nothing from another in the process."""
    one, other = make_server(limits=limits_of({"sessions": 2})), make_server(limits=limits_of({"sessions": 2}))
    for _ in range(2):
        connect(one).login()
    assert connect(one).result(ua.CreateSessionRequest()) == S.BadTooManySessions
    connect(other).login()


def test_policies_and_modes() -> None:
    """The pairs that a scenario offers; None goes with None, and something has to be left."""
    assert len(security_of(OpcuaSecurity().offered)) == 7
    strict = OpcuaSecurity(modes=("SignAndEncrypt",), policies=("Basic256Sha256", "Aes256_Sha256_RsaPss"))
    assert [mode for _, mode in security_of(strict.offered)] == [3, 3]
    with pytest.raises(ValidationError, match="no policy is left"):
        OpcuaSecurity(policies=("None",), modes=("Sign",))
