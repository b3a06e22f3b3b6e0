"""Messages that name their own time, as a series: whether it has gaps, doubles, or runs backwards."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise
from typing import Protocol

from grader.truth import Step, Truth, Value, matches
from grader.window import Span, best_window
from labsim.evidence.event import Record
from labsim.quantity import Tolerance
from labsim.text import Text, tr


class Claim(Protocol):
    """What something says of a moment, a message or a row of a file: the time it names, its value, whether that is right."""

    @property
    def stated(self) -> int:
        """Plant nanoseconds."""
        ...

    @property
    def value(self) -> Value | None:
        """What it says."""
        ...

    @property
    def right(self) -> bool:
        """Whether that was true."""
        ...


@dataclass(frozen=True, slots=True)
class Timed:
    """One message: when it came and what time it names (both plant nanoseconds), what it says, and whether it is right."""

    record: Record
    stated: int
    value: Value | None
    right: bool


@dataclass(frozen=True, slots=True)
class Stretch:
    """A window of stated time: how much of it is there, of how much (nanoseconds, or changes of the value)."""

    start: int
    end: int
    good: int
    total: int

    @property
    def share(self) -> float:
        """How much of it is there, 0 to 1."""
        return self.good / self.total if self.total else 0.0


def outages(arrivals: Sequence[int], least_ns: int) -> list[Span]:
    """The stretches of at least that length in which nothing came, between two messages."""
    return [(a, b) for a, b in pairwise(arrivals) if b - a >= least_ns]


def around(outage: Span, length_ns: int) -> Span:
    """The window of a length with an outage in its middle."""
    start = max((outage[0] + outage[1] - length_ns) // 2, 0)
    return start, start + length_ns


def by_samples(messages: Iterable[Claim], every_ns: int, length_ns: int, windows: Sequence[Span] | None) -> Stretch:
    """The best window, or the best of those given, filled by right samples no more than one and a half periods apart."""
    times = sorted({m.stated for m in messages if m.right})
    spans = [(a, b) for a, b in pairwise(times) if 2 * (b - a) <= 3 * every_ns]
    if windows is None:
        best = best_window(spans, length_ns)
        return Stretch(best.start, best.start + length_ns, min(best.good_ns, length_ns), length_ns)
    filled = (
        Stretch(low, high, sum(max(min(b, high) - max(a, low), 0) for a, b in spans), high - low)
        for low, high in windows
    )
    return max(filled, key=lambda stretch: stretch.good, default=Stretch(0, 0, 0, length_ns))


def by_changes(
    messages: Iterable[Claim],
    truth: Truth,
    tolerance: Tolerance,
    margin_ns: int,
    length_ns: int,
    least: int,
    windows: Sequence[Span] | None,
) -> Stretch:
    """The window in which most of the tag's changes have a message with the new value, stamped while it held.

    Only windows with at least so many changes count; of several as good the one with most.
    """
    right = sorted((m for m in messages if m.right), key=lambda m: m.stated)
    times = [m.stated for m in right]
    changes = _changes(truth)

    def is_met(change: Step) -> bool:
        low, high = bisect_left(times, change.start - margin_ns), bisect_right(times, change.end + margin_ns)
        return any(m.value is not None and matches(m.value, change.value, tolerance) for m in right[low:high])

    starts = [change.start for change in changes]
    counted = [0, *accumulate(map(is_met, changes))]
    if windows is None:
        windows = [(start, start + length_ns) for start in starts if start + length_ns <= truth.end]
    found = []
    for low, high in windows:
        first, end = bisect_left(starts, low), bisect_right(starts, high)
        if end - first >= least:
            found.append(Stretch(low, high, counted[end] - counted[first], end - first))
    return max(found, key=lambda stretch: (stretch.share, stretch.total), default=Stretch(0, 0, 0, 0))


def _changes(truth: Truth) -> list[Step]:
    """The values that the tag changed to, each from then until it changed again; its first value is no change."""
    steps: list[Step] = []
    for step in reversed(list(truth.steps())):
        last = steps[-1] if steps else None
        if last is not None and (last.value == step.value or (last.value != last.value and step.value != step.value)):
            steps[-1] = last._replace(end=step.end)  # the same again, or NaN again
        else:
            steps.append(step)
    return steps[1:]


DOUBLES = tr(
    "Messages that name a time for the second time: {n}, the first at {time}.",
    "重複同一時間的消息：{n} 條，第一條在 {time}。",
    "重复同一时间的消息：{n} 条，第一条在 {time}。",
)
BACKWARDS = tr(
    "Messages that are older than the one before: {n}, the first at {time}.",
    "早於前一條的消息：{n} 條，第一條在 {time}。",
    "早于前一条的消息：{n} 条，第一条在 {time}。",
)


def doubled(messages: Iterable[Timed]) -> list[Record]:
    """Those whose time another of the same topic has named before, in order of arrival."""
    seen: set[tuple[str, int]] = set()
    found = []
    for message in messages:
        key = message.record.subject, message.stated
        if key in seen:
            found.append(message.record)
        seen.add(key)
    return found


def backwards(messages: Iterable[Timed]) -> list[Record]:
    """Those that name an earlier time than one before them on the same topic, in order of arrival."""
    latest: dict[str, int] = {}
    found = []
    for message in messages:
        if message.stated < latest.get(message.record.subject, message.stated):
            found.append(message.record)
        else:
            latest[message.record.subject] = message.stated
    return found


def flaw(messages: Sequence[Timed], unique: bool, in_order: bool) -> tuple[Text, list[Record]] | None:
    """The first kind of flaw that is looked for and found: its sentence (to be filled in) and its messages."""
    for wanted, sentence, records in ((unique, DOUBLES, doubled), (in_order, BACKWARDS, backwards)):
        if wanted and (found := records(messages)):
            return sentence, found
    return None
