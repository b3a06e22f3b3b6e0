"""The rest of the fault matrix: faults of device types, what happens as a plant is used, links; and that no number lacks."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from asyncua import Client, ua
from pymodbus.client import AsyncModbusTcpClient
from pymodbus.exceptions import ModbusException

import devices
from labsim.endpoints.fault_table import ENDPOINT_FAULTS, LINK_FAULTS
from labsim.evidence.event import Record
from labsim.evidence.evidence import Evidence
from labsim.lab.fault_catalogue import OTHERWISE, TITLES
from labsim.lab.lab import Lab
from labsim.lab.options import Options
from labsim.lab.rogue.table import ROGUE_FAULTS
from labsim.plant.fault_table import DEVICE_FAULTS, VALUE_FAULTS

HEAD = """\
labsim: 1
id: types
title: Types
level: junior
minutes: 60
"""
TASKS = """\
tasks:
  - id: read
    title: Read
    marks: 1
    checks:
      - opcua.session: {marks: 1}
"""
TYPES = """\
plant:
  drive1: {type: abb-drive, settings: {static_head: 0}}
  drive2: {type: abb-drive, settings: {static_head: 0}}
  agv1: {type: agv}
  mill1: {type: cnc-mill}
  mill2: {type: cnc-mill}
  mill3: {type: cnc-mill}
  load1: {type: loading-machine}
  fill1: {type: filling-machine}
  seal1: {type: sealing-machine}
  load2: {type: loading-machine}
  fill2: {type: filling-machine}
  seal2: {type: sealing-machine}
  oven1: {type: reflow-oven}
  sorter1: {type: sorter}
  printer1: {type: stencil-printer}
  clock1: {type: time-server}
  clock2: {type: time-server}
endpoints:
  - opcua:
      port: 4840
      devices: [drive1, drive2, agv1, mill1, mill2, mill3, load1, fill1, seal1, load2, fill2, seal2, oven1, sorter1, printer1]
      anonymous: Operator
  - ntp: {port: 1230, device: clock1}
  - ntp: {port: 1231, device: clock2}
"""
USE = """\
plant:
  tank1: {type: tank}
  drive1: {type: abb-drive}
  pid1: {type: pid-controller}
  comp1: {type: compressor, settings: {demand: 0, leaks: 0, receiver: 0.5}}
endpoints:
  - modbus:
      port: 5020
      units: {1: tank1, 2: drive1, 3: pid1}
      watchdogs: {tank1: {time: 3 s, trigger: write, safe: {pump_command: false}}}
  - opcua: {port: 4840, devices: [tank1, comp1], anonymous: Operator}
timeline:
  - {at: 60 s, device: comp1, setting: leaks, value: 25}
"""
Values = Mapping[str, float]
Ask = Callable[..., Awaitable[dict[str, float]]]


async def until(condition: Callable[[], Any]) -> None:
    """Give the event loop its turns until ``condition`` holds."""
    async with asyncio.timeout(60):
        while not condition():  # noqa: ASYNC110 - the plant has no event for it
            await asyncio.sleep(0.005)


async def until_so(ask: Callable[[], Awaitable[bool]]) -> None:
    """Ask a client again until the answer is yes."""
    async with asyncio.timeout(100):
        while not await ask():  # noqa: ASYNC110 - the plant has no event for it
            await asyncio.sleep(0.01)


@asynccontextmanager
async def running(tmp_path: Path, plant: str, speed: float) -> AsyncIterator[tuple[Lab, Client, Ask]]:
    """A lab, an OPC UA client in it, and how it asks for tags."""
    scenario = tmp_path / "scenario"
    scenario.mkdir()
    (scenario / "scenario.yaml").write_text(HEAD + plant + TASKS, encoding="utf-8")
    options = Options(seed="types", attempt=tmp_path / "attempt", speed=speed, port_base=0)
    async with Lab(scenario, options) as lab:
        endpoint = next(e for e in lab._endpoints if e.protocol == "opcua")
        async with Client(next(str(row["url"]) for row in lab.addresses() if row["protocol"] == "opcua")) as client:

            async def ask(*paths: str) -> dict[str, float]:
                nodes = [client.get_node(endpoint.node_of(path)) for path in paths]  # type: ignore[attr-defined]
                found = await client.read_values(nodes)
                return {path.partition(".")[2]: float(value) for path, value in zip(paths, found, strict=True)}

            yield lab, client, ask


def faults(lab: Lab, target: str) -> list[Record]:
    """What the journal says of a target's faults."""
    return [one for one in Evidence.load(lab.options.attempt).of("lab", "fault") if one.subject == target]


