"""Faults that a device type has by itself, as its interface says them.

What goes wrong with any tag (stuck, drift, noise) or with any device (dead, slow, wrong clock) is known to the plant and is not
listed here; see docs/faults.md.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from labsim.errors import InputError, UnknownNameError
from labsim.plant.spec import Name, Number, Spec
from labsim.quantity import parse_duration
from labsim.text import Text

FaultName = Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]*$")]


class FaultParameter(Spec):
    """Something that a fault takes, such as how large it is: a number in its ``range``, the name of a tag, or a text.

    Without ``default`` it is ``share`` of the tag's range (of its present value where it has none), or may be left out; a fault
    of a device type gives every parameter a default.
    """

    title: Text
    unit: str | None = None
    range: tuple[Number, Number] = (-1e12, 1e12)
    default: Number | None = None
    share: Number | None = None
    of: Literal["number", "tag", "text"] = "number"

    @model_validator(mode="after")
    def _inside(self) -> FaultParameter:
        if self.default is not None and not self.range[0] <= self.default <= self.range[1]:
            raise ValueError("the default is outside the range")
        return self

    def parse(self, value: Any) -> float | str:
        """``value`` as this parameter holds it.

        Raises:
            ValueError: not allowed; the message says what is.
        """
        if self.of == "tag":
            if not isinstance(value, str):
                raise ValueError(f"{value!r} is not the name of a tag")
            return value
        if self.of == "text":
            if isinstance(value, bool) or not isinstance(value, int | float | str) or not str(value):
                raise ValueError(f"{value!r} is not a text")
            # a number stands for its digits, as a password may
            return f"{value:.0f}" if isinstance(value, float) and value.is_integer() else str(value)
        low, high = self.range
        try:
            number = parse_duration(value) if self.unit == "s" and isinstance(value, str) else float(value)
        except (TypeError, ValueError, OverflowError):
            number = math.nan
        if isinstance(value, bool) or not low <= number <= high:
            raise ValueError(f"{value!r} is not a number from {low:g} to {high:g}")
        return number


class FaultSpec(Spec):
    """A fault of a device type.

    ``about`` says what shows at the endpoints; ``catalogue`` is its number in the catalogue of docs/faults.md (P16). A manual
    never shows faults.
    """

    title: Text
    about: Text | None = None
    catalogue: str = ""
    parameters: dict[Name, FaultParameter] = Field(default_factory=dict)

    def parse(self, given: Mapping[str, Any]) -> dict[str, float | str]:
        """The parameters as given, with every default filled in.

        Raises:
            UnknownNameError: a parameter that the fault does not have.
            InputError: a value that a parameter does not take.
        """
        found = {name: spec.default for name, spec in self.parameters.items() if spec.default is not None}
        parsed: dict[str, float | str] = dict(found)
        for name, value in given.items():
            if name not in self.parameters:
                raise UnknownNameError("parameter of the fault", name, self.parameters)
            try:
                parsed[name] = self.parameters[name].parse(value)
            except ValueError as error:
                raise InputError(f"{name}: {error}.") from None
        return parsed
