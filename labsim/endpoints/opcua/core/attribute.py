"""Read and Write (OPC 10000-4 §5.11)."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Any

from asyncua import ua

from labsim.endpoints.opcua.core import nodes, values
from labsim.endpoints.opcua.core.codec import NO_DIAGNOSTICS
from labsim.endpoints.opcua.core.definition import definition_of
from labsim.endpoints.opcua.core.happening import ReadFacts, ReadSubject, WriteFact
from labsim.endpoints.opcua.core.locale import Locales, localize
from labsim.endpoints.opcua.core.method import may_call
from labsim.endpoints.opcua.core.nodeid import Key, key_of, node_id
from labsim.endpoints.opcua.core.nodes import Node
from labsim.endpoints.opcua.core.ranges import read_range, write_range
from labsim.endpoints.opcua.core.request import Request, check_count, check_timestamps
from labsim.endpoints.opcua.core.role import describe
from labsim.endpoints.opcua.core.status import Bad, S, is_bad
from labsim.endpoints.opcua.core.typecheck import check_variable
from labsim.endpoints.opcua.core.users import Identity
from labsim.endpoints.opcua.core.values import DataValue, as_variant, encode_data_value

if TYPE_CHECKING:
    from labsim.endpoints.opcua.core.server import Server

VT = ua.VariantType
_READ_RESPONSE = ua.ObjectIds.ReadResponse_Encoding_DefaultBinary
_TYPES = {
    nodes.NODE_ID: VT.NodeId, nodes.NODE_CLASS: VT.Int32, nodes.BROWSE_NAME: VT.QualifiedName,
    nodes.DISPLAY_NAME: VT.LocalizedText, nodes.DESCRIPTION: VT.LocalizedText, nodes.WRITE_MASK: VT.UInt32,
    nodes.USER_WRITE_MASK: VT.UInt32, nodes.IS_ABSTRACT: VT.Boolean, nodes.SYMMETRIC: VT.Boolean,
    nodes.INVERSE_NAME: VT.LocalizedText, nodes.CONTAINS_NO_LOOPS: VT.Boolean, nodes.EVENT_NOTIFIER: VT.Byte,
    nodes.DATA_TYPE_ID: VT.NodeId, nodes.VALUE_RANK: VT.Int32, nodes.ARRAY_DIMENSIONS: VT.UInt32,
    nodes.ACCESS_LEVEL: VT.Byte, nodes.USER_ACCESS_LEVEL: VT.Byte, nodes.MIN_SAMPLING: VT.Double,
    nodes.HISTORIZING: VT.Boolean, nodes.EXECUTABLE: VT.Boolean, nodes.USER_EXECUTABLE: VT.Boolean,
    nodes.DEFINITION: VT.ExtensionObject, nodes.ROLE_PERMISSIONS: VT.ExtensionObject,
    nodes.USER_ROLE_PERMISSIONS: VT.ExtensionObject, nodes.ACCESS_RESTRICTIONS: VT.UInt16,
    nodes.ACCESS_LEVEL_EX: VT.UInt32,
}  # fmt: skip
"""Attributes other than Value, with their built-in types (OPC 10000-3 §5.2 to §5.8)."""

_ARRAYS = (nodes.ARRAY_DIMENSIONS, nodes.ROLE_PERMISSIONS, nodes.USER_ROLE_PERMISSIONS)
_LEVEL_BITS = (("read", nodes.CURRENT_READ), ("write", nodes.CURRENT_WRITE), ("history", nodes.HISTORY_READ))


def _attribute(server: Server, node: Node, attribute: int, identity: Identity | None, locales: Locales) -> Any:
    """The plain value of an attribute other than Value; BadAttributeIdInvalid when the class has none."""
    match attribute:
        case nodes.NODE_ID:
            return node_id(node.key)
        case nodes.NODE_CLASS:
            return node.cls
        case nodes.BROWSE_NAME:
            return node.browse
        case nodes.DISPLAY_NAME:
            return localize(node.display, locales)
        case nodes.WRITE_MASK | nodes.USER_WRITE_MASK:
            return 0
        case nodes.USER_ACCESS_LEVEL if node.cls == nodes.VARIABLE:
            level = node.attributes[nodes.ACCESS_LEVEL]
            denied = (bit for operation, bit in _LEVEL_BITS if not server.may(identity, operation, node))
            return level & ~sum(denied)
        case nodes.ROLE_PERMISSIONS:
            server.demand(identity, "permissions", node)
            return describe(node.attributes.get(attribute, server.roles.defaults))
        case nodes.USER_ROLE_PERMISSIONS:
            own = node.attributes.get(nodes.ROLE_PERMISSIONS, server.roles.defaults)
            return describe(own, identity.role if identity is not None else "")
        case nodes.ACCESS_RESTRICTIONS:
            return node.attributes.get(attribute, 0)
        case nodes.ACCESS_LEVEL_EX if node.cls == nodes.VARIABLE:
            return node.attributes[nodes.ACCESS_LEVEL]
        case nodes.USER_EXECUTABLE if node.cls == nodes.METHOD:
            return node.attributes[nodes.EXECUTABLE] and may_call(server, identity, node)
    value = definition_of(server.space, node.key) if attribute == nodes.DEFINITION else node.attributes.get(attribute)
    if value is None:
        raise Bad(S.BadAttributeIdInvalid)
    return localize(value, locales) if attribute == nodes.DESCRIPTION else value


def current_value(server: Server, node: Node, now: int, locales: Locales = ()) -> DataValue:
    """The Value attribute: from the store, from this server's own values, or the constant in the node."""
    if node.row >= 0:
        return values.stored(server.store, node.row, now)
    own = server.values.get(node.key)
    if own is not None:
        return DataValue(own(), 0, now, now) if callable(own) else DataValue(own, 0, server.started, now)
    constant = node.constant(locales, server.context)
    if isinstance(constant, DataValue):
        return constant._replace(server=now)
    if node.cls == nodes.VARIABLE_TYPE and (constant is None or constant.VariantType == VT.Null):
        raise Bad(S.BadAttributeIdInvalid)
    since = now if callable(node.attributes.get(nodes.VALUE)) else server.started
    return DataValue(constant if constant is not None else ua.Variant(), 0, since, now)


