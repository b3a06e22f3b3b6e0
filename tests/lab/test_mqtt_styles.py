"""Scenarios whose plant speaks Sparkplug, or by topic and command, run as whole labs and replayed."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import paho.mqtt.client as paho
import pytest

from labsim.evidence.evidence import Evidence
from labsim.lab.lab import Lab
from labsim.lab.options import Options
from labsim.lab.replay import replay_attempt
from labsim.sparkplug.datatype import DataType
from labsim.sparkplug.payload import Metric, Payload, encode

SCENARIO = """\
labsim: 1
id: styles
title: Styles
level: junior
minutes: 5
plant:
  meter1: {type: power-meter, place: acme/hk1}
endpoints:
  - mqtt: {port: 1883, devices: [meter1], STYLE}
tasks:
  - id: t
    title: T
    marks: 1
    checks: [{sparkplug.metric: {group: G, edge: E, device: meter1, metric: x, tag: meter1.frequency, marks: 1}}]
"""
TAG = "shed_load"


async def run(folder: Path, style: str, act) -> Evidence:
    """A lab in which a client does something; the evidence when the plant has taken it."""
    scenario = folder / "styles"
    scenario.mkdir()
    (scenario / "scenario.yaml").write_text(SCENARIO.replace("STYLE", style), encoding="utf-8")
    taken = asyncio.Event()
    options = Options(seed="s", attempt=folder / "attempt", speed=50.0, port_base=0)
    async with Lab(scenario, options) as lab:
        lab.ledger.watchers.append(lambda event: taken.set() if event.kind == "write" else None)
        client = paho.Client(paho.CallbackAPIVersion.VERSION2, "scada")
        client.on_connect = lambda c, *_: c.subscribe("#")
        done: list[str] = []

        def heard(c, _data, message):
            if done or not any(word in message.topic for word in ("DBIRTH", "DDATA", "voltage")):
                return
            done.append(message.topic)  # the plant has begun to speak, perhaps before this client could hear its birth
            act(c)

        client.on_message = heard
        client.connect("127.0.0.1", int(lab.addresses()[0]["url"].rpartition(":")[2]))
        client.loop_start()
        await asyncio.wait_for(taken.wait(), 20)
        client.disconnect()
        client.loop_stop()
        await lab.close("enough")
    return Evidence.load(folder / "attempt")


def dcmd(client: paho.Client) -> None:
    """Shed the load by DCMD."""
    metric = Metric.of(True, DataType.BOOLEAN, name=TAG)
    client.publish("spBv1.0/G/DCMD/E/meter1", encode(Payload(timestamp=1, metrics=[metric])), 1)


def command(client: paho.Client) -> None:
    """Shed the load by a plain command."""
    client.publish(f"acme/hk1/meter1/{TAG}/set", json.dumps({"value": True, "id": 1}), 1)


@pytest.mark.parametrize(
    ("style", "act", "first", "last"),
    [
        ("style: sparkplug, sparkplug: {group: G, edge: E}", dcmd, "spBv1.0/G/NBIRTH/E", "spBv1.0/G/NDEATH/E"),
        (
            'style: tag, topic: "{enterprise}/{site}/{device}/{tag}", commands: "{place}/{device}/{tag}/set"',
            command, "acme/hk1/meter1/voltage_l1", None,
        ),
    ],
)  # fmt: skip
async def test_a_lab_in_another_style(tmp_path: Path, style, act, first, last) -> None:
    """The plant speaks in the style, a command is done, its write is evidence, and the run comes out the same again."""
    evidence = await run(tmp_path, style, act)
    said = [r for r in evidence.of("mqtt", "publish") if r.app == "plant"]
    assert said[0].subject == first
    assert last is None or said[-1].subject == last
    (write,) = evidence.of("mqtt", "write")
    assert (write.app, write.tags, write.values, write.status) == ("scada", [f"meter1.{TAG}"], [True], 0)
    assert replay_attempt(tmp_path / "attempt").difference is None
