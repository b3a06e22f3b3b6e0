"""What a device type shows to the world: its ``interface.yaml`` as models.

One file per type is the source of the register map, the OPC UA nodes, the MQTT payloads and the manual, so the same tag is
the same value on all three protocols.
"""

from __future__ import annotations

import math
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, model_validator

from labsim.document import read_document
from labsim.errors import UnknownNameError
from labsim.plant.alarm_spec import AlarmSpec
from labsim.plant.fault_spec import FaultName, FaultSpec
from labsim.plant.model_spec import ComposedSpec, StatesSpec, StructureSpec
from labsim.plant.port_spec import PortSpec
from labsim.plant.register_spec import ModbusSpec
from labsim.plant.rest_spec import RestSpec
from labsim.plant.rules import conflicts
from labsim.plant.sensor import SensorSpec
from labsim.plant.signature import EventName, EventSpec, MethodSpec, StructureName
from labsim.plant.spec import Name, Number, Spec
from labsim.plant.tags import INTEGER_RANGE, Access, TagType, Value
from labsim.plant.time_spec import TimeSpec
from labsim.plant.vda5050_spec import Vda5050Spec
from labsim.quantity import Duration, parse_duration
from labsim.text import Text
from labsim.units import UNITS


def _known_unit(unit: str | None) -> str | None:
    if unit is not None and unit not in UNITS:
        raise ValueError(str(UnknownNameError("unit", unit, UNITS)))
    return unit


def _ordered(span: tuple[float, float] | None) -> tuple[float, float] | None:
    if span is not None and span[0] >= span[1]:
        raise ValueError("a range is its low end, then its high end")
    return span


UnitSymbol = Annotated[str | None, AfterValidator(_known_unit)]
Range = Annotated[tuple[Number, Number] | None, AfterValidator(_ordered)]


class TagSpec(Spec):
    """One tag of a device type.

    ``labels`` names the values of an enumeration; ``about`` says more than a title can.
    """

    type: TagType
    unit: UnitSymbol = None
    range: Range = None
    access: Access = "r"
    title: Text
    about: Text | None = None
    initial: bool | int | float | str | None = None
    labels: dict[int, Text] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _whole(self) -> TagSpec:
        if self.range is not None and self.type in ("bool", "text"):
            raise ValueError(f"a {self.type} has no range")
        if self.labels and self.type not in INTEGER_RANGE:
            raise ValueError("labels name whole numbers: give the tag an integer type such as u8")
        if self.initial is None:
            return self
        kind = "text" if isinstance(self.initial, str) else "bool" if isinstance(self.initial, bool) else "number"
        if kind != (self.type if self.type in ("text", "bool") else "number"):
            raise ValueError(f"the initial value {self.initial!r} is not a {self.type}")
        if self.range is not None and not self.range[0] <= float(self.initial) <= self.range[1]:
            raise ValueError(f"the initial value {self.initial!r} is outside the range")
        if self.labels and self.initial not in self.labels:
            raise ValueError(f"the initial value {self.initial!r} has no label")
        return self

    @property
    def first(self) -> Value:
        """The value before the device has run."""
        return (
            self.initial
            if self.initial is not None
            else ""
            if self.type == "text"
            else False
            if self.type == "bool"
            else 0
        )


class SettingSpec(Spec):
    """One setting: what a person configures on the device. A number without ``range`` may be any finite one.

    What is ``hidden`` is for scenarios alone, such as a mood of the device: it is in no datasheet, and no trainee changes it.
    """

    type: Literal["choice", "integer", "number", "text", "bool", "duration"]
    title: Text
    about: Text | None = None
    default: bool | int | float | str
    choices: tuple[str, ...] = ()
    unit: UnitSymbol = None
    range: Range = None
    hidden: bool = False

    @model_validator(mode="after")
    def _whole(self) -> SettingSpec:
        if (self.type == "choice") != bool(self.choices):
            raise ValueError("a choice needs 'choices', and nothing else has them")
        if self.range is not None and self.type not in ("integer", "number", "duration"):
            raise ValueError(f"a {self.type} has no range")
        self.parse(self.default)
        return self

    def parse(self, value: Any) -> Value:
        """``value`` as this setting holds it.

        Raises:
            ValueError: not allowed; the message says what is.
        """
        match self.type:
            case "choice":
                if str(value) not in self.choices:
                    raise ValueError(f"{value!r} is not one of {', '.join(self.choices)}")
                return str(value)
            case "text":
                return str(value)
            case "bool":
                if str(value).lower() not in ("true", "false"):
                    raise ValueError(f"{value!r} is not true or false")
                return str(value).lower() == "true"
            case "duration":
                number = parse_duration(value)
            case "integer" | "number":
                number = self._number(value)
        if self.range is not None and not self.range[0] <= number <= self.range[1]:
            raise ValueError(f"{value!r} is outside {self.range[0]:g} to {self.range[1]:g}")
        return number

    def _number(self, value: Any) -> float:
        try:
            number = float(value)
        except (TypeError, ValueError, OverflowError):
            number = math.nan
        if isinstance(value, bool) or not math.isfinite(number):
            raise ValueError(f"{value!r} is not {'a whole number' if self.type == 'integer' else 'a number'}")
        if self.type == "number":
            return number
        if number != int(number):
            raise ValueError(f"{value!r} is not a whole number")
        return int(number)


