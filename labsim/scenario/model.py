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
    """How one variant is drawn per seat: from a list (``choose``) or a range of whole numbers (``range`` with ``step``).

    Attributes:
        choose: The values it is drawn from.
        range: The lowest and the highest whole number it is drawn from.
        step: With ``range``: how far the numbers are apart.
    """

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
    """One endpoint: exactly one of the protocols.

    Attributes:
        modbus: A Modbus server.
        opcua: An OPC UA server.
        mqtt: An MQTT broker.
        http: A web service of devices.
        ntp: A time server.
    """

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
    """Help that costs marks.

    Attributes:
        text: What it says.
        cost: Marks that opening it costs, from its own task.
    """

    text: Text
    cost: Marks = 0


class CheckSpec(Part):
    """One check of a task: its name in the catalogue, its parameters as plain data, its marks.

    ``id`` is ``<task>.<n>`` unless the author gives one; ``depends`` names checks of the same scenario that must pass
    first; ``title`` replaces the check's own sentence; ``when`` says over which time it is judged, ``credit`` what a share
    of it earns.

    Attributes:
        id: Its name in the verdict; ``<task>.<n>`` unless given.
        check: Which check of the catalogue it is.
        marks: What it is worth; the checks of a task add up to the task's marks.
        params: Its parameters.
        depends: Ids of checks that have to pass before this one is judged.
        title: Replaces its own sentence on the mark sheet.
        when: Over which time it is judged: ``ever`` (an earlier success stays one), ``at-end``, or a stretch of time.
        credit: What a part of it earns: its ``share`` of the marks, all or nothing (``whole``), or steps from a share
            to a part of the marks.
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
    """One task of the scenario.

    Attributes:
        id: Its name: small letters, digits and hyphens.
        title: What the trainee reads above it.
        brief: Where its text is: a section of a briefing, such as ``brief.md#decode``.
        marks: What it is worth: the sum of its checks.
        depends: Ids of tasks that have to be passed before this one is judged.
        when: Over which time its checks are judged, unless they say it themselves.
        answer: The question, for a task that is answered with ``labsim answer`` or in the terminal UI.
        checks: What is judged, each as one name of the catalogue with its parameters.
        hints: Help that can be opened one after the other, each for its marks.
    """

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

    Attributes:
        id: Its name in the verdict; ``penalty.<n>`` unless given.
        check: Which check of the catalogue it is.
        marks: What it takes from the total when the check does not pass.
        params: Its parameters.
        title: Replaces the check's own sentence.
        when: Over which time it is judged.
        take: Whether it takes its marks ``once``, or for ``each`` time it happened.
        most: With ``take: each``: what it takes at most.
        zero: A task that is worth nothing then, besides.
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
    """What stands in ``scenario.yaml``; ``plant``, ``flows`` and ``crew`` after the ready plants of ``include`` are taken in.

    Attributes:
        labsim: The version of this form: 1.
        id: The scenario's name, as its folder is called: small letters, digits and hyphens.
        title: What the catalogue shows.
        level: For whom it is.
        minutes: How long it is meant to take.
        competences: What it trains: codes of the competence framework, or URIs of another one.
        pass_mark: Percentage of the marks that passes.
        mode: Whether it trains or examines: in training a success stays one and every reason is told; in an exam the
            end counts.
        feedback: What a candidate is told in an exam: ``marks``, ``outcomes`` of each check, or ``reasons`` too.
        variants: Values that are drawn for each seat; ``${name}`` stands for them in texts, plant, timeline, tasks
            and briefings.
        include: Ready plants to take in, by name or by the path of a file.
        plant: The devices by their names.
        flows: Which outlet of a device feeds which inlet.
        crew: How many operators the plant has.
        endpoints: The servers that clients meet.
        timeline: What happens while the lab runs.
        tasks: What the trainee does.
        penalties: What must not happen.
    """

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
