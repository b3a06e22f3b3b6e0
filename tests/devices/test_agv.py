from __future__ import annotations

import json
import math
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import devices
from devices.agv.drive import ACCELERATION, Drive
from devices.agv.site import EDGES, NODES, is_way
from labsim.plant import status
from labsim.plant.clock import SimClock
from labsim.plant.plant import Plant

LOOP = ["park1", "aisle0", "aisle1", "dock1"]
INSTANT_KINDS = st.sampled_from(["cancelOrder", "startPause", "stopPause", "startCharging", "stateRequest", "dance"])


def header(serial: str) -> dict[str, Any]:
    """The header of a message to a vehicle."""
    return {
        "headerId": 1, "timestamp": "2026-01-31T08:00:00.00Z", "version": "2.1.0", "manufacturer": "Labsim",
        "serialNumber": serial,
    }  # fmt: skip


def action(kind: str, number: str = "a1", blocking: str = "HARD", **parameters: Any) -> dict[str, Any]:
    """An action."""
    pairs = [{"key": key, "value": value} for key, value in parameters.items()]
    return {"actionType": kind, "actionId": number, "blockingType": blocking, "actionParameters": pairs}


def order(path, name="o1", update=0, *, released=None, first=0, actions=None, **more) -> dict[str, Any]:
    """An order along nodes, of which the first ``released`` are; its sequence begins with ``first``."""
    released = len(path) if released is None else released
    nodes = [
        {"nodeId": n, "sequenceId": first + 2 * i, "released": i < released, "actions": (actions or {}).get(n, [])}
        for i, n in enumerate(path)
    ]
    edges = [
        {
            "edgeId": f"{a}-{b}", "sequenceId": first + 2 * i + 1, "released": i + 1 < released, "startNodeId": a,
            "endNodeId": b, "actions": [],
        }
        for i, (a, b) in enumerate(pairwise(path))
    ]  # fmt: skip
    return {"orderId": name, "orderUpdateId": update, "nodes": nodes, "edges": edges, **more}


def send(rig, document: dict[str, Any], name: str = "order") -> str:
    """Give the vehicle an order or instant actions; its answer."""
    text = json.dumps({**header(rig.device.serial), **document})
    code, (answer,) = rig.device.call(name, [text])
    assert code == status.GOOD
    return str(answer)


def act(rig, kind: str, number: str = "i1", **parameters: Any) -> str:
    """Give it an instant action."""
    return send(rig, {"actions": [action(kind, number, "NONE", **parameters)]}, "instant_actions")


def shown(rig, name: str) -> Any:
    """A list of the state."""
    return json.loads(str(rig.device[name]))


def statuses(rig) -> dict[str, str]:
    """Status by action."""
    return {one["actionId"]: one["actionStatus"] for one in shown(rig, "action_states")}


def errors(rig) -> list[str]:
    """Types of the errors shown."""
    return [one["errorType"] for one in shown(rig, "errors")]


def told(rig, name: str) -> list[dict[str, Any]]:
    """Fields of the events under a name."""
    return [dict(one.fields) for one in rig.plant.events if one.name == name]


def test_it_carries_a_load_from_node_to_node(bench):
    """Nodes are reached in order and leave the state, actions run at theirs, the load is taken along and put down."""
    rig = bench("agv")
    path = [*LOOP, "aisle1", "rack1"]
    acts = {"dock1": [action("pick", "p", loadId="PAL-7")], "rack1": [action("drop", "d")]}
    assert send(rig, order(path, actions=acts)) == "accepted"
    seen = []
    rig.run(150, lambda d: seen.append((d["last_node_id"], len(json.loads(d["node_states"])), d["load_id"])))
    assert list(dict.fromkeys(node for node, *_ in seen)) == ["park1", "aisle0", "aisle1", "dock1", "rack1"]
    assert list(dict.fromkeys(n for _, n, _ in seen)) == [5, 4, 3, 2, 1, 0]
    assert statuses(rig) == {"p": "FINISHED", "d": "FINISHED"}
    assert {load for *_, load in seen} == {"", "PAL-7"}
    device = rig.device
    assert (device["orders_done"], device["loads_moved"], device["driving"]) == (1, 1, False)
    assert told(rig, "LoadPicked") == [{"LoadId": "PAL-7", "NodeId": "dock1"}]
    assert told(rig, "LoadDropped") == [{"LoadId": "PAL-7", "NodeId": "rack1"}]
    assert (device["x"], device["y"]) == NODES["rack1"]


