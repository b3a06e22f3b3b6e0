"""A socket whose MQTT bytes travel in WebSocket frames."""

from __future__ import annotations

import asyncio

from labsim.endpoints.mqtt.link import GRACE_S, Link
from labsim.endpoints.mqtt.websocket import PATH, WebSocket


class WebLink(Link):
    """A `Link` with the framing between its socket and its connection."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """See `Link`."""
        self._web = WebSocket(PATH, 2 * self._shell.broker.limits.packet)
        super().connection_made(transport)

    def data_received(self, data: bytes) -> None:
        """A segment of frames has arrived."""
        found = self._web.unwrap(data)
        if found:
            self.connection.receive(found, self._time())
        self._shell.flush()
        if self._web.refused:
            self.connection.refuse(self._web.refused)
            self._shell.flush()
        self._send()
        self._arm()

    def write(self, data: bytes) -> None:
        """Send MQTT bytes in a frame."""
        self._web.wrap(data)
        self._send()

    def close(self, *, told: bool) -> None:  # noqa: ARG002 - a WebSocket is always closed in good order
        """Begin the closing handshake; the socket is closed when the client has answered, or does not."""
        self._web.close()
        self._send()
        asyncio.get_running_loop().call_later(GRACE_S, self.transport.close)

    def _send(self) -> None:
        data, over = self._web.output()
        if data and not self.transport.is_closing():
            self.transport.write(data)
        if over:
            self.linger()
