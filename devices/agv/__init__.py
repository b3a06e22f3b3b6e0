"""A driverless vehicle that takes orders from a fleet control."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Any

import msgspec

from devices.agv.battery import EMPTY, LOW, Battery
from devices.agv.drive import ACCELERATION, Drive, wrapped
from devices.agv.handling import INSTANT, Handling
from devices.agv.mission import Mission, Place, Task, position
from devices.agv.order import Refusal, read_instant_actions, read_order
from devices.agv.site import EDGES, MAP, MAP_VERSION, NODES
from labsim.plant import status
from labsim.plant.device import Device
from labsim.plant.flow import Part
from labsim.plant.tags import Value

CORNER = 0.2
"""A change of direction (rad) that it has to stand for."""
FORESIGHT_M = 10.0
"""It looks no further ahead for where it has to stand."""
MOST_ERRORS = 19
"""Errors that are kept beside a new one."""


class Agv(Device):
    """See README.md of this folder for the model and its sources."""

    def start(self) -> None:
        """It stands on a node with its battery as set, and has no order."""
        node = str(self.settings["start_node"])
        x, y = NODES[node]
        self.drive, self.here = Drive(x, y), Place(node, 0, x, y)
        self.battery = Battery(float(self.settings["battery"]))
        self.mission, self.handling = Mission(), Handling(self)
        self.load: Part | None = None
        self.load_type = ""
        self.paused, self._certainty = False, 1.0
        self.alone = not self.flows["parts_in"]
        self._reported: list[Refusal] = []
        self["map_id"] = MAP
        self["maps"] = _json([{"mapId": MAP, "mapVersion": MAP_VERSION, "mapStatus": "ENABLED"}])
        self["layout"] = _json(
            {"nodes": {name: list(at) for name, at in NODES.items()}, "edges": [list(e) for e in EDGES]}
        )
        self._show()

    def configured(self, name: str) -> None:
        """Another battery; or a person takes over, which ends the order (table 1 of §6.10.6)."""
        if name == "battery":
            self.battery.charge = float(self.settings["battery"])
        elif name == "operating_mode" and self.settings[name] in ("MANUAL", "SERVICE", "TEACHIN"):
            self.mission.cancel()
        elif name == "start_node" and not self.drive.moving and not self.mission.busy:
            node = str(self.settings["start_node"])
            self.put(*NODES[node], 0.0, node=node)

    def put(self, x: float, y: float, theta: float, *, node: str) -> None:
        """Stand somewhere else."""
        self.drive.x, self.drive.y, self.drive.theta, self.drive.since_node = x, y, theta, 0.0
        self.here.node_id, self.here.sequence_id = node, 0

    # What it is told.

    def call(self, name: str, arguments: Sequence[Value]) -> tuple[int, Sequence[Value]]:
        """Take an order or instant actions; the state tells what became of them, and so does the output."""
        try:
            return status.GOOD, ((self._order if name == "order" else self._act)(str(arguments[0])),)
        except Refusal as refusal:
            self.report(refusal)
            if name == "order":
                facts = dict(refusal.references)
                self.emit(
                    "OrderRejected", OrderId=facts.get("orderId", ""), ErrorType=refusal.kind, Reason=refusal.text
                )
            return status.GOOD, (refusal.kind,)
        finally:
            self._show()

    def report(self, refusal: Refusal) -> None:
        """An error to be shown until a new order is taken; the same one stands there once."""
        if not any(known.args == refusal.args for known in self._reported):
            self._reported = [*self._reported[-MOST_ERRORS:], refusal]

    def _order(self, text: str) -> str:
        order = read_order(text, self.serial)
        if self.settings["operating_mode"] not in ("AUTOMATIC", "SEMIAUTOMATIC"):
            why = f"the vehicle is in mode {self.settings['operating_mode']}"
            raise Refusal("orderError", why, *order.references)
        new = order.order_id != self.mission.order_id
        self.here.x, self.here.y = self.drive.x, self.drive.y
        if not self.mission.take(order, self.here):
            return "known"
        self._reported = []
        self.emit("OrderAccepted", OrderId=order.order_id, OrderUpdateId=order.order_update_id)
        if new:
            self.mission.arrive(self.here)
        return "accepted"

    def _act(self, text: str) -> str:
        for action in read_instant_actions(text, self.serial):
            about = (("topic", "instantActions"), ("actionId", action.action_id))
            task = Task(action, instant=True)
            self.mission.add_instant(task)
            if action.action_type not in INSTANT:
                task.end("FAILED", "not supported")
                self.report(Refusal("instantActionError", f"{action.action_type} is not supported", *about))
            elif action.action_type == "cancelOrder" and not self.mission.under_way:
                task.end("FAILED", "no order")
                self.report(Refusal("noOrderToCancel", "there is no order to cancel", *about))
            else:
                self.handling.begin(task)
        return "accepted"

    # What it does.

    def step(self, dt: float) -> None:
        """Actions, then motion, then the battery."""
        busy = self.mission.under_way
        self._certainty = min(1.0, 0.96 + 0.01 * float(self.random.standard_normal()))
        self._work(dt)
        self._move(dt)
        supplies = self.supplies("power")
        supplied = all(supply.level > 0 for supply in supplies)
        if self.drive.moving:
            self.battery.charging = False
        self.battery.advance(dt, driving=self.drive.moving, supplied=supplied)
        for supply in supplies:
            supply.demand = self.battery.draw
        self.here.x, self.here.y = self.drive.x, self.drive.y
        if busy and not self.mission.under_way and not self.mission.canceled:
            self["orders_done"] = int(self["orders_done"]) + 1
            self.emit("OrderFinished", OrderId=self.mission.order_id)
        self._show()

    def _work(self, dt: float) -> None:
        """Begin the actions of the node as their blocking types allow (§6.12), go on with what runs."""
        mission = self.mission
        running = [task for task in mission.tasks if not task.ended and task.status != "WAITING"]
        for task in running:
            self.handling.advance(task, dt)
        while mission.queue and not self._stuck:
            others = [task for task in mission.tasks if not task.instant and task.status in ("INITIALIZING", "RUNNING")]
            hard = any(task.action.blocking_type == "HARD" for task in others)
            if hard or (others and mission.queue[0].action.blocking_type == "HARD"):
                return
            self.handling.begin(mission.queue.popleft())

    @property
    def _stuck(self) -> bool:
        """Whether something keeps it from driving and working until a person has come."""
        return (
            "obstacle" in self.faults or "emergency-stop" in self.faults or "localization-lost" in self.faults
            or self.battery.charge < EMPTY
        )  # fmt: skip

    def _move(self, dt: float) -> None:
        mission, drive = self.mission, self.drive
        holds = mission.queue or any(
            task.status in ("INITIALIZING", "RUNNING") and task.action.blocking_type != "NONE" and not task.instant
            for task in mission.tasks
        )
        held = self.paused or self._stuck or holds
        if not mission.next_released or (held and drive.speed == 0):
            if drive.moving:
                drive.brake(dt)
            return
        limit = min(float(self.settings["speed"]), mission.edges[0].max_speed or math.inf)
        if held:  # it slows down on its way, and a node that it passes meanwhile is passed
            limit = min(limit, max(drive.speed - ACCELERATION * dt, 0.0))
        if drive.approach(dt, position(mission.nodes[0]), limit=limit, further=self._further()):
            drive.since_node = 0.0
            node = mission.arrive(self.here)
            self.emit("NodeReached", NodeId=node.node_id, OrderId=mission.order_id)

    def _further(self) -> float:
        """Metres that it may still go on behind the next node without standing."""
        nodes, way, heading = self.mission.nodes, 0.0, self.drive.theta
        for index in range(len(nodes) - 1):
            if self.mission.stops_at(index) or way > FORESIGHT_M:
                break
            (x, y), (to_x, to_y) = position(nodes[index]), position(nodes[index + 1])
            after = math.atan2(to_y - y, to_x - x)
            if abs(wrapped(after - heading)) > CORNER:
                break
            way += math.hypot(to_x - x, to_y - y)
            heading = after
        return way

    # What it shows.

    def _show(self) -> None:
        mission, drive = self.mission, self.drive
        self["order_id"], self["order_update_id"] = mission.order_id, mission.update_id
        self["last_node_id"], self["last_node_sequence_id"] = self.here.node_id, self.here.sequence_id
        self["node_states"] = _json(
            [{"nodeId": n.node_id, "sequenceId": n.sequence_id, "released": n.released} for n in mission.nodes]
        )
        self["edge_states"] = _json(
            [{"edgeId": e.edge_id, "sequenceId": e.sequence_id, "released": e.released} for e in mission.edges]
        )
        self["action_states"] = _json([task.shown for task in mission.tasks])
        self["errors"] = _json(list(self._errors()))
        self["loads"] = _json(self._loads())
        self["load_id"] = self.load.identity if self.load is not None else ""
        self["driving"], self["paused"] = drive.moving, self.paused
        released = sum(node.released for node in mission.nodes)
        self["new_base_request"] = released <= 1 and released < len(mission.nodes)
        self["operating_mode"] = str(self.settings["operating_mode"])
        lost = "localization-lost" in self.faults
        self["position_initialized"], self["localization_score"] = not lost, 0.0 if lost else self._certainty
        self["x"], self["y"], self["theta"] = drive.x, drive.y, drive.theta
        self["speed"], self["turn_rate"] = drive.speed, drive.turning
        self["distance_since_last_node"], self["odometer"] = drive.since_node, drive.driven
        self["battery"], self["battery_voltage"] = self.battery.charge, self.battery.voltage
        self["charging"], self["charging_power"] = self.battery.charging, self.battery.draw
        self["e_stop"] = "MANUAL" if "emergency-stop" in self.faults else "NONE"
        self["field_violation"] = "obstacle" in self.faults
        self["radio_connected"] = "radio-gap" not in self.faults

    def _loads(self) -> list[dict[str, str]]:
        if self.load is None:
            return []
        kind = {"loadType": self.load_type} if self.load_type else {}
        return [{"loadId": self.load.identity, **kind}]

    def _errors(self) -> Iterable[dict[str, Any]]:
        for one in self._reported:
            refers = [{"referenceKey": key, "referenceValue": value} for key, value in one.references]
            yield {
                "errorType": one.kind, "errorLevel": "WARNING", "errorDescription": one.text, "errorReferences": refers,
            }  # fmt: skip
        if "obstacle" in self.faults:
            yield {"errorType": "fieldViolation", "errorLevel": "WARNING"}
        if "emergency-stop" in self.faults:
            yield {"errorType": "emergencyStop", "errorLevel": "FATAL"}
        if "localization-lost" in self.faults:
            yield {"errorType": "localizationLost", "errorLevel": "FATAL"}
        if self.battery.charge < LOW and not self.battery.charging:
            level = "FATAL" if self.battery.charge < EMPTY else "WARNING"
            yield {"errorType": "batteryLow", "errorLevel": level}


def _json(value: Any) -> str:
    return msgspec.json.encode(value).decode()


BEHAVIOUR = Agv
