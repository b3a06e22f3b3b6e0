"""A tag as a Variable: its type, its range and unit, the names of its values (OPC 10000-8 §5)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from asyncua import ua

from labsim.endpoints.opcua.core import nodes
from labsim.endpoints.opcua.core.building import BASE_VARIABLE, add_property, add_variable
from labsim.endpoints.opcua.core.locale import Locales, localize
from labsim.endpoints.opcua.core.nodeid import Key
from labsim.endpoints.opcua.core.nodes import Node, Space
from labsim.endpoints.opcua.live import BUILTIN
from labsim.endpoints.opcua.seat import Seat
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
        live: bool = False,
    ) -> Node:
        """Add the variable with its properties.

        Args:
            key: Its node; properties are below it.
            name: Namespace index and browse name.
            parent: The object or folder it is in.
            about: Its description.
            sampling_ms: MinimumSamplingInterval.
            live: It shows the tag; otherwise it is an instance declaration, which has no value.
        """
        tag = self._tag
        node = add_variable(
            self._space, key, name, parent, BUILTIN[tag.type] if self._data_type is None else self._data_type, tag.title,
            row=tag.row if live else -1, description=about, writable=tag.writable, sampling_ms=sampling_ms,
            type_=BASE_VARIABLE if self._data_type is not None else variable_type(tag),
        )  # fmt: skip
        found = dict(self._range_and_unit())
        if tag.labels and self._data_type is None:
            found |= _labels(tag)
        for browse, (kind, content, rank) in found.items():
            given = None if not live and browse == "ValueAsText" else content
            property_ = add_property(
                self._space, (key[0], f"{key[1]}/{browse}"), (0, browse), key, kind, given, rank=rank
            )
            if not live:
                declare(property_)
        return node if live else declare(node)

    @property
    def properties(self) -> tuple[str, ...]:
        """Browse names of its properties."""
        named = _labels(self._tag) if self._tag.labels and self._data_type is None else {}
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


def _labels(tag: Tag) -> dict[str, tuple[Key, Any, int]]:
    """EnumStrings, or EnumValues with ValueAsText (OPC 10000-8 §5.3.3.3, §5.3.3.4)."""
    labels, row = tag.labels, tag.row
    if variable_type(tag) == _MULTI_STATE:
        return label_names(labels)

    def value_as_text(locales: Locales, seat: Seat) -> Any:
        label = labels.get(int(seat.read(row)))
        return ua.Variant(localize(label, locales) if label else ua.LocalizedText(), VT.LocalizedText)

    return {"EnumValues": _enum_values(labels), "ValueAsText": (_LOCALIZED_TEXT, value_as_text, -1)}


def label_names(labels: Texts) -> dict[str, tuple[Key, Any, int]]:
    """EnumStrings when the numbers run from 0 without a gap, else EnumValues."""
    if not _is_dense(labels):
        return {"EnumValues": _enum_values(labels)}
    strings = [labels[number] for number in sorted(labels)]

    def enum_strings(locales: Locales, _seat: Seat) -> Any:
        return ua.Variant([localize(text, locales) for text in strings], VT.LocalizedText, is_array=True)

    return {"EnumStrings": (_LOCALIZED_TEXT, enum_strings, 1)}


def _enum_values(labels: Texts) -> tuple[Key, Any, int]:
    def enum_values(locales: Locales, _seat: Seat) -> Any:
        named = [(number, localize(text, locales)) for number, text in sorted(labels.items())]
        found = [ua.EnumValueType(number, text, ua.LocalizedText()) for number, text in named]
        return ua.Variant(found, VT.ExtensionObject, is_array=True)

    return _ENUM_VALUE, enum_values, 1


def _unit(unit: Unit) -> Any:
    return ua.EUInformation(NAMESPACE, unit.unit_id, ua.LocalizedText(unit.symbol), ua.LocalizedText(unit.name, "en"))
