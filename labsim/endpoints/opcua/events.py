"""Events of devices as OPC UA events: their types, and what happened in the plant as core events."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from asyncua import ua

from labsim.endpoints.opcua.alarms import AlarmCondition, EventIds
from labsim.endpoints.opcua.core import nodes
from labsim.endpoints.opcua.core.building import add_object_type, add_property
from labsim.endpoints.opcua.core.event import BASE_EVENT, Event, base_fields
from labsim.endpoints.opcua.core.nodeid import Key
from labsim.endpoints.opcua.core.nodes import Space
from labsim.endpoints.opcua.live import BUILTIN
from labsim.plant.events import Occurrence
from labsim.plant.signature import EventSpec

_MANDATORY = 78


@dataclass(frozen=True, slots=True)
class EventType:
    """A device's event: the key of its type, the node of the device that tells it, and what it says."""

    key: Key
    source: Key
    spec: EventSpec

    @property
    def namespace(self) -> int:
        """Index of the namespace of its fields."""
        return self.key[0] if isinstance(self.key, tuple) else 0


def add_event_type(space: Space, key: tuple[int, str], spec: EventSpec) -> None:
    """The type of an event with its fields as properties (OPC 10000-3 §4.7.2)."""
    node = add_object_type(space, key, key, BASE_EVENT)
    node.display = spec.title
    for name, field in spec.fields.items():
        child = (key[0], f"{key[1]}/{name}")
        node = add_property(space, child, (key[0], name), key, BUILTIN[field.type], None)
        node.display = field.title
        node.references += ((nodes.MODELLING_RULE, True, _MANDATORY),)


class EventView:
    """The plant's occurrences as events of the devices that are shown.

    Args:
        types: Events by device and name.
        conditions: Alarms by ``device.name``.
        ids: EventIds.
        filetime: FILETIME of simulated nanoseconds.
    """

    def __init__(
        self,
        types: dict[tuple[str, str], EventType],
        conditions: dict[str, AlarmCondition],
        ids: EventIds,
        filetime: Callable[[int], int],
    ) -> None:
        self._types, self._conditions, self._ids, self._filetime = types, conditions, ids, filetime

    def event_of(self, occurrence: Occurrence) -> Event | None:
        """The event; None when it is of a device that is not shown here."""
        if occurrence.alarm is not None:
            condition = self._conditions.get(f"{occurrence.device}.{occurrence.name}")
            return condition.event_of(occurrence) if condition is not None else None
        type_ = self._types.get((occurrence.device, occurrence.name))
        if type_ is None:
            return None
        time = self._filetime(occurrence.t_ns)
        fields: dict[Any, Any] = base_fields(
            type_.key, type_.source, occurrence.device, time, self._ids.of(occurrence.number), occurrence.message,
            occurrence.severity,
        )  # fmt: skip
        for name, field in type_.spec.fields.items():
            value = ua.Variant(occurrence.fields[name], ua.VariantType(BUILTIN[field.type]))
            fields[((type_.namespace, name),)] = value
        return Event(type_.key, type_.source, time, fields)

    def events(self, occurrences: Iterable[Occurrence]) -> Iterator[Event]:
        """Those of many."""
        return (event for event in map(self.event_of, occurrences) if event is not None)
