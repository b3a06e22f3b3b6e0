"""The MQTT endpoint of a lab: a broker at its addresses, and the plant's telemetry on it."""

from __future__ import annotations

import ssl
from collections.abc import Mapping, Sequence
from types import TracebackType
from typing import Any, Self

from labsim.endpoints.endpoint import Address, Guard, User, unguarded
from labsim.endpoints.handshake import tell_failures
from labsim.endpoints.mqtt.access import Access, AccessList, Rights, TopicRights
from labsim.endpoints.mqtt.broker import Broker
from labsim.endpoints.mqtt.limits import Limits
from labsim.endpoints.mqtt.packet import ProtocolViolation
from labsim.endpoints.mqtt.session import Session
from labsim.endpoints.mqtt.shell import Listener, Shell
from labsim.endpoints.mqtt.voice import Style, Voice
from labsim.errors import InputError
from labsim.evidence.event import Sink
from labsim.plant.plant import Plant


class MqttEndpoint:
    """A broker for one lab; see `labsim.endpoints.endpoint.Endpoint`.

    Args:
        plant: The plant whose devices speak here.
        devices: Paths of the devices that publish their telemetry here.
        sink: Where evidence goes.
        host: Address to listen on.
        port: Port to listen on; 0 chooses a free one.
        users: Accounts.
        anonymous: Whether a client may come without a user name.
        acl: What each client may publish and subscribe to, or rights by user; everything by default.
        certified: Users that a client certificate with their common name proves.
        limits: What one client may take.
        tls: Makes TLS listeners possible; see `certificates.server_context`.
        tls_port: Port of MQTT over TLS, 0 for a free one; None for no such listener.
        web_port: Port of MQTT over WebSocket, behind TLS when ``web_tls``; None for no such listener.
        guard: What its connections stand behind.
        style: How the devices speak.

    Raises:
        UnknownNameError: a device that the plant has not.
        InputError: a device with a topic that is none.
    """

    protocol = "mqtt"

    def __init__(
        self, plant: Plant, devices: Sequence[str], sink: Sink, *, host: str = "127.0.0.1", port: int = 0,
        users: Sequence[User] = (), anonymous: bool = True, acl: AccessList | Mapping[str, Rights] | None = None,
        certified: Sequence[str] = (), limits: Limits | None = None, tls: ssl.SSLContext | None = None,
        tls_port: int | None = None, web_port: int | None = None, web_tls: bool = False,
        style: Style | None = None, guard: Guard = unguarded,
    ) -> None:  # fmt: skip
        self.host, self.port, self._users = host, port, tuple(users)
        rights = TopicRights(acl) if isinstance(acl, Mapping) else acl
        access = Access(users, anonymous=anonymous, acl=rights, certified=certified)
        self.broker = Broker(sink, access, limits)
        self._listeners = [Listener(port)]
        if tls is not None:
            tell_failures(tls, "mqtt", sink)
        if tls_port is not None:
            self._listeners.append(Listener(tls_port, tls))
        if web_port is not None:
            self._listeners.append(Listener(web_port, tls if web_tls else None, web=True))
        self.ports = [listener.port for listener in self._listeners]
        self._shell = Shell(self.broker, guard)
        self._voice = Voice(plant, devices, style or Style(), self.broker.publish, sink)
        self.broker.taps.append(self._hear)

    async def __aenter__(self) -> Self:
        self.ports = await self._shell.start(self.host, self._listeners)
        self.port = self.ports[0]
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._voice.stop()
        await self._shell.stop()

    def addresses(self) -> list[Address]:
        """The broker's addresses, plain MQTT first; known after entering."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return [
            Address(
                None,
                self.protocol,
                f"{listener.scheme}://{host}:{port}{'/mqtt' if listener.web else ''}",
                users=self._users,
            )
            for listener, port in zip(self._listeners, self.ports, strict=True)
        ]

    def tick(self) -> None:
        """Publish the telemetry that is due; the lab calls this after each step of the plant.

        Raises:
            EvidenceError: a message could not be kept, and so was not published.
        """
        try:
            self._voice.tick()
        finally:
            self._shell.flush()

    @property
    def faults(self) -> tuple[str, ...]:
        """What can go wrong with the way in which the plant speaks here."""
        return self._voice.faults

    def begin_fault(self, name: str, parameters: Mapping[str, float]) -> None:
        """Begin a fault of the plant's messages; see `labsim.endpoints.fault_table`."""
        self._voice.begin_fault(name, parameters)

    def end_fault(self, name: str) -> None:
        """End it."""
        self._voice.end_fault(name)
        self._shell.flush()

    def publish(self, topic: str, payload: bytes, qos: int = 0, retain: bool = False) -> None:
        """Publish as the plant.

        Raises:
            InputError: not a topic.
            EvidenceError: it could not be kept, and so was not published.
        """
        try:
            self.broker.publish(topic, payload, qos, retain)
        except ProtocolViolation as error:
            raise InputError(f"mqtt: cannot publish to {topic!r}: {error}.") from None
        self._shell.flush()

    def _hear(self, topic: str, payload: bytes, publisher: Session | None, properties: dict[str, Any] | None) -> None:
        """Let the plant hear what a client has published; the will of one that was lost is news, and no command."""
        if publisher is None:
            self._voice.hear_will(topic, payload)
        else:
            self._voice.hear(topic, payload, publisher.client_id, publisher.user, properties)
