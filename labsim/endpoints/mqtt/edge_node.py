"""The plant's devices as one Sparkplug B edge node: births, data by exception, deaths, commands, and a host it may wait for.

Section numbers are those of the Sparkplug Specification 3.0.0; names in brackets are its assertion ids without ``tck-id-``.
The node holds no connection. Whoever carries it calls `prepare` before each CONNECT and gives that CONNECT the will it gets,
subscribes to `subscriptions`, then calls `connected`; afterwards `tick` after each step, `hear` with what comes, `lost` when
the connection ends by itself, and `leave` before it is ended on purpose.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from labsim.endpoints.mqtt.command import Writer
from labsim.endpoints.mqtt.node_metric import NodeDevice, node_devices
from labsim.endpoints.mqtt.telemetry import Publisher
from labsim.plant.plant import Plant
from labsim.sparkplug.datatype import DataType
from labsim.sparkplug.payload import REBIRTH, Metric, Payload, bd_seq, decode, encode
from labsim.sparkplug.topic import HostState, Kind, Topic, check_id, decode_state, parse_topic, state_topic

_NUMBERS = 256
"""seq and bdSeq run from 0 to 255 and begin again [payloads-sequence-num-incrementing]."""


@dataclass(frozen=True, slots=True)
class NodeIdentity:
    """Who the node is, and the host application that it waits for ("" for none)."""

    group: str
    edge: str
    primary_host: str = ""
    alias: bool = True

    def __post_init__(self) -> None:
        for part in filter(None, (self.group, self.edge, self.primary_host)):
            check_id(part)


@dataclass(frozen=True, slots=True)
class NodeWill:
    """The death certificate that goes with a CONNECT: QoS 1, not retained (§5.4)."""

    topic: str
    payload: bytes
    qos: int = 1
    retain: bool = False


class EdgeNode:
    """One edge node.

    Args:
        plant: Where the values are.
        devices: Paths; each is a Sparkplug device of this name.
        identity: Who the node is.
        publish: Where messages go.
        writer: Writes what a command asks for.
        reconnect: Called when the node has to end its connection and come again; by default it comes again at once.

    Attributes:
        born: Whether it has published its births and is alive.

    Raises:
        UnknownNameError: no such device.
    """

    def __init__(
        self, plant: Plant, devices: Sequence[str], identity: NodeIdentity, publish: Publisher, writer: Writer,
        reconnect: Callable[[], None] | None = None,
    ) -> None:  # fmt: skip
        self._plant, self.identity, self._publish, self._writer = plant, identity, publish, writer
        self._devices = node_devices(plant, devices, alias=identity.alias)
        self._reconnect = reconnect or self._come_again
        self._bd_seq, self._seq, self._losing = -1, 0, 0
        self._there = False
        self.born = False
        self._host: HostState | None = None

    # What its carrier calls.

    @property
    def subscriptions(self) -> tuple[tuple[str, int], ...]:
        """Filters and QoS that it needs [message-flow-edge-node-ncmd-subscribe, message-flow-device-dcmd-subscribe]."""
        who = self.identity
        filters = [Topic(who.group, "NCMD", who.edge)]
        filters += [Topic(who.group, "DCMD", who.edge, device.name) for device in self._devices]
        found = [(str(topic), 1) for topic in filters]
        return (*found, (state_topic(who.primary_host), 1)) if who.primary_host else tuple(found)

    def prepare(self) -> NodeWill:
        """Begin a new connection: the will for its CONNECT, with the next bdSeq [topics-nbirth-bdseq-increment]."""
        self._bd_seq = (self._bd_seq + 1) % _NUMBERS
        return NodeWill(self._topic("NDEATH"), self._death())

    def connected(self) -> None:
        """The connection stands and the subscriptions are made: be born, or wait for the primary host."""
        self._there = True
        if not self.identity.primary_host or (self._host is not None and self._host.online):
            self._be_born()

    def lost(self) -> None:
        """The connection is gone by itself; the broker publishes the will. The next one has to hear of the host anew."""
        self._there = self.born = False
        if self._host is not None:
            self._host = HostState(False, self._host.timestamp)

    def leave(self) -> None:
        """Take leave: the death certificate goes out before the connection ends [payloads-ndeath-will-message-publisher]."""
        if self.born:
            self._publish(self._topic("NDEATH"), self._death(), 1, False, "")
        self._there = self.born = False

    def lose(self, messages: int) -> None:
        """Lose the next messages on their way: their numbers are missing in the sequence."""
        self._losing += messages

    def restart_unborn(self) -> None:
        """Start the sequence anew, with the next bdSeq, and do not publish a birth, as a node should."""
        self._bd_seq = (self._bd_seq + 1) % _NUMBERS
        self._seq = 0

    def rebirth(self) -> None:
        """Publish the births again, as on a command; raises EvidenceError."""
        if self.born:
            self._be_born()

    def tick(self) -> None:
        """Publish what has changed, after a step of the plant.

        Raises:
            EvidenceError: a message could not be kept, and so was not published.
        """
        if not self.born:
            return
        now_ns = self._plant.clock.step_time_ns
        for device in self._devices:
            if device.reachable != device.born:
                if device.born:
                    device.born = False
                    self._send("DDEATH", [], now_ns, device.name)
                else:
                    self._birth(device, now_ns)
            elif device.born:
                changed = device.changed(self._utc_ms, now_ns)
                if changed:
                    self._send("DDATA", changed, now_ns, device.name)

    def hear(self, topic: str, payload: bytes, app: str, user: str) -> None:
        """Take a message: a command, or the state of the primary host. Anything else, and what cannot be read, is nothing.

        Raises:
            EvidenceError: what it did could not be kept.
        """
        host = self.identity.primary_host
        if host and topic == state_topic(host):
            try:
                self._hear_host(decode_state(payload))
            except ValueError:
                return  # a host that cannot say its state has said nothing
            return
        try:
            to, message = parse_topic(topic), decode(payload)
        except ValueError:
            return  # evidence holds it; a device does not answer what it cannot read
        if not self.born or (to.group, to.edge) != (self.identity.group, self.identity.edge):
            return
        if to.kind == "NCMD":
            asked = message.get(REBIRTH)
            if asked is not None and asked.value == ("boolean_value", True):
                self._be_born()  # with the same bdSeq [operational-behavior-data-commands-rebirth-action-3]
        elif to.kind == "DCMD":
            self._command(to, message, app, user)

    # What it does by itself.

    def _hear_host(self, state: HostState) -> None:
        """Be born when it comes, take leave when it goes; older news than the last is none.

        [message-flow-edge-node-birth-publish-phid-wait-timestamp, operational-behavior-edge-node-termination-host-offline]
        """
        if self._host is not None and state.timestamp < self._host.timestamp:
            return
        self._host = state
        if state.online and self._there and not self.born:
            self._be_born()
        elif not state.online and self.born:
            self.leave()
            self._reconnect()

    def _come_again(self) -> None:
        self.prepare()
        self.connected()

    def _be_born(self) -> None:
        """The whole birth: the node's, then one for each device that can be reached (§5.4, §5.6)."""
        now_ns = self._plant.clock.now_ns()
        moment = self._utc_ms(now_ns)
        self._seq, self.born = 0, True
        rebirth = Metric.of(False, DataType.BOOLEAN, name=REBIRTH, timestamp=moment)
        self._send("NBIRTH", [bd_seq(self._bd_seq, moment), rebirth], now_ns)
        for device in self._devices:
            device.born = False
            if device.reachable:
                self._birth(device, now_ns)

    def _birth(self, device: NodeDevice, now_ns: int) -> None:
        device.born = True
        self._send("DBIRTH", device.birth(self._utc_ms, now_ns), now_ns, device.name)

    def _command(self, to: Topic, message: Payload, app: str, user: str) -> None:
        device = next((device for device in self._devices if device.name == to.device and device.born), None)
        if device is None:
            return
        for metric in message.metrics:
            device.take(metric, lambda tag, value: self._writer.write(tag, value, str(to), app, user))
        now_ns = self._plant.clock.now_ns()
        changed = device.written(self._utc_ms)
        if changed:  # the new value goes out at once, so that the host sees what came of its command
            self._send("DDATA", changed, now_ns, device.name)

    def _send(self, kind: Kind, metrics: list[Metric], now_ns: int, device: str = "") -> None:
        payload = Payload(timestamp=self._utc_ms(now_ns), metrics=metrics, seq=self._seq)
        self._seq = (self._seq + 1) % _NUMBERS
        if self._losing and kind == "DDATA":
            self._losing -= 1
            return
        self._publish(self._topic(kind, device), encode(payload), 0, False, device)

    def _death(self) -> bytes:
        """Nothing but bdSeq, and no seq [topics-ndeath-payload, topics-ndeath-seq]."""
        moment = self._utc_ms(self._plant.clock.now_ns())
        return encode(Payload(timestamp=moment, metrics=[bd_seq(self._bd_seq, moment)]))

    def _topic(self, kind: Kind, device: str = "") -> str:
        return str(Topic(self.identity.group, kind, self.identity.edge, device))

    def _utc_ms(self, sim_ns: int) -> int:
        return self._plant.clock.utc_ns(sim_ns) // 1_000_000
