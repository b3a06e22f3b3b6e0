"""Topics as scenarios write them: templates of a namespace, places in the equipment hierarchy, ids of Sparkplug."""

from __future__ import annotations

import string
from typing import Annotated

from pydantic import AfterValidator, Field

from labsim.errors import did_you_mean
from labsim.sparkplug.topic import check_id

LEVELS = ("enterprise", "site", "area", "line", "cell")
"""The equipment hierarchy (ISA-95, IEC 62264-1 §5.3); a place has one name for each level, from the top."""
FIELDS = (*LEVELS, "place", "device", "message", "tag")


def fields_of(template: str) -> list[str]:
    """The names in braces of a template.

    Raises:
        ValueError: braces that do not pair.
    """
    return [name for _, name, _, _ in string.Formatter().parse(template) if name is not None]


def deepest_level(template: str) -> int:
    """How many levels of a place a template needs; 0 when it needs none, or is none."""
    try:
        names = fields_of(template)
    except ValueError:
        return 0  # told by the model
    return max((LEVELS.index(name) + 1 if name in LEVELS else int(name == "place") for name in names), default=0)


def place_depth(place: str) -> int:
    """How many levels a place has."""
    return place.count("/") + 1 if place else 0


def _template(text: str) -> str:
    """A template of topics, judged."""
    try:
        names = fields_of(text)
    except ValueError as error:
        raise ValueError(f"{text!r} has unpaired braces ({error})") from None
    for name in names:
        if name not in FIELDS:
            raise ValueError(f"nothing fills in {{{name}}}. {did_you_mean(name, FIELDS)}")
    if not text or any(char in text for char in "+#\0"):
        raise ValueError("a topic is not empty and has no wildcard")
    return text


def _command(text: str) -> str:
    """A template of command topics: one for each tag of each device."""
    names = fields_of(text)
    if "device" not in names or "tag" not in names:
        raise ValueError("each tag takes commands on a topic of its own: the template needs {device} and {tag}")
    if "message" in names:
        raise ValueError("a command belongs to no message: leave {message} out")
    return text


TopicTemplate = Annotated[str, AfterValidator(_template), Field(examples=["{site}/{area}/{line}/{device}/{tag}"])]
"""A pydantic field of a template of topics."""

CommandTemplate = Annotated[TopicTemplate, AfterValidator(_command)]
"""A pydantic field of a template of command topics."""

Place = Annotated[str, Field(pattern=r"^[^+#/\x00]+(/[^+#/\x00]+){0,4}$", examples=["acme/hk1/assembly/line1/cell2"])]
"""A pydantic field of a place in the equipment hierarchy."""

SparkplugId = Annotated[str, AfterValidator(check_id)]
"""A pydantic field of an id in a Sparkplug topic."""
