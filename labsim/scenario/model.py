"""A scenario as models: what an instructor writes, after variants are filled in.

Check parameters and device settings stay plain data here; the loader judges them against the catalogue it is given.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from labsim.quantity import Duration
from labsim.text import Text

Id = Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]*$")]
Path_ = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")]
Marks = Annotated[float, Field(ge=0, le=1000)]
Port = Annotated[int, Field(ge=0, le=65535)]


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Variant(_Model):
    """How one variant is drawn per seat: from a list (``choose``) or a range of whole numbers (``range`` with ``step``)."""

    choose: tuple[int | float | str, ...] | None = None
    range: tuple[int, int] | None = None
    step: Annotated[int, Field(ge=1)] = 1

    @model_validator(mode="after")
    def _one(self) -> Variant:
        if (self.choose is None) == (self.range is None):
            raise ValueError("a variant is drawn by 'choose' or by 'range': give one of the two")
        if self.range is not None and self.range[0] > self.range[1]:
            raise ValueError("the range ends before it begins")
        if self.choose is not None and not self.choose:
            raise ValueError("there is nothing to choose from")
        return self


class PlantDevice(_Model):
    """One device of the plant."""

    type: Id
    title: Text | None = None
    settings: dict[str, Any] = Field(default_factory=dict)


class Account(_Model):
    """A user of an endpoint."""

    name: str
    password: str
    role: Literal["Observer", "Operator", "Engineer", "SecurityAdmin"] = "Operator"


class ModbusSpec(_Model):
    """A Modbus TCP server with one device per unit id. ``unknown_unit`` is what a unit nobody has answers."""

    port: Port = 5020
    units: dict[Annotated[int, Field(ge=0, le=255)], Path_]
    unknown_unit: Literal["silent", "gateway"] = "silent"


class OpcuaSpec(_Model):
    """An OPC UA server over some devices. ``anonymous`` is the role of a client without a user, or null to refuse it."""

    port: Port = 4840
    devices: tuple[Path_, ...]
    anonymous: Literal["Observer", "Operator", "Engineer"] | None = "Observer"
    users: tuple[Account, ...] = ()
    name: str = "labsim"


class MqttSpec(_Model):
    """An MQTT broker; ``devices`` publish their own telemetry there."""

    port: Port = 1883
    devices: tuple[Path_, ...] = ()
    anonymous: bool = True
    users: tuple[Account, ...] = ()


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
    def spec(self) -> ModbusSpec | OpcuaSpec | MqttSpec:
        """The one that is given."""
        found = self.modbus or self.opcua or self.mqtt
        assert found is not None
        return found


class TimelineEntry(_Model):
    """Something that happens to the plant at a plant time: a setting changes (``setting``) or a fault begins (``fault``)."""

    at: Duration
    device: Path_
    setting: str | None = None
    value: Any = None
    fault: str | None = None
    hidden: bool = False


class Hint(_Model):
    """Help that costs marks."""

    text: Text
    cost: Marks = 0


class CheckSpec(_Model):
    """One check of a task: its name in the catalogue, its parameters as plain data, its marks.

    ``id`` is ``<task>.<n>`` unless the author gives one; ``depends`` names checks of the same scenario that must pass
    first; ``title`` replaces the check's own sentence.
    """

    id: str
    check: str
    marks: Marks
    params: dict[str, Any]
    depends: tuple[str, ...] = ()
    title: Text | None = None


class Task(_Model):
    """One task of the scenario."""

    id: Id
    title: Text
    brief: str | None = None
    marks: Marks
    depends: tuple[Id, ...] = ()
    answer: Text | None = None
    checks: tuple[CheckSpec, ...]
    hints: tuple[Hint, ...] = ()


class Penalty(_Model):
    """A check that takes marks away when it does not pass."""

    id: str
    check: str
    marks: Marks
    params: dict[str, Any]


class Scenario(_Model):
    """A whole scenario with its variants drawn.

    Attributes:
        folder: Where it was read from (briefs, solution, wrong answers lie there); not part of the file.
        drawn: The variants' values for this seed.
    """

    labsim: Literal[1]
    id: Id
    title: Text
    level: Literal["junior", "intermediate", "senior"]
    minutes: Annotated[int, Field(ge=1, le=480)]
    competences: tuple[str, ...] = ()
    pass_mark: Annotated[float, Field(ge=0, le=100)] = 60
    variants: dict[str, Variant] = Field(default_factory=dict)
    plant: dict[Path_, PlantDevice]
    endpoints: tuple[EndpointSpec, ...]
    timeline: tuple[TimelineEntry, ...] = ()
    tasks: Annotated[tuple[Task, ...], Field(min_length=1)]
    penalties: tuple[Penalty, ...] = ()
    folder: Path = Field(default=Path(), exclude=True)
    drawn: dict[str, int | float | str] = Field(default_factory=dict)

    @property
    def marks(self) -> float:
        """Marks of all tasks."""
        return sum(task.marks for task in self.tasks)
