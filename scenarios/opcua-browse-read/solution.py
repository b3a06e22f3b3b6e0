"""What a perfect trainee does in opcua-browse-read: browse, read, write lists, and find everything again after a restart.

Run as ``python solution.py READY.json``.
"""

from __future__ import annotations

import asyncio
import csv
import json
import logging
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from asyncua import Client, Node, ua

SPINDLE, MACHINE = ("Monitoring", "Spindle1"), ("Monitoring", "MachineTool")
SIX = {
    "spindle_speed": (*SPINDLE, "Speed"),
    "spindle_load": (*SPINDLE, "Load"),
    "spindle_vibration": (*SPINDLE, "Vibration"),
    "power": (*MACHINE, "ActivePower"),
    "coolant_temperature": (*MACHINE, "CoolantTemperature"),
    "position_x": ("Monitoring", "Channel1", "AxisX", "Position"),
}
WATCHED = {
    "spindle_speed": (*SPINDLE, "Speed"),
    "spindle_load": (*SPINDLE, "Load"),
    "spindle_temperature": (*SPINDLE, "Temperature"),
    "spindle_vibration": (*SPINDLE, "Vibration"),
    "feed_rate": ("Monitoring", "Channel1", "FeedRate"),
}
CHARTED = {"spindle_speed": SIX["spindle_speed"], "coolant_temperature": SIX["coolant_temperature"],
           "feed_rate": WATCHED["feed_rate"]}  # fmt: skip
PLATE = {"manufacturer": "Manufacturer", "model": "Model", "serial": "SerialNumber", "software": "SoftwareRevision"}
TARGET = ("Production", "ProductionPlan", "Job1", "RunsPlanned")


class Trainee:
    """Does the tasks in their order. The wrong answers override one step each."""

    def __init__(self, ready: dict[str, Any]) -> None:
        self.url = next(row["url"] for row in ready["endpoints"] if row["protocol"] == "opcua")
        self.machine, self.parts = ready["variants"]["machine"], ready["variants"]["parts"]
        self.handin, self.pace = Path(ready["handin"]), 1 / ready["speed"]
        self.remembered: list[Node] = []

    async def run(self) -> None:
        """Lists first, then the restart."""
        async with Client(self.url) as client:
            await self.survey(client)
            self.write("assets.csv", ("item", "value"), await self.assets(client))
            self.write("units.csv", ("item", "value"), await self.units(client))
            self.write("values.csv", ("item", "value"), await self.values(client))
            self.write("quality.csv", ("status", "item"), await self.quality(client))
            print("four lists are done")
            target = await find(client, "mill2", TARGET)
            await target.write_value(ua.Variant(self.parts, await target.read_data_type_as_variant_type()))
            await self.until_cut(client)
        print("the server was restarted")
        await asyncio.sleep(2 * self.pace)
        async with Client(self.url) as client:
            await self.again(client)

    async def survey(self, client: Client) -> None:
        """What folders both machines have, two floors down."""
        for machine in ("mill1", "mill2"):
            for folder in await (await find(client, machine, ())).get_children():
                await folder.get_children()

    def write(self, name: str, head: Iterable[str], rows: Iterable[Iterable[Any]]) -> None:
        """Hand a list in."""
        with (self.handin / name).open("w", encoding="utf-8", newline="") as file:
            csv.writer(file).writerows([head, *rows])

    async def assets(self, client: Client) -> list[tuple[str, Any]]:
        """The nameplates of both machines."""
        rows = []
        for machine in ("mill1", "mill2"):
            for item, name in PLATE.items():
                value = await (await find(client, machine, ("Identification", name))).read_value()
                rows.append((f"{machine}.{item}", value.Text if isinstance(value, ua.LocalizedText) else value))
        return rows

    async def units(self, client: Client) -> list[tuple[str, Any]]:
        """Unit and range of what goes onto the chart."""
        rows: list[tuple[str, Any]] = []
        for item, place in CHARTED.items():
            unit = await (await find(client, self.machine, (*place, "EngineeringUnits"))).read_value()
            span = await (await find(client, self.machine, (*place, "EURange"))).read_value()
            rows += [(f"{item}.unit", unit.DisplayName.Text), (f"{item}.low", span.Low), (f"{item}.high", span.High)]
        return rows

    async def six(self, client: Client) -> list[Node]:
        """The six nodes."""
        return [await find(client, self.machine, place) for place in SIX.values()]

    async def values(self, client: Client) -> list[tuple[str, Any]]:
        """Those of the six that are good."""
        self.remembered = await self.six(client)
        found = await self.read(client, self.remembered)
        return [(item, one.Value.Value) for item, one in zip(SIX, found, strict=True) if one.StatusCode.is_good()]

    async def read(self, client: Client, nodes: list[Node]) -> list[ua.DataValue]:
        """All in one request."""
        return await client.uaclient.read_attributes([node.nodeid for node in nodes], ua.AttributeIds.Value)

    async def quality(self, client: Client) -> list[tuple[str, str]]:
        """What is bad and what is uncertain."""
        nodes = [await find(client, self.machine, place) for place in WATCHED.values()]
        found = await self.read(client, nodes)
        severity = {0: "good", 1: "uncertain", 2: "bad"}
        said = [(severity[one.StatusCode.value >> 30], item) for item, one in zip(WATCHED, found, strict=True)]
        return [(status, item) for status, item in said if status != "good"]

    async def until_cut(self, client: Client) -> None:
        """Wait until the server is gone."""
        for _ in range(60):
            await asyncio.sleep(self.pace)
            try:
                await client.nodes.server_state.read_value()
            except (ConnectionError, TimeoutError, ua.UaError):
                return
        raise TimeoutError("the server was not restarted")

    async def again(self, client: Client) -> None:
        """Resolve by name and read once more."""
        await self.read(client, await self.six(client))


async def find(client: Client, machine: str, place: Iterable[str]) -> Node:
    """A node below a machine by its browse names, whatever their namespaces are."""
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
    logging.getLogger("asyncua").setLevel(logging.CRITICAL)  # the server goes away, and asyncua says so at length
    ready = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    asyncio.run(trainee(ready).run())


if __name__ == "__main__":
    main(Trainee)
