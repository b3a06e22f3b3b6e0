"""What endpoints say about ports and tags: no two listeners on one port, no watchdog or right about a tag that is not there."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import ValidationError

from labsim.document import Document, KeyPath
from labsim.errors import did_you_mean
from labsim.scenario.catalogue import Catalogue
from labsim.scenario.model import EndpointSpec

_FURTHER = ("tls", "websocket")
"""Listeners of an MQTT endpoint besides the plain one, in the order of `MqttSpec.further_ports`."""


def judge_listeners(document: Document, plant: Mapping[str, str], catalogue: Catalogue | None, known: set[str]) -> None:
    """Ports of all listeners, and tags that endpoints name."""
    taken: dict[int, str] = {}
    for path, raw in document.each("endpoints", "*"):
        for place, port, name in _ports(path, raw):
            if port in taken:
                message = f"port {port} is taken by {taken[port]} already."
                document.problem(place, "duplicate-port", message, "Give each its own 'port'.")
            taken.setdefault(port, name)
    if catalogue is None:
        return
    for path, tag in document.each("endpoints", "*", "modbus", "watchdogs", "*", "reset"):
        _tag(document, path, str(path[4]), tag, plant, catalogue, known)
    for path, safe in document.each("endpoints", "*", "modbus", "watchdogs", "*", "safe"):
        for name in safe if isinstance(safe, dict) else ():
            _tag(document, (*path, name), str(path[4]), name, plant, catalogue, known, key=True)
    for path, rights in document.each("endpoints", "*", "opcua", "rights"):
        for name in rights if isinstance(rights, dict) else ():
            device, dot, tag = str(name).partition(".")
            if dot and "/" not in device:
                _tag(document, (*path, name), device, tag, plant, catalogue, known, key=True)


def _ports(path: KeyPath, raw: Any) -> Iterator[tuple[KeyPath, int, str]]:
    """Place, port and name of every listener of an endpoint; none of one without shape, which the models have told."""
    try:
        endpoint = EndpointSpec.model_validate(raw)
    except ValidationError:
        return
    number = f"endpoint {int(path[1]) + 1}"
    spec = endpoint.spec
    if spec.port:
        yield (*path, endpoint.protocol, "port"), spec.port, number
    if endpoint.mqtt is not None:
        for name in _FURTHER:
            listener = getattr(endpoint.mqtt, name)
            if listener is not None and listener.port:
                yield (*path, "mqtt", name, "port"), listener.port, f"{name} of {number}"


def _tag(
    document: Document,
    path: KeyPath,
    device: str,
    tag: Any,
    plant: Mapping[str, str],
    catalogue: Catalogue,
    known: set[str],
    *,
    key: bool = False,
) -> None:
    kind = plant.get(device, "")
    if kind not in known or not isinstance(tag, str):
        return  # the device's own problem is told where it stands
    tags = set(catalogue.device_tags(kind))
    if tag not in tags:
        message = f"{device} is a {kind}, which has no tag {tag!r}."
        document.problem(path, "unknown-tag", message, did_you_mean(tag, tags), key=key)
