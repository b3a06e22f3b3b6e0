"""Namespace 0, once per process and shared by every server in it: read from a table, each node when it is asked for first."""

from __future__ import annotations

import base64
import json
import threading
import zlib
from pathlib import Path
from typing import Any

from asyncua import ua
from asyncua.ua import ua_binary

from labsim.endpoints.opcua.core import nodes
from labsim.endpoints.opcua.core.nodeid import Key, node_id
from labsim.endpoints.opcua.core.nodes import Node, Space

_TABLE = Path(__file__).with_name("standard.table")
_reading = threading.Lock()
_space: Space | None = None


def standard_space() -> Space:
    """The frozen layer of namespace 0."""
    global _space
    with _reading:
        if _space is None:
            _space = StandardSpace(_TABLE.read_bytes())
        return _space


class StandardSpace(Space):
    """A frozen layer over the table that ``standard_build`` writes."""

    def __init__(self, table: bytes) -> None:
        super().__init__()
        lines = zlib.decompress(table).split(b"\n")
        self._rows: dict[Key, bytes] = {int(key): row for key, _, row in (line.partition(b" ") for line in lines)}
        self.frozen = True

    def __len__(self) -> int:
        return len(self._rows)

    def get(self, key: Key) -> Node | None:
        """The node."""
        node = self._own.get(key)
        if node is None:
            row = self._rows.get(key)
            if row is not None:
                node = self._own[key] = _node(key, json.loads(row))
        return node

    def own_keys(self) -> list[Key]:
        """Keys of all nodes."""
        return list(self._rows)


def _node(key: Key, row: list[Any]) -> Node:
    cls, namespace, name, shown, given, references = row
    attributes = {int(number): _attribute(int(number), value) for number, value in given.items()}
    if cls in (nodes.VARIABLE, nodes.VARIABLE_TYPE):
        attributes.setdefault(nodes.VALUE, None)
    display = ua.LocalizedText(*(shown or (name, None)))
    pairs = zip(references[::2], references[1::2], strict=True)
    linked = tuple((kind >> 1, bool(kind & 1), target) for kind, target in pairs)
    return Node(key, cls, ua.QualifiedName(name, namespace), display, attributes, linked)


def _attribute(number: int, value: Any) -> Any:
    match number:
        case nodes.DESCRIPTION | nodes.INVERSE_NAME:
            return ua.LocalizedText(*value)
        case nodes.DATA_TYPE_ID:
            return node_id(value)
        case nodes.VALUE:
            return ua_binary.variant_from_binary(ua_binary.Buffer(base64.b64decode(value)))
        case nodes.DEFINITION:
            return ua_binary.extensionobject_from_binary(ua_binary.Buffer(base64.b64decode(value)))
    return value
