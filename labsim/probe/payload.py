"""What an MQTT payload says: Sparkplug B, JSON, text, or bytes."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, Literal

from labsim.sparkplug.datatype import DataType
from labsim.sparkplug.payload import Metric, decode
from labsim.sparkplug.topic import NAMESPACE, Topic, parse_topic

Coding = Literal["sparkplug", "json", "text", "hex"]


@dataclass(frozen=True, slots=True)
class Content:
    """A payload as data that JSON can hold, and what it was taken for."""

    coding: Coding
    data: Any


class Reader:
    """Reads payloads one after another; remembers the aliases that Sparkplug BIRTH messages gave."""

    def __init__(self) -> None:
        self._known: dict[tuple[str, str, str], dict[int, tuple[str, int | None]]] = {}

    def read(self, topic: str, payload: bytes) -> Content:
        """What a payload says; never raises, whatever it is."""
        if topic.startswith(f"{NAMESPACE}/"):
            try:
                return Content("sparkplug", self._sparkplug(parse_topic(topic), payload))
            except ValueError:
                pass  # a STATE message is JSON, and anything else may be anything
        try:
            text = payload.decode()
        except UnicodeDecodeError:
            return Content("hex", payload.hex())
        try:
            return Content("json", json.loads(text))
        except (ValueError, RecursionError):
            return Content("text", text)

    def _sparkplug(self, topic: Topic, payload: bytes) -> dict[str, Any]:
        """A payload with the names, types and signs that its BIRTH gave.

        Raises:
            ValueError: not a Sparkplug payload.
        """
        found = decode(payload)
        home = topic.group, topic.edge, topic.device
        if topic.kind in ("NBIRTH", "DBIRTH"):
            self._known[home] = {}
        known = self._known.setdefault(home, {})
        metrics = []
        for metric in found.metrics:
            if topic.kind in ("NBIRTH", "DBIRTH") and metric.alias is not None and metric.name:
                known[metric.alias] = (metric.name, metric.datatype)
            metrics.append(_shown(metric, known))
        head = {"timestamp": found.timestamp, "seq": found.seq, "uuid": found.uuid}
        body = {"body": found.body.hex()} if found.body else {}
        return {key: value for key, value in head.items() if value is not None} | {"metrics": metrics} | body


def _shown(metric: Metric, known: dict[int, tuple[str, int | None]]) -> dict[str, Any]:
    name, datatype = known.get(metric.alias, ("", None)) if metric.alias is not None else ("", None)
    datatype = metric.datatype if metric.datatype is not None else datatype
    try:
        value = metric.worth(datatype)
    except ValueError:
        value = metric.value[1] if metric.value is not None else None
    shown: dict[str, Any] = {"name": metric.name or name or None, "alias": metric.alias}
    if datatype is not None:
        shown["type"] = DataType(datatype).name.title() if datatype in list(DataType) else datatype
    shown |= {"value": plain(value), "timestamp": metric.timestamp, "historical": metric.is_historical}
    return {key: part for key, part in shown.items() if part is not None or key == "value"}


def printable(text: str) -> str:
    """Text that a terminal can be given: no control characters, with which a sender could take it over."""
    return "".join(char if char.isprintable() or char in "\n\t" else "·" for char in text)


def plain(value: Any) -> Any:
    """A value as JSON can hold it: bytes as hex, records as text, infinities and NaN by their names."""
    if isinstance(value, float) and (value != value or value in (float("inf"), float("-inf"))):
        return str(value)
    if isinstance(value, (bytes, bytearray)):
        return value.hex()
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    return value if value is None or isinstance(value, (bool, int, float, str)) else repr(value)
