"""What a device can be asked to do and what it tells, as an interface says it: methods and events with typed fields."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from labsim.plant.tags import TagType
from labsim.text import Text

MethodName = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")]
EventName = Annotated[str, Field(pattern=r"^[A-Z][A-Za-z0-9]*$")]
StructureName = Annotated[str, Field(pattern=r"^([a-z0-9]+:)?[A-Z][A-Za-z0-9_]*$")]
FieldType = Literal["datetime", "utc", "localized", "bytes", "decimal", "any", "unit", "range", "path"]
"""Types that no tag has: RFC 3339 text twice (DateTime, UtcTime), a text with a language, base64, a DecimalString, anything;
and EUInformation, Range and RelativePath as mappings of their fields."""


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class FieldSpec(_Model):
    """A field of an event: its type, and what it means."""

    type: TagType
    title: Text


class ArgumentSpec(_Model):
    """An argument of a method or a field of a structure.

    ``type`` may also name a structure of the interface or, with a prefix, of a companion specification; an ``array`` is a
    list. The device gets and gives a structure as a mapping by field name.
    """

    type: TagType | FieldType | StructureName
    title: Text
    array: bool = False


class MethodSpec(_Model):
    """A method: ``call`` is the name that `Device.call` gets; ``inputs`` and ``outputs`` by argument name, in order."""

    call: MethodName
    title: Text
    about: Text | None = None
    inputs: dict[str, ArgumentSpec] = Field(default_factory=dict)
    outputs: dict[str, ArgumentSpec] = Field(default_factory=dict)


class EventSpec(_Model):
    """A type of event that `Device.emit` tells; ``message`` may hold ``{field}``."""

    title: Text
    message: Text
    severity: Annotated[int, Field(ge=1, le=1000)] = 200
    fields: dict[str, FieldSpec] = Field(default_factory=dict)
