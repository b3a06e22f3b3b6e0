"""The asyncio shell of a broker: sockets and the clock, nothing of MQTT."""

from __future__ import annotations

import asyncio
import errno
import ssl
from collections.abc import Sequence
from dataclasses import dataclass

from labsim.endpoints.endpoint import Guard, unguarded
from labsim.endpoints.mqtt.broker import Broker
from labsim.endpoints.mqtt.connection import Connection
from labsim.endpoints.mqtt.link import GRACE_S, Link
from labsim.errors import EndpointError

_HANDSHAKE_S = 10.0


@dataclass(frozen=True, slots=True)
class Listener:
    """One way in: a port, behind TLS or not, MQTT on the bare stream or in WebSocket frames."""

    port: int
    tls: ssl.SSLContext | None = None
    web: bool = False

    @property
    def scheme(self) -> str:
        """As URLs name it."""
        return ("ws" if self.web else "mqtt") + ("s" if self.tls else "")


class Shell:
    """Listens for one broker and carries its bytes, its connections behind ``guard``."""

    def __init__(self, broker: Broker, guard: Guard = unguarded) -> None:
        self.broker, self._guard = broker, guard
        self.links: dict[Connection, Link] = {}
        self._servers: list[asyncio.Server] = []
        self._timer: asyncio.TimerHandle | None = None
        self._timer_due = 0.0  # kept here: a loop may round what a timer's `when` says

    async def start(self, host: str, listeners: Sequence[Listener]) -> list[int]:
        """Listen, and return the port of each listener (a free one for 0).

        Raises:
            EndpointError: an address cannot be had.
        """
        loop = asyncio.get_running_loop()
        ports: list[int] = []
        try:
            for listener in listeners:
                server = await self._listen(loop, host, listener)
                self._servers.append(server)
                ports.append(int(server.sockets[0].getsockname()[1]))
            self.broker.name = f"mqtt{ports[0]}"
            for server in self._servers:
                await server.start_serving()
        except OSError as error:
            await self.stop()
            why = "is in use" if error.errno == errno.EADDRINUSE else f"cannot be had ({error.strerror or error})"
            port = listeners[min(len(ports), len(listeners) - 1)].port
            raise EndpointError(
                f"mqtt: the address {host}:{port} {why}; close the program that holds it, or choose other ports with "
                "--port-base."
            ) from None
        return ports

    async def _listen(self, loop: asyncio.AbstractEventLoop, host: str, listener: Listener) -> asyncio.Server:
        kind: type[Link] = Link
        if listener.web:  # only now: the library behind it takes its time to import
            from labsim.endpoints.mqtt.weblink import WebLink

            kind = WebLink
        handshake = _HANDSHAKE_S if listener.tls else None
        return await loop.create_server(
            self._guard(lambda: kind(self, loop.time, listener.scheme)), host, listener.port, start_serving=False,
            ssl=listener.tls, ssl_handshake_timeout=handshake,
        )  # fmt: skip

    async def stop(self) -> None:
        """Stop listening and close every connection."""
        for server in self._servers:
            server.close()
        links = list(self.links.values())
        for link in links:
            link.connection.stop()
        self.flush()
        for link in links:
            link.transport.close()
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if links:
            await asyncio.wait([link.gone for link in links], timeout=GRACE_S)
        for link in list(self.links.values()):
            link.transport.abort()
        for server in self._servers:
            await server.wait_closed()
        self._servers.clear()

    def flush(self) -> None:
        """Send what the broker has to say, one write per connection, and close what has ended."""
        for connection, data in self.broker.outgoing():
            link = self.links.get(connection)
            if link is not None:
                link.carry(data)
        due, timer = self.broker.deadline, self._timer
        if due is not None and (timer is None or due < self._timer_due):
            if timer is not None:
                timer.cancel()
            self._timer_due = due
            self._timer = asyncio.get_running_loop().call_at(due, self._due)

    def _due(self) -> None:
        self._timer = None
        self.broker.check(asyncio.get_running_loop().time())
        self.flush()
