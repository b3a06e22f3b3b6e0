"""One connection: bytes in, frames out, and its life as evidence. A thin shell around `Application`."""

from __future__ import annotations

import logging
import socket
from collections.abc import Callable
from dataclasses import dataclass
from itertools import count
from typing import Any, Protocol

from pymodbus.transport import CommParams, CommType, ModbusProtocol

from labsim.endpoints.modbus import frame, rtu
from labsim.endpoints.modbus.application import Application, Peer
from labsim.endpoints.modbus.frame import Frame, FrameBuffer
from labsim.endpoints.modbus.rtu import RtuBuffer
from labsim.errors import EvidenceError
from labsim.evidence.event import Event, Sink

_log = logging.getLogger(__name__)
_sessions = count(1)  # over all endpoints of the process, so that a name never comes twice in a journal's epoch
_TURN = 128  # frames answered before the plant and other clients get their turn
_SILENCE_S = 0.05  # on a serial line; 3.5 characters at 1200 baud are 32 ms, and a desktop's timers are no better


class Buffer(Protocol):
    """Bytes that are not yet cut into frames; `FrameBuffer` says what each member means."""

    fault: str
    pending: bool

    def feed(self, data: bytes) -> None:
        """Append what has arrived."""
        ...

    def take(self, most: int) -> list[Frame]:
        """The next complete frames, at most ``most``."""
        ...

    def head(self, size: int = 16) -> bytes:
        """The first bytes that are not a frame (yet)."""
        ...

    def silence(self) -> None:
        """Nothing has come for a while."""
        ...

    def heard_noise(self) -> int:
        """Bytes that were no frame since the last call."""
        ...


@dataclass(frozen=True, slots=True)
class Manner:
    """How a connection behaves.

    Attributes:
        buffer: Makes the buffer that cuts its bytes into frames.
        framed: Puts a response into a frame.
        broadcast: Unit 0 is everybody, and gets no answer.
        line: Name of a serial line, whose silence ends a frame; empty for TCP.
        delay_s: Wall seconds taken for each request.
        backlog: Bytes of answers that may be left unread.
    """

    buffer: Callable[[], Buffer] = FrameBuffer
    framed: Callable[[int, int, bytes], bytes] = frame.framed
    broadcast: bool = False
    line: str = ""
    delay_s: float = 0.0
    backlog: int = 65536


def rtu_manner(line: str = "", delay_s: float = 0.0, backlog: int = 65536) -> Manner:
    """RTU frames, over TCP or on the serial line of that name."""
    return Manner(RtuBuffer, rtu.framed, broadcast=True, line=line, delay_s=delay_s, backlog=backlog)


