"""A small plant with one of every kind of tag, a sink that remembers, and a client that speaks bytes with the core."""

from __future__ import annotations

import struct
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest
from asyncua import ua
from asyncua.ua.ua_binary import Buffer, struct_from_binary, struct_to_binary

from labsim.endpoints.opcua.calls import Calls
from labsim.endpoints.opcua.core.connection import Connection
from labsim.endpoints.opcua.core.limits import Limits
from labsim.endpoints.opcua.core.pki import Pki
from labsim.endpoints.opcua.core.role import Roles
from labsim.endpoints.opcua.core.server import Server
from labsim.endpoints.opcua.core.transport import error_message
from labsim.endpoints.opcua.core.users import Accounts
from labsim.endpoints.opcua.evidence import Reporter
from labsim.endpoints.opcua.history import StoredHistory
from labsim.endpoints.opcua.live import LiveValues
from labsim.endpoints.opcua.mapping import alarms_by_key, map_devices
from labsim.endpoints.opcua.protection import apply_rights
from labsim.evidence.event import Event
from labsim.evidence.history import Series
from labsim.plant import status
from labsim.plant.clock import SimClock
from labsim.plant.device import Device
from labsim.plant.events import Occurrence
from labsim.plant.interface import Interface
from labsim.plant.plant import DeviceType, Plant
from labsim.plant.tags import Tag, Value

NAMESPACE = "urn:test:press"
PRESS: dict[str, Any] = {
    "type": "press",
    "title": {"en": "Press", "zh-Hant": "沖床", "zh-Hans": "冲床"},
    "about": "A device with one of everything.",
    "identification": {"manufacturer": "Fictional", "model": "PR-1", "revision": "2.4", "serial": "PR1-{number:08d}"},
    "tags": {
        "force": {
            "type": "f64",
            "unit": "kN",
            "range": [0, 200],
            "title": {"en": "Force", "zh-Hant": "壓力", "zh-Hans": "压力"},
            "about": "What the ram presses with.",
            "initial": 50,
        },
        "setpoint": {
            "type": "f64",
            "unit": "kN",
            "range": [0, 100],
            "title": "Setpoint",
            "initial": 50,
            "access": "rw",
        },
        "speed": {"type": "f32", "title": "Speed", "initial": 1.5, "range": [0, 10]},
        "length": {"type": "f32", "unit": "mm", "title": "Length", "initial": 12.25},
        "count": {"type": "u32", "title": "Count", "initial": 7},
        "total": {"type": "i64", "title": "Total", "initial": 2**40},
        "small": {"type": "i8", "title": "Small", "initial": -3, "access": "rw"},
        "running": {"type": "bool", "title": "Running", "initial": True, "access": "rw"},
        "order": {"type": "text", "title": "Order", "initial": "A-1", "access": "rw"},
        "state": {
            "type": "u8",
            "title": "State",
            "labels": {
                0: {"en": "Off", "zh-Hant": "關", "zh-Hans": "关"},
                1: {"en": "On", "zh-Hant": "開", "zh-Hans": "开"},
            },
        },
        "alarm": {"type": "i32", "title": "Alarm", "initial": 10, "labels": {10: "None", 20: "High"}},
        "hidden": {"type": "f64", "title": "Not on OPC UA"},
    },
    "opcua": {
        "namespace": NAMESPACE,
        "type_name": "PressType",
        "folder": "Machines",
        "nodes": {
            "Monitoring/Ram/Force": "force",
            "Monitoring/Ram/Speed": "speed",
            "Monitoring/Ram/Length": "length",
            "Monitoring/Running": "running",
            "Monitoring/State": "state",
            "Monitoring/Alarm": "alarm",
            "Production/Count": "count",
            "Production/Total": "total",
            "Production/Small": "small",
            "Production/Order": "order",
            "Setpoint": "setpoint",
        },
    },
}


class Press(Device):
    """A press whose order may not be called ``refused``."""

    def guard(self, tag: Tag, value: Value) -> int:
        """Refuse one name."""
        return status.BAD_OUT_OF_SERVICE if (tag.name, value) == ("order", "refused") else status.GOOD


KIND = DeviceType(Interface.model_validate(PRESS), Press)
USERS = [("operator", "operator123", "Operator"), ("viewer", "viewer123", "Observer")]


class Wall:
    """A wall clock that moves by hand."""

    def __init__(self) -> None:
        self.seconds = 1000.0

    def __call__(self) -> float:
        """The time."""
        return self.seconds


