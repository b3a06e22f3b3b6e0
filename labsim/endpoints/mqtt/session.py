"""The state a broker keeps for one client id: subscriptions, the queue, what is on its way in both directions (§4.1, §4.3)."""

from __future__ import annotations

from collections import deque
from typing import Protocol

import msgspec

from labsim.endpoints.mqtt.encode import encode_ack
from labsim.endpoints.mqtt.limits import Limits
from labsim.endpoints.mqtt.packet import LEVEL_5, PUBREL, ProtocolViolation
from labsim.endpoints.mqtt.reason import PROTOCOL_ERROR, UNKNOWN_IDENTIFIER

_LAST_MID = 65535


class Message(msgspec.Struct, frozen=True, gc=False):
    """An application message for one receiver.

    Attributes:
        topic: As an encoded string.
        payload: Its bytes.
        qos: At which it is delivered.
        retain: The flag it is delivered with.
        properties: Of version 5, as the publisher gave them, encoded without length.
        expires: Monotonic seconds after which nobody new gets it; None for never.
        identifiers: Of the subscriptions it is for, encoded as properties.
    """

    topic: bytes
    payload: bytes
    qos: int
    retain: bool
    properties: bytes = b""
    expires: float | None = None
    identifiers: bytes = b""


class Subscription(msgspec.Struct, frozen=True, gc=False):
    """What a session asked for with one filter; ``identifier`` is 0 when there is none."""

    qos: int
    no_local: bool = False
    as_published: bool = False
    identifier: int = 0


class Outlet(Protocol):
    """The connection as a session sees it.

    Attributes:
        level: Version of the protocol.
        window: How many messages of QoS 1 and 2 may be on their way to it.
        now: The monotonic time.
    """

    level: int
    window: int

    @property
    def now(self) -> float:
        """The monotonic time in seconds."""
        ...

    def send(self, data: bytes) -> None:
        """Put bytes into the connection's output."""
        ...

    def publish(self, message: Message, mid: int = 0, *, dup: bool = False) -> bool:
        """Put a message into the output; False when it is larger than the client takes."""
        ...


class Session:
    """One session.

    Args:
        client_id: Whose it is.
        limits: Length of the queue and of the window.

    Attributes:
        user: The authenticated user it serves.
        expiry: Seconds it outlives its connection; None for ever, 0 not at all.
        subscriptions: By filter.
        received: Packet identifiers of QoS 2 messages that came in and are not yet released (§4.3.3).
        outlet: The connection while there is one.
        dropped: Messages lost because the queue was full.
    """

    def __init__(self, client_id: str, limits: Limits) -> None:
        self.client_id, self.user = client_id, ""
        self.expiry: float | None = 0
        self.subscriptions: dict[str, Subscription] = {}
        self.received: set[int] = set()
        self.outlet: Outlet | None = None
        self.dropped = 0
        self._limits = limits
        self._queue: deque[Message] = deque()
        self._queued_bytes = 0
        self._inflight: dict[int, Message | None] = {}  # in the order sent; None once the PUBREL has gone out
        self._inflight_bytes = 0
        self._repeat: deque[int] = deque()  # in flight since an earlier connection, not yet repeated on this one
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
        self._repeat = deque(self._inflight)
        self._pull()

    def deliver(self, message: Message) -> bool:
        """Send a message of QoS 1 or 2, or queue it; False when it was dropped because the queue is full."""
        outlet = self.outlet
        if outlet is not None and not self._queue and self._has_room(outlet, message):
            self._send(outlet, message)
            return True
        size = len(message.payload)
        if len(self._queue) >= self._limits.queue or self._queued_bytes + size > self._limits.queue_bytes:
            self.dropped += 1
            return False
        self._queue.append(message)
        self._queued_bytes += size
        return True

    def on_puback(self, mid: int) -> None:
        """The client has, or refuses, a QoS 1 message. An unknown identifier is ignored: it may be of an earlier session."""
        message = self._inflight.get(mid, _NOTHING)
        if message is _NOTHING:
            return
        if message is None or message.qos != 1:
            raise ProtocolViolation(f"PUBACK for the QoS 2 message {mid}", PROTOCOL_ERROR)
        self._finish(mid, message)

    def on_pubrec(self, mid: int, code: int) -> None:
        """The client has a QoS 2 message; it is released, also when it is unknown, so that the client can finish.

        A code of 0x80 or more refuses the message, which ends it (version 5 §4.3.3).
        """
        message = self._inflight.get(mid, _NOTHING)
        if message is not _NOTHING and message is not None:
            if message.qos != 2:
                raise ProtocolViolation(f"PUBREC for the QoS 1 message {mid}", PROTOCOL_ERROR)
            if code >= 0x80:
                self._finish(mid, message)
                return
            del self._inflight[mid]
            self._inflight_bytes -= len(message.payload)
            self._inflight[mid] = None  # at the end: PUBRELs are repeated in the order of their PUBRECs
        elif code >= 0x80:
            return
        if self.outlet is not None:
            unknown = message is _NOTHING and self.outlet.level == LEVEL_5
            self.outlet.send(encode_ack(PUBREL, mid, UNKNOWN_IDENTIFIER if unknown else 0))

    def on_pubcomp(self, mid: int) -> None:
        """The client has forgotten a QoS 2 message; see `on_puback`."""
        message = self._inflight.get(mid, _NOTHING)
        if message is _NOTHING:
            return
        if message is not None:
            raise ProtocolViolation(f"PUBCOMP for the message {mid}, which was not released", PROTOCOL_ERROR)
        del self._inflight[mid]
        self._pull()

    def _finish(self, mid: int, message: Message) -> None:
        del self._inflight[mid]
        self._inflight_bytes -= len(message.payload)
        self._pull()

    def _has_room(self, outlet: Outlet, message: Message) -> bool:
        """Whether the window takes one more; alone, a message may be larger than the window [MQTT-3.3.4-9]."""
        if not self._inflight:
            return True
        if self._repeat:
            return False
        room = self._limits.window_bytes - self._inflight_bytes
        return len(self._inflight) < outlet.window and len(message.payload) <= room

    def _pull(self) -> None:
        outlet = self.outlet
        if outlet is None:
            return
        while self._repeat and len(self._inflight) - len(self._repeat) < outlet.window:
            self._again(outlet, self._repeat.popleft())
        while self._queue and self._has_room(outlet, self._queue[0]):
            message = self._queue.popleft()
            self._queued_bytes -= len(message.payload)
            if message.expires is None or message.expires > outlet.now:  # [MQTT-3.3.2-5]
                self._send(outlet, message)

    def _again(self, outlet: Outlet, mid: int) -> None:
        """Repeat what an earlier connection left unfinished."""
        message = self._inflight.get(mid, _NOTHING)
        if message is None:
            outlet.send(encode_ack(PUBREL, mid))
        elif message is not _NOTHING and not outlet.publish(message, mid, dup=True):
            del self._inflight[mid]
            self._inflight_bytes -= len(message.payload)

    def _send(self, outlet: Outlet, message: Message) -> None:
        mid = self._mid % _LAST_MID + 1
        while mid in self._inflight:
            mid = mid % _LAST_MID + 1
        if not outlet.publish(message, mid):
            return  # larger than the client takes: as if it were delivered [MQTT-3.1.2-25]
        self._mid = mid
        self._inflight[mid] = message
        self._inflight_bytes += len(message.payload)


_NOTHING = Message(b"", b"", 0, False)
"""Stands for an identifier that is not in flight, where None already means something."""
