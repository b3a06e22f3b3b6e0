"""The asyncio shell of a broker: sockets and the clock, nothing of MQTT."""

from __future__ import annotations

import asyncio
import errno
from collections.abc import Callable

from labsim.endpoints.mqtt.broker import Broker
from labsim.endpoints.mqtt.connection import Connection
from labsim.errors import EndpointError

_GRACE_S = 2.0
"""How long a closed socket may take to hand over what was still to be sent."""


class Shell:
    """Listens for one broker and carries its bytes."""

    def __init__(self, broker: Broker) -> None:
        self.broker = broker
        self.links: dict[Connection, _Link] = {}
        self._server: asyncio.Server | None = None

    async def start(self, host: str, port: int) -> int:
        """Listen, and return the port (a free one for 0).

        Raises:
            EndpointError: the address cannot be had.
        """
        loop = asyncio.get_running_loop()
        try:
            server = await loop.create_server(lambda: _Link(self, loop.time), host, port, start_serving=False)
            port = int(server.sockets[0].getsockname()[1])
            self.broker.name = f"mqtt{port}"
            await server.start_serving()
        except OSError as error:
            why = "is in use" if error.errno == errno.EADDRINUSE else f"cannot be had ({error.strerror or error})"
            raise EndpointError(
                f"mqtt: the address {host}:{port} {why}; close the program that holds it, or choose other ports with "
                "--port-base."
            ) from None
        self._server = server
        return port

    async def stop(self) -> None:
        """Stop listening and close every connection."""
        if self._server is None:
            return
        self._server.close()
        links = list(self.links.values())
        for link in links:
            link.connection.stop()
        self.flush()
        if links:
            await asyncio.wait([link.gone for link in links], timeout=_GRACE_S)
        for link in self.links.values():
            link.transport.abort()
        await self._server.wait_closed()
        self._server = None

    def flush(self) -> None:
        """Send what the broker has to say, one write per connection, and close what has ended."""
        for connection, data in self.broker.outgoing():
            link = self.links.get(connection)
            if link is not None:
                link.carry(data)


class _Link(asyncio.Protocol):
    """One socket."""

    transport: asyncio.Transport
    connection: Connection

    def __init__(self, shell: Shell, time: Callable[[], float]) -> None:
        self._shell, self._time = shell, time
        self._timer: asyncio.TimerHandle | None = None
        self.gone: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        peer = transport.get_extra_info("peername")
        self.transport = transport
        client = "" if not peer else f"[{peer[0]}]:{peer[1]}" if ":" in peer[0] else f"{peer[0]}:{peer[1]}"
        self.connection = self._shell.broker.open(client, self._time())
        self._shell.links[self.connection] = self
        self._arm()
        self._shell.flush()

    def data_received(self, data: bytes) -> None:
        self.connection.receive(data, self._time())
        self._shell.flush()
        self._arm()

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - how a socket went is no matter
        self._shell.links.pop(self.connection, None)
        if self._timer is not None:
            self._timer.cancel()
        self.connection.end()
        self._shell.flush()
        self.gone.set_result(None)

    def carry(self, data: bytes) -> None:
        """Write, and close when the connection has ended.

        What counts as unread is what is left of earlier writes: one burst, such as a greeting of retained messages, may be
        larger than the limit without its client being slow.
        """
        if self.transport.get_write_buffer_size() > self._shell.broker.limits.unread and not self.connection.ended:
            self.connection.cut()
            self.transport.abort()
            return
        if data:
            self.transport.write(data)
        if self.connection.ended:
            self.transport.close()
            if self.transport.get_write_buffer_size():  # a client that never reads must not keep the socket open
                asyncio.get_running_loop().call_later(_GRACE_S, self.transport.abort)

    def _arm(self) -> None:
        """Set the timer if the deadline is sooner than it; when it runs out early it is set again."""
        deadline = self.connection.deadline
        if deadline is None or (self._timer is not None and self._timer.when() <= deadline):
            return
        if self._timer is not None:
            self._timer.cancel()
        self._timer = asyncio.get_running_loop().call_at(deadline, self._due)

    def _due(self) -> None:
        self._timer = None
        self.connection.check(self._time())
        self._shell.flush()
        self._arm()
