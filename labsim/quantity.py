"""Quantities as scenarios write them: durations ("3 min"), tolerances ("0.5 %")."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import BeforeValidator, WithJsonSchema

_SECONDS = {"ms": 0.001, "s": 1.0, "min": 60.0, "h": 3600.0, "d": 86400.0}
_DURATION = re.compile(r"\s*([0-9]+(?:\.[0-9]+)?)\s*(ms|s|min|h|d)\s*")


def parse_duration(value: Any) -> float:
    """Seconds from ``"500 ms"``, ``"3 min"``, ``"1 h"`` or a number of seconds.

    Raises:
        ValueError: not a duration; the message shows the form.
    """
    if isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value) and value >= 0:
        return float(value)
    found = _DURATION.fullmatch(value) if isinstance(value, str) else None
    if found is None:
        raise ValueError(f"{value!r} is not a duration; write a number and a unit, such as '500 ms', '3 min' or '1 h'")
    return float(found[1]) * _SECONDS[found[2]]


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
        """Whether ``got`` is near enough to ``true``; NaN equals only NaN."""
        if math.isnan(got) or math.isnan(true):
            return math.isnan(got) and math.isnan(true)
        return abs(got - true) <= self.absolute + self.relative * abs(true)

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
    if isinstance(value, (int, float)) and not isinstance(value, bool) and value >= 0:
        return Tolerance(absolute=float(value))
    text = value.strip() if isinstance(value, str) else ""
    try:
        if text.endswith("%"):
            return Tolerance(relative=float(text[:-1]) / 100)
        return Tolerance(absolute=float(text))
    except ValueError:
        raise ValueError(
            f"{value!r} is not a tolerance; write a number in the value's unit or a percentage, such as 0.5 or '0.5 %'"
        ) from None


ToleranceField = Annotated[
    Tolerance,
    BeforeValidator(parse_tolerance),
    WithJsonSchema({"type": ["string", "number"], "examples": ["0.5 %", 0.2]}),
]
"""A pydantic field holding a Tolerance."""
