"""One request on its way through a service."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, TypeAlias

from labsim.endpoints.opcua.core.codec import response_header
from labsim.endpoints.opcua.core.status import Bad, S

if TYPE_CHECKING:
    from labsim.endpoints.opcua.core.connection import Connection
    from labsim.endpoints.opcua.core.server import Server
    from labsim.endpoints.opcua.core.session import Session
    from labsim.endpoints.opcua.core.subscription import Subscription

Handler: TypeAlias = "Callable[[Request, Any], Any]"
"""A service: request and decoded message in; the response out as asyncua's structure, as bytes, or None for later."""


class Request:
    """Who asks, and what the service leaves for after it.

    Attributes:
        now: The server's monotonic seconds.
        facts: What the observer is told beside the result.
        after: Called once the answer has left.
    """

    __slots__ = ("_session", "after", "connection", "facts", "handle", "id", "now", "server")

    def __init__(self, server: Server, connection: Connection, request_id: int, handle: int) -> None:
        self.server, self.connection, self.id, self.handle = server, connection, request_id, handle
        self.now = server.monotonic()
        self._session: Session | None = None
        self.facts: Any = None
        self.after: list[Callable[[], None]] = []

    @property
    def session(self) -> Session:
        """The session the request belongs to; only services behind a session ask."""
        assert self._session is not None
        return self._session

    @session.setter
    def session(self, session: Session) -> None:
        self._session = session

    @property
    def known_session(self) -> Session | None:
        """The session, when it is known."""
        return self._session

    def answer(self, type_id: int, body: bytes) -> bytes:
        """A good response whose body is already encoded."""
        return response_header(type_id, self.handle) + body

    def subscription(self, number: int) -> Subscription:
        """A subscription of this session; others do not exist for it."""
        found = self.session.subscriptions.get(number)
        if found is None:
            raise Bad(S.BadSubscriptionIdInvalid)
        return found


def check_count(operations: Sequence[Any] | None, most: int) -> None:
    """Between one and ``most`` operations (OPC 10000-4 §7.38.2).

    Raises:
        Bad: BadNothingToDo or BadTooManyOperations.
    """
    if not operations:
        raise Bad(S.BadNothingToDo)
    if len(operations) > most:
        raise Bad(S.BadTooManyOperations)


def check_timestamps(asked: Any) -> int:
    """TimestampsToReturn as 0 to 3 (OPC 10000-4 §7.39)."""
    if not 0 <= int(asked) <= 3:
        raise Bad(S.BadTimestampsToReturnInvalid)
    return int(asked)
