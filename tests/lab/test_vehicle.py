"""A vehicle in a whole lab: ordered over MQTT, told to the trainee, and replayed."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import paho.mqtt.client as paho

from labsim.evidence.evidence import Evidence
from labsim.lab.coach import Coach
from labsim.lab.lab import Lab
from labsim.lab.options import Options
from labsim.lab.replay import replay_attempt

SCENARIO = """\
labsim: 1
id: fleet
title: Fleet
level: junior
minutes: 5
plant:
  agv1: {type: agv}
endpoints:
  - mqtt: {port: 1883, devices: [agv1]}
tasks:
  - id: t
    title: T
    marks: 1
    checks: [{sparkplug.metric: {group: G, edge: E, device: agv1, metric: x, tag: agv1.battery, marks: 1}}]
"""
STEPS = [("park1", 0), ("aisle0", 2)]


def order(serial: str) -> str:
    """From park1 to aisle0, and a picked load there."""
    pick = {"actionType": "pick", "actionId": "p", "blockingType": "HARD", "actionParameters": []}
    return json.dumps(
        {
            "headerId": 1, "timestamp": "2026-01-31T08:00:00.00Z", "version": "2.1.0", "manufacturer": "Labsim",
            "serialNumber": serial, "orderId": "o1", "orderUpdateId": 0,
            "nodes": [
                {"nodeId": name, "sequenceId": number, "released": True, "actions": [pick] if number else []}
                for name, number in STEPS
            ],
            "edges": [
                {
                    "edgeId": "e", "sequenceId": 1, "released": True, "startNodeId": "park1", "endNodeId": "aisle0",
                    "actions": [],
                }
            ],
        }
    )  # fmt: skip


async def test_a_vehicle_is_ordered_over_mqtt_and_the_run_comes_out_the_same_again(tmp_path: Path) -> None:
    """Found by its retained ONLINE, ordered, driven, loaded; the call is told in words, and the replay has no difference."""
    scenario = tmp_path / "fleet"
    scenario.mkdir()
    (scenario / "scenario.yaml").write_text(SCENARIO, encoding="utf-8")
    loaded = asyncio.Event()
    loop = asyncio.get_running_loop()

    def heard(client: paho.Client, _data: object, message: paho.MQTTMessage) -> None:
        found = json.loads(message.payload)
        *_, serial, topic = message.topic.split("/")
        if topic == "connection" and found["connectionState"] == "ONLINE":
            client.publish(f"uagv/v2/Labsim/{serial}/order", order(serial))
        elif topic == "state" and found["loads"]:
            loop.call_soon_threadsafe(loaded.set)

    async with Lab(scenario, Options(seed="s", attempt=tmp_path / "attempt", speed=50.0, port_base=0)) as lab:
        client = paho.Client(paho.CallbackAPIVersion.VERSION2, "master")
        client.on_connect = lambda c, *_: c.subscribe("uagv/v2/+/+/+", 1)
        client.on_message = heard
        client.connect("127.0.0.1", int(lab.addresses()[0]["url"].rpartition(":")[2]))
        client.loop_start()
        await asyncio.wait_for(loaded.wait(), 30)
        client.disconnect()
        client.loop_stop()
        plant = lab.plant
        await lab.close("enough")
    evidence = Evidence.load(tmp_path / "attempt")
    (call,) = evidence.of("mqtt", "call")
    assert (call.app, call.device, call.detail["results"]) == ("master", "agv1", ["accepted"])
    told = Coach(plant).entry(call)
    assert told is not None
    assert "master sent agv1 order: accepted" in json.dumps(told)
    assert replay_attempt(tmp_path / "attempt").difference is None