def test_it_drives_the_length_of_the_path(bench):
    """The odometer says what the edges are long, to a centimetre; the speed stays within its limit and its acceleration."""
    rig, speeds = bench("agv", speed=1.0), [0.0]
    send(rig, order(["park1", "aisle0", "aisle1", "aisle2", "aisle3", "cold1"][:5]))
    device = rig.run(80, lambda d: speeds.append(float(d["speed"])))
    assert float(device["odometer"]) == pytest.approx(10 + 30, abs=0.01)
    assert max(speeds) == pytest.approx(1.0)
    steps = [abs(b - a) for a, b in pairwise(speeds)]
    assert max(steps) <= ACCELERATION * 0.1 + 0.051  # it stands from a creep of 0.05 m/s


def test_it_passes_straight_nodes_and_stands_at_corners(bench):
    """Speed falls to nothing at aisle0, where the path turns, and not at aisle1, where it does not."""
    rig, slow = bench("agv"), []
    send(rig, order(["park1", "aisle0", "aisle1", "aisle2"]))

    def watch(d):
        if float(d["speed"]) == 0 and d["node_states"] != "[]":
            slow.append((round(float(d["x"])), round(float(d["y"]))))

    rig.run(60, watch)
    assert set(slow) == {(15, 0)}


@pytest.mark.parametrize("way", [0.3, 1.0, 7.0, 30.0])
def test_a_drive_comes_to_a_stand_on_the_point(way):
    """From any distance it ends exactly there, without passing it."""
    drive, steps = Drive(0, 0), 0
    while not drive.approach(0.1, (way, 0), limit=1.5, further=0):
        steps += 1
        assert drive.x <= way + 1e-9
        assert steps < 1000
    assert (drive.x, drive.y, drive.speed) == (way, 0, 0)


def test_it_stands_at_the_end_of_its_base_and_goes_on_with_an_update(bench):
    """It asks for a new base, waits at the decision point, and the update that begins there is stitched on."""
    rig = bench("agv")
    send(rig, order(["park1", "aisle0", "aisle1"], released=2))
    rig.run(30)
    device = rig.device
    assert (device["last_node_id"], device["driving"], device["new_base_request"]) == ("aisle0", False, True)
    assert [node["nodeId"] for node in shown(rig, "node_states")] == ["aisle1"]
    assert send(rig, order(["aisle0", "aisle1", "aisle2"], update=1, first=2)) == "accepted"
    assert [node["nodeId"] for node in shown(rig, "node_states")] == ["aisle1", "aisle2"]
    assert rig.run(60)["last_node_id"] == "aisle2"
    assert (device["order_update_id"], device["last_node_sequence_id"], device["orders_done"]) == (1, 6, 1)


def test_an_update_of_a_finished_order_goes_on_from_where_it_ended(bench):
    """Figure 8, step 8: the first node is the last one reached, with its sequence."""
    rig = bench("agv")
    send(rig, order(["park1", "aisle0"]))
    rig.run(30)
    assert send(rig, order(["aisle0", "aisle1"], update=1, first=0)) == "orderUpdateError"
    assert send(rig, order(["aisle0", "aisle1"], update=1, first=2)) == "accepted"
    assert rig.run(30)["last_node_id"] == "aisle1"


def broken(document: dict[str, Any], where: tuple[Any, ...], value: Any) -> dict[str, Any]:
    """A copy with another value somewhere."""
    copy = json.loads(json.dumps(document))
    place = copy
    for key in where[:-1]:
        place = place[key]
    place[where[-1]] = value
    return copy


