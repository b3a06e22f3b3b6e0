"""One connection behind a link: straight through while the link is good, through two pipes while it is not."""

from __future__ import annotations

import asyncio
import errno
import os
import socket
import struct
from collections.abc import Callable
from functools import cached_property
from typing import TYPE_CHECKING, Any, cast

from labsim.endpoints.endpoint import ProtocolFactory
from labsim.endpoints.link.impairment import Impairment
from labsim.endpoints.link.near import Near
from labsim.endpoints.link.pipe import OPEN, Pipe

if TYPE_CHECKING:
    from labsim.endpoints.link.link import Link


_HIGH = 65536
"""Bytes on their way at which the sender is told to wait, as a full TCP window does."""


class Line(asyncio.Protocol):
    """Stands between a socket's transport and the endpoint's protocol only while the link is not good.

    While it is good, the transport calls the endpoint's protocol itself and the protocol's calls go to the transport itself,
    without a step between. While it is not, both directions go through a `Pipe`, and so do the beginning and the end of the
    connection: an endpoint learns of nothing that the link would not have let through.

    Args:
        link: The link; says which impairment counts for this client.
        factory: Makes the endpoint's protocol.
    """

    def __init__(self, link: Link, factory: ProtocolFactory) -> None:
        self._link, self._factory = link, factory
        self._inner: asyncio.Protocol | None = None  # None until the endpoint has heard of the connection
        self._left = False  # the endpoint has closed it or knows that it is gone
        self._gone = False  # the socket is closed
        self._cut = False
        self._impairment: Impairment | None = None
        self._gated = True
        self._told_to_wait = False
        self._near = Near(self)
        self.host = ""

    @cached_property
    def _inward(self) -> Pipe:
        return Pipe(self._hand_in, self._moved)

    @cached_property
    def _outward(self) -> Pipe:
        return Pipe(self._hand_out, self._moved)

    # What the socket's transport calls.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin: straight, through the pipes, or not at all."""
        transport = cast("asyncio.Transport", transport)  # uvloop's is one, but does not derive from it
        self.far: asyncio.Transport = transport
        peer = transport.get_extra_info("peername")
        self.host = str(peer[0]) if isinstance(peer, tuple) else ""
        self._link.lines.add(self)
        impairment = self._link.impairment(self.host)
        if impairment is None:
            self._open_straight()
        elif impairment.state == "refuse":
            self.reset()
        else:
            self._inward.put(self._enter)
            self.impair(impairment)

    def data_received(self, data: bytes) -> None:
        """Send a client's bytes on their way."""
        if self._impairment is not None and self._impairment.state == "reset":
            self.reset()
        elif not self._left:
            self._inward.put(data)
            if self._inward.held > _HIGH:
                self.far.pause_reading()

    def eof_received(self) -> bool:
        """Send the end of a client's bytes after them."""
        if self._inner is None:  # the client gave up before the endpoint could hear of it
            self._inward.clear()
            return False
        if self.far.get_extra_info("ssl_object") is not None:
            return False  # TLS has no half-closed connections; `connection_lost` follows
        self._inward.put(self._half_close)
        return True  # the end travels like the bytes before it

    def connection_lost(self, exc: Exception | None) -> None:
        """Send the news on its way that the socket is closed."""
        self._gone = True
        self._outward.clear()
        if self._inner is None or self._left:
            self._inward.clear()
            self._link.lines.discard(self)
            return
        if self._cut:
            exc = ConnectionResetError(errno.ECONNRESET, os.strerror(errno.ECONNRESET))
        self._inward.put(lambda: self._leave(exc))

    def pause_writing(self) -> None:
        """The socket takes no more for now."""
        self._outward.blocked = True

    def resume_writing(self) -> None:
        """The socket takes more."""
        self._outward.blocked = False
        self._outward.pump()

    # What the link calls.

    def impair(self, impairment: Impairment | None) -> None:
        """Be so from now on; None is good, which it becomes when what is on its way has arrived."""
        if impairment is not None and impairment.state == "refuse":
            impairment = None  # that is about new connections
        self._impairment = impairment
        if not self._gated and (impairment is None or self.far.is_closing()):
            return
        self._gate()
        shape = OPEN if impairment is None else self._link.shape(impairment)
        self._inward.shape(shape)
        self._outward.shape(shape)
        if impairment is None:
            self._settle()

    def reset(self) -> None:
        """Cut the connection with a TCP reset."""
        if self._cut or self.far.is_closing():
            return
        self._gate()
        self._cut = True
        self._inward.clear()
        self._outward.clear()
        sock = self.far.get_extra_info("socket")
        if sock is not None:
            at_once = struct.pack("hh" if os.name == "nt" else "ii", 1, 0)
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, at_once)
        self.far.abort()

    def shut(self) -> None:
        """Be good at once, without what is on its way, because the endpoint is about to close."""
        self._inward.clear()
        self._outward.clear()
        self._impairment = None
        if self._inner is None or self._left:
            self.far.abort()
        elif self._gone:
            self._leave(None)
        else:
            self._settle()

    # What the endpoint calls while the link is not good.

    def write(self, data: bytes | bytearray | memoryview) -> None:
        """Send an endpoint's bytes on their way."""
        if self._left or self._gone:
            return
        self._outward.put(bytes(data))
        if self._outward.held > _HIGH and not self._told_to_wait and self._inner is not None:
            self._told_to_wait = True
            self._inner.pause_writing()

    def close(self) -> None:
        """Send the end after the bytes."""
        self._hang_up(self.far.close)

    def abort(self) -> None:
        """Send a reset instead of the bytes."""
        self._outward.clear()
        self._hang_up(self.far.abort)

    def is_closing(self) -> bool:
        """Whether the endpoint has closed it, or knows that it is gone."""
        return self._left

    def pause_reading(self) -> None:
        """Give the endpoint nothing for now."""
        self._inward.blocked = True

    def resume_reading(self) -> None:
        """Give the endpoint what has come."""
        self._inward.blocked = False
        self._inward.wake()
        self._read_on()
        self._settle()

    def is_reading(self) -> bool:
        """Whether the endpoint wants what comes."""
        return not self._inward.blocked

    def get_write_buffer_size(self) -> int:
        """Bytes that the client's side has not taken."""
        return self._outward.held + self.far.get_write_buffer_size()

    def exchange(self, protocol: asyncio.BaseProtocol) -> None:
        """Give the connection to another protocol of the endpoint."""
        assert isinstance(protocol, asyncio.Protocol)
        self._inner = protocol
        if not self._gated:
            self.far.set_protocol(protocol)

    @property
    def protocol(self) -> asyncio.BaseProtocol:
        """The endpoint's."""
        return self._inner or self

    # How it does it.

    def _open_straight(self) -> None:
        self._gated = False
        self._inner = self._make()
        self._near.go_direct(self.far)
        self.far.set_protocol(self._inner)
        self._inner.connection_made(self._near)

    def _enter(self) -> None:
        self._inner = self._make()
        self._inner.connection_made(self._near)

    def _make(self) -> asyncio.Protocol:
        inner: Any = self._factory()  # pymodbus's protocols are of asyncio's form without its class
        return inner  # type: ignore[no-any-return]  # see above

    def _leave(self, exc: Exception | None) -> None:
        if not self._left and self._inner is not None:
            self._left = True
            self._link.lines.discard(self)
            self._inner.connection_lost(exc)

    def _hang_up(self, how: Callable[[], None]) -> None:
        """The endpoint's side ends now, as a closed socket does; the client learns of it when the link lets it."""
        inner = self._inner
        if not self._left and inner is not None:
            self._left = True
            self._inward.clear()
            asyncio.get_running_loop().call_soon(inner.connection_lost, None)
        if not self._gone:
            self._outward.put(how)

    def _half_close(self) -> None:
        if not self._left and self._inner is not None and not self._inner.eof_received():
            self.close()

    def _hand_in(self, data: bytes) -> None:
        if self._inner is not None and not self._left:
            self._inner.data_received(data)

    def _hand_out(self, data: bytes) -> None:
        if not self.far.is_closing():
            self.far.write(data)

    def _gate(self) -> None:
        if self._gated:
            return
        self._gated = True
        self._inward.blocked = not self.far.is_reading()
        self._told_to_wait = self._outward.blocked = self.far.get_write_buffer_size() > _HIGH
        self._near.go_through(self)
        self.far.set_protocol(self)

    def _moved(self) -> None:
        """Something has got through."""
        if self._told_to_wait and self._outward.empty and self._inner is not None:
            self._told_to_wait = False
            if not self._left:
                self._inner.resume_writing()
        self._read_on()
        self._settle()

    def _read_on(self) -> None:
        if not self._inward.blocked and self._inward.held <= _HIGH and not self.far.is_closing():
            self.far.resume_reading()

    def _settle(self) -> None:
        """Be straight again when the link is good and nothing is on its way."""
        inner = self._inner
        if self._impairment is not None or not self._gated or inner is None or self._left or self._gone or self._cut:
            return
        if not self._inward.empty or not self._outward.empty:
            return
        self._gated = False
        if self._inward.blocked:
            self.far.pause_reading()
        if self._outward.blocked and not self._told_to_wait:
            inner.pause_writing()  # the transport will tell it to go on
        self._near.go_direct(self.far)
        self.far.set_protocol(inner)
