"""Each state of a link as a real client of each protocol sees it, and what the endpoint's evidence says."""

from __future__ import annotations

import asyncio
import ssl
import sys
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest
from asyncua import Client as OpcuaClient
from paho.mqtt.client import Client as PahoClient
from paho.mqtt.enums import CallbackAPIVersion
from pymodbus.client import AsyncModbusTcpClient

from labsim.endpoints.endpoint import Endpoint
from labsim.endpoints.link.impairment import Impairment
from labsim.endpoints.link.link import Link
from labsim.endpoints.modbus.endpoint import ModbusEndpoint
from labsim.endpoints.mqtt.certificates import make_certificates, server_context
from labsim.endpoints.mqtt.endpoint import MqttEndpoint
from labsim.endpoints.opcua.endpoint import OpcuaEndpoint
from labsim.evidence.event import Event
from labsim.plant.clock import SimClock
from labsim.plant.device import Device
from labsim.plant.interface import Interface
from labsim.plant.plant import DeviceType, Plant

from .conftest import until

VALVE = {
    "type": "valve",
    "title": "Valve",
    "about": "A valve.",
    "identification": {"manufacturer": "Fictional", "model": "V-1", "revision": "1.0", "serial": "V1-{number:04d}"},
    "tags": {"position": {"type": "u16", "title": "Position", "initial": 42}},
    "modbus": {"numbering": 1, "registers": [{"doc": 1, "tag": "position", "type": "u16"}]},
    "opcua": {"namespace": "urn:test:valve", "type_name": "ValveType", "nodes": {"Position": "position"}},
}


class Modbus:
    """Reads a register with pymodbus."""

    async def open(self, port: int, host: str) -> None:
        """Connect from ``host``."""
        self.client = AsyncModbusTcpClient("127.0.0.1", port=port, source_address=(host, 0), retries=0, timeout=2)
        self.client.comm_params.reconnect_delay = 0  # a reset is to be seen, not mended
        if not await self.client.connect():
            raise ConnectionError

    async def ask(self) -> None:
        """One read."""
        answer = await self.client.read_holding_registers(0, count=1, device_id=1)
        assert answer.registers == [42]

    async def close(self) -> None:
        """Leave."""
        self.client.close()


class Opcua:
    """Reads a node with asyncua, which cannot choose the address that it comes from."""

    async def open(self, port: int, _host: str) -> None:
        """Connect."""
        self.client = OpcuaClient(f"opc.tcp://127.0.0.1:{port}", timeout=10)
        await self.client.connect()
        self.node = self.client.get_node("ns=2;s=valve1.position")

    async def ask(self) -> None:
        """One read."""
        assert await self.node.read_value() == 42

    async def close(self) -> None:
        """Leave without a word, because the link may be cut."""
        self.client.disconnect_socket()


class Mqtt:
    """Publishes with paho and waits for the acknowledgement."""

    async def open(self, port: int, host: str) -> None:
        """Connect from ``host``."""
        self.client = PahoClient(CallbackAPIVersion.VERSION2, reconnect_on_failure=False)
        self.client.connect_timeout = 10
        loop = asyncio.get_running_loop()
        connected: asyncio.Future[None] = loop.create_future()

        def settle(error: Exception | None) -> None:
            if not connected.done():
                connected.set_exception(error) if error else connected.set_result(None)

        def on_connect(*_: Any) -> None:
            loop.call_soon_threadsafe(settle, None)

        def on_disconnect(*_: Any) -> None:
            loop.call_soon_threadsafe(settle, ConnectionError())
            loop.call_soon_threadsafe(self.lost.set)

        self.lost = asyncio.Event()
        self.client.on_connect, self.client.on_disconnect = on_connect, on_disconnect
        await asyncio.to_thread(self.client.connect, "127.0.0.1", port, 60, host)
        self.client.loop_start()
        await connected

    async def ask(self) -> None:
        """One message with QoS 1."""
        info = self.client.publish("a/b", "1", qos=1)
        while not info.is_published():
            if self.lost.is_set():
                raise ConnectionError
            await asyncio.sleep(0.002)

    async def close(self) -> None:
        """Leave."""
        self.client.disconnect()
        await asyncio.to_thread(self.client.loop_stop)


class Wired:
    """An endpoint of one protocol behind a link, and clients of it."""

    def __init__(self, protocol: str) -> None:
        self.protocol, self.link, self.events = protocol, Link(seed="wired"), []
        plant = Plant(7, SimClock())
        plant.add("valve1", DeviceType(Interface.model_validate(VALVE), Device))
        plant.start()
        sink, guard = self.events.append, self.link.guard
        self.endpoint: Endpoint
        if protocol == "modbus":
            self.endpoint = ModbusEndpoint(plant, {1: "valve1"}, sink, guard=guard)
        elif protocol == "opcua":
            self.endpoint = OpcuaEndpoint(plant, ["valve1"], sink, guard=guard)
        else:
            self.endpoint = MqttEndpoint(plant, [], sink, guard=guard)
        self.events: list[Event]
        self.clients: list[Any] = []
        self.stack = AsyncExitStack()

    @property
    def port(self) -> int:
        """Where it listens."""
        return int(self.endpoint.addresses()[0].url.rpartition(":")[2])

    async def client(self, host: str = "127.0.0.1") -> Any:
        """A connected client."""
        client = {"modbus": Modbus, "opcua": Opcua, "mqtt": Mqtt}[self.protocol]()
        self.clients.append(client)
        async with asyncio.timeout(60):
            await client.open(self.port, host)
        return client

    def of(self, kind: str) -> list[Event]:
        """Events of one kind."""
        return [event for event in self.events if event.kind == kind]


