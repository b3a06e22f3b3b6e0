"""What real clients do at real endpoints, judged: the checks read what the endpoints write."""

from __future__ import annotations

import socket
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from pymodbus.client import ModbusTcpClient

sys.path.insert(0, str(Path(__file__).parents[1] / "cli"))

from field_lab import Field

from grader.checks import load
from grader.outcome import Outcome, State

UNIT = 11
STATUS = "site/gw/status"


@pytest.fixture
def field(tmp_path: Path) -> Iterator[Field]:
    """A lab whose plant stands still."""
    running = Field(tmp_path)
    yield running
    running.close()


@pytest.fixture
def judge(field: Field) -> Callable[..., Outcome]:
    """The outcome of one check on what the lab saw so far."""

    def outcome(name: str, **params: Any) -> Outcome:
        check = load(name)
        return check().judge(field.evidence, check.Params.model_validate(params))

    return outcome


@pytest.fixture
def meter(field: Field) -> Iterator[ModbusTcpClient]:
    """A Modbus client of the lab's meter."""
    host, _, port = field.urls["modbus"].removeprefix("modbus-tcp://").partition(":")
    with ModbusTcpClient(host, port=int(port)) as client:
        yield client


class Gateway:
    """A paho client that can be lost."""

    def __init__(self, field: Field, client_id: str, version: int = MQTTProtocolVersion.MQTTv311, **more: Any) -> None:
        self.client = Client(CallbackAPIVersion.VERSION2, client_id, protocol=version, **more)
        self.client.will_set(STATUS, "offline", 1, retain=True)
        self._address = field.urls["mqtt"].removeprefix("mqtt://").split(":")
        self._connected, self._subscribed = threading.Event(), threading.Event()
        self.client.on_connect = lambda *_: self._connected.set()
        self.client.on_subscribe = lambda *_: self._subscribed.set()

    def connect(self, **more: Any) -> None:
        """Connect and wait for the broker."""
        host, port = self._address
        self.client.connect(host, int(port), **more)
        self.client.loop_start()
        assert self._connected.wait(10)

    def subscribe(self, pattern: str, qos: int) -> None:
        """Subscribe and wait for the broker."""
        self.client.subscribe(pattern, qos)
        assert self._subscribed.wait(10)

    def publish(self, topic: str, payload: str) -> None:
        """Publish with QoS 1 and wait for the broker."""
        self.client.publish(topic, payload, 1).wait_for_publish(10)

    def leave(self, *, abruptly: bool) -> None:
        """Go, with or without taking leave."""
        if abruptly:
            self.client.reconnect_delay_set(600, 600)
            self.client.socket().shutdown(socket.SHUT_RDWR)  # type: ignore[union-attr] # connected
        else:
            self.client.disconnect()
        self.client.loop_stop()


def until(condition: Callable[[], bool]) -> None:
    """Wait for what the lab's other thread will write down."""
    for _ in range(500):
        if condition():
            return
        threading.Event().wait(0.01)  # evidence is a file: there is nothing else to wait for
    raise TimeoutError


def test_untouched_earns_nothing(judge: Callable[..., Outcome]) -> None:
    """Every new check fails on a lab that nobody has touched."""
    for name, params in {
        "modbus.order": {"tag": "meter1.shed_load", "read_back": "5 s"},
        "modbus.exceptions": {"device": "meter1", "at_most": "5 %"},
        "modbus.never": {"tags": ["meter1.voltage_l1"]},
        "mqtt.connected": {},
        "mqtt.subscribed": {"topics": ["a"]},
        "mqtt.never": {"topics": ["a"]},
        "mqtt.will": {"topic": STATUS},
        "mqtt.published": {"topic": "#", "every": "1 s", "for": "5 s", "schema": {}},
    }.items():
        outcome = judge(name, **params)
        assert (outcome.state, outcome.score) == (State.FAILED, 0), name


