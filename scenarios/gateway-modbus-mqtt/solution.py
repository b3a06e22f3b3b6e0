"""What a perfect trainee does in gateway-modbus-mqtt: each device polled by itself, told by exception, honest about silence.

Run as ``python solution.py READY.json``.
"""

from __future__ import annotations

import asyncio
import json
import logging
import struct
import sys
import time
from datetime import datetime
from pathlib import Path
from typing import Any, ClassVar
from urllib.parse import urlsplit

from paho.mqtt.client import Client as Mqtt
from paho.mqtt.enums import CallbackAPIVersion
from pymodbus.client import AsyncModbusTcpClient
from pymodbus.exceptions import ModbusException

ILLEGAL_ADDRESS = 2
ORDERS = ("DCBA", "ABCD", "BADC", "CDAB")  # what the flow meter's register 4915 says
BYTE_ORDER, LOAD_PRESSURE = 4914, 200
ALLOWED = (5.0, 6.75)
HEARTBEAT_S, READY_S, TEST_S = 9.5, 45, 160
Values = dict[str, float | bool]


class DeviceError(Exception):
    """A device answered with an exception, or not at all."""

    def __init__(self, code: int = 0) -> None:
        self.code = code


class Trainee:
    """Runs the gateway and plays the platform. The wrong answers override one step each."""

    timeout_s = 2.0
    periods: ClassVar = {"meter1": 2.0, "flow1": 2.0, "comp1": 0.5, "cold1": 2.0}

    def __init__(self, ready: dict[str, Any]) -> None:
        self.drawn, self.pace = ready["variants"], 1 / ready["speed"]
        self.at = {row["device"]: row for row in ready["endpoints"] if row["protocol"] == "modbus"}
        self.brokers = [urlsplit(row["url"]) for row in ready["endpoints"] if row["protocol"].startswith("mqtt")]
        self.authority = str(Path(ready["handin"]).parent / "certificates" / "mqtt" / "ca.crt")
        self.lines: dict[str, AsyncModbusTcpClient] = {}
        self.held: dict[str, Values] = {device: {} for device in self.periods}
        self.sent: dict[str, tuple[tuple[object, str], float]] = {}
        self.moved = 0
        self.clock = 0.0, time.monotonic()

    async def run(self) -> None:
        """Let the gateway run, send the commands, wait until the acceptance test is over."""
        self.loop = asyncio.get_running_loop()
        self.command = f"{self.drawn['site']}/comp1/load_pressure/set"
        self.broker = self.connect(
            "gateway", f"gate-{self.drawn['password']}", [self.command, "labsim/hall1/telemetry"]
        )
        platform = self.connect("operator", "operator", [])
        for device in self.periods:
            at = urlsplit(self.at[device]["url"])
            self.lines[device] = AsyncModbusTcpClient(
                at.hostname, port=at.port, timeout=max(self.timeout_s * self.pace, 0.4), retries=0
            )
        while not self.clock[0]:  # noqa: ASYNC110 - another thread tells the time
            await asyncio.sleep(0.1)
        polling = [asyncio.create_task(loop) for loop in self.polling()]
        await self.until(self.now() + READY_S)
        for number, value in enumerate((6.0, 7.0, 4.0, self.drawn["load"])):
            platform.publish(self.command, json.dumps({"id": f"c-{number}", "value": value}), qos=1)
            await self.until(self.now() + 5)
        print("the acceptance test has begun")
        await self.until(self.now() + TEST_S)
        for loop in polling:
            loop.cancel()
        for client in (self.broker, platform):
            client.disconnect()
            client.loop_stop()
        for line in self.lines.values():
            line.close()

    def connect(self, user: str, password: str, topics: list[str]) -> Mqtt:
        """A client of the broker over TLS."""
        client = Mqtt(CallbackAPIVersion.VERSION2, client_id=user)
        client.username_pw_set(user, password)
        url = self.url(client)
        client.on_message = self.heard
        client.on_connect = lambda *_: [client.subscribe(topic, 1) for topic in topics]
        client.connect(url.hostname or "", url.port or 0)
        client.loop_start()
        return client

    def url(self, client: Mqtt) -> Any:
        """Where to connect to, encrypted."""
        client.tls_set(self.authority)
        return next(url for url in self.brokers if url.scheme == "mqtts")

    def now(self) -> float:
        """The plant's own time in seconds, which a busy machine may put behind the one on the wall."""
        told, heard = self.clock
        return told + min((time.monotonic() - heard) / self.pace, 1.5)

    async def until(self, moment: float) -> None:
        """Wait for a moment of plant time."""
        while self.now() < moment:  # noqa: ASYNC110 - the plant's clock is no event
            await asyncio.sleep(0.2 * self.pace)

    def heard(self, _client: Mqtt, _: object, message: Any) -> None:
        """A message came: the time, or a command."""
        said = json.loads(message.payload)
        if message.topic == self.command:
            asyncio.run_coroutine_threadsafe(self.obey(said), self.loop)
        else:
            self.clock = datetime.fromisoformat(said["time"]).timestamp(), time.monotonic()

    def polling(self) -> list[Any]:
        """What runs side by side: a loop for each device."""
        return [self.forever([device], self.periods[device]) for device in self.periods]

    async def forever(self, devices: list[str], period: float) -> None:
        """Poll devices one after the other, again and again."""
        while True:
            began = time.monotonic()
            for device in devices:
                await self.poll(device)
            await asyncio.sleep(max(0.05, period * self.pace - (time.monotonic() - began)))

    async def poll(self, device: str) -> None:
        """Read a device, and tell what it said or that it said nothing."""
        try:
            self.held[device] = await getattr(self, device)()
        except DeviceError as error:
            if device == "flow1" and error.code == ILLEGAL_ADDRESS:
                self.moved = self.other_revision()
            self.tell(device, "bad")
        else:
            self.tell(device, "good")

    def other_revision(self) -> int:
        """How far the registers of the other revision are away."""
        return 0 if self.moved else int(self.drawn["moved"])

    def tell(self, device: str, quality: str) -> None:
        """Publish by exception."""
        quality = self.quality(quality)
        for point, value in self.held[device].items():
            topic = f"{self.drawn['site']}/{device}/{point}"
            before, when = self.sent.get(topic, (None, 0.0))
            if (value, quality) != before or self.due(when):
                self.broker.publish(topic, json.dumps({"value": value, "quality": quality}), qos=1)
                self.sent[topic] = (value, quality), self.now()

    def due(self, when: float) -> bool:
        """Whether the sign of life is due."""
        return self.now() - when >= HEARTBEAT_S

    def quality(self, quality: str) -> str:
        """The quality as it is told."""
        return quality

    async def meter1(self) -> Values:
        """The energy meter: its numbers go to the wire as they are."""
        words = await self.read("meter1", 1, 66)
        floats = {"voltage": 1, "current": 13, "frequency": 55, "power": 65}
        energy = number(await self.read("meter1", 801, 4), ">d")
        return {**{name: number(words[at - 1 : at + 1], ">f") for name, at in floats.items()}, "energy": energy}

    async def flow1(self) -> Values:
        """The flow meter, in the byte order that it says and the revision that it answers to."""
        order = self.order(await self.read("flow1", BYTE_ORDER + self.moved, 1))
        words = await self.read("flow1", 3000 + self.moved, 8)
        total = await self.read("flow1", 3014 + self.moved, 4)
        diagnostic = await self.read("flow1", 6858 + self.moved, 1)
        floats = {"mass_flow": 0, "density": 4, "temperature": 6}
        found: Values = {name: number(words[at : at + 2], ">f", order) for name, at in floats.items()}
        return {**found, "total": number(total, ">d", order), "diagnostic": diagnostic[0]}

    def order(self, words: list[int]) -> str:
        """The byte order."""
        if words[0] >= len(ORDERS):
            raise DeviceError(ILLEGAL_ADDRESS)  # the neighbour's value
        return ORDERS[words[0]]

    async def comp1(self) -> Values:
        """The compressor: integers with a scale."""
        words = await self.read("comp1", 100 + self.drawn["base"], 20)
        return {
            "state": words[0],
            "pressure": words[2] / 100,
            "temperature": number(words[3:4], ">h") / 10,
            "power": words[4] / 10,
            "energy": number(words[18:20], ">I", self.drawn["order"]) / 10,
        }

    async def cold1(self) -> Values:
        """The cold room: input registers, and a bit."""
        words = await self.read("cold1", 0, 6, "read_input_registers")
        door = await self.read("cold1", 0, 1, "read_discrete_inputs")
        return {
            "temperature": number(words[0:1], ">h") / 10,
            "humidity": words[1] / 10,
            "product_temperature": number(words[2:3], ">h") / 10,
            "battery_voltage": words[5] / 1000,
            "door_open": bool(door[0]),
        }

    async def read(self, device: str, address: int, count: int, how: str = "read_holding_registers") -> list[int]:
        """Registers (or bits) of a device."""
        answer = await self.ask(device, how, address, count=count)
        return list(answer.bits if how == "read_discrete_inputs" else answer.registers)

    async def ask(self, device: str, how: str, *what: int, **more: int) -> Any:
        """One request to a device.

        Raises:
            DeviceError: an exception came, or nothing.
        """
        line = self.lines[device]
        if not line.connected and not await line.connect():
            raise DeviceError
        try:
            answer = await getattr(line, how)(*what, **more, device_id=self.at[device]["unit"])
        except ModbusException:
            raise DeviceError from None
        if answer.isError():
            raise DeviceError(answer.exception_code)
        return answer

    async def obey(self, command: dict[str, Any]) -> None:
        """Do a command, or do not, and say so."""
        try:
            result = await self.write(float(command["value"]))
        except DeviceError:
            result = "failed"
        reply = {"id": command["id"], "result": result}
        self.broker.publish(self.command.replace("/set", "/reply"), json.dumps(reply), qos=1)

    async def write(self, bar: float) -> str:
        """Write the load pressure if it is allowed."""
        if not ALLOWED[0] <= bar <= ALLOWED[1]:
            return "refused"
        await self.ask("comp1", "write_register", LOAD_PRESSURE + self.drawn["base"], round(bar * 100))
        return "done"


def number(words: list[int], form: str, order: str = "ABCD") -> Any:
    """A number out of registers; its bytes come in an order of which A is the most significant."""
    swapped = [word >> 8 | (word & 0xFF) << 8 for word in words] if order in ("BADC", "DCBA") else words
    turned = swapped[::-1] if order in ("CDAB", "DCBA") else swapped
    return struct.unpack(form, b"".join(word.to_bytes(2, "big") for word in turned))[0]


def main(trainee: type[Trainee]) -> None:
    """Run a trainee on the lab that READY.json describes."""
    logging.getLogger("pymodbus").setLevel(logging.CRITICAL)  # a silent device is part of the exercise
    ready = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    asyncio.run(trainee(ready).run())


if __name__ == "__main__":
    main(Trainee)
