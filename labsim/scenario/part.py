"""What all parts of a scenario's model share: the base, the forms of names and numbers, accounts."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from labsim.scenario.manual import describe

Id = Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]*$")]
Path_ = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")]
CheckId = Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]*(\.[a-z0-9-]+)*$")]
Marks = Annotated[float, Field(ge=0, le=1000, strict=True, allow_inf_nan=False)]
Port = Annotated[int, Field(ge=0, le=65535, strict=True)]
BRIEF_FORM = r"^[a-z][a-z0-9-]*\.md(#[a-z0-9][a-z0-9-]*)?$"
BriefRef = Annotated[str, Field(pattern=BRIEF_FORM)]
Drawn = bool | int | float | str


class Part(BaseModel):
    """A part of a scenario: unknown keys are mistakes, and nothing changes once it is read."""

    model_config = ConfigDict(extra="forbid", frozen=True, json_schema_extra=describe)


Role = Literal["Anonymous", "Observer", "Operator", "Engineer", "SecurityAdmin"]


class Account(Part):
    """A user of an endpoint. A number stands for its digits, so that a variant can draw a PIN.

    Attributes:
        name: The user name.
        password: The password.
        role: What the user may do.
    """

    model_config = ConfigDict(coerce_numbers_to_str=True)

    name: Annotated[str, Field(min_length=1)]
    password: str
    role: Role = "Operator"
