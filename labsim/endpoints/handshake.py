"""TLS handshakes that fail, as evidence: a client that is not let in is gone before a connection is made."""

from __future__ import annotations

import ssl
from typing import Literal

from labsim.evidence.event import Event, Sink


def tell_failures(context: ssl.SSLContext, protocol: Literal["modbus", "mqtt"], sink: Sink) -> None:
    """Let every handshake of a listener's context that fails be a ``reject`` with the reason.

    The address of the client is not known at this place; a connection that just ends tells nothing.
    """

    class Handshake(ssl.SSLObject):
        """One connection's side of TLS."""

        def do_handshake(self) -> None:
            """One step of the handshake."""
            try:
                super().do_handshake()
            except (ssl.SSLWantReadError, ssl.SSLWantWriteError, ssl.SSLEOFError, ssl.SSLZeroReturnError):
                raise
            except ssl.SSLError as error:
                why = str(error.reason or error).replace("_", " ").lower()
                sink(Event(kind="reject", protocol=protocol, detail={"reason": f"TLS handshake: {why}"}))
                raise

    context.sslobject_class = Handshake