def read_one(
    server: Server, identity: Identity | None, asked: Any, now: int, locales: Locales = (), key: Key | None = None
) -> DataValue:
    """One ReadValueId; what is wrong with it becomes the status."""
    try:
        node = server.visible(key_of(asked.NodeId) if key is None else key, identity)
        if asked.AttributeId == nodes.VALUE and node.cls in (nodes.VARIABLE, nodes.VARIABLE_TYPE):
            _check_readable(server, identity, node)
            _check_encoding(server, node, asked.DataEncoding)
            data = current_value(server, node, now, locales)
        else:
            data = _read_attribute(server, identity, node, asked, now, locales)
        if asked.IndexRange and not is_bad(data.status):
            data = data._replace(value=read_range(as_variant(data.value), asked.IndexRange))
    except Bad as error:
        return DataValue(None, error.code, 0, now)
    return data


def _check_readable(server: Server, identity: Identity | None, node: Node) -> None:
    if node.cls == nodes.VARIABLE:
        if not node.attributes[nodes.ACCESS_LEVEL] & nodes.CURRENT_READ:
            raise Bad(S.BadNotReadable)
        server.demand(identity, "read", node)


def _check_encoding(server: Server, node: Node, encoding: Any) -> None:
    """Only structures have encodings, and only Default Binary is here (OPC 10000-4 §5.11.2)."""
    if encoding is None or (not encoding.Name and encoding.NamespaceIndex == 0):
        return
    if server.space.builtin(key_of(node.attributes[nodes.DATA_TYPE_ID])) != nodes.STRUCTURE:
        raise Bad(S.BadDataEncodingInvalid)
    if (encoding.NamespaceIndex, encoding.Name) != (0, "Default Binary"):
        known = encoding.NamespaceIndex == 0 and str(encoding.Name) in ("Default XML", "Default JSON")
        raise Bad(S.BadDataEncodingUnsupported if known else S.BadDataEncodingInvalid)


