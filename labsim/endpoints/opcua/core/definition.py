"""DataTypeDefinition of namespace 0 (OPC 10000-3 §8.48 to §8.50): asyncua has those types as classes, and no definitions."""

from __future__ import annotations

import dataclasses
import re
from enum import EnumMeta
from functools import lru_cache
from typing import Any

from asyncua import ua

from labsim.endpoints.opcua.core import nodes
from labsim.endpoints.opcua.core.nodeid import Key, key_of, node_id
from labsim.endpoints.opcua.core.nodes import Node, Space

_HINT = re.compile(r"(?P<array>list\[)?ua\.(?P<name>\w+)")
_OTHER_NAMES = {"Variant": 24, "ExtensionObject": 22}


def definition_of(space: Space, key: Key) -> Any:
    """The StructureDefinition or EnumDefinition of a DataType; None when it has none, as built-in and abstract ones."""
    node = space.get(key)
    if node is None or node.cls != nodes.DATA_TYPE:
        return None
    found = node.attributes.get(nodes.DEFINITION)
    return found if found is not None or not isinstance(key, int) else _standard(key, node.browse.Name, _base(node))


def _base(node: Node) -> Key:
    return next(node.targets((nodes.HAS_SUBTYPE,), False), nodes.STRUCTURE)


@lru_cache(1024)
def _standard(key: int, name: str, base: Key) -> Any:
    cls = getattr(ua, name, None)
    if isinstance(cls, EnumMeta):
        members: dict[str, Any] = dict(cls.__members__)
        return ua.EnumDefinition(Fields=[_enum_field(one.rstrip("_"), int(member)) for one, member in members.items()])
    if not dataclasses.is_dataclass(cls) or key <= 25:
        return None
    fields = [one for one in map(_field, dataclasses.fields(cls)) if one is not None]
    encoding = getattr(ua.ObjectIds, f"{name}_Encoding_DefaultBinary", None)
    return ua.StructureDefinition(
        DefaultEncodingId=ua.NodeId(encoding, 0) if encoding is not None else ua.NodeId(),
        BaseDataType=node_id(base),
        StructureType=ua.StructureType.Structure,
        Fields=fields,
    )


def _enum_field(name: str, value: int) -> Any:
    return ua.EnumField(Name=name, Value=value, DisplayName=ua.LocalizedText(name), Description=ua.LocalizedText())


def _field(one: Any) -> Any:
    """A field of asyncua's class: its annotation is a type, or its name in quotes; None for what is only encoding."""
    hint = f"ua.{one.type.__name__}" if isinstance(one.type, type) else str(one.type)
    match = _HINT.search(hint)
    if match is None or one.name in ("Encoding", "TypeId"):
        return None
    number = _OTHER_NAMES.get(match["name"], getattr(ua.ObjectIds, match["name"], 24))
    return ua.StructureField(
        Name=one.name,
        Description=ua.LocalizedText(),
        DataType=ua.NodeId(number, 0),
        ValueRank=1 if match["array"] else -1,
        ArrayDimensions=[0] if match["array"] else [],
        MaxStringLength=0,
        IsOptional=False,
    )


def encoding_of(definition: Any) -> Key:
    """Key of the encoding that values of a structure travel in."""
    return key_of(definition.DefaultEncodingId)