Role = Literal["Anonymous", "Observer", "Operator", "Engineer", "SecurityAdmin"]
Allowed = dict[Literal["browse", "read", "write", "history", "events", "call"], tuple[Role, ...]]
"""By operation, the only roles that may."""


class OpcuaSpec(Spec):
    """The node tree of a type.

    ``type_name`` names its ObjectType; ``nodes`` maps a browse path below the device (``Monitoring/Spindle/Speed``) to a
    tag, ``methods`` to a method. Folders on the way are made. ``events`` are event types by name. ``roles`` names, by tag
    or by browse path of a folder or method, the only roles that may browse, read, write or call what is there and below.

    A name in a browse path may begin with the prefix of a companion specification, as in ``machinetool:Monitoring``: then
    its browse name is in that specification's namespace. ``enumerations`` maps a tag with labels to the name of its
    enumeration DataType (``machinetool:MachineOperationMode``); tags of one DataType have the same labels. Tags with labels
    that are not listed are numbers of their own type, as MultiStateDiscrete.

    ``structures`` are DataTypes of the device's own, for ``values`` by browse path, which are made of tags whenever they are
    asked for, and for arguments of methods. ``states`` are state machines by browse path, each made of a tag with labels.
    ``base`` is the companion ObjectType above that of the device (``packml:PackMLBaseObjectType``), ``types`` those of
    folders by browse path.
    """

    namespace: str
    type_name: str
    folder: Literal["Machines", "DeviceSet"] = "DeviceSet"
    nodes: dict[str, Name]
    methods: dict[str, MethodSpec] = Field(default_factory=dict)
    events: dict[EventName, EventSpec] = Field(default_factory=dict)
    roles: dict[str, Allowed] = Field(default_factory=dict)
    enumerations: dict[Name, str] = Field(default_factory=dict)
    structures: dict[StructureName, StructureSpec] = Field(default_factory=dict)
    values: dict[str, ComposedSpec] = Field(default_factory=dict)
    states: dict[str, StatesSpec] = Field(default_factory=dict)
    base: str | None = None
    types: dict[str, str] = Field(default_factory=dict)


class MessageSpec(Spec):
    """One kind of message the device publishes: a JSON object of ``tags`` on ``topic`` every so often.

    In the topic ``{device}`` is the device's path. The payload is ``{"time": RFC 3339 UTC, "values": {tag: {"value",
    "unit", "quality"}}}``. A scenario may choose another style: then ``tags`` and ``every`` say which values are published,
    and how often they are looked at.
    """

    topic: str
    every: Duration = 1.0
    retain: bool = False
    qos: Literal[0, 1, 2] = 0
    tags: tuple[Name, ...]


class EventMessageSpec(Spec):
    """A message for each event of one kind: ``{"time": RFC 3339 UTC, "event", "fields": {name: value}}`` on ``topic``.

    ``age`` names a field that says how many seconds ago it was: then ``time`` is that long before the event is told, and the
    payload has ``sent`` as well, which is when it was told.
    """

    event: EventName
    topic: str
    retain: bool = False
    qos: Literal[0, 1, 2] = 1
    age: str | None = None


class MqttSpec(Spec):
    """What the device publishes by itself: values every so often, and events of ``opcua.events`` as they happen.

    A device with ``vda5050`` speaks that instead, except where a scenario wants its values in another style.
    """

    messages: tuple[MessageSpec, ...]
    events: tuple[EventMessageSpec, ...] = ()
    vda5050: Vda5050Spec | None = None


class Identification(Spec):
    """Nameplate; ``serial`` may hold ``{number}``, drawn per seat and device; ``revision`` is that of the software."""

    manufacturer: str
    model: str
    revision: str
    serial: str
    hardware_revision: str = ""
    device_revision: str = ""


class Interface(Spec):
    """The whole of ``interface.yaml``."""

    type: Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]*$")]
    title: Text
    about: Text
    identification: Identification
    settings: dict[Name, SettingSpec] = Field(default_factory=dict)
    tags: dict[Name, TagSpec]
    alarms: dict[Name, AlarmSpec] = Field(default_factory=dict)
    ports: dict[Name, PortSpec] = Field(default_factory=dict)
    faults: dict[FaultName, FaultSpec] = Field(default_factory=dict)
    sensors: dict[Name, SensorSpec] = Field(default_factory=dict)
    modbus: ModbusSpec | None = None
    opcua: OpcuaSpec | None = None
    mqtt: MqttSpec | None = None
    rest: RestSpec | None = None
    time: TimeSpec | None = None

    @cached_property
    def protocols(self) -> tuple[str, ...]:
        """Protocols the type speaks, in the order opcua, modbus, mqtt, http, ntp."""
        spoken = {"opcua": self.opcua, "modbus": self.modbus, "mqtt": self.mqtt, "http": self.rest, "ntp": self.time}
        return tuple(protocol for protocol, spec in spoken.items() if spec is not None)


def load_interface(path: Path) -> Interface:
    """Read one ``interface.yaml``.

    Raises:
        InputError: there is no such file.
        ScenarioError: with every problem and its place; first those of shape, then those between parts (`conflicts`).
    """
    document = read_document(path)
    interface = document.validate(Interface, document.data)
    if interface is not None:
        for conflict in conflicts(interface):
            document.problem(*conflict)
    document.done()
    assert interface is not None
    return interface
