"""What a perfect trainee does in opcua-subscribe: one subscription, deep queues where it matters, source timestamps.

Run as ``python solution.py READY.json``.
"""

from __future__ import annotations

import asyncio
import csv
import json
import logging
import sys
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from asyncua import Client, Node, ua

SPINDLE, MACHINE, CHANNEL = ("Monitoring", "Spindle1"), ("Monitoring", "MachineTool"), ("Monitoring", "Channel1")
JOB = ("Production", "ProductionPlan", "Job1")
LOAD = (*SPINDLE, "Load")
TEMPERATURES = [(*SPINDLE, "Temperature"), (*MACHINE, "CoolantTemperature")]
OTHERS = [
    (*SPINDLE, "Speed"), LOAD, (*CHANNEL, "FeedRate"), (*MACHINE, "ActivePower"), (*CHANNEL, "ChannelState"),
    (*JOB, "PartsCompleted"),
]  # fmt: skip
SECONDS = 75
PATIENCE_S = 120


class Trainee:
    """Subscribes and records. The wrong answers override one step each."""

    publishing_ms, sampling_ms, queue, deep_queue = 500.0, 250.0, 10, 400

    def __init__(self, ready: dict[str, Any]) -> None:
        self.url = next(row["url"] for row in ready["endpoints"] if row["protocol"] == "opcua")
        self.parts, self.handin, self.pace = ready["variants"]["parts"], Path(ready["handin"]), 1 / ready["speed"]
        self.rows: list[tuple[str, float]] = []
        self.load: Node | None = None

    async def run(self) -> None:
        """Subscribe, announce the cut, wait until it is over, hand in."""
        client = Client(self.url, timeout=PATIENCE_S, watchdog_intervall=PATIENCE_S)
        await client.connect()
        nodes = {place: await find(client, "mill1", place) for place in (*TEMPERATURES, *OTHERS)}
        self.load = nodes[LOAD]
        subscription = await client.create_subscription(self.publishing_ms * self.pace, self)
        await subscription.create_monitored_items(self.items(nodes))
        print("subscribed to eight values")
        target = await find(client, "mill1", (*JOB, "RunsPlanned"))
        await asyncio.sleep(3 * self.pace)
        await target.write_value(ua.Variant(self.parts, await target.read_data_type_as_variant_type()))
        for _ in range(SECONDS):
            await asyncio.sleep(self.pace)
            await self.look(list(nodes.values()))
        with (self.handin / "load.csv").open("w", encoding="utf-8", newline="") as file:
            csv.writer(file).writerows([("time", "value"), *self.rows])
        print(f"{len(self.rows)} values recorded")
        await self.leave(client, subscription)

    def items(self, nodes: dict[tuple[str, ...], Node]) -> list[ua.MonitoredItemCreateRequest]:
        """What is monitored, and how."""
        return [self.item(nodes[p], self.deadband(p), self.deep_queue if p == LOAD else self.queue) for p in nodes]

    def deadband(self, place: tuple[str, ...]) -> float:
        """How much has to change."""
        return 0.5 if place in TEMPERATURES else 0.0

    def item(self, node: Node, deadband: float, queue: int) -> ua.MonitoredItemCreateRequest:
        """One monitored item."""
        request = ua.MonitoredItemCreateRequest()
        request.ItemToMonitor.NodeId, request.ItemToMonitor.AttributeId = node.nodeid, ua.AttributeIds.Value
        request.MonitoringMode = ua.MonitoringMode.Reporting
        wanted = request.RequestedParameters
        wanted.ClientHandle = node.nodeid.__hash__() & 0x7FFFFFFF
        wanted.SamplingInterval, wanted.QueueSize, wanted.DiscardOldest = self.sampling_ms * self.pace, queue, True
        if deadband:
            wanted.Filter = ua.DataChangeFilter(
                Trigger=ua.DataChangeTrigger.StatusValue, DeadbandType=ua.DeadbandType.Absolute, DeadbandValue=deadband
            )
        return request

    def datachange_notification(self, node: Node, value: float, data: Any) -> None:
        """The mill says that something has changed."""
        if self.load is not None and node.nodeid == self.load.nodeid:
            self.rows.append((self.time(data.monitored_item.Value).isoformat(timespec="milliseconds"), value))

    def time(self, value: ua.DataValue) -> datetime:
        """When a value was measured."""
        assert value.SourceTimestamp is not None
        return value.SourceTimestamp.replace(tzinfo=UTC)

    async def look(self, nodes: list[Node]) -> None:
        """Nothing to do: the subscription tells."""

    async def leave(self, client: Client, subscription: Any) -> None:
        """Delete what was made."""
        await subscription.delete()
        await client.disconnect()


async def find(client: Client, machine: str, place: Iterable[str]) -> Node:
    """A node below a machine by its browse names."""
    node = client.nodes.objects
    for name in ("Machines", machine, *place):
        for child in await node.get_children(refs=ua.ObjectIds.HierarchicalReferences):
            if (await child.read_browse_name()).Name == name:
                node = child
                break
        else:
            raise LookupError(f"{name} is not below {node}")
    return node


def main(trainee: type[Trainee]) -> None:
    """Run a trainee on the lab that READY.json describes."""
    logging.getLogger("asyncua").setLevel(logging.CRITICAL)  # the server revises the subscription, as servers do
    ready = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    asyncio.run(trainee(ready).run())


if __name__ == "__main__":
    main(Trainee)
