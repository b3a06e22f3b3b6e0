"""Browse, BrowseNext, TranslateBrowsePathsToNodeIds, RegisterNodes and UnregisterNodes (OPC 10000-4 §5.9)."""

from __future__ import annotations

import os
from collections.abc import Collection
from typing import TYPE_CHECKING, Any, NamedTuple

from asyncua import ua

from labsim.endpoints.opcua.core import nodes
from labsim.endpoints.opcua.core.locale import Locales, localize
from labsim.endpoints.opcua.core.nodeid import Key, key_of, node_id
from labsim.endpoints.opcua.core.nodes import Node, Reference
from labsim.endpoints.opcua.core.request import Request, check_count
from labsim.endpoints.opcua.core.status import Bad, S

if TYPE_CHECKING:
    from labsim.endpoints.opcua.core.server import Server

_NO_TYPE = ua.ExpandedNodeId()
_NO_NODE = ua.NodeId()
_WHOLE_PATH = 0xFFFFFFFF
_FORWARD, _INVERSE = 0, 1


class BrowsePoint(NamedTuple):
    """References of a node that wait for a BrowseNext, and how many go into one answer."""

    key: Key
    rest: list[Any]
    most: int


def browse(request: Request, message: Any) -> Any:
    """Browse (OPC 10000-4 §5.9.2)."""
    asked, limits = message.Parameters, request.server.limits
    check_count(asked.NodesToBrowse, limits.max_nodes_per_browse)
    if not asked.View.ViewId.is_null():
        view = request.server.space.get(key_of(asked.View.ViewId))
        if view is None or view.cls != nodes.VIEW:
            raise Bad(S.BadViewIdUnknown)
    most = min(asked.RequestedMaxReferencesPerNode or limits.max_references_per_node, limits.max_references_per_node)
    request.facts = [key_of(one.NodeId) for one in asked.NodesToBrowse]
    response, fresh = ua.BrowseResponse(), set[bytes]()
    for one in asked.NodesToBrowse:
        try:
            result = _page(request, key_of(one.NodeId), _references(request, one), most, fresh)
        except Bad as error:
            result = ua.BrowseResult(StatusCode=ua.StatusCode(error.code))
        response.Results.append(result)
    return response


def browse_next(request: Request, message: Any) -> Any:
    """BrowseNext (OPC 10000-4 §5.9.3)."""
    asked = message.Parameters
    check_count(asked.ContinuationPoints, request.server.limits.max_nodes_per_browse)
    request.facts = []
    response, fresh = ua.BrowseNextResponse(), set[bytes]()
    for name in asked.ContinuationPoints:
        point = request.session.browse_points.pop(name, None)
        if point is None:
            result = ua.BrowseResult(StatusCode=ua.StatusCode(S.BadContinuationPointInvalid))
        elif asked.ReleaseContinuationPoints:
            result = ua.BrowseResult()
        else:
            request.facts.append(point.key)
            result = _page(request, point.key, point.rest, point.most, fresh)
        response.Parameters.Results.append(result)
    return response


def _page(request: Request, key: Key, references: list[Any], most: int, fresh: set[bytes]) -> Any:
    """The first references; the rest is kept under a continuation point.

    Points of earlier requests give way to new ones, those of this request do not (OPC 10000-4 §7.9).
    """
    result = ua.BrowseResult()
    result.References = references[:most]
    if len(references) > most:
        points = request.session.browse_points
        if len(points) >= request.server.limits.max_browse_points:
            oldest = next((name for name in points if name not in fresh), None)
            if oldest is None:
                raise Bad(S.BadNoContinuationPoints)
            del points[oldest]
        name = result.ContinuationPoint = os.urandom(8)
        points[name] = BrowsePoint(key, references[most:], most)
        fresh.add(name)
    return result


