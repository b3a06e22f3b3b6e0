"""What every endpoint is: something that can be entered, has an address once it listens, and tells one sink what clients do."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from types import TracebackType
from typing import Any, Protocol, Self, runtime_checkable

ProtocolFactory = Callable[[], asyncio.BaseProtocol]
"""Makes the protocol of a new connection, as asyncio's ``create_server`` wants it."""
Guard = Callable[[ProtocolFactory], ProtocolFactory]
"""What a listener puts its connections behind: `labsim.endpoints.link.link.Link.guard`."""


def unguarded(factory: ProtocolFactory) -> ProtocolFactory:
    """No link: every connection is the endpoint's own."""
    return factory


@dataclass(frozen=True, slots=True)
class User:
    """An account at an endpoint, as the trainee is told it."""

    name: str
    password: str
    role: str = ""


@dataclass(frozen=True, slots=True)
class Address:
    """Where one device (or, with ``device`` None, a whole endpoint) can be reached; the shape of the ``ready`` line."""

    device: str | None
    protocol: str
    url: str
    unit: int | None = None
    users: tuple[User, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """As the contract prints it."""
        return asdict(self)


class Endpoint(Protocol):
    """A protocol server over the plant. Entering binds the port; leaving closes every connection."""

    protocol: str

    async def __aenter__(self) -> Self: ...

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...

    def addresses(self) -> list[Address]:
        """Addresses, known after entering (port 0 becomes the real port)."""
        ...


@runtime_checkable
class FailingEndpoint(Protocol):
    """An endpoint in which something can go wrong by itself; see `labsim.endpoints.fault_table`."""

    @property
    def faults(self) -> Sequence[str]:
        """What can, the way it is set up."""
        ...

    def begin_fault(self, name: str, parameters: Mapping[str, float], /) -> None:
        """Begin one of those."""
        ...

    def end_fault(self, name: str, /) -> None:
        """End it."""
        ...
