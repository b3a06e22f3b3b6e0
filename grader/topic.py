"""MQTT topic filters as sets of topics: which filter takes in which (MQTT 5.0 §4.7, §4.8.2)."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, Field

_SHARE = "$share/"


def _is_filter(pattern: str) -> str:
    levels = pattern.split("/")
    wrong = [level for level in levels if level not in ("+", "#") and ("+" in level or "#" in level)]
    if wrong:
        raise ValueError(f"in a topic filter '+' and '#' stand alone between slashes, not as in {wrong[0]!r}")
    if "#" in levels[:-1]:
        raise ValueError("in a topic filter '#' is the last level")
    return pattern


TopicFilter = Annotated[str, Field(min_length=1), AfterValidator(_is_filter)]
"""A pydantic field of a topic or a topic filter."""


def unshared(pattern: str) -> str:
    """A filter without the ``$share/<group>/`` of a shared subscription."""
    return pattern.split("/", 2)[2] if pattern.startswith(_SHARE) and pattern.count("/") > 1 else pattern


def covers(pattern: str, other: str) -> bool:
    """Whether a filter takes in every topic of another filter; a topic is a filter of itself."""
    want, have = unshared(pattern).split("/"), unshared(other).split("/")
    if have[0].startswith("$") and want[0] in ("+", "#"):  # [MQTT-4.7.2-1]
        return False
    for index, level in enumerate(want):
        if level == "#":
            return True
        if index >= len(have) or have[index] == "#":
            return False
        if level not in ("+", have[index]):
            return False
    return len(want) == len(have)


def overlap(pattern: str, other: str) -> bool:
    """Whether there is a topic that both filters take in."""
    one, two = unshared(pattern).split("/"), unshared(other).split("/")
    for first, second in ((one, two), (two, one)):
        if first[0].startswith("$") and second[0] in ("+", "#"):
            return False
    for index in range(max(len(one), len(two)) + 1):
        here, there = (levels[index] if index < len(levels) else None for levels in (one, two))
        if "#" in (here, there):
            return True  # "a/#" takes in "a" itself
        if here is None or there is None:
            return here is there
        if "+" not in (here, there) and here != there:
            return False
    return True


def is_bare(pattern: str) -> bool:
    """Whether a filter takes in everything, or everything below one unnamed level: ``#``, ``+/#``, ``+``."""
    return all(level in ("+", "#") for level in unshared(pattern).split("/"))