def _always(_now: Values) -> bool:
    return True


def _executing(now: Values) -> bool:
    return now["state_current"] == 6 and now["cur_mach_speed"] > 0


def _held(now: Values, _before: Values) -> bool:
    return now["state_current"] != 6 and now["stop_reason_id"] == 1


def _stands(now: Values, _before: Values) -> bool:
    return now["state_current"] == 6 and now["cur_mach_speed"] == 0


def _full_speed(now: Values) -> bool:
    return now["speed"] > 1490


MACHINE = ("state_current", "cur_mach_speed", "stop_reason_id")
PUMP = ("flow", "head", "speed")
Row = tuple[
    str,
    str,
    dict[str, float],
    tuple[str, ...],
    Callable[[Values], bool],
    Callable[[Values, Values], bool],
    Callable[[Values], bool],
]
ROWS: list[Row] = [
    ("drive1", "dry-run", {}, PUMP, _full_speed, lambda now, _: now["flow"] < 1, lambda now: now["flow"] > 20),
    ("drive2", "cavitation", {}, PUMP, _full_speed, lambda now, was: now["head"] < 0.8 * was["head"],
     lambda now: now["flow"] > 20 and now["head"] > 20),
    ("agv1", "obstacle", {}, ("field_violation",), lambda now: not now["field_violation"],
     lambda now, _: now["field_violation"] == 1, lambda now: not now["field_violation"]),
    ("mill1", "tool-wear", {"rate": 100}, ("tool1_wear", "tool2_wear"), _always,
     lambda now, was: now["tool2_wear"] - was["tool2_wear"] > 10 * max(now["tool1_wear"] - was["tool1_wear"], 3), _always),
    ("mill2", "tool-break", {}, ("parts_scrap",), _always, lambda now, was: now["parts_scrap"] > was["parts_scrap"], _always),
    ("mill3", "spindle-bearing", {"damage": 40}, ("spindle_vibration",), lambda now: now["spindle_vibration"] < 2,
     lambda now, _: now["spindle_vibration"] > 4, lambda now: now["spindle_vibration"] < 2),
    *((f"{name}1", "jam", {}, MACHINE, _executing, _held, _executing) for name in ("load", "fill", "seal")),
    *((f"{name}2", "minor-stops", {"per_hour": 400.0}, MACHINE, _executing, _stands, _executing)
      for name in ("load", "fill", "seal")),
    ("oven1", "heater-half-power", {"zone": 7, "left": 0}, ("zone7_output", "zone7_temperature"),
     lambda now: now["zone7_output"] < 90,
     lambda now, was: now["zone7_output"] == 100 and now["zone7_temperature"] < was["zone7_temperature"] - 20,
     lambda now: now["zone7_temperature"] > 220),
    ("sorter1", "jam", {}, ("jam", "state"), lambda now: now["state"] == 1, lambda now, _: now["jam"] == 1, _always),
    ("printer1", "paste-drift", {"rate": 5}, ("paste_volume",), lambda now: now["paste_volume"] > 85,
     lambda now, _: now["paste_volume"] < 60, lambda now: now["paste_volume"] > 85),
]  # fmt: skip
"""Device, fault, parameters, tags that are read, when it can begin, what shows, and what is again when it is over."""


@pytest.mark.timeout(180)
async def test_faults_of_device_types(tmp_path: Path) -> None:
    """Each shows in what an OPC UA client reads, stands in the journal, and is over when told."""
    async with running(tmp_path, TYPES, 200.0) as (lab, client, ask):
        endpoint = next(e for e in lab._endpoints if e.protocol == "opcua")
        for drive in ("drive1", "drive2"):
            for tag, value in (("reference", 1500.0), ("control_word", 0x047E), ("control_word", 0x047F)):
                node = client.get_node(endpoint.node_of(f"{drive}.{tag}"))  # type: ignore[attr-defined]
                kind = ua.VariantType.Float if tag == "reference" else ua.VariantType.UInt16
                await node.write_value(ua.DataValue(ua.Variant(value, kind)))

        async def judge(row: Row) -> None:
            device, fault, parameters, tags, ready, shows, over = row
            paths = [f"{device}.{tag}" for tag in tags]
            before: dict[str, float] = {}

            async def is_ready() -> bool:
                before.update(await ask(*paths))
                return ready(before)

            async def is_seen() -> bool:
                return shows(await ask(*paths), before)

            async def is_over() -> bool:
                return over(await ask(*paths))

            await until_so(is_ready)
            lab.instructor.fault(device, fault, {**parameters, "hidden": True})
            await until_so(is_seen)
            assert lab.instructor.fault(device, "good", {})["ended"] == 1
            await until_so(is_over)
            begun, ended = faults(lab, device)
            assert (begun.detail["phase"], ended.detail["phase"]) == ("begin", "end")
            assert begun.detail["fault"] == fault
            assert begun.detail["number"] == ended.detail["number"]
            assert fault not in lab.plant.devices[device].faults

        await asyncio.gather(*(judge(row) for row in ROWS))


