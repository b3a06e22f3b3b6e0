"""One publish beside the truth: what value it carries, whether that was true, and what a wrong one looks like."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import median_low

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from grader.check import Params
from grader.checks.mqtt import NO_JSON, NOT_TEXT
from grader.payload import MISSING, NOT_JSON, decode, find, quick, text_of, utc_ns_of
from grader.suspicion import LAG, misclocked, suspect
from grader.topic import TopicFilter
from grader.truth import Truth, Value, as_value
from grader.window import nanoseconds
from grader.words import clock, duration, fill, number, worth
from labsim.evidence.event import Record
from labsim.evidence.evidence import Evidence
from labsim.evidence.manifest import TagInfo
from labsim.evidence.rows import Rows
from labsim.quantity import Duration, Tolerance, ToleranceField
from labsim.scenario.fields import TagPath
from labsim.text import Text, tr

_LOOK_BACK_NS = 600 * 10**9
"""How far back a late value is looked for, to name its lag."""


_LOOKED_AT = 50
"""How many of the latest wrong messages are looked at for a wrong time."""


_NOT_TEXT, _NOT_JSON, _EMPTY = "binary", "no JSON", "empty"
_FAULTS = {
    _NOT_TEXT: NOT_TEXT,
    _NOT_JSON: NO_JSON,
    _EMPTY: tr("it is empty", "為空", "为空"),
}
"""What the kinds of unusable payload are called; any other is named by the part that is missing or cannot be read."""
_NUMBERS = (float, int)


class ValueParams(Params):
    """Where the value is published, and which tag it has to be."""

    topic: TopicFilter = Field(description="The topic (or filter) the value is published on.")
    value: str = Field(
        "", description="Where it stands in a JSON payload (`value`, `data.0`); empty: the payload is it."
    )
    tag: TagPath = Field(description="The tag whose value it has to be.")
    real: bool = Field(
        False, description="Hold it against what was physically true, not against what a faulty sensor showed."
    )
    tolerance: ToleranceField = Field(Tolerance(relative=0.005), description="How far the value may be off.")
    age: Duration = Field(2.0, description="How old a value may be, at any moment, for whoever listens.")
    time: str | None = Field(
        None,
        description="Where the payload's time stands (ISO 8601 or Unix time); the value must be true at that time.",
    )
    time_margin: Duration = Field(0.2, description="How far the payload's time may be off.")


@dataclass(slots=True)
class Message:
    """One publish, judged: until when it is right (None: it never was), what it lacks if it is not, the time it names."""

    record: Record
    value: Value | None
    right_until: int | None
    fault: str = ""
    stated: int | None = None


@dataclass(frozen=True, slots=True)
class Messages:
    """Publishes, judged, as columns; each of them is a `Message`.

    Attributes:
        records: As they came.
        values: What each says; None when that cannot be read.
        right_until: Plant nanoseconds; -1 where it never was right.
        notes: More about some of them, by their place.
    """

    records: Rows
    values: list[Value | None]
    right_until: NDArray[np.int64]
    notes: Mapping[int, Message]

    def at(self, places: Iterable[int]) -> list[Message]:
        """Those at some places."""
        found = []
        for place in places:
            until, note = int(self.right_until[place]), self.notes.get(place)
            found.append(
                Message(
                    self.records[place],
                    self.values[place],
                    None if until < 0 else until,
                    note.fault if note else "",
                    note.stated if note else None,
                )
            )
        return found

    def every(self) -> list[Message]:
        """All of them."""
        return self.at(range(len(self.records)))


def all_judged(
    evidence: Evidence, records: Rows, params: ValueParams, tag: TagInfo, truth: Truth, age: int
) -> Messages:
    """What each publish is worth; hundreds of thousands are held against the truth at once.

    ``age`` is how old a value may be, in plant nanoseconds.
    """
    values, notes = _all_said(evidence, records, params, tag)
    if params.time is None:
        asked = [place for place, value in enumerate(values) if value is not None]
        until, back = records.times[asked], np.array([age])
    else:
        asked, until, back = _stamped(notes, nanoseconds(params.time_margin))
    right_until = np.full(len(records), -1, np.int64)
    if asked:
        got = [value for value in map(values.__getitem__, asked) if value is not None]
        moments = truth.latest_matches(got, until, back, params.tolerance)
        right_until[asked] = np.where(moments >= 0, moments + age, -1)
    return Messages(records, values, right_until, notes)


def _stamped(notes: Mapping[int, Message], slack: int) -> tuple[list[int], NDArray[np.int64], NDArray[np.int64]]:
    """Which messages name a time that can prove something, until when their value may have been true, and how long."""
    asked, until, back = [], [], []
    for place, message in notes.items():
        if message.stated is None:
            continue
        last = min(message.stated + slack, message.record.t)  # a time ahead of the message itself proves nothing
        if 0 <= last >= message.stated - slack:
            asked.append(place)
            until.append(last)
            back.append(last - (message.stated - slack))
    return asked, np.array(until, np.int64), np.array(back, np.int64)


def _all_said(
    evidence: Evidence, records: Rows, params: ValueParams, tag: TagInfo
) -> tuple[list[Value | None], dict[int, Message]]:
    """What each publish says; a number in a JSON object, as nearly all are, is read without a detour and a note."""
    key = params.value
    detour = params.time is not None or tag.type == "text" or key.startswith("/") or "." in key or not key
    values: list[Value | None] = []
    notes: dict[int, Message] = {}
    for place, record in enumerate(records):
        value: Value | None = None
        if not detour and "binary" not in record.detail:
            try:
                raw = quick(record.values[0])[key]
                value = float(raw) if type(raw) in _NUMBERS else None
            except (ArithmeticError, LookupError, RecursionError, TypeError, ValueError):
                value = None
        if value is None:
            notes[place] = note = _said(evidence, record, params, tag)
            value = note.value
        values.append(value)
    return values, notes


def _said(evidence: Evidence, record: Record, params: ValueParams, tag: TagInfo) -> Message:
    """What a publish says, not held against the truth yet."""
    text = text_of(record)
    if text is None:
        return Message(record, None, None, _NOT_TEXT)
    data = decode(text)
    raw = _raw(data, text, params.value, tag)
    if raw is MISSING:
        return Message(record, None, None, _NOT_JSON if data is NOT_JSON else f"{params.value}?")
    value = as_value(raw, tag)
    if value is None:
        return Message(record, None, None, number(raw) or _EMPTY)
    if params.time is None:
        return Message(record, value, None)
    utc = utc_ns_of(find(data, params.time))
    if utc is None:
        return Message(record, value, None, f"{params.time}?")
    return Message(record, value, None, stated=evidence.t_of_utc(utc))


def _raw(data: object, text: str, path: str, tag: TagInfo) -> object:
    """The value as the payload carries it; without a path the payload is the value, as JSON or as it stands."""
    if path:
        return find(data, path)
    plain_text = data is NOT_JSON or (tag.type == "text" and not isinstance(data, str))
    return text if plain_text else data


def about(
    evidence: Evidence, wrong: Sequence[Message], params: ValueParams, tag: TagInfo, truth: Truth
) -> tuple[Text, Text | None]:
    """One sentence about the commonest kind of wrong message, and what it looks like."""
    lacking = Counter(m.fault for m in wrong if m.fault)
    if lacking and sum(lacking.values()) * 2 > len(wrong):
        fault, count = lacking.most_common(1)[0]
        reason = fill(
            tr(
                "Messages without a usable value: {n}, the last at {time}: {fault}.",
                "{n} 條消息中沒有可用的值（最後一條在 {time}）：{fault}。",
                "{n} 条消息中没有可用的值（最后一条在 {time}）：{fault}。",
            ),
            n=count,
            time=clock(evidence, next(m.record.t for m in reversed(wrong) if m.fault == fault)),
            fault=_FAULTS.get(fault, fault),
        )
        return reason, tr(
            "Compare the payload with the form that the task asks for.",
            "請比較載荷與任務要求的格式。",
            "请比较载荷与任务要求的格式。",
        )
    stamped = _misstamped(wrong, params, truth)
    if stamped is not None:
        return stamped
    last = next(m for m in reversed(wrong) if m.value is not None)
    value, t = last.value, last.record.t
    assert value is not None
    true = truth.at(t)
    reason = tr(
        "Messages that were not true: {n}; the one at {time} said {got}, the tag was worth {true}.",
        "{n} 條消息不真實；{time} 的一條為 {got}，而測點的值為 {true}。",
        "{n} 条消息不真实；{time} 的一条为 {got}，而测点的值为 {true}。",
    ).format(
        n=len(wrong),
        time=clock(evidence, t),
        got=worth(value, tag),
        true="?" if true is None else worth(true, tag),
    )
    return reason, _suspicion(value, t, params, tag, truth)


def _misstamped(wrong: Sequence[Message], params: ValueParams, truth: Truth) -> tuple[Text, Text] | None:
    """What to say when most of the latest wrong messages carry a true value with a time at which it was another."""
    timed = [m for m in wrong if m.stated is not None][-_LOOKED_AT:]
    age = nanoseconds(params.age)
    off = [
        m.record.t - m.stated
        for m in timed
        if m.stated is not None
        and m.value is not None
        and truth.latest_match(m.value, m.record.t, age, params.tolerance) is not None
    ]
    if not off or len(off) * 2 <= len(wrong[-_LOOKED_AT:]):
        return None
    behind = median_low(off)
    form = (
        tr(
            "The values are right, but their time stamps are {by} behind.",
            "值正確，但時間戳慢了 {by}。",
            "值正确，但时间戳慢了 {by}。",
        )
        if behind > 0
        else tr(
            "The values are right, but their time stamps are {by} ahead.",
            "值正確，但時間戳快了 {by}。",
            "值正确，但时间戳快了 {by}。",
        )
    )
    return form.format(by=duration(abs(behind) / 1e9)), misclocked(behind)


def _suspicion(value: Value, t: int, params: ValueParams, tag: TagInfo, truth: Truth) -> Text | None:
    if isinstance(value, str):
        return None
    if tag.type != "bool":
        recent = [s.value for s in truth.steps(t - nanoseconds(params.age), t) if isinstance(s.value, float)]
        found = suspect(value, recent, params.tolerance, tag.unit)
        if found is not None:
            return found
    if math.isnan(value):
        return None
    moment = truth.latest_match(value, t, _LOOK_BACK_NS, params.tolerance)
    return LAG.format(lag=duration((t - moment) / 1e9)) if moment is not None and moment < t else None
