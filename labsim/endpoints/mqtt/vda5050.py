"""A driverless vehicle of the plant as VDA 5050 lets it speak over MQTT: topics, headers, connection, state, orders.

Section numbers are those of VDA 5050 version 2.1.0. What the vehicle does with an order is the device's affair: here it is only
passed on, and what became of it is read from the tags.
"""

from __future__ import annotations

from typing import Any

import msgspec

from labsim.endpoints.mqtt.edge_node import NodeWill
from labsim.endpoints.mqtt.payload import rfc3339
from labsim.endpoints.mqtt.telemetry import Publisher, Pulse
from labsim.errors import InputError
from labsim.evidence.event import Event, Sink
from labsim.plant.device import Device
from labsim.plant.plant import Plant
from labsim.plant.tags import Value
from labsim.plant.vda5050_spec import LISTS

VERSION = "2.1.0"
MAJOR = "v2"
STATE_S = 30.0
"""The state goes out at least this often (§6.10)."""
BROKEN_S = 22.5
"""A broker takes a client for lost after 1.5 times its keep-alive, which should be about 15 s (§6.14)."""
_LONGEST = 65536
"""Characters of a message that are passed on; what is longer is cut, and so no JSON."""
_FACES = ("agvPosition", "velocity")


class Vehicle:
    """One vehicle.

    Whoever carries it gives its connection the will it has before each CONNECT, subscribes to ``subscriptions``, then calls
    `connected`; afterwards `tick` after each step, `hear` with what comes, `lost` when the connection ends by itself, and `leave`
    before it is ended on purpose. Without a connection of its own the messages are the same, its will as well.

    Args:
        plant: The plant.
        device: A device whose interface has VDA 5050.
        publish: Where messages go.
        sink: Where evidence of orders goes.

    Raises:
        InputError: its manufacturer or its serial number cannot stand in a topic.
    """

    def __init__(self, plant: Plant, device: Device, publish: Publisher, sink: Sink) -> None:
        mqtt = device.interface.mqtt
        assert mqtt is not None
        assert mqtt.vda5050 is not None, "a vehicle's interface says how it speaks"
        self.device, self._spec = device, mqtt.vda5050
        self._plant, self._publish, self._sink = plant, publish, sink
        plate = device.interface.identification
        self._plate = {"version": VERSION, "manufacturer": plate.manufacturer, "serialNumber": device.serial}
        for part in (self._spec.interface, plate.manufacturer, device.serial):
            if not part or any(char in part for char in "/$+#\0"):
                raise InputError(f"mqtt: {device.path}: {part!r} cannot stand in a topic of VDA 5050 (§6.3).")
        self.base = "/".join((self._spec.interface, MAJOR, plate.manufacturer, device.serial))
        self._calls = {
            f"{self.base}/order": self._spec.order,
            f"{self.base}/instantActions": self._spec.instant_actions,
        }
        self._numbers: dict[str, int] = {}
        self._will = b""
        self._there = False  # connected, as far as the carrier knows
        self._silent_ns: int | None = None  # since when its radio does not get through
        self._broken = False  # and the broker has noticed
        self._told: tuple[Value, ...] = ()
        self._factsheets: Value = device.store.read(self._row(self._spec.factsheet_requests))
        self._state_pulse, self._face_pulse = Pulse(STATE_S), Pulse(self._spec.visualization)

    # What its carrier calls.

    @property
    def subscriptions(self) -> tuple[tuple[str, int], ...]:
        """Filters and QoS of what it wants to hear (§6.2)."""
        return tuple((topic, 0) for topic in self._calls)

    def prepare(self) -> NodeWill:
        """The will of the next connection: CONNECTIONBROKEN, retained (§6.14)."""
        self._will = self._message("connection", connectionState="CONNECTIONBROKEN")
        return NodeWill(f"{self.base}/connection", self._will, 1, retain=True)

    def connected(self) -> None:
        """It has come: ONLINE, then its state."""
        if not self._will:
            self.prepare()
        self._there, self._broken, self._silent_ns = True, False, None
        self._connection("ONLINE")
        self._told = ()

    def lost(self) -> None:
        """Its connection ended by itself; the broker has its will."""
        self._there = False

    def leave(self) -> None:
        """OFFLINE, before the connection is ended on purpose."""
        if self._there and self._silent_ns is None:
            self._connection("OFFLINE")
        self._there = False

    def tick(self) -> None:
        """Publish what is due.

        Raises:
            EvidenceError: a message could not be kept, and so was not published.
        """
        if not self._there or not self._heard():
            return
        now_ns = self._plant.clock.step_time_ns
        told = tuple(self.device.store.read(self._row(name)) for name in self._spec.telling)
        due = self._state_pulse.beats(now_ns)
        if due or told != self._told:
            self._told = told
            self._state_pulse = Pulse(STATE_S)
            self._state_pulse.beats(now_ns)
            self._send("state", self._message("state", **self._state()))
        if self._face_pulse.beats(now_ns):
            state = self._state(_FACES)
            self._send("visualization", self._message("visualization", **state))
        asked = self.device.store.read(self._row(self._spec.factsheet_requests))
        if asked != self._factsheets:
            self._factsheets = asked
            self._send("factsheet", self._message("factsheet", **self._spec.factsheet), retain=True)

    def hear(self, topic: str, payload: bytes, app: str, user: str) -> None:
        """Take a message; one that is not for this vehicle, or that its radio does not get, is nothing to it.

        Raises:
            EvidenceError: what it did could not be kept.
        """
        call = self._calls.get(topic)
        if call is None or not payload or not self._there or self._silent_ns is not None:
            return
        text = payload.decode(errors="replace")[:_LONGEST]
        refused = self._plant.store.refusing  # while the plant is paused
        code, results = (refused, ()) if refused else self.device.call(call, [text])
        self._sink(
            Event(
                kind="call", protocol="mqtt", app=app, user=user, device=self.device.path, subject=topic, status=code,
                detail={"name": call, "arguments": [text], "results": list(results)},
            )
        )  # fmt: skip

    # What it does by itself.

    def _heard(self) -> bool:
        """Whether its radio gets through; when it does not for long, the broker publishes its will."""
        now_ns = self._plant.clock.step_time_ns
        radio = bool(self.device[self._spec.connected]) and not self.device.condition.dead
        if radio:
            if self._broken:
                self.prepare()
                self.connected()
            self._silent_ns = None
            return True
        if self._silent_ns is None:
            self._silent_ns = now_ns
        elif not self._broken and now_ns - self._silent_ns >= BROKEN_S * 1e9:
            self._broken = True
            self._publish(f"{self.base}/connection", self._will, 1, True, self.device.path)
        return False

    def _connection(self, state: str) -> None:
        payload = self._message("connection", connectionState=state)
        self._publish(f"{self.base}/connection", payload, 1, True, self.device.path)

    def _send(self, topic: str, payload: bytes, *, retain: bool = False) -> None:
        self._publish(f"{self.base}/{topic}", payload, 0, retain, self.device.path)

    def _message(self, topic: str, **fields: Any) -> bytes:
        """A message with its header (§6.4); the header's number counts by topic."""
        number = self._numbers.get(topic, -1) + 1
        self._numbers[topic] = number % (1 << 32)
        clock = self._plant.clock
        time = rfc3339(clock.utc_ns(clock.step_time_ns) + self.device.condition.skew_ns)
        header = {"headerId": self._numbers[topic], "timestamp": f"{time[:-2]}Z", **self._plate}
        return msgspec.json.encode(header | fields)

    def _state(self, only: tuple[str, ...] = ()) -> dict[str, Any]:
        """The fields of the state, or some of them, from the tags."""
        found: dict[str, Any] = {}
        for path, name in self._spec.state.items():
            top, _, rest = path.partition("/")
            if only and top not in only:
                continue
            value: Any = self.device.store.read(self._row(name))
            if top in LISTS:
                value = msgspec.Raw(str(value).encode())
            if rest:
                found.setdefault(top, {})[rest] = value
            else:
                found[top] = value
        return found

    def _row(self, name: str) -> int:
        return self.device.tags[name].row


def speaks_vda5050(device: Device) -> bool:
    """Whether a device's interface has VDA 5050."""
    return device.interface.mqtt is not None and device.interface.mqtt.vda5050 is not None