def make_plant(*paths: str) -> Plant:
    """A plant of presses whose clock stands at its start."""
    plant = Plant(7, SimClock(utc_ns=1_700_000_000_000_000_000))
    for path in paths or ("press1",):
        plant.add(path, KIND)
    plant.start()
    return plant


@pytest.fixture
def plant() -> Plant:
    """One press, ``press1``."""
    return make_plant()


@pytest.fixture
def events() -> list[Event]:
    """What the sink was given."""
    return []


@pytest.fixture
def wall() -> Wall:
    """The seconds of the core's timers."""
    return Wall()


MakeServer = Callable[..., Server]


@pytest.fixture
def make_server(plant: Plant, events: list[Event], wall: Wall) -> MakeServer:
    """Build a core over the plant."""
    return lambda sink=events.append, **options: core_over(plant, sink, wall, **options)


def core_over(plant: Plant, sink: Callable[[Event], None], wall: Wall, **options: Any) -> Server:
    """A core over all devices of a plant."""
    mapped = map_devices(plant, list(plant.devices))
    given: dict[str, Any] = {
        "uri": "urn:test:server",
        "name": "test",
        "space": mapped.space,
        "store": LiveValues(plant),
        "pki": Pki("urn:test:server", "test"),
        "accounts": Accounts("Observer", USERS),
        "namespaces": mapped.namespaces,
        "context": mapped.seat,
        "observer": Reporter(sink, mapped.tags, mapped.devices, server="press"),
        "limits": Limits(),
        "monotonic": wall,
    }
    return Server(**given | options)


@pytest.fixture
def server(make_server: MakeServer) -> Server:
    """A core over the plant, whose anonymous clients may write too."""
    return make_server(accounts=Accounts("Operator"))


def node(name: str, index: int = 2) -> Any:
    """NodeId of a tag of ``press1``."""
    return ua.NodeId(f"press1.{name}", index)


def read_id(name: Any, attribute: int = 13, index_range: str | None = None, encoding: str | None = None) -> Any:
    """A ReadValueId of a tag or of any node id."""
    wanted = ua.ReadValueId(node(name) if isinstance(name, str) else name, attribute, index_range)
    wanted.DataEncoding = ua.QualifiedName(encoding, 0)
    return wanted


