"""Each foreign client sees what the plant's store holds, and leaves its evidence."""

from __future__ import annotations

import asyncio
import struct
import subprocess
from collections.abc import Callable
from typing import Any

import pytest

from labsim.evidence.evidence import Evidence
from labsim.lab.lab import Lab

pytestmark = pytest.mark.foreign
URI = "urn:labsim:cnc-mill"


def frozen(lab: Lab) -> Lab:
    """The lab with its plant standing still, so that two looks see one value."""
    lab.clock.pause()
    return lab


async def test_modbus_serial_reads_the_store(lab: Lab, port: Callable[[str], int], node: Callable[..., Any]) -> None:
    """Npm modbus-serial reads the store's voltage, meets exception 02 in a hole, and switches a coil."""
    store, base = frozen(lab).plant.store, int(lab.scenario.drawn["base"])
    ask = [
        "read",
        "holding",
        str(3027 + base),
        "2",
        "read",
        "holding",
        "60000",
        "1",
        "read",
        "discrete",
        str(base),
        "5",
    ]
    told = await asyncio.to_thread(node, "modbus.js", "127.0.0.1", str(port("modbus")), "11", *ask)
    raw = struct.pack(">2H", *told[0]["data"])
    assert struct.unpack(">f", raw)[0] == store.read(store["meter1.voltage_l1"].row)
    assert told[1]["exception"] == 2
    assert told[2]["data"] == [False] * 5
    reads = Evidence.load(lab.options.attempt).of("modbus", "read", "meter1")
    assert reads[0].tags == ["meter1.voltage_l1"]
    assert reads[1].status == 2


async def test_mbpoll_reads_the_store(lab: Lab, port: Callable[[str], int], need: Callable[..., None]) -> None:
    """Mbpoll reads the store's voltage as a big-endian float."""
    need("mbpoll")
    store, address = frozen(lab).plant.store, str(3027 + int(lab.scenario.drawn["base"]))
    ask = ["mbpoll", "-0", "-1", "-B", "-a", "11", "-t", "4:float", "-r", address, "-c", "1", "-p", str(port("modbus"))]
    said = await asyncio.to_thread(subprocess.run, [*ask, "127.0.0.1"], capture_output=True, text=True, timeout=30)
    value = float(said.stdout.split(f"[{address}]:")[1].split()[0])
    assert value == pytest.approx(float(store.read(store["meter1.voltage_l1"].row)), rel=1e-5)


async def test_node_opcua_reads_the_store(lab: Lab, port: Callable[[str], int], node: Callable[..., Any]) -> None:
    """node-opcua reads a float, a text and a number of the mill as the store holds them, all Good."""
    store = frozen(lab).plant.store
    tags = ["mill1.spindle_temperature", "mill1.program_name", "mill1.parts_completed"]
    url = f"opc.tcp://127.0.0.1:{port('opcua')}"
    told = await asyncio.to_thread(node, "opcua.js", url, "read", "0", URI, *tags)
    assert [row["value"] for row in told] == [pytest.approx(store.read(store[tag].row)) for tag in tags]
    assert {row["status"] for row in told} == {"Good"}
    assert Evidence.load(lab.options.attempt).of("opcua", "read")[-1].tags == tags


async def test_node_opcua_connects_encrypted(lab: Lab, port: Callable[[str], int], node: Callable[..., Any]) -> None:
    """node-opcua opens an encrypted session, and the evidence says with which policy and mode."""
    url = f"opc.tcp://127.0.0.1:{port('opcua')}"
    told = await asyncio.to_thread(node, "opcua.js", url, "read", "0", URI, "mill1.spindle_speed", OPCUA_SECURE="1")
    assert told[0]["status"] == "Good"
    session = Evidence.load(lab.options.attempt).of("opcua", "session")[-1]
    assert session.detail["policy"].endswith("Basic256Sha256")
    assert session.detail["mode"] == "SignAndEncrypt"


async def test_node_opcua_subscribes(lab: Lab, port: Callable[[str], int], node: Callable[..., Any]) -> None:
    """node-opcua's subscription gets values as they change, and the evidence holds its settings."""
    url = f"opc.tcp://127.0.0.1:{port('opcua')}"
    told = await asyncio.to_thread(node, "opcua.js", url, "watch", "3", URI, "mill1.spindle_temperature")
    assert len(told) > 1
    item = Evidence.load(lab.options.attempt).of("opcua", "subscribe")[-1]
    assert item.tags == ["mill1.spindle_temperature"]
    assert item.detail["publishing_ms"] == 500
    assert item.detail["sampling_ms"] == 250


async def test_mosquitto_clients_meet_at_the_broker(
    lab: Lab, port: Callable[[str], int], need: Callable[..., None]
) -> None:
    """What mosquitto_pub publishes with QoS 2, mosquitto_sub gets; a retained message waits for it."""
    need("mosquitto_pub", "mosquitto_sub")
    where = ["-h", "127.0.0.1", "-p", str(port("mqtt"))]
    said = ["mosquitto_pub", *where, "-q", "2", "-r", "-t", "a/b", "-m", "hello"]
    await asyncio.to_thread(subprocess.run, said, check=True, timeout=30)
    heard = ["mosquitto_sub", *where, "-q", "2", "-t", "a/+", "-C", "1", "-W", "20"]
    got = await asyncio.to_thread(subprocess.run, heard, capture_output=True, text=True, timeout=30)
    assert got.stdout == "hello\n"
    publish = Evidence.load(lab.options.attempt).of("mqtt", "publish")[-1]
    assert (publish.subject, publish.values, publish.detail["qos"], publish.detail["retain"]) == (
        "a/b",
        ["hello"],
        2,
        True,
    )