@pytest.mark.parametrize(
    ("where", "value", "kind"),
    [
        (("orderId",), 5, "validationError"),
        (("orderUpdateId",), -1, "validationError"),
        (("version",), "3.0.0", "validationError"),
        (("serialNumber",), "other", "validationError"),
        (("nodes",), [], "validationError"),
        (("edges",), [], "validationError"),
        (("nodes", 1, "sequenceId"), 7, "validationError"),
        (("edges", 0, "startNodeId"), "dock1", "validationError"),
        (("nodes", 0, "released"), False, "validationError"),
        (("nodes", 1, "released"), False, "validationError"),
        (("nodes", 1, "actions"), [action("pick", "x", "MAYBE")], "validationError"),
        (("nodes", 1, "actions"), [action("pick", "x"), action("drop", "x")], "validationError"),
        (("nodes", 1, "actions"), [action("dance")], "orderError"),
        (("nodes", 1, "nodePosition"), {"x": 1, "y": 1, "mapId": "moon"}, "orderError"),
        (("nodes", 1, "nodePosition"), {"x": 1e9, "y": 1, "mapId": "warehouse"}, "orderError"),
        (("edges", 0, "trajectory"), {"degree": 1, "knotVector": [], "controlPoints": []}, "orderError"),
        (("edges", 0, "actions"), [action("pick", "x")], "orderError"),
    ],
)
def test_an_order_that_cannot_be_is_refused(bench, where, value, kind):
    """The error is shown as a warning with references until an order is taken, and the vehicle stays where it is."""
    rig = bench("agv")
    assert send(rig, broken({**order(["park1", "aisle0"]), **header(rig.device.serial)}, where, value)) == kind
    (error,) = shown(rig, "errors")
    assert (error["errorType"], error["errorLevel"]) == (kind, "WARNING")
    assert {"referenceKey": "topic", "referenceValue": "order"} in error["errorReferences"]
    device = rig.run(5)
    assert (device["order_id"], device["driving"], errors(rig)) == ("", False, [kind])
    assert told(rig, "OrderRejected")[0]["ErrorType"] == kind
    assert send(rig, order(["park1", "aisle0"])) == "accepted"
    assert errors(rig) == []


def test_the_rules_of_orders_and_updates(bench):
    """Figure 8: no order while one runs, none that begins elsewhere or has no path, no old update, the same one twice is one."""
    rig = bench("agv")
    assert send(rig, order(["dock1", "aisle1"])) == "noRouteError"
    assert send(rig, order(["park1", "rack1"])) == "noRouteError"
    assert send(rig, order(["park1", "aisle0", "aisle1"], update=3)) == "accepted"
    assert send(rig, order(["park1", "aisle0", "aisle1"], update=3)) == "known"
    assert errors(rig) == []
    assert send(rig, order(["park1", "aisle0"], name="o2")) == "orderError"
    assert send(rig, order(["park1", "aisle0"], update=2)) == "orderUpdateError"
    assert send(rig, order(["aisle0", "aisle1"], update=4, first=2)) == "orderUpdateError"
    assert rig.run(60)["last_node_id"] == "aisle1"
    assert errors(rig) == ["orderError", "orderUpdateError", "orderUpdateError"]


def test_an_order_is_cancelled_on_the_way(bench):
    """It stands between nodes, what waited has failed, cancelOrder is finished once it stands; a new order begins right there."""
    rig = bench("agv")
    send(rig, order(LOOP, actions={"dock1": [action("pick", "p")]}))
    rig.run(6)
    act(rig, "cancelOrder", "c")
    assert statuses(rig) == {"p": "FAILED", "c": "RUNNING"}
    assert rig.run(0.1)["driving"]
    device = rig.run(5)
    assert statuses(rig) == {"p": "FAILED", "c": "FINISHED"}
    assert (device["driving"], device["order_id"], device["node_states"], device["orders_done"]) == (
        False,
        "o1",
        "[]",
        0,
    )
    assert 5 < float(device["x"]) < 15
    assert send(rig, order(["park1", "aisle0"], name="o2")) == "noRouteError"
    near = order(["park1", "aisle0"], name="o2")
    near["nodes"][0]["nodePosition"] = {"x": 5, "y": 0, "mapId": "warehouse", "allowedDeviationXY": 12}
    assert send(rig, near) == "accepted"
    assert rig.run(30)["last_node_id"] == "aisle0"


