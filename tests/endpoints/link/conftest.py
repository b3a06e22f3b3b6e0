"""An echo server behind a link, which remembers what it has seen, and plain clients from chosen addresses."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest

from labsim.endpoints.link.link import Link


async def until(condition: Callable[[], Any]) -> None:
    """Give the event loop its turns until ``condition`` holds."""
    async with asyncio.timeout(60):
        while not condition():  # noqa: ASYNC110 - what is waited for has no event of its own
            await asyncio.sleep(0.001)


class Echo(asyncio.Protocol):
    """One connection of the server: says ``made``, each piece of data, ``eof`` and ``lost``, and sends the data back."""

    def __init__(self, seen: list[Any], connections: list[Echo]) -> None:
        self.seen = seen
        self.waiting = False
        connections.append(self)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """A client is there."""
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        self.seen.append(("made", transport.get_extra_info("peername")[0]))

    def data_received(self, data: bytes) -> None:
        """Send it back."""
        self.seen.append(data)
        self.transport.write(data)

    def eof_received(self) -> None:
        """The client has sent all."""
        self.seen.append("eof")

    def pause_writing(self) -> None:
        """Told to wait."""
        self.waiting = True

    def resume_writing(self) -> None:
        """Told to go on."""
        self.waiting = False

    def connection_lost(self, exc: Exception | None) -> None:
        """The client is gone."""
        self.seen.append(("lost", type(exc).__name__ if exc else ""))


class Bench:
    """The server, its link and its clients."""

    def __init__(self) -> None:
        self.link = Link(seed="bench")
        self.seen: list[Any] = []
        self.connections: list[Echo] = []
        self._writers: list[asyncio.StreamWriter] = []

    async def start(self) -> None:
        """Listen."""
        loop = asyncio.get_running_loop()
        factory = self.link.guard(lambda: Echo(self.seen, self.connections))
        self.server = await loop.create_server(factory, "127.0.0.1", 0)
        self.port = self.server.sockets[0].getsockname()[1]

    async def client(self, host: str = "127.0.0.1") -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """A client that the server sees as ``host``."""
        streams = await asyncio.open_connection("127.0.0.1", self.port, local_addr=(host, 0))
        self._writers.append(streams[1])
        return streams

    async def stop(self) -> None:
        """Close everything."""
        self.link.shut()
        self.server.close()
        for echo in self.connections:
            if hasattr(echo, "transport"):
                echo.transport.abort()
        for writer in self._writers:
            writer.transport.abort()


@pytest.fixture
async def bench() -> AsyncIterator[Bench]:
    """An echo server behind a good link."""
    bench = Bench()
    await bench.start()
    yield bench
    await bench.stop()
