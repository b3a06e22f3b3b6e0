"""Regular expressions and portions as fields of parameters, judged when the scenario is read."""

from __future__ import annotations

import re
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, WithJsonSchema

from grader.check import parse_share


def _compiles(pattern: str) -> str:
    try:
        re.compile(pattern)
    except re.error as error:
        raise ValueError(f"{pattern!r} is not a regular expression ({error})") from None
    return pattern


Regex = Annotated[str, AfterValidator(_compiles)]
"""A pydantic field of a regular expression."""


def fits(pattern: str | None, text: str) -> bool:
    """Whether the whole of a text fits an expression; any does when there is none."""
    return pattern is None or re.fullmatch(pattern, text) is not None


def _portion(value: Any) -> float:
    """A share that may be 0."""
    text = value.removesuffix("%").strip() if isinstance(value, str) else value
    return 0.0 if not isinstance(value, bool) and text in ("0", 0) else parse_share(value)


Portion = Annotated[
    float, BeforeValidator(_portion), WithJsonSchema({"type": ["string", "number"], "examples": ["2 %", 0.02]})
]
"""A pydantic field of a share from 0 to 1, written as a percentage."""