def test_nothing_to_cancel_is_a_warning(bench):
    """The action has failed, and the error refers to it (§6.6.3.2)."""
    rig = bench("agv")
    act(rig, "cancelOrder", "c")
    assert statuses(rig) == {"c": "FAILED"}
    (error,) = shown(rig, "errors")
    assert (error["errorType"], error["errorLevel"]) == ("noOrderToCancel", "WARNING")
    assert {"referenceKey": "actionId", "referenceValue": "c"} in error["errorReferences"]


def test_a_pick_that_runs_is_finished_before_the_cancel(bench):
    """It cannot be interrupted: RUNNING, FINISHED, and then the cancellation."""
    rig = bench("agv", start_node="dock1")
    send(rig, order(["dock1", "aisle1"], actions={"dock1": [action("pick", "p")]}))
    rig.run(3)
    act(rig, "cancelOrder", "c")
    rig.run(1)
    assert statuses(rig) == {"p": "RUNNING", "c": "RUNNING"}
    rig.run(20)
    assert statuses(rig) == {"p": "FINISHED", "c": "FINISHED"}
    assert rig.device["load_id"]


def test_pause_and_resume(bench):
    """It stands wherever it is, keeps its order, and goes on."""
    rig = bench("agv")
    send(rig, order(["park1", "aisle0", "aisle1", "aisle2"]))
    rig.run(5)
    act(rig, "startPause", "s")
    device = rig.run(8)
    where = device["x"]
    assert (device["paused"], device["driving"], statuses(rig)["s"]) == (True, False, "FINISHED")
    assert rig.run(10)["x"] == where
    act(rig, "stopPause", "g")
    assert rig.run(60)["last_node_id"] == "aisle2"
    assert (device["paused"], statuses(rig)["g"]) == (False, "FINISHED")


@pytest.mark.parametrize("seconds", [18.0, 18.5, 19.0, 19.5, 20.0, 20.5, 21.0])
def test_a_pause_near_a_node_loses_nothing(bench, seconds):
    """Wherever it is paused, passing a node or not, it goes on to the end of the same path, and drives no detour."""
    rig = bench("agv")
    send(rig, order(["park1", "aisle0", "aisle1", "aisle2"]))
    rig.run(seconds)
    act(rig, "startPause", "s")
    rig.run(6)
    act(rig, "stopPause", "g")
    device = rig.run(60)
    assert device["last_node_id"] == "aisle2"
    assert float(device["odometer"]) == pytest.approx(30, abs=0.02)


def test_blocking_types(bench):
    """HARD waits for all others, SOFT runs beside others, and it drives only when neither is under way (§6.12)."""
    rig = bench("agv", start_node="dock1")
    acts = [action("pick", "n", "NONE"), action("drop", "h", "HARD")]
    send(rig, order(["dock1", "aisle1"], actions={"dock1": acts}))
    rig.run(2)
    assert statuses(rig) == {"n": "RUNNING", "h": "WAITING"}
    assert not rig.device["driving"]
    rig.run(14)
    assert statuses(rig)["n"] == "FINISHED"
    assert statuses(rig)["h"] in ("INITIALIZING", "RUNNING")
    rig.run(40)
    assert statuses(rig) == {"n": "FINISHED", "h": "FINISHED"}
    assert rig.device["last_node_id"] == "aisle1"


