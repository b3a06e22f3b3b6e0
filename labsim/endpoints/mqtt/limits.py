"""How much of everything one client, and all of them together, may take from a broker."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Limits:
    """The limits of one broker.

    Attributes:
        packet: Bytes of one packet; a larger one closes the connection.
        connections: Clients at once; a further one is refused with code 3.
        sessions: Sessions kept, connected or not; beyond it a new client is refused with code 3.
        subscriptions: Filters of one session; a further one is answered 0x80.
        window: Messages of QoS 1 and 2 on their way to one client, not yet acknowledged; the rest waits in the queue.
            Wide, because a small one makes a burst overrun the queue of a client that is quick enough.
        window_bytes: Their payloads together; a single message may be larger.
        queue: Messages waiting for one session.
        queue_bytes: Their payloads together.
        retained: Retained messages.
        retained_bytes: Their payloads together.
        unread: Bytes that a client has not read from its socket; beyond it the connection is cut.
        connect_s: Seconds from the TCP connection to the CONNECT.
    """

    packet: int = 1 << 20
    connections: int = 500
    sessions: int = 1000
    subscriptions: int = 1000
    window: int = 10_000
    window_bytes: int = 16 << 20
    queue: int = 10_000
    queue_bytes: int = 16 << 20
    retained: int = 10_000
    retained_bytes: int = 16 << 20
    unread: int = 8 << 20
    connect_s: float = 10.0
