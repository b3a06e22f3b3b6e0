"""A small plant with one of everything a register map can hold, a sink that remembers, and raw and library clients."""

from __future__ import annotations

import asyncio
import contextlib
import functools
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from typing import Any

import pytest

from labsim.endpoints.modbus.application import Application, Peer
from labsim.endpoints.modbus.endpoint import ModbusEndpoint
from labsim.errors import EvidenceError
from labsim.evidence.event import Event
from labsim.plant import status
from labsim.plant.clock import SimClock
from labsim.plant.device import Device
from labsim.plant.interface import Interface
from labsim.plant.plant import Plant
from labsim.plant.tags import Tag, Value

ANALYSER: dict[str, Any] = {
    "type": "analyser",
    "title": "Analyser",
    "about": "A device with one of everything.",
    "identification": {"manufacturer": "Fictional", "model": "AN-1", "revision": "2.4", "serial": "AN1-{number:08d}"},
    "settings": {
        "word_order": {
            "type": "choice",
            "title": "Order",
            "default": "ABCD",
            "choices": ["ABCD", "CDAB", "BADC", "DCBA"],
        },
        "base_register": {"type": "integer", "title": "Base", "default": 0, "range": [0, 400]},
        "site": {"type": "text", "title": "Site", "default": ""},
    },
    "tags": {
        "voltage": {"type": "f32", "unit": "V", "title": "Voltage", "initial": 230.5},
        "current": {"type": "f64", "unit": "A", "title": "Current", "initial": 4.25},
        "energy": {"type": "i64", "unit": "Wh", "title": "Energy", "initial": 1234567890123},
        "temperature": {"type": "f64", "unit": "°C", "title": "Temperature", "initial": -12.34},
        "setpoint": {
            "type": "f64",
            "unit": "°C",
            "title": "Setpoint",
            "initial": 20,
            "range": [-50, 150],
            "access": "rw",
        },
        "ramp": {"type": "f32", "unit": "s", "title": "Ramp", "initial": 5, "range": [0, 600], "access": "rw"},
        "mode": {
            "type": "u16",
            "title": "Mode",
            "access": "rw",
            "initial": 1,
            "labels": {0: "Off", 1: "Auto", 2: "Manual"},
        },
        "batch": {"type": "text", "title": "Batch", "access": "rw", "initial": "Q7"},
        "command": {"type": "u16", "title": "Command", "access": "rw"},
        "running": {"type": "bool", "title": "Running", "initial": True},
        "valve": {"type": "bool", "title": "Valve", "access": "rw"},
        "pump": {"type": "bool", "title": "Pump", "access": "rw"},
        "wear": {"type": "u32", "title": "Writes of the memory"},
    },
    "modbus": {
        "numbering": 1,
        "identification": {3: "https://example.org", 0x80: "serial {serial}"},
        "registers": [
            {"doc": 101, "tag": "voltage", "type": "f32"},
            {"doc": 103, "tag": "current", "type": "f32"},
            {"doc": 105, "tag": "energy", "type": "i64"},
            {"doc": 109, "tag": "temperature", "type": "i16", "scale": 100},
            {"doc": 110, "tag": "current", "type": "u16", "scale": 1000},
            {"doc": 111, "constant": "{serial}", "type": "u32"},
            {"doc": 113, "constant": "AN {serial}", "type": "text", "words": 8},
            {"doc": 121, "constant": 3, "type": "u16"},
            {"doc": 122, "tag": "energy", "type": "u64", "atomic": True, "word_order": "CDAB"},
            {"doc": 201, "tag": "setpoint", "type": "f32", "access": "rw"},
            {"doc": 203, "tag": "ramp", "type": "u16", "scale": 10, "access": "rw"},
            {"doc": 204, "tag": "mode", "type": "u16", "access": "rw"},
            {"doc": 205, "tag": "command", "type": "u16", "access": "rw"},
            {"doc": 206, "tag": "batch", "type": "text", "words": 4, "access": "rw"},
            {"doc": 210, "tag": "mode", "type": "u16"},
            {"doc": 301, "tag": "voltage", "type": "f32", "invalid": "nan"},
            {"doc": 303, "tag": "temperature", "type": "i16", "scale": 10, "invalid": "sentinel"},
            {"doc": 304, "tag": "voltage", "type": "f32", "invalid": "last"},
            {"doc": 1, "tag": "temperature", "type": "f32", "table": "input"},
            {"doc": 1, "tag": "valve", "type": "bool", "table": "coil", "access": "rw"},
            {"doc": 2, "tag": "pump", "type": "bool", "table": "coil", "access": "rw"},
            {"doc": 3, "tag": "running", "type": "bool", "table": "coil"},
            {"doc": 1, "tag": "running", "type": "bool", "table": "discrete"},
            {"doc": 2, "constant": 1, "type": "bool", "table": "discrete"},
            {"doc": 3, "tag": "valve", "type": "bool", "table": "discrete"},
        ],
    },
}


