"""How an event becomes a line of the journal: as JSON that every reader gives back as it was."""

from __future__ import annotations

from typing import Any

import msgspec

from labsim.errors import EvidenceError
from labsim.evidence.event import Event, Record

_DEPTH_KEPT = 16
_TEXT = frozenset((str,))
_PLAIN = frozenset((str, int, float, bool, type(None)))
_PROTOCOLS = frozenset(("opcua", "modbus", "mqtt", "http", "ntp", "lab"))
_decode = msgspec.json.Decoder(Record).decode


def encode(event: Event, stamp: bytes) -> bytes:
    """The JSON object of a record without its hash.

    Args:
        event: What happened. What JSON cannot hold in it is kept as text, because dropping it would be a hole.
        stamp: Number and times as they end the object: ``,"seq":1,…}``.

    Raises:
        EvidenceError: a field has the wrong type, so that no reader could decode the line.
    """
    try:
        body = _encode(event)[:-1] + stamp
        if not _is_flat(event):
            _decode(body)
        return body
    except (TypeError, UnicodeEncodeError, RecursionError):
        event = msgspec.structs.replace(event, **{name: _legible(getattr(event, name), 0) for name in _FIELDS})
    except msgspec.DecodeError as error:
        raise _malformed(event, error) from error
    body = _encode(event)[:-1] + stamp
    try:
        _decode(body)
    except msgspec.DecodeError as error:
        raise _malformed(event, error) from error
    return body


def _is_flat(event: Event) -> bool:
    """Whether every field has its type and nothing is nested, as in nearly all events: then any reader can decode it."""
    return (
        _TEXT.issuperset(
            map(
                type,
                (
                    event.kind,
                    event.client,
                    event.session,
                    event.app,
                    event.user,
                    event.thumb,
                    event.device,
                    event.subject,
                    *event.tags,
                    *event.detail,
                ),
            )
        )
        and event.protocol in _PROTOCOLS
        and type(event.status) is int
        and type(event.tags) is list
        and type(event.values) is list
        and _PLAIN.issuperset(map(type, event.values))
        and _PLAIN.issuperset(map(type, event.detail.values()))
    )


def _malformed(event: Event, error: Exception) -> EvidenceError:
    return EvidenceError(f"an event of kind {event.kind!r} is malformed and was not kept: {error}.")


def _plain(value: Any) -> Any:
    """A NumPy scalar or array as Python's own numbers, which JSON knows."""
    if hasattr(value, "tolist"):
        return value.tolist()
    raise TypeError(f"{type(value).__name__} cannot be kept in an event")


_encode = msgspec.json.Encoder(enc_hook=_plain).encode
_FIELDS = Event.__struct_fields__


def _legible(value: Any, depth: int) -> Any:
    """The nearest thing JSON can hold: lone surrogates escaped, deep nests cut, strange objects by their ``repr``."""
    if value is None or isinstance(value, (bool, int, float)):
        return value
    if isinstance(value, (list, tuple, dict)) and depth == _DEPTH_KEPT:
        return "…"
    if isinstance(value, (list, tuple)):
        return [_legible(item, depth + 1) for item in value]
    if isinstance(value, dict):
        return {_legible(str(key), depth): _legible(item, depth + 1) for key, item in value.items()}
    if hasattr(value, "tolist"):
        return _legible(value.tolist(), depth)
    text = value if isinstance(value, str) else repr(value)
    return text.encode("utf-8", "backslashreplace").decode("utf-8")
