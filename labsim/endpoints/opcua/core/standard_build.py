"""Namespace 0 from asyncua's generated code, and as the compact table that servers read: ``python -m`` this module writes it.

A line for each node: ``key [class, namespace, browse name, display name, attributes, references]`` in JSON. An attribute is
plain, a text ``[text, locale]``, or a value in its binary encoding as base64; references are pairs of type * 2 + forward, and
target. So a node costs nothing until somebody asks for it.
"""

from __future__ import annotations

import base64
import gc
import json
import zlib
from pathlib import Path
from typing import Any

from asyncua import ua
from asyncua.ua import ua_binary

from labsim.endpoints.opcua.core import nodes
from labsim.endpoints.opcua.core.nodeid import Key, key_of
from labsim.endpoints.opcua.core.nodes import HAS_TYPE, Node, Reference

TABLE = Path(__file__).with_name("standard.table")
SYMMETRIC = frozenset({31, 32, 24137, 25257, 25258, 25259, 25260})
ABSTRACT_REFERENCES = frozenset({31, 32, 33, 34, 44})
ABSTRACT_VARIABLES = frozenset({62, 2137, 2372, 12021, 17714, 18772, 18779, 18786, 32431})
"""Of these classes asyncua's code does not say which types are abstract or symmetric; Opc.Ua.NodeSet2.xml does."""
TEXTS = (nodes.DESCRIPTION, nodes.INVERSE_NAME)


def build() -> dict[Key, Node]:
    """All nodes, as asyncua has them."""
    from asyncua.server.standard_address_space.standard_address_space_services import (
        create_standard_address_space_Services,
    )

    collecting = gc.isenabled()
    gc.disable()  # tens of thousands of objects, all of which stay
    try:
        builder = _Builder()
        create_standard_address_space_Services(builder)
        return builder.done()
    finally:
        if collecting:
            gc.enable()


def pack(found: dict[Key, Node]) -> bytes:
    """The table of some nodes."""
    lines = [
        f"{key} {json.dumps(_row(node), ensure_ascii=False, separators=(',', ':'))}" for key, node in found.items()
    ]
    return zlib.compress("\n".join(lines).encode(), 9)


def _row(node: Node) -> list[Any]:
    display: Any = node.display
    shown = None if (display.Text, display.Locale) == (node.browse.Name, None) else _text(display)
    attributes = {str(name): _attribute(name, value) for name, value in node.attributes.items() if value is not None}
    references: list[Any] = []
    for kind, forward, target in node.references:
        assert isinstance(kind, int)
        references += [kind * 2 + forward, target]
    return [node.cls, node.browse.NamespaceIndex, node.browse.Name, shown, attributes, references]


def _text(value: Any) -> list[str | None]:
    return [value.Text, value.Locale]


def _attribute(name: int, value: Any) -> Any:
    if name in TEXTS:
        return _text(value)
    if name == nodes.DATA_TYPE_ID:
        return key_of(value)
    if name == nodes.VALUE:
        return base64.b64encode(ua_binary.variant_to_binary(value)).decode()
    if name == nodes.DEFINITION:
        return base64.b64encode(ua_binary.extensionobject_to_binary(value)).decode()
    return value


