"""Records of the journal as rows that a person reads: when, where, who, what."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from grader.words import number
from labsim.evidence.event import Record
from labsim.evidence.evidence import Evidence
from labsim.report import words
from labsim.report.axis import clock, elapsed

_TAGS, _TEXT = 4, 90


@dataclass(frozen=True, slots=True)
class Row:
    """One record: its number, UTC time of day, plant time, endpoint, client, and what it was."""

    seq: int
    time: str
    elapsed: str
    endpoint: str
    client: str
    what: str
    bad: bool


def rows(evidence: Evidence, numbers: Iterable[int], lang: str) -> list[Row]:
    """The rows of records by their numbers; a number the journal does not have is left out."""
    records = evidence.records
    found = (records[n - 1] for n in numbers if 0 < n <= len(records))
    return [row(evidence, record, lang) for record in found]


def row(evidence: Evidence, record: Record, lang: str) -> Row:
    """One record as a row."""
    endpoint = f"{record.protocol} · {record.device}" if record.device else record.protocol
    return Row(
        record.seq,
        clock(evidence, record.t),
        elapsed(record.t),
        endpoint,
        who(record),
        what(record, lang),
        record.status != 0,
    )


def who(record: Record) -> str:
    """What a client calls itself, its user and its address, as far as they are known."""
    name = record.app
    if record.user and record.user != name:
        name = f"{name} ({record.user})" if name else record.user
    return " · ".join(part for part in (name, record.client) if part)


def what(record: Record, lang: str) -> str:
    """What happened, in a few words: the kind, what it was about, values, and the status when it is not good."""
    parts = [words.kind(record.kind, lang), *_subject(record)]
    if record.status:
        parts.append(f"→ {_status(record, lang)}")
    return " ".join(part for part in parts if part)


def _subject(record: Record) -> list[str]:
    detail = record.detail
    pairs = list(zip(record.tags, record.values, strict=False))
    if record.protocol == "lab":
        named = [
            str(detail[name])
            for name in ("task", "fault", "phase", "client", "did", "setting", "reason", "from", "to")
            if name in detail
        ]
        return [_cut(record.subject or record.device), *map(_cut, named), *(_cut(_said(v)) for v in record.values)]
    about = []
    if record.protocol == "modbus" and "address" in detail:
        about.append(f"FC{int(detail.get('fc', 0)):02d} {detail['address']}+{detail.get('count', 1)}")
    elif record.kind == "publish":
        about.append(f"{_cut(record.subject)} QoS {detail.get('qos', 0)}: {_cut(_said((record.values or [''])[0]))}")
        return about
    elif record.kind == "session":
        about.append(f"{detail.get('policy', '')} {detail.get('mode', '')} {detail.get('identity', '')}".strip())
    elif record.kind == "call":
        about.append(str(detail.get("name") or detail.get("method") or ""))
    elif record.subject and not pairs:
        about.append(_cut(record.subject))
    if pairs:
        about.append(", ".join(f"{tag} = {_cut(_said(value))}" for tag, value in pairs[:_TAGS]))
    elif record.tags:
        about.append(", ".join(record.tags[:_TAGS]))
    if len(record.tags) > _TAGS:
        about.append(f"… ({len(record.tags)})")
    if record.kind == "poll":
        about.append(f"× {detail.get('reads', 1)}")
    if detail.get("reason"):
        about.append(_cut(str(detail["reason"])))
    return about


def _status(record: Record, lang: str) -> str:
    if record.protocol == "modbus":
        if record.status == -1:
            return words.word("no_answer", lang)
        return words.word("exception", lang, code=f"{record.status:02d}")
    code = f"0x{record.status:08X}" if record.protocol == "opcua" else str(record.status)
    return words.word("status", lang, code=code)


def _said(value: Any) -> str:
    return number(value) if isinstance(value, (bool, int, float)) else str(value)


def _cut(text: str) -> str:
    return text if len(text) <= _TEXT else f"{text[: _TEXT - 1]}…"
