"""The sockets of the tap: each client's connection is carried to the broker and back, byte for byte."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import cast

from labsim.endpoints.endpoint import Guard, unguarded
from labsim.endpoints.mqtt.tap import Tap, Tapped
from labsim.errors import EvidenceError

_GRACE_S = 2.0
_CONNECT_S = 10.0


class Relay:
    """Listens for clients of one broker.

    Args:
        tap: Sees everything first.
        host: The broker's.
        port: The broker's.
        unreachable: Called when the broker cannot be reached for a client, with why not.
        guard: What the clients' connections stand behind.
    """

    def __init__(
        self, tap: Tap, host: str, port: int, unreachable: Callable[[OSError], None], guard: Guard = unguarded
    ) -> None:
        self.tap, self.host, self.port, self.unreachable = tap, host, port, unreachable
        self._guard = guard
        self.clients: set[_Client] = set()
        self._server: asyncio.Server | None = None

    async def start(self, host: str, port: int) -> int:
        """Listen; the port that was bound.

        Raises:
            OSError: it cannot be had.
        """
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(self._guard(lambda: _Client(self)), host, port)
        bound = int(self._server.sockets[0].getsockname()[1])
        self.tap.name = f"mqtt{bound}"
        return bound

    async def stop(self) -> None:
        """Stop listening and close every connection."""
        if self._server is None:
            return
        self._server.close()
        clients = list(self.clients)
        for client in clients:
            client.stop()
        if clients:
            await asyncio.wait([client.gone for client in clients], timeout=_GRACE_S)
        for client in clients:
            client.abort()
        await self._server.wait_closed()
        self._server = None


class _Client(asyncio.Protocol):
    """The client's side of one connection."""

    transport: asyncio.Transport
    tapped: Tapped

    def __init__(self, relay: Relay) -> None:
        self._relay = relay
        self._loop = asyncio.get_running_loop()
        self._broker: asyncio.Transport | None = None
        self._early = b""  # what a loop hands over although reading is paused
        self._opening: asyncio.Task[None] | None = None
        self.gone: asyncio.Future[None] = self._loop.create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        transport = cast("asyncio.Transport", transport)  # uvloop's is one, but does not derive from it
        self.transport = transport
        self._relay.clients.add(self)
        host, port = (transport.get_extra_info("peername") or ("", 0))[:2]
        try:
            self.tapped = self._relay.tap.open(
                f"[{host}]:{port}" if ":" in host else f"{host}:{port}", self._loop.time()
            )
        except EvidenceError:
            transport.abort()
            return
        transport.pause_reading()  # until the broker is there to take it
        self._opening = self._loop.create_task(self._open())

    async def _open(self) -> None:
        relay = self._relay
        try:
            async with asyncio.timeout(_CONNECT_S):
                transport, _ = await self._loop.create_connection(lambda: _Broker(self), relay.host, relay.port)
        except (OSError, TimeoutError) as error:
            relay.unreachable(error if isinstance(error, OSError) else OSError(0, "it does not answer"))
            self.transport.close()
            return
        if self.transport.is_closing():
            transport.abort()
            return
        self._broker = transport
        if self._early:
            early, self._early = self._early, b""
            self.data_received(early)
        self.transport.resume_reading()

    def data_received(self, data: bytes) -> None:
        if self._broker is None:
            self._early += data
            self.transport.pause_reading()
            return
        if self._keeping(lambda: self.tapped.client_sent(data, self._loop.time())):
            self._broker.write(data)

    def from_broker(self, data: bytes) -> None:
        """Carry what the broker says."""
        if self._keeping(lambda: self.tapped.broker_sent(data, self._loop.time())):
            self.transport.write(data)

    def broker_gone(self) -> None:
        """The broker has closed its side."""
        self._keeping(lambda: self.tapped.broker_gone(self._loop.time()))
        self.transport.close()
        if self.transport.get_write_buffer_size():
            self._loop.call_later(_GRACE_S, self.transport.abort)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - how a socket went is no matter
        self._relay.clients.discard(self)
        if self._opening is not None:
            self._opening.cancel()
        if hasattr(self, "tapped"):
            self._keeping(lambda: self.tapped.client_gone(self._loop.time()))
        if self._broker is not None:
            self._broker.close()
        self.gone.set_result(None)

    def stop(self) -> None:
        """The endpoint stops."""
        if hasattr(self, "tapped"):
            self._keeping(lambda: self.tapped.stop(self._loop.time()))
        self.transport.close()

    def abort(self) -> None:
        """Close at once what is still open."""
        self.transport.abort()
        if self._broker is not None:
            self._broker.abort()

    def pause_writing(self) -> None:
        """The client does not read: do not read what the broker has for it."""
        if self._broker is not None:
            self._broker.pause_reading()

    def resume_writing(self) -> None:
        if self._broker is not None:
            self._broker.resume_reading()

    def _keeping(self, work: Callable[[], None]) -> bool:
        """Whether the evidence could be kept; what could not be is not carried, and its connection ends."""
        try:
            work()
        except EvidenceError:
            self.transport.abort()
            if self._broker is not None:
                self._broker.abort()
            return False
        return True


class _Broker(asyncio.Protocol):
    """The broker's side of one connection."""

    def __init__(self, client: _Client) -> None:
        self._client = client

    def data_received(self, data: bytes) -> None:
        self._client.from_broker(data)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - how a socket went is no matter
        self._client.broker_gone()

    def pause_writing(self) -> None:
        """The broker does not read: do not read what the client has for it."""
        self._client.transport.pause_reading()

    def resume_writing(self) -> None:
        self._client.transport.resume_reading()
