"""The state a broker keeps for one client id: subscriptions, the queue, what is on its way in both directions (§4.1, §4.3)."""

from __future__ import annotations

from collections import deque
from typing import Protocol

import msgspec

from labsim.endpoints.mqtt.limits import Limits
from labsim.endpoints.mqtt.packet import PUBREL, ProtocolViolation, encode_ack, encode_publish

_LAST_MID = 65535


class Message(msgspec.Struct, frozen=True, gc=False):
    """An application message for one receiver; ``topic`` as an encoded string."""

    topic: bytes
    payload: bytes
    qos: int
    retain: bool


class Outlet(Protocol):
    """The connection as a session sees it."""

    def send(self, data: bytes) -> None:
        """Put bytes into the connection's output."""
        ...


class Session:
    """One session.

    Args:
        client_id: Whose it is.
        limits: Length of the queue and of the window.

    Attributes:
        clean: It ends with the connection.
        subscriptions: Granted QoS by filter.
        received: Packet identifiers of QoS 2 messages that came in and are not yet released (§4.3.3).
        outlet: The connection while there is one.
        dropped: Messages lost because the queue was full.
    """

    def __init__(self, client_id: str, limits: Limits) -> None:
        self.client_id, self.clean = client_id, True
        self.subscriptions: dict[str, int] = {}
        self.received: set[int] = set()
        self.outlet: Outlet | None = None
        self.dropped = 0
        self._limits = limits
        self._queue: deque[Message] = deque()
        self._queued_bytes = 0
        self._inflight: dict[int, Message | None] = {}  # in the order sent; None once the PUBREL has gone out
        self._inflight_bytes = 0
        self._mid = 0

    @property
    def waiting(self) -> int:
        """Messages in the queue."""
        return len(self._queue)

    @property
    def unacknowledged(self) -> int:
        """Messages sent and not finished."""
        return len(self._inflight)

    def attach(self, outlet: Outlet) -> None:
        """Go on over a new connection: first what was not finished, in its order and with DUP, then the queue.

        [MQTT-4.4.0-1, MQTT-4.6.0-1, MQTT-3.3.1-1]
        """
        self.outlet = outlet
        for mid, message in self._inflight.items():
            if message is None:
                outlet.send(encode_ack(PUBREL, mid))
            else:
                outlet.send(
                    encode_publish(message.topic, message.payload, message.qos, mid, retain=message.retain, dup=True)
                )
        self._pull()

    def deliver(self, message: Message) -> bool:
        """Send a message of QoS 1 or 2, or queue it; False when it was dropped because the queue is full."""
        if self.outlet is not None and not self._queue and self._has_room(message):
            self._send(self.outlet, message)
            return True
        size = len(message.payload)
        if len(self._queue) >= self._limits.queue or self._queued_bytes + size > self._limits.queue_bytes:
            self.dropped += 1
            return False
        self._queue.append(message)
        self._queued_bytes += size
        return True

    def on_puback(self, mid: int) -> None:
        """The client has a QoS 1 message. An unknown identifier is ignored: it may be of a session before this one."""
        message = self._inflight.get(mid, _NOTHING)
        if message is _NOTHING:
            return
        if message is None or message.qos != 1:
            raise ProtocolViolation(f"PUBACK for the QoS 2 message {mid}")
        del self._inflight[mid]
        self._inflight_bytes -= len(message.payload)
        self._pull()

    def on_pubrec(self, mid: int) -> None:
        """The client has a QoS 2 message; it is released, also when it is unknown, so that the client can finish."""
        message = self._inflight.get(mid, _NOTHING)
        if message is not _NOTHING and message is not None:
            if message.qos != 2:
                raise ProtocolViolation(f"PUBREC for the QoS 1 message {mid}")
            del self._inflight[mid]
            self._inflight_bytes -= len(message.payload)
            self._inflight[mid] = None  # at the end: PUBRELs are repeated in the order of their PUBRECs
        self._reply(encode_ack(PUBREL, mid))

    def on_pubcomp(self, mid: int) -> None:
        """The client has forgotten a QoS 2 message; see `on_puback`."""
        message = self._inflight.get(mid, _NOTHING)
        if message is _NOTHING:
            return
        if message is not None:
            raise ProtocolViolation(f"PUBCOMP for the message {mid}, which was not released")
        del self._inflight[mid]
        self._pull()

    def _reply(self, data: bytes) -> None:
        if self.outlet is not None:
            self.outlet.send(data)

    def _has_room(self, message: Message) -> bool:
        """Whether the window takes one more; alone, a message may be larger than the window."""
        if not self._inflight:
            return True
        room = self._limits.window_bytes - self._inflight_bytes
        return len(self._inflight) < self._limits.window and len(message.payload) <= room

    def _pull(self) -> None:
        while self.outlet is not None and self._queue and self._has_room(self._queue[0]):
            message = self._queue.popleft()
            self._queued_bytes -= len(message.payload)
            self._send(self.outlet, message)

    def _send(self, outlet: Outlet, message: Message) -> None:
        mid = self._mid % _LAST_MID + 1
        while mid in self._inflight:
            mid = mid % _LAST_MID + 1
        self._mid = mid
        self._inflight[mid] = message
        self._inflight_bytes += len(message.payload)
        outlet.send(encode_publish(message.topic, message.payload, message.qos, mid, retain=message.retain))


_NOTHING = Message(b"", b"", 0, False)
"""Stands for an identifier that is not in flight, where None already means something."""
