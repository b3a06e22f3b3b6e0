"""What the core tells its observer: one happening per service, before its answer leaves."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from numpy.typing import NDArray

from labsim.endpoints.opcua.core.nodeid import Key

if TYPE_CHECKING:
    from labsim.endpoints.opcua.core.connection import Connection
    from labsim.endpoints.opcua.core.session import Session

OPEN, CLOSE, ERROR, SESSION_END, CERTIFICATE = "Open", "Close", "Error", "SessionEnd", "Certificate"
"""Happenings that are no service: a connection came, went, was cut; a session ended without CloseSession; a certificate
was judged or changed."""


@dataclass(slots=True)
class Happening:
    """One thing a client did.

    Attributes:
        service: The service's name in OPC 10000-4, or one of the constants above.
        connection: Where it came; None when a timer acted.
        session: Whose it was; None before there is one.
        status: The service result.
        reason: Why it was refused or ended, for people.
        facts: What only this service knows; see the classes below.
    """

    service: str
    connection: Connection | None
    session: Session | None
    status: int = 0
    reason: str = ""
    facts: Any = None


class Observer(Protocol):
    """Gets every happening. If it raises, no answer leaves and the connection is cut."""

    def __call__(self, happening: Happening, /) -> None:
        """Keep one happening; between `gather` and `settle` it may wait for the latter."""
        ...

    def gather(self) -> None:
        """What comes next came together."""
        ...

    def settle(self) -> None:
        """Keep what has waited since `gather`."""
        ...


@dataclass(slots=True)
class ReadSubject:
    """What a Read asked for. ``memo`` is the observer's own: a compiled Read shows the same subject each time."""

    keys: Sequence[Key]
    attributes: Sequence[int]
    memo: Any = None


@dataclass(slots=True)
class ReadFacts:
    """Read: values are plain Python ones, None where the status is Bad.

    Of a compiled Read all nodes are tags and Good: then ``statuses`` is None, and ``values`` are the store's numbers.
    """

    subject: ReadSubject
    statuses: Sequence[int] | None
    values: Sequence[Any] | NDArray[np.float64]


@dataclass(slots=True)
class WriteFact:
    """Write: one of these per node."""

    key: Key
    attribute: int
    value: Any
    old: Any
    status: int


@dataclass(slots=True)
class EventFilterFact:
    """The filter of an item on events: the fields that it tells by their browse paths, and its where clause (`Where.told`)."""

    select: list[str]
    where: list[list[Any]]


@dataclass(slots=True)
class ItemFact:
    """CreateMonitoredItems, ModifyMonitoredItems, SetMonitoringMode, ModifySubscription: one of these per item.

    Intervals are milliseconds; ``deadband`` is in the unit of its type: 1 absolute, 2 percent of EURange.
    ``events`` is the filter of an item on events.
    """

    key: Key
    subscription: int
    item: int
    publishing: float
    sampling: float
    requested_sampling: float
    queue: int
    deadband_type: int
    deadband: float
    mode: int
    status: int
    events: EventFilterFact | None = None


@dataclass(slots=True)
class DropFact:
    """DeleteMonitoredItems, DeleteSubscriptions: the items of one subscription that are no more."""

    subscription: int
    items: list[int]


@dataclass(slots=True)
class HistoryFact:
    """HistoryRead: one of these per node.

    Attributes:
        kind: raw, at-time, processed, events or release.
        start, end: FILETIME as asked, 0 for open; ``aggregate`` by its name.
        count: Values in this answer.
    """

    key: Key
    kind: str
    start: int
    end: int
    aggregate: str
    count: int
    status: int


@dataclass(slots=True)
class CallFact:
    """Call: one of these per method."""

    object: Key
    method: Key
    arguments: list[Any]
    results: list[Any]
    status: int


@dataclass(slots=True)
class ChannelFact:
    """OpenSecureChannel: whether it is a renewal, and the lifetime of the new token in milliseconds."""

    renewed: bool
    lifetime: int


@dataclass(slots=True)
class CertificateFact:
    """A certificate: its SHA-1 in hexadecimal, its subject, its DER, whose it is, and what became of it.

    Attributes:
        of: ``client``, ``user``, ``server``, or ``list`` for one in a trust list.
        action: ``rejected``; ``trusted`` when it is let in for the first time since it was refused; ``added``,
            ``removed``, ``updated`` by a management client.
    """

    thumbprint: str
    subject: str
    der: bytes
    of: str
    action: str
