"""The fault matrix: each fault is seen by a real client at an endpoint, stands in the journal, and is over when told.

Faults of device types, links and what happens by itself are in `test_fault_matrix_types`, rogue clients in `test_rogue`.
"""

from __future__ import annotations

import asyncio
import json
import struct
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path
from typing import Any

import paho.mqtt.client as paho
import pytest
from asyncua import Client, ua
from cryptography import x509
from paho.mqtt.enums import CallbackAPIVersion
from pymodbus.client import AsyncModbusTcpClient
from pymodbus.exceptions import ModbusException

from labsim.endpoints.fault_table import ENDPOINT_FAULTS
from labsim.evidence.evidence import Evidence
from labsim.lab.lab import Lab
from labsim.lab.options import Options
from labsim.plant import status
from labsim.plant.fault_table import DEVICE_FAULTS, VALUE_FAULTS
from labsim.sparkplug.payload import decode

SCENARIO = """\
labsim: 1
id: matrix
title: Matrix
level: junior
minutes: 5
plant:
  meter1: {type: power-meter}
endpoints:
  - modbus: {port: 5020, units: {1: meter1}}
  - opcua: {port: 4840, devices: [meter1], anonymous: Operator}
  - mqtt: {port: 1883, devices: [meter1]STYLE}
tasks:
  - id: read
    title: Read
    marks: 1
    checks:
      - modbus.read: {device: meter1, table: holding, marks: 1}
"""
COMMANDS = ", commands: 'cmd/{device}/{tag}'"
SPARKPLUG = ", style: sparkplug, sparkplug: {group: plant, edge: edge1}"
VOLTAGE = 3027
"""Wire address of ``voltage_l1``."""
NEEDED: dict[str, dict[str, Any]] = {
    "swapped": {"with": "current_l1"},
    "counter-rollover": {"limit": 100},
    "float32-stall": {"at": 100},
    "saturated-16bit": {"top": 100},
    "spikes": {"every": 1},
    "dropout": {"every": 1},
    "zero-read": {"every": 1},
    "drift": {"rate": 600},
    "quantised": {"digit": 7},
}


async def until(condition: Callable[[], Any]) -> None:
    """Give the event loop its turns until ``condition`` holds."""
    async with asyncio.timeout(60):
        while not condition():  # noqa: ASYNC110 - the plant has no event for it
            await asyncio.sleep(0.002)


async def until_so(ask: Callable[[], Awaitable[bool]]) -> None:
    """Ask a client again until the answer is yes."""
    async with asyncio.timeout(60):
        while not await ask():  # noqa: ASYNC110 - see above
            await asyncio.sleep(0.002)


