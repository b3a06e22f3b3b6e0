"""What a perfect trainee does in first-contact: Modbus and OPC UA in, MQTT out, with public client libraries only.

Run as ``python solution.py READY.json``.
"""

from __future__ import annotations

import asyncio
import json
import logging
import struct
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from asyncua import Client, Node, ua
from paho.mqtt.client import Client as Mqtt
from paho.mqtt.enums import CallbackAPIVersion
from pymodbus.client import AsyncModbusTcpClient

SECONDS = 30
VOLTAGE, POWER = 3028, 3060  # register numbers of the datasheet; the first is 1
PATH = ("Machines", "mill1", "Monitoring", "Spindle1", "Speed")


class Trainee:
    """Carries three values to the broker. The wrong answers override one step each."""

    def __init__(self, ready: dict[str, Any]) -> None:
        self.at = {row["protocol"]: urlsplit(row["url"]) for row in ready["endpoints"]}
        self.unit = next(row["unit"] for row in ready["endpoints"] if row["protocol"] == "modbus")
        self.cell, self.base = ready["variants"]["cell"], ready["variants"]["base"]
        self.pace = 1 / ready["speed"]
        self.speed = float("nan")

    async def run(self) -> None:
        """Connect to everything and carry values for a while."""
        meter = AsyncModbusTcpClient(self.at["modbus"].hostname, port=self.at["modbus"].port)
        await meter.connect()
        broker = Mqtt(CallbackAPIVersion.VERSION2, client_id="bridge")
        broker.connect(self.at["mqtt"].hostname, self.at["mqtt"].port)
        broker.loop_start()
        async with Client(self.at["opcua"].geturl()) as mill:
            node = await find(mill)
            await self.watch(mill, node)
            print("connected to the meter, the mill and the broker")
            for second in range(SECONDS):
                await self.refresh(node)
                voltage = self.decode(await self.read(meter, VOLTAGE))
                power = self.decode(await self.read(meter, POWER))
                self.publish(broker, "meter1/voltage", voltage, "V")
                self.publish(broker, "meter1/power", self.power(power), "kW")
                self.publish(broker, "mill1/spindle-speed", self.speed, "r/min")
                if second % 5 == 0:
                    print(f"{voltage:.1f} V  {power:.2f} kW  {self.speed:.0f} r/min")
                await asyncio.sleep(self.pace)
        broker.disconnect()
        broker.loop_stop()
        meter.close()

    async def read(self, meter: AsyncModbusTcpClient, number: int) -> bytes:
        """Two holding registers by their number in the datasheet."""
        answer = await meter.read_holding_registers(number - 1 + self.base, count=2, device_id=self.unit)
        return struct.pack(">HH", *answer.registers)

    def decode(self, data: bytes) -> float:
        """A float in the meter's word order, high word first."""
        return float(struct.unpack(">f", data)[0])

    def power(self, kilowatts: float) -> float:
        """Power as it is published."""
        return kilowatts

    async def watch(self, mill: Client, node: Node) -> None:
        """Subscribe to the spindle speed."""
        subscription = await mill.create_subscription(500 * self.pace, self)
        await subscription.subscribe_data_change(node, queuesize=10, sampling_interval=250 * self.pace)

    def datachange_notification(self, _node: Node, value: float, _data: Any) -> None:
        """The mill says that the speed has changed."""
        self.speed = value

    async def refresh(self, node: Node) -> None:
        """Nothing to do: the subscription tells."""

    def payload(self, value: float, unit: str) -> str:
        """One message as the screen wants it."""
        time = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        return json.dumps({"value": value, "unit": unit, "time": time})

    def publish(self, broker: Mqtt, topic: str, value: float, unit: str) -> None:
        """Publish one value."""
        if value == value:
            broker.publish(f"factory/{self.cell}/{topic}", self.payload(value, unit), qos=1)


async def find(mill: Client) -> Node:
    """The spindle speed, by browse names from Objects down."""
    node = mill.nodes.objects
    for name in PATH:
        for child in await node.get_children(refs=ua.ObjectIds.HierarchicalReferences):
            found = await child.read_browse_name()
            if found.Name == name:
                node = child
                break
        else:
            raise LookupError(f"{name} is not below {node}")
    return node


def main(trainee: type[Trainee]) -> None:
    """Run a trainee on the lab that READY.json describes."""
    logging.getLogger("asyncua").setLevel(logging.ERROR)  # the server revises the subscription, as servers do
    ready = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    asyncio.run(trainee(ready).run())


if __name__ == "__main__":
    main(Trainee)
