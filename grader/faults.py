"""The faults that were injected into an attempt, from the journal: what, at which part of the plant, from when to when."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass

from grader.window import Span
from labsim.evidence.event import Record
from labsim.evidence.evidence import Evidence

BESIDE_PLANT = ("link.", "endpoint.", "rogue.")
"""What targets begin with that are not devices or tags."""
_WHOLE = ("dead", "stale")
"""Faults of a device that make all of its values bad."""


@dataclass(frozen=True, slots=True)
class Injected:
    """One fault.

    Attributes:
        target: ``device``, ``device.tag``, or what stands beside the plant: ``link.mqtt``, ``endpoint.opcua``.
        name: What it is called.
        start: Plant nanoseconds.
        end: Plant nanoseconds; the end of the evidence while it lasts.
        record: Where it begins in the journal.
    """

    target: str
    name: str
    start: int
    end: int
    record: Record

    @property
    def device(self) -> str:
        """The device it is about, or the target beside the plant."""
        return self.target if self.target.startswith(BESIDE_PLANT) else self.target.partition(".")[0]

    def spoils(self, path: str) -> bool:
        """Whether the value of a tag is bad while it is in force."""
        if self.record.tags:
            return path in self.record.tags
        return self.target == path or (self.target == path.partition(".")[0] and self.name in _WHOLE)


def injected(evidence: Evidence) -> list[Injected]:
    """All faults of an attempt, in the order in which they began."""
    open_: dict[tuple[str, object], Record] = {}
    found = []
    for record in evidence.of("lab", "fault"):
        key = record.subject, record.detail.get("number")
        if record.detail.get("phase") == "begin":
            open_[key] = record
        elif record.detail.get("phase") == "end" and key in open_:
            found.append(_made(open_.pop(key), record.t))
    found += [_made(record, evidence.end_ns) for record in open_.values()]
    return sorted(found, key=lambda one: one.record.seq)


def _made(record: Record, end: int) -> Injected:
    name = str(record.detail.get("fault", ""))
    for layer in BESIDE_PLANT:
        name = name.removeprefix(layer)
    return Injected(record.subject, name, record.t, end, record)


def onsets(evidence: Evidence, target: str) -> list[Injected]:
    """The faults of a device (its tags included), a tag or a link."""
    return [one for one in injected(evidence) if one.target == target or one.target.startswith(f"{target}.")]


def disturbed(
    evidence: Evidence, path: str, names: Collection[str] = (), targets: Collection[str] = ()
) -> Iterator[Span]:
    """The stretches in which a fault made a tag's value bad.

    Args:
        evidence: The attempt.
        path: The tag.
        names: Only faults of these names count; all by default.
        targets: Targets whose faults count for every tag.
    """
    for one in injected(evidence):
        if (one.spoils(path) or one.target in targets) and (not names or one.name in names):
            yield one.start, one.end


def merged(spans: Iterable[Span]) -> list[Span]:
    """Stretches in order, those that overlap as one."""
    found: list[Span] = []
    for low, high in sorted(spans):
        if found and low <= found[-1][1]:
            found[-1] = found[-1][0], max(found[-1][1], high)
        elif high > low:
            found.append((low, high))
    return found


def common(one: Iterable[Span], other: Iterable[Span]) -> list[Span]:
    """What lies in both; each in order and without overlaps."""
    found, second = [], list(other)
    for low, high in one:
        found += [(max(low, a), min(high, b)) for a, b in second if max(low, a) < min(high, b)]
    return found


def without(one: Iterable[Span], other: Iterable[Span]) -> list[Span]:
    """What lies in the first and not in the second."""
    found, taken = [], list(other)
    for low, high in one:
        at = low
        for a, b in taken:
            if b <= at or a >= high:
                continue
            if a > at:
                found.append((at, a))
            at = max(at, b)
        if at < high:
            found.append((at, high))
    return found


def length(spans: Iterable[Span]) -> int:
    """Nanoseconds in all."""
    return sum(high - low for low, high in spans)
