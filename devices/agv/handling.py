"""Actions as they are carried out: picking and dropping, charging, pausing, cancelling (VDA 5050 2.1.0 §6.8)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from devices.agv.mission import Task
from devices.agv.order import Refusal
from devices.agv.site import CHARGERS, MAP
from labsim.plant.flow import Part

if TYPE_CHECKING:
    from devices.agv import Agv

INITIALIZING_S, PICK_S, DROP_S = 1.0, 12.0, 10.0
PATIENCE_S = 60.0
"""For so long it waits for a load at an empty place, or for room at a full one."""
SPREAD = 0.2
INSTANT = frozenset(
    {
        "startPause", "stopPause", "startCharging", "stopCharging", "initPosition", "stateRequest", "factsheetRequest",
        "cancelOrder",
    }
)  # fmt: skip


class Handling:
    """Carries out the actions of one vehicle."""

    def __init__(self, agv: Agv) -> None:
        self._agv = agv

    def begin(self, task: Task) -> None:
        """An action of a node is triggered, or an instant action has come."""
        action, agv = task.action, self._agv
        match action.action_type:
            case "pick" | "drop":
                usual = PICK_S if action.action_type == "pick" else DROP_S
                task.takes_s = INITIALIZING_S + usual * (1 + SPREAD * float(agv.random.uniform(-1, 1)))
                task.status = "INITIALIZING"
            case "startCharging":
                self._charge(task)
            case "stopCharging":
                agv.battery.charging = False
                task.end("FINISHED")
            case "startPause" | "stopPause":
                agv.paused = action.action_type == "startPause"
                task.status = "RUNNING"
            case "initPosition":
                self._place(task)
            case "stateRequest":
                task.end("FINISHED")
            case "factsheetRequest":
                agv["factsheet_requests"] = int(agv["factsheet_requests"]) + 1
                task.end("FINISHED")
            case "cancelOrder":
                task.status = "RUNNING"
                agv.mission.cancel()

    def advance(self, task: Task, dt: float) -> None:
        """A step of an action that runs."""
        agv, kind = self._agv, task.action.action_type
        if kind in ("startPause", "stopPause"):
            if kind == "stopPause" or not agv.drive.moving:
                task.end("FINISHED")
        elif kind == "cancelOrder":
            others = any(not one.ended for one in agv.mission.tasks if not one.instant)
            if not agv.drive.moving and not others:
                task.end("FINISHED")
        else:
            task.elapsed_s += dt
            if task.elapsed_s >= INITIALIZING_S:
                task.status = "RUNNING"
            if task.elapsed_s >= task.takes_s:
                (self._pick if kind == "pick" else self._drop)(task)

    def _pick(self, task: Task) -> None:
        agv, lane = self._agv, self._agv.lane("parts_in")
        if agv.load is not None:
            self._fail(task, "pickError", f"the vehicle already carries {agv.load.identity}")
        elif lane.empty:
            if task.elapsed_s >= task.takes_s + PATIENCE_S:
                self._fail(task, "pickError", "there is no load")
        else:
            part: Part = lane.get().value
            named = task.action.parameter("loadId")
            if agv.alone and isinstance(named, str) and named:  # nobody else has named the load that stands here
                part.identity = named
            part.trail.append((agv.path, agv.now_s))
            agv.load, agv.load_type = part, str(task.action.parameter("loadType") or "")
            task.end("FINISHED", part.identity)
            agv.emit("LoadPicked", LoadId=part.identity, NodeId=agv.here.node_id)

    def _drop(self, task: Task) -> None:
        agv, lane = self._agv, self._agv.lane("parts_out")
        if agv.load is None:
            self._fail(task, "dropError", "the vehicle carries nothing")
        elif lane.full:
            if task.elapsed_s >= task.takes_s + PATIENCE_S:
                self._fail(task, "dropError", "there is no room")
        else:
            part, agv.load = agv.load, None
            lane.put(part)
            task.end("FINISHED", part.identity)
            agv["loads_moved"] = int(agv["loads_moved"]) + 1
            agv.emit("LoadDropped", LoadId=part.identity, NodeId=agv.here.node_id)

    def _charge(self, task: Task) -> None:
        agv = self._agv
        if agv.here.node_id not in CHARGERS or agv.drive.moving or agv.drive.since_node > 0:
            self._fail(task, "chargingError", "the vehicle does not stand at a charger")
            return
        agv.battery.charging = agv.battery.charge < 100
        task.end("FINISHED")

    def _place(self, task: Task) -> None:
        """Override the pose."""
        agv, values = self._agv, [task.action.parameter(name) for name in ("x", "y", "theta")]
        node, on = task.action.parameter("lastNodeId"), task.action.parameter("mapId")
        numbers = [
            float(v) for v in values if isinstance(v, (int, float)) and not isinstance(v, bool) and abs(v) <= 1e4
        ]
        if len(numbers) != 3 or not isinstance(node, str) or on != MAP or agv.mission.nodes or agv.drive.moving:
            self._fail(task, "initPositionError", "x, y, theta, mapId and lastNodeId are needed, and no order")
            return
        agv.put(*numbers, node=node)
        task.end("FINISHED")

    def _fail(self, task: Task, kind: str, why: str) -> None:
        task.end("FAILED", why)
        self._agv.report(Refusal(kind, why, ("actionId", task.action.action_id)))