@dataclass
class Bench:
    """A running lab with a client on each of its endpoints.

    Attributes:
        heard: What the MQTT client has heard: topic, payload, retained.
    """

    lab: Lab
    folder: Path
    modbus: AsyncModbusTcpClient
    opcua: Client
    heard: list[tuple[str, bytes, bool]]

    def url(self, protocol: str) -> str:
        """Where an endpoint is."""
        return next(str(row["url"]) for row in self.lab.addresses() if row["protocol"] == protocol)

    def port(self, protocol: str) -> int:
        """Its port."""
        return int(self.url(protocol).rpartition(":")[2])

    async def value(self) -> ua.DataValue:
        """``voltage_l1`` as OPC UA shows it."""
        endpoint = next(e for e in self.lab._endpoints if e.protocol == "opcua")
        node = self.opcua.get_node(endpoint.node_of("meter1.voltage_l1"))  # type: ignore[attr-defined]  # OPC UA's own
        return await node.read_data_value(raise_on_bad_status=False)

    async def registers(self, address: int = VOLTAGE) -> Any:
        """The two registers at ``voltage_l1``, or what came instead."""
        return await self.modbus.read_holding_registers(address, count=2, device_id=1)

    @property
    def true(self) -> float:
        """What the device holds."""
        return float(self.lab.plant.devices["meter1"]["voltage_l1"])

    def age(self, shown: ua.DataValue) -> float:
        """Seconds since a source time, by the clock of the plant."""
        now = datetime.fromtimestamp(self.lab.clock.utc_ns(self.lab.clock.step_time_ns) / 1e9, UTC)
        return float((now - shown.SourceTimestamp.replace(tzinfo=UTC)).total_seconds())

    def begin(self, target: str, fault: str, **given: Any) -> None:
        """Let something fail, hidden from the trainee."""
        self.lab.instructor.fault(target, fault, {**given, "hidden": True})

    def end(self, target: str, fault: str) -> None:
        """End it; the journal has its beginning and its end, with one number, both hidden."""
        assert self.lab.instructor.fault(target, "good", {})["ended"] == 1
        seen = [r for r in Evidence.load(self.folder).of("lab", "fault") if r.subject == target]
        begun, ended = seen[-2:]
        assert [r.detail["phase"] for r in (begun, ended)] == ["begin", "end"]
        assert begun.detail["number"] == ended.detail["number"]
        assert begun.detail["hidden"] is ended.detail["hidden"] is True
        assert begun.detail["fault"].rpartition(".")[2] == fault

    async def steps(self, count: int) -> None:
        """Let so many steps pass."""
        last = self.lab.clock.step + count
        await until(lambda: self.lab.clock.step >= last)


@asynccontextmanager
async def bench(tmp_path: Path, style: str = "") -> AsyncIterator[Bench]:
    """A lab with its clients."""
    scenario = tmp_path / "matrix"
    scenario.mkdir()
    (scenario / "scenario.yaml").write_text(SCENARIO.replace("STYLE", style), encoding="utf-8")
    folder = tmp_path / "attempt"
    async with Lab(scenario, Options(seed="matrix", attempt=folder, speed=20.0, port_base=0)) as lab:
        urls = {row["protocol"]: str(row["url"]) for row in lab.addresses()}
        modbus = AsyncModbusTcpClient(
            "127.0.0.1", port=int(urls["modbus"].rpartition(":")[2]), timeout=1, retries=0, reconnect_delay=0
        )
        made = Bench(lab, folder, modbus, Client(urls["opcua"]), [])
        await made.modbus.connect()
        async with made.opcua:
            with listening(made, made.heard):
                yield made
        made.modbus.close()


class listening:  # noqa: N801 - reads as a statement
    """An MQTT client that hears everything into a list."""

    def __init__(self, made: Bench, heard: list[tuple[str, bytes, bool]]) -> None:
        self._client = paho.Client(CallbackAPIVersion.VERSION2)
        self._client.on_connect = lambda client, *_: client.subscribe("#")
        self._client.on_message = lambda _c, _u, m: heard.append((m.topic, m.payload, m.retain))
        self._port = made.port("mqtt")

    def __enter__(self) -> paho.Client:
        self._client.connect_async("127.0.0.1", self._port)
        self._client.loop_start()
        return self._client

    def __exit__(self, *_: object) -> None:
        self._client.disconnect()
        self._client.loop_stop()


@pytest.mark.timeout(120)
async def test_faults_of_a_value(tmp_path: Path) -> None:
    """Every one of them is seen over OPC UA as a wrong value, a status or an old source time, and then no more."""
    async with bench(tmp_path) as rig:

        async def is_wrong() -> bool:
            rig.lab.clock.pause()  # so that the truth is the one of the moment of the answer
            shown, true = await rig.value(), rig.true
            age = rig.age(shown)
            rig.lab.clock.resume()
            if int(shown.StatusCode.value) != status.GOOD or shown.Value is None:
                return True
            return age > 0.5 or abs(float(shown.Value.Value) - true) > 0.01

        async def is_right() -> bool:
            return not await is_wrong()

        await until_so(is_right)
        for fault in VALUE_FAULTS:
            rig.begin("meter1.voltage_l1", fault, **NEEDED.get(fault, {}))
            await until_so(is_wrong)
            rig.end("meter1.voltage_l1", fault)
            await rig.steps(1)
            assert not await is_wrong(), fault


