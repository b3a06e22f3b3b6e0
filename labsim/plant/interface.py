"""What a device type shows to the world: its ``interface.yaml`` as models.

One file per type is the source of the register map, the OPC UA nodes, the MQTT payloads and the manual, so the same tag is
the same value on all three protocols.
"""

from __future__ import annotations

import math
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from labsim.document import read_document
from labsim.errors import UnknownNameError
from labsim.plant.alarm_spec import AlarmSpec
from labsim.plant.rules import conflicts
from labsim.plant.signature import EventName, EventSpec, MethodSpec
from labsim.plant.tags import INTEGER_RANGE, Access, TagType, Value
from labsim.quantity import Duration, parse_duration
from labsim.text import Text
from labsim.units import UNITS

WordOrder = Literal["ABCD", "CDAB", "BADC", "DCBA"]
RegisterType = Literal["bool", "i16", "u16", "i32", "u32", "i64", "u64", "f32", "f64", "text"]
Table = Literal["holding", "input", "coil", "discrete"]
WORDS: dict[str, int] = {"bool": 1, "i16": 1, "u16": 1, "i32": 2, "u32": 2, "f32": 2, "i64": 4, "u64": 4, "f64": 4}
Number = Annotated[float, Field(allow_inf_nan=False)]
DataFunction = Literal[1, 2, 3, 4, 5, 6, 15, 16, 20, 21, 22, 23]
"""A Modbus function code that reads or writes registers or bits."""
ExceptionNumber = Literal[1, 2, 3, 4, 6, 10, 11]
"""A Modbus exception code that a device family may answer with."""
Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")]


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, ignored_types=(cached_property,))


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


class TagSpec(_Model):
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


class SettingSpec(_Model):
    """One setting: what a person configures on the device. A number without ``range`` may be any finite one."""

    type: Literal["choice", "integer", "number", "text", "bool", "duration"]
    title: Text
    about: Text | None = None
    default: bool | int | float | str
    choices: tuple[str, ...] = ()
    unit: UnitSymbol = None
    range: Range = None

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


class RegisterSpec(_Model):
    """One entry of the register map, numbered as the vendor's manual prints it.

    The wire address is ``doc - numbering + base_register`` (setting). The raw number is the tag's value times ``scale`` plus
    ``offset``; an integer that does not fit is saturated or wrapped (``overflow``). ``words`` is the length of a text in
    registers.

    Attributes:
        invalid: What stands for a value of bad quality: the ``last`` one, NaN or the type's ``sentinel``, a raw number of the
            family's own, or ``refuse``: the read gets an exception.
        atomic: A read of a part of the value is refused.
        group: Registers of one group are read and written together or not at all (a date and its time).
        functions: The function codes that reach it, if not all of its table's.
        effect: What a write does. ``level``: the value stands. ``edge``: only a change does anything, so a command must go
            back before it can come again. ``command``: the register takes the value and reads 0. ``eeprom``: it stands, and
            every write wears the memory, counted in the tag ``wear_tag``; from ``wear_limit`` on a write fails.
    """

    doc: Annotated[int, Field(ge=0, le=470000)]
    tag: Name | None = None
    constant: int | float | str | None = None
    type: RegisterType
    table: Table = "holding"
    words: Annotated[int, Field(ge=1, le=64)] | None = None
    scale: Number = 1.0
    offset: Number = 0.0
    overflow: Literal["saturate", "wrap"] = "saturate"
    word_order: WordOrder | None = None
    access: Access = "r"
    functions: tuple[DataFunction, ...] | None = None
    invalid: Literal["nan", "last", "sentinel", "refuse"] | int = "last"
    atomic: bool = False
    group: Name | None = None
    effect: Literal["level", "edge", "command", "eeprom"] = "level"
    wear_tag: Name | None = None
    wear_limit: Annotated[int, Field(ge=1)] = 100_000
    title: Text | None = None

    @property
    def size(self) -> int:
        """Length in registers (bits for coils and discrete inputs)."""
        return self.words or WORDS[self.type]

    @model_validator(mode="after")
    def _whole(self) -> RegisterSpec:
        if (self.tag is None) == (self.constant is None):
            raise ValueError("a register shows a tag or a constant: give one of the two")
        if (self.type == "text") != (self.words is not None):
            raise ValueError("a text register needs 'words', its length in registers; a number has its type's length")
        serial = (self.constant, self.type) == ("{serial}", "u32")
        if self.constant is not None and not serial and isinstance(self.constant, str) != (self.type == "text"):
            raise ValueError(f"the constant {self.constant!r} is not a {self.type}")
        if self.access == "rw" and (self.tag is None or self.table in ("input", "discrete")):
            raise ValueError("only a tag in a holding register or a coil can be written")
        if self.scale == 0:
            raise ValueError("a scale of 0 loses the value")
        if (self.table in ("coil", "discrete")) != (self.type == "bool"):
            raise ValueError("coils and discrete inputs hold bool, registers hold numbers or text")
        if self.effect != "level" and self.access != "rw":
            raise ValueError(f"the effect {self.effect!r} is of a write: give 'access: rw'")
        if (self.effect == "eeprom") != (self.wear_tag is not None):
            raise ValueError(
                "an eeprom register needs 'wear_tag', the tag that counts its writes, and nothing else has it"
            )
        if isinstance(self.invalid, int) and self.type in INTEGER_RANGE:
            low, high = INTEGER_RANGE[self.type]
            if not low <= self.invalid <= high:
                raise ValueError(f"the invalid mark {self.invalid} does not fit a {self.type}")
        elif isinstance(self.invalid, int):
            raise ValueError("only an integer register has a raw number for invalid")
        return self


