"""A device of an edge node: its tags as Sparkplug metrics, and which of them have changed since they were last sent."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from labsim.endpoints.mqtt.telemetry import Pulse, messages, same, writable
from labsim.plant import status
from labsim.plant.plant import Plant
from labsim.plant.tags import Tag, TagStore, TagType, Value
from labsim.sparkplug.datatype import DataType
from labsim.sparkplug.payload import BAD, GOOD, QUALITY, STALE, UNIT, Metric, PropertySet, PropertyValue

DATA_TYPES: dict[TagType, DataType] = {
    "bool": DataType.BOOLEAN, "i8": DataType.INT8, "u8": DataType.UINT8, "i16": DataType.INT16, "u16": DataType.UINT16,
    "i32": DataType.INT32, "u32": DataType.UINT32, "i64": DataType.INT64, "u64": DataType.UINT64,
    "f32": DataType.FLOAT, "f64": DataType.DOUBLE, "text": DataType.STRING,
}  # fmt: skip
"""The data type of a metric by the type of its tag."""
_CUT_OFF = (status.BAD_NO_COMMUNICATION, status.BAD_NOT_CONNECTED)
_OTHERS_EVERY_S = 1.0
"""How often a writable tag is looked at that the device puts into no message."""

Clock = Callable[[int], int]
"""UTC milliseconds of a simulated time."""


class _NodeMetric:
    """One tag as a metric."""

    def __init__(self, tag: Tag, alias: int | None) -> None:
        self.tag, self.alias, self.datatype = tag, alias, DATA_TYPES[tag.type]
        self.sent: tuple[Value, int] | None = None
        self.quality = GOOD

    def birth(self, store: TagStore, utc_ms: Clock) -> Metric:
        """With everything that is known: name, alias, type, unit, value."""
        metric = self._metric(store, utc_ms)
        metric.name, metric.datatype = self.tag.name, self.datatype
        keys, values = [], []
        if self.tag.unit is not None:
            keys.append(UNIT)
            values.append(PropertyValue.of(self.tag.unit.symbol, DataType.STRING))
        if self.quality != GOOD:
            keys.append(QUALITY)
            values.append(PropertyValue.of(self.quality, DataType.INT32))
        metric.properties = PropertySet(keys=keys, values=values) if keys else None
        return metric

    def data(self, store: TagStore, utc_ms: Clock) -> Metric:
        """With the value alone, and the quality when it is not good or has just become so."""
        before = self.quality
        metric = self._metric(store, utc_ms)
        if self.alias is None:
            metric.name = self.tag.name
        if self.quality != GOOD or before != GOOD:
            quality = PropertyValue.of(self.quality, DataType.INT32)
            metric.properties = PropertySet(keys=[QUALITY], values=[quality])
        return metric

    def changed(self, store: TagStore) -> bool:
        """Whether it is worth another value, or has another quality, than was sent last."""
        row = self.tag.row
        return not same((store.read(row), int(store.status[row])), self.sent)

    def _metric(self, store: TagStore, utc_ms: Clock) -> Metric:
        row = self.tag.row
        value, code = store.read(row), int(store.status[row])
        self.sent, self.quality = (value, code), _quality(code)
        moment = utc_ms(int(store.source_time[row]))
        try:
            shown = None if value != value else value  # a float that is no number has no value to show
            metric = Metric.of(shown, self.datatype, alias=self.alias, timestamp=moment)
        except ValueError:  # a value outside the tag's own type: there is none to show, and it is not good
            self.quality = BAD
            metric = Metric.of(None, self.datatype, alias=self.alias, timestamp=moment)
        metric.datatype = None  # a DATA message leaves it to the BIRTH [payloads-metric-datatype-not-req]
        return metric


class NodeDevice:
    """One device of an edge node.

    Attributes:
        name: Its device id.
        born: Whether it is alive for the hosts.
    """

    def __init__(
        self, name: str, store: TagStore, groups: Sequence[tuple[float, Sequence[Tag]]], first: int | None
    ) -> None:
        self.name, self.born, self._store = name, False, store
        aliases = iter(range(first, first + 100_000)) if first is not None else None
        self._groups = [
            (Pulse(every), [_NodeMetric(tag, next(aliases) if aliases else None) for tag in tags])
            for every, tags in groups
        ]
        self._metrics = [metric for _, group in self._groups for metric in group]
        self._rows = np.array([metric.tag.row for metric in self._metrics], np.int64)
        self._touched: list[_NodeMetric] = []

    def __len__(self) -> int:
        return len(self._metrics)

    @property
    def reachable(self) -> bool:
        """Whether there is a value that the node can get at: not all of them are without communication."""
        codes = self._store.status[self._rows] & 0xFFFF0000
        return not len(codes) or not bool(np.isin(codes, _CUT_OFF).all())

    def birth(self, utc_ms: Clock, now_ns: int) -> list[Metric]:
        """Every metric; what follows is measured from here."""
        for pulse, _ in self._groups:
            pulse.beats(now_ns)
        return [metric.birth(self._store, utc_ms) for metric in self._metrics]

    def changed(self, utc_ms: Clock, now_ns: int) -> list[Metric]:
        """The metrics that are due to be looked at and have changed."""
        return [
            metric.data(self._store, utc_ms)
            for pulse, group in self._groups
            if pulse.beats(now_ns)
            for metric in group
            if metric.changed(self._store)
        ]

    def take(self, asked: Metric, write: Callable[[Tag, Value], int]) -> None:
        """Write what a command asks of a metric, by its alias or its name; an unknown one is passed over."""
        metric = next((known for known in self._metrics if _is(known, asked)), None)
        if metric is None:
            return
        try:
            value = asked.worth(metric.datatype)
        except ValueError:
            return  # no value that this metric could take
        if value is not None:
            write(metric.tag, value)
            self._touched.append(metric)

    def written(self, utc_ms: Clock) -> list[Metric]:
        """Those that commands have changed since the last look."""
        touched, self._touched = self._touched, []
        found = [metric for metric in dict.fromkeys(touched) if metric.changed(self._store)]
        return [metric.data(self._store, utc_ms) for metric in found]


def node_devices(plant: Plant, devices: Sequence[str], *, alias: bool) -> list[NodeDevice]:
    """The devices of a node; with ``alias`` each metric has a number that is unique in the node.

    A device's metrics are the tags of its MQTT messages, looked at as often as those are sent, and its writable tags.

    Raises:
        UnknownNameError: no such device.
    """
    groups: dict[str, list[tuple[float, list[Tag]]]] = {path: [] for path in devices}
    taken: set[int] = set()

    def add(path: str, every: float, tags: Sequence[Tag]) -> None:
        fresh = [tag for tag in tags if tag.row not in taken]
        taken.update(tag.row for tag in fresh)
        if fresh:
            groups[path].append((every, fresh))

    for device, spec in messages(plant, devices):
        add(device.path, spec.every, [device.tags[name] for name in spec.tags])
    for path in devices:
        add(path, _OTHERS_EVERY_S, writable(plant, [path]))
    found: list[NodeDevice] = []
    for path, members in groups.items():
        first = 1 + sum(map(len, found)) if alias else None
        found.append(NodeDevice(path, plant.store, members, first))
    return found


def _is(metric: _NodeMetric, asked: Metric) -> bool:
    if asked.alias is not None:
        return metric.alias == asked.alias
    return metric.tag.name == asked.name


def _quality(code: int) -> int:
    """The three qualities of Sparkplug [payloads-propertyset-quality-value-value]: uncertain counts as stale."""
    return GOOD if status.is_good(code) else STALE if code >> 30 == 1 else BAD
