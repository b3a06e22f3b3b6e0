"""Plain payloads: what a device says in JSON, and the commands it takes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import msgspec

from labsim.plant import status
from labsim.plant.tags import Tag, TagStore, Value

_LONGEST = 8192
"""Bytes of a command; what is longer is no value of any tag."""


class Command(msgspec.Struct, frozen=True):
    """What somebody asks a tag to become; ``id`` is the sender's own, repeated in the reply."""

    value: Value
    id: Any = None


def device_payload(store: TagStore, tags: Sequence[Tag], time: str) -> bytes:
    """Several tags of one device: ``{"time", "values": {tag: {"value", "unit", "quality"}}}``. NaN becomes null."""
    return msgspec.json.encode({"time": time, "values": {tag.name: _facts(store, tag) for tag in tags}})


def tag_payload(store: TagStore, tag: Tag, time: str) -> bytes:
    """One tag: ``{"time", "value", "unit", "quality"}``. NaN becomes null."""
    return msgspec.json.encode({"time": time, **_facts(store, tag)})


def event_payload(event: str, fields: Mapping[str, Value], time: str, sent: str | None) -> bytes:
    """An event: ``{"time", "event", "fields": {name: value}}``; with ``sent`` where it is told later than it was."""
    late = {"sent": sent} if sent is not None else {}
    return msgspec.json.encode({"time": time, **late, "event": event, "fields": fields})


def reply_payload(command_id: Any, code: int, value: Value, time: str) -> bytes:
    """The answer to a command: ``{"time", "id", "result": "accepted" | "refused", "reason", "value"}``.

    ``reason`` is the name of the status code; ``value`` is what the tag is worth after the command.
    """
    result = "accepted" if status.is_good(code) else "refused"
    return msgspec.json.encode(
        {"time": time, "id": command_id, "result": result, "reason": status.name(code), "value": value}
    )


def read_command(payload: bytes, tag: Tag) -> Command:
    """A command from a payload: ``{"value": …, "id": …}``, or the value alone as JSON; plain text for a text tag.

    Raises:
        ValueError: none of these; ``args[1]``, if there is one, is the sender's id.
    """
    if len(payload) > _LONGEST:
        raise ValueError(f"a command has at most {_LONGEST} bytes")
    try:
        found = msgspec.json.decode(payload)
    except (ValueError, RecursionError):  # msgspec.DecodeError is a ValueError
        if tag.type != "text":
            raise ValueError('a command is a JSON value, or {"value": …, "id": …}') from None
        return Command(payload.decode())  # a UnicodeDecodeError is a ValueError
    if not isinstance(found, dict):
        return Command(_value(found, tag, None))
    if "value" not in found:
        raise ValueError('the command has no "value"', found.get("id"))
    return Command(_value(found["value"], tag, found.get("id")), found.get("id"))


def rfc3339(utc_ns: int) -> str:
    """A UTC time as ``2026-01-31T08:00:00.100Z``, cut to milliseconds."""
    seconds, rest_ns = divmod(utc_ns, 1_000_000_000)
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%S}.{rest_ns // 1_000_000:03d}Z"


def _facts(store: TagStore, tag: Tag) -> dict[str, Any]:
    return {
        "value": store.read(tag.row),
        "unit": tag.unit.symbol if tag.unit else None,
        "quality": status.name(int(store.status[tag.row])),
    }


def _value(raw: Any, tag: Tag, command_id: Any) -> Value:
    if not isinstance(raw, (bool, int, float, str)):
        raise ValueError("the value is a number, true, false or a text", command_id)
    if isinstance(raw, bool) != (tag.type == "bool") or isinstance(raw, str) != (tag.type == "text"):
        raise ValueError(f"the value is no {tag.type}", command_id)
    return raw
