"""One socket of a broker: what asyncio calls, and what is written to it."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Callable
from typing import TYPE_CHECKING, cast

from labsim.endpoints.mqtt.connection import Connection

if TYPE_CHECKING:
    from labsim.endpoints.mqtt.shell import Shell

GRACE_S = 2.0
"""How long a closed socket may take to hand over what was still to be sent."""


class Link(asyncio.Protocol):
    """One socket."""

    transport: asyncio.Transport
    connection: Connection

    def __init__(self, shell: Shell, time: Callable[[], float], scheme: str) -> None:
        self._shell, self._time, self._scheme = shell, time, scheme
        self._timer: asyncio.TimerHandle | None = None
        self._timer_due = 0.0
        self.gone: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """The socket is there, with its TLS handshake done."""
        transport = cast("asyncio.Transport", transport)  # uvloop's is one, but does not derive from it
        peer = transport.get_extra_info("peername")
        self.transport = transport
        client = "" if not peer else f"[{peer[0]}]:{peer[1]}" if ":" in peer[0] else f"{peer[0]}:{peer[1]}"
        common_name, thumb = _certificate(transport)
        self.connection = self._shell.broker.open(
            client, self._time(), common_name=common_name, thumb=thumb, transport=self._scheme
        )
        self._shell.links[self.connection] = self
        self._arm()
        self._shell.flush()

    def data_received(self, data: bytes) -> None:
        """A segment has arrived."""
        self.connection.receive(data, self._time())
        self._shell.flush()
        self._arm()

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - how a socket went is no matter
        """The socket is gone."""
        self._shell.links.pop(self.connection, None)
        if self._timer is not None:
            self._timer.cancel()
        self._shell.broker.now = self._time()
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
            self.write(data)
        if self.connection.ended:
            self.close(told=bool(data))
            if self.transport.get_write_buffer_size():  # a client that never reads must not keep the socket open
                asyncio.get_running_loop().call_later(GRACE_S, self.transport.abort)

    def write(self, data: bytes) -> None:
        """Send MQTT bytes."""
        self.transport.write(data)

    def close(self, *, told: bool) -> None:
        """Close after what was written; ``told`` when it says why."""
        if told:
            self.linger()
        else:
            self.transport.close()

    def linger(self) -> None:
        """Close our side, and the socket when the client has closed its own.

        A socket that is closed with bytes unread is reset, and the client may never see the reason it was given.
        """
        if self.transport.is_closing():
            return
        try:
            self.transport.write_eof()
        except (OSError, NotImplementedError):  # the client is gone already; TLS cannot close one side alone
            self.transport.close()
        else:
            asyncio.get_running_loop().call_later(GRACE_S, self.transport.close)

    def _arm(self) -> None:
        """Set the timer if the deadline is sooner than it; when it runs out early it is set again."""
        deadline = self.connection.deadline
        if deadline is None or (self._timer is not None and self._timer_due <= deadline):
            return
        if self._timer is not None:
            self._timer.cancel()
        self._timer_due = deadline
        self._timer = asyncio.get_running_loop().call_at(deadline, self._due)

    def _due(self) -> None:
        self._timer = None
        self.connection.check(self._time())
        self._shell.flush()
        self._arm()


def _certificate(transport: asyncio.Transport) -> tuple[str, str]:
    """Common name and SHA-1 thumbprint of the certificate that a client has proven; empty without one."""
    tls = transport.get_extra_info("ssl_object")
    raw = tls.getpeercert(binary_form=True) if tls is not None else None
    if not raw:
        return "", ""
    subject = tls.getpeercert().get("subject", ())
    names = [value for part in subject for key, value in part if key == "commonName"]
    return names[0] if len(names) == 1 else "", hashlib.sha1(raw, usedforsecurity=False).hexdigest().upper()
