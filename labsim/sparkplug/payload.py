"""The Sparkplug B payload (§6.4): its messages as records, to bytes and back.

None is a field that is not there; presence matters in Sparkplug, where a DATA message leaves out what its BIRTH has said.
"""

from __future__ import annotations

from typing import Any, Final

import msgspec

from labsim.sparkplug import wire
from labsim.sparkplug.datatype import Carried, DataType, carry, typed
from labsim.sparkplug.wire import Field

GOOD, BAD, STALE = 192, 0, 500
"""The values of the property `QUALITY` (payloads-propertyset-quality-value-value)."""
QUALITY: Final = "Quality"
UNIT: Final = "engUnit"
"""The property in which Ignition, and so most of the field, writes the engineering unit."""
BD_SEQ: Final = "bdSeq"
REBIRTH: Final = "Node Control/Rebirth"


class MetaData(msgspec.Struct, kw_only=True):
    """What is known about a value besides it."""

    is_multi_part: bool | None = None
    content_type: str | None = None
    size: int | None = None
    seq: int | None = None
    file_name: str | None = None
    file_type: str | None = None
    md5: str | None = None
    description: str | None = None


class PropertyValue(msgspec.Struct, kw_only=True):
    """One property."""

    type: int | None = None
    is_null: bool | None = None
    value: Carried | None = None

    @classmethod
    def of(cls, value: Any, datatype: int) -> PropertyValue:
        """A property with a value; raises ValueError when the type does not hold it."""
        return cls(type=datatype, value=carry(value, datatype))


class PropertySet(msgspec.Struct, kw_only=True):
    """Properties: names and values side by side."""

    keys: list[str] = []
    values: list[PropertyValue] = []

    def get(self, name: str) -> PropertyValue | None:
        """The property of that name."""
        return dict(zip(self.keys, self.values, strict=False)).get(name)


class PropertySetList(msgspec.Struct, kw_only=True):
    """Several sets of properties."""

    propertyset: list[PropertySet] = []


class DataSetValue(msgspec.Struct, kw_only=True):
    """One cell."""

    value: Carried | None = None


class Row(msgspec.Struct, kw_only=True):
    """One row of a data set."""

    elements: list[DataSetValue] = []


class DataSet(msgspec.Struct, kw_only=True):
    """A table."""

    num_of_columns: int | None = None
    columns: list[str] = []
    types: list[int] = []
    rows: list[Row] = []


class Parameter(msgspec.Struct, kw_only=True):
    """A parameter of a template."""

    name: str | None = None
    type: int | None = None
    value: Carried | None = None


class Template(msgspec.Struct, kw_only=True):
    """The definition of a structure, or one of its instances."""

    version: str | None = None
    metrics: list[Metric] = []
    parameters: list[Parameter] = []
    template_ref: str | None = None
    is_definition: bool | None = None


class Metric(msgspec.Struct, kw_only=True):
    """One metric; ``timestamp`` in milliseconds UTC, ``value`` as it travels."""

    name: str | None = None
    alias: int | None = None
    timestamp: int | None = None
    datatype: int | None = None
    is_historical: bool | None = None
    is_transient: bool | None = None
    is_null: bool | None = None
    metadata: MetaData | None = None
    properties: PropertySet | None = None
    value: Carried | None = None

    @classmethod
    def of(cls, value: Any, datatype: int, **fields: Any) -> Metric:
        """A metric with a value, None for a null; raises ValueError when the type does not hold it."""
        metric = cls(datatype=datatype, **fields)
        if value is None:
            metric.is_null = True
        else:
            metric.value = carry(value, datatype)
        return metric

    def worth(self, datatype: int | None = None) -> Any:
        """The value; None for a null. ``datatype`` is what the BIRTH said, for a metric that leaves it out.

        Raises:
            ValueError: no value, no type, or a value that is none of the type.
        """
        if self.is_null:
            return None
        kind = self.datatype if datatype is None else datatype
        if self.value is None or kind is None:
            raise ValueError("a metric without a value" if self.value is None else "a metric without a data type")
        return typed(self.value, kind)


