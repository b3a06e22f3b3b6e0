"""Quantities as scenarios write them: durations ("3 min"), tolerances ("0.5 %"), shares ("95 %")."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import BeforeValidator, WithJsonSchema

LONGEST_S = 366 * 86400.0
"""The longest duration there is: a year, so that no sum of them overflows nanoseconds in 64 bits."""
_SECONDS = {"ms": 0.001, "s": 1.0, "min": 60.0, "h": 3600.0, "d": 86400.0}
_DURATION = re.compile(r"\s*([0-9]+(?:\.[0-9]+)?)\s*(ms|s|min|h|d)\s*")
_TOLERANCE = re.compile(r"\s*([0-9]+(?:\.[0-9]+)?)\s*(%?)\s*")


def parse_duration(value: Any) -> float:
    """Seconds from ``"500 ms"``, ``"3 min"``, ``"1 h"`` or a number of seconds.

    Raises:
        ValueError: not a duration; the message shows the form.
    """
    found = _DURATION.fullmatch(value) if isinstance(value, str) else None
    seconds = float(found[1]) * _SECONDS[found[2]] if found else _number(value)
    if seconds is None or not 0 <= seconds <= LONGEST_S:
        shown = _shown(value)
        raise ValueError(f"{shown} is not a duration; write a number and a unit, such as '500 ms', '3 min' or '1 h'")
    return seconds


def _number(value: Any) -> float | None:
    """A number as float; None for anything else, and for a number that no float holds."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    try:
        return float(value)
    except OverflowError:
        return None


def _shown(value: Any) -> str:
    """The value as a sentence can hold it."""
    kinds = {dict: "a mapping", list: "a list", type(None): "nothing", bool: str(value).lower()}
    text = kinds.get(type(value)) or repr(value)
    return text if len(text) <= 60 else f"{text[:56]}…"


Duration = Annotated[
    float,
    BeforeValidator(parse_duration),
    WithJsonSchema({"type": ["string", "number"], "examples": ["500 ms", "3 min", "1 h"]}),
]
"""A pydantic field of seconds, written as a duration."""


@dataclass(frozen=True, slots=True)
class Tolerance:
    """How far a value may be off: ``absolute`` in the value's unit, or ``relative`` as a fraction; both count when given."""

    absolute: float = 0.0
    relative: float = 0.0

    def allows(self, got: float, true: float) -> bool:
        """Whether ``got`` is near enough to ``true``, the limit included; NaN equals only NaN, infinity itself."""
        limit = self.absolute + self.relative * abs(true)
        if abs(got - true) <= limit < math.inf:  # nearly always; NaN is in no order
            return True
        if math.isnan(got) or math.isnan(true):
            return math.isnan(got) and math.isnan(true)
        if math.isinf(got) or math.isinf(true):
            return got == true
        # 50.2 is 0.2 from 50, though float64 says a little more: its last digits are forgiven, save where exact is asked.
        return abs(got - true) <= limit + (4 * math.ulp(max(abs(got), abs(true))) if limit else 0.0)

    def __str__(self) -> str:
        parts = [f"±{self.absolute:g}"] if self.absolute else []
        parts += [f"±{self.relative * 100:g} %"] if self.relative else []
        return " and ".join(parts) or "exact"


def parse_tolerance(value: Any) -> Tolerance:
    """A tolerance from ``"0.5 %"`` or an absolute number.

    Raises:
        ValueError: neither; the message shows both forms.
    """
    if isinstance(value, Tolerance):
        return value
    found = _TOLERANCE.fullmatch(value) if isinstance(value, str) else None
    number = float(found[1]) if found else _number(value)
    if number is None or not 0 <= number < math.inf:
        raise ValueError(
            f"{_shown(value)} is not a tolerance; write a number in the value's unit or a percentage, such as 0.5 or '0.5 %'"
        )
    return Tolerance(relative=number / 100) if found and found[2] else Tolerance(absolute=number)


ToleranceField = Annotated[
    Tolerance,
    BeforeValidator(parse_tolerance),
    WithJsonSchema({"type": ["string", "number"], "examples": ["0.5 %", 0.2]}),
]
"""A pydantic field holding a Tolerance."""


def parse_share(value: Any) -> float:
    """A share from ``"95 %"`` or a fraction such as 0.95.

    Raises:
        ValueError: neither, or not between 0 and 1.
    """
    text = value.strip() if isinstance(value, str) else ""
    try:
        share = float(text[:-1]) / 100 if text.endswith("%") else float(value)
    except (TypeError, ValueError):
        share = -1.0
    if isinstance(value, bool) or not 0 < share <= 1:
        raise ValueError(f"{value!r} is not a share; write a percentage such as '95 %' or a fraction such as 0.95")
    return share


Share = Annotated[
    float, BeforeValidator(parse_share), WithJsonSchema({"type": ["string", "number"], "examples": ["95 %", 0.95]})
]
"""A pydantic field of a share over 0 and up to 1, written as a percentage."""