class _Builder:
    """What asyncua's generated code calls: one node or list of references at a time."""

    def __init__(self) -> None:
        self._nodes: dict[Key, Node] = {}
        self._references: dict[Key, dict[Reference, None]] = {}
        self._shared: dict[Any, Any] = {}

    def add_nodes(self, items: list[Any]) -> None:
        """Take AddNodesItems."""
        for item in items:
            key, cls = key_of(item.RequestedNewNodeId), int(item.NodeClass)
            name, shown = item.BrowseName, item.NodeAttributes.DisplayName
            browse = self._shared.setdefault((name.NamespaceIndex, name.Name), name)
            display = self._shared.setdefault((shown.Text, shown.Locale), shown)
            self._nodes[key] = Node(key, cls, browse, display, self._attributes(key, item.NodeAttributes, cls))
            if not item.ParentNodeId.is_null():
                self._link(key_of(item.ParentNodeId), key_of(item.ReferenceTypeId), key)
            if not item.TypeDefinition.is_null():
                self._link(key, HAS_TYPE, key_of(item.TypeDefinition))

    def add_references(self, items: list[Any]) -> None:
        """Take AddReferencesItems."""
        for item in items:
            source, target = key_of(item.SourceNodeId), key_of(item.TargetNodeId)
            if not item.IsForward:
                source, target = target, source
            self._link(source, key_of(item.ReferenceTypeId), target)

    def _link(self, source: Key, kind: Key, target: Key) -> None:
        self._references.setdefault(source, {})[(kind, True, target)] = None
        if kind not in nodes.ONE_WAY:
            self._references.setdefault(target, {})[(kind, False, source)] = None

    def _attributes(self, key: Key, given: Any, cls: int) -> dict[int, Any]:
        """The attributes that a node of the class has (OPC 10000-3 §5)."""
        found: dict[int, Any] = {}
        if given.Description is not None and given.Description.Text:
            found[nodes.DESCRIPTION] = given.Description
        if cls in (nodes.VARIABLE, nodes.VARIABLE_TYPE):
            found |= self._value(given)
            if cls == nodes.VARIABLE:
                found[nodes.ACCESS_LEVEL] = int(given.AccessLevel)
                found[nodes.MIN_SAMPLING] = float(given.MinimumSamplingInterval or 0)
                found[nodes.HISTORIZING] = bool(given.Historizing)
        if cls in (nodes.OBJECT, nodes.VIEW):
            found[nodes.EVENT_NOTIFIER] = int(given.EventNotifier)
        if cls == nodes.VIEW:
            found[nodes.CONTAINS_NO_LOOPS] = bool(given.ContainsNoLoops)
        if cls in (nodes.OBJECT_TYPE, nodes.VARIABLE_TYPE, nodes.REFERENCE_TYPE, nodes.DATA_TYPE):
            found[nodes.IS_ABSTRACT] = bool(given.IsAbstract)
        if cls == nodes.VARIABLE_TYPE:
            found[nodes.IS_ABSTRACT] = key in ABSTRACT_VARIABLES
        if cls == nodes.REFERENCE_TYPE:
            found[nodes.IS_ABSTRACT] = key in ABSTRACT_REFERENCES
            found[nodes.SYMMETRIC] = key in SYMMETRIC
            if given.InverseName is not None and given.InverseName.Text:
                found[nodes.INVERSE_NAME] = given.InverseName
        if cls == nodes.DATA_TYPE and type(given.DataTypeDefinition) is not ua.ExtensionObject:
            found[nodes.DEFINITION] = given.DataTypeDefinition
        if cls == nodes.METHOD:
            found[nodes.EXECUTABLE] = bool(given.Executable)
        return found

    def _value(self, given: Any) -> dict[int, Any]:
        value, rank = given.Value, int(given.ValueRank)
        if value is not None and not isinstance(value, ua.Variant):
            value = ua.Variant(value)
        data_type = self._shared.setdefault(("type", key_of(given.DataType)), given.DataType)
        found = {nodes.VALUE: value, nodes.DATA_TYPE_ID: data_type, nodes.VALUE_RANK: rank}
        if rank > 0:
            found[nodes.ARRAY_DIMENSIONS] = list(getattr(given, "ArrayDimensions", None) or [0] * rank)
        return found

    def done(self) -> dict[Key, Node]:
        """The nodes; references to nodes that are not among them are left out."""
        for key, references in self._references.items():
            if key in self._nodes:
                self._nodes[key].references = tuple(one for one in references if one[2] in self._nodes)
        return self._nodes


if __name__ == "__main__":
    TABLE.write_bytes(pack(build()))
