"""Diagnostics of a server, its sessions and its subscriptions (OPC 10000-5 §6.3.3 to §6.3.5, §12.9 to §12.15).

The server counts as it works; arrays are put together when somebody reads them. What sessions do is nobody's business but
the administrator's.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from asyncua import ua

from labsim.endpoints.opcua.core import nodes
from labsim.endpoints.opcua.core.codec import datetime_of
from labsim.endpoints.opcua.core.item import DISABLED
from labsim.endpoints.opcua.core.nodeid import Key
from labsim.endpoints.opcua.core.nodes import Space
from labsim.endpoints.opcua.core.policy import MODE_NAMES
from labsim.endpoints.opcua.core.role import Roles
from labsim.endpoints.opcua.core.status import S

if TYPE_CHECKING:
    from labsim.endpoints.opcua.core.server import Server
    from labsim.endpoints.opcua.core.session import Session
    from labsim.endpoints.opcua.core.subscription import Subscription

VT = ua.VariantType
_SUBSCRIPTIONS, _SESSIONS, _SECURITY = 2290, 3707, 3708
_SECURITY_CODES = frozenset(
    int(code)
    for code in (
        S.BadSecurityChecksFailed, S.BadUserAccessDenied, S.BadIdentityTokenInvalid, S.BadIdentityTokenRejected,
        S.BadUserSignatureInvalid, S.BadApplicationSignatureInvalid, S.BadCertificateInvalid, S.BadCertificateUriInvalid,
        S.BadCertificateUntrusted, S.BadSecurityModeInsufficient, S.BadNonceInvalid, S.BadSecureChannelIdInvalid,
    )
)  # fmt: skip
_SESSION_SERVICES = ("CreateSession", "ActivateSession")
_COUNTED = (
    "Read", "HistoryRead", "Write", "HistoryUpdate", "Call", "CreateMonitoredItems", "ModifyMonitoredItems",
    "SetMonitoringMode", "SetTriggering", "DeleteMonitoredItems", "CreateSubscription", "ModifySubscription",
    "SetPublishingMode", "Publish", "Republish", "TransferSubscriptions", "DeleteSubscriptions", "AddNodes",
    "AddReferences", "DeleteNodes", "DeleteReferences", "Browse", "BrowseNext", "TranslateBrowsePathsToNodeIds",
    "QueryFirst", "QueryNext", "RegisterNodes", "UnregisterNodes",
)  # fmt: skip


@dataclass(slots=True)
class Diagnostics:
    """What a server has counted since it started."""

    sessions: int = 0
    rejected_sessions: int = 0
    insecure_sessions: int = 0
    timeouts: int = 0
    subscriptions: int = 0
    rejected_requests: int = 0
    insecure_requests: int = 0

    def count(self, service: str, code: int, session: Session | None) -> None:
        """One request was answered."""
        if session is not None:
            counter = session.counters.get(service)
            if counter is None:
                counter = session.counters[service] = [0, 0]
            counter[0] += 1
            counter[1] += bool(code)
        if not code:
            self.sessions += service == "CreateSession"
            self.subscriptions += service == "CreateSubscription"
            return
        insecure = code in _SECURITY_CODES
        self.rejected_requests += 1
        self.insecure_requests += insecure
        if service in _SESSION_SERVICES:
            self.rejected_sessions += 1
            self.insecure_sessions += insecure


def guard_diagnostics(space: Space, roles: Roles) -> None:
    """Keep what sessions and subscriptions do for the SecurityAdmin."""
    allowed = roles.restrict({"read": ("SecurityAdmin",)})
    for key in (_SUBSCRIPTIONS, _SESSIONS, _SECURITY):
        space.edit(key).attributes[nodes.ROLE_PERMISSIONS] = allowed


def diagnostic_values(server: Server) -> dict[Key, Any]:
    """The variables of ServerDiagnostics."""
    counted = server.diagnostics
    numbers: dict[int, tuple[str, Callable[[], int]]] = {
        2276: ("ServerViewCount", lambda: 0),
        2277: ("CurrentSessionCount", lambda: len(server.sessions)),
        2278: ("CumulatedSessionCount", lambda: counted.sessions),
        2279: ("SecurityRejectedSessionCount", lambda: counted.insecure_sessions),
        3705: ("RejectedSessionCount", lambda: counted.rejected_sessions),
        2281: ("SessionTimeoutCount", lambda: counted.timeouts),
        2282: ("SessionAbortCount", lambda: 0),
        2284: ("PublishingIntervalCount", lambda: len({one.interval for one in server.subscriptions.values()})),
        2285: ("CurrentSubscriptionCount", lambda: len(server.subscriptions)),
        2286: ("CumulatedSubscriptionCount", lambda: counted.subscriptions),
        2287: ("SecurityRejectedRequestsCount", lambda: counted.insecure_requests),
        2288: ("RejectedRequestsCount", lambda: counted.rejected_requests),
    }

    def summary() -> Any:
        return ua.Variant(
            ua.ServerDiagnosticsSummaryDataType(**{name: number() for name, number in numbers.values()}),
            VT.ExtensionObject,
        )

    def number_of(number: Callable[[], int]) -> Callable[[], Any]:
        return lambda: ua.Variant(number(), VT.UInt32)

    def array(found: Callable[[], list[Any]]) -> Callable[[], Any]:
        return lambda: ua.Variant(found(), VT.ExtensionObject, is_array=True)

    def active() -> list[Session]:
        return [one for one in server.sessions.values() if one.activated]

    return {
        2294: ua.Variant(True, VT.Boolean),  # EnabledFlag
        2275: summary,
        **{key: number_of(number) for key, (_, number) in numbers.items()},
        _SUBSCRIPTIONS: array(lambda: [_subscription(one) for one in server.subscriptions.values()]),
        _SESSIONS: array(lambda: [_session(server, one) for one in active()]),
        _SECURITY: array(lambda: [_security(one) for one in active()]),
    }


def _subscription(one: Subscription) -> Any:
    """SubscriptionDiagnosticsDataType; what is not counted is 0."""
    found = ua.SubscriptionDiagnosticsDataType()
    found.SessionId = one.session.id if one.session is not None else ua.NodeId()
    found.SubscriptionId, found.Priority, found.PublishingEnabled = one.id, one.priority, one.enabled
    found.PublishingInterval, found.MaxNotificationsPerPublish = one.interval, one.most
    found.MaxKeepAliveCount, found.MaxLifetimeCount = one.keepalive, one.lifetime
    found.CurrentLifetimeCount, found.CurrentKeepAliveCount = one.silent, one.quiet
    found.UnacknowledgedMessageCount, found.NextSequenceNumber = len(one.sent), one.next_sequence
    found.MonitoredItemCount = len(one.items)
    found.DisabledMonitoredItemCount = sum(item.mode == DISABLED for item in one.items.values())
    return found


def _session(server: Server, one: Session) -> Any:
    """SessionDiagnosticsDataType."""
    found = ua.SessionDiagnosticsDataType()
    now = server.store.now()
    since = round((server.monotonic() - one.last) * 1e7)
    found.SessionId, found.SessionName, found.ServerUri = one.id, one.name, server.uri
    found.ClientDescription = one.client
    found.EndpointUrl, found.LocaleIds, found.ActualSessionTimeout = one.endpoint_url, one.locales, one.timeout * 1000
    found.MaxResponseMessageSize = one.max_response
    found.ClientConnectionTime, found.ClientLastContactTime = datetime_of(one.since), datetime_of(now - since)
    found.CurrentSubscriptionsCount = len(one.subscriptions)
    found.CurrentMonitoredItemsCount = sum(len(each.items) for each in one.subscriptions.values())
    found.CurrentPublishRequestsInQueue = len(one.publish_queue)
    totals = [sum(column) for column in zip(*one.counters.values(), strict=True)] or [0, 0]
    found.TotalRequestCount = ua.ServiceCounterDataType(*totals)
    for service in _COUNTED:
        setattr(found, f"{service}Count", ua.ServiceCounterDataType(*one.counters.get(service, (0, 0))))
    return found


def _security(one: Session) -> Any:
    """SessionSecurityDiagnosticsDataType."""
    assert one.identity is not None
    policy, mode = one.security
    return ua.SessionSecurityDiagnosticsDataType(
        SessionId=one.id,
        ClientUserIdOfSession=one.identity.name,
        ClientUserIdHistory=[one.identity.name],
        AuthenticationMechanism={"username": "UserName", "x509": "Certificate"}.get(one.identity.kind, "Anonymous"),
        TransportProtocol="opc.tcp",
        SecurityMode=ua.MessageSecurityMode[MODE_NAMES[mode] if mode > 1 else "None_"],
        SecurityPolicyUri=policy,
        ClientCertificate=one.certificate,
    )
