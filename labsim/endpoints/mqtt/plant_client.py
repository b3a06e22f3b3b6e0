"""The plant as a client of somebody else's broker: paho-mqtt in its own thread, handed over to the event loop."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote, urlsplit

from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode, MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from labsim.endpoints.mqtt.edge_node import NodeWill
from labsim.errors import EndpointError

_KEEP_ALIVE_S = 30
_ANSWER_S = 10.0
_AGAIN_S = (1, 10)
_NAMES = {
    "payload_format": "PayloadFormatIndicator",
    "message_expiry": "MessageExpiryInterval",
    "content_type": "ContentType",
    "response_topic": "ResponseTopic",
    "correlation_data": "CorrelationData",
    "user": "UserProperty",
}


@dataclass(frozen=True, slots=True)
class BrokerUrl:
    """Where a broker is, and the plant's own account there, if it needs one."""

    host: str
    port: int
    user: str | None = None
    password: str | None = None

    @classmethod
    def parse(cls, url: str) -> BrokerUrl:
        """From ``mqtt://[user:password@]host[:port]``, which the scenario's model has judged."""
        parts = urlsplit(url)
        user = unquote(parts.username) if parts.username is not None else None
        password = unquote(parts.password) if parts.password is not None else None
        return cls(parts.hostname or "", parts.port or 1883, user, password)

    def __str__(self) -> str:
        """Without the account."""
        return f"mqtt://[{self.host}]:{self.port}" if ":" in self.host else f"mqtt://{self.host}:{self.port}"


class PlantClient:
    """One connection, which comes again by itself.

    The callbacks run in the event loop, ``will`` alone in paho's thread.

    Args:
        broker: Where to.
        name: Client id.
        subscriptions: Filters and QoS, subscribed anew on each connection.
        heard: Takes topic, payload and properties of what comes.
        came: Called when the connection stands and the subscriptions are made.
        went: Called when it is gone by itself.
        will: Gives the will of the next connection; None for none.

    Attributes:
        connected: Whether the connection stands, as far as the event loop knows.
    """

    def __init__(
        self, broker: BrokerUrl, name: str, subscriptions: Sequence[tuple[str, int]], *,
        heard: Callable[[str, bytes, dict[str, Any]], None], came: Callable[[], None], went: Callable[[], None],
        will: Callable[[], NodeWill] | None = None,
    ) -> None:  # fmt: skip
        self._broker, self._subscriptions, self._will = broker, list(subscriptions), will
        self._heard, self._came, self._went = heard, came, went
        self._closing = self.connected = False
        self._client = Client(CallbackAPIVersion.VERSION2, client_id=name, protocol=MQTTProtocolVersion.MQTTv5)
        if broker.user is not None:
            self._client.username_pw_set(broker.user, broker.password)
        self._client.reconnect_delay_set(*_AGAIN_S)

    async def connect(self) -> None:
        """Connect for the first time.

        Raises:
            EndpointError: the broker is not there, or does not want the plant.
        """
        self._loop = asyncio.get_running_loop()
        self._first: asyncio.Future[str] = self._loop.create_future()
        client = self._client
        client.on_connect, client.on_disconnect = self._on_connect, self._on_disconnect
        client.on_message, client.on_pre_connect = self._on_message, self._on_pre_connect
        try:
            await asyncio.to_thread(client.connect, self._broker.host, self._broker.port, _KEEP_ALIVE_S)
        except (OSError, ValueError) as error:
            raise EndpointError(
                f"mqtt: the broker {self._broker} cannot be reached ({error}). Start it, or mend 'broker' of the endpoint."
            ) from None
        client.loop_start()
        try:
            refusal = await asyncio.wait_for(self._first, _ANSWER_S)
        except TimeoutError:
            refusal = "it does not answer"
        if refusal:
            await self.close()
            raise EndpointError(
                f"mqtt: the broker {self._broker} does not take the plant in ({refusal}). It must speak MQTT 5; an account "
                "goes into 'broker' of the endpoint: mqtt://user:password@host."
            )

    def publish(self, topic: str, payload: bytes, qos: int, retain: bool, properties: dict[str, Any]) -> None:
        """Publish; in vain while there is no connection."""
        more = None
        if properties:
            more = Properties(PacketTypes.PUBLISH)
            for name, value in properties.items():
                if name in _NAMES:
                    setattr(more, _NAMES[name], value)
        self._client.publish(topic, payload, qos, retain, more)

    async def reconnect(self) -> None:
        """End the connection on purpose and come again, with the next will; when that fails, paho goes on trying."""
        self.connected = False
        self._closing = True
        self._client.disconnect()
        await asyncio.to_thread(self._client.loop_stop)
        self._closing = False
        self._client.connect_async(self._broker.host, self._broker.port, _KEEP_ALIVE_S)
        self._client.loop_start()

    async def close(self) -> None:
        """Send what is left and disconnect."""
        self._closing = True
        self._client.disconnect()
        await asyncio.to_thread(self._client.loop_stop)

    # In paho's thread.

    def _on_pre_connect(self, client: Client, _data: Any) -> None:
        if self._will is not None:
            will = self._will()
            client.will_set(will.topic, will.payload, will.qos, will.retain)

    def _on_connect(self, client: Client, _data: Any, _flags: Any, code: Any, _properties: Any) -> None:
        if code.is_failure:
            self._call(self._settle, str(code))
            return
        if self._subscriptions:
            client.subscribe(self._subscriptions)
        self._call(self._arrived)

    def _on_disconnect(self, _client: Client, _data: Any, _flags: Any, code: Any, _properties: Any) -> None:
        if not self._closing and code != MQTTErrorCode.MQTT_ERR_SUCCESS:
            self._call(self._lost)

    def _on_message(self, _client: Client, _data: Any, message: Any) -> None:
        found: dict[str, Any] = {}
        for name, long_name in _NAMES.items():
            value = getattr(message.properties, long_name, None)
            if value is not None:
                found[name] = value
        self._call(self._heard, message.topic, bytes(message.payload), found)

    def _call(self, work: Callable[..., None], *arguments: Any) -> None:
        try:
            self._loop.call_soon_threadsafe(work, *arguments)
        except RuntimeError:
            return  # the loop has ended, and with it the plant

    # In the event loop.

    def _settle(self, refusal: str) -> None:
        if not self._first.done():
            self._first.set_result(refusal)

    def _arrived(self) -> None:
        self.connected = True
        self._settle("")
        self._came()

    def _lost(self) -> None:
        if self.connected:
            self.connected = False
            self._went()