class Peer:
    """A client on policy None, without a socket."""

    def __init__(self, server: Server, receive: int = 65535, max_message: int = 0, max_chunks: int = 0) -> None:
        self.server, self.out, self.hung = server, bytearray(), ""
        self.sequence = self.request = 0
        self.token = ua.NodeId()
        self.connection = Connection(server, "192.0.2.1:5", self.out.extend, self._hang_up)
        self.connection.feed(struct.pack("<4sIIIIIIi", b"HELF", 32, 0, receive, 65535, max_message, max_chunks, 0))
        self.out.clear()
        asked = ua.OpenSecureChannelRequest()
        asked.Parameters.SecurityMode, asked.Parameters.RequestedLifetime = ua.MessageSecurityMode.None_, 3_600_000
        self.open(asked)

    def _hang_up(self, drop: bool) -> None:
        self.hung = "dropped" if drop else "closed"

    def open(self, asked: Any) -> None:
        """Send an OPN."""
        uri = b"http://opcfoundation.org/UA/SecurityPolicy#None"
        self.sequence += 1
        body = struct.pack("<i", len(uri)) + uri + b"\xff" * 8 + struct.pack("<II", self.sequence, 1)
        body += struct_to_binary(asked)
        self.connection.feed(struct.pack("<4sII", b"OPNF", 12 + len(body), 0) + body)
        self.channel = struct.unpack_from("<I", self.out, 8)[0]
        self.out.clear()

    def send(self, body: bytes, final: bytes = b"F", request: int | None = None) -> None:
        """Send one MSG chunk."""
        self.connection.feed(self.chunk(body, final, request))

    def chunk(self, body: bytes, final: bytes = b"F", request: int | None = None) -> bytes:
        """One MSG chunk."""
        self.sequence += 1
        self.request += 1
        head = struct.pack(
            "<3scIIIII", b"MSG", final, 24 + len(body), self.channel, 1, self.sequence, request or self.request
        )
        return head + body

    def together(self, *messages: Any) -> None:
        """Send requests in one segment."""
        for message in messages:
            message.RequestHeader.AuthenticationToken, message.RequestHeader.TimeoutHint = self.token, 0
        self.connection.feed(b"".join(self.chunk(struct_to_binary(message)) for message in messages))

    def chunks(self) -> list[bytes]:
        """What came back since the last call."""
        found, at = [], 0
        while at < len(self.out):
            size = struct.unpack_from("<I", self.out, at + 4)[0]
            found.append(bytes(self.out[at : at + size]))
            at += size
        self.out.clear()
        return found

    def post(self, message: Any) -> None:
        """Send a request and do not look for its answer."""
        message.RequestHeader.AuthenticationToken, message.RequestHeader.TimeoutHint = self.token, 0
        self.send(struct_to_binary(message))

    def ask(self, message: Any) -> Any:
        """Send a request; its response or ServiceFault."""
        self.post(message)
        return decode_answer(self.chunks(), getattr(ua, type(message).__name__.replace("Request", "Response")))

    def result(self, message: Any) -> int:
        """The service result of a request."""
        return int(self.ask(message).ResponseHeader.ServiceResult.value)

    def login(self, locales: list[str] | None = None) -> Peer:
        """Make and activate a session."""
        self.token = self.ask(ua.CreateSessionRequest()).Parameters.AuthenticationToken
        asked = ua.ActivateSessionRequest()
        asked.Parameters.LocaleIds = locales or []
        assert self.result(asked) == 0
        return self

    def read(self, *wanted: Any, timestamps: int = 2, age: float = 0) -> Any:
        """A Read; its response."""
        asked = ua.ReadRequest()
        asked.Parameters.TimestampsToReturn, asked.Parameters.MaxAge = ua.TimestampsToReturn(timestamps), age
        asked.Parameters.NodesToRead = [one if isinstance(one, ua.ReadValueId) else read_id(one) for one in wanted]
        return self.ask(asked)

    def write(self, name: Any, variant: Any, index_range: str | None = None, attribute: int = 13, **extra: Any) -> int:
        """A Write of one node; its status."""
        asked = ua.WriteRequest()
        target = node(name) if isinstance(name, str) else name
        asked.Parameters.NodesToWrite = [ua.WriteValue(target, attribute, index_range, ua.DataValue(variant, **extra))]
        return int(self.ask(asked).Results[0].value)


def decode_answer(chunks: list[bytes], response: type) -> Any:
    """A response or ServiceFault from its chunks."""
    body = b"".join(chunk[24:] for chunk in chunks)
    fault = struct.unpack_from("<H", body, 2)[0] == ua.ObjectIds.ServiceFault_Encoding_DefaultBinary
    return struct_from_binary(ua.ServiceFault if fault else response, Buffer(body))


def error_of(chunk: bytes) -> int:
    """The code of an ERR message."""
    assert chunk[:3] == error_message(0)[:3]
    return int(struct.unpack_from("<I", chunk, 8)[0])


@pytest.fixture
def connect() -> Callable[..., Peer]:
    """Connect to a core: ``connect(server, receive=8192, ...)``; an open channel without a session."""
    return Peer


@pytest.fixture
def peer(server: Server) -> Peer:
    """A client with a session that may write."""
    return Peer(server).login()


@pytest.fixture(scope="session")
def plants() -> Callable[..., Plant]:
    """Build a plant of presses: ``plants("press1", "press2")``."""
    return make_plant


@pytest.fixture(scope="session")
def cores() -> Callable[..., Server]:
    """Build a core over a plant: ``cores(plant, sink, wall)``."""
    return core_over


@pytest.fixture(scope="session")
def walls() -> type[Wall]:
    """Build a wall clock."""
    return Wall


@pytest.fixture(scope="session")
def reading() -> Callable[..., Any]:
    """Build a ReadValueId: ``reading("force", attribute, index_range, encoding)``."""
    return read_id


@pytest.fixture(scope="session")
def error_code() -> Callable[[bytes], int]:
    """The code of an ERR message."""
    return error_of


@pytest.fixture(scope="session")
def parse_answer() -> Callable[..., Any]:
    """A response from its chunks."""
    return decode_answer


