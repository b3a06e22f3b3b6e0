"""What the nodes of one server are about: they are shared by all servers that look alike, the plant behind them is not."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from numpy import dtype, int64, ndarray, uint32

from labsim.plant.device import Device
from labsim.plant.plant import Plant
from labsim.plant.tags import Value

if TYPE_CHECKING:
    from labsim.endpoints.opcua.alarms import AlarmCondition


class TagSeries(Protocol):
    """All that was recorded of one tag."""

    @property
    def times_ns(self) -> ndarray[Any, dtype[int64]]:
        """Simulated nanoseconds from which each value is in force, rising."""
        ...

    @property
    def values(self) -> ndarray[Any, Any]:
        """float64, or texts."""
        ...

    @property
    def statuses(self) -> ndarray[Any, dtype[uint32]]:
        """StatusCodes."""
        ...


class HistorySource(Protocol):
    """Where recorded values come from."""

    def whole(self, path: str) -> TagSeries:
        """Everything that was recorded of a tag so far."""
        ...


@dataclass(frozen=True, slots=True)
class Seat:
    """The context that functions in the nodes are given.

    Attributes:
        plant: Its values and its devices.
        origin: FILETIME of plant time 0.
        conditions: Alarms by ``device.name``.
        history: Recorded values; None when there are none.
    """

    plant: Plant
    origin: int
    conditions: Mapping[str, AlarmCondition] = field(default_factory=dict)
    history: HistorySource | None = None

    def device(self, path: str) -> Device:
        """A device."""
        return self.plant.devices[path]

    def read(self, row: int) -> Value:
        """The value of a tag now."""
        return self.plant.store.read(row)

    def status(self, rows: list[int]) -> int:
        """The worst status among tags: a Bad one before an Uncertain one, the first of its severity."""
        codes = [int(self.plant.store.status[row]) for row in rows]
        return max(codes, key=lambda code: code >> 30, default=0)

    def source_time(self, rows: list[int]) -> int:
        """FILETIME at which the last of some tags changed."""
        return max((int(self.plant.store.source_time[row]) for row in rows), default=0) // 100 + self.origin