@pytest.mark.timeout(120)
async def test_a_dead_device(tmp_path: Path) -> None:
    """Modbus exception 0B or silence, BadNoCommunication, no message; afterwards all three answer again."""
    async with bench(tmp_path) as rig:
        await until(lambda: rig.heard)
        rig.begin("meter1", "dead")
        assert (await rig.registers()).exception_code == 0x0B
        await rig.steps(1)
        assert int((await rig.value()).StatusCode.value) == status.BAD_NO_COMMUNICATION
        await rig.steps(20)
        silent_since = len(rig.heard)
        await rig.steps(40)
        assert len(rig.heard) <= silent_since + 1  # one may have been on its way
        rig.end("meter1", "dead")
        await until(lambda: len(rig.heard) > silent_since + 2)
        assert not (await rig.registers()).isError()
        assert int((await rig.value()).StatusCode.value) == status.GOOD
        rig.begin("meter1", "dead", silent=1)
        with pytest.raises(ModbusException):
            await rig.registers()
        rig.end("meter1", "dead")
    records = Evidence.load(rig.folder).of("modbus", "read")
    assert {0, 0x0B, -1} <= {record.status for record in records}


@pytest.mark.timeout(120)
async def test_what_a_device_answers_otherwise(tmp_path: Path) -> None:
    """Stale, slow, words swapped, map moved: seen over Modbus or OPC UA."""
    async with bench(tmp_path) as rig:
        rig.begin("meter1", "stale", uncertain=1)
        await rig.steps(2)
        old = await rig.value()
        await rig.steps(10)
        assert (await rig.value()).SourceTimestamp == old.SourceTimestamp
        assert int(old.StatusCode.value) == status.UNCERTAIN_LAST_USABLE_VALUE
        rig.end("meter1", "stale")

        rig.begin("meter1", "slow", delay="2 s")
        asked = rig.lab.clock.now_ns()
        assert not (await rig.registers()).isError()
        assert rig.lab.clock.now_ns() - asked >= 1_900_000_000
        rig.end("meter1", "slow")

        good = struct.unpack(">f", struct.pack(">2H", *(await rig.registers()).registers))[0]
        rig.begin("meter1", "word-swap")
        high, low = (await rig.registers()).registers
        assert abs(struct.unpack(">f", struct.pack(">2H", high, low))[0] - good) > 1
        assert abs(struct.unpack(">f", struct.pack(">2H", low, high))[0] - good) < 10
        rig.end("meter1", "word-swap")

        rig.begin("meter1", "map-moved", by=1)
        moved = struct.unpack(">f", struct.pack(">2H", *(await rig.registers(VOLTAGE + 1)).registers))[0]
        assert abs(moved - good) < 10
        rig.end("meter1", "map-moved")
        again = struct.unpack(">f", struct.pack(">2H", *(await rig.registers()).registers))[0]
        assert abs(again - good) < 10


@pytest.mark.timeout(120)
@pytest.mark.parametrize(("fault", "by"), [("clock-skew", 25.0), ("clock-jump", -86.0)])
async def test_a_wrong_clock(tmp_path: Path, fault: str, by: float) -> None:
    """Source times are off by as much as was said, and right again afterwards; the server's are right throughout."""
    async with bench(tmp_path) as rig:

        async def off() -> float:
            return -rig.age(await rig.value())

        assert abs(await off()) < 1
        rig.begin("meter1", fault, by=by)
        await rig.steps(1)
        assert abs(await off() - by) < 1
        rig.end("meter1", fault)
        await rig.steps(1)
        assert abs(await off()) < 1


