"""An object made from its type: the children that the type demands, and those that are wanted beside (OPC 10000-3 §6.4.4)."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Any

from labsim.endpoints.opcua.core import nodes
from labsim.endpoints.opcua.core.event import Path
from labsim.endpoints.opcua.core.locale import Locales
from labsim.endpoints.opcua.core.nodeid import Key
from labsim.endpoints.opcua.core.nodes import HAS_COMPONENT, HAS_PROPERTY, Node, Space

_MANDATORY = 78

Reader = Callable[[Path], Callable[[Locales, Any], Any]]
"""The value of a variable by its path: a function of a session's locales and the server's context."""


def add_children(space: Space, key: tuple[int, str], wanted: Collection[Path], reader: Reader) -> None:
    """Give the object ``key`` the children its type and all supertypes declare.

    A subtype's declaration of the same name stands before that of its supertype. Methods are those of the type itself.
    """
    kind = space[key].type_definition
    while kind is not None:
        _copy(space, kind, key, (), wanted, reader)
        kind = next(space[kind].targets((nodes.HAS_SUBTYPE,), False), None)


def _copy(
    space: Space, declared: Key, parent: tuple[int, str], above: Path, wanted: Collection[Path], reader: Reader
) -> None:
    for kind, forward, target in space[declared].references:
        if not forward or kind not in (HAS_PROPERTY, HAS_COMPONENT):
            continue
        child = space[target]
        path = (*above, (child.browse.NamespaceIndex, child.browse.Name))
        mandatory = _MANDATORY in child.targets((nodes.MODELLING_RULE,))
        if not (mandatory or path in wanted):
            continue
        if child.cls == nodes.METHOD:
            if not _has(space, parent, child):
                space.link(parent, HAS_COMPONENT, target)
            continue
        key = (parent[0], f"{parent[1]}/{child.browse.Name}")
        if space.get(key) is None:
            attributes = {
                name: value for name, value in child.attributes.items() if name not in (nodes.VALUE, nodes.DESCRIPTION)
            }
            if child.cls == nodes.VARIABLE:
                attributes[nodes.VALUE] = reader(path)
                attributes[nodes.ACCESS_LEVEL] = nodes.CURRENT_READ
            space.add(
                Node(key, child.cls, child.browse, child.display, attributes), parent, kind, child.type_definition
            )
        _copy(space, target, key, path, wanted, reader)


def _has(space: Space, parent: Key, method: Node) -> bool:
    return any(space[target].browse == method.browse for target in space[parent].targets((HAS_COMPONENT,)))
