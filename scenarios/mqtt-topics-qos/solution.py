"""What a perfect trainee does in mqtt-topics-qos: a gateway that chooses its flags, and a portal that keeps its session.

Run as ``python solution.py READY.json``.
"""

from __future__ import annotations

import json
import sys
import threading
import time
import urllib.request
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from paho.mqtt.client import Client, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion
from pymodbus.client import ModbusTcpClient

DOCKS = {"dock1": 11, "dock2": 12, "dock3": 13, "dock4": 14}
INVALID = 0x8000
AWAY_S, AFTERWARDS_S, SETTLED_S, PATIENCE_S = 25, 95, 50, 400
BIRTHS = 4  # the first, the one after the restart, and what is too many


class Trainee:
    """Gateway and portal of one hub. The wrong answers override one step each."""

    qos = 1  # of events, state and status

    def __init__(self, ready: dict[str, Any]) -> None:
        at = {row["protocol"]: urlsplit(row["url"]) for row in ready["endpoints"]}
        card = ready["variants"]
        self.root, self.seat, self.closed = f"trade/{card['hub']}", card["seat"], card["closed"]
        self.pace, self.broker = 1 / ready["speed"], (at["mqtt"].hostname, at["mqtt"].port)
        self.docks = ModbusTcpClient(at["modbus"].hostname, port=at["modbus"].port)
        self.births = self.received = 0
        self.gateway = self.named(f"gateway-{self.seat}")
        with urllib.request.urlopen(f"{ready['control']}/lab") as answer:
            # Plant seconds: in a lab that runs faster, the plant's clock is ahead of the one on the wall.
            gone = json.load(answer)["t"]
        self.speed, self.began = ready["speed"], datetime.now(UTC) - timedelta(seconds=gone / ready["speed"])
        self.open = set(DOCKS)
        self.door: dict[str, bool] = {}
        self.state: dict[str, int] = {}
        self.events: list[tuple[str, int]] = []  # dock and second of each event

    def run(self) -> None:
        """Carry values until every door has moved, then take the dock away."""
        self.docks.connect()
        self.join()
        self.visit(0)
        print("connected to the docks and the broker; the portal has subscribed and left")
        second, back, end = 0, False, PATIENCE_S
        while second < end:
            self.turn(second)
            if self.births >= BIRTHS:
                self.rename()
            if not back and len(self.events) >= 4 and second >= AWAY_S:
                self.visit(3)
                print(f"the portal is back: {self.received} events were kept for it")
                back = True
            if end == PATIENCE_S and back and self.settled(second):
                self.docks.write_coil(0, False, device_id=DOCKS[self.closed])
                self.retire()
                print(f"{self.closed} is out of service")
                end = second + AFTERWARDS_S
            second += 1
            time.sleep(self.pace)
        self.tell("gateway/status", "offline", self.qos, retain=True)
        self.leave()
        self.docks.close()

    def named(self, name: str) -> Client:
        """A client of that id, with the will of the gateway."""
        client = Client(CallbackAPIVersion.VERSION2, client_id=name)
        client.on_connect = lambda *_: self.arrived()
        client.will_set(f"{self.root}/gateway/status", "offline", qos=self.qos, retain=True)
        return client

    def join(self) -> None:
        """Connect the gateway; its library connects it again whenever it must."""
        self.gateway.connect(*self.broker)
        self.gateway.loop_start()

    def leave(self) -> None:
        """Go with a word."""
        self.gateway.disconnect()
        self.gateway.loop_stop()

    def rename(self) -> None:
        """Somebody else has this name: go on under another."""
        print("thrown out again and again: the client id is taken")
        self.leave()
        self.births = 0
        self.gateway = self.named(f"gateway-{self.seat}-b")
        self.join()

    def settled(self, second: int) -> bool:
        """Docks 1 and 4 have had their doors open and closed, and some time has gone by."""
        times = {dock: [at for who, at in self.events if who == dock] for dock in ("dock1", "dock4")}
        return all(len(at) >= 2 and at[0] + SETTLED_S <= second for at in times.values())

    def arrived(self) -> None:
        """The broker has taken the gateway in, for the first time or again."""
        self.births += 1
        self.connected()

    def connected(self) -> None:
        """Say that the gateway is there."""
        self.tell("gateway/status", "online", self.qos, retain=True)

    def turn(self, second: int) -> None:
        """Read every dock once, and tell what is to be told."""
        for dock in sorted(self.open):
            unit = DOCKS[dock]
            temperature, state = self.docks.read_input_registers(0, count=2, device_id=unit).registers
            door = bool(self.docks.read_discrete_inputs(0, count=1, device_id=unit).bits[0])
            if second % 2 == 0:
                self.tell(f"{dock}/temperature", self.temperature(temperature), 0)
            if door != self.door.get(dock, door):
                self.events.append((dock, second))
                self.tell(f"{dock}/door", self.message(door), self.qos)
            if state != self.state.get(dock):
                self.tell(f"{dock}/state", self.message(state), self.qos, retain=True)
            self.door[dock], self.state[dock] = door, state

    def temperature(self, register: int) -> str:
        """The message of a register: tenths, two's complement, 8000 hex when there is no value."""
        if register == INVALID:
            return self.message(None, "°C", "bad")
        return self.message((register - 0x10000 if register >= 0x8000 else register) / 10, "°C")

    def message(self, value: object, unit: str | None = None, quality: str = "good") -> str:
        """One message as the portal wants it."""
        return json.dumps({"time": self.now(), "value": value, "unit": unit, "quality": quality})

    def now(self) -> str:
        """The time in UTC, as the plant's clock has it."""
        moment = self.began + (datetime.now(UTC) - self.began) * self.speed
        return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")

    def tell(self, topic: str, text: str, qos: int, *, retain: bool = False) -> None:
        """Publish below the hub."""
        self.gateway.publish(f"{self.root}/{topic}", text, qos=qos, retain=retain)

    def retire(self) -> None:
        """Nothing more of the dock that is closed, and nothing left of it."""
        self.open.discard(self.closed)
        self.tell(f"{self.closed}/state", "", self.qos, retain=True)

    # The portal.

    clean = False

    def filter(self) -> str:
        """What the portal wants."""
        return f"{self.root}/+/door"

    def visit(self, most: int) -> None:
        """Come, subscribe when the session is new, take what was kept, and leave."""
        ready = threading.Event()
        portal = Client(CallbackAPIVersion.VERSION2, client_id=f"portal-{self.seat}", clean_session=self.clean)

        def came(client: Client, _data: object, flags: Any, *_: object) -> None:
            if not flags.session_present:
                client.subscribe(self.filter(), qos=1)

        def got(_client: Client, _data: object, message: MQTTMessage) -> None:
            self.received += not message.retain
            if self.received >= most:
                ready.set()

        portal.on_connect, portal.on_message = came, got
        portal.on_subscribe = lambda *_: ready.set()
        portal.connect(*self.broker)
        portal.loop_start()
        ready.wait(5)
        portal.disconnect()
        portal.loop_stop()


def main(trainee: type[Trainee]) -> None:
    """Run a trainee on the lab that READY.json describes."""
    ready = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    trainee(ready).run()


if __name__ == "__main__":
    main(Trainee)
