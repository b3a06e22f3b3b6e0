"""The address space of some devices as every server that looks alike shares it: nothing here belongs to one plant."""

from __future__ import annotations

from dataclasses import dataclass, field

from labsim.endpoints.opcua.core.nodeid import Key
from labsim.endpoints.opcua.core.nodes import Space
from labsim.endpoints.opcua.events import EventType
from labsim.endpoints.opcua.methods import DeviceMethod
from labsim.plant.tags import Tag


@dataclass(frozen=True, slots=True)
class ConditionNode:
    """Where an alarm stands: its node, its ConditionName, and the node and name of its source."""

    key: Key
    name: str
    source: Key
    source_name: str


@dataclass(slots=True)
class Template:
    """Nodes of some devices, and what stands behind them by name.

    Attributes:
        space: The nodes; frozen when it is whole.
        namespaces: URIs from index 2 on.
        tags: The tag of each variable that is one.
        sources: The tags of each variable that is made of some.
        devices: The device that each object, folder or variable belongs to.
        methods: What can be called; ``calls`` is what the device calls it.
        conditions: Nodes of alarms by ``device.name``.
        event_types: Events by device and name.
        renamed: Keys that nodes were given after they were built, by those they had.
    """

    space: Space
    namespaces: list[str] = field(default_factory=list)
    tags: dict[Key, Tag] = field(default_factory=dict)
    sources: dict[Key, tuple[Tag, ...]] = field(default_factory=dict)
    devices: dict[Key, str] = field(default_factory=dict)
    methods: dict[Key, DeviceMethod] = field(default_factory=dict)
    calls: dict[Key, str] = field(default_factory=dict)
    conditions: dict[str, ConditionNode] = field(default_factory=dict)
    event_types: dict[tuple[str, str], EventType] = field(default_factory=dict)
    renamed: dict[Key, Key] = field(default_factory=dict)

    def key_now(self, key: Key) -> Key:
        """The present key of a node."""
        return self.renamed.get(key, key)
