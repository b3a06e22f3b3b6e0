"""What an interface says of its OPC UA model beside plain tags: structures, values made of tags, state machines."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field, model_validator

from labsim.errors import UnknownNameError
from labsim.plant.companion import COMPANIONS
from labsim.plant.signature import ArgumentSpec, MethodName, StructureName
from labsim.plant.spec import Name, Spec
from labsim.text import Text
from labsim.units import UNITS

FieldName = Annotated[str, Field(pattern=r"^[A-Za-z][A-Za-z0-9_]*$")]


class StructureFieldSpec(ArgumentSpec):
    """A field of a structure; one that is ``optional`` may be left out of a value."""

    optional: bool = False


class StructureSpec(Spec):
    """A structure with its fields in their order."""

    title: Text
    about: Text | None = None
    fields: dict[FieldName, StructureFieldSpec] = Field(min_length=1)


class ConstantSpec(Spec):
    """A field that no tag says: a ``constant``, the ``unit`` of EngineeringUnits, or the ``fields`` of a structure in it."""

    constant: bool | int | float | str | None = None
    unit: str | None = None
    fields: dict[FieldName, Name | ConstantSpec] | None = None

    @model_validator(mode="after")
    def _one(self) -> ConstantSpec:
        if sum(one is not None for one in (self.constant, self.unit, self.fields)) != 1:
            raise ValueError("a field is a tag, or one of constant, unit and fields")
        if self.unit is not None and self.unit not in UNITS:
            raise ValueError(str(UnknownNameError("unit", self.unit, UNITS)))
        return self


Source = Name | ConstantSpec
"""What a field of a value says: a tag, or something that stays."""


class ComposedSpec(Spec):
    """A variable that holds a structure made of tags whenever it is asked for; nothing is kept twice.

    One of: ``fields`` for one structure, ``items`` for a list of them, or ``json`` for a text tag in which the device keeps
    the value as JSON (``array`` says that it is a list).
    """

    structure: StructureName
    title: Text
    about: Text | None = None
    fields: dict[FieldName, Source] | None = None
    items: tuple[dict[FieldName, Source], ...] | None = None
    json_tag: Name | None = Field(default=None, alias="json")
    array: bool = False

    @model_validator(mode="before")
    @classmethod
    def _list(cls, given: Any) -> Any:
        return {**given, "array": True} if isinstance(given, dict) and "items" in given else given

    @model_validator(mode="after")
    def _one(self) -> ComposedSpec:
        if sum(one is not None for one in (self.fields, self.items, self.json_tag)) != 1:
            raise ValueError("a value has one of fields, items and json")
        if self.array and self.fields is not None:
            raise ValueError("a list has items, not fields")
        return self

    @property
    def is_list(self) -> bool:
        """Whether its value is an array."""
        return self.array

    def tags(self) -> list[str]:
        """Names of the tags it is made of."""
        given = [self.fields or {}, *(self.items or ())]
        named = [name for fields in given for name in _tags(fields)]
        return list(dict.fromkeys([*named, *([self.json_tag] if self.json_tag is not None else [])]))


def _tags(fields: dict[str, Name | ConstantSpec]) -> list[str]:
    found: list[str] = []
    for source in fields.values():
        if isinstance(source, str):
            found.append(source)
        elif source.fields is not None:
            found += _tags(source.fields)
    return found


class StatesSpec(Spec):
    """A state machine made of a tag with labels: its CurrentState is what the tag says.

    ``type`` is the type of a companion specification (``machinery:MachineryItemState_StateMachineType``) or a name of the
    device's own; without one it is called after the last name of its place. ``calls`` are the commands of a companion's
    machine that the device takes, by what `Device.call` gets: ``{Start: start}``.
    """

    tag: Name
    type: str | None = None
    calls: dict[str, MethodName] = Field(default_factory=dict)

    def type_at(self, place: str) -> str:
        """Name of the type of the machine at a place."""
        if self.type is not None:
            return self.type
        last = place.rpartition("/")[2]
        prefix, colon, rest = last.partition(":")
        return f"{rest if colon and prefix in COMPANIONS else last}StateMachineType"
