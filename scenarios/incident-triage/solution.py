"""What a perfect trainee does in incident-triage: record, know what is usual, cross-check what belongs together, then speak.

Run as ``python solution.py READY.json``.
"""

from __future__ import annotations

import asyncio
import csv
import json
import logging
import sys
import urllib.request
from collections import defaultdict
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path
from statistics import median, pstdev
from typing import Any
from urllib.parse import urlsplit

from asyncua import Client, Node, ua
from paho.mqtt.client import Client as Mqtt
from paho.mqtt.enums import CallbackAPIVersion

FLOW = ("mass_flow", "volume_flow", "density", "temperature")
METER = ("voltage_l1", "voltage_l2", "current_l1", "current_l2", "apparent_power_l1", "apparent_power_l2")
LABELLED = (*FLOW, "voltage_l2", "current_l1", "current_l2")
DEVICES = {f"{kind}{n}": METER if kind == "meter" else FLOW for kind in ("wash", "feed", "meter") for n in (1, 2, 3)}
USUAL_S, SHIFT_S, STILL, SURE = 40, 200, 6, 4
LATE_S, EXPANSION = 10.0, 2.1e-4


class Trainee:
    """Watches a shift. The wrong answers override one step each."""

    def __init__(self, ready: dict[str, Any]) -> None:
        self.at = {row["protocol"]: urlsplit(row["url"]) for row in ready["endpoints"]}
        self.handin, self.control, self.pace = Path(ready["handin"]), ready["control"], 1 / ready["speed"]
        self.values: dict[tuple[str, str], list[float]] = defaultdict(list)
        self.times: dict[tuple[str, str], list[datetime]] = defaultdict(list)
        self.usual: dict[str, float] = {}
        self.found: dict[str, tuple[str, datetime, list[str]]] = {}
        self.real = ""

    async def run(self) -> None:
        """Take the shift over, watch, report."""
        self.broker = Mqtt(CallbackAPIVersion.VERSION2, client_id="triage")
        self.broker.connect(self.at["mqtt"].hostname or "", self.at["mqtt"].port or 0)
        self.broker.loop_start()
        async with Client(self.at["opcua"].geturl(), timeout=20) as client:
            places = {(device, tag): await find(client, device, tag) for device in DEVICES for tag in DEVICES[device]}
            clock = client.get_node(ua.ObjectIds.Server_ServerStatus_CurrentTime)
            lamp = await child(await child(await device_of(client, "panel1"), "DigitalOutputs"), "Do1")
            for device, tag in places:
                self.label(device, [tag], "good")
            await lamp.write_value(ua.Variant(True, ua.VariantType.Boolean))
            print("the shift is taken over")
            began = before = await clock.read_value()
            while (gone := ((now := await clock.read_value()) - began).total_seconds()) < SHIFT_S:
                if (now - before).total_seconds() > 0.5:  # else nothing new can have been measured
                    before = now
                    data = await client.read_attributes(list(places.values()))
                    for (device, tag), one in zip(places, data, strict=True):
                        self.take(device, tag, one, now)
                    if gone > USUAL_S:
                        self.judge(now)
                    await self.meddle(client, gone)
                await asyncio.sleep(self.pace)
        self.hand_in()
        self.answer("herring", f"{self.real} density")
        self.broker.disconnect()
        self.broker.loop_stop()

    def take(self, device: str, tag: str, data: ua.DataValue, now: datetime) -> None:
        """Keep a value, or see at once that it is none."""
        if not self.good(data):
            self.report(device, "dropout", now, [tag])
            return
        assert data.SourceTimestamp is not None
        if abs((data.SourceTimestamp - now).total_seconds()) > LATE_S:
            self.report(device, "clock-skew", now, [])  # what it measures is right all the same
        assert data.Value is not None
        self.values[device, tag].append(float(data.Value.Value))
        self.times[device, tag].append(now)

    def good(self, data: ua.DataValue) -> bool:
        """Whether it is a value at all."""
        return data.StatusCode is None or data.StatusCode.is_good()

    def judge(self, now: datetime) -> None:
        """Look at what came last: does it wander as it used to, and does it fit to the rest?"""
        for device, tags in DEVICES.items():
            for tag in tags:
                last = self.values[device, tag][-STILL:]
                if len(set(last)) == 1:
                    self.report(device, "stuck", self.times[device, tag][-STILL], [tag])
            if device not in self.found:
                (self.judge_meter if tags is METER else self.judge_flow)(device, now)

    def judge_flow(self, device: str, now: datetime) -> None:
        """Density is mass over volume; its temperature moves slowly, unless density moves with it."""
        mass, volume, density, warm = ([*self.values[device, tag][-STILL:]] for tag in FLOW)
        off = [abs(m / v - d) > 0.5 for m, v, d in zip(mass, volume, density, strict=True)][-SURE:]
        if all(off) and all(len(set(told[-SURE:])) == SURE for told in (mass, volume, density)):
            self.report(device, "drift", now, ["density"])
        steps = [abs(b - a) for a, b in pairwise(warm)]
        used = self.usual.setdefault(device, pstdev(self.values[device, "temperature"]))
        if max(steps) > 5 + 3 * used:
            told = self.values[device, "temperature"]
            jump = median(told[-3:]) - median(told[:USUAL_S])
            fell = median(self.values[device, "density"][:USUAL_S]) - median(density[-3:])
            if abs(jump) > 5 and abs(fell - EXPANSION * density[0] * jump) < 1:
                self.dismiss(device, now)
        if median(steps) > 0.6:
            self.report(device, "noise", self.times[device, "temperature"][-STILL], ["temperature"])

    def judge_meter(self, device: str, now: datetime) -> None:
        """The apparent power of a phase is its voltage times its current."""
        for other in range(1, 4):
            v1, v2, c1, c2, s1, s2 = (self.values[device, tag][-other] for tag in METER)
            off = abs(s1 / (v1 * c1) - 1) > 2e-3 and abs(s2 / (v2 * c2) - 1) > 2e-3
            if not (off and abs(s1 / (v1 * c2) - 1) < 1e-3 and abs(s2 / (v2 * c1) - 1) < 1e-3):
                return
        self.report(device, "swapped", now, ["current_l1", "current_l2"])

    def dismiss(self, device: str, now: datetime) -> None:  # noqa: ARG002 - others want the time
        """What has changed is the process."""
        self.real = device

    def report(self, device: str, kind: str, began: datetime, tags: list[str]) -> None:
        """Tell a fault, once."""
        if device in self.found:
            return
        self.found[device] = kind, began, tags
        print(f"{device}: {kind} since {began}")
        said = {"device": device, "kind": kind, "time": iso(began)}
        self.broker.publish("triage/report", json.dumps(said), qos=1)
        self.label(device, self.affected(device, tags), "bad")

    def affected(self, device: str, tags: list[str]) -> list[str]:  # noqa: ARG002 - others look at the device
        """The tags that a fault makes bad."""
        return tags

    def label(self, device: str, tags: list[str], quality: str) -> None:
        """Publish the quality of tags."""
        for tag in tags:
            if tag in LABELLED:
                self.broker.publish(f"quality/{device}/{tag}", json.dumps({"quality": quality}), qos=1, retain=True)

    async def meddle(self, client: Client, gone: float) -> None:
        """Nothing: look, do not touch."""

    def hand_in(self) -> None:
        """The report of the shift."""
        rows = [(device, kind, self.written(began)) for device, (kind, began, _) in self.found.items()]
        with (self.handin / "report.csv").open("w", encoding="utf-8", newline="") as file:
            csv.writer(file).writerows([("device", "kind", "time"), *rows])

    def written(self, moment: datetime) -> str:
        """A time as the report has it."""
        return iso(moment)

    def answer(self, task: str, value: str) -> None:
        """Answer a task."""
        print(f"{task}: {value}")
        body = json.dumps({"task": task, "value": value}).encode()
        request = urllib.request.Request(f"{self.control}/answer", body, {"Content-Type": "application/json"})
        urllib.request.urlopen(request).close()


def iso(moment: datetime) -> str:
    """A time of the server, which is UTC."""
    return moment.replace(tzinfo=UTC).isoformat(timespec="milliseconds")


async def child(node: Node, name: str) -> Node:
    """A node below another by its browse name."""
    for one in await node.get_children(refs=ua.ObjectIds.HierarchicalReferences):
        if (await one.read_browse_name()).Name == name:
            return one
    raise LookupError(f"{name} is not below {node}")


async def device_of(client: Client, device: str) -> Node:
    """The object of a device."""
    return await child(await child(client.nodes.objects, "DeviceSet"), device)


async def find(client: Client, device: str, tag: str) -> Node:
    """The node of a tag, which is called like it without the underscores."""
    operational = await child(await device_of(client, device), "Operational")
    return await child(operational, "".join(part.capitalize() for part in tag.split("_")))


def main(trainee: type[Trainee]) -> None:
    """Run a trainee on the lab that READY.json describes."""
    logging.getLogger("asyncua").setLevel(logging.CRITICAL)
    ready = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    asyncio.run(trainee(ready).run())


if __name__ == "__main__":
    main(Trainee)
