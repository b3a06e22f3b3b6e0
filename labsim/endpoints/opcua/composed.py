"""Variables that hold a structure made of tags: put together when they are asked for, so that nothing is kept twice."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from asyncua import ua

from labsim.endpoints.opcua.core.building import add_variable
from labsim.endpoints.opcua.core.locale import Locales
from labsim.endpoints.opcua.core.nodeid import Key
from labsim.endpoints.opcua.core.nodes import Node, Space
from labsim.endpoints.opcua.core.status import S, is_bad
from labsim.endpoints.opcua.core.structure import Structures
from labsim.endpoints.opcua.core.values import DataValue
from labsim.endpoints.opcua.seat import Seat
from labsim.plant.model_spec import ComposedSpec, ConstantSpec
from labsim.plant.tags import Tag
from labsim.units import NAMESPACE, UNITS

VT = ua.VariantType
Fields = Mapping[str, "str | ConstantSpec"]


class Composed:
    """Builds the variable of one composed value.

    Args:
        space: Where.
        spec: What it is made of.
        data_type: Its structure.
        tags: Tags of the device by name.
    """

    def __init__(self, space: Space, spec: ComposedSpec, data_type: Key, tags: Mapping[str, Tag]) -> None:
        self._space, self._spec, self._data_type, self._tags = space, spec, data_type, tags
        self._structures = Structures(space)
        self._rows = [tags[name].row for name in spec.tags()]

    @property
    def tags(self) -> tuple[Tag, ...]:
        """The tags it shows."""
        return tuple(self._tags[name] for name in self._spec.tags())

    def add(
        self, key: tuple[int, str], name: tuple[int, str], parent: Key, *, sampling_ms: float = 0.0, live: bool = True
    ) -> Node:
        """Add it below a parent; one that is not ``live`` is an instance declaration, without a value."""
        return add_variable(
            self._space, key, name, parent, self._data_type, self._spec.title, description=self._spec.about,
            value=self._value if live else None, rank=1 if self._spec.is_list else -1, sampling_ms=sampling_ms,
        )  # fmt: skip

    def _value(self, locales: Locales, seat: Seat) -> DataValue:
        """Its status is the worst of its tags, its time that of the last change among them."""
        status, source = seat.status(self._rows), seat.source_time(self._rows)
        if is_bad(status):
            return DataValue(None, status, source)
        try:
            said = self._said(seat)
            found: Any = (
                [self._structures.pack(self._data_type, one, locales) for one in said]
                if isinstance(said, list)
                else self._structures.pack(self._data_type, said, locales)
            )
        except ValueError:  # the device keeps what is no such structure
            return DataValue(None, int(S.BadEncodingError), source)
        return DataValue(ua.Variant(found, VT.ExtensionObject, is_array=self._spec.is_list), status, source)

    def _said(self, seat: Seat) -> Any:
        spec = self._spec
        if spec.json_tag is not None:
            said = json.loads(str(seat.read(self._rows[0])) or ("[]" if spec.is_list else "{}"))
            if isinstance(said, list) != spec.is_list:
                raise ValueError("a list, or not")
            return said
        if spec.items is not None:
            return [self._fields(one, seat) for one in spec.items]
        return self._fields(spec.fields or {}, seat)

    def _fields(self, fields: Fields, seat: Seat) -> dict[str, Any]:
        return {name: self._source(source, seat) for name, source in fields.items()}

    def _source(self, source: str | ConstantSpec, seat: Seat) -> Any:
        if isinstance(source, str):
            return seat.read(self._tags[source].row)
        if source.fields is not None:
            return self._fields(source.fields, seat)
        if source.unit is not None:
            return unit_fields(source.unit)
        return source.constant


def unit_fields(symbol: str) -> dict[str, Any]:
    """EUInformation of a unit (OPC 10000-8 §5.6.3)."""
    unit = UNITS[symbol]
    return {
        "NamespaceUri": NAMESPACE, "UnitId": unit.unit_id, "DisplayName": unit.symbol, "Description": unit.name
    }  # fmt: skip
