"""Call (OPC 10000-4 §5.12): which method, may it be called, do the arguments fit; then whoever owns it does it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

from asyncua import ua

from labsim.endpoints.opcua.core import nodes
from labsim.endpoints.opcua.core.happening import CallFact
from labsim.endpoints.opcua.core.nodeid import Key, key_of
from labsim.endpoints.opcua.core.nodes import HAS_COMPONENT, Node
from labsim.endpoints.opcua.core.request import Request, check_count
from labsim.endpoints.opcua.core.status import Bad, S, is_bad
from labsim.endpoints.opcua.core.typecheck import check_type

if TYPE_CHECKING:
    from labsim.endpoints.opcua.core.server import Server
    from labsim.endpoints.opcua.core.users import Identity

Callee: TypeAlias = "Callable[[Request, Key, list[Any]], Sequence[Any] | None]"
"""What a method does: request, key of the object, plain argument values in; Variants of the results out. Raises Bad."""


class Method(NamedTuple):
    """A method as the server knows it by the key of its node.

    Attributes:
        callee: What it does.
        operation: What a user must be allowed to do with the node (see `Server.may`): ``subscribe`` for one that only looks.
    """

    callee: Callee
    operation: str = "call"


class BadArguments(Bad):
    """Some arguments do not do, though their types do; one code per argument, 0 for a good one."""

    def __init__(self, codes: Sequence[int], reason: str = "") -> None:
        super().__init__(int(S.BadInvalidArgument), reason)
        self.args = (codes, reason)
        self.codes = [int(code) for code in codes]


def may_call(server: Server, identity: Identity | None, node: Node) -> bool:
    """Whether the user may call the method."""
    method = server.methods.get(node.key)
    return server.may(identity, method.operation if method is not None else "call", node)


def call(request: Request, message: Any) -> Any:
    """Call (OPC 10000-4 §5.12.2)."""
    asked = message.Parameters.MethodsToCall
    check_count(asked, request.server.limits.max_calls_per_request)
    facts = request.facts = []
    response = ua.CallResponse()
    for one in asked:
        given = [argument.Value for argument in one.InputArguments or ()]
        fact = CallFact(key_of(one.ObjectId), key_of(one.MethodId), given, [], 0)
        response.Results.append(_call_one(request, one, fact))
        facts.append(fact)
    return response


def _call_one(request: Request, asked: Any, fact: CallFact) -> Any:
    result = ua.CallMethodResult()
    try:
        node, method = _find(request, fact.object, fact.method)
        arguments = fact.arguments = _arguments(request, node, asked.InputArguments or ())
        outputs = list(method.callee(request, fact.object, arguments) or ())
        result.OutputArguments, fact.results = outputs, [output.Value for output in outputs]
    except BadArguments as error:
        fact.status = error.code
        result.InputArgumentResults = [ua.StatusCode(code) for code in error.codes]
    except Bad as error:
        fact.status = error.code
    result.StatusCode = ua.StatusCode(fact.status)
    return result


def _find(request: Request, object_key: Key, method_key: Key) -> tuple[Node, Method]:
    """The method of an object: by its own id, or by that of the type's declaration (OPC 10000-4 §5.12.2.2)."""
    server, space, identity = request.server, request.server.space, request.session.identity
    owner = server.visible(object_key, identity)
    if owner.cls not in (nodes.OBJECT, nodes.OBJECT_TYPE):
        raise Bad(S.BadNodeIdInvalid)
    asked = server.visible(method_key, identity)
    if asked.cls != nodes.METHOD:
        raise Bad(S.BadMethodInvalid)
    own = [space[target] for target in owner.targets((HAS_COMPONENT,))]
    methods = [one for one in own if one.cls == nodes.METHOD]
    node = asked if asked in methods else None
    if node is None and owner.cls == nodes.OBJECT and _declared(request, owner, method_key):
        node = next((one for one in methods if one.browse == asked.browse), None)
    if node is None:
        raise Bad(S.BadMethodInvalid)
    if not node.attributes[nodes.EXECUTABLE]:
        raise Bad(S.BadNotExecutable)
    method = server.methods.get(node.key)
    server.demand(identity, method.operation if method is not None else "call", node)
    if method is None:
        raise Bad(S.BadNotImplemented)
    return node, method


def _declared(request: Request, owner: Node, method_key: Key) -> bool:
    """Whether the method is one of the object's type or of a supertype."""
    space, kind = request.server.space, owner.type_definition
    while kind is not None:
        node = space[kind]
        if method_key in node.targets((HAS_COMPONENT,)):
            return True
        kind = next(node.targets((nodes.HAS_SUBTYPE,), False), None)
    return False


def _arguments(request: Request, node: Node, given: Sequence[Any]) -> list[Any]:
    """Values of arguments that fit the InputArguments property (OPC 10000-3 §5.7, §8.6); structures are mappings."""
    space = request.server.space
    declared = space.child(node.key, "InputArguments")
    variant = declared.constant(request.session.locales, request.server.context) if declared is not None else None
    wanted = list(variant.Value or ()) if variant is not None else []
    if len(given) < len(wanted):
        raise Bad(S.BadArgumentsMissing)
    if len(given) > len(wanted):
        raise Bad(S.BadTooManyArguments)
    codes, arguments = [], []
    for argument, want in zip(given, wanted, strict=True):
        code = 0
        try:
            kind = key_of(want.DataType)
            argument = check_type(space, kind, want.ValueRank, want.ArrayDimensions, argument)
            arguments.append(_said(request.server, kind, argument.Value))
        except Bad as error:
            code = error.code
        codes.append(code)
    if any(map(is_bad, codes)):
        raise BadArguments(codes)
    return arguments


def _said(server: Server, data_type: Key, value: Any) -> Any:
    """What a value says: structures that are not asyncua's own classes as mappings."""
    if isinstance(data_type, int) or value is None or server.space.builtin(data_type) != nodes.STRUCTURE:
        return value
    if isinstance(value, list):
        return [server.structures.unpack(data_type, one) for one in value]
    return server.structures.unpack(data_type, value)
