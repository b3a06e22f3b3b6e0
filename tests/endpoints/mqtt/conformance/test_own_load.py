"""A good client is answered whatever others do."""

from __future__ import annotations

import os
import socket
import struct

import pytest

from labsim.endpoints.mqtt.limits import Limits

LINGER_0 = struct.pack("ii" if os.name == "posix" else "hh", 1, 0)
"""Close with a reset."""


def room_for(files: int) -> None:
    """Skip where the system does not allow so many sockets in one process."""
    resource = pytest.importorskip("resource")
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    if most != resource.RLIM_INFINITY and most < files:
        pytest.skip(f"only {most} open files are allowed here")


def good(writer, reader, mid: int) -> None:
    """One message of QoS 1 from end to end; an answer that does not come raises after the client's patience."""
    writer.publish("good", str(mid).encode(), 1, mid)
    got = reader.expect("publish")
    assert got.payload == str(mid).encode()
    reader.ack("puback", got.mid)


def test_500_idle_connections(own):
    """With 500 connected clients that say nothing, and 150 sockets that never connect, a good client is served."""
    room_for(1500)
    with own() as host:
        reader, writer = host.client("reader"), host.client("writer", 4)
        reader.subscribe(("good", 1))
        for number in range(500):
            host.client(f"idle{number}", 4 + number % 2)
            if number % 100 == 0:
                good(writer, reader, number + 1)
        strangers = [host.peer() for _ in range(150)]
        good(writer, reader, 999)
        assert len(host.endpoint.broker.connected) == 502
        late = host.client("late")
        assert late.sync() == []
        assert strangers[-1].connect("x").code == 0


def test_slow_readers_and_half_packets(own):
    """Clients that never read what they subscribed to, that send half a packet, or vanish without a word, harm nobody."""
    with own(limits=Limits(unread=100_000)) as host:
        reader, writer = host.client("reader"), host.client("writer", 4)
        reader.subscribe(("good", 1))
        for number in range(20):
            slow = host.client(f"slow{number}", 4 + number % 2)
            slow.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            slow.subscribe(("flood", number % 2))
            half = host.client(f"half{number}", 5)
            half.send(half.publish_bytes("good", b"x" * 1000)[:500])
            reset = host.client(f"reset{number}", 4)
            reset.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, LINGER_0)
            reset.send(b"\x30\x7f").socket.close()
        for mid in range(1, 101):
            writer.publish("flood", b"x" * 100_000, 1, 30_000 + mid)
            good(writer, reader, mid)
        for number in range(20):
            assert host.wait_for("drop", app=f"slow{number}").detail["reason"] == "the client does not read"


def test_a_flood_of_garbage(own):
    """Sockets full of noise are closed one by one, and a good client is served between them."""
    with own() as host:
        reader, writer = host.client("reader"), host.client("writer")
        reader.subscribe(("good", 1))
        for number in range(1, 51):
            noise = bytes((number * step + 7) & 0xFF for step in range(300))
            host.peer().send(noise)
            host.client(f"n{number}", 4 + number % 2).send(noise)
            good(writer, reader, number)
