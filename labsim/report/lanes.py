"""What happened when, as data: lanes of clients, bands of faults, marks of the lab."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from labsim.evidence.event import PLANT, Record
from labsim.evidence.evidence import Evidence

PROTOCOLS = ("opcua", "modbus", "mqtt", "http", "ntp")
_REFUSED = {"reject", "refuse", "deny", "drop", "timeout"}
_WRITES = {"write", "publish", "call", "acknowledge", "condition"}
_NO_REQUEST = {"open", "close", "session-close", "audit", "watchdog"}
_POLLS_MAX = 1000
_MARKED = ("check", "hint", "answer", "setting", "file", "incident", "submit", "host-start")


@dataclass(slots=True)
class Lane:
    """What one client did over one protocol.

    Attributes:
        protocol: Which.
        client: What it calls itself, or its address.
        spans: From when to when it was connected, in nanoseconds of plant time.
        requests: When it asked for something.
        writes: When it wrote, published or called.
        errors: When it was refused or answered with an error.
    """

    protocol: str
    client: str
    spans: list[tuple[int, int]] = field(default_factory=list)
    requests: list[int] = field(default_factory=list)
    writes: list[int] = field(default_factory=list)
    errors: list[int] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Band:
    """One fault, from when to when."""

    target: str
    fault: str
    start: int
    end: int
    hidden: bool


def lanes(evidence: Evidence) -> list[Lane]:
    """The lanes by protocol, each protocol's in the order in which its clients came. The plant's own messages are none."""
    names = _names(evidence.records)
    found: dict[tuple[str, str], Lane] = {}
    opened: dict[str, Record] = {}
    for record in evidence.records:
        if record.protocol == "lab" or record.app == PLANT:
            continue
        name = _name(names, record)
        lane = found.setdefault((record.protocol, name), Lane(record.protocol, name))
        if record.kind == "open":
            opened[record.session] = record
        elif record.kind == "close":
            lane.spans.append((opened.pop(record.session, record).t, record.t))
        if record.kind in _REFUSED or record.status:
            lane.errors.append(record.t)
        elif record.kind in _WRITES:
            lane.writes.append(record.t)
        elif record.kind == "poll":
            lane.requests += _polls(record)
        elif record.kind not in _NO_REQUEST:
            lane.requests.append(record.t)
    for first in opened.values():  # still connected at the end, or when the host died
        name = _name(names, first)
        found[first.protocol, name].spans.append((first.t, evidence.end_ns))
    return sorted(found.values(), key=lambda lane: PROTOCOLS.index(lane.protocol))


def _polls(record: Record) -> Iterable[int]:
    """When reads that were only counted took place, spread evenly over their time; of very many, some."""
    first, last = int(record.detail["first"]), int(record.detail["last"])
    count = min(max(int(record.detail["reads"]), 1), _POLLS_MAX)
    return (first + (last - first) * index // max(count - 1, 1) for index in range(count))


def _names(records: Iterable[Record]) -> dict[tuple[str, str], str]:
    """What the client at each address calls itself, which it often says only after it has connected."""
    names: dict[tuple[str, str], str] = {}
    for record in records:
        if record.client and record.app and record.app != PLANT:
            names.setdefault((record.protocol, record.client), record.app)
    return names


def _name(names: dict[tuple[str, str], str], record: Record) -> str:
    """What a client calls itself, else its user or its address without the port, which changes with each connection."""
    known = record.app or names.get((record.protocol, record.client)) or record.user
    return known or record.client.rpartition(":")[0] or record.client or "?"


def bands(evidence: Evidence, *, hidden: bool) -> list[Band]:
    """The faults in the order in which they began; hidden ones only when they may be seen."""
    begun: dict[object, Record] = {}
    found: list[Band] = []
    for record in evidence.of("lab", "fault"):
        number = record.detail.get("number", record.subject)
        if record.detail.get("phase") == "end":
            first = begun.pop(number, None)
            if first is not None:
                found.append(_band(first, record.t))
        else:
            begun[number] = record
    found += [_band(first, evidence.end_ns) for first in begun.values()]
    return sorted((band for band in found if hidden or not band.hidden), key=lambda band: (band.start, band.target))


def _band(first: Record, end: int) -> Band:
    target = first.subject or first.device
    return Band(target, str(first.detail.get("fault", "?")), first.t, end, bool(first.detail.get("hidden")))


def lab_marks(evidence: Evidence) -> list[Record]:
    """Records of the lab itself that stand on the time line: checks, hints, answers, settings, files, incidents."""
    return [r for r in evidence.of("lab") if r.kind in _MARKED and not r.detail.get("hidden")]
