"""What an interface says about VDA 5050 is judged with the rest of it."""

from __future__ import annotations

from pathlib import Path

import pytest

import devices
from labsim.errors import ScenarioError
from labsim.plant.interface import load_interface

TRUCK = """\
type: truck
title: Truck
about: Drives
identification: {manufacturer: M, model: T, revision: "1", serial: "1"}
tags:
  order_id: {type: text, title: Order}
  nodes: {type: text, initial: "[]", title: Nodes}
  x: {type: f64, unit: m, title: X}
  radio: {type: bool, title: Radio}
  asked: {type: u32, title: Asked}
opcua:
  namespace: urn:t
  type_name: TruckType
  nodes: {OrderId: order_id, Nodes: nodes, X: x, Radio: radio, Asked: asked}
  methods:
    Order: {call: order, title: Order, inputs: {Document: {type: text, title: JSON}}}
    Act: {call: act, title: Act, inputs: {Document: {type: text, title: JSON}}}
mqtt:
  messages: [{topic: "t/{device}", tags: [x]}]
  vda5050:
    order: order
    instant_actions: act
    connected: radio
    factsheet_requests: asked
    state: {orderId: order_id, nodeStates: nodes, agvPosition/x: x, batteryState/charging: radio}
"""


def test_what_sends_the_state_is_all_that_does_not_flow(tmp_path: Path):
    """Position, speed, distance and charge alone send nothing; the beginning of a charge does."""
    path = tmp_path / "interface.yaml"
    path.write_text(TRUCK, encoding="utf-8")
    mqtt = load_interface(path).mqtt
    assert mqtt is not None
    assert mqtt.vda5050 is not None
    assert mqtt.vda5050.telling == ("order_id", "nodes", "radio")


@pytest.mark.parametrize(
    ("old", "new", "code"),
    [
        ("orderId: order_id", "orderId: order", "unknown-tag"),
        ("nodeStates: nodes", "nodeStates: order_id", "bad-type"),
        ("nodeStates: nodes", "nodeStates: x", "bad-type"),
        ("orderId: order_id", "orderId: nodes", "bad-type"),
        ("    order: order", "    order: orders", "unknown-name"),
        ("instant_actions: act", "instant_actions: acts", "unknown-name"),
        ("connected: radio", "connected: x", "bad-type"),
        ("factsheet_requests: asked", "factsheet_requests: order_id", "bad-type"),
        ("    order: order", "    visualization: 0 s\n    order: order", "bad-value"),
    ],
)
def test_parts_that_do_not_fit_are_told_with_their_line(tmp_path: Path, old: str, new: str, code: str):
    """A tag or a method that is not there, a list that is none, a radio that is no bool."""
    assert TRUCK.count(old) == 1
    path = tmp_path / "interface.yaml"
    path.write_text(TRUCK.replace(old, new), encoding="utf-8")
    with pytest.raises(ScenarioError) as caught:
        load_interface(path)
    (problem,) = caught.value.problems
    assert problem.code == code
    assert problem.line >= 21


def test_the_vehicle_shows_every_field_that_the_recommendation_requires():
    """All fields that state.schema of VDA 5050 2.1.0 requires stand in the state or in the header."""
    mqtt = devices.interface("agv").mqtt
    assert mqtt is not None
    assert mqtt.vda5050 is not None
    wanted = {
        "orderId", "orderUpdateId", "lastNodeId", "lastNodeSequenceId", "nodeStates", "edgeStates", "driving", "actionStates",
        "batteryState/batteryCharge", "batteryState/charging", "operatingMode", "errors", "safetyState/eStop",
        "safetyState/fieldViolation",
    }  # fmt: skip
    assert wanted <= set(mqtt.vda5050.state)
