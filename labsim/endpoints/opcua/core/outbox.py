"""Answers that wait for evidence: what was asked in the same bytes is kept in one write, then answered in one."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from labsim.endpoints.opcua.core.connection import Connection
    from labsim.endpoints.opcua.core.happening import Observer


class ObserverError(Exception):
    """The observer could not keep a happening, so that no answer may leave."""


FULL = 1024 * 1024
"""Bytes of answers after which they are sent before more requests are worked on."""


class Outbox:
    """What connections send, and whether they hang up, while the bytes of one of them are worked on.

    Attributes:
        is_open: Answers wait now; otherwise they leave at once.
        size: Bytes that wait.
    """

    def __init__(self) -> None:
        self.is_open, self.size = False, 0
        self._waiting: dict[Connection, list[bytes]] = {}
        self._hung_up: dict[Connection, bool] = {}

    def open(self, observer: Observer) -> None:
        """From now on answers wait for `close`."""
        observer.gather()
        self.is_open = True

    def put(self, connection: Connection, data: bytes) -> None:
        """Bytes for a connection, after those before."""
        self._waiting.setdefault(connection, []).append(data)
        self.size += len(data)

    def hang_up(self, connection: Connection, drop: bool) -> None:
        """A connection ends after what it was sent; True to drop that too."""
        self._waiting.setdefault(connection, [])
        self._hung_up[connection] = drop

    def close(self, observer: Observer) -> None:
        """Let everything go, once what it answers is kept.

        Raises:
            ObserverError: it could not be kept; every connection that was to be answered is dropped.
        """
        waiting, hung_up = self._waiting, self._hung_up
        self.is_open, self.size, self._waiting, self._hung_up = False, 0, {}, {}
        try:
            observer.settle()
        except Exception as error:
            for connection in waiting:
                connection.abandon()
            raise ObserverError(str(error)) from error
        for connection, parts in waiting.items():
            drop = hung_up.get(connection)
            if parts and not drop:
                connection.push(parts[0] if len(parts) == 1 else b"".join(parts))
            if drop is not None:
                connection.leave(drop)
