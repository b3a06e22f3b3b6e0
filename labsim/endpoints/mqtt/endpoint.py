"""The MQTT endpoint of a lab: a broker at an address, and the plant's telemetry on it."""

from __future__ import annotations

from collections.abc import Sequence
from types import TracebackType
from typing import Self

from labsim.endpoints.endpoint import Address, User
from labsim.endpoints.mqtt.access import Access, AccessList
from labsim.endpoints.mqtt.broker import Broker
from labsim.endpoints.mqtt.limits import Limits
from labsim.endpoints.mqtt.packet import ProtocolViolation
from labsim.endpoints.mqtt.shell import Shell
from labsim.endpoints.mqtt.telemetry import Telemetry
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
        acl: What each client may publish and subscribe to; everything by default.
        limits: What one client may take.

    Raises:
        UnknownNameError: a device that the plant has not.
        InputError: a device with a topic that is none.
    """

    protocol = "mqtt"

    def __init__(
        self, plant: Plant, devices: Sequence[str], sink: Sink, *, host: str = "127.0.0.1", port: int = 0,
        users: Sequence[User] = (), anonymous: bool = True, acl: AccessList | None = None, limits: Limits | None = None,
    ) -> None:  # fmt: skip
        self.host, self.port, self._users = host, port, tuple(users)
        self.broker = Broker(sink, Access(users, anonymous=anonymous, acl=acl), limits)
        self._shell = Shell(self.broker)
        self._telemetry = Telemetry(plant, devices, self.broker.publish)

    async def __aenter__(self) -> Self:
        self.port = await self._shell.start(self.host, self.port)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._shell.stop()

    def addresses(self) -> list[Address]:
        """The broker's one address, known after entering."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return [Address(None, self.protocol, f"mqtt://{host}:{self.port}", users=self._users)]

    def tick(self) -> None:
        """Publish the telemetry that is due; the lab calls this after each step of the plant.

        Raises:
            EvidenceError: a message could not be kept, and so was not published.
        """
        try:
            self._telemetry.tick()
        finally:
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