def _read_attribute(
    server: Server, identity: Identity | None, node: Node, asked: Any, now: int, locales: Locales
) -> DataValue:
    attribute = asked.AttributeId
    if attribute not in _TYPES:
        raise Bad(S.BadAttributeIdInvalid)
    value = _attribute(server, node, attribute, identity, locales)
    if asked.DataEncoding is not None and asked.DataEncoding.Name:
        raise Bad(S.BadDataEncodingInvalid)
    variant = ua.Variant(value, _TYPES[attribute], is_array=attribute in _ARRAYS)
    return DataValue(variant, 0, 0, now)


def read(request: Request, message: Any) -> bytes:
    """Read (OPC 10000-4 §5.11.2)."""
    asked, server, session = message.Parameters, request.server, request.session
    check_count(asked.NodesToRead, server.limits.max_nodes_per_read)
    if not asked.MaxAge >= 0:
        raise Bad(S.BadMaxAgeInvalid)
    timestamps = check_timestamps(asked.TimestampsToReturn)
    now = server.store.now()
    answers = [read_one(server, session.identity, one, now, session.locales) for one in asked.NodesToRead]
    subject = ReadSubject(
        [key_of(one.NodeId) for one in asked.NodesToRead], [one.AttributeId for one in asked.NodesToRead]
    )
    shown = [_plain(server, key, answer) for key, answer in zip(subject.keys, answers, strict=True)]
    request.facts = ReadFacts(subject, [answer.status for answer in answers], shown)
    encoded = b"".join([encode_data_value(answer, timestamps) for answer in answers])
    return request.answer(_READ_RESPONSE, struct.pack("<i", len(answers)) + encoded + NO_DIAGNOSTICS)


def _plain(server: Server, key: Key, answer: DataValue) -> Any:
    """The Python value of an answer. An encoded one came from the store, where it need not be decoded."""
    if answer.value is None or is_bad(answer.status):
        return None
    return server.store.read(server.space[key].row) if isinstance(answer.value, bytes) else answer.value.Value


def write(request: Request, message: Any) -> Any:
    """Write (OPC 10000-4 §5.11.4)."""
    asked = message.Parameters.NodesToWrite
    check_count(asked, request.server.limits.max_nodes_per_write)
    response = ua.WriteResponse()
    facts = request.facts = []
    for one in asked:
        fact = _write_one(request, one)
        facts.append(fact)
        response.Results.append(ua.StatusCode(fact.status))
    return response


def _write_one(request: Request, asked: Any) -> WriteFact:
    server = request.server
    given = asked.Value.Value.Value if asked.Value.Value is not None else None
    fact = WriteFact(key_of(asked.NodeId), asked.AttributeId, given, None, 0)
    try:
        node = server.visible(fact.key, request.session.identity)
        _check_writable(request, node, asked)
        new = asked.Value.Value if asked.Value.Value is not None else ua.Variant()
        new = check_variable(server.space, node, new, bool(asked.IndexRange))
        if node.row >= 0 and not asked.IndexRange:
            fact.old = None if is_bad(int(server.store.status[node.row])) else server.store.read(node.row)
        else:
            before = as_variant(current_value(server, node, server.store.now()).value)
            fact.old = before.Value
            if asked.IndexRange:
                new = write_range(before, new, asked.IndexRange)
        fact.status = server.write_value(node, new)
    except Bad as error:
        fact.status = error.code
    return fact


def _check_writable(request: Request, node: Node, asked: Any) -> None:
    """Access, role, and what is written beside the value.

    A SourceTimestamp is taken and not used, though §5.11.4 would refuse it: common clients always send one, and the times
    of a plant are its own.
    """
    server, data = request.server, asked.Value
    if asked.AttributeId != nodes.VALUE:
        if asked.AttributeId not in _TYPES:
            raise Bad(S.BadAttributeIdInvalid)
        _attribute(server, node, asked.AttributeId, request.session.identity, ())
        raise Bad(S.BadNotWritable)  # WriteMask is 0 everywhere
    if node.cls != nodes.VARIABLE:
        raise Bad(S.BadNotWritable if node.cls == nodes.VARIABLE_TYPE else S.BadAttributeIdInvalid)
    if not node.attributes[nodes.ACCESS_LEVEL] & nodes.CURRENT_WRITE:
        raise Bad(S.BadNotWritable)
    server.demand(request.session.identity, "write", node)
    if (data.StatusCode is not None and data.StatusCode.value) or data.ServerTimestamp:
        raise Bad(S.BadWriteNotSupported)
