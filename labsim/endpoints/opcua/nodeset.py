"""Companion models that an instructor brings: UANodeSet files (OPC 10000-6 Annex F) read, and laid into an address space."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from asyncua import ua

from labsim.endpoints.opcua.core import nodes
from labsim.endpoints.opcua.core.nodeid import Key, key_of, node_id, text_of
from labsim.endpoints.opcua.core.nodes import Node, Space
from labsim.endpoints.opcua.nodeset_value import value_of
from labsim.endpoints.opcua.xml_tree import Element, read_xml
from labsim.errors import InputError, Problem, ScenarioError

STANDARD = "http://opcfoundation.org/UA/"
_CLASSES = {
    "UAObject": nodes.OBJECT, "UAVariable": nodes.VARIABLE, "UAMethod": nodes.METHOD, "UAObjectType": nodes.OBJECT_TYPE,
    "UAVariableType": nodes.VARIABLE_TYPE, "UAReferenceType": nodes.REFERENCE_TYPE, "UADataType": nodes.DATA_TYPE,
    "UAView": nodes.VIEW,
}  # fmt: skip
_MOST_PROBLEMS = 20


@dataclass(frozen=True, slots=True)
class NodeSet:
    """A file as it was read.

    Attributes:
        file: Its name, for messages.
        uris: Its namespaces, from its own index 1 on.
        required: Models it builds upon, by URI.
        models: Models it brings.
        root: Its content.
        digest: SHA-256 of the file.
    """

    file: str
    uris: tuple[str, ...]
    required: tuple[str, ...]
    models: tuple[str, ...]
    root: Element
    digest: bytes = b""


def load_nodeset(path: Path, file: str = "") -> NodeSet:
    """Read a file; ``file`` is what messages call it, its name by default.

    Raises:
        InputError: it cannot be read.
        ScenarioError: it is no UANodeSet.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror}.") from error
    return read_nodeset(data, file or path.name)


def read_nodeset(data: bytes, file: str) -> NodeSet:
    """Read the content of a file.

    Raises:
        ScenarioError: it is no UANodeSet.
    """
    root = read_xml(data, file)
    if root.name != "UANodeSet":
        problem = Problem(file, root.line, 1, "nodeset", f"the root is {root.name}, not UANodeSet.")
        raise ScenarioError([problem])
    listed, models = root.first("NamespaceUris"), root.first("Models")
    uris = tuple(one.text.strip() for one in listed.all("Uri")) if listed is not None else ()
    brought = list(models.all("Model")) if models is not None else []
    required = [one.attributes.get("ModelUri", "") for model in brought for one in model.all("RequiredModel")]
    own = tuple(model.attributes.get("ModelUri", "") for model in brought) or uris[:1]
    needed = tuple(uri for uri in required if uri not in ("", STANDARD))
    return NodeSet(file, uris, needed, own, root, hashlib.sha256(data).digest())


def merge_nodesets(space: Space, nodesets: Sequence[NodeSet], index: Callable[[str], int]) -> None:
    """Lay the nodes of files into a space, each after those it builds upon.

    Args:
        space: Where.
        nodesets: The files.
        index: Index of a namespace by its URI on this server.

    Raises:
        ScenarioError: its problems, each with its line.
    """
    known: set[str] = set()
    for nodeset in nodesets:
        for uri in nodeset.required:
            if uri not in known:
                message = f"it builds upon {uri}, which is not here."
                hint = "Name the file of that model before this one."
                raise ScenarioError([Problem(nodeset.file, nodeset.root.line, 1, "nodeset", message, hint)])
        _Merge(space, nodeset, index).run()
        known |= {*nodeset.models}


