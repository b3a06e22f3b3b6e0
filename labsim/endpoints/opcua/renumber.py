"""Node ids of another kind than the speaking ones, drawn per seat, so that clients have to find nodes by their names."""

from __future__ import annotations

import hashlib
from collections.abc import Collection
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal, TypeVar
from uuid import UUID

from asyncua import ua

from labsim.endpoints.opcua.core import nodes
from labsim.endpoints.opcua.core.nodeid import Key, key_of, node_id

if TYPE_CHECKING:
    from labsim.endpoints.opcua.mapping import Mapped

T = TypeVar("T")
IdKind = Literal["string", "numeric", "guid"]
_LOWEST, _SPAN = 10_000, 890_000


@dataclass(frozen=True, slots=True)
class NodeIds:
    """The kind of node ids, and what they are drawn from."""

    kind: IdKind
    seed: str

    def of(self, key: tuple[int, str], taken: set[Key]) -> Key:
        """The id that stands for a speaking one, none that is taken."""
        digest = hashlib.sha256(f"{self.seed}/{key[1]}".encode()).digest()
        if self.kind == "guid":
            return key[0], UUID(bytes=digest[:16], version=4)
        if self.kind == "string":
            return key
        number = int.from_bytes(digest[:4], "big") % _SPAN
        while (key[0], _LOWEST + number) in taken:
            number = (number + 1) % _SPAN
        return key[0], _LOWEST + number


def renumber(mapped: Mapped, ids: NodeIds, namespaces: Collection[int]) -> None:
    """Give every node of the devices' namespaces its id; nothing of `mapped` names the old ones any more."""
    if ids.kind == "string":
        return
    new: dict[Key, Key] = {}
    taken: set[Key] = set()
    for key in mapped.space.own_keys():
        if isinstance(key, tuple) and key[0] in namespaces and isinstance(key[1], str):
            found = ids.of((key[0], key[1]), taken)
            new[key] = found
            taken.add(found)

    def key_for(key: Key) -> Key:
        return new.get(key, key)

    def by_key(table: dict[Key, T]) -> dict[Key, T]:
        return {key_for(key): value for key, value in table.items()}

    mapped.space.rename(new)
    for key in mapped.space.own_keys():
        _attributes(mapped.space[key].attributes, new)
    mapped.tags, mapped.devices = by_key(mapped.tags), by_key(mapped.devices)
    mapped.methods, mapped.calls = by_key(mapped.methods), by_key(mapped.calls)
    for condition in mapped.conditions.values():
        condition.key, condition.source = key_for(condition.key), key_for(condition.source)
    mapped.event_types = {
        name: replace(kind, key=key_for(kind.key), source=key_for(kind.source))
        for name, kind in mapped.event_types.items()
    }


def _attributes(attributes: dict[int, Any], new: dict[Key, Key]) -> None:
    """DataTypes and values that are node ids."""
    for name, value in attributes.items():
        if name == nodes.DATA_TYPE_ID and key_of(value) in new:
            attributes[name] = node_id(new[key_of(value)])
        elif isinstance(value, ua.Variant) and isinstance(value.Value, ua.NodeId) and key_of(value.Value) in new:
            attributes[name] = ua.Variant(node_id(new[key_of(value.Value)]), ua.VariantType.NodeId)
