"""An MQTT client that is pumped by hand, so that Ctrl-C is never far: paho inside, one sentence when something goes wrong."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Self

from labsim.probe.credentials import Credentials
from labsim.probe.error import ProbeError, reason
from labsim.probe.target import Target

_REFUSED = 128
"""Reason codes from here on are refusals (MQTT 5.0 §2.4)."""
_TURN_S = 0.2


@dataclass(frozen=True, slots=True)
class Message:
    """One message as it came. ``at_ns``: monotonic clock; ``properties``: those of MQTT 5 that it carries."""

    topic: str
    payload: bytes
    qos: int
    retain: bool
    at_ns: int
    properties: dict[str, Any] = field(default_factory=dict)


class MqttProbe:
    """One connection to a broker. Use it as a context manager: entering connects, leaving says goodbye.

    Args:
        target: Where, and as which user.
        client_id: What it calls itself; the broker's choice when empty.
        version: 5 or 4 (3.1.1).
        timeout: Seconds to wait for the broker's answers.
        credentials: For ``mqtts`` and ``wss``.
        in_flight: How many messages of QoS 1 and 2 may wait for their acknowledgement.
    """

    def __init__(
        self,
        target: Target,
        *,
        client_id: str = "",
        version: int = 4,
        timeout: float = 5.0,
        credentials: Credentials | None = None,
        in_flight: int = 20,
    ) -> None:
        self.target, self.timeout = target, timeout
        self.messages: deque[Message] = deque()
        self._answers: dict[int, Sequence[Any]] = {}
        self._acknowledged: set[int] = set()
        self._connected: Any = None
        self._lost: str | None = None
        self._client = self._make(client_id, version, credentials or Credentials(), in_flight)

    def __enter__(self) -> Self:
        try:
            code = self._client.connect(self.target.host, self.target.port, keepalive=30)
        except (OSError, ValueError) as error:  # ValueError: a host name that is none
            why = reason(error) if isinstance(error, OSError) else str(error)
            raise ProbeError(f"{self.target} cannot be reached: {why}.") from error
        if code:
            raise ProbeError(f"{self.target} cannot be reached.")
        self._wait(lambda: self._connected is not None, "answer CONNECT")
        if self._connected.is_failure:
            raise ProbeError(f"{self.target} refused the connection: {str(self._connected).lower()}.")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._lost is None:
            self._client.disconnect()
            self._client.loop(0.0)

    def subscribe(self, filters: Sequence[str], qos: int = 0) -> list[int]:
        """Subscribe; the QoS that was granted for each filter.

        Raises:
            ProbeError: a filter was refused or is none, or the broker did not answer.
        """
        try:
            _, mid = self._client.subscribe([(pattern, qos) for pattern in filters])
        except ValueError:
            raise ProbeError(
                f"{', '.join(filters)}: not a topic filter (a wildcard stands alone in its level)."
            ) from None
        if mid is None:
            raise ProbeError(f"{self.target} closed the connection.")
        self._wait(lambda: mid in self._answers, "answer SUBSCRIBE")
        codes = [int(code.value) for code in self._answers.pop(mid)]
        for pattern, code in zip(filters, codes, strict=False):
            if code >= _REFUSED:
                raise ProbeError(f"{self.target} refused the subscription to {pattern!r} (code {code}).")
        return codes

    def publish(self, topic: str, payload: bytes, qos: int = 0, retain: bool = False) -> int:
        """Hand a message to the client; its number, for `acknowledged`. It leaves with the next `pump`.

        Raises:
            ProbeError: not a topic, or too large.
        """
        try:
            info = self._client.publish(topic, payload, qos, retain)
        except ValueError as error:
            raise ProbeError(f"{topic!r} cannot be published to: {str(error).lower().rstrip('.')}.") from None
        return int(info.mid)

    def acknowledged(self, number: int) -> bool:
        """Whether a message has left (QoS 0) or was acknowledged; true once, then forgotten."""
        if number in self._acknowledged:
            self._acknowledged.discard(number)
            return True
        return False

    def deliver(self, number: int) -> None:
        """Pump until a message is acknowledged.

        Raises:
            ProbeError: the broker did not, or refused it.
        """
        self._wait(lambda: self.acknowledged(number), "acknowledge the message")

    def pump(self, seconds: float = _TURN_S) -> None:
        """Send and receive for up to so long; messages are then in ``messages``.

        Raises:
            ProbeError: the connection was lost.
        """
        code = self._client.loop(seconds)
        if self._lost is None and code:
            self._lost = "the connection was lost"
        if self._lost is not None and self._connected is not None and not self._connected.is_failure:
            raise ProbeError(f"{self.target}: {self._lost}.")

    def _wait(self, done: Callable[[], bool], what: str) -> None:
        until = time.monotonic() + self.timeout
        while not done():
            if time.monotonic() > until:
                raise ProbeError(f"{self.target} did not {what} within {self.timeout:g} s.")
            if self._lost is not None and not done():
                raise ProbeError(f"{self.target} closed the connection instead of answering: {self._lost}.")
            self.pump()

    def _make(self, client_id: str, version: int, credentials: Credentials, in_flight: int) -> Any:
        from paho.mqtt.client import Client
        from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion

        scheme = self.target.scheme
        client = Client(
            CallbackAPIVersion.VERSION2,
            client_id=client_id,
            protocol=MQTTProtocolVersion.MQTTv5 if version == 5 else MQTTProtocolVersion.MQTTv311,
            transport="websockets" if scheme in ("ws", "wss") else "tcp",
        )
        client.connect_timeout = self.timeout
        client.max_inflight_messages_set(in_flight)
        if scheme in ("ws", "wss"):
            client.ws_set_options(path=self.target.path or "/mqtt")
        if scheme in ("mqtts", "wss"):
            client.tls_set_context(credentials.context())
        if self.target.user:
            client.username_pw_set(self.target.user, self.target.password or None)
        client.on_connect = self._on_connect
        client.on_disconnect = self._on_disconnect
        client.on_message = self._on_message
        client.on_subscribe = self._on_subscribe
        client.on_publish = self._on_publish
        return client

    # paho's callbacks, all within `pump`

    def _on_connect(self, _client: Any, _data: Any, _flags: Any, code: Any, _properties: Any) -> None:
        self._connected = code

    def _on_disconnect(self, _client: Any, _data: Any, _flags: Any, code: Any, _properties: Any) -> None:
        self._lost = f"the connection ended ({str(code).lower()})"

    def _on_message(self, _client: Any, _data: Any, message: Any) -> None:
        carried = message.properties.json() if getattr(message, "properties", None) is not None else {}
        self.messages.append(
            Message(
                message.topic, bytes(message.payload), message.qos, bool(message.retain), time.monotonic_ns(), carried
            )
        )

    def _on_subscribe(self, _client: Any, _data: Any, mid: int, codes: Sequence[Any], _properties: Any) -> None:
        self._answers[mid] = codes

    def _on_publish(self, _client: Any, _data: Any, mid: int, code: Any, _properties: Any) -> None:
        if getattr(code, "is_failure", False):
            raise ProbeError(f"{self.target} refused the message: {str(code).lower()}.")
        self._acknowledged.add(mid)
