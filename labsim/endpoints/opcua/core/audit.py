"""Audit events (OPC 10000-2 §4.14, OPC 10000-4 §6.5, OPC 10000-5 §6.4.3): what clients do, told to security administrators.

They are for those who watch the Server object with the role SecurityAdmin; nobody else is told what others do. The
observer hears of everything anyhow.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, TypeAlias

from asyncua import ua

from labsim.endpoints.opcua.core.codec import datetime_of
from labsim.endpoints.opcua.core.event import Event, base_fields, path
from labsim.endpoints.opcua.core.happening import CERTIFICATE, CallFact, Happening, WriteFact
from labsim.endpoints.opcua.core.nodeid import Key, node_id
from labsim.endpoints.opcua.core.status import S, is_bad, name_of

if TYPE_CHECKING:
    from labsim.endpoints.opcua.core.eventitem import EventItem
    from labsim.endpoints.opcua.core.server import Server

_log = logging.getLogger(__name__)
VT, OI = ua.VariantType, ua.ObjectIds
SERVER = int(OI.Server)
AUDITOR = "SecurityAdmin"
_SEVERITY_GOOD, _SEVERITY_BAD = 100, 600
_CERTIFICATE_TYPES: dict[int, int] = {
    int(S.BadCertificateTimeInvalid): OI.AuditCertificateExpiredEventType,
    int(S.BadCertificateIssuerTimeInvalid): OI.AuditCertificateExpiredEventType,
    int(S.BadCertificateInvalid): OI.AuditCertificateInvalidEventType,
    int(S.BadCertificateUntrusted): OI.AuditCertificateUntrustedEventType,
    int(S.BadCertificateChainIncomplete): OI.AuditCertificateUntrustedEventType,
    int(S.BadCertificateRevoked): OI.AuditCertificateRevokedEventType,
    int(S.BadCertificateIssuerRevoked): OI.AuditCertificateRevokedEventType,
    int(S.BadCertificateUseNotAllowed): OI.AuditCertificateMismatchEventType,
    int(S.BadCertificateIssuerUseNotAllowed): OI.AuditCertificateMismatchEventType,
}
_Fields: TypeAlias = dict[str, Any]
_Told: TypeAlias = tuple[int, str, int, _Fields]
"""Type, SourceName, status, and the fields that AuditEventType does not have."""


def audit(server: Server, happening: Happening) -> None:
    """Tell the auditors of a happening, if there are any and it is of a kind that is audited."""
    describe = _KINDS.get(happening.service)
    watching = [item for item in server.event_items.values() if _may_watch(item)] if describe is not None else ()
    if describe is None or not watching:
        return
    try:
        for told in describe(happening):
            event = _event(server, happening, *told)
            for item in watching:
                item.notice(event)
    except Exception:  # noqa: BLE001 - what is audited was done already and kept by the observer
        _log.exception("an audit event of %s could not be made", happening.service)


def _may_watch(item: EventItem) -> bool:
    session = item.subscription.session
    return (
        item.key == SERVER and session is not None and session.identity is not None and session.identity.role == AUDITOR
    )


def _event(server: Server, happening: Happening, kind: int, source: str, status: int, further: _Fields) -> Event:
    now, session = server.store.now(), happening.session
    identity = session.identity if session is not None else None
    message = ua.LocalizedText(happening.reason or f"{happening.service}: {name_of(status)}", "en")
    severity = _SEVERITY_BAD if is_bad(status) else _SEVERITY_GOOD
    fields = base_fields(kind, SERVER, source, now, server.new_event_id(), message, severity)
    own: _Fields = {
        "ActionTimeStamp": ua.Variant(datetime_of(now), VT.DateTime),
        "Status": ua.Variant(not is_bad(status), VT.Boolean),
        "ServerId": ua.Variant(server.uri, VT.String),
        "ClientAuditEntryId": ua.Variant(None, VT.String),
        "ClientUserId": ua.Variant(identity.name if identity is not None else None, VT.String),
    }
    return Event(kind, SERVER, now, fields | {path(name): value for name, value in (own | further).items()})


def _channel_fields(happening: Happening) -> _Fields:
    assert happening.connection is not None
    channel = happening.connection.channel
    return {
        "SecureChannelId": ua.Variant(str(channel.id), VT.String),
        "ClientCertificate": ua.Variant(channel.peer_certificate, VT.ByteString),
        "ClientCertificateThumbprint": ua.Variant(channel.thumbprint, VT.String),
    }


def _open_channel(happening: Happening) -> Iterator[_Told]:
    """AuditOpenSecureChannelEventType (OPC 10000-5 §6.4.6)."""
    assert happening.connection is not None
    channel, fact = happening.connection.channel, happening.facts
    yield OI.AuditOpenSecureChannelEventType, "SecureChannel/OpenSecureChannel", happening.status, {
        **_channel_fields(happening),
        "RequestType": ua.Variant(int(fact.renewed), VT.Int32),
        "SecurityPolicyUri": ua.Variant(channel.policy_uri, VT.String),
        "SecurityMode": ua.Variant(channel.mode, VT.Int32),
        "RequestedLifetime": ua.Variant(float(fact.lifetime), VT.Double),
    }  # fmt: skip


def _session_id(happening: Happening) -> _Fields:
    session = happening.session
    return {"SessionId": ua.Variant(session.id if session is not None else ua.NodeId(), VT.NodeId)}


def _create_session(happening: Happening) -> Iterator[_Told]:
    """AuditCreateSessionEventType (§6.4.8)."""
    timeout = happening.session.timeout * 1000 if happening.session is not None else 0.0
    fields = _session_id(happening) | _channel_fields(happening)
    fields["RevisedSessionTimeout"] = ua.Variant(timeout, VT.Double)
    yield OI.AuditCreateSessionEventType, "Session/CreateSession", happening.status, fields


def _activate_session(happening: Happening) -> Iterator[_Told]:
    """AuditActivateSessionEventType (§6.4.10), for a refused login too: who claimed to be whom, the secret nowhere."""
    fields = _session_id(happening)
    claimed = happening.session.claimed if happening.session is not None else None
    fields["UserIdentityToken"] = ua.Variant(claimed, VT.ExtensionObject)
    fields["ClientSoftwareCertificates"] = ua.Variant([], VT.ExtensionObject, is_array=True)
    if happening.status and isinstance(claimed, ua.UserNameIdentityToken):
        fields["ClientUserId"] = ua.Variant(claimed.UserName, VT.String)
    fields["SecureChannelId"] = _channel_fields(happening)["SecureChannelId"]
    yield OI.AuditActivateSessionEventType, "Session/ActivateSession", happening.status, fields


def _end_session(happening: Happening) -> Iterator[_Told]:
    """AuditSessionEventType (§6.4.7)."""
    yield OI.AuditSessionEventType, "Session/CloseSession", happening.status, _session_id(happening)


def _write(happening: Happening) -> Iterator[_Told]:
    """AuditWriteUpdateEventType (§6.4.25), one per node."""
    facts: list[WriteFact] = happening.facts or []
    for fact in facts:
        yield OI.AuditWriteUpdateEventType, "Attribute/Write", fact.status, {
            "AttributeId": ua.Variant(fact.attribute, VT.UInt32),
            "IndexRange": ua.Variant(None, VT.String),
            "NewValue": _value(fact.value),
            "OldValue": _value(fact.old),
            "SourceNode": _node(fact.key),
        }  # fmt: skip


def _call(happening: Happening) -> Iterator[_Told]:
    """AuditUpdateMethodEventType (§6.4.27), one per method."""
    facts: list[CallFact] = happening.facts or []
    for fact in facts:
        yield OI.AuditUpdateMethodEventType, "Attribute/Call", fact.status, {
            "MethodId": _node(fact.method),
            "SourceNode": _node(fact.object),
        }  # fmt: skip


def _value(value: Any) -> Any:
    """A Variant of a plain value, whose type is guessed; as text where that cannot be."""
    try:
        return ua.Variant(value)
    except ua.UaError:
        return ua.Variant(str(value), VT.String)


def _node(key: Key) -> Any:
    return ua.Variant(node_id(key), VT.NodeId)


def _certificate(happening: Happening) -> Iterator[_Told]:
    """AuditCertificateEventType and its subtypes (§6.4.12 to §6.4.18), or what was changed (OPC 10000-12 §7.8, §7.10)."""
    fact, status = happening.facts, happening.status
    if fact.of == "list":
        yield OI.TrustListUpdatedAuditEventType, "Method/TrustList", status, {}
    elif fact.of == "server":
        yield OI.CertificateUpdatedAuditEventType, "Method/UpdateCertificate", status, {}
    elif status:
        kind = _CERTIFICATE_TYPES.get(status, OI.AuditCertificateEventType)
        yield kind, "Security/Certificate", status, {"Certificate": ua.Variant(fact.der, VT.ByteString)}


_KINDS: dict[str, Callable[[Happening], Iterator[_Told]]] = {
    "OpenSecureChannel": _open_channel,
    "CreateSession": _create_session,
    "ActivateSession": _activate_session,
    "CloseSession": _end_session,
    "Write": _write,
    "Call": _call,
    CERTIFICATE: _certificate,
}