def test_the_battery_follows_its_rates(bench):
    """-8 %/h driving, +40 %/h at the charger and nowhere else; the charger's supply has to be there, and it draws from it."""
    rig = bench("agv", battery=50, start_node="charge1")
    act(rig, "startCharging", "c")
    device = rig.run(360)
    assert (statuses(rig)["c"], device["charging"]) == ("FINISHED", True)
    assert float(device["battery"]) == pytest.approx(54, abs=0.01)
    (supply,) = device.supplies("power")
    assert supply.demand == pytest.approx(0.4 * 5 / 0.9)
    supply.level = 0.0
    assert float(rig.run(60)["battery"]) == pytest.approx(54, abs=0.01)
    supply.level = 1.0
    send(rig, order(["charge1", "park1", "aisle0"]))
    rig.run(5)
    assert not device["charging"]
    before = float(device["battery"])
    rig.run(3)
    assert before - float(device["battery"]) == pytest.approx(8 * 3 / 3600, rel=0.05)
    rig.run(30)
    act(rig, "startCharging", "again")
    assert statuses(rig)["again"] == "FAILED"
    assert errors(rig) == ["chargingError"]


def test_an_empty_battery_stops_it(bench):
    """A warning batteryLow comes below 20 %; below 3 % it is fatal, and the vehicle stands."""
    rig = bench("agv", battery=15)
    send(rig, order(["park1", "aisle0"]))
    rig.run(1)
    assert [(e["errorType"], e["errorLevel"]) for e in shown(rig, "errors")] == [("batteryLow", "WARNING")]
    rig.device.configure("battery", 2.0)
    device = rig.run(10)
    assert [(e["errorType"], e["errorLevel"]) for e in shown(rig, "errors")] == [("batteryLow", "FATAL")]
    assert not device["driving"]
    assert device["last_node_id"] == "park1"


@pytest.mark.parametrize("fault", ["obstacle", "emergency-stop", "localization-lost"])
def test_faults_stop_it_until_they_are_gone(bench, fault):
    """Each is an error of the state; afterwards the order goes on."""
    rig = bench("agv")
    send(rig, order(["park1", "aisle0"]))
    rig.run(3)
    rig.device.begin_fault(fault, {})
    device = rig.run(10)
    assert not device["driving"]
    assert errors(rig) == [
        {"obstacle": "fieldViolation", "emergency-stop": "emergencyStop"}.get(fault, "localizationLost")
    ]
    assert (device["field_violation"], device["e_stop"]) == (
        fault == "obstacle",
        "MANUAL" if "stop" in fault else "NONE",
    )
    assert device["position_initialized"] == (fault != "localization-lost")
    rig.device.end_fault(fault)
    assert rig.run(20)["last_node_id"] == "aisle0"
    assert errors(rig) == []


def test_a_place_without_a_load_fails_the_pick_and_the_order_goes_on(bench):
    """After a minute pickError refers to the action; a drop of nothing fails at once."""
    plant = Plant(1, SimClock(utc_ns=0))
    for name in ("agv1", "agv2"):
        plant.add(name, devices.load("agv"), {"start_node": "dock1"})
    plant.connect("agv1.parts_out", "agv2.parts_in", buffer=1)
    plant.start()
    rig = bench("agv")
    rig.plant, rig.device = plant, plant.devices["agv2"]
    acts = {"dock1": [action("pick", "p")], "aisle1": [action("drop", "d")]}
    send(rig, order(["dock1", "aisle1"], actions=acts))
    rig.run(120)
    assert statuses(rig) == {"p": "FAILED", "d": "FAILED"}
    assert errors(rig) == ["pickError", "dropError"]
    assert rig.device["last_node_id"] == "aisle1"
    rig.device = plant.devices["agv1"]
    send(rig, order(["dock1"], actions={"dock1": [action("pick", "p", loadId="X"), action("drop", "d")]}))
    rig.run(40)
    (waiting,) = plant.devices["agv1"].lane("parts_out").parts
    assert waiting.identity == "X"
    assert waiting.trail[0][0] == "agv1"


