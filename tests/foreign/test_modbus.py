"""Modbus clients from elsewhere, over TCP, RTU over TCP and a serial line: mbpoll (libmodbus) and npm modbus-serial."""

from __future__ import annotations

import asyncio
import contextlib
import re
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest

from labsim.endpoints.modbus.endpoint import ModbusEndpoint
from labsim.evidence.event import Event
from labsim.plant.clock import SimClock
from labsim.plant.device import Device
from labsim.plant.interface import Interface
from labsim.plant.plant import DeviceType, Plant
from labsim.scenario.modbus import ModbusSpec

pytestmark = pytest.mark.foreign
UNIT = 11
INTERFACE = Interface.model_validate(
    {
        "type": "probe",
        "title": "Probe",
        "about": "A register of each kind.",
        "identification": {"manufacturer": "Fictional", "model": "P-1", "revision": "1.0", "serial": "P1-{number}"},
        "tags": {
            "voltage": {"type": "f32", "unit": "V", "title": "Voltage", "initial": 230.5},
            "setpoint": {"type": "f32", "title": "Setpoint", "access": "rw", "initial": 20},
            "command": {"type": "u16", "title": "Command", "access": "rw"},
            "counter": {"type": "i32", "title": "Counter", "initial": -123456},
            "level": {"type": "i16", "title": "Level", "initial": -42},
            "valve": {"type": "bool", "title": "Valve", "access": "rw"},
            "pump": {"type": "bool", "title": "Pump", "access": "rw", "initial": True},
        },
        "modbus": {
            "numbering": 0,
            "registers": [
                {"doc": 0, "tag": "voltage", "type": "f32"},
                {"doc": 2, "tag": "setpoint", "type": "f32", "access": "rw"},
                {"doc": 4, "tag": "command", "type": "u16", "access": "rw"},
                {"doc": 10, "tag": "counter", "type": "i32"},
                {"doc": 0, "tag": "level", "type": "i16", "table": "input"},
                {"doc": 1, "constant": 4711, "type": "u16", "table": "input"},
                {"doc": 0, "tag": "valve", "type": "bool", "table": "coil", "access": "rw"},
                {"doc": 1, "tag": "pump", "type": "bool", "table": "coil", "access": "rw"},
                {"doc": 0, "tag": "pump", "type": "bool", "table": "discrete"},
            ],
        },
    }
)
KINDS = ["tcp", "rtu-over-tcp", "serial"]


class Site:
    """A plant with one probe behind one endpoint."""

    def __init__(self) -> None:
        self.plant, self.events = Plant(1, SimClock()), list[Event]()
        self.device = self.plant.add("probe1", DeviceType(INTERFACE, Device))
        self.plant.start()

    def keep(self, event: Event) -> None:
        """The sink."""
        self.events.append(event)

    def of(self, kind: str) -> list[Event]:
        """Events of a kind."""
        return [event for event in self.events if event.kind == kind]


@pytest.fixture
async def open_site() -> AsyncIterator[Callable[[str], Any]]:
    """Opens an endpoint of a transport; gives the site and where a client finds it."""
    async with contextlib.AsyncExitStack() as stack:

        async def make(transport: Any) -> tuple[Site, str]:
            if transport == "serial" and sys.platform == "win32":
                pytest.skip("Windows has no pseudo terminals")
            site = Site()
            options = ModbusSpec(units={}, transport=transport)
            endpoint = ModbusEndpoint(site.plant, {UNIT: "probe1"}, site.keep, options=options)
            await stack.enter_async_context(endpoint)
            return site, endpoint.addresses()[0].url.partition("://")[2]

        yield make


async def mbpoll(where: str, *options: str, write: str = "", wrong: bool = False) -> str:
    """What mbpoll prints, polling (or writing) once, with wire addresses."""
    host, _, port = where.rpartition(":")
    mode = ["-m", "tcp", "-p", port] if host else ["-m", "rtu", "-b", "19200", "-P", "none"]
    command = [
        "mbpoll",
        *mode,
        "-0",
        "-1",
        "-a",
        str(UNIT),
        "-o",
        "5",
        *options,
        host or where,
        *([write] if write else []),
    ]
    done = await asyncio.to_thread(subprocess.run, command, capture_output=True, text=True, timeout=60, check=False)
    assert wrong or done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


