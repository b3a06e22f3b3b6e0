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
    from labsim.endpoints.opcua.template import Template

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


def renumber(template: Template, ids: NodeIds, namespaces: Collection[int]) -> None:
    """Give every node of the devices' namespaces its id; nothing of `template` names the old ones any more."""
    if ids.kind == "string":
        return
    new, taken = template.renamed, set[Key]()
    for key in template.space.own_keys():
        if isinstance(key, tuple) and key[0] in namespaces and isinstance(key[1], str):
            found = ids.of((key[0], key[1]), taken)
            new[key] = found
            taken.add(found)

    def by_key(table: dict[Key, T]) -> dict[Key, T]:
        return {template.key_now(key): value for key, value in table.items()}

    template.space.rename(new)
    for key in template.space.own_keys():
        _attributes(template.space[key].attributes, new)
    template.tags, template.devices = by_key(template.tags), by_key(template.devices)
    template.methods, template.calls = by_key(template.methods), by_key(template.calls)
    template.sources = by_key(template.sources)
    template.conditions = {
        path: replace(at, key=template.key_now(at.key), source=template.key_now(at.source))
        for path, at in template.conditions.items()
    }
    template.event_types = {
        name: replace(kind, key=template.key_now(kind.key), source=template.key_now(kind.source))
        for name, kind in template.event_types.items()
    }


def _attributes(attributes: dict[int, Any], new: dict[Key, Key]) -> None:
    """DataTypes, definitions and values that are node ids or hold some."""

    def id_now(value: Any) -> Any:
        return node_id(new[key_of(value)]) if key_of(value) in new else value

    for name, value in attributes.items():
        if name == nodes.DATA_TYPE_ID:
            attributes[name] = id_now(value)
        elif name == nodes.DEFINITION and hasattr(value, "StructureType"):
            value.DefaultEncodingId, value.BaseDataType = id_now(value.DefaultEncodingId), id_now(value.BaseDataType)
            for field in value.Fields:
                field.DataType = id_now(field.DataType)
        elif isinstance(value, ua.Variant) and isinstance(value.Value, ua.NodeId) and key_of(value.Value) in new:
            attributes[name] = ua.Variant(id_now(value.Value), ua.VariantType.NodeId)