class _Merge:
    """One file on its way into a space: first all nodes, then all references."""

    def __init__(self, space: Space, nodeset: NodeSet, index: Callable[[str], int]) -> None:
        self._space, self._nodeset = space, nodeset
        self._indexes = [0, *(index(uri) for uri in nodeset.uris)]
        self._problems: list[Problem] = []
        aliases = nodeset.root.first("Aliases")
        found = aliases.all("Alias") if aliases is not None else ()
        self._aliases = {one.attributes.get("Alias", ""): one.text.strip() for one in found}

    def run(self) -> None:
        elements = [one for one in self._nodeset.root.children if one.name in _CLASSES]
        added = [(element, self._guarded(element, self._node)) for element in elements]
        for element, node in added:
            if node is not None:
                self._guarded(element, self._references)
        if self._problems:
            raise ScenarioError(self._problems[:_MOST_PROBLEMS])

    def _guarded(self, element: Element, work: Callable[[Element], Any]) -> Any:
        try:
            return work(element)
        except (ValueError, ua.UaError) as error:
            self._problem(element, str(error))
        return None

    def _problem(self, element: Element, message: str) -> None:
        name = element.attributes.get("BrowseName") or element.attributes.get("NodeId") or element.name
        self._problems.append(Problem(self._nodeset.file, element.line, 1, "nodeset", f"{name}: {message}."))

    def _key(self, text: str) -> Key:
        """The key of a NodeId as the file writes it, or of an alias."""
        text = self._aliases.get(text.strip(), text.strip())
        try:
            found = ua.NodeId.from_string(text)
        except (ua.UaError, ValueError, TypeError):
            raise ValueError(f"{text!r} is no node id and no alias") from None
        return key_of(ua.NodeId(found.Identifier, self._index(int(found.NamespaceIndex))))

    def _node_id(self, text: str) -> Any:
        return node_id(self._key(text))

    def _index(self, own: int) -> int:
        if not 0 <= own < len(self._indexes):
            raise ValueError(f"the file has no namespace {own}; it lists {len(self._indexes) - 1}")
        return self._indexes[own]

    def _node(self, element: Element) -> Node:
        said = element.attributes
        for name in ("NodeId", "BrowseName"):
            if name not in said:
                raise ValueError(f"{name} is missing")
        key = self._key(said["NodeId"])
        if self._space.get(key) is not None:
            raise ValueError(f"{text_of(key)} is there already: each node comes from one file")
        head, colon, rest = said["BrowseName"].partition(":")
        number = int(head) if colon and head.isascii() and head.isdecimal() else None
        browse = ua.QualifiedName(rest if number is not None else said["BrowseName"], self._index(number or 0))
        cls = _CLASSES[element.name]
        display = _texts(element, "DisplayName") or ua.LocalizedText(browse.Name)
        node = Node(key, cls, browse, display, self._attributes(element, cls))
        return self._space.add(node)

    def _attributes(self, element: Element, cls: int) -> dict[int, Any]:
        """The attributes that a node of the class has (OPC 10000-6 §F.3, §F.6 to §F.11)."""
        said = element.attributes
        found: dict[int, Any] = {}
        about = _texts(element, "Description")
        if about:
            found[nodes.DESCRIPTION] = about
        if cls in (nodes.VARIABLE, nodes.VARIABLE_TYPE):
            found |= self._value(element, cls)
        if cls in (nodes.OBJECT, nodes.VIEW):
            found[nodes.EVENT_NOTIFIER] = int(said.get("EventNotifier", "0"))
        if cls == nodes.VIEW:
            found[nodes.CONTAINS_NO_LOOPS] = said.get("ContainsNoLoops") == "true"
        if cls in (nodes.OBJECT_TYPE, nodes.VARIABLE_TYPE, nodes.REFERENCE_TYPE, nodes.DATA_TYPE):
            found[nodes.IS_ABSTRACT] = said.get("IsAbstract") == "true"
        if cls == nodes.REFERENCE_TYPE:
            found[nodes.SYMMETRIC] = said.get("Symmetric") == "true"
            inverse = _texts(element, "InverseName")
            if inverse:
                found[nodes.INVERSE_NAME] = ua.LocalizedText(next(iter(inverse.values())))
        if cls == nodes.METHOD:
            found[nodes.EXECUTABLE] = said.get("Executable", "true") == "true"
        definition = element.first("Definition")
        if cls == nodes.DATA_TYPE and definition is not None:
            found[nodes.DEFINITION] = self._definition(element, definition)
        return found

    def _value(self, element: Element, cls: int) -> dict[int, Any]:
        said, value = element.attributes, element.first("Value")
        rank = int(said.get("ValueRank", "-1"))
        found: dict[int, Any] = {
            nodes.VALUE: value_of(value, self._node_id) if value is not None else None,
            nodes.DATA_TYPE_ID: self._node_id(said.get("DataType", "i=24")),
            nodes.VALUE_RANK: rank,
        }
        if rank > 0:
            sizes = said.get("ArrayDimensions", "")
            found[nodes.ARRAY_DIMENSIONS] = [int(size) for size in sizes.split(",")] if sizes else [0] * rank
        if cls == nodes.VARIABLE:
            # no device answers for it, so it can be read and never written
            found |= {nodes.ACCESS_LEVEL: nodes.CURRENT_READ, nodes.MIN_SAMPLING: 0.0, nodes.HISTORIZING: False}
        return found

    def _definition(self, element: Element, definition: Element) -> Any:
        """An EnumDefinition when fields have values, else a StructureDefinition (OPC 10000-3 §8.50, §8.48)."""
        fields = list(definition.all("Field"))
        if fields and all("Value" in one.attributes for one in fields):
            return ua.EnumDefinition(
                Fields=[
                    ua.EnumField(
                        Name=one.attributes.get("Name", ""),
                        Value=int(one.attributes["Value"]),
                        DisplayName=_text(one, "DisplayName") or ua.LocalizedText(one.attributes.get("Name", "")),
                        Description=_text(one, "Description") or ua.LocalizedText(),
                    )
                    for one in fields
                ]
            )
        union = definition.attributes.get("IsUnion") == "true"
        some = any(one.attributes.get("IsOptional") == "true" for one in fields)
        kind = ua.StructureType.Union if union else ua.StructureType(1 if some else 0)
        return ua.StructureDefinition(
            DefaultEncodingId=self._encoding(element),
            BaseDataType=self._base(element),
            StructureType=kind,
            Fields=[
                ua.StructureField(
                    Name=one.attributes.get("Name", ""),
                    Description=_text(one, "Description") or ua.LocalizedText(),
                    DataType=self._node_id(one.attributes.get("DataType", "i=24")),
                    ValueRank=int(one.attributes.get("ValueRank", "-1")),
                    IsOptional=one.attributes.get("IsOptional") == "true",
                )
                for one in fields
            ],
        )

    def _base(self, element: Element) -> Any:
        for one in _listed(element):
            if self._key(one.attributes["ReferenceType"]) == nodes.HAS_SUBTYPE and _is_inverse(one):
                return self._node_id(one.text)
        return ua.NodeId(22)

    def _encoding(self, element: Element) -> Any:
        """The encoding named Default Binary, which the file has as an object of its own."""
        for one in _listed(element):
            if self._key(one.attributes["ReferenceType"]) == nodes.HAS_ENCODING and not _is_inverse(one):
                return self._node_id(one.text)
        return ua.NodeId()

    def _references(self, element: Element) -> None:
        key = self._key(element.attributes["NodeId"])
        for one in _listed(element):
            kind, target = self._key(one.attributes["ReferenceType"]), self._key(one.text)
            if self._space.get(kind) is None or self._space.get(target) is None:
                missing = one.text.strip() if self._space.get(target) is None else one.attributes["ReferenceType"]
                self._problem(one, f"{missing} is not here; put the model that has it before this one")
                continue
            source, other = (target, key) if _is_inverse(one) else (key, target)
            self._space.link(source, kind, other)


def _listed(element: Element) -> list[Element]:
    references = element.first("References")
    found = list(references.all("Reference")) if references is not None else []
    for one in found:
        if "ReferenceType" not in one.attributes:
            raise ValueError(f"a reference in line {one.line} has no ReferenceType")
    return found


def _is_inverse(reference: Element) -> bool:
    return reference.attributes.get("IsForward", "true") == "false"


def _texts(element: Element, name: str) -> dict[str, str]:
    """A text by locale."""
    return {one.attributes.get("Locale") or "en": one.text.strip() for one in element.all(name) if one.text.strip()}


def _text(element: Element, name: str) -> Any:
    child = element.first(name)
    return ua.LocalizedText(child.text.strip(), child.attributes.get("Locale") or None) if child is not None else None
