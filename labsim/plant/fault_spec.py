"""Faults that a device type has by itself, as its interface says them.

What goes wrong with any tag (stuck, drift, noise) or with any device (dead, slow, wrong clock) is known to the plant and is not
listed here; see docs/faults.md.
"""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, model_validator

from labsim.plant.spec import Name, Number, Spec
from labsim.text import Text

FaultName = Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]*$")]


class FaultParameter(Spec):
    """A number that a fault takes, such as how large it is."""

    title: Text
    unit: str | None = None
    range: tuple[Number, Number]
    default: Number

    @model_validator(mode="after")
    def _inside(self) -> FaultParameter:
        if not self.range[0] <= self.default <= self.range[1]:
            raise ValueError("the default is outside the range")
        return self


class FaultSpec(Spec):
    """A fault of a device type.

    ``about`` says what shows at the endpoints; ``catalogue`` is its number in the catalogue of docs/faults.md (P16). A manual
    never shows faults.
    """

    title: Text
    about: Text | None = None
    catalogue: str = ""
    parameters: dict[Name, FaultParameter] = Field(default_factory=dict)