REFUSALS = {
    7: status.BAD_INVALID_STATE,
    8: status.BAD_WAITING_FOR_INITIAL_DATA,
    9: status.BAD_USER_ACCESS_DENIED,
    10: status.BAD_OUT_OF_SERVICE,
}


class Analyser(Device):
    """Refuses some commands, as a device in the wrong state does."""

    def guard(self, tag: Tag, value: Value) -> int:
        """Commands 7 to 10 are refused, each for another reason."""
        return REFUSALS.get(int(value), status.GOOD) if tag.name == "command" else status.GOOD


@dataclass
class Kind:
    """A device type as the plant needs it."""

    interface: Interface
    behaviour: type[Device] = Analyser


@dataclass
class Recorder:
    """A sink that remembers; ``full`` makes it refuse, as a full disk does."""

    events: list[Event] = field(default_factory=list)
    full: bool = False

    def __call__(self, event: Event) -> None:
        """Keep one event."""
        if self.full:
            raise EvidenceError("journal: disk full")
        self.events.append(event)

    def of(self, *kinds: str) -> list[Event]:
        """Events of these kinds."""
        return [event for event in self.events if event.kind in kinds]


_interfaces: dict[str, Interface] = {}
"""By their Modbus section: thousands of registers take a while to check, and many claims are made of one and the same."""


def interface(**modbus: Any) -> Interface:
    """The analyser's interface with some keys of its Modbus section replaced."""
    key = repr(modbus)
    if key not in _interfaces:
        _interfaces[key] = Interface.model_validate({**ANALYSER, "modbus": {**ANALYSER["modbus"], **modbus}})
    return _interfaces[key]


class Bench:
    """The core over a plant with one analyser at unit 11, without a socket."""

    def __init__(
        self,
        settings: dict[str, Any] | None = None,
        unknown_unit: Any = "silent",
        core: dict[str, Any] | None = None,
        **modbus: Any,
    ) -> None:
        self.plant = Plant(7, SimClock())
        self.device = self.plant.add("an1", Kind(interface(**modbus)), settings)
        self.plant.start()
        self.sink = Recorder()
        self._core: dict[str, Any] = {"unknown_unit": unknown_unit, **(core or {})}

    @functools.cached_property
    def core(self) -> Application:
        """Built when it is first asked for: over a socket, the endpoint has its own."""
        return Application(self.plant, {11: "an1"}, self.sink, **self._core)

    def ask(self, request: str, unit: int = 11) -> str | None:
        """Response PDU in hex to a request PDU in hex."""
        response = self.core.respond(Peer("10.0.0.9:40000", "modbus-1"), unit, bytes.fromhex(request))
        return None if response is None else response.hex(" ")

    def advance(self, seconds: float) -> bool:
        """Let plant time pass, as a lab does; whether a watchdog that closes connections expired."""
        expired = False
        for _ in range(round(seconds * 10)):
            self.plant.advance()
            expired |= self.core.tick()
        return expired

    @property
    def last(self) -> Event:
        """The latest event."""
        return self.sink.events[-1]


@pytest.fixture
def bench() -> Bench:
    """A fresh core."""
    return Bench()


@pytest.fixture(scope="session")
def make_bench() -> Callable[..., Bench]:
    """Build a core with other settings or another Modbus section."""
    return Bench


@pytest.fixture(scope="session")
def make_interface() -> Callable[..., Interface]:
    """Build an interface with another Modbus section."""
    return interface


class Wire:
    """A raw TCP client."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer

    async def send(self, data: bytes) -> None:
        """Send bytes as they are."""
        self.writer.write(data)
        await self.writer.drain()

    async def frame(self) -> bytes:
        """The next response frame."""
        head = await self.reader.readexactly(6)
        return head + await self.reader.readexactly(int.from_bytes(head[4:], "big"))

    async def rest(self) -> bytes:
        """Everything until the server hangs up."""
        with contextlib.suppress(ConnectionError):
            return await self.reader.read()
        return b""


@pytest.fixture(scope="session")
def make_wire() -> type[Wire]:
    """Build a raw client from a stream pair."""
    return Wire


@dataclass
class Station:
    """An endpoint that listens, with its plant and sink."""

    bench: Bench
    sink: Recorder
    endpoint: ModbusEndpoint
    host: str
    port: int
    wires: list[Wire] = field(default_factory=list)

    async def connect(self) -> Wire:
        """A new raw connection."""
        wire = Wire(*await asyncio.open_connection(self.host, self.port))
        self.wires.append(wire)
        return wire


@pytest.fixture
async def station(bench: Bench) -> AsyncIterator[Station]:
    """The endpoint on a free port."""
    sink = Recorder()
    async with ModbusEndpoint(bench.plant, {11: "an1", 3: "an1"}, sink) as endpoint:
        host, port = endpoint.addresses()[0].url.removeprefix("modbus-tcp://").split(":")
        found = Station(bench, sink, endpoint, host, int(port))
        yield found
        for wire in found.wires:
            wire.writer.close()
