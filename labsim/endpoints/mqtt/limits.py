"""How much of everything one client, and all of them together, may take from a broker."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Limits:
    """The limits of one broker.

    What goes beyond is refused with the reason code in brackets, which a client of 3.1.1 sees as the nearest thing it has:
    a CONNACK code, 0x80 in a SUBACK, or the end of its connection.

    Attributes:
        packet: Bytes of one packet [0x95]; told as Maximum Packet Size.
        connections: Clients at once [0x97].
        sessions: Sessions kept, connected or not [0x97].
        subscriptions: Filters of one session [0x97].
        receive: QoS 2 messages of one client that it has not yet released [0x93]; told as Receive Maximum.
        aliases: Topic aliases of one client [0x94]; told as Topic Alias Maximum.
        rate: PUBLISH packets of one client in a second, with as many at once [0x96]; 0 for any number.
        connects: CONNECT packets in a second, all clients together [0x9F]; 0 for any number.
        keepalive: Longest keep-alive in seconds, told as Server Keep Alive; 0 leaves it to the client.
        expiry: Longest session expiry in seconds; None leaves it to the client.
        window: Messages of QoS 1 and 2 on their way to one client, not yet acknowledged; the rest waits in the queue.
            Wide, because a small one makes a burst overrun the queue of a client that is quick enough.
        window_bytes: Their payloads together; a single message may be larger.
        queue: Messages waiting for one session; more are lost, and evidence tells.
        queue_bytes: Their payloads together.
        retained: Retained messages [0x97].
        retained_bytes: Their payloads together [0x97].
        unread: Bytes that a client has not read from its socket; beyond it the connection is cut.
        connect_s: Seconds from the TCP connection to the CONNECT.
        strangers: Connections that have not sent CONNECT; for a further one the oldest is cut, so that idle sockets
            cannot keep a good client out.
    """

    packet: int = 1 << 20
    connections: int = 1000
    sessions: int = 2000
    subscriptions: int = 1000
    receive: int = 1000
    aliases: int = 100
    rate: int = 0
    connects: int = 0
    keepalive: int = 0
    expiry: int | None = None
    window: int = 10_000
    window_bytes: int = 16 << 20
    queue: int = 10_000
    queue_bytes: int = 16 << 20
    retained: int = 10_000
    retained_bytes: int = 16 << 20
    unread: int = 8 << 20
    connect_s: float = 10.0
    strangers: int = 200
