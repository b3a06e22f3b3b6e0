"""A scenario as models: what an instructor writes, after variants are filled in.

Check parameters and device settings stay plain data here; the loader judges them against the catalogue it is given. The
author's short form of a check (``- modbus.polled: {every: 1 s, marks: 4}``) becomes a `CheckSpec` before it comes here.
"""

from __future__ import annotations

import re
from ipaddress import ip_network
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from labsim.quantity import Duration
from labsim.scenario.broker import BrokerUrl
from labsim.scenario.link import LinkSettings
from labsim.scenario.opcua import OpcuaLimits, OpcuaSecurity, Rights, Role
from labsim.scenario.topics import CommandTemplate, Place, SparkplugId, TopicTemplate, fields_of
from labsim.text import Text

Id = Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]*$")]
Path_ = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")]
CheckId = Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]*(\.[a-z0-9-]+)*$")]
Marks = Annotated[float, Field(ge=0, le=1000, strict=True, allow_inf_nan=False)]
Port = Annotated[int, Field(ge=0, le=65535, strict=True)]
BRIEF_FORM = r"^[a-z][a-z0-9-]*\.md(#[a-z0-9][a-z0-9-]*)?$"
BriefRef = Annotated[str, Field(pattern=BRIEF_FORM)]
Drawn = bool | int | float | str


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


_Whole = Annotated[int, Field(ge=-(2**53), le=2**53, strict=True)]
_Choice = bool | int | Annotated[float, Field(allow_inf_nan=False)] | Annotated[str, Field(max_length=200)]


class Variant(_Model):
    """How one variant is drawn per seat: from a list (``choose``) or a range of whole numbers (``range`` with ``step``)."""

    choose: tuple[_Choice, ...] | None = None
    range: tuple[_Whole, _Whole] | None = None
    step: Annotated[int, Field(ge=1, strict=True)] = 1

    @model_validator(mode="after")
    def _one(self) -> Variant:
        if (self.choose is None) == (self.range is None):
            raise ValueError("a variant is drawn by 'choose' or by 'range': give one of the two")
        if self.range is not None and self.range[0] > self.range[1]:
            raise ValueError("the range ends before it begins")
        if self.choose is not None and not self.choose:
            raise ValueError("there is nothing to choose from")
        if self.choose is not None and "step" in self.model_fields_set:
            raise ValueError("'step' belongs to 'range'")
        return self


class PlantDevice(_Model):
    """One device of the plant. ``place`` is where it stands: up to five levels from enterprise to cell."""

    type: Id
    title: Text | None = None
    place: Place | None = None
    settings: dict[str, Any] = Field(default_factory=dict)


class Account(_Model):
    """A user of an endpoint. A number stands for its digits, so that a variant can draw a PIN."""

    model_config = ConfigDict(coerce_numbers_to_str=True)

    name: Annotated[str, Field(min_length=1)]
    password: str
    role: Role = "Operator"


def _network(text: str) -> str:
    try:
        ip_network(text, strict=False)
    except ValueError:
        raise ValueError(f"{text!r} is not an address or a network such as '192.0.2.0/24'") from None
    return text


Network = Annotated[str, AfterValidator(_network)]


class WatchdogSpec(_Model):
    """A device that wants to hear from its client, and goes to a safe state when it does not.

    Attributes:
        time: Plant time without a trigger after which it expires. It begins with the first trigger.
        trigger: What keeps it alive: ``any`` good request, any good ``write``, or these function codes.
        safe: Values by tag name that the device takes on expiry.
        writes: Whether writes are carried out while it is expired, or answered with exception 04.
        recovery: ``communication``: the next trigger ends it; ``reset``: the tag ``reset`` becomes something else than 0,
            which a client may write even while writes are refused.
        restore: On recovery the tags of ``safe`` get back what they had.
        close: On expiry the device hangs up on every client.
    """

    time: Annotated[Duration, Field(gt=0)]
    trigger: Literal["any", "write"] | tuple[Annotated[int, Field(ge=1, le=127)], ...] = "any"
    safe: dict[str, bool | int | float | str] = Field(default_factory=dict)
    writes: Literal["refuse", "take"] = "refuse"
    recovery: Literal["communication", "reset"] = "communication"
    reset: str | None = None
    restore: bool = False
    close: bool = False

    @model_validator(mode="after")
    def _whole(self) -> WatchdogSpec:
        if (self.recovery == "reset") != (self.reset is not None):
            raise ValueError("'recovery: reset' and 'reset', the tag that does it, belong together")
        return self


CertificateName = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9 ._-]{0,63}$")]
"""A common name or a role; it is the name of a file too."""