def _references(request: Request, asked: Any) -> list[Any]:
    """ReferenceDescriptions of one BrowseDescription."""
    server, identity = request.server, request.session.identity
    node = server.visible(key_of(asked.NodeId), identity)
    kinds = _kinds(server, asked.ReferenceTypeId, asked.IncludeSubtypes, S.BadReferenceTypeIdInvalid)
    direction, mask = int(asked.BrowseDirection), asked.NodeClassMask
    if direction > 2:
        raise Bad(S.BadBrowseDirectionInvalid)
    found = []
    for reference in node.references:
        kind, forward, key = reference
        if (kinds is not None and kind not in kinds) or direction == (_INVERSE if forward else _FORWARD):
            continue
        target = server.space.get(key)
        if target is None or (mask and not mask & target.cls) or not server.may(identity, "browse", target):
            continue
        found.append(_description(reference, target, asked.ResultMask, request.session.locales))
    return found


def _kinds(server: Server, reference_type: Any, subtypes: bool, unknown: int) -> Collection[Key] | None:
    """The reference types asked for; None for all."""
    if reference_type.is_null():
        return None
    node = server.space.get(key_of(reference_type))
    if node is None or node.cls != nodes.REFERENCE_TYPE:
        raise Bad(unknown)
    return server.space.subtypes(node.key) if subtypes else (node.key,)


def _description(reference: Reference, target: Node, mask: int, locales: Locales) -> Any:
    """A ReferenceDescription with the fields of the ResultMask (OPC 10000-4 §5.9.2.2)."""
    kind, forward, key = reference
    described = ua.ReferenceDescription(
        node_id(kind) if mask & 1 else _NO_NODE, bool(mask & 2 and forward), node_id(key)
    )
    described.NodeClass = ua.NodeClass(target.cls) if mask & 4 else ua.NodeClass.Unspecified
    described.BrowseName = target.browse if mask & 8 else ua.QualifiedName(None, 0)
    described.DisplayName = localize(target.display, locales) if mask & 16 else ua.LocalizedText()
    has_type = mask & 32 and target.cls in (nodes.OBJECT, nodes.VARIABLE)
    type_definition = target.type_definition if has_type else None
    described.TypeDefinition = node_id(type_definition) if type_definition is not None else _NO_TYPE
    return described


def translate(request: Request, message: Any) -> Any:
    """TranslateBrowsePathsToNodeIds (OPC 10000-4 §5.9.4)."""
    paths = message.Parameters.BrowsePaths
    check_count(paths, request.server.limits.max_nodes_per_translate)
    request.facts = [key_of(path.StartingNode) for path in paths]
    response = ua.TranslateBrowsePathsToNodeIdsResponse()
    for path in paths:
        result = ua.BrowsePathResult()
        try:
            result.Targets = [ua.BrowsePathTarget(node_id(key), _WHOLE_PATH) for key in _walk(request, path)]
        except Bad as error:
            result.StatusCode = ua.StatusCode(error.code)
        response.Results.append(result)
    return response


def _walk(request: Request, path: Any) -> list[Key]:
    """Keys of the nodes at the end of a BrowsePath."""
    server, identity = request.server, request.session.identity
    here = [server.visible(key_of(path.StartingNode), identity)]
    if not path.RelativePath.Elements:
        raise Bad(S.BadNothingToDo)
    for element in path.RelativePath.Elements:
        name = element.TargetName
        if name is None or not name.Name:
            raise Bad(S.BadBrowseNameInvalid)
        kinds = _kinds(server, element.ReferenceTypeId, element.IncludeSubtypes, S.BadNoMatch)
        found: dict[Key, Node] = {}
        for node in here:
            for kind, forward, key in node.references:
                if forward != element.IsInverse and (kinds is None or kind in kinds):
                    target = server.space.get(key)
                    if target is not None and target.browse == name and server.may(identity, "browse", target):
                        found[key] = target
        here = list(found.values())
        if not here:
            raise Bad(S.BadNoMatch)
    return [node.key for node in here]


def register(request: Request, message: Any) -> Any:
    """RegisterNodes (OPC 10000-4 §5.9.5): node ids are as quick as they get, so they come back unchanged."""
    check_count(message.Parameters.NodesToRegister, request.server.limits.max_nodes_per_register)
    response = ua.RegisterNodesResponse()
    response.Parameters.RegisteredNodeIds = message.Parameters.NodesToRegister
    return response


def unregister(request: Request, message: Any) -> Any:
    """UnregisterNodes (OPC 10000-4 §5.9.6)."""
    check_count(message.Parameters.NodesToUnregister, request.server.limits.max_nodes_per_register)
    return ua.UnregisterNodesResponse()
