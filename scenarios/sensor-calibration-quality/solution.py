"""What a perfect trainee does in sensor-calibration-quality: watch, compare with the reference, correct, label.

Nothing is taken from the variants: what is wrong with the thermocouples is found from what they show.
Run as ``python solution.py READY.json``.
"""

from __future__ import annotations

import asyncio
import csv
import json
import statistics
import sys
from collections import deque
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from asyncua import Client, Node, ua
from paho.mqtt.client import Client as Mqtt
from paho.mqtt.enums import CallbackAPIVersion

ZONES = range(1, 9)
WATCH_S, SETTLE_S, STEP_S, PUBLISH_S = 60, 24, 150, 65
CREEP_K = 0.4  # what a channel may move in a minute while its zone stands still
STEP_K = 25.0


class Trainee:
    """Finds, calibrates, publishes. The wrong answers override one step each."""

    window = 7

    def __init__(self, ready: dict[str, Any]) -> None:
        self.at = {row["protocol"]: urlsplit(row["url"]) for row in ready["endpoints"]}
        self.handin, self.pace = Path(ready["handin"]), 1 / ready["speed"]
        self.kinds: dict[int, str] = {}
        self.points: list[tuple[float, float]] = []
        self.gain, self.offset = 1.0, 0.0

    async def run(self) -> None:
        """One task after the other."""
        async with Client(self.at["opcua"].geturl()) as client:
            self.client = client
            self.zones = {zone: await self.find("Zones", f"Zone{zone}", "Temperature") for zone in ZONES}
            self.targets = {zone: await self.find("Zones", f"Zone{zone}", "Setpoint") for zone in ZONES}
            self.reference = await self.find("Operational", "ReferenceTemperature")
            self.place = await self.find("Operational", "ReferenceZone")
            await self.examine()
            scaled = next(zone for zone, kind in self.kinds.items() if kind == "scale")
            self.write("report.csv", ("channel", "kind"), self.report())
            await self.calibrate(scaled)
            self.write("calibration.csv", ("figure", "value"), [("gain", self.gain), ("offset", self.offset)])
            self.record(scaled)
            await self.publish(scaled)

    async def read(self, nodes: Sequence[Node]) -> list[float]:
        """All in one request."""
        found = await self.client.uaclient.read_attributes([node.nodeid for node in nodes], ua.AttributeIds.Value)
        return [float(one.Value.Value) for one in found]

    async def examine(self) -> None:
        """What a minute of each channel says, and the set-point that a settled zone is at."""
        seen: dict[int, list[float]] = {zone: [] for zone in ZONES}
        for _ in range(WATCH_S * 2):
            for zone, value in zip(ZONES, await self.read(list(self.zones.values())), strict=True):
                seen[zone].append(value)
            await asyncio.sleep(self.pace / 2)
        targets = await self.read(list(self.targets.values()))
        for zone, target in zip(ZONES, targets, strict=True):
            middle = statistics.median(seen[zone])
            if statistics.pstdev(seen[zone]) == 0:
                self.kinds[zone] = "stuck"
            elif max(abs(value - middle) for value in seen[zone]) > 15:
                self.kinds[zone] = "spikes"
            elif abs(self.creep(seen[zone])) > CREEP_K:
                self.kinds[zone] = "drift"
            elif abs(middle - (target * 1.8 + 32)) < 3:
                self.kinds[zone] = "fahrenheit"
            elif abs(middle - target) > 2:
                self.kinds[zone] = "scale"
        print(self.kinds)

    @staticmethod
    def creep(seen: list[float]) -> float:
        """How far a channel has moved, from its first third to its last."""
        third = len(seen) // 3
        return statistics.mean(seen[-third:]) - statistics.mean(seen[:third])

    def report(self) -> list[tuple[str, str]]:
        """What lies, and how."""
        return [(f"oven1.zone{zone}_temperature", kind) for zone, kind in self.kinds.items()]

    async def calibrate(self, zone: int) -> None:
        """Two points: where the zone is, and 25 K higher."""
        await self.set(self.place, zone)
        await self.wait(SETTLE_S)
        self.points.append(await self.point(zone))
        (target,) = await self.read([self.targets[zone]])
        await self.set(self.targets[zone], target + STEP_K)
        await self.wait(STEP_S)
        self.points.append(await self.point(zone))
        self.gain, self.offset = self.line(*self.points)
        print(f"gain {self.gain:.4f}, offset {self.offset:.2f}")

    def line(self, low: tuple[float, float], high: tuple[float, float]) -> tuple[float, float]:
        """Gain and offset through two points."""
        gain = (high[1] - low[1]) / (high[0] - low[0])
        return gain, low[1] - gain * low[0]

    async def point(self, zone: int) -> tuple[float, float]:
        """Reference and thermocouple, in the mean of some seconds."""
        pairs = []
        for _ in range(10):
            pairs.append(await self.read([self.reference, self.zones[zone]]))
            await asyncio.sleep(self.pace / 2)
        return statistics.mean(pair[0] for pair in pairs), statistics.mean(pair[1] for pair in pairs)

    async def publish(self, scaled: int) -> None:
        """Corrected values with their quality."""
        broker = Mqtt(CallbackAPIVersion.VERSION2, client_id="quality")
        broker.connect(self.at["mqtt"].hostname, self.at["mqtt"].port)
        broker.loop_start()
        recent: dict[int, deque[float]] = {zone: deque(maxlen=self.window) for zone in ZONES}
        for turn in range(PUBLISH_S * 2):
            for zone, shown in zip(ZONES, await self.read(list(self.zones.values())), strict=True):
                recent[zone].append(shown)
                if turn % 2 == 0:
                    value = self.smooth(recent[zone]) if self.kinds.get(zone) == "spikes" else shown
                    message = {
                        "value": round(self.true(zone, value, zone == scaled), 2),
                        "raw": shown,
                        "quality": self.quality(zone),
                        "time": datetime.now(UTC).isoformat(timespec="milliseconds"),
                    }
                    broker.publish(f"smt/oven1/zone{zone}/temperature", json.dumps(message))
            await asyncio.sleep(self.pace / 2)
        broker.disconnect()
        broker.loop_stop()

    def smooth(self, values: Iterable[float]) -> float:
        """The last values without an outlier among them."""
        return statistics.median(values)

    def true(self, zone: int, shown: float, scaled: bool) -> float:
        """What is true, as far as one can know."""
        if scaled:
            return (shown - self.offset) / self.gain
        return (shown - 32) / 1.8 if self.kinds.get(zone) == "fahrenheit" else shown

    def quality(self, zone: int) -> str:
        """Whether that can be trusted."""
        return "bad" if self.kinds.get(zone) in ("stuck", "drift") else "good"

    def record(self, zone: int) -> None:
        """What an auditor wants to see."""
        document = {
            "instrument": "reference thermometer of oven1",
            "person": "trainee",
            "time": datetime.now(UTC).isoformat(timespec="seconds"),
            "channel": f"zone{zone}",
            "points": [{"reference": reference, "shown": shown} for reference, shown in self.points],
        }
        (self.handin / "record.json").write_text(json.dumps(document, indent=1), encoding="utf-8")

    def write(self, name: str, head: Iterable[str], rows: Iterable[Iterable[Any]]) -> None:
        """Hand a list in."""
        with (self.handin / name).open("w", encoding="utf-8", newline="") as file:
            csv.writer(file).writerows([head, *rows])

    async def set(self, node: Node, value: float) -> None:
        """Write a number in the node's own type."""
        kind = await node.read_data_type_as_variant_type()
        await node.write_value(ua.Variant(int(value) if kind != ua.VariantType.Float else value, kind))

    async def wait(self, seconds: float) -> None:
        """Let plant time pass, by the plant's own clock: a busy machine may put it behind the one on the wall."""
        node = self.client.get_node(ua.ObjectIds.Server_ServerStatus_CurrentTime)
        until = (await node.read_value()).timestamp() + seconds
        left = seconds
        while left > 0:
            await asyncio.sleep(max(left, 0.2) * self.pace)
            left = until - (await node.read_value()).timestamp()

    async def find(self, *place: str) -> Node:
        """A node of the oven by its browse names."""
        node = self.client.nodes.objects
        for name in ("Machines", "oven1", *place):
            for child in await node.get_children(refs=ua.ObjectIds.HierarchicalReferences):
                if (await child.read_browse_name()).Name == name:
                    node = child
                    break
            else:
                raise LookupError(f"{name} is not below {node}")
        return node


def main(trainee: type[Trainee]) -> None:
    """Run a trainee on the lab that READY.json describes."""
    ready = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    asyncio.run(trainee(ready).run())


if __name__ == "__main__":
    main(Trainee)
