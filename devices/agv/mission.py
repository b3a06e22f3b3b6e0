"""What the vehicle has been told to do, and how far it is: VDA 5050 2.1.0 §6.6.2 to §6.6.4 and §6.12."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from devices.agv.order import MOST_NODES, Action, Edge, Node, Order, Refusal
from devices.agv.site import MAP, NODES, is_way

NODE_ACTIONS = frozenset({"pick", "drop", "startCharging", "stopCharging"})
NEAR_M = 0.3
"""As near as this a node counts as reached, unless the order allows more."""
Status = Literal["WAITING", "INITIALIZING", "RUNNING", "FINISHED", "FAILED"]
FARTHEST_M = 1000.0
"""Nodes lie within this far of the origin."""
MOST_TASKS = 100
"""Instant actions that are over are forgotten, the oldest first, when there are more."""
ENDED = frozenset({"FINISHED", "FAILED"})


@dataclass(slots=True, eq=False)
class Task:
    """An action and how far it is.

    Attributes:
        action: What to do.
        instant: It came by itself, not with an order.
        status: ``actionStatus``.
        result: ``resultDescription``.
        elapsed_s: For how long it has been running.
        takes_s: How long it will run.
    """

    action: Action
    instant: bool = False
    status: Status = "WAITING"
    result: str = ""
    elapsed_s: float = 0.0
    takes_s: float = 0.0

    @property
    def ended(self) -> bool:
        """Whether it is over, well or not."""
        return self.status in ENDED

    def end(self, status: Literal["FINISHED", "FAILED"], result: str = "") -> None:
        """It is over."""
        self.status, self.result = status, result

    @property
    def shown(self) -> dict[str, Any]:
        """Its actionState."""
        more = {"resultDescription": self.result} if self.result else {}
        action = self.action
        return {"actionId": action.action_id, "actionType": action.action_type, "actionStatus": self.status, **more}


@dataclass(slots=True)
class Place:
    """Where the vehicle is, as far as an order is concerned: last node and sequence, position."""

    node_id: str = ""
    sequence_id: int = 0
    x: float = 0.0
    y: float = 0.0


def position(node: Node) -> tuple[float, float]:
    """Where a node is: as the order says, or as the vehicle was taught."""
    if node.node_position is not None:
        return node.node_position.x, node.node_position.y
    return NODES[node.node_id]


@dataclass(slots=True)
class Mission:
    """The order on the vehicle.

    Attributes:
        order_id: Kept until a new order is taken.
        update_id: The last update that was taken.
        nodes: Still to be reached, those of the horizon as well.
        edges: Still to be driven; one for each of ``nodes``.
        tasks: Actions of this order, and instant actions since it came.
        queue: Actions of the node on which the vehicle stands, in their order.
        base: The last released node, where an update goes on: its id and sequence.
        canceled: The order was given up.
    """

    order_id: str = ""
    update_id: int = 0
    nodes: deque[Node] = field(default_factory=deque)
    edges: deque[Edge] = field(default_factory=deque)
    tasks: list[Task] = field(default_factory=list)
    queue: deque[Task] = field(default_factory=deque)
    base: tuple[str, int] = ("", 0)
    canceled: bool = False

    @property
    def under_way(self) -> bool:
        """Whether something of the order is still to be done."""
        return bool(self.nodes) or any(not task.ended for task in self.tasks if not task.instant)

    @property
    def busy(self) -> bool:
        """Whether the vehicle still executes an order or waits for an update (§6.6.2, step 3)."""
        return bool(self.nodes) or any(not task.ended for task in self.tasks)

    @property
    def next_released(self) -> bool:
        """Whether it may go on to the next node."""
        return bool(self.nodes) and self.nodes[0].released and self.edges[0].released

    def take(self, order: Order, here: Place) -> bool:
        """Take an order or an update (figure 8); False for one that is already on the vehicle.

        Raises:
            Refusal: why not; the mission is what it was.
        """
        self._performable(order)
        first = order.nodes[0]
        if order.order_id != self.order_id:
            if self.busy:
                raise Refusal("orderError", f"the order {self.order_id} is still executed", *order.references)
            if not _reached(first, here):
                why = f"the vehicle is not at {first.node_id}, where the order begins"
                raise Refusal("noRouteError", why, *order.references, ("nodeId", first.node_id))
            self.tasks = [task for task in self.tasks if task.instant and not task.ended]
            self.order_id = order.order_id
            self._append(order, order.nodes, order.edges)
            self.update_id = order.order_update_id
            return True
        if order.order_update_id == self.update_id:
            return False
        if order.order_update_id < self.update_id:
            why = f"update {order.order_update_id} is older than {self.update_id}"
            raise Refusal("orderUpdateError", why, *order.references)
        goes_on = self.base if self.busy else (here.node_id, here.sequence_id)
        if (first.node_id, first.sequence_id) != goes_on:
            why = f"the update begins at {first.node_id} ({first.sequence_id}), not at {goes_on[0]} ({goes_on[1]})"
            raise Refusal("orderUpdateError", why, *order.references, ("nodeId", first.node_id))
        horizon = {action.action_id for node in self.nodes if not node.released for action in node.actions}
        used = {task.action.action_id for task in self.tasks if not task.instant} - horizon
        for node in order.nodes[1:]:
            for action in node.actions:
                if action.action_id in used:
                    refers = ("actionId", action.action_id)
                    raise Refusal("validationError", "an actionId is used again", *order.references, refers)
        self._drop_horizon()
        self._append(order, order.nodes[1:], order.edges)
        self.update_id = order.order_update_id
        return True

    def arrive(self, here: Place) -> Node:
        """The next node is reached: it leaves the list, its actions begin."""
        node = self.nodes.popleft()
        here.node_id, here.sequence_id = node.node_id, node.sequence_id
        if self.edges and self.edges[0].sequence_id < node.sequence_id:
            self.edges.popleft()
        ids = {action.action_id for action in node.actions}
        self.queue.extend(task for task in self.tasks if not task.instant and task.action.action_id in ids)
        return node

    def cancel(self) -> None:
        """Nothing more is begun: what waits has failed, the path is gone (§6.6.3)."""
        self.canceled = True
        self.nodes.clear()
        self.edges.clear()
        self.queue.clear()
        for task in self.tasks:
            if task.status == "WAITING" and not task.instant:
                task.end("FAILED", "canceled")

    def stops_at(self, index: int) -> bool:
        """Whether the vehicle has to stand at a node of the path: it is the last released, or has something to do there."""
        node = self.nodes[index]
        following = index + 1
        if following >= len(self.nodes) or not self.nodes[following].released:
            return True
        return any(action.blocking_type != "NONE" for action in node.actions)

    def add_instant(self, task: Task) -> None:
        """An instant action has come."""
        self.tasks.append(task)
        over = [one for one in self.tasks if one.instant and one.ended]
        for one in over[: max(len(over) - MOST_TASKS, 0)]:
            self.tasks.remove(one)

    def _append(self, order: Order, nodes: Sequence[Node], edges: Sequence[Edge]) -> None:
        self.nodes.extend(nodes)
        self.edges.extend(edges)
        self.tasks += [Task(action) for node in nodes for action in node.actions]
        self.canceled = False
        base = [node for node in order.nodes if node.released][-1]
        self.base = base.node_id, base.sequence_id

    def _drop_horizon(self) -> None:
        while self.nodes and not self.nodes[-1].released:
            gone = {action.action_id for action in self.nodes.pop().actions}
            self.tasks = [task for task in self.tasks if task.instant or task.action.action_id not in gone]
        while self.edges and not self.edges[-1].released:
            self.edges.pop()

    def _performable(self, order: Order) -> None:
        """Whether the vehicle can do all of it (§6.6.4.2)."""
        about = order.references
        if len(order.nodes) > MOST_NODES:
            raise Refusal("orderError", f"more than {MOST_NODES} nodes", *about)
        for node in order.nodes:
            where = node.node_position
            if where is None and node.node_id not in NODES:
                why = f"{node.node_id} is unknown and has no nodePosition"
                raise Refusal("orderError", why, *about, ("nodeId", node.node_id))
            if where is not None and max(abs(where.x), abs(where.y)) > FARTHEST_M:
                raise Refusal("orderError", f"{node.node_id} is off the map", *about, ("nodeId", node.node_id))
            if where is not None and where.map_id != MAP:
                raise Refusal("orderError", f"there is no map {where.map_id}", *about, ("mapId", where.map_id))
            for action in node.actions:
                if action.action_type not in NODE_ACTIONS:
                    refers = ("actionType", action.action_type), ("actionId", action.action_id)
                    raise Refusal("orderError", f"{action.action_type} cannot be done on a node", *about, *refers)
        for edge in order.edges:
            if edge.trajectory is not None or edge.actions:
                what = "trajectory" if edge.trajectory is not None else "actions"
                raise Refusal("orderError", f"{what} on an edge is not supported", *about, ("edgeId", edge.edge_id))
            if not is_way(edge.start_node_id, edge.end_node_id):
                why = f"no path leads from {edge.start_node_id} to {edge.end_node_id}"
                raise Refusal("noRouteError", why, *about, ("edgeId", edge.edge_id))


def _reached(node: Node, here: Place) -> bool:
    """Whether the vehicle stands on a node, or near enough (§6.6.1)."""
    x, y = position(node)
    allowed = node.node_position.deviation if node.node_position is not None else 0.0
    return math.hypot(x - here.x, y - here.y) <= max(allowed, NEAR_M)