class ModbusTlsSpec(_Model):
    """Modbus/TCP Security: clients prove themselves with a certificate, and what they may do is their role's.

    The role is in the certificate's extension 1.3.6.1.4.1.50316.802.1, or follows from its common name (``roles``). The lab
    makes an authority, the server's certificate and clients' certificates: one for each name in ``roles``, and one for each
    other role in ``permissions`` that carries it.

    Attributes:
        roles: Role by common name, for certificates without the extension.
        permissions: Function codes by role, or ``read`` (no writes) or ``all``. A role that is not listed may do nothing;
            without any permission everybody with a certificate may do everything.
    """

    roles: dict[CertificateName, CertificateName] = Field(default_factory=dict)
    permissions: dict[CertificateName, Literal["all", "read"] | tuple[Annotated[int, Field(ge=1, le=127)], ...]] = Field(
        default_factory=dict
    )


class ModbusSpec(_Model):
    """A Modbus server with one device per unit id. Durations are plant time.

    Attributes:
        transport: ``tcp``; ``tls`` (port 802 by default); ``rtu-over-tcp``; ``serial``.
        port: TCP port.
        serial: With ``transport: serial`` the port's name (``/dev/ttyUSB0``, ``COM3``), or ``pty`` for a pseudo terminal.
        unknown_unit: What a unit nobody has answers: nothing, exception 0B (``gateway``) or 0A (``no-path``).
        max_sessions: The most connections at once; none for any number.
        above_max: What one more meets: it is refused, it replaces the oldest, or it is left to hang.
        idle: A connection without a byte for that long is closed; none keeps it.
        delay: Time the device takes for each request, one after the other.
        backlog: Bytes of answers that a client may leave unread before it is hung up on.
        max_registers: The most registers of one request by unit, where it is fewer than the device's own.
        clients: Addresses and networks (``192.0.2.0/24``) that may connect; none for all.
        watchdogs: Watchdog by device.
    """

    transport: Literal["tcp", "tls", "rtu-over-tcp", "serial"] = "tcp"
    port: Port = 5020
    serial: str = "pty"
    tls: ModbusTlsSpec = Field(default_factory=ModbusTlsSpec)
    units: dict[Annotated[int, Field(ge=0, le=255, strict=True)], Path_]
    unknown_unit: Literal["silent", "gateway", "no-path"] = "silent"
    max_sessions: Annotated[int, Field(ge=1, strict=True)] | None = None
    above_max: Literal["refuse", "drop-oldest", "hang"] = "refuse"
    idle: Annotated[Duration, Field(gt=0)] | None = None
    delay: Duration = 0.0
    backlog: Annotated[int, Field(ge=512, strict=True)] = 65536
    max_registers: dict[Annotated[int, Field(ge=0, le=255)], Annotated[int, Field(ge=1, le=125)]] = Field(
        default_factory=dict
    )
    clients: tuple[Network, ...] = ()
    watchdogs: dict[Path_, WatchdogSpec] = Field(default_factory=dict)

    @model_validator(mode="before")
    @classmethod
    def _standard_port(cls, data: Any) -> Any:
        if isinstance(data, dict) and data.get("transport") == "tls" and "port" not in data:
            return {**data, "port": 802}
        return data

    @model_validator(mode="after")
    def _whole(self) -> ModbusSpec:
        if strangers := set(self.watchdogs) - set(self.units.values()):
            raise ValueError(f"a watchdog watches a device of 'units'; {', '.join(sorted(strangers))} is none")
        if strange := set(self.max_registers) - set(self.units):
            raise ValueError(f"'max_registers' is by unit id; there is no unit {', '.join(map(str, sorted(strange)))}")
        if self.transport in ("serial", "rtu-over-tcp") and 0 in self.units:
            raise ValueError("unit 0 is the broadcast address of a serial line: give the device another")
        if self.transport == "serial" and (self.clients or self.max_sessions is not None or self.idle is not None):
            raise ValueError("'clients', 'max_sessions' and 'idle' are about connections, and a serial line has none")
        return self


class OpcuaSpec(_Model):
    """An OPC UA server over some devices. ``anonymous`` is the role of a client without a user, or null to refuse it.

    Attributes:
        rights: Which roles may do what, by device (``mill1``), tag (``mill1.speed``) or node (``mill1/Program/Start``); it
            holds for all below, and the nearest decides.
    """

    port: Port = 4840
    devices: tuple[Path_, ...]
    anonymous: Role | None = "Observer"
    users: tuple[Account, ...] = ()
    name: str = "labsim"
    security: OpcuaSecurity = OpcuaSecurity()
    rights: dict[str, Rights] = Field(default_factory=dict)
    limits: OpcuaLimits = OpcuaLimits()

    @model_validator(mode="after")
    def _rights_of_devices(self) -> OpcuaSpec:
        for name in self.rights:
            if re.split("[./]", name, maxsplit=1)[0] not in self.devices:
                raise ValueError(f"'rights' are of this server's devices {', '.join(self.devices)}, not of {name!r}")
        return self


