"""A tag as a Variable: its type, its range and unit, the names of its values (OPC 10000-8 §5)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from asyncua import ua

from labsim.endpoints.opcua.core import nodes
from labsim.endpoints.opcua.core.building import BASE_VARIABLE, add_property, add_variable
from labsim.endpoints.opcua.core.locale import Locales, localize
from labsim.endpoints.opcua.core.nodeid import Key
from labsim.endpoints.opcua.core.nodes import ENUMERATION, HAS_SUBTYPE, Node, Space
from labsim.endpoints.opcua.live import BUILTIN
from labsim.plant.tags import Tag
from labsim.text import Text
from labsim.units import NAMESPACE, Unit

VT = ua.VariantType
_LOCALIZED_TEXT, _RANGE, _EU_INFORMATION, _ENUM_VALUE = 21, 884, 887, 7594
_ANALOG_ITEM, _ANALOG_UNIT, _ANALOG_UNIT_RANGE = 2368, 17497, 17570
_MULTI_STATE, _MULTI_STATE_VALUE = 2376, 11238
MANDATORY, OPTIONAL = 78, 80
Texts = Mapping[int, Mapping[str, str]]


def declare(node: Node, rule: int = MANDATORY) -> Node:
    """Make a node of a type an instance declaration (OPC 10000-3 §6.2.7)."""
    node.references += ((nodes.MODELLING_RULE, True, rule),)
    return node


class TagVariable:
    """Builds the Variable of a tag, on a device or on its type.

    Args:
        space: Where.
        tag: The tag.
        data_type: Its enumeration DataType; the built-in type by default.
    """

    def __init__(self, space: Space, tag: Tag, data_type: Key | None = None) -> None:
        self._space, self._tag, self._data_type = space, tag, data_type

    def add(
        self,
        key: tuple[int, str],
        name: tuple[int, str],
        parent: Key,
        about: Text | None,
        *,
        sampling_ms: float = 0.0,
        value: Callable[[], int] | None = None,
    ) -> Node:
        """Add the variable with its properties.

        Args:
            key: Its node; properties are below it.
            name: Namespace index and browse name.
            parent: The object or folder it is in.
            about: Its description.
            sampling_ms: MinimumSamplingInterval.
            value: Reads the tag as a number; None makes an instance declaration, which has no value.
        """
        tag = self._tag
        node = add_variable(
            self._space, key, name, parent, BUILTIN[tag.type] if self._data_type is None else self._data_type, tag.title,
            row=-1 if value is None else tag.row, description=about, writable=tag.writable, sampling_ms=sampling_ms,
            type_=BASE_VARIABLE if self._data_type is not None else variable_type(tag),
        )  # fmt: skip
        found = dict(self._range_and_unit())
        if tag.labels and self._data_type is None:
            found |= _labels(tag, value or (lambda: -1))
        for browse, (kind, content, rank) in found.items():
            given = None if value is None and browse == "ValueAsText" else content
            property_ = add_property(
                self._space, (key[0], f"{key[1]}/{browse}"), (0, browse), key, kind, given, rank=rank
            )
            if value is None:
                declare(property_)
        return node if value is not None else declare(node)

    @property
    def properties(self) -> tuple[str, ...]:
        """Browse names of its properties."""
        named = _labels(self._tag, lambda: 0) if self._tag.labels and self._data_type is None else {}
        return (*self._range_and_unit(), *named)

    def _range_and_unit(self) -> dict[str, tuple[Key, Any, int]]:
        """EURange and EngineeringUnits (OPC 10000-8 §5.3.2, §5.6.2, §5.6.3)."""
        tag = self._tag
        found: dict[str, tuple[Key, Any, int]] = {}
        if tag.low is not None and tag.high is not None:
            found["EURange"] = (_RANGE, ua.Variant(ua.Range(tag.low, tag.high), VT.ExtensionObject), -1)
        if tag.unit is not None:
            found["EngineeringUnits"] = (_EU_INFORMATION, ua.Variant(_unit(tag.unit), VT.ExtensionObject), -1)
        return found


def add_enumeration(space: Space, key: tuple[int, str], name: tuple[int, str], labels: Texts) -> None:
    """A DataType below Enumeration with its names and its definition (OPC 10000-3 §5.8.3, §8.40, §8.52)."""
    fields = [
        ua.EnumField(
            Name=_identifier(text), Value=number, DisplayName=localize(text, ()), Description=ua.LocalizedText()
        )
        for number, text in sorted(labels.items())
    ]
    attributes = {nodes.IS_ABSTRACT: False, nodes.DEFINITION: ua.EnumDefinition(Fields=fields)}
    display = ua.LocalizedText(name[1], "en")
    node = Node(key, nodes.DATA_TYPE, ua.QualifiedName(name[1], name[0]), display, attributes)
    space.add(node, ENUMERATION, HAS_SUBTYPE)
    browse, (kind, content, rank) = next(iter(_names(labels).items()))
    add_property(space, (key[0], f"{key[1]}/{browse}"), (0, browse), key, kind, content, rank=rank)


def variable_type(tag: Tag) -> int:
    """The VariableType that says what the tag has (OPC 10000-8 §5.3)."""
    if tag.labels:
        unsigned = tag.type[0] == "u"
        return _MULTI_STATE if unsigned and _is_dense(tag.labels) else _MULTI_STATE_VALUE
    ranged = tag.low is not None and tag.high is not None
    if ranged:
        return _ANALOG_UNIT_RANGE if tag.unit is not None else _ANALOG_ITEM
    return _ANALOG_UNIT if tag.unit is not None else BASE_VARIABLE


def _is_dense(labels: Texts) -> bool:
    return sorted(labels) == list(range(len(labels)))


def _labels(tag: Tag, value: Callable[[], int]) -> dict[str, tuple[Key, Any, int]]:
    """EnumStrings, or EnumValues with ValueAsText (OPC 10000-8 §5.3.3.3, §5.3.3.4)."""
    labels: Texts = tag.labels
    if variable_type(tag) == _MULTI_STATE:
        return _names(labels)

    def value_as_text(locales: Locales) -> Any:
        label = labels.get(value())
        return ua.Variant(localize(label, locales) if label else ua.LocalizedText(), VT.LocalizedText)

    return {"EnumValues": _enum_values(labels), "ValueAsText": (_LOCALIZED_TEXT, value_as_text, -1)}


def _names(labels: Texts) -> dict[str, tuple[Key, Any, int]]:
    """EnumStrings when the numbers run from 0 without a gap, else EnumValues."""
    if not _is_dense(labels):
        return {"EnumValues": _enum_values(labels)}
    strings = [labels[number] for number in sorted(labels)]

    def enum_strings(locales: Locales) -> Any:
        return ua.Variant([localize(text, locales) for text in strings], VT.LocalizedText, is_array=True)

    return {"EnumStrings": (_LOCALIZED_TEXT, enum_strings, 1)}


def _enum_values(labels: Texts) -> tuple[Key, Any, int]:
    def enum_values(locales: Locales) -> Any:
        named = [(number, localize(text, locales)) for number, text in sorted(labels.items())]
        found = [ua.EnumValueType(number, text, ua.LocalizedText()) for number, text in named]
        return ua.Variant(found, VT.ExtensionObject, is_array=True)

    return _ENUM_VALUE, enum_values, 1


def _identifier(text: Mapping[str, str]) -> str:
    words = "".join(char if char.isalnum() else " " for char in Text(text).say()).split()
    return "".join(word[:1].upper() + word[1:] for word in words)


def _unit(unit: Unit) -> Any:
    return ua.EUInformation(NAMESPACE, unit.unit_id, ua.LocalizedText(unit.symbol), ua.LocalizedText(unit.name, "en"))
