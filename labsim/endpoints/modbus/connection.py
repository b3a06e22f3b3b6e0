"""One TCP connection: bytes in, frames out, and its life as evidence. A thin shell around `Application`."""

from __future__ import annotations

import logging
from itertools import count
from typing import Any

from pymodbus.transport import CommParams, CommType, ModbusProtocol

from labsim.endpoints.modbus.application import Application, Peer
from labsim.endpoints.modbus.frame import FrameBuffer, framed
from labsim.errors import EvidenceError
from labsim.evidence.event import Event, Sink

_log = logging.getLogger(__name__)
_sessions = count(1)  # over all endpoints of the process, so that a name never comes twice in a journal's epoch
_TURN = 128  # frames answered before the plant and other clients get their turn
_BACKLOG = 65536  # bytes of answers a client may leave unread


class Connection(ModbusProtocol):  # type: ignore[misc]  # pymodbus's transport is untyped for us
    """The server's side of one connection.

    All complete frames of a segment are answered in one write. A stream that is not Modbus is hung up on; so is a client
    that sends requests and does not read the answers.
    """

    def __init__(self, application: Application, sink: Sink) -> None:
        super().__init__(CommParams(comm_name="modbus", comm_type=CommType.TCP, source_address=("", 0)), is_server=True)
        self._application, self._sink = application, sink
        self._peer = Peer("", f"modbus-{next(_sessions)}")
        self._frames = FrameBuffer()
        self._opened = self._ended = False

    def callback_connected(self) -> None:
        """Called by the transport when the client is there."""
        if self._ended:  # hung up between being accepted and being made
            self.transport.abort()
            return
        self._opened = True
        address = self.transport.get_extra_info("peername")
        self._peer = Peer(host_port(*address[:2]) if address else "", self._peer.session)
        if not self._tell("open"):
            self.hang_up("evidence lost")

    def callback_disconnected(self, exc: Exception | None) -> None:
        """Called by the transport when the connection is gone; says so unless we hung up ourselves."""
        self._end(f"connection lost: {exc}" if exc else "closed by client")

    def data_received(self, data: bytes) -> None:
        """Called by the event loop with what has arrived."""
        self._frames.feed(data)
        self._answer()

    def hang_up(self, reason: str, *, now: bool = False) -> None:
        """End the connection; ``now`` throws away answers that the client has not read."""
        if not self._ended:
            self._end(reason)
            if now and self.transport is not None:
                self.transport.abort()
            else:
                self.close()

    def _answer(self) -> None:
        """Answer what is complete, up to a turn; the rest in a later turn of the event loop."""
        if self._ended:
            return
        frames, answers, kept = self._frames.take(_TURN), [], True
        for transaction, unit, pdu in frames:
            try:
                response = self._application.respond(self._peer, unit, pdu)
            except EvidenceError as error:
                _log.error("%s: no answer, because it could not be kept: %s", self._peer.client, error)
                kept = False
                break
            if response is not None:
                answers.append(framed(transaction, unit, response))
        if answers:
            self.transport.write(b"".join(answers))
        if not kept:
            self.hang_up("evidence lost")
        elif self._frames.fault:
            self._tell("reject", reason=self._frames.fault, bytes=self._frames.head().hex())
            self.hang_up("not Modbus")
        elif self.transport.get_write_buffer_size() > _BACKLOG:
            self.hang_up("client does not read", now=True)
        elif len(frames) == _TURN:
            self.transport.pause_reading()
            self.loop.call_soon(self._answer)
        elif not self.transport.is_reading():
            self.transport.resume_reading()

    def _end(self, reason: str) -> None:
        if not self._ended:
            self._ended = True
            if self._opened:
                self._tell("close", reason=reason)

    def _tell(self, kind: str, **detail: Any) -> bool:
        """Whether the event was kept."""
        try:
            peer = self._peer
            self._sink(Event(kind=kind, protocol="modbus", client=peer.client, session=peer.session, detail=detail))
        except EvidenceError as error:
            _log.error("%s: '%s' could not be kept: %s", self._peer.client, kind, error)
            return False
        return True


def host_port(host: str, port: int) -> str:
    """``ip:port``, with an IPv6 address in brackets."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
