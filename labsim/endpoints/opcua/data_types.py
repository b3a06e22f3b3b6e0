"""DataTypes of a device's model: its structures and those of companion specifications, each with definition and encoding."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from asyncua import ua

from labsim.endpoints.opcua.core import nodes
from labsim.endpoints.opcua.core.building import add_property
from labsim.endpoints.opcua.core.locale import localize
from labsim.endpoints.opcua.core.nodeid import Key, node_id
from labsim.endpoints.opcua.core.nodes import ENUMERATION, HAS_SUBTYPE, STRUCTURE, Node, Space
from labsim.endpoints.opcua.live import BUILTIN
from labsim.endpoints.opcua.namespaces import Namespaces
from labsim.endpoints.opcua.variables import Texts, label_names
from labsim.plant.companion import split_name
from labsim.plant.companion_structures import STRUCTURES
from labsim.plant.interface import OpcuaSpec
from labsim.text import Text

_FIELD_TYPES: dict[str, int] = {
    **{str(kind): number for kind, number in BUILTIN.items()},
    "datetime": 13, "utc": 294, "localized": 21, "bytes": 15, "decimal": 12878, "any": 24, "unit": 887, "range": 884,
    "path": 540,
}  # fmt: skip
_ENCODING_TYPE = 76


@dataclass(frozen=True, slots=True)
class _Field:
    """A field of a structure, whoever declares it."""

    name: str
    type: str
    array: bool
    optional: bool
    title: Text | None = None


class DataTypes:
    """Finds or makes the DataTypes that one device type names.

    Args:
        space: Where.
        namespaces: For the indexes of companion specifications.
        own: Index of the device's own namespace.
        spec: Its structures.
    """

    def __init__(self, space: Space, namespaces: Namespaces, own: int, spec: OpcuaSpec) -> None:
        self._space, self._namespaces, self._own, self._spec = space, namespaces, own, spec

    def key(self, type_: str) -> Key:
        """The DataType of a field, argument or value; a structure is made when it is not there yet."""
        number = _FIELD_TYPES.get(type_)
        if number is not None:
            return number
        prefix, plain = split_name(type_)
        companion = STRUCTURES.get(type_) if type_ not in self._spec.structures else None
        if companion is not None:
            index = self._namespaces.companion(prefix)
            key: Key = (index, companion.number)
            fields = [_Field(one.name, one.type, one.array, one.optional) for one in companion.fields]
            return self._structure(key, (index, companion.encoding), (index, plain), fields, None)
        spec = self._spec.structures[type_]
        key = (self._own, plain)
        fields = [_Field(name, one.type, one.array, one.optional, one.title) for name, one in spec.fields.items()]
        name = self._namespaces.browse_name(type_, self._own)
        return self._structure(key, (self._own, f"{plain}/Default Binary"), name, fields, spec.about or spec.title)

    def _structure(
        self, key: Key, encoding: Key, name: tuple[int, str], fields: list[_Field], about: Text | None
    ) -> Key:
        """A DataType below Structure (OPC 10000-3 §5.8.3, §8.48) with its Default Binary encoding."""
        if self._space.get(key) is not None:
            return key
        attributes: dict[int, Any] = {nodes.IS_ABSTRACT: False}
        if about is not None:
            attributes[nodes.DESCRIPTION] = about
        browse = ua.QualifiedName(name[1], name[0])
        self._space.add(
            Node(key, nodes.DATA_TYPE, browse, ua.LocalizedText(name[1], "en"), attributes), STRUCTURE, HAS_SUBTYPE
        )
        text = ua.QualifiedName("Default Binary", 0)
        object_ = Node(encoding, nodes.OBJECT, text, ua.LocalizedText(text.Name, "en"), {nodes.EVENT_NOTIFIER: 0})
        self._space.add(object_, type_=_ENCODING_TYPE)
        self._space.edit(key).references += ((nodes.HAS_ENCODING, True, encoding),)
        self._space.edit(encoding).references += ((nodes.HAS_ENCODING, False, key),)
        some = any(one.optional for one in fields)
        attributes[nodes.DEFINITION] = ua.StructureDefinition(  # after the node: a structure may hold itself
            DefaultEncodingId=node_id(encoding),
            BaseDataType=node_id(STRUCTURE),
            StructureType=ua.StructureType(int(some)),
            Fields=[self._field(one) for one in fields],
        )
        return key

    def _field(self, one: _Field) -> Any:
        return ua.StructureField(
            Name=one.name,
            Description=localize(one.title, ()) if one.title is not None else ua.LocalizedText(),
            DataType=node_id(self.key(one.type)),
            ValueRank=1 if one.array else -1,
            ArrayDimensions=[0] if one.array else [],
            MaxStringLength=0,
            IsOptional=one.optional,
        )


def add_enumeration(space: Space, key: tuple[int, str], name: tuple[int, str], labels: Texts) -> None:
    """A DataType below Enumeration with its names and its definition (OPC 10000-3 §5.8.3, §8.39, §8.50)."""
    fields = [
        ua.EnumField(
            Name=identifier(text), Value=number, DisplayName=localize(text, ()), Description=ua.LocalizedText()
        )
        for number, text in sorted(labels.items())
    ]
    attributes = {nodes.IS_ABSTRACT: False, nodes.DEFINITION: ua.EnumDefinition(Fields=fields)}
    display = ua.LocalizedText(name[1], "en")
    node = Node(key, nodes.DATA_TYPE, ua.QualifiedName(name[1], name[0]), display, attributes)
    space.add(node, ENUMERATION, HAS_SUBTYPE)
    browse, (kind, content, rank) = next(iter(label_names(labels).items()))
    add_property(space, (key[0], f"{key[1]}/{browse}"), (0, browse), key, kind, content, rank=rank)


def identifier(text: Mapping[str, str]) -> str:
    """``Not executing`` as a name: ``NotExecuting``."""
    words = "".join(char if char.isalnum() else " " for char in Text(text).say()).split()
    return "".join(word[:1].upper() + word[1:] for word in words)
