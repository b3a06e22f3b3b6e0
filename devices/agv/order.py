"""Orders and actions as a fleet control writes them: the fields of VDA 5050 2.1.0 §6.6.6 and §6.9, read and judged alone.

What can be judged without the vehicle is judged here: types, the sequence of nodes and edges, what is released. Everything else
is for `devices.agv.mission`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Annotated, Any, Literal, TypeVar

import msgspec

MAJOR = "2"
LONGEST_ID = 64
MOST_NODES = 100
Id = Annotated[str, msgspec.Meta(min_length=1, max_length=LONGEST_ID)]
Count = Annotated[int, msgspec.Meta(ge=0, le=4294967295)]


class Refusal(Exception):  # noqa: N818 - it is one, and becomes an error of the vehicle
    """Why an order or an action is not taken: the error that the vehicle reports.

    Attributes:
        kind: ``errorType``.
        text: ``errorDescription``.
        references: Pairs of ``referenceKey`` and ``referenceValue``.
    """

    def __init__(self, kind: str, text: str, *references: tuple[str, str]) -> None:
        super().__init__(kind, text, *references)
        self.kind, self.text, self.references = kind, text, references


class Parameter(msgspec.Struct, frozen=True):
    """A key and its value."""

    key: str
    value: Any


class Action(msgspec.Struct, frozen=True, rename="camel"):
    """Something to be done besides driving."""

    action_type: str
    action_id: Id
    blocking_type: Literal["NONE", "SOFT", "HARD"]
    action_parameters: tuple[Parameter, ...] = ()

    def parameter(self, key: str) -> Any:
        """The value of a parameter; None when it is not there."""
        return next((one.value for one in self.action_parameters if one.key == key), None)


class Position(msgspec.Struct, frozen=True, rename="camel"):
    """Where a node is, m and rad."""

    x: float
    y: float
    map_id: str
    theta: float | None = None
    deviation: Annotated[float, msgspec.Meta(ge=0)] = msgspec.field(default=0.0, name="allowedDeviationXY")


class Node(msgspec.Struct, frozen=True, rename="camel"):
    """A node of the path."""

    node_id: Id
    sequence_id: Count
    released: bool
    actions: tuple[Action, ...]
    node_position: Position | None = None


class Edge(msgspec.Struct, frozen=True, rename="camel"):
    """The way from one node to the next."""

    edge_id: Id
    sequence_id: Count
    released: bool
    start_node_id: Id
    end_node_id: Id
    actions: tuple[Action, ...]
    max_speed: Annotated[float, msgspec.Meta(gt=0)] | None = None
    trajectory: Any = None


class Header(msgspec.Struct, frozen=True, rename="camel"):
    """What every message begins with (§6.4)."""

    header_id: Count
    timestamp: str
    version: str
    manufacturer: str
    serial_number: str


class Order(Header, frozen=True, rename="camel"):
    """Nodes to be reached in order, by edges."""

    order_id: Id
    order_update_id: Count
    nodes: tuple[Node, ...]
    edges: tuple[Edge, ...]

    @property
    def references(self) -> tuple[tuple[str, str], ...]:
        """What an error about it refers to (§7.1)."""
        return (
            ("topic", "order"), ("headerId", str(self.header_id)), ("orderId", self.order_id),
            ("orderUpdateId", str(self.order_update_id)),
        )  # fmt: skip

    @property
    def actions(self) -> Iterator[Action]:
        """All actions, in the order of the path."""
        for node in self.nodes:
            yield from node.actions
        for edge in self.edges:
            yield from edge.actions


class InstantActions(Header, frozen=True, rename="camel"):
    """Actions to be done at once."""

    actions: tuple[Action, ...]


_Message = TypeVar("_Message", bound=Header)


def read_order(text: str, serial: str) -> Order:
    """An order for the vehicle ``serial``.

    Raises:
        Refusal: validationError, when it is no order or contradicts itself.
    """
    order = _read(text, Order, "order", serial)
    for wrong in _contradictions(order):
        raise Refusal("validationError", wrong, *order.references)
    return order


def read_instant_actions(text: str, serial: str) -> Sequence[Action]:
    """The actions of a message for the vehicle ``serial``.

    Raises:
        Refusal: validationError, when it is no such message.
    """
    return _read(text, InstantActions, "instantActions", serial).actions


def _read(text: str, kind: type[_Message], topic: str, serial: str) -> _Message:
    try:
        found = msgspec.json.decode(text, type=kind)
    except (msgspec.DecodeError, RecursionError) as error:
        raise Refusal("validationError", f"not a valid message: {error}", ("topic", topic)) from None
    about = (("topic", topic), ("headerId", str(found.header_id)))
    if found.version.split(".")[0] != MAJOR:
        why = f"version {found.version} is not {MAJOR}.x.y"
        raise Refusal("validationError", why, *about, ("version", found.version))
    if found.serial_number != serial:
        why = f"the message is for {found.serial_number}, not for {serial}"
        raise Refusal("validationError", why, *about, ("serialNumber", found.serial_number))
    return found


def _contradictions(order: Order) -> Iterator[str]:
    """What is wrong with the path itself (§6.6.1)."""
    nodes, edges = order.nodes, order.edges
    if not nodes or len(edges) != len(nodes) - 1:
        yield f"{len(nodes)} nodes need {max(len(nodes) - 1, 0)} edges, not {len(edges)}"
        return
    numbers = [number for pair in zip(nodes, (*edges, None), strict=True) for number in pair if number is not None]
    if any(after.sequence_id != before.sequence_id + 1 for before, after in pairwise(numbers)):
        yield "sequenceId does not run on over nodes and edges"
    for edge, (start, end) in zip(edges, pairwise(nodes), strict=True):
        if (edge.start_node_id, edge.end_node_id) != (start.node_id, end.node_id):
            yield f"the edge {edge.edge_id} does not join {start.node_id} and {end.node_id}"
    if not nodes[0].released:
        yield "the first node is not released"
    if any(after.released and not before.released for before, after in pairwise(numbers)):
        yield "something released follows what is not released"
    if edges and edges[-1].released and not nodes[-1].released:
        yield "an edge is released whose end is not"
    ids = [action.action_id for action in order.actions]
    if len(ids) != len(set(ids)):
        yield "two actions have the same actionId"
