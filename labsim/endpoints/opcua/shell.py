"""The asyncio shell of a core: listens, feeds bytes in, runs the timers, bounds what a slow peer can pile up."""

from __future__ import annotations

import asyncio
from typing import cast

from labsim.endpoints.endpoint import Guard, unguarded
from labsim.endpoints.opcua.core.connection import Connection
from labsim.endpoints.opcua.core.server import Server
from labsim.endpoints.opcua.core.status import S
from labsim.endpoints.opcua.core.transport import error_message

_MAX_UNSENT = 8 * 1024 * 1024  # bytes a peer may leave unread before it is cut
_WAITING = 512  # connections the system may hold for us before they are accepted
_TIMER_GRAIN_S = 0.0005


class _Peer(asyncio.Protocol):
    """One socket."""

    def __init__(self, core: Server) -> None:
        self._core = core
        self._connection: Connection | None = None
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        transport = cast("asyncio.Transport", transport)  # uvloop's is one, but does not derive from it
        self._transport = transport
        if not self._core.admit():
            transport.write(error_message(int(S.BadTcpNotEnoughResources), "too many connections"))
            transport.close()
            return
        host, port = (transport.get_extra_info("peername") or ("?", 0))[:2]
        peer = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
        self._connection = Connection(self._core, peer, self._write, self._hang_up)

    def _write(self, data: bytes) -> None:
        transport = self._transport
        if transport is None or transport.is_closing():
            return
        transport.write(data)
        if transport.get_write_buffer_size() > _MAX_UNSENT and self._connection is not None:
            transport.abort()
            self._connection.close("the client does not read its answers")

    def _hang_up(self, drop: bool) -> None:
        if self._transport is not None:
            self._transport.abort() if drop else self._transport.close()

    def pause_writing(self) -> None:
        """The peer does not read: do not read its requests either."""
        if self._transport is not None and not self._transport.is_closing():
            self._transport.pause_reading()

    def resume_writing(self) -> None:
        if self._transport is not None and not self._transport.is_closing():
            self._transport.resume_reading()

    def data_received(self, data: bytes) -> None:
        if self._connection is not None:
            self._connection.feed(data)

    def connection_lost(self, exc: Exception | None) -> None:
        if self._connection is not None:
            self._connection.close("the connection broke" if exc else "the client hung up")


class Shell:
    """Runs one core on a TCP port, its connections behind ``guard``."""

    def __init__(self, core: Server, guard: Guard = unguarded) -> None:
        self._core, self._guard = core, guard
        self._listener: asyncio.Server | None = None
        self._timer: asyncio.TimerHandle | None = None

    async def start(self, host: str, port: int) -> int:
        """Listen; the port that was bound.

        Raises:
            OSError: it cannot be had.
        """
        loop = asyncio.get_running_loop()
        self._listener = await loop.create_server(self._guard(lambda: _Peer(self._core)), host, port, backlog=_WAITING)
        self._core.timers.rearm = self._arm
        self._arm()
        return int(self._listener.sockets[0].getsockname()[1])

    def _arm(self) -> None:
        """Sleep until the earliest timer."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        due = self._core.timers.next_due()
        if due is not None:
            delay = max(0.0, due - self._core.monotonic())
            self._timer = asyncio.get_running_loop().call_later(delay, self._tick)

    def _tick(self) -> None:
        timers, self._timer = self._core.timers, None
        timers.rearm = lambda: None  # once at the end is enough
        timers.tick(self._core.monotonic() + _TIMER_GRAIN_S)
        timers.rearm = self._arm
        self._arm()

    async def stop(self) -> None:
        """Close the port and every connection."""
        if self._listener is not None:
            self._listener.close()
        for connection in list(self._core.connections):
            connection.dismiss(int(S.BadShutdown), "endpoint closed")
        self._core.timers.rearm = lambda: None
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._listener is not None:
            await self._listener.wait_closed()
            self._listener = None