@pytest.mark.timeout(120)
async def test_alarms_that_flood_and_alarms_that_stall(tmp_path: Path) -> None:
    """A flood brings many events in a short time; a stall brings none where there is reason for one, until it ends."""
    async with bench(tmp_path) as rig:
        events: list[Any] = []

        class Handler:
            def event_notification(self, event: Any) -> None:
                events.append(event)

        subscription = await rig.opcua.create_subscription(20, Handler())
        await subscription.subscribe_events(rig.opcua.nodes.server, ua.ObjectIds.AlarmConditionType, queuesize=1000)
        rig.begin("meter1", "alarm-flood", rate=10)
        await until(lambda: len(events) > 20)
        rig.end("meter1", "alarm-flood")
        before = -1
        while before != len(events):  # until the last one has arrived
            before = len(events)
            await rig.steps(60)
        rig.begin("meter1", "alarm-stall")
        rig.lab.instructor.fault("meter1.voltage_ln", "offset", {"by": 200})
        await rig.steps(100)
        assert len(events) == before
        rig.end("meter1", "alarm-stall")
        await until(lambda: len(events) > before)


@pytest.mark.timeout(120)
async def test_faults_of_the_modbus_endpoint(tmp_path: Path) -> None:
    """With a limit of one connection a second one is refused, and let in afterwards."""
    async with bench(tmp_path) as rig:

        async def second() -> bool:
            client = AsyncModbusTcpClient("127.0.0.1", port=rig.port("modbus"), timeout=2, retries=0)
            await client.connect()
            try:
                return not (await client.read_holding_registers(VOLTAGE, count=2, device_id=1)).isError()
            except ModbusException:
                return False
            finally:
                client.close()

        assert await second()
        rig.begin("endpoint.modbus", "connection-limit", sessions=1)
        assert not await second()
        assert not (await rig.registers()).isError()
        rig.end("endpoint.modbus", "connection-limit")
        assert await second()


@pytest.mark.timeout(120)
async def test_faults_of_the_opcua_endpoint(tmp_path: Path) -> None:
    """A restart moves the namespaces; an expired and an exchanged certificate are seen in the endpoints; all go back."""
    async with bench(tmp_path) as rig:

        async def uris() -> list[str]:
            async with Client(rig.url("opcua")) as client:
                return list(await client.get_namespace_array())

        async def certificate() -> x509.Certificate:
            found = await Client(rig.url("opcua")).connect_and_get_server_endpoints()
            return x509.load_der_x509_certificate(found[0].ServerCertificate)

        before, own = await uris(), await certificate()
        rig.begin("endpoint.opcua", "restart")
        change = next(e for e in rig.lab._endpoints if e.protocol == "opcua")
        await change._change  # type: ignore[attr-defined]  # the restart itself
        assert sorted(await uris()) == sorted(before)
        assert await uris() != before
        rig.end("endpoint.opcua", "restart")
        await change._change  # type: ignore[attr-defined]
        assert await uris() == before

        for fault in ("certificate-expired", "certificate-changed"):
            rig.begin("endpoint.opcua", fault)
            await change._change  # type: ignore[attr-defined]
            shown = await certificate()
            assert shown != own
            assert (shown.not_valid_after_utc < own.not_valid_before_utc) == (fault == "certificate-expired")
            rig.end("endpoint.opcua", fault)
            assert await certificate() == own


@pytest.mark.timeout(120)
async def test_a_retained_message_that_is_old(tmp_path: Path) -> None:
    """Who subscribes during the fault gets an old message first; afterwards there is no old one any more."""
    async with bench(tmp_path) as rig:
        rig.begin("endpoint.mqtt", "retained-stale")
        await rig.steps(60)
        late: list[tuple[str, bytes, bool]] = []
        with listening(rig, late):
            await until(lambda: any(topic == late[0][0] and not retained for topic, _, retained in late))
        first = late[0]
        assert first[2]
        other = next(one for one in late if one[0] == first[0] and not one[2])
        assert json.loads(first[1])["time"] < json.loads(other[1])["time"]
        rig.end("endpoint.mqtt", "retained-stale")
        await rig.steps(20)
        after: list[tuple[str, bytes, bool]] = []
        with listening(rig, after):
            await until(lambda: any(topic == first[0] for topic, _, _ in after))
        newest = next(payload for topic, payload, _ in after if topic == first[0])
        assert json.loads(newest)["time"] >= json.loads(other[1])["time"]


