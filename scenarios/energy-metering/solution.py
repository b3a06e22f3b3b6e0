"""What a perfect trainee does in energy-metering: poll, count what counters grow, publish with an honest quality.

Run as ``python solution.py READY.json``.
"""

from __future__ import annotations

import asyncio
import csv
import json
import logging
import math
import struct
import sys
import urllib.request
from collections.abc import Iterable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from asyncua import Client, Node, ua
from paho.mqtt.client import Client as Mqtt
from paho.mqtt.enums import CallbackAPIVersion
from pymodbus.client import AsyncModbusTcpClient
from pymodbus.exceptions import ModbusException

UNITS = {"meter1": 1, "meter2": 2, "meter3": 3}
PHASES, TOTAL, DIAGNOSTICS, ENERGY = 25, 65, 205, 801  # the meter prints its offsets as they go to the wire
SHIFT_S, MINUTE_S, NO_PROGRAM = 180, 60, 2


class Trainee:
    """Records a shift. The wrong answers override one step each."""

    def __init__(self, ready: dict[str, Any]) -> None:
        self.at = {row["protocol"]: urlsplit(row["url"]) for row in ready["endpoints"]}
        self.parts, self.factor = ready["variants"]["parts"], ready["variants"]["factor"]
        self.handin, self.control, self.pace = Path(ready["handin"]), ready["control"], 1 / ready["speed"]
        self.broker = Mqtt(CallbackAPIVersion.VERSION2, client_id="energy")
        self.counter: dict[str, float] = {}
        self.first: dict[str, float] = {}
        self.grown: dict[str, float] = dict.fromkeys(UNITS, 0.0)
        self.minutes = [0.0] * (SHIFT_S // MINUTE_S)
        self.used, self.idle = 0.0, 0.0
        self.last = dict.fromkeys(UNITS, 0.0)
        self.made, self.told, self.answered = 0, False, False

    async def run(self) -> None:
        """Connect, begin the shift, record it, hand in."""
        self.broker.connect(self.at["mqtt"].hostname, self.at["mqtt"].port)
        self.broker.loop_start()
        self.meters = AsyncModbusTcpClient(
            self.at["modbus"].hostname, port=self.at["modbus"].port, timeout=2, retries=0
        )
        await self.meters.connect()
        async with Client(self.at["opcua"].geturl()) as client:
            state = await find(client, ("Monitoring", "Channel1", "ChannelState"))
            target = await find(client, ("Production", "ProductionPlan", "Job1", "RunsPlanned"))
            parts = await find(client, ("Production", "ProductionPlan", "Job1", "PartsGood"))
            await self.sweep(None)
            before = await parts.read_value()
            kind = await target.read_data_type_as_variant_type()
            await target.write_value(ua.Variant(self.parts, kind))
            began = await clock(client)
            print("the shift has begun")
            while (gone := await clock(client) - began) < SHIFT_S:
                await self.sweep(min(int(gone // MINUTE_S), len(self.minutes) - 1), state)
                due = began + math.floor(gone) + 1 - await clock(client)
                await asyncio.sleep(max(0.05, due) * self.pace)
            self.made = await parts.read_value() - before
            await self.sweep(len(self.minutes) - 1)
        self.hand_in()
        self.broker.disconnect()
        self.broker.loop_stop()
        self.meters.close()

    async def sweep(self, minute: int | None, state: Node | None = None) -> None:
        """Read every meter once; ``minute`` of the shift, None before it."""
        no_program = state is not None and await state.read_value() == NO_PROGRAM
        for meter in UNITS:
            power = await self.number(meter, TOTAL, ">f")
            if meter != "meter3":
                grown = self.growth(meter, await self.number(meter, ENERGY, ">d"))
                if minute is not None:
                    self.grown[meter] += grown
                    self.minutes[minute] += grown
                    if meter == "meter1":
                        self.used += grown
                        self.idle += grown if no_program else 0.0
                    await self.look_at_phases(meter)
            if minute is not None:
                self.publish(meter, power)
        if minute is not None:
            await self.look_at_alarm()

    async def number(self, meter: str, offset: int, form: str) -> float:
        """A number of a meter, NaN when it does not answer."""
        count = struct.calcsize(form) // 2
        try:
            answer = await self.meters.read_holding_registers(offset, count=count, device_id=UNITS[meter])
        except ModbusException:
            return math.nan
        if answer.isError():
            return math.nan
        return float(struct.unpack(form, struct.pack(f">{count}H", *answer.registers))[0])

    def growth(self, meter: str, now: float) -> float:
        """What a counter has grown since the last look, in Wh; one that was set back has begun at 0."""
        if math.isnan(now):
            return 0.0
        before = self.counter.get(meter, now)
        self.first.setdefault(meter, now)
        self.counter[meter] = now
        return now - before if now >= before else now

    async def look_at_phases(self, meter: str) -> None:
        """Whether the power of a phase has the wrong sign."""
        if self.answered:
            return
        for phase in (1, 2, 3):
            if await self.number(meter, PHASES + 2 * (phase - 1), ">f") < -1:
                self.answer("wiring", f"{meter} L{phase}")
                self.answered = True

    async def look_at_alarm(self) -> None:
        """Tell it when meter3 has lost a phase, once."""
        answer = await self.number("meter3", DIAGNOSTICS, ">f")
        if math.isnan(answer):
            return
        lost = bool(struct.unpack(">I", struct.pack(">f", answer))[0] & 1)
        if lost and not self.told:
            self.broker.publish("site/energy/alarm", json.dumps({"meter": "meter3", "alarm": "phase lost"}), qos=1)
        self.told = lost

    def publish(self, meter: str, power: float) -> None:
        """The power of a meter, or its last one as bad."""
        good = not math.isnan(power)
        if good:
            self.last[meter] = power
        message = {"value": self.shown(self.last[meter]), "unit": "W", "quality": self.quality(good)}
        self.broker.publish(f"site/energy/{meter}/power", json.dumps(message))

    def shown(self, watts: float) -> float:
        """Power as it is published."""
        return watts

    def quality(self, good: bool) -> str:
        """Its quality."""
        return "good" if good else "bad"

    def energy(self) -> dict[str, float]:
        """What each mill has taken in the shift, in kWh."""
        return {meter: grown / 1000 for meter, grown in self.grown.items()}

    def hand_in(self) -> None:
        """The figures of the shift."""
        kwh = self.energy()
        rows = [
            ("mill1_kwh", kwh["meter1"]),
            ("mill2_kwh", kwh["meter2"]),
            ("co2_kg", (kwh["meter1"] + kwh["meter2"]) * self.factor),
            ("kwh_per_part", kwh["meter1"] / self.made),
            ("peak_kw", max(self.minutes) / 1000 * 60),
            ("standby_percent", 100 * self.idle / self.used),
        ]
        with (self.handin / "energy.csv").open("w", encoding="utf-8", newline="") as file:
            csv.writer(file).writerows([("figure", "value"), *((name, f"{value:.4f}") for name, value in rows)])
        print("  ".join(f"{name} {value:.3f}" for name, value in rows))

    def answer(self, task: str, value: str) -> None:
        """Answer a task."""
        body = json.dumps({"task": task, "value": value}).encode()
        request = urllib.request.Request(f"{self.control}/answer", body, {"Content-Type": "application/json"})
        urllib.request.urlopen(request).close()


async def clock(client: Client) -> float:
    """The time of the plant's own clock in seconds, which a busy machine may put behind the one on the wall."""
    told = await client.get_node(ua.ObjectIds.Server_ServerStatus_CurrentTime).read_value()
    return float(told.timestamp())


async def find(client: Client, place: Iterable[str]) -> Node:
    """A node of mill 1 by its browse names."""
    node = client.nodes.objects
    for name in ("Machines", "mill1", *place):
        for child in await node.get_children(refs=ua.ObjectIds.HierarchicalReferences):
            if (await child.read_browse_name()).Name == name:
                node = child
                break
        else:
            raise LookupError(f"{name} is not below {node}")
    return node


def main(trainee: type[Trainee]) -> None:
    """Run a trainee on the lab that READY.json describes."""
    logging.getLogger("pymodbus").setLevel(logging.CRITICAL)  # a silent meter is part of the exercise
    ready = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    asyncio.run(trainee(ready).run())


if __name__ == "__main__":
    main(Trainee)