def shown(text: str) -> dict[int, str]:
    """Address and value as mbpoll prints them."""
    return {int(at): value for at, value in re.findall(r"^\[(\d+)\]:\s+(\S+)", text, re.MULTILINE)}


@pytest.mark.parametrize("transport", ["tcp", "serial"])
async def test_mbpoll_reads_every_table(open_site: Any, need: Any, transport: str) -> None:
    """Mbpoll reads coils, inputs, input and holding registers, floats and 32-bit integers as the store holds them."""
    need("mbpoll")
    site, where = await open_site(transport)
    assert shown(await mbpoll(where, "-t", "0", "-r", "0", "-c", "2")) == {0: "0", 1: "1"}
    assert shown(await mbpoll(where, "-t", "1", "-r", "0")) == {0: "1"}
    assert shown(await mbpoll(where, "-t", "3", "-r", "1"))[1] == "4711"
    assert shown(await mbpoll(where, "-t", "4:float", "-B", "-r", "0"))[0] == "230.5"
    assert shown(await mbpoll(where, "-t", "4:int", "-B", "-r", "10"))[10] == "-123456"
    assert [event.tags for event in site.of("read")] == [
        ["probe1.valve", "probe1.pump"],
        ["probe1.pump"],
        [],
        ["probe1.voltage"],
        ["probe1.counter"],
    ]


@pytest.mark.parametrize("transport", ["tcp", "serial"])
async def test_mbpoll_writes(open_site: Any, need: Any, transport: str) -> None:
    """Mbpoll writes a coil, a register and a float, and they are in the store."""
    need("mbpoll")
    site, where = await open_site(transport)
    await mbpoll(where, "-t", "0", "-r", "0", write="1")
    await mbpoll(where, "-t", "4", "-r", "4", write="77")
    await mbpoll(where, "-t", "4:float", "-B", "-r", "2", write="25")
    assert (site.device["valve"], site.device["command"], site.device["setpoint"]) == (True, 77, 25)
    assert [event.detail["fc"] for event in site.of("write")] == [5, 6, 16]


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("-t", "4", "-r", "500"), "Illegal data address"),
        (("-t", "4", "-r", "9"), "Illegal data address"),
    ],
)
async def test_mbpoll_understands_exceptions(open_site: Any, need: Any, arguments: Any, says: str) -> None:
    """What mbpoll prints is the exception's name."""
    need("mbpoll")
    _, where = await open_site("tcp")
    assert re.search(says, await mbpoll(where, *arguments, wrong=True))


@pytest.mark.parametrize("transport", KINDS)
async def test_modbus_serial_does_everything(open_site: Any, node: Any, transport: str) -> None:
    """Npm modbus-serial reads every table, writes with FC05, 06, 15 and 16, meets 02 and reads the identification."""
    site, where = await open_site(transport)
    kind = {"tcp": "tcp", "rtu-over-tcp": "rtu-tcp", "serial": "serial"}[transport]
    told = {row["name"]: row for row in await asyncio.to_thread(node, "modbus_all.js", kind, where, str(UNIT))}
    assert told["coils"]["data"][:2] == [False, True]
    assert told["discrete"]["data"][0] is True
    assert told["holding"]["data"] == [0x4366, 0x8000]
    assert told["input"]["data"] == [0xFFD6, 4711]
    assert told["read back"]["data"] == [0x41C8, 0, 77]
    assert told["hole"]["exception"] == 2
    if transport != "rtu-over-tcp":  # its stream port waits for a length that it cannot know
        assert told["identification"]["data"]["0"] == "Fictional"
    assert (site.of("request")[-1].detail["fc"], site.of("request")[-1].status) == (43, 0)
    assert (site.device["valve"], site.device["pump"], site.device["setpoint"]) == (True, False, 25)
    assert [event.detail["fc"] for event in site.of("write")] == [5, 15, 6, 16]
    assert {event.status for event in site.of("write")} == {0}