@pytest.mark.timeout(120)
async def test_faults_of_a_sparkplug_node(tmp_path: Path) -> None:
    """A gap in the sequence, and a sequence that begins anew without a birth until the fault ends; a dead device dies."""
    async with bench(tmp_path, SPARKPLUG) as rig:

        def heard(kind: str) -> list[int]:
            return [
                int(decode(p).seq or 0)
                for topic, p, retained in list(rig.heard)
                if f"/{kind}/" in topic and not retained
            ]

        await until(lambda: len(heard("DDATA")) > 3)
        rig.begin("endpoint.mqtt", "sequence-gap", messages=3)
        rig.end("endpoint.mqtt", "sequence-gap")

        def jumps() -> list[int]:
            seen = heard("DDATA")
            return [(after - before) % 256 for before, after in pairwise(seen)]

        await until(lambda: 4 in jumps())
        births = len(heard("NBIRTH"))
        rig.begin("endpoint.mqtt", "restart-without-birth")
        await until(lambda: 0 in heard("DDATA"))
        assert len(heard("NBIRTH")) == births
        rig.end("endpoint.mqtt", "restart-without-birth")
        await until(lambda: len(heard("NBIRTH")) > births)
        rig.begin("meter1", "dead")
        await until(lambda: heard("DDEATH"))
        rig.end("meter1", "dead")
        await until(lambda: len(heard("DBIRTH")) > 1)


@pytest.mark.timeout(120)
async def test_a_paused_plant_says_so_everywhere(tmp_path: Path) -> None:
    """Writes are refused over OPC UA, Modbus and MQTT, reads go on, ServerState is Suspended; then everything goes on."""
    async with bench(tmp_path, COMMANDS) as rig:
        await until(lambda: rig.heard)
        rig.lab.instructor.pause()
        endpoint = next(e for e in rig.lab._endpoints if e.protocol == "opcua")
        node = rig.opcua.get_node(endpoint.node_of("meter1.shed_load"))  # type: ignore[attr-defined]
        state = rig.opcua.get_node(ua.NodeId(ua.ObjectIds.Server_ServerStatus_State))
        with pytest.raises(ua.UaStatusCodeError, match="BadInvalidState"):
            await node.write_value(ua.Variant(True, ua.VariantType.Boolean))
        assert await state.read_value() == ua.ServerState.Suspended
        assert await node.read_value() is False
        assert (await rig.modbus.write_coil(0, True, device_id=1)).exception_code == 6
        with listening(rig, rig.heard) as client:
            client.publish("cmd/meter1/shed_load", '{"value": true}', qos=1)
            await until(lambda: any(topic.endswith("/reply") for topic, _, _ in rig.heard))
        reply = next(payload for topic, payload, _ in rig.heard if topic.endswith("/reply"))
        assert b"BadInvalidState" in reply
        rig.lab.instructor.resume()
        assert await state.read_value() == ua.ServerState.Running
        await node.write_value(ua.Variant(True, ua.VariantType.Boolean))
        assert rig.lab.plant.devices["meter1"]["shed_load"] is True


def test_the_matrix_is_whole() -> None:
    """Every fault of a device and of an endpoint is in a test above."""
    text = Path(__file__).read_text(encoding="utf-8")
    names = {*DEVICE_FAULTS, *(name for table in ENDPOINT_FAULTS.values() for name in table)}
    assert not {name for name in names if f'"{name}"' not in text}
