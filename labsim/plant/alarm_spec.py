"""What an interface says about an alarm."""

from __future__ import annotations

import itertools
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from labsim.quantity import Duration
from labsim.text import Text

Level = Literal["hihi", "hi", "lo", "lolo"]
LEVELS: tuple[Level, ...] = ("hihi", "lolo", "hi", "lo")
"""Limits, the more severe first."""
_ORDER: tuple[Level, ...] = ("hihi", "hi", "lo", "lolo")
Severity = Annotated[int, Field(ge=1, le=1000)]
Number = Annotated[float, Field(allow_inf_nan=False)]


class AlarmSpec(BaseModel):
    """One alarm on one tag.

    ``kind`` says when it is active: ``limit`` beyond one of ``limits`` and back within it by ``deadband`` (``exclusive``: only
    the most severe limit counts); ``discrete`` while the tag has one of the values ``active``; ``off-normal`` while it has
    none of the values ``normal``. A crossing counts after ``on_delay``, the way back after ``off_delay``. ``confirm`` asks
    for a confirmation after the acknowledgement.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    kind: Literal["limit", "discrete", "off-normal"] = "limit"
    tag: str
    title: Text
    message: Text | None = None
    limits: dict[Level, Number] = Field(default_factory=dict)
    exclusive: bool = True
    deadband: Annotated[float, Field(ge=0, allow_inf_nan=False)] = 0.0
    active: tuple[int | bool, ...] = ()
    normal: tuple[int | bool, ...] = ()
    on_delay: Duration = 0.0
    off_delay: Duration = 0.0
    severity: Severity | dict[Level, Severity] = 500
    confirm: bool = False

    @model_validator(mode="after")
    def _whole(self) -> AlarmSpec:
        wanted = {"limit": self.limits, "discrete": self.active, "off-normal": self.normal}
        for kind, given in wanted.items():
            name = {"limit": "limits", "discrete": "active", "off-normal": "normal"}[kind]
            if (kind == self.kind) != bool(given):
                raise ValueError(f"a {self.kind} alarm needs {_NEEDS[self.kind]}, and no {name!r} of another kind")
        limits = [self.limits[level] for level in _ORDER if level in self.limits]
        if any(high <= low for high, low in itertools.pairwise(limits)):
            raise ValueError("limits fall from hihi over hi and lo to lolo")
        if isinstance(self.severity, dict) and set(self.severity) != set(self.limits):
            raise ValueError("give one severity for all limits, or one for each")
        return self

    @property
    def levels(self) -> dict[Level, float]:
        """Limits that there are, the more severe first."""
        return {level: self.limits[level] for level in LEVELS if level in self.limits}

    def severity_of(self, levels: tuple[Level, ...]) -> int:
        """The severity of active limits; of none, the least there is."""
        if not isinstance(self.severity, dict):
            return self.severity
        return max((self.severity[level] for level in levels), default=min(self.severity.values()))

    def is_active(self, value: Any) -> bool:
        """Whether a value of a tag without limits is one to warn of."""
        return value in self.active if self.kind == "discrete" else value not in self.normal


_NEEDS = {
    "limit": "'limits' (hihi, hi, lo, lolo)",
    "discrete": "'active', the values to warn of",
    "off-normal": "'normal', the values that are fine",
}