class QueueSpec(_Model):
    """A FIFO queue of function 24: the changes of a number ``tag``, oldest first, at most ``length`` of them."""

    tag: Name
    type: Literal["i16", "u16"] = "u16"
    scale: Number = 1.0
    length: Annotated[int, Field(ge=1, le=31)] = 31


class ExceptionsSpec(_Model):
    """The exception codes of a device family, where they are not the standard's.

    Attributes:
        function: A function code the device does not have.
        wrong_function: One it has, on a register that it does not reach.
        address: A register that is not there.
        part: A read of a part of what must be read whole.
        part_write: A write of a part of a value.
        count: A count or a length outside the limits.
        value: A value that cannot be.
        state: The device understood and could not do it.
        busy: It cannot do it yet.
        lost: What is behind it does not answer.
    """

    function: ExceptionNumber = 1
    wrong_function: ExceptionNumber = 2
    address: ExceptionNumber = 2
    part: ExceptionNumber = 2
    part_write: ExceptionNumber = 3
    count: ExceptionNumber = 3
    value: ExceptionNumber = 3
    state: ExceptionNumber = 4
    busy: ExceptionNumber = 6
    lost: ExceptionNumber = 11


class ModbusSpec(_Model):
    """The register map of a type and how the device family answers.

    Attributes:
        numbering: The number the manual gives to wire address 0.
        same_tables: FC03 and FC04 read the same table.
        same_bits: FC01 and FC02 read the same table.
        holes: What a read over a gap between two registers gets: an exception, or 0 for the gap.
        read_only: The exception code for a write to a register that is read only (Schneider 2, V20 4).
        exceptions: The other exception codes.
        half_values: What a read that cuts a value in half gets: ``give`` half of it or ``refuse`` with exception 02.
        max_registers: The most registers of one request.
        max_bits: The most coils or discrete inputs of one request.
        functions: The function codes the device has, if not all that its map can serve.
        identification: Objects of function 43/14 by object id; ``{serial}`` is filled in.
        server_id: What function 17 says; the model when it is not given. ``{serial}`` is filled in.
        run_tag: The tag behind function 17's run indicator, which is ON without one.
        exception_status: Up to eight bool tags, function 07's bits from the least significant.
        files: Registers of each file of functions 20 and 21; their ``doc`` is the record number from 0.
        queues: FIFO queues of function 24 by the number of their pointer register.
    """

    numbering: Annotated[int, Field(ge=0, le=400001)] = 1
    same_tables: bool = False
    same_bits: bool = False
    holes: Literal["refuse", "zero"] = "refuse"
    read_only: Literal[1, 2, 3, 4] = 2
    exceptions: ExceptionsSpec = Field(default_factory=ExceptionsSpec)
    half_values: Literal["give", "refuse"] = "give"
    max_registers: Annotated[int, Field(ge=1, le=125)] = 125
    max_bits: Annotated[int, Field(ge=1, le=2000)] = 2000
    functions: tuple[Annotated[int, Field(ge=1, le=127)], ...] | None = None
    identification: dict[int, str] = Field(default_factory=dict)
    server_id: str | None = None
    run_tag: Name | None = None
    exception_status: Annotated[tuple[Name, ...], Field(max_length=8)] = ()
    files: dict[Annotated[int, Field(ge=1, le=65535)], tuple[RegisterSpec, ...]] = Field(default_factory=dict)
    queues: dict[int, QueueSpec] = Field(default_factory=dict)
    registers: tuple[RegisterSpec, ...]