def test_a_person_who_takes_over_ends_the_order(bench):
    """In MANUAL the order is gone and none is taken; in AUTOMATIC it is again."""
    rig = bench("agv")
    send(rig, order(["park1", "aisle0"]))
    rig.run(3)
    rig.device.configure("operating_mode", "MANUAL")
    device = rig.run(5)
    assert (device["operating_mode"], device["node_states"], device["driving"]) == ("MANUAL", "[]", False)
    assert send(rig, order(["park1", "aisle0"], name="o2")) == "orderError"


def test_init_position_sets_the_pose(bench):
    """With all of its parameters, while it has no order."""
    rig = bench("agv")
    act(rig, "initPosition", "bad", x=1, y=2)
    act(rig, "initPosition", "good", x=35, y=10, theta=0, mapId="warehouse", lastNodeId="rack1")
    assert statuses(rig) == {"bad": "FAILED", "good": "FINISHED"}
    assert (rig.device["x"], rig.device["y"], rig.device["last_node_id"]) == (35, 10, "rack1")
    assert send(rig, order(["rack1", "aisle1"])) == "accepted"


def test_requests_are_finished_at_once_and_an_unknown_action_fails(bench):
    """That is stateRequest and factsheetRequest; the factsheet counter tells whoever publishes it."""
    rig = bench("agv")
    act(rig, "stateRequest", "s")
    act(rig, "factsheetRequest", "f")
    act(rig, "dance", "d")
    assert statuses(rig) == {"s": "FINISHED", "f": "FINISHED", "d": "FAILED"}
    assert rig.device["factsheet_requests"] == 1
    assert errors(rig) == ["instantActionError"]


def test_the_map_is_one_piece():
    """Every node can be reached from every other one, and a way goes both ways."""
    reached = {"park1"}
    while True:
        more = {b for a, b in [*EDGES, *((b, a) for a, b in EDGES)] if a in reached} | reached
        if more == reached:
            break
        reached = more
    assert reached == set(NODES)
    assert all(is_way(a, b) and is_way(b, a) and math.dist(NODES[a], NODES[b]) > 1 for a, b in EDGES)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.one_of(st.text(max_size=200), st.binary(max_size=200).map(lambda raw: raw.decode("latin-1"))))
def test_no_text_breaks_it(bench, text):
    """Whatever comes as an order or as instant actions is answered with validationError."""
    rig = bench("agv")
    assert rig.device.call("order", [text]) == (status.GOOD, ("validationError",))
    assert rig.device.call("instant_actions", [text]) == (status.GOOD, ("validationError",))


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_no_sequence_of_orders_and_actions_breaks_it(bench, data):
    """Random orders on the map, updates and instant actions: the state stays sound, the vehicle on its paths."""
    rig = bench("agv", seed=3)
    for number in range(data.draw(st.integers(1, 8), "messages")):
        if data.draw(st.booleans(), "instant"):
            act(rig, data.draw(INSTANT_KINDS, "kind"), f"i{number}")
        else:
            path = [str(rig.device["last_node_id"])]
            for _ in range(data.draw(st.integers(0, 4), "length")):
                path.append(data.draw(st.sampled_from([b for b in NODES if b != path[-1] and is_way(path[-1], b)])))
            acts = {path[-1]: [action(data.draw(st.sampled_from(["pick", "drop"])), f"a{number}")]}
            first = int(rig.device["last_node_sequence_id"]) if data.draw(st.booleans(), "goes on") else 0
            released = data.draw(st.integers(1, len(path)), "released")
            send(
                rig,
                order(path, f"o{data.draw(st.integers(1, 2))}", number, released=released, first=first, actions=acts),
            )
        for _ in range(data.draw(st.integers(1, 150), "steps")):
            rig.plant.advance()
        nodes, edges = shown(rig, "node_states"), shown(rig, "edge_states")
        assert len(nodes) == len(edges)
        assert [n["sequenceId"] for n in nodes] == sorted(n["sequenceId"] for n in nodes)
        assert -1 <= float(rig.device["x"]) <= 36
        assert -1 <= float(rig.device["y"]) <= 41