@pytest.mark.parametrize("abruptly", [True, False])
@pytest.mark.parametrize("version", [MQTTProtocolVersion.MQTTv311, MQTTProtocolVersion.MQTTv5])
def test_a_will_speaks_for_a_lost_client_only(
    field: Field, judge: Callable[..., Outcome], version: int, abruptly: bool
) -> None:
    """In both versions: published after an abrupt end, not after a DISCONNECT; the connection is judged as it was asked for."""
    gateway = Gateway(field, "gw-7", version)
    expiry = Properties(PacketTypes.CONNECT)
    expiry.SessionExpiryInterval = 90
    gateway.connect(keepalive=30, **({"properties": expiry, "clean_start": False} if version == 5 else {}))
    gateway.leave(abruptly=abruptly)
    until(lambda: bool(field.evidence.of("mqtt", "close")))
    until(lambda: not abruptly or bool(field.evidence.of("mqtt", "publish")))
    will = {"topic": STATUS, "qos": 1, "retain": True, "payload": "offline"}
    named = {3: "3.1", 4: "3.1.1", 5: "5"}[int(version)]
    assert judge("mqtt.connected", client="gw-.*", will=will, version=named, keepalive="30 s").state is State.PASSED
    assert (judge("mqtt.connected", kept="90 s").state is State.PASSED) is (version == MQTTProtocolVersion.MQTTv5)
    assert (judge("mqtt.will", **will, client="gw-7").state is State.PASSED) is abruptly
    assert judge("mqtt.published", topic=STATUS).state is State.FAILED  # a will is nobody's message


def test_subscriptions_as_the_broker_writes_them(field: Field, judge: Callable[..., Outcome]) -> None:
    """Filters and granted QoS of a real SUBSCRIBE; what it must not touch, and what it does."""
    gateway = Gateway(field, "gw-7")
    gateway.connect()
    gateway.subscribe("site/+/cmd/#", 1)
    gateway.publish("site/1/state", '{"value": 1.5}')
    gateway.leave(abruptly=False)
    assert judge("mqtt.subscribed", topics=["site/1/cmd/start"], qos=1).state is State.PASSED
    assert judge("mqtt.subscribed", topics=["site/1/cmd/start"], qos=2).state is State.FAILED
    assert judge("mqtt.never", topics=["site/1/cmd/stop"], action="subscribe").state is State.FAILED
    assert judge("mqtt.never", topics=["site/1/cmd/stop"], action="publish").state is State.PASSED
    schema = {"required": ["value"], "properties": {"value": {"maximum": 1}}}
    assert "value (maximum)" in judge("mqtt.published", topic="site/+/state", schema=schema).reason["en"]


def test_order_and_prohibitions_as_the_device_writes_them(
    field: Field, meter: ModbusTcpClient, judge: Callable[..., Outcome]
) -> None:
    """A coil that is looked at, switched and looked at again; a write to what is read only; a share of exceptions."""
    coil, voltage = field.base, 3027 + field.base
    for _ in range(20):
        assert not meter.read_holding_registers(voltage, count=2, device_id=UNIT).isError()
    switched = {"tag": "meter1.shed_load", "read_back": "5 s"}
    meter.read_coils(coil, count=1, device_id=UNIT)
    assert judge("modbus.order", **switched).state is State.FAILED
    meter.write_coil(coil, True, device_id=UNIT)
    assert judge("modbus.order", **switched).state is State.FAILED
    meter.read_coils(coil, count=1, device_id=UNIT)
    was_off = {"tag": switched["tag"], "value": False}
    assert judge("modbus.order", **switched, permissive=was_off).state is State.PASSED
    forbidden = {"device": "meter1", "table": "holding", "first": voltage, "last": voltage}
    assert judge("modbus.never", ranges=[forbidden]).state is State.PASSED
    assert meter.write_register(voltage, 1, device_id=UNIT).isError()
    assert judge("modbus.never", ranges=[forbidden]).state is State.FAILED
    assert judge("modbus.exceptions", device="meter1", at_most="5 %").state is State.PASSED
    assert judge("modbus.exceptions", device="meter1", at_most="2 %").state is State.FAILED