class Connection(ModbusProtocol):  # type: ignore[misc]  # pymodbus's transport is untyped for us
    """The server's side of one connection.

    All complete frames of a segment are answered in one write. A stream that is not Modbus is hung up on; so is a client
    that sends requests and does not read the answers.

    Args:
        application: Answers the requests.
        sink: Gets the life of the connection.
        manner: How it behaves.
        admit: Asked when the client is there: who it is, and whether it is let in ("" is yes). A connection that is left
            to hang says "hang".
        gone: Told when it has ended.

    Attributes:
        active: Something has arrived since somebody set it to False.
    """

    def __init__(
        self,
        application: Application,
        sink: Sink,
        manner: Manner | None = None,
        admit: Callable[[Connection, Peer], tuple[Peer, str]] | None = None,
        gone: Callable[[Connection], None] | None = None,
    ) -> None:
        super().__init__(CommParams(comm_name="modbus", comm_type=CommType.TCP, source_address=("", 0)), is_server=True)
        self._application, self._sink = application, sink
        self._manner, self._admit, self._gone = manner or Manner(), admit, gone
        self._peer = Peer("", f"modbus-{next(_sessions)}")
        self._frames = self._manner.buffer()
        self._framed = self._manner.framed
        self._opened = self._ended = self._hanging = self._waiting = self._paused = False
        self._line, self._delay_s = self._manner.line, self._manner.delay_s
        self._silence: Any = None
        self.active = True

    @property
    def client(self) -> str:
        """``ip:port`` of the other side."""
        return self._peer.client

    def callback_connected(self) -> None:
        """Called by the transport when the client is there."""
        address = self.transport.get_extra_info("peername")
        where = host_port(*address[:2]) if address else self._manner.line
        sock = self.transport.get_extra_info("socket")
        if sock is not None:  # Messaging Guide §4.3.2: a peer that is gone without a word is noticed some day
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        peer, refusal = Peer(where, self._peer.session), ""
        if self._admit is not None:
            peer, refusal = self._admit(self, peer)
        self._peer = peer
        if refusal == "hang":
            self._hanging = True
            self.transport.pause_reading()
            self._tell("refuse", reason="session limit, left to hang")
        elif refusal:
            self._ended = True
            if refusal != "endpoint closed":
                self._tell("refuse", reason=refusal)
            self._leave()
            self.transport.abort()
        else:
            self._opened = True
            detail = {"role": peer.role} if peer.role else {}
            if not self._tell("open", **detail):
                self.hang_up("evidence lost")

    def callback_disconnected(self, exc: Exception | None) -> None:
        """Called by the transport when the connection is gone; says so unless we hung up ourselves."""
        self._end(f"connection lost: {exc}" if exc else "closed by client")

    def data_received(self, data: bytes) -> None:
        """Called by the event loop with what has arrived."""
        self.active = True
        if self._ended or self._hanging:
            return
        self._frames.feed(data)
        if self._line:
            if self._silence is not None:
                self._silence.cancel()
            self._silence = self.loop.call_later(_SILENCE_S, self._silent)
        if self._delay_s:
            self._later()
        elif not self._waiting:
            self._answer()

    def hang_up(self, reason: str, *, now: bool = False) -> None:
        """End the connection; ``now`` throws away answers that the client has not read."""
        if not self._ended:
            self._end(reason)
            if now and self.transport is not None:
                self.transport.abort()
            else:
                self.close()

    def _silent(self) -> None:
        self._silence = None
        if not self._waiting:
            self._frames.silence()

    def _later(self) -> None:
        """Answer one request when its time has come; requests of one connection wait for each other."""
        if not self._waiting:
            self._waiting = True
            self.loop.call_later(self._manner.delay_s, self._answer, 1)

    def _answer(self, most: int = _TURN) -> None:
        """Answer what is complete, up to a turn; the rest in a later turn of the event loop."""
        self._waiting = False
        if self._ended:
            return
        slow = self._application.slow
        frames, answers, kept = self._frames.take(1 if slow else most), [], True
        application, peer, framed, broadcast = self._application, self._peer, self._framed, self._manner.broadcast
        together = len(frames) > 1 or broadcast  # the evidence of a single request has nothing to wait for
        try:
            if together:
                application.gather()
            try:
                for transaction, unit, pdu in frames:
                    if broadcast and unit == 0:
                        application.broadcast(peer, pdu)
                        continue
                    response = application.respond(peer, unit, pdu)
                    if response is not None:
                        answers.append(framed(transaction, unit, response))
            finally:
                if together:
                    application.settle()
        except EvidenceError as error:
            _log.error("%s: no answer, because it could not be kept: %s", peer.client, error)
            kept = False
            answers.clear()
        late = self._application.delay_s(frames[0][1]) if slow and frames and kept else 0.0
        if late:
            self._waiting = True
            self.loop.call_later(late, self._come_late, b"".join(answers))
            return
        if answers:
            self.transport.write(answers[0] if len(answers) == 1 else b"".join(answers))
        if self._manner.broadcast and self._frames.heard_noise():  # a line; a TCP stream with noise is hung up on
            self._application.line.errors += 1
        if not kept:
            self.hang_up("evidence lost")
        elif self._frames.fault:
            self._tell("reject", reason=self._frames.fault, bytes=self._frames.head().hex())
            self.hang_up("not Modbus")
        elif self.transport.get_write_buffer_size() > self._manner.backlog:
            self.hang_up("client does not read", now=True)
        elif self._frames.pending or self._paused:
            self._go_on()

    def _come_late(self, answer: bytes) -> None:
        """Send the answer of a slow device; then comes the next request of this connection."""
        self._waiting = False
        if not self._ended:
            self.transport.write(answer)
            self._answer(1 if self._manner.delay_s else _TURN)

    def _go_on(self) -> None:
        """Take what is left in a later turn, and read no further until then."""
        if self._frames.pending:
            self._paused = True
            self.transport.pause_reading()
            if self._manner.delay_s:
                self._later()
            else:
                self._waiting = True
                self.loop.call_soon(self._answer)
        elif self._paused:
            self._paused = False
            self.transport.resume_reading()

    def _end(self, reason: str) -> None:
        if not self._ended:
            self._ended = True
            if self._silence is not None:
                self._silence.cancel()
            self._leave()
            if self._opened:
                self._tell("close", reason=reason)

    def _leave(self) -> None:
        if self._gone is not None:
            self._gone(self)

    def _tell(self, kind: str, **detail: Any) -> bool:
        """Whether the event was kept."""
        peer = self._peer
        try:
            self._sink(
                Event(
                    kind=kind,
                    protocol="modbus",
                    client=peer.client,
                    session=peer.session,
                    user=peer.user,
                    thumb=peer.thumb,
                    detail=detail,
                )
            )
        except EvidenceError as error:
            _log.error("%s: '%s' could not be kept: %s", self._peer.client, kind, error)
            return False
        return True


def host_port(host: str, port: int) -> str:
    """``ip:port``, with an IPv6 address in brackets."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