TopicFilter = Annotated[
    str, Field(min_length=1, max_length=1000, pattern=r"^(?:(?:\+|[^+#/\x00]*)/)*(?:\+|#|[^+#/\x00]*)$")
]


class TopicRights(_Model):
    """Topic filters that a client may publish to and subscribe to; without one, everything.

    ``%u`` stands for the user name, ``%c`` for the client id.
    """

    publish: tuple[TopicFilter, ...] | None = None
    subscribe: tuple[TopicFilter, ...] | None = None


class MqttAccount(Account, TopicRights):
    """A user of an MQTT broker; ``certificate`` lets a client certificate with its name stand for the password."""

    password: str = ""
    certificate: bool = False

    @model_validator(mode="after")
    def _provable(self) -> MqttAccount:
        if not self.password and not self.certificate:
            raise ValueError("a user needs a 'password' or 'certificate: true'")
        if self.certificate and not re.fullmatch(r"[A-Za-z0-9._-]{1,64}", self.name):
            raise ValueError("the name in a certificate has letters, digits, '.', '_' and '-' only")
        return self


class MqttTls(_Model):
    """A TLS listener; ``clients`` says whether a client must bring a certificate of the lab's own authority."""

    port: Port = 8883
    clients: Literal["none", "optional", "required"] = "none"


class MqttWeb(_Model):
    """A WebSocket listener, behind TLS when ``tls``."""

    port: Port = 8083
    tls: bool = False


class MqttLimits(_Model):
    """What one client may take; what goes beyond is refused with a reason code."""

    packet: Annotated[int, Field(ge=128, le=1 << 28, strict=True)] | None = None
    connections: Annotated[int, Field(ge=1, le=10_000, strict=True)] | None = None
    subscriptions: Annotated[int, Field(ge=1, le=100_000, strict=True)] | None = None
    queue: Annotated[int, Field(ge=1, le=1_000_000, strict=True)] | None = None
    receive: Annotated[int, Field(ge=1, le=65_535, strict=True)] | None = None
    aliases: Annotated[int, Field(ge=0, le=65_535, strict=True)] | None = None
    rate: Annotated[int, Field(ge=1, le=1_000_000, strict=True)] | None = None
    keepalive: Annotated[int, Field(ge=1, le=65_535, strict=True)] | None = None
    expiry: Annotated[int, Field(ge=0, le=1 << 31, strict=True)] | None = None


class SparkplugSpec(_Model):
    """The edge node that an endpoint's devices are; it waits for ``primary_host`` if there is one."""

    group: SparkplugId
    edge: SparkplugId
    primary_host: SparkplugId | None = None
    alias: bool = True


class MqttSpec(_Model):
    """An MQTT broker; ``devices`` publish their own telemetry there. ``anonymous`` may be rights instead of true.

    ``style`` is what they publish: a JSON object per message of the device (``device``), one per tag (``tag``), or Sparkplug
    B (``sparkplug``, with the block of the same name). ``topic`` and ``commands`` are templates of topics. With ``broker`` it
    is somebody else's broker, which has its own door and limits, behind a tap that listens on ``port``.
    """

    broker: BrokerUrl | None = None
    port: Port = 1883
    devices: tuple[Path_, ...] = ()
    style: Literal["device", "tag", "sparkplug"] = "device"
    topic: TopicTemplate | None = None
    commands: CommandTemplate | None = None
    sparkplug: SparkplugSpec | None = None
    anonymous: bool | TopicRights = True
    users: tuple[MqttAccount, ...] = ()
    tls: MqttTls | None = None
    websocket: MqttWeb | None = None
    limits: MqttLimits = MqttLimits()

    @model_validator(mode="after")
    def _certificates_can_come(self) -> MqttSpec:
        if any(user.certificate for user in self.users) and (self.tls is None or self.tls.clients == "none"):
            raise ValueError("a user with 'certificate' needs 'tls: {clients: optional}' or 'required'")
        return self

    @model_validator(mode="after")
    def _one_style(self) -> MqttSpec:
        if (self.style == "sparkplug") != (self.sparkplug is not None):
            raise ValueError("'style: sparkplug' and 'sparkplug: {group, edge}' belong together")
        if self.topic is not None and self.style == "sparkplug":
            raise ValueError("Sparkplug has its own topics: leave 'topic' out")
        if self.topic is not None and ("tag" in fields_of(self.topic)) != (self.style == "tag"):
            raise ValueError("{tag} belongs into the 'topic' of 'style: tag', and only there")
        return self

    @model_validator(mode="after")
    def _own_or_other(self) -> MqttSpec:
        if self.broker is not None:
            for name in ("tls", "websocket", "limits", "anonymous"):
                if name in self.model_fields_set:
                    raise ValueError(f"{name!r} is for our own broker: with 'broker' it is set up there")
            if any(user.publish is not None or user.subscribe is not None for user in self.users):
                raise ValueError("rights of users are set up at the broker itself when there is a 'broker'")
        return self

    @property
    def further_ports(self) -> tuple[int, ...]:
        """Ports of the listeners besides the plain one: TLS, then WebSocket."""
        return tuple(listener.port for listener in (self.tls, self.websocket) if listener is not None)


