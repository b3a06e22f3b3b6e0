"""One publish beside the truth: what value it carries, whether that was true, and what a wrong one looks like."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median_low
from typing import Annotated

from pydantic import Field

from grader.check import Params
from grader.checks.mqtt import NO_JSON, NOT_TEXT
from grader.payload import MISSING, NOT_JSON, decode, find, quick, text_of, utc_ns_of
from grader.suspicion import LAG, misclocked, suspect
from grader.truth import Truth, Value, as_value
from grader.window import nanoseconds
from grader.words import clock, duration, fill, number, worth
from labsim.evidence.event import Record
from labsim.evidence.evidence import Evidence
from labsim.evidence.manifest import TagInfo
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

    topic: Annotated[str, Field(min_length=1)] = Field(description="The topic (or filter) the value is published on.")
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


@dataclass(slots=True)  # not frozen: there are hundreds of thousands, and freezing doubles what making one takes
class Message:
    """One publish, judged: until when it is right (None: it never was), what it lacks if it is not, the time it names."""

    record: Record
    value: Value | None
    right_until: int | None
    fault: str = ""
    stated: int | None = None


def judged(evidence: Evidence, record: Record, params: ValueParams, tag: TagInfo, truth: Truth, age: int) -> Message:
    """What a publish is worth; ``age`` is how old a value may be, in plant nanoseconds."""
    return all_judged(evidence, [record], params, tag, truth, age)[0]


def all_judged(
    evidence: Evidence, records: Sequence[Record], params: ValueParams, tag: TagInfo, truth: Truth, age: int
) -> list[Message]:
    """What each publish is worth; hundreds of thousands are held against the truth at once."""
    messages = _all_said(evidence, records, params, tag)
    if params.time is None:
        asked = [m for m in messages if m.value is not None]
        until, back = [m.record.t for m in asked], [age]
    else:
        asked, until, back = [], [], []
        slack = nanoseconds(params.time_margin)
        for message in messages:
            if message.stated is None:
                continue
            last = min(message.stated + slack, message.record.t)  # a time ahead of the message itself proves nothing
            if 0 <= last >= message.stated - slack:
                asked.append(message)
                until.append(last)
                back.append(last - (message.stated - slack))
    if asked:
        moments = truth.latest_matches([m.value for m in asked if m.value is not None], until, back, params.tolerance)
        for message, moment in zip(asked, moments.tolist(), strict=True):
            if moment >= 0:
                message.right_until = moment + age
    return messages


def _all_said(evidence: Evidence, records: Sequence[Record], params: ValueParams, tag: TagInfo) -> list[Message]:
    """What each publish says; a number in a JSON object, as nearly all are, is read without a detour."""
    key = params.value
    if params.time is not None or tag.type == "text" or key.startswith("/") or "." in key or not key:
        return [_said(evidence, record, params, tag) for record in records]
    messages = []
    for record in records:
        try:
            raw = quick(record.values[0])[key]
            value = float(raw) if type(raw) in _NUMBERS else None
        except (ArithmeticError, LookupError, RecursionError, TypeError, ValueError):
            value = None
        if value is not None and "binary" not in record.detail:
            messages.append(Message(record, value, None))
        else:
            messages.append(_said(evidence, record, params, tag))
    return messages


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