def _ntp_offset(lab: Lab, port: int) -> float:
    """Seconds by which a time server is ahead of the plant's clock."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
        client.settimeout(5)
        client.sendto(b"\x23" + bytes(47), ("127.0.0.1", port))
        answer = client.recv(48)
    seconds = int.from_bytes(answer[40:44], "big") - 2_208_988_800 + int.from_bytes(answer[44:48], "big") / 2**32
    return seconds - lab.clock.utc_ns(lab.clock.now_ns()) / 1e9


CLOCKS: list[tuple[str, str, dict[str, float]]] = [("clock1", "drift", {"ppm": 100_000}), ("clock2", "false-time", {})]


@pytest.mark.timeout(60)
async def test_a_time_server_that_is_wrong(tmp_path: Path) -> None:
    """Over NTP its time is off, and right again where it can be."""
    async with running(tmp_path, TYPES, 20.0) as (lab, _, _ask):
        ports = [int(str(row["url"]).rpartition(":")[2]) for row in lab.addresses() if row["protocol"] == "ntp"]
        for port, (device, fault, parameters) in zip(ports, CLOCKS, strict=True):

            async def is_wrong(port: int = port) -> bool:
                return abs(await asyncio.to_thread(_ntp_offset, lab, port)) > 3

            async def is_right(port: int = port) -> bool:
                return not await is_wrong(port)

            assert await is_right()
            lab.instructor.fault(device, fault, parameters)
            await until_so(is_wrong)
            lab.instructor.fault(device, "good", {})
            assert [one.detail["phase"] for one in faults(lab, device)] == ["begin", "end"]
            if fault == "false-time":  # a clock that has drifted stays where it is
                await until_so(is_right)


@pytest.mark.timeout(120)
async def test_what_happens_as_a_plant_is_used(tmp_path: Path) -> None:
    """A watchdog trips and recovers, a drive that is not remote takes no order, a memory wears out, leaks cost air."""
    async with running(tmp_path, USE, 20.0) as (lab, _, ask):
        port = next(int(str(row["url"]).rpartition(":")[2]) for row in lab.addresses() if row["protocol"] == "modbus")
        client = AsyncModbusTcpClient("127.0.0.1", port=port, timeout=5, retries=0)
        await client.connect()

        assert not (await client.write_coil(0, True, device_id=1)).isError()  # D08
        assert (await ask("tank1.pump_command"))["pump_command"] == 1
        await until(lambda: len(Evidence.load(lab.options.attempt).of("modbus", "watchdog")) == 2)
        assert (await ask("tank1.pump_command"))["pump_command"] == 0
        states = [one.detail["state"] for one in Evidence.load(lab.options.attempt).of("modbus", "watchdog")]
        assert states == ["running", "expired"]
        await client.write_coil(0, True, device_id=1)
        await client.write_coil(0, True, device_id=1)
        assert (await ask("tank1.pump_command"))["pump_command"] == 1

        local = 0x047F & ~(1 << 10)  # D09
        for values in ([0x047E, 20000], [local, 10000]):
            assert not (await client.write_registers(0, values, device_id=2)).isError()
        step = lab.clock.step + 50
        await until(lambda: lab.clock.step >= step)
        status = (await client.read_holding_registers(3, count=2, device_id=2)).registers
        assert status[1] == 0, "it does not turn"
        assert (await client.read_holding_registers(0, count=1, device_id=2)).registers == [local]
        for values in ([0x047E, 10000], [0x047F, 10000]):
            await client.write_registers(0, values, device_id=2)
        step = lab.clock.step + 100
        await until(lambda: lab.clock.step >= step)
        assert (await client.read_holding_registers(4, count=1, device_id=2)).registers[0] > 5000

        spec = devices.interface("pid-controller").modbus  # D10
        assert spec is not None
        row = next(one for one in spec.registers if one.effect == "eeprom" and one.tag == "target_setpoint")
        store, wear = lab.plant.store, f"pid1.{row.wear_tag}"
        store.set(store[wear].row, row.wear_limit - 1)
        address = row.doc - spec.numbering
        before = (await client.read_holding_registers(address, count=1, device_id=3)).registers[0]
        assert not (await client.write_register(address, before + 1, device_id=3)).isError()
        assert (await client.write_register(address, before + 2, device_id=3)).isError()
        assert (await client.read_holding_registers(address, count=1, device_id=3)).registers == [before + 1]
        last = Evidence.load(lab.options.attempt).of("modbus", "write")[-1]
        assert (last.device, last.status) == ("pid1", 4)

        tight = (await ask("comp1.load_cycles"))["load_cycles"]  # P19
        assert lab.clock.step < 600

        async def cycles() -> bool:
            return (await ask("comp1.load_cycles"))["load_cycles"] >= tight + 2

        await until_so(cycles)
        (told,) = Evidence.load(lab.options.attempt).of("lab", "setting")
        assert (told.device, told.values, told.detail["by"]) == ("comp1", [25.0], "timeline")
        client.close()


@pytest.mark.timeout(60)
async def test_a_queue_that_overflows(tmp_path: Path) -> None:
    """A client that publishes more slowly than it samples, with a queue of two, gets the Overflow bit."""
    seen: list[int] = []

    class Handler:
        def datachange_notification(self, _node: Any, _value: Any, data: Any) -> None:
            seen.append(int(data.monitored_item.Value.StatusCode.value))

    async with running(tmp_path, USE, 20.0) as (lab, client, _):
        endpoint = next(e for e in lab._endpoints if e.protocol == "opcua")
        node = client.get_node(endpoint.node_of("tank1.level"))  # type: ignore[attr-defined]
        slow = await client.create_subscription(300, Handler())
        await slow.subscribe_data_change(node, queuesize=2, sampling_interval=5)
        await until(lambda: any(code & 0x480 == 0x480 for code in seen))
        await slow.delete()
        assert Evidence.load(lab.options.attempt).of("opcua", "subscribe")[0].detail["queue"] == 2


@pytest.mark.timeout(60)
async def test_links_that_are_slow_or_swallow(tmp_path: Path) -> None:
    """Over a slow link an answer takes its time, over a black hole none comes; afterwards it comes at once."""
    async with running(tmp_path, USE, 20.0) as (lab, _, _ask):
        port = next(int(str(row["url"]).rpartition(":")[2]) for row in lab.addresses() if row["protocol"] == "modbus")

        async def read() -> bool:
            client = AsyncModbusTcpClient("127.0.0.1", port=port, timeout=0.5, retries=0)
            await client.connect()
            try:
                return not (await client.read_coils(0, count=1, device_id=1)).isError()
            except ModbusException:
                return False
            finally:
                client.close()

        asked = lab.clock.now_ns()
        lab.instructor.fault("link.modbus", "slow", {"delay": "2 s"})
        assert await read()
        assert lab.clock.now_ns() - asked >= 4_000_000_000
        lab.instructor.fault("link.modbus", "good", {})
        lab.instructor.fault("link.modbus", "black-hole", {})
        assert not await read()
        lab.instructor.fault("link.modbus", "good", {})
        assert await read()
        told = [(one.detail["fault"], one.detail["phase"]) for one in faults(lab, "link.modbus")]
        assert told == [(f"link.{state}", phase) for state in ("slow", "black-hole") for phase in ("begin", "end")]


def test_no_number_of_the_catalogue_lacks() -> None:
    """Each is one of a value, a device, an endpoint, a rogue (whose matrices are whole), or of a test above."""
    kinds = {"drive": "abb-drive", "agv": "agv", "mill": "cnc-mill", "load": "loading-machine", "fill": "filling-machine",
             "seal": "sealing-machine", "oven": "reflow-oven", "sorter": "sorter", "printer": "stencil-printer",
             "clock": "time-server"}  # fmt: skip
    here = {
        (kinds[device.rstrip("123")], fault)
        for device, fault in [*(row[:2] for row in ROWS), *(row[:2] for row in CLOCKS)]
    }
    listed = {
        (kind, name)
        for kind in devices.names()
        for name, one in devices.interface(kind).faults.items()
        if one.catalogue
    }
    assert here == listed
    tables = [VALUE_FAULTS, DEVICE_FAULTS, *ENDPOINT_FAULTS.values(), *ROGUE_FAULTS.values()]
    numbers = {number for table in tables for one in table.values() for number in one.catalogue.split()}
    numbers |= {number for kind, name in here for number in devices.interface(kind).faults[name].catalogue.split()}
    numbers |= {LINK_FAULTS[state].catalogue for state in ("slow", "black-hole")}
    assert set(OTHERWISE) == {"P19", "D08", "D09", "D10", "N07"}
    assert numbers | set(OTHERWISE) == set(TITLES)