STAMP: dict[str, Any] = {
    **PRESS,
    "type": "stamp",
    "title": "Stamp",
    "alarms": {
        "force_limit": {
            "tag": "force",
            "title": {"en": "Force", "zh-Hant": "壓力", "zh-Hans": "压力"},
            "limits": {"hihi": 180, "hi": 150, "lo": 20, "lolo": 10},
            "deadband": 5,
            "severity": {"hihi": 900, "hi": 500, "lo": 400, "lolo": 800},
            "confirm": True,
        },
        "length_limit": {"tag": "length", "title": "Length", "limits": {"hi": 20, "lo": 5}, "exclusive": False},
        "stopped": {"kind": "off-normal", "tag": "running", "title": "Stopped", "normal": [True]},
    },
    "opcua": {
        **PRESS["opcua"],
        "namespace": "urn:test:stamp",
        "type_name": "StampType",
        "methods": {
            "Production/Add": {
                "call": "add",
                "title": {"en": "Add", "zh-Hant": "加", "zh-Hans": "加"},
                "inputs": {
                    "Count": {"type": "u32", "title": {"en": "How many", "zh-Hant": "多少", "zh-Hans": "多少"}},
                    "Why": {"type": "text", "title": "Why"},
                },
                "outputs": {"Total": {"type": "u32", "title": "Total"}},
            }
        },
        "events": {
            "Stamped": {
                "title": "Stamped",
                "message": {"en": "{Order} stamped", "zh-Hant": "{Order} 已沖壓", "zh-Hans": "{Order} 已冲压"},
                "severity": 300,
                "fields": {
                    "Order": {"type": "text", "title": "Order"},
                    "Force": {"type": "f64", "title": "Force"},
                    "Number": {"type": "u32", "title": "Number"},
                },
            }
        },
    },
}


class Stamp(Device):
    """A press that can be called and tells of itself."""

    def call(self, name: str, arguments: Sequence[Value]) -> tuple[int, Sequence[Value]]:
        """Count up; 0 is refused."""
        assert name == "add"
        if not arguments[0]:
            return status.BAD_OUT_OF_RANGE, ()
        self["count"] = int(self["count"]) + int(arguments[0])
        return status.GOOD, (self["count"],)


class Recorded:
    """A history that was made by hand."""

    def __init__(self) -> None:
        self.series: dict[str, Series] = {}

    def whole(self, path: str) -> Series:
        """What was put in."""
        return self.series.get(path) or Series(np.zeros(0, np.int64), np.zeros(0), np.zeros(0, np.uint32))


@pytest.fixture
def recorded() -> Recorded:
    """The history of ``stamps``."""
    return Recorded()


@pytest.fixture
def stamps() -> Plant:
    """Two stamps, ``stamp1`` and ``stamp2``, which have methods, events and alarms."""
    plant = Plant(7, SimClock(utc_ns=1_700_000_000_000_000_000))
    kind = DeviceType(Interface.model_validate(STAMP), Stamp)
    for path in ("stamp1", "stamp2"):
        plant.add(path, kind)
    plant.start()
    return plant


@pytest.fixture
def rights() -> dict[str, Any]:
    """What only some roles may do with the stamps; a test may say something else."""
    return {}


@pytest.fixture
def stamp_server(stamps: Plant, events: list[Event], wall: Wall, recorded: Recorded, rights: dict[str, Any]) -> Server:
    """A core over both stamps, whose anonymous clients may do everything that rights allow, with history."""
    store, roles = LiveValues(stamps), Roles()
    mapped = map_devices(
        stamps, list(stamps.devices), uri="urn:test:server", history=recorded,
        finish=lambda made: apply_rights(made.space, made.devices, stamps, roles, rights), variant=repr(rights),
    )  # fmt: skip
    alarms = alarms_by_key(mapped)
    server = Server(
        uri="urn:test:server",
        name="test",
        space=mapped.space,
        store=store,
        pki=Pki("urn:test:server", "test"),
        accounts=Accounts("Operator", USERS),
        namespaces=mapped.namespaces,
        observer=Reporter(events.append, mapped.tags, mapped.devices, Calls(mapped.calls, alarms), store.origin),
        limits=Limits(max_history_values=50),
        context=mapped.seat,
        locales=("en", "zh-Hant"),
        monotonic=wall,
    )
    server.methods |= mapped.methods
    server.conditions.update(alarms)
    server.history = StoredHistory(recorded, mapped.tags, store, stamps.events, mapped.view)

    def tell(occurrence: Occurrence) -> None:
        event = mapped.view.event_of(occurrence)
        assert event is not None
        server.emit(event)

    stamps.events.listen(tell)
    return server


@pytest.fixture
def caller(stamp_server: Server) -> Peer:
    """A client of `stamp_server` with a session."""
    return Peer(stamp_server).login()
