"""How a plant speaks over MQTT: as plain JSON or as a Sparkplug edge node, and whether it takes commands."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from labsim.endpoints.mqtt.announcements import Announcements
from labsim.endpoints.mqtt.command import Answerer, Commands, Writer
from labsim.endpoints.mqtt.edge_node import EdgeNode, NodeIdentity
from labsim.endpoints.mqtt.telemetry import TagTelemetry, Telemetry
from labsim.endpoints.mqtt.vda5050 import Vehicle, speaks_vda5050
from labsim.errors import EvidenceError
from labsim.evidence.event import Sink
from labsim.plant.plant import Plant


@dataclass(frozen=True, slots=True)
class Style:
    """How the devices of one endpoint speak.

    Attributes:
        payload: ``device``: as the device's interface says, one JSON object per message or VDA 5050; ``tag``: one JSON object
            per tag, when it has changed; ``sparkplug``: all devices are one edge node.
        topic: A template instead of the usual topics; "" for those. Not for Sparkplug, whose topics are fixed.
        commands: A template of the topics on which writable tags take commands; "" for none.
        places: Where in the equipment hierarchy a device stands, by path: ``acme/hk1/assembly/line1/cell2``.
        node: Who the edge node is; for Sparkplug alone.
    """

    payload: Literal["device", "tag", "sparkplug"] = "device"
    topic: str = ""
    commands: str = ""
    places: Mapping[str, str] = field(default_factory=dict)
    node: NodeIdentity | None = None


class Voice:
    """Everything the plant says and hears at one endpoint.

    Args:
        plant: The plant.
        devices: Paths of the devices that speak.
        style: How.
        publish: Where messages go; see `labsim.endpoints.mqtt.command.Answerer`.
        sink: Where evidence of commands goes.
        reconnect: Called when an edge node has to end its connection and come again; see `EdgeNode`.

    Attributes:
        node: The edge node, if it speaks Sparkplug. Whoever carries it over a connection of its own calls the node's methods
            instead of `tick` and `stop`.
        vehicles: Devices that speak VDA 5050, by path.
        carried: Whoever carries the vehicles over connections of their own says when they come.

    Raises:
        UnknownNameError: no such device.
        InputError: a topic that is none.
    """

    def __init__(
        self, plant: Plant, devices: Sequence[str], style: Style, publish: Answerer, sink: Sink,
        reconnect: Callable[[], None] | None = None,
    ) -> None:  # fmt: skip
        writer, others = Writer(plant.store, sink), devices
        self.node: EdgeNode | None = None
        self._came_in = self.carried = False
        self.vehicles: dict[str, Vehicle] = {}
        self._telemetry: Telemetry | None = None
        self._announcements: Announcements | None = None
        self._commands: Commands | None = None

        self._old: dict[str, tuple[bytes, int, str]] | None = None  # by topic what should be retained now, QoS, whose
        self._publish = publish

        def node_says(topic: str, payload: bytes, qos: int, retain: bool, device: str) -> None:
            publish(topic, payload, qos, retain, device, {})

        def plain(topic: str, payload: bytes, qos: int, retain: bool, device: str) -> None:
            says(topic, payload, qos, self._kept(topic, payload, qos, retain, device), device, {})

        def says(topic: str, payload: bytes, qos: int, retain: bool, device: str, more: dict[str, Any]) -> None:
            if device not in plant.devices or not plant.devices[device].condition.dead:
                publish(topic, payload, qos, retain, device, more)

        if style.payload == "sparkplug":
            assert style.node is not None, "an edge node has a name"
            self.node = EdgeNode(plant, devices, style.node, node_says, writer, reconnect)
        elif style.payload == "tag":
            self._telemetry = TagTelemetry(plant, devices, plain, topic=style.topic, places=style.places)
        else:
            known = [plant.devices[path] for path in devices if path in plant.devices]
            self.vehicles = {d.path: Vehicle(plant, d, node_says, sink) for d in known if speaks_vda5050(d)}
            others = [path for path in devices if path not in self.vehicles]
            self._telemetry = Telemetry(plant, others, plain, topic=style.topic, places=style.places)
        if self._telemetry is not None:
            self._announcements = Announcements(plant, others, plain, topic=style.topic, places=style.places)
        if style.commands:
            self._commands = Commands(plant, devices, style.commands, says, writer, style.places)

    @property
    def subscriptions(self) -> tuple[tuple[str, int], ...]:
        """Filters and QoS of what it wants to hear."""
        own = self.node.subscriptions if self.node else ()
        if not self.carried:
            own += tuple(one for vehicle in self.vehicles.values() for one in vehicle.subscriptions)
        return (*own, *((topic, 1) for topic in self._commands.topics)) if self._commands else own

    def tick(self) -> None:
        """Publish what is due; called after each step of the plant. An edge node comes in at the first one.

        Raises:
            EvidenceError: a message could not be kept, and so was not published.
        """
        if self.node is not None:
            if not self._came_in:
                self._came_in = True
                self.node.prepare()
                self.node.connected()
            self.node.tick()
        elif self._telemetry is not None and self._announcements is not None:
            self._announcements.tick()
            self._telemetry.tick()
            for vehicle in self.vehicles.values():
                if not (self._came_in or self.carried):
                    vehicle.connected()
                vehicle.tick()
            self._came_in = True

    def hear(
        self, topic: str, payload: bytes, app: str = "", user: str = "", properties: Mapping[str, Any] | None = None
    ) -> None:
        """Take a message that somebody published; ``app`` and ``user`` are whose it is, as far as that is known.

        Raises:
            EvidenceError: what it did could not be kept.
        """
        if self.node is not None:
            self.node.hear(topic, payload, app, user)
        for vehicle in self.vehicles.values():
            vehicle.hear(topic, payload, app, user)
        if self._commands is not None:
            self._commands.hear(topic, payload, app, user, properties or {})

    def hear_will(self, topic: str, payload: bytes) -> None:
        """Take what nobody publishes now, a client's will: an edge node hears by it that its host is gone.

        Raises:
            EvidenceError: what it did could not be kept.
        """
        if self.node is not None:
            self.node.hear(topic, payload, "", "")

    @property
    def faults(self) -> tuple[str, ...]:
        """What can go wrong with it."""
        return ("sequence-gap", "restart-without-birth") if self.node is not None else ("retained-stale",)

    def begin_fault(self, name: str, parameters: Mapping[str, float]) -> None:
        """Begin one of those; what it publishes once for that may raise EvidenceError."""
        if self.node is None:
            self._old = {}
        elif name == "sequence-gap":
            self.node.lose(int(parameters["messages"]))
        else:
            self.node.restart_unborn()

    def end_fault(self, name: str) -> None:
        """End one of those: what should be retained is, in place of what is old; an edge node is born."""
        if self.node is not None:
            if name == "restart-without-birth":
                self.node.rebirth()
            return
        old, self._old = self._old or {}, None
        for topic, (payload, qos, device) in old.items():
            self._publish(topic, payload, qos, True, device, {})

    def _kept(self, topic: str, payload: bytes, qos: int, retain: bool, device: str) -> bool:
        """Whether a message is to be retained: while retained ones are stale, the first of a topic is and no later one."""
        if self._old is None:
            return retain
        first = topic not in self._old
        self._old[topic] = payload if retain else b"", qos, device
        return first

    def stop(self) -> None:
        """Fall silent, in process: an edge node publishes its death, a vehicle that it is offline."""
        try:
            if self.node is not None:
                self.node.leave()
            for vehicle in self.vehicles.values():
                vehicle.leave()
        except EvidenceError:
            return  # nothing is published that is not kept; the sink itself pauses the lab