class Payload(msgspec.Struct, kw_only=True):
    """One message; ``timestamp`` in milliseconds UTC."""

    timestamp: int | None = None
    metrics: list[Metric] = []
    seq: int | None = None
    uuid: str | None = None
    body: bytes | None = None

    def get(self, name: str) -> Metric | None:
        """The first metric of that name."""
        return next((metric for metric in self.metrics if metric.name == name), None)


def encode(payload: Payload) -> bytes:
    """A payload as bytes.

    Raises:
        ValueError: a value that its field cannot hold.
    """
    return wire.encode(payload, _TABLES)


def decode(data: bytes) -> Payload:
    """A payload from bytes.

    Raises:
        ValueError: not a Sparkplug payload; nothing else, whatever the bytes.
    """
    payload: Payload = wire.decode(data, Payload, _TABLES)
    return payload


def bd_seq(number: int, timestamp: int) -> Metric:
    """The metric that pairs a BIRTH with its DEATH: Int64, as the erratum of 3.0 has it."""
    return Metric.of(number, DataType.INT64, name=BD_SEQ, timestamp=timestamp)


def _value(*kinds: Any, first: int) -> list[Field]:
    """The members of a ``oneof value``, numbered from ``first`` on."""
    members = (
        ("int_value", "uint32"), ("long_value", "uint64"), ("float_value", "float"), ("double_value", "double"),
        ("boolean_value", "bool"), ("string_value", "string"), *kinds,
    )  # fmt: skip
    return [Field(first + n, "value", kind, member=member) for n, (member, kind) in enumerate(members)]


_TABLES: Final[wire.Tables] = {
    MetaData: [
        Field(1, "is_multi_part", "bool"), Field(2, "content_type", "string"), Field(3, "size", "uint64"),
        Field(4, "seq", "uint64"), Field(5, "file_name", "string"), Field(6, "file_type", "string"),
        Field(7, "md5", "string"), Field(8, "description", "string"),
    ],
    PropertyValue: [
        Field(1, "type", "uint32"), Field(2, "is_null", "bool"),
        *_value(("propertyset_value", PropertySet), ("propertysets_value", PropertySetList), first=3),
    ],
    PropertySet: [Field(1, "keys", "string", repeated=True), Field(2, "values", PropertyValue, repeated=True)],
    PropertySetList: [Field(1, "propertyset", PropertySet, repeated=True)],
    DataSetValue: _value(first=1),
    Row: [Field(1, "elements", DataSetValue, repeated=True)],
    DataSet: [
        Field(1, "num_of_columns", "uint64"), Field(2, "columns", "string", repeated=True),
        Field(3, "types", "uint32", repeated=True), Field(4, "rows", Row, repeated=True),
    ],
    Parameter: [Field(1, "name", "string"), Field(2, "type", "uint32"), *_value(first=3)],
    Template: [
        Field(1, "version", "string"), Field(2, "metrics", Metric, repeated=True),
        Field(3, "parameters", Parameter, repeated=True), Field(4, "template_ref", "string"),
        Field(5, "is_definition", "bool"),
    ],
    Metric: [
        Field(1, "name", "string"), Field(2, "alias", "uint64"), Field(3, "timestamp", "uint64"),
        Field(4, "datatype", "uint32"), Field(5, "is_historical", "bool"), Field(6, "is_transient", "bool"),
        Field(7, "is_null", "bool"), Field(8, "metadata", MetaData), Field(9, "properties", PropertySet),
        *_value(("bytes_value", "bytes"), ("dataset_value", DataSet), ("template_value", Template), first=10),
    ],
    Payload: [
        Field(1, "timestamp", "uint64"), Field(2, "metrics", Metric, repeated=True), Field(3, "seq", "uint64"),
        Field(4, "uuid", "string"), Field(5, "body", "bytes"),
    ],
}  # fmt: skip
