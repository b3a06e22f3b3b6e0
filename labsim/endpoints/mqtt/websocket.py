"""WebSocket around MQTT (§6): frames in, MQTT bytes out, and the other way round; no socket."""

from __future__ import annotations

from http import HTTPStatus

from websockets.exceptions import InvalidState
from websockets.frames import CloseCode, Frame, Opcode
from websockets.http11 import Request
from websockets.protocol import State
from websockets.server import ServerProtocol
from websockets.typing import Subprotocol

PATH = "/mqtt"
"""Where the broker lives, as mosquitto and EMQX have it by habit of their clients."""
SUBPROTOCOL = Subprotocol("mqtt")
"""[MQTT-6.0.0-3, -4]."""


class WebSocket:
    """One connection's framing.

    Args:
        path: Where the broker lives; another path is answered 404.
        largest: Bytes of one WebSocket message.

    Attributes:
        refused: Why it cannot go on, in words; "" while it can.
    """

    def __init__(self, path: str, largest: int) -> None:
        self._protocol = ServerProtocol(subprotocols=[SUBPROTOCOL], max_size=largest)
        self._path = path
        self.refused = ""

    def unwrap(self, data: bytes) -> bytes:
        """The MQTT bytes in what has arrived; packets need not be aligned with frames [MQTT-6.0.0-2]."""
        self._protocol.receive_data(data)
        found = []
        for event in self._protocol.events_received():
            if isinstance(event, Request):
                self._answer(event)
            elif isinstance(event, Frame) and event.opcode in (Opcode.BINARY, Opcode.CONT):
                found.append(bytes(event.data))
            elif isinstance(event, Frame) and event.opcode == Opcode.TEXT:  # [MQTT-6.0.0-1]
                self.refused = self.refused or "a text frame; MQTT goes in binary ones"
                self._protocol.fail(CloseCode.UNSUPPORTED_DATA, "MQTT goes in binary frames")
        if self._protocol.state is not State.OPEN and not self.refused and self._protocol.handshake_exc is not None:
            self.refused = f"no WebSocket handshake: {self._protocol.handshake_exc}"
        return b"".join(found)

    def wrap(self, data: bytes) -> None:
        """Put MQTT bytes into a binary frame; nothing once the client has closed."""
        try:
            self._protocol.send_binary(data)
        except InvalidState:
            return  # the closing handshake is under way: nobody would read it

    def close(self) -> None:
        """Begin the closing handshake, if there is anything to close."""
        if self._protocol.state is State.OPEN:
            self._protocol.send_close(CloseCode.NORMAL_CLOSURE)

    def output(self) -> tuple[bytes, bool]:
        """What to send now, and whether the socket is to be closed after it."""
        chunks = self._protocol.data_to_send()
        return b"".join(chunks), b"" in chunks

    def _answer(self, request: Request) -> None:
        if request.path.partition("?")[0] != self._path:
            response = self._protocol.reject(HTTPStatus.NOT_FOUND, f"The broker is at {self._path}\n")
            self.refused = f"the path {request.path[:80]!r}; the broker is at {self._path}"
        else:
            response = self._protocol.accept(request)
            if response.status_code != HTTPStatus.SWITCHING_PROTOCOLS:
                self.refused = f"no WebSocket handshake: {self._protocol.handshake_exc}"
        self._protocol.send_response(response)
