"""MQTT payloads and topics as a consumer would see them. Everything here takes whatever a network sends."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any, Final

import msgspec

from labsim.evidence.event import Record


class Missing:
    """What stands for a value that is not there; None is a value (JSON null)."""


MISSING: Final = Missing()
NOT_JSON: Final = Missing()
_DEEPEST = 64
_UNIX = re.compile(r"(\d{9,10}|\d{12,13})(\.\d+)?", re.ASCII)
"""Seconds or milliseconds since 1970, from 1973 on; shorter digits are an ISO 8601 date."""
quick = msgspec.json.Decoder().decode
"""JSON as Python data, by the standard alone; raises ValueError."""


@lru_cache(maxsize=16_384)
def topic_matches(pattern: str, topic: str) -> bool:
    """Whether a topic filter takes a topic (MQTT-4.7.1: ``+`` one level, ``#`` the rest; MQTT-4.7.2-1: not ``$`` topics)."""
    want, have = pattern.split("/"), topic.split("/")
    if topic.startswith("$") and want[0] in ("+", "#"):
        return False
    for index, level in enumerate(want):
        if level == "#":
            return True
        if index >= len(have) or level not in ("+", have[index]):
            return False
    return len(want) == len(have)


def text_of(record: Record) -> str | None:
    """The payload of a publish as text; None when it is binary or was not kept."""
    values = record.values
    if not values or not isinstance(values[0], str) or record.detail.get("binary"):
        return None
    return values[0]


def decode(text: str) -> Any:
    """JSON as Python data, or `NOT_JSON`. ``NaN`` and ``Infinity`` are taken, because Python's own writer sends them."""
    try:
        return quick(text)
    except (ValueError, RecursionError):
        pass
    try:
        return json.loads(text)  # slower, and takes what Python writes beyond the standard
    except (ValueError, RecursionError):
        return NOT_JSON


def find(data: Any, path: str) -> Any:
    """The part of JSON data at a dotted path (``a.b.0``) or JSON pointer (``/a/b/0``), or `MISSING`."""
    for part in _parts(path):
        if type(data) is dict or isinstance(data, Mapping):
            data = data.get(part, MISSING)
        elif isinstance(data, Sequence) and not isinstance(data, str) and part.isascii() and part.isdigit():
            data = data[int(part)] if len(part) < 10 and int(part) < len(data) else MISSING
        else:
            return MISSING
    return data


@lru_cache(maxsize=256)
def _parts(path: str) -> tuple[str, ...]:
    if path.startswith("/"):
        return tuple(part.replace("~1", "/").replace("~0", "~") for part in path[1:].split("/"))[:_DEEPEST]
    return tuple(path.split("."))[:_DEEPEST] if path else ()


def utc_ns_of(raw: object) -> int | None:
    """UTC nanoseconds from ISO 8601 text (no offset means UTC) or a Unix time in seconds or milliseconds, or None.

    A file without types, as CSV, has a Unix time as its digits.
    """
    if isinstance(raw, bool) or raw is None:
        return None
    if isinstance(raw, str) and _UNIX.fullmatch(raw.strip()):
        raw = float(raw) if "." in raw else int(raw)
    if isinstance(raw, (int, float)):
        if not 0 <= raw < 1e14:
            return None
        return int(raw * 1_000_000) if raw > 1e11 else int(raw * 1_000_000_000)
    if not isinstance(raw, str):
        return None
    try:
        moment = datetime.fromisoformat(raw.strip())
        moment = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, OverflowError):
        return None
    since = moment - datetime(1970, 1, 1, tzinfo=UTC)
    return since // timedelta(microseconds=1) * 1000