@pytest.fixture(params=["modbus", "opcua", "mqtt"])
async def wired(request: pytest.FixtureRequest) -> AsyncIterator[Wired]:
    """Each protocol in turn."""
    wired = Wired(request.param)
    await wired.stack.enter_async_context(wired.endpoint)
    yield wired
    wired.link.shut()
    for client in wired.clients:
        await client.close()
    await wired.stack.aclose()


async def test_a_black_hole_answers_late_or_never(wired: Wired) -> None:
    """A client in a black hole waits, the endpoint has no evidence of its request; both get theirs when it ends."""
    client = await wired.client()
    await client.ask()
    await until(lambda: not any(line._gated for line in wired.link.lines))
    hole = Impairment("black-hole", client="127.0.0.1")
    wired.link.begin(hole)
    seen = len(wired.events)
    asked = asyncio.create_task(client.ask())
    await until(lambda: any(line._inward.held for line in wired.link.lines))
    assert not asked.done()
    assert len(wired.events) == seen
    wired.link.end(hole)
    async with asyncio.timeout(60):
        await asked
    assert len(wired.events) > seen


async def test_a_slow_or_throttled_or_flapping_link_still_carries(wired: Wired) -> None:
    """Clients get right answers over a slow, a throttled and a flapping link, also when they connect over it."""
    client = await wired.client()
    for impairment in (
        Impairment("slow", delay=0.02, jitter=0.01),
        Impairment("throttle", rate=20_000),
        Impairment("flap", period=0.1, duty=0.5),
    ):
        wired.link.begin(impairment)
        async with asyncio.timeout(60):
            await client.ask()
            await (await wired.client()).ask()
        wired.link.end(impairment)
    await client.ask()


async def test_a_reset_is_a_broken_connection(wired: Wired) -> None:
    """A reset ends the client's connection, the endpoint's evidence says so, and a new client is welcome afterwards."""
    client = await wired.client()
    await client.ask()
    reset = Impairment("reset")
    wired.link.begin(reset)
    wired.link.end(reset)
    await until(lambda: wired.of("close"))
    async with asyncio.timeout(60):
        with pytest.raises(Exception):  # noqa: B017 - each library has its own
            await client.ask()
    await (await wired.client()).ask()


async def test_a_refusing_link_keeps_whom_it_has(wired: Wired) -> None:
    """New clients fail and leave no trace in the evidence, while one that was there goes on."""
    client = await wired.client()
    await client.ask()
    opened = len(wired.of("open"))
    refusal = Impairment("refuse")
    wired.link.begin(refusal)
    with pytest.raises(Exception):  # noqa: B017 - each library has its own
        await (await wired.client("127.0.0.1")).ask()
    await client.ask()
    assert len(wired.of("open")) == opened
    wired.link.end(refusal)
    await (await wired.client()).ask()


@pytest.mark.skipif(sys.platform == "darwin", reason="macOS has 127.0.0.1 alone unless it is told")
async def test_one_clients_trouble_is_not_anothers(wired: Wired) -> None:
    """An impairment for one address leaves others alone, and evidence names the real address of each."""
    if wired.protocol == "opcua":
        pytest.skip("asyncua cannot choose its address")
    victim, other = await wired.client("127.0.0.2"), await wired.client()
    hole = Impairment("black-hole", client="127.0.0.2")
    wired.link.begin(hole)
    asked = asyncio.create_task(victim.ask())
    await other.ask()
    await other.ask()
    assert not asked.done()
    wired.link.end(hole)
    async with asyncio.timeout(60):
        await asked
    assert {event.client.rpartition(":")[0] for event in wired.of("open")} == {"127.0.0.1", "127.0.0.2"}


async def test_an_impaired_endpoint_closes(wired: Wired) -> None:
    """An endpoint whose clients hang in a black hole closes all the same, and lets go of every connection."""
    client = await wired.client()
    await client.ask()
    wired.link.begin(Impairment("black-hole"))
    asked = asyncio.create_task(client.ask())
    await until(lambda: any(line._inward.held for line in wired.link.lines))
    asked.cancel()
    wired.link.shut()
    async with asyncio.timeout(60):
        await wired.stack.aclose()
    await until(lambda: wired.of("close"))


@pytest.mark.parametrize("web", [False, True])
async def test_encrypted_and_wrapped_connections_stand_behind_the_link(tmp_path: Path, web: bool) -> None:
    """MQTT over TLS and over WebSocket in TLS waits in a black hole, goes on after it, and breaks with a reset."""
    make_certificates(tmp_path, "127.0.0.1", ())
    plant, link = Plant(7, SimClock()), Link()
    plant.start()
    tls = server_context(tmp_path, "none")
    async with MqttEndpoint(
        plant, [], [].append, tls=tls, tls_port=0, web_port=0, web_tls=True, guard=link.guard
    ) as endpoint:
        client = PahoClient(
            CallbackAPIVersion.VERSION2, transport="websockets" if web else "tcp", reconnect_on_failure=False
        )
        client.ws_set_options("/mqtt")
        client.tls_set(cert_reqs=ssl.CERT_NONE)
        client.tls_insecure_set(True)
        await asyncio.to_thread(client.connect, "127.0.0.1", endpoint.ports[2 if web else 1])
        client.loop_start()
        await until(client.is_connected)
        hole = Impairment("black-hole")
        link.begin(hole)
        info = client.publish("a/b", "1" * 5000, qos=1)
        await until(lambda: any(line._inward.held for line in link.lines))
        assert not info.is_published()
        link.end(hole)
        await until(info.is_published)
        link.begin(Impairment("reset"))
        await until(lambda: not client.is_connected())
        link.shut()
        client.disconnect()
        await asyncio.to_thread(client.loop_stop)