Role = Literal["Anonymous", "Observer", "Operator", "Engineer", "SecurityAdmin"]
Allowed = dict[Literal["browse", "read", "write", "history", "call"], tuple[Role, ...]]
"""By operation, the only roles that may."""


class OpcuaSpec(_Model):
    """The node tree of a type.

    ``type_name`` names its ObjectType; ``nodes`` maps a browse path below the device (``Monitoring/Spindle/Speed``) to a
    tag, ``methods`` to a method. Folders on the way are made. ``events`` are event types by name. ``roles`` names, by tag
    or by browse path of a folder or method, the only roles that may browse, read, write or call what is there and below.

    A name in a browse path may begin with the prefix of a companion specification, as in ``machinetool:Monitoring``: then
    its browse name is in that specification's namespace. ``enumerations`` maps a tag with labels to the name of its
    enumeration DataType (``machinetool:MachineOperationMode``); tags of one DataType have the same labels. Tags with labels
    that are not listed are numbers of their own type, as MultiStateDiscrete.
    """

    namespace: str
    type_name: str
    folder: Literal["Machines", "DeviceSet"] = "DeviceSet"
    nodes: dict[str, Name]
    methods: dict[str, MethodSpec] = Field(default_factory=dict)
    events: dict[EventName, EventSpec] = Field(default_factory=dict)
    roles: dict[str, Allowed] = Field(default_factory=dict)
    enumerations: dict[Name, str] = Field(default_factory=dict)


class MessageSpec(_Model):
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


class MqttSpec(_Model):
    """What the device publishes by itself."""

    messages: tuple[MessageSpec, ...]


class Identification(_Model):
    """Nameplate; ``serial`` may hold ``{number}``, drawn per seat and device; ``revision`` is that of the software."""

    manufacturer: str
    model: str
    revision: str
    serial: str
    hardware_revision: str = ""
    device_revision: str = ""


class Interface(_Model):
    """The whole of ``interface.yaml``."""

    type: Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]*$")]
    title: Text
    about: Text
    identification: Identification
    settings: dict[Name, SettingSpec] = Field(default_factory=dict)
    tags: dict[Name, TagSpec]
    alarms: dict[Name, AlarmSpec] = Field(default_factory=dict)
    modbus: ModbusSpec | None = None
    opcua: OpcuaSpec | None = None
    mqtt: MqttSpec | None = None

    @cached_property
    def protocols(self) -> tuple[str, ...]:
        """Protocols the type speaks, in the order opcua, modbus, mqtt."""
        return tuple(p for p in ("opcua", "modbus", "mqtt") if getattr(self, p) is not None)


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
