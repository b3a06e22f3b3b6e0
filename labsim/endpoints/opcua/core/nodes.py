"""The address space (OPC 10000-3): compact nodes in layers, so that many servers share the standard nodes below theirs."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Any, TypeAlias

from asyncua import ua

from labsim.endpoints.opcua.core.locale import Locales, Shown
from labsim.endpoints.opcua.core.nodeid import Key

OBJECT, VARIABLE, METHOD, OBJECT_TYPE, VARIABLE_TYPE, REFERENCE_TYPE, DATA_TYPE, VIEW = (1 << bit for bit in range(8))
"""Node classes (OPC 10000-3 §8.29)."""

NODE_ID, NODE_CLASS, BROWSE_NAME, DISPLAY_NAME, DESCRIPTION, WRITE_MASK, USER_WRITE_MASK = range(1, 8)
IS_ABSTRACT, SYMMETRIC, INVERSE_NAME, CONTAINS_NO_LOOPS, EVENT_NOTIFIER, VALUE, DATA_TYPE_ID, VALUE_RANK = range(8, 16)
ARRAY_DIMENSIONS, ACCESS_LEVEL, USER_ACCESS_LEVEL, MIN_SAMPLING, HISTORIZING, EXECUTABLE, USER_EXECUTABLE = range(
    16, 23
)
DEFINITION, ROLE_PERMISSIONS, USER_ROLE_PERMISSIONS, ACCESS_RESTRICTIONS, ACCESS_LEVEL_EX = range(23, 28)
"""Attributes (OPC 10000-6 §A.1)."""

ORGANIZES, MODELLING_RULE, HAS_ENCODING, HAS_DESCRIPTION = 35, 37, 38, 39
HAS_TYPE, HAS_SUBTYPE, HAS_PROPERTY, HAS_COMPONENT = 40, 45, 46, 47
"""Reference types of namespace 0."""

SIGNING, ENCRYPTION = 1, 2
"""Bits of AccessRestrictions (OPC 10000-3 §8.56)."""

CURRENT_READ, CURRENT_WRITE, HISTORY_READ = 1, 2, 4
"""Bits of AccessLevel (OPC 10000-3 §8.57)."""

ENUMERATION, STRUCTURE, ANY, NUMBERS = 29, 22, 24, (26, 27, 28)
"""DataTypes: Enumeration, Structure, BaseDataType, and Number, Integer, UInteger."""

ONE_WAY = (HAS_TYPE, MODELLING_RULE, HAS_ENCODING, HAS_DESCRIPTION)  # their inverse would put thousands on a few nodes

Reference: TypeAlias = tuple[Key, bool, Key]
"""Reference type, whether forward, target."""


class Node:
    """One node; not changed once its layer is frozen.

    Attributes:
        cls: The node class.
        browse: The QualifiedName.
        display: The display name: one text for all, or one by locale.
        attributes: What differs by class, as plain values. VALUE is a Variant, None, or a function of the session's locales
            and the server's context that gives a Variant or a DataValue: so servers with the same nodes can share them.
        row: The row of the value store that answers VALUE; -1 for none.
    """

    __slots__ = ("attributes", "browse", "cls", "display", "key", "references", "row")

    def __init__(
        self,
        key: Key,
        cls: int,
        browse: Any,
        display: Shown,
        attributes: dict[int, Any],
        references: tuple[Reference, ...] = (),
        row: int = -1,
    ) -> None:
        self.key, self.cls, self.browse, self.display = key, cls, browse, display
        self.attributes, self.references, self.row = attributes, references, row

    def copy(self) -> Node:
        """The same node for an upper layer, free to change."""
        return Node(
            self.key, self.cls, self.browse, self.display, dict(self.attributes), self.references, self.row
        )  # fmt: skip

    def targets(self, kinds: Collection[Key], forward: bool = True) -> Iterator[Key]:
        """Targets of the references of some types."""
        return (target for kind, way, target in self.references if way == forward and kind in kinds)

    @property
    def type_definition(self) -> Key | None:
        """Key of the type of an Object or Variable."""
        return next(self.targets((HAS_TYPE,)), None)

    def constant(self, locales: Locales = (), context: Any = None) -> Any:
        """The Variant or DataValue that stands in the node itself, if one does."""
        value = self.attributes.get(VALUE)
        return value(locales, context) if callable(value) else value


class Space:
    """A layer of nodes over another: reads fall through, a change copies the node up.

    Attributes:
        base: The layer below, which must be frozen.
        frozen: Nothing may be changed any more; servers may share it.
    """

    def __init__(self, base: Space | None = None) -> None:
        assert base is None or base.frozen
        self._own: dict[Key, Node] = {}
        self._subtypes: dict[Key, frozenset[Key]] = {}
        self._builtins: dict[Key, int] = {}
        self.base = base
        self.frozen: bool = False

    def __len__(self) -> int:
        return len(self._own) + (len(self.base) if self.base is not None else 0)

    def get(self, key: Key) -> Node | None:
        """The node, from the uppermost layer that has it."""
        node = self._own.get(key)
        return node if node is not None or self.base is None else self.base.get(key)

    def __getitem__(self, key: Key) -> Node:
        """The node; a KeyError when there is none."""
        node = self.get(key)
        if node is None:
            raise KeyError(key)
        return node

    def edit(self, key: Key) -> Node:
        """The node in this layer, copied up when it stands below."""
        assert not self.frozen
        node = self._own.get(key)
        if node is None:
            node = self._own[key] = self[key].copy()
        return node

    def fill(self, nodes: Mapping[Key, Node]) -> None:
        """Take whole nodes with their references as they are."""
        assert not self.frozen
        self._own.update(nodes)

    def own_keys(self) -> list[Key]:
        """Keys of the nodes in this layer, those copied up from below too, in the order they came."""
        return list(self._own)

    def rename(self, new: Mapping[Key, Key]) -> None:
        """Give nodes of this layer other keys, wherever one is named in it."""
        assert not self.frozen
        self._own = {new.get(key, key): node for key, node in self._own.items()}
        for key, node in self._own.items():
            node.key = key
            node.references = tuple(
                (new.get(kind, kind), forward, new.get(target, target)) for kind, forward, target in node.references
            )
        self._subtypes.clear()
        self._builtins.clear()

    def add(self, node: Node, parent: Key | None = None, kind: Key = HAS_COMPONENT, type_: Key | None = None) -> Node:
        """Add a node below a parent; ``type_`` is its type definition."""
        assert not self.frozen
        assert self.get(node.key) is None, f"two nodes are {node.key}"
        self._own[node.key] = node
        if type_ is not None:
            node.references += ((HAS_TYPE, True, type_),)
        if parent is not None:
            self.link(parent, kind, node.key)
        return node

    def link(self, source: Key, kind: Key, target: Key) -> None:
        """Add a reference in both directions."""
        for one, forward, other in ((source, True, target), (target, False, source)):
            if forward or kind not in ONE_WAY:
                node = self.edit(one)
                if (kind, forward, other) not in node.references:
                    node.references += ((kind, forward, other),)

    def unlink(self, source: Key, target: Key) -> None:
        """Take all references between two nodes away, so that the one is not found below the other."""
        for one, other in ((source, target), (target, source)):
            node = self.edit(one)
            node.references = tuple(reference for reference in node.references if reference[2] != other)

    def child(self, key: Key, name: str, namespace: int = 0) -> Node | None:
        """A component or property by browse name."""
        node = self.get(key)
        for target in node.targets((HAS_PROPERTY, HAS_COMPONENT)) if node else ():
            found = self.get(target)
            if found is not None and (found.browse.Name, found.browse.NamespaceIndex) == (name, namespace):
                return found
        return None

    def subtypes(self, key: Key) -> frozenset[Key]:
        """A type and all below it."""
        known = self._subtypes.get(key)
        if known is None:
            found, todo = {key}, [key]
            while todo:
                node = self.get(todo.pop())
                for target in node.targets((HAS_SUBTYPE,)) if node else ():
                    if target not in found:
                        found.add(target)
                        todo.append(target)
            known = self._subtypes[key] = frozenset(found)
        return known

    def builtin(self, data_type: Key) -> int:
        """The built-in type of a DataType (OPC 10000-6 §5.1.2); Int32 for enumerations, 24 for the abstract ones."""
        known = self._builtins.get(data_type)
        if known is None:
            known = self._builtins[data_type] = self._builtin(data_type)
        return known

    def _builtin(self, data_type: Key) -> int:
        key: Key | None = data_type
        while key is not None:
            if key == ENUMERATION:
                return int(ua.ObjectIds.Int32)
            if isinstance(key, int) and key <= 25:
                return key
            if key in NUMBERS:
                return ANY
            node = self.get(key)
            key = next(node.targets((HAS_SUBTYPE,), False), None) if node else None
        return ANY
