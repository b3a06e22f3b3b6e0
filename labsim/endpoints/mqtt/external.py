"""The MQTT endpoint of a lab whose broker is somebody else's: mosquitto, EMQX or any other, behind the evidence tap."""

from __future__ import annotations

import asyncio
import errno
import secrets
from collections.abc import Sequence
from functools import partial
from types import TracebackType
from typing import Any, Self

from labsim.endpoints.endpoint import Address, Guard, User, unguarded
from labsim.endpoints.mqtt.evidence import Witness
from labsim.endpoints.mqtt.plant_client import BrokerUrl, PlantClient
from labsim.endpoints.mqtt.relay import Relay
from labsim.endpoints.mqtt.tap import Tap
from labsim.endpoints.mqtt.vda5050 import Vehicle
from labsim.endpoints.mqtt.voice import Style, Voice
from labsim.errors import EndpointError, EvidenceError
from labsim.evidence.event import PLANT, Event, Sink
from labsim.plant.plant import Plant


class ExternalBroker:
    """A tap before a broker, and the plant as one of its clients; see `labsim.endpoints.endpoint.Endpoint`.

    Clients use the tap's address. The plant goes to the broker itself, so its messages are told here as they are published, and
    the broker should let nobody else go round the tap.

    Args:
        plant: The plant whose devices speak here.
        devices: Paths of the devices that publish their telemetry here.
        sink: Where evidence goes.
        broker: Where the broker is: ``mqtt://[user:password@]host[:port]``.
        host: Address of the tap.
        port: Port of the tap; 0 chooses a free one.
        users: Accounts that the broker has for the trainee.
        style: How the devices speak.
        guard: What the clients' connections stand behind.

    Raises:
        UnknownNameError: a device that the plant has not.
        InputError: a device with a topic that is none.
    """

    protocol = "mqtt"

    def __init__(
        self, plant: Plant, devices: Sequence[str], sink: Sink, broker: str, *, host: str = "127.0.0.1", port: int = 0,
        users: Sequence[User] = (), style: Style | None = None, guard: Guard = unguarded,
    ) -> None:  # fmt: skip
        self.host, self.port, self._users, self._sink = host, port, tuple(users), sink
        self._broker = BrokerUrl.parse(broker)
        self.tap = Tap(sink, [user.name for user in users])
        self._relay = Relay(self.tap, self._broker.host, self._broker.port, self._unreachable, guard)
        self._witness = Witness(sink, app=PLANT)
        self._voice = Voice(plant, devices, style or Style(), self._publish, sink, self._come_again)
        self._failed = self._lost = 0
        node, self._voice.carried = self._voice.node, True
        self._client = PlantClient(
            self._broker,
            f"labsim-plant-{secrets.token_hex(6)}",
            self._voice.subscriptions,
            heard=self._hear,
            came=self._came,
            went=self._went,
            will=node.prepare if node is not None else None,
        )
        self._vehicles = {path: self._carry(vehicle) for path, vehicle in self._voice.vehicles.items()}
        self._gone = False
        self._again: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        """Connect the plant, then listen.

        Raises:
            EndpointError: the broker is not there or does not take the plant in, or the tap's port cannot be had.
        """
        try:
            for client in (self._client, *self._vehicles.values()):
                await client.connect()
            self.port = await self._relay.start(self.host, self.port)
        except EndpointError:
            await self._close()
            raise
        except OSError as error:
            await self._close()
            why = "is in use" if error.errno == errno.EADDRINUSE else f"cannot be had ({error.strerror or error})"
            raise EndpointError(
                f"mqtt: the address {self.host}:{self.port} {why}; close the program that holds it, or choose other ports "
                "with --port-base. The tap cannot have the broker's own port."
            ) from None
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._voice.stop()
        if self._again is not None:
            await self._again
        await self._close()
        await self._relay.stop()

    async def _close(self) -> None:
        for client in (self._client, *self._vehicles.values()):
            await client.close()

    def _carry(self, vehicle: Vehicle) -> PlantClient:
        """A vehicle is a client of its own, because its will is (VDA 5050 2.1.0 §6.14)."""
        return PlantClient(
            self._broker, f"{vehicle.device.serial}-{secrets.token_hex(3)}", vehicle.subscriptions, heard=self._hear,
            came=partial(self._vehicle_came, vehicle), went=vehicle.lost, will=vehicle.prepare,
        )  # fmt: skip

    def _vehicle_came(self, vehicle: Vehicle) -> None:
        try:
            vehicle.connected()
        except EvidenceError:
            return  # the sink itself pauses the lab

    def addresses(self) -> list[Address]:
        """The tap's address, known after entering."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return [Address(None, self.protocol, f"mqtt://{host}:{self.port}", users=self._users)]

    def tick(self) -> None:
        """Publish the telemetry that is due; the lab calls this after each step of the plant.

        Raises:
            EvidenceError: a message could not be kept, and so was not published.
        """
        self.tap.check(asyncio.get_running_loop().time())
        if self._voice.node is not None:
            self._voice.node.tick()
        else:
            self._voice.tick()

    def _publish(
        self, topic: str, payload: bytes, qos: int, retain: bool, device: str, properties: dict[str, Any]
    ) -> None:
        client = self._vehicles.get(device, self._client)
        if not client.connected:
            self._lost += 1
            return
        self._witness.note_message("publish", topic, payload, qos, retain, device=device)
        client.publish(topic, payload, qos, retain, properties)

    def _hear(self, topic: str, payload: bytes, properties: dict[str, Any]) -> None:
        app, user = self.tap.author(topic, payload)
        try:
            self._voice.hear(topic, payload, app, user, properties)
        except EvidenceError:
            return  # the sink itself pauses the lab

    def _came(self) -> None:
        if self._gone:
            self._incident(f"the broker {self._broker} is back; {self._lost} messages of the plant were lost")
        self._gone, self._lost = False, 0
        node = self._voice.node
        if node is not None:
            try:
                node.connected()
            except EvidenceError:
                return  # the sink itself pauses the lab

    def _come_again(self) -> None:
        """The edge node takes leave because its host went, and comes again with the next bdSeq in its will."""
        self._again = asyncio.get_running_loop().create_task(self._client.reconnect())

    def _went(self) -> None:
        if self._voice.node is not None:
            self._voice.node.lost()
        self._gone = True
        self._incident(f"the broker {self._broker} is gone; what the plant publishes is lost until it is back")

    def _unreachable(self, error: OSError) -> None:
        """Tell it at the 1st, 2nd, 4th, 8th… client, so that a flood does not become another one."""
        self._failed += 1
        if self._failed & (self._failed - 1) == 0:
            self._incident(f"the broker {self._broker} cannot be reached for a client ({error.strerror or error})")

    def _incident(self, reason: str) -> None:
        try:
            self._sink(Event(kind="incident", protocol="lab", subject="mqtt", detail={"reason": reason}))
        except EvidenceError:
            return  # the sink itself pauses the lab