class EndpointSpec(_Model):
    """One endpoint: exactly one of the protocols."""

    modbus: ModbusSpec | None = None
    opcua: OpcuaSpec | None = None
    mqtt: MqttSpec | None = None

    @model_validator(mode="after")
    def _one(self) -> EndpointSpec:
        if sum(spec is not None for spec in (self.modbus, self.opcua, self.mqtt)) != 1:
            raise ValueError("an endpoint is one of modbus, opcua or mqtt")
        return self

    @property
    def protocol(self) -> Literal["modbus", "opcua", "mqtt"]:
        """Which of them it is."""
        return "modbus" if self.modbus is not None else "opcua" if self.opcua is not None else "mqtt"

    @property
    def spec(self) -> ModbusSpec | OpcuaSpec | MqttSpec:
        """The one that is given."""
        found = self.modbus or self.opcua or self.mqtt
        assert found is not None
        return found


class TimelineEntry(LinkSettings):
    """Something that happens at a plant time.

    A setting of a ``device`` changes (``setting``), a fault of it begins (``fault``), or a ``link`` goes into a ``state``.
    """

    at: Duration
    device: Path_ | None = None
    link: str | None = None
    setting: str | None = None
    value: Any = None
    fault: str | None = None
    hidden: bool = False

    @model_validator(mode="after")
    def _one(self) -> TimelineEntry:
        if (self.device is None) == (self.link is None):
            raise ValueError("a timeline entry is about a device or a link: give 'device' or 'link'")
        if self.link is not None:
            if self.state is None or self.setting is not None or self.fault is not None:
                raise ValueError("an entry about a link has a 'state', and no 'setting' or 'fault'")
            return self
        if self.state is not None or self.values():
            raise ValueError("'state' and its parameters belong to an entry with 'link'")
        if (self.setting is None) == (self.fault is None):
            raise ValueError("a timeline entry changes a setting or begins a fault: give 'setting' or 'fault'")
        if (self.setting is not None) != ("value" in self.model_fields_set):
            raise ValueError("'setting' and 'value' belong together")
        return self


class Hint(_Model):
    """Help that costs marks."""

    text: Text
    cost: Marks = 0


class CheckSpec(_Model):
    """One check of a task: its name in the catalogue, its parameters as plain data, its marks.

    ``id`` is ``<task>.<n>`` unless the author gives one; ``depends`` names checks of the same scenario that must pass
    first; ``title`` replaces the check's own sentence.
    """

    id: CheckId
    check: str
    marks: Marks
    params: dict[str, Any]
    depends: tuple[CheckId, ...] = ()
    title: Text | None = None


class Task(_Model):
    """One task of the scenario."""

    id: Id
    title: Text
    brief: BriefRef | None = None
    marks: Marks
    depends: tuple[Id, ...] = ()
    answer: Text | None = None
    checks: Annotated[tuple[CheckSpec, ...], Field(min_length=1)]
    hints: tuple[Hint, ...] = ()


class Penalty(_Model):
    """A check that takes marks away when it does not pass; its ``id`` is ``penalty.<n>`` unless the author gives one."""

    id: CheckId
    check: str
    marks: Marks
    params: dict[str, Any]


class ScenarioFile(_Model):
    """What stands in ``scenario.yaml``."""

    labsim: Literal[1]
    id: Id
    title: Text
    level: Literal["junior", "intermediate", "senior"]
    minutes: Annotated[int, Field(ge=1, le=480, strict=True)]
    competences: tuple[str, ...] = ()
    pass_mark: Annotated[float, Field(ge=0, le=100, strict=True)] = 60
    variants: dict[Path_, Variant] = Field(default_factory=dict)
    plant: Annotated[dict[Path_, PlantDevice], Field(min_length=1)]
    endpoints: tuple[EndpointSpec, ...]
    timeline: tuple[TimelineEntry, ...] = ()
    tasks: Annotated[tuple[Task, ...], Field(min_length=1)]
    penalties: tuple[Penalty, ...] = ()


class Scenario(ScenarioFile):
    """A whole scenario with its variants drawn.

    Attributes:
        folder: Where it was read from (briefs, solution, wrong answers lie there).
        drawn: The variants' values for this seed.
    """

    folder: Path = Field(default=Path(), exclude=True)
    drawn: dict[str, Drawn] = Field(default_factory=dict)

    @property
    def marks(self) -> float:
        """Marks of all tasks."""
        return sum(task.marks for task in self.tasks)
