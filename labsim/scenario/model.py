"""A scenario as models: what an instructor writes, after variants are filled in.

Check parameters and device settings stay plain data here; the loader judges them against the catalogue it is given. The
author's short form of a check (``- modbus.polled: {every: 1 s, marks: 4}``) becomes a `CheckSpec` before it comes here.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from labsim.scenario.flow import FlowSpec
from labsim.scenario.http import HttpSpec
from labsim.scenario.marking import Credit, Feedback, Mode, When
from labsim.scenario.modbus import ModbusSpec
from labsim.scenario.mqtt import MqttSpec
from labsim.scenario.ntp import NtpSpec
from labsim.scenario.opcua import OpcuaSpec
from labsim.scenario.part import BriefRef, CheckId, Drawn, Id, Marks, Part, Path_
from labsim.scenario.plant import Crew, Include, PlantDevice
from labsim.scenario.timeline import TimelineEntry
from labsim.text import Text

_Whole = Annotated[int, Field(ge=-(2**53), le=2**53, strict=True)]
_Choice = bool | int | Annotated[float, Field(allow_inf_nan=False)] | Annotated[str, Field(max_length=200)]


class Variant(Part):
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


class EndpointSpec(Part):
    """One endpoint: exactly one of the protocols."""

    modbus: ModbusSpec | None = None
    opcua: OpcuaSpec | None = None
    mqtt: MqttSpec | None = None
    http: HttpSpec | None = None
    ntp: NtpSpec | None = None

    @model_validator(mode="after")
    def _one(self) -> EndpointSpec:
        if sum(spec is not None for spec in (self.modbus, self.opcua, self.mqtt, self.http, self.ntp)) != 1:
            raise ValueError("an endpoint is one of modbus, opcua, mqtt, http or ntp")
        return self

    @property
    def protocol(self) -> Literal["modbus", "opcua", "mqtt", "http", "ntp"]:
        """Which of them it is."""
        if self.http is not None or self.ntp is not None:
            return "http" if self.http is not None else "ntp"
        return "modbus" if self.modbus is not None else "opcua" if self.opcua is not None else "mqtt"

    @property
    def spec(self) -> ModbusSpec | OpcuaSpec | MqttSpec | HttpSpec | NtpSpec:
        """The one that is given."""
        found = self.modbus or self.opcua or self.mqtt or self.http or self.ntp
        assert found is not None
        return found


class Hint(Part):
    """Help that costs marks."""

    text: Text
    cost: Marks = 0


class CheckSpec(Part):
    """One check of a task: its name in the catalogue, its parameters as plain data, its marks.

    ``id`` is ``<task>.<n>`` unless the author gives one; ``depends`` names checks of the same scenario that must pass
    first; ``title`` replaces the check's own sentence; ``when`` says over which time it is judged, ``credit`` what a share
    of it earns.
    """

    id: CheckId
    check: str
    marks: Marks
    params: dict[str, Any]
    depends: tuple[CheckId, ...] = ()
    title: Text | None = None
    when: When | None = None
    credit: Credit = "share"


class Task(Part):
    """One task of the scenario."""

    id: Id
    title: Text
    brief: BriefRef | None = None
    marks: Marks
    depends: tuple[Id, ...] = ()
    when: When | None = None
    answer: Text | None = None
    checks: Annotated[tuple[CheckSpec, ...], Field(min_length=1)]
    hints: tuple[Hint, ...] = ()


class Penalty(Part):
    """A check that takes marks away when it does not pass; its ``id`` is ``penalty.<n>`` unless the author gives one.

    Marks are taken ``once``, or for ``each`` time it happened, but ``most`` at most; ``zero`` is a task that is worth nothing
    then, besides.
    """

    id: CheckId
    check: str
    marks: Marks
    params: dict[str, Any]
    title: Text | None = None
    when: When | None = None
    take: Literal["once", "each"] = "once"
    most: Marks | None = None
    zero: Id | None = None

    @model_validator(mode="after")
    def _capped(self) -> Penalty:
        if self.most is not None and self.take != "each":
            raise ValueError("'most' belongs to 'take: each'")
        return self


class ScenarioFile(Part):
    """What stands in ``scenario.yaml``; ``plant``, ``flows`` and ``crew`` after the ready plants of ``include`` are taken in."""

    labsim: Literal[1]
    id: Id
    title: Text
    level: Literal["junior", "intermediate", "senior"]
    minutes: Annotated[int, Field(ge=1, le=480, strict=True)]
    competences: tuple[str, ...] = ()
    pass_mark: Annotated[float, Field(ge=0, le=100, strict=True)] = 60
    mode: Mode = "training"
    feedback: Feedback = "outcomes"
    variants: dict[Path_, Variant] = Field(default_factory=dict)
    include: tuple[Include, ...] = ()
    plant: Annotated[dict[Path_, PlantDevice], Field(min_length=1)]
    flows: tuple[FlowSpec, ...] = ()
    crew: Crew | None = None
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
