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
_NO_STAMP = b',"seq":0,"t":0,"w":0,"m":0}'
_decode = msgspec.json.Decoder(Record).decode


class Template:
    """Events that are alike but for who acts, their values and one detail: the rest of their JSON, made once.

    Made by `template`.
    """

    __slots__ = ("_about", "_after", "_before", "_kind")

    def __init__(self, event: Event, varying: str) -> None:
        bare = Event(kind=event.kind, protocol=event.protocol)
        self._kind = _encode(bare)[:-1]
        about = msgspec.structs.replace(bare, device=event.device, subject=event.subject, tags=event.tags)
        detail = event.detail | {varying: None} if varying else event.detail
        what = msgspec.structs.replace(bare, status=event.status, detail=detail)
        for part in (about, what):
            _decode(_encode(part)[:-1] + _NO_STAMP)
        cut = len(self._kind)
        self._about, self._before, self._after = _encode(about)[cut:-1], _encode(what)[cut:-1], b""
        if varying:
            key = _encode(varying) + b":"
            before, _, self._after = self._before.partition(key + b"null")
            self._before = before + key

    def body(self, who: bytes, values: list[Any], varying: Any = None) -> bytes:
        """What `encode` gives of such an event.

        Args:
            who: Who acted, as `who` gives it.
            values: Plain numbers, one for each tag; texts without surrogates.
            varying: The detail that differs, of the same kinds.
        """
        told = b',"values":' + _encode(values) if values else b""
        if self._after:
            return b"".join((self._kind, who, self._about, told, self._before, _encode(varying), self._after))
        return b"".join((self._kind, who, self._about, told, self._before))


def template(event: Event, varying: str = "") -> Template | None:
    """The template of events like this one; None when JSON does not hold it as it is, so that each has to be encoded.

    Args:
        event: One of them: they have its kind, protocol, device, subject, tags, status and detail.
        varying: The key of the detail that differs; empty when none does.
    """
    try:
        return Template(event, varying)
    except (TypeError, UnicodeEncodeError, RecursionError, msgspec.DecodeError):
        return None


def who(event: Event) -> bytes | None:
    """Who acted, as a `Template` takes it; None when JSON does not hold it as it is."""
    named = Event(
        kind="",
        protocol="lab",
        client=event.client,
        session=event.session,
        app=event.app,
        user=event.user,
        thumb=event.thumb,
    )
    try:
        return _encode(named)[_NOBODY:-1] if _is_flat(named) else None
    except UnicodeEncodeError:
        return None


def encode(event: Event) -> bytes:
    """The JSON object of a record, as far as the event goes: number, times, hash and the closing brace are left to come.

    Args:
        event: What happened. What JSON cannot hold in it is kept as text, because dropping it would be a hole.

    Raises:
        EvidenceError: a field has the wrong type, so that no reader could decode the line.
    """
    try:
        body = _encode(event)[:-1]
        if not _is_flat(event):
            _decode(body + _NO_STAMP)
        return body
    except (TypeError, UnicodeEncodeError, RecursionError):
        event = msgspec.structs.replace(event, **{name: _legible(getattr(event, name), 0) for name in _FIELDS})
    except msgspec.DecodeError as error:
        raise _malformed(event, error) from error
    body = _encode(event)[:-1]
    try:
        _decode(body + _NO_STAMP)
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
_NOBODY = len(_encode(Event(kind="", protocol="lab"))) - 1


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
