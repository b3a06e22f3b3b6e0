"""Adding the nodes of a plant to a layer: objects, variables, properties, types."""

from __future__ import annotations

from typing import Any

from asyncua import ua

from labsim.endpoints.opcua.core import nodes
from labsim.endpoints.opcua.core.locale import Shown
from labsim.endpoints.opcua.core.nodeid import Key, node_id
from labsim.endpoints.opcua.core.nodes import HAS_COMPONENT, HAS_PROPERTY, Node, Space

BASE_OBJECT, FOLDER, BASE_VARIABLE, PROPERTY = 58, 61, 63, 68
"""Types of namespace 0: BaseObjectType, FolderType, BaseDataVariableType, PropertyType."""


def text(value: str) -> Any:
    """A LocalizedText in English."""
    return ua.LocalizedText(value, "en")


def add_object(
    space: Space,
    key: Key,
    name: tuple[int, str],
    parent: Key,
    display: Shown = None,
    *,
    type_: Key = BASE_OBJECT,
    kind: Key = HAS_COMPONENT,
) -> Node:
    """An Object; ``name`` is namespace index and browse name, which is also shown unless ``display`` is given."""
    namespace, browse = name
    attributes = {nodes.EVENT_NOTIFIER: 0}
    node = Node(key, nodes.OBJECT, ua.QualifiedName(browse, namespace), display or text(browse), attributes)
    return space.add(node, parent, kind, type_)


def add_object_type(space: Space, key: Key, name: tuple[int, str], parent: Key = BASE_OBJECT) -> Node:
    """An ObjectType below another one."""
    namespace, browse = name
    attributes = {nodes.IS_ABSTRACT: False}
    node = Node(key, nodes.OBJECT_TYPE, ua.QualifiedName(browse, namespace), text(browse), attributes)
    return space.add(node, parent, nodes.HAS_SUBTYPE)


def add_variable(
    space: Space,
    key: Key,
    name: tuple[int, str],
    parent: Key,
    data_type: Key,
    display: Shown = None,
    *,
    description: Shown = None,
    value: Any = None,
    row: int = -1,
    rank: int = -1,
    writable: bool = False,
    sampling_ms: float = 0.0,
    type_: Key = BASE_VARIABLE,
    kind: Key = HAS_COMPONENT,
) -> Node:
    """A Variable with a constant value, or with the row of the value store that answers for it."""
    namespace, browse = name
    attributes: dict[int, Any] = {
        nodes.VALUE: value,
        nodes.DATA_TYPE_ID: node_id(data_type),
        nodes.VALUE_RANK: rank,
        nodes.ACCESS_LEVEL: nodes.CURRENT_READ | (nodes.CURRENT_WRITE if writable else 0),
        nodes.MIN_SAMPLING: sampling_ms,
        nodes.HISTORIZING: False,
    }
    if rank > 0:
        attributes[nodes.ARRAY_DIMENSIONS] = [0] * rank
    if description:
        attributes[nodes.DESCRIPTION] = description
    node = Node(key, nodes.VARIABLE, ua.QualifiedName(browse, namespace), display or text(browse), attributes, (), row)
    return space.add(node, parent, kind, type_)


def add_property(
    space: Space, key: Key, name: tuple[int, str], parent: Key, data_type: Key, value: Any, *, rank: int = -1
) -> Node:
    """A Property with a constant value."""
    return add_variable(
        space, key, name, parent, data_type, value=value, rank=rank, type_=PROPERTY, kind=HAS_PROPERTY
    )  # fmt: skip
