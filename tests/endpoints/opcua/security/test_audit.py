"""Audit events: security administrators hear what clients do, others do not (OPC 10000-2 §4.14)."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from asyncua import ua

from labsim.endpoints.endpoint import User
from labsim.endpoints.opcua.core.certificate import Pair, make_pair
from labsim.endpoints.opcua.core.trust import TrustFolders
from labsim.endpoints.opcua.endpoint import OpcuaEndpoint

OI, S = ua.ObjectIds, ua.StatusCodes


class Heard:
    """Keeps events."""

    def __init__(self) -> None:
        self.events: asyncio.Queue[Any] = asyncio.Queue()

    def event_notification(self, event: Any) -> None:
        """One event."""
        self.events.put_nowait(event)

    async def next(self, kind: int) -> Any:
        """The next event of a type."""
        while True:
            event = await self.events.get()
            if event.EventType.Identifier == kind:
                return event


async def test_an_administrator_hears_what_others_do(
    listed: OpcuaEndpoint, secure: Any, alone: Pair, admin: User, operator: User, pki: Any
) -> None:
    """Channels, sessions, writes, and refused certificates, each with its type, user and result; no secrets."""
    TrustFolders(pki).add(alone.certificate)
    heard, deaf = Heard(), Heard()
    async with listed, await secure(listed, alone, admin) as boss, asyncio.timeout(60):
        subscription = await boss.create_subscription(50, heard)
        kinds = [OI.AuditWriteUpdateEventType, OI.AuditActivateSessionEventType, OI.AuditCertificateUntrustedEventType,
                 OI.AuditOpenSecureChannelEventType]  # fmt: skip
        await subscription.subscribe_events(boss.nodes.server, [boss.get_node(ua.NodeId(kind)) for kind in kinds])
        async with await secure(listed, alone, operator) as client:
            opened = await heard.next(OI.AuditOpenSecureChannelEventType)
            while opened.SecurityMode == 1:  # asyncua's client asks for the endpoints first
                opened = await heard.next(OI.AuditOpenSecureChannelEventType)
            assert opened.SecurityPolicyUri.endswith("#Basic256Sha256")
            assert opened.ClientCertificateThumbprint == alone.thumbprint.hex()
            session = await heard.next(OI.AuditActivateSessionEventType)
            assert (session.ClientUserId, session.Status) == ("operator", True)
            own = await client.create_subscription(50, deaf)
            await own.subscribe_events(client.nodes.server, [client.get_node(ua.NodeId(OI.AuditWriteUpdateEventType))])
            await client.get_node("ns=2;s=press1.setpoint").write_value(42.0)
            written = await heard.next(OI.AuditWriteUpdateEventType)
            assert (written.OldValue, written.NewValue, written.ClientUserId) == (50.0, 42.0, "operator")
            assert written.SourceNode == ua.NodeId("press1.setpoint", 2)
            waiting = {
                item.subscription.session.identity.role: item.waiting
                for item in listed._core.event_items.values()
                if item.subscription.session is not None and item.subscription.session.identity is not None
            }
            assert waiting["Operator"] is False
            with pytest.raises(ua.UaStatusCodeError):
                await client.get_node("ns=2;s=press1.force").write_value(1.0)
            refused = await heard.next(OI.AuditWriteUpdateEventType)
            assert refused.Status is False
        with pytest.raises((ConnectionError, asyncio.TimeoutError, ua.UaError)):
            await (await secure(listed, make_pair("urn:test:client", "stranger"))).connect()
        untrusted = await heard.next(OI.AuditCertificateUntrustedEventType)
        assert "BadCertificateUntrusted" in untrusted.Message.Text
        assert await boss.get_node(ua.NodeId(OI.Server_Auditing)).read_value() is True
    assert deaf.events.empty()


async def test_a_refused_login_is_heard_of(
    listed: OpcuaEndpoint, secure: Any, alone: Pair, admin: User, operator: User, pki: Any
) -> None:
    """Who claimed to be whom, from where and why it was refused; the password nowhere (OPC 10000-5 §6.4.10)."""
    TrustFolders(pki).add(alone.certificate)
    heard = Heard()
    async with listed, await secure(listed, alone, admin) as boss, asyncio.timeout(60):
        subscription = await boss.create_subscription(50, heard)
        kind = OI.AuditActivateSessionEventType
        await subscription.subscribe_events(boss.nodes.server, [boss.get_node(ua.NodeId(kind))])
        wrong = User(operator.name, "guessed", operator.role)
        with pytest.raises(ua.UaError):
            await (await secure(listed, alone, wrong)).connect()
        refused = await heard.next(kind)
    assert (refused.Status, refused.ClientUserId, refused.SourceName) == (False, "operator", "Session/ActivateSession")
    assert refused.UserIdentityToken.UserName == "operator"
    assert refused.UserIdentityToken.Password is None
    assert "wrong" in refused.Message.Text
