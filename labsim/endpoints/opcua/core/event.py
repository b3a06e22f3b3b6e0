"""Events (OPC 10000-3 §4.7, OPC 10000-5 §6.4): what one says, and which fields its type has."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeAlias
from weakref import WeakKeyDictionary

from asyncua import ua

from labsim.endpoints.opcua.core import nodes
from labsim.endpoints.opcua.core.codec import datetime_of
from labsim.endpoints.opcua.core.locale import Locales, Shown, localize
from labsim.endpoints.opcua.core.nodeid import Key, node_id
from labsim.endpoints.opcua.core.nodes import HAS_COMPONENT, HAS_PROPERTY, Space

if TYPE_CHECKING:
    from labsim.endpoints.opcua.core.server import Server

VT = ua.VariantType
BASE_EVENT, REFRESH_START, REFRESH_END, QUEUE_OVERFLOW = 2041, 2787, 2788, 3035
HAS_EVENT_SOURCE, GENERATES_EVENT, HAS_NOTIFIER = 36, 41, 48
SUBSCRIBE_TO_EVENTS, EVENT_HISTORY = 1, 4
"""Bits of EventNotifier (OPC 10000-3 §8.59)."""
_DEEPEST = 4

Path: TypeAlias = tuple[tuple[int, str], ...]
"""Browse names from the event type down to a field; the empty one is the node that is the condition."""


def path(*names: str) -> Path:
    """A path of names of namespace 0."""
    return tuple((0, name) for name in names)


class Event:
    """One event.

    Attributes:
        type, source: Keys of its EventType and SourceNode.
        time: FILETIME.
        fields: Variants by path; a mapping instead of one is a text by locale.
    """

    __slots__ = ("fields", "source", "time", "type")

    def __init__(self, type_: Key, source: Key, time: int, fields: Mapping[Path, Any]) -> None:
        self.type, self.source, self.time, self.fields = type_, source, time, fields

    def field(self, where: Path, locales: Locales) -> Any:
        """The Variant of a field; None when this event does not have it."""
        value = self.fields.get(where)
        return ua.Variant(localize(value, locales), VT.LocalizedText) if isinstance(value, Mapping) else value


def base_fields(
    type_: Key, source: Key, name: str, time: int, event_id: bytes, message: Shown, severity: int
) -> dict[Path, Any]:
    """The fields of BaseEventType (OPC 10000-5 §6.4.2); ``name`` is that of the source."""
    moment = ua.Variant(datetime_of(time), VT.DateTime)
    return {
        path("EventId"): ua.Variant(event_id, VT.ByteString),
        path("EventType"): ua.Variant(node_id(type_), VT.NodeId),
        path("SourceNode"): ua.Variant(node_id(source), VT.NodeId),
        path("SourceName"): ua.Variant(name, VT.String),
        path("Time"): moment,
        path("ReceiveTime"): moment,
        path("Message"): message if isinstance(message, Mapping) else ua.Variant(message, VT.LocalizedText),
        path("Severity"): ua.Variant(severity, VT.UInt16),
    }


def server_event(server: Server, type_: Key, message: str, severity: int = 1, name: str = "Server") -> Event:
    """An event of the Server object itself, now; ``name`` is its SourceName."""
    now = server.store.now()
    fields = base_fields(
        type_, int(ua.ObjectIds.Server), name, now, server.new_event_id(), ua.LocalizedText(message, "en"), severity
    )
    return Event(type_, int(ua.ObjectIds.Server), now, fields)


_known: WeakKeyDictionary[Space, dict[Key, frozenset[Path]]] = WeakKeyDictionary()


def known_fields(space: Space, type_: Key) -> frozenset[Path]:
    """Fields of a type and of all its subtypes: a filter may ask the base type for what only a subtype has."""
    known = _known.setdefault(space, {})
    found = known.get(type_)
    if found is None:
        found = known[type_] = frozenset().union(*(fields_of(space, one) for one in space.subtypes(type_)))
    return found


def fields_of(space: Space, type_: Key) -> frozenset[Path]:
    """Paths of all fields of an event type, those of its supertypes too (OPC 10000-3 §4.7.2)."""
    found: set[Path] = {()}
    kind: Key | None = type_
    while kind is not None:
        _walk(space, kind, (), found)
        kind = next(space[kind].targets((nodes.HAS_SUBTYPE,), False), None)
    return frozenset(found)


def _walk(space: Space, key: Key, above: Path, found: set[Path]) -> None:
    for target in space[key].targets((HAS_PROPERTY, HAS_COMPONENT)):
        node = space[target]
        where = (*above, (node.browse.NamespaceIndex, node.browse.Name))
        if node.cls in (nodes.VARIABLE, nodes.OBJECT):
            found.add(where)
            if len(where) < _DEEPEST:
                _walk(space, target, where, found)


def notifiers_of(space: Space, source: Key) -> frozenset[Key]:
    """Objects that tell the events of a source: itself and all above it by HasEventSource and HasNotifier."""
    kinds = space.subtypes(HAS_EVENT_SOURCE) | {HAS_NOTIFIER}
    found, todo = {source, int(ua.ObjectIds.Server)}, [source]
    while todo:
        node = space.get(todo.pop())
        for above in node.targets(kinds, False) if node is not None else ():
            if above not in found:
                found.add(above)
                todo.append(above)
    return frozenset(found)
