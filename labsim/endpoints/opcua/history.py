"""The lab's own history as OPC UA history."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from asyncua import ua

from labsim.endpoints.opcua.core import aggregates, nodes
from labsim.endpoints.opcua.core.aggregates import Configuration
from labsim.endpoints.opcua.core.capabilities import SERVER
from labsim.endpoints.opcua.core.event import EVENT_HISTORY, Event, Path, path
from labsim.endpoints.opcua.core.history import HAS_HISTORICAL_CONFIGURATION, HISTORY_READ
from labsim.endpoints.opcua.core.instance import add_children
from labsim.endpoints.opcua.core.nodeid import Key
from labsim.endpoints.opcua.core.nodes import ORGANIZES, Node, Space
from labsim.endpoints.opcua.core.series import History
from labsim.endpoints.opcua.events import EventView
from labsim.endpoints.opcua.live import LiveValues
from labsim.endpoints.opcua.seat import HistorySource
from labsim.plant.events import EventLog
from labsim.plant.tags import Tag

_CONFIGURATION = (1, "HistoryConfiguration")
_CONFIGURATION_TYPE = 2318
_AGGREGATE_FOLDERS = (2997, 11201)
VT = ua.VariantType


class StoredHistory:
    """The history of what an endpoint shows.

    Args:
        source: Recorded values.
        tags: The tag of each variable.
        store: The clock, and the types.
        log: What devices and alarms told.
        view: How it looks as events.
    """

    def __init__(
        self, source: HistorySource, tags: Mapping[Key, Tag], store: LiveValues, log: EventLog, view: EventView
    ) -> None:
        self._source, self._tags, self._store, self._log, self._view = source, tags, store, log, view

    def values(self, key: Key) -> History | None:
        """All that is stored of a variable. Values are recorded when they change, so each holds until the next."""
        tag = self._tags.get(key)
        if tag is None:
            return None
        series = self._source.whole(tag.path)
        times = series.times_ns // 100 + self._store.origin
        return History(times, series.values, series.statuses, self._store.builtin(tag.row), True, self._store.now())

    def events(self, fits: Callable[[int], bool], backward: bool) -> Iterator[Event]:
        """Events that the plant remembers, as they are now: the log goes on while a client fetches page after page."""
        origin = self._store.origin
        chosen = [occurrence for occurrence in self._log if fits(occurrence.t_ns // 100 + origin)]
        return self._view.events(reversed(chosen) if backward else chosen)


def add_history(space: Space) -> None:
    """What all variables with history share: their configuration, the aggregates; the Server's event history."""
    default = Configuration()
    values: dict[Path, Any] = {
        path("Stepped"): ua.Variant(True, VT.Boolean),
        path("AggregateConfiguration", "TreatUncertainAsBad"): ua.Variant(default.treat_uncertain_as_bad, VT.Boolean),
        path("AggregateConfiguration", "PercentDataBad"): ua.Variant(default.percent_bad, VT.Byte),
        path("AggregateConfiguration", "PercentDataGood"): ua.Variant(default.percent_good, VT.Byte),
        path("AggregateConfiguration", "UseSlopedExtrapolation"): ua.Variant(default.sloped_extrapolation, VT.Boolean),
    }

    def reader(where: Path) -> Any:
        return lambda _locales, _context: values.get(where, ua.Variant())

    name = ua.QualifiedName("HA Configuration", 0)  # the name is fixed (OPC 10000-11 §5.2.4)
    space.add(
        Node(_CONFIGURATION, nodes.OBJECT, name, ua.LocalizedText(name.Name, "en"), {nodes.EVENT_NOTIFIER: 0}),
        type_=_CONFIGURATION_TYPE,
    )
    add_children(space, _CONFIGURATION, (), reader)
    for folder in _AGGREGATE_FOLDERS:
        for function in aggregates.NAMES:
            space.link(folder, ORGANIZES, function)
    space.edit(SERVER).attributes[nodes.EVENT_NOTIFIER] |= EVENT_HISTORY


def historize(node: Node) -> None:
    """Say that a variable has history; the configuration is one for all, so it does not point back."""
    node.attributes[nodes.HISTORIZING] = True
    node.attributes[nodes.ACCESS_LEVEL] |= HISTORY_READ
    node.references += ((HAS_HISTORICAL_CONFIGURATION, True, _CONFIGURATION),)
