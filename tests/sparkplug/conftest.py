"""Google's Protocol Buffers as the oracle: the messages of sparkplug_b.proto as a descriptor, without a generated file."""

from __future__ import annotations

import pytest
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

_VALUE = ["uint32 int_value", "uint64 long_value", "float float_value", "double double_value", "bool boolean_value",
          "string string_value"]  # fmt: skip
_MESSAGES = {
    "MetaData": ["1 bool is_multi_part", "2 string content_type", "3 uint64 size", "4 uint64 seq", "5 string file_name",
                 "6 string file_type", "7 string md5", "8 string description"],
    "PropertyValue": ["1 uint32 type", "2 bool is_null",
                      *(f"{3 + n} oneof {f}" for n, f in enumerate([*_VALUE, "PropertySet propertyset_value",
                                                                    "PropertySetList propertysets_value"]))],
    "PropertySet": ["1 repeated string keys", "2 repeated PropertyValue values"],
    "PropertySetList": ["1 repeated PropertySet propertyset"],
    "DataSetValue": [f"{1 + n} oneof {f}" for n, f in enumerate(_VALUE)],
    "Row": ["1 repeated DataSetValue elements"],
    "DataSet": ["1 uint64 num_of_columns", "2 repeated string columns", "3 repeated uint32 types", "4 repeated Row rows"],
    "Parameter": ["1 string name", "2 uint32 type", *(f"{3 + n} oneof {f}" for n, f in enumerate(_VALUE))],
    "Template": ["1 string version", "2 repeated Metric metrics", "3 repeated Parameter parameters",
                 "4 string template_ref", "5 bool is_definition"],
    "Metric": ["1 string name", "2 uint64 alias", "3 uint64 timestamp", "4 uint32 datatype", "5 bool is_historical",
               "6 bool is_transient", "7 bool is_null", "8 MetaData metadata", "9 PropertySet properties",
               *(f"{10 + n} oneof {f}" for n, f in enumerate([*_VALUE, "bytes bytes_value", "DataSet dataset_value",
                                                              "Template template_value"]))],
    "Payload": ["1 uint64 timestamp", "2 repeated Metric metrics", "3 uint64 seq", "4 string uuid", "5 bytes body"],
}  # fmt: skip


@pytest.fixture(scope="session")
def oracle() -> type:
    """The class of a payload as Protocol Buffers know it."""
    proto = descriptor_pb2.FileDescriptorProto(name="sparkplug_b.proto", package="spb", syntax="proto2")
    kinds = descriptor_pb2.FieldDescriptorProto
    for name, fields in _MESSAGES.items():
        message = proto.message_type.add(name=name)
        if any(" oneof " in field for field in fields):
            message.oneof_decl.add(name="value")
        for field in fields:
            number, *mark, kind, attribute = field.split()
            added = message.field.add(name=attribute, number=int(number))
            added.label = kinds.LABEL_REPEATED if mark == ["repeated"] else kinds.LABEL_OPTIONAL
            if mark == ["oneof"]:
                added.oneof_index = 0
            if kind in _MESSAGES:
                added.type, added.type_name = kinds.TYPE_MESSAGE, f".spb.{kind}"
            else:
                added.type = getattr(kinds, f"TYPE_{kind.upper()}")
    pool = descriptor_pool.DescriptorPool()
    pool.Add(proto)
    return message_factory.GetMessageClass(pool.FindMessageTypeByName("spb.Payload"))
