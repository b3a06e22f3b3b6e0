"""The check that published values are true and fresh."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import Field, model_validator

from grader.check import Check, Params, Share
from grader.checks.mqtt import NOT_TEXT, by_clients, nothing_published
from grader.checks.series import Stretch, Timed, around, by_changes, by_samples, flaw, outages
from grader.outcome import Outcome, failed, passed
from grader.payload import MISSING, NOT_JSON, decode, find, text_of, utc_ns_of
from grader.suspicion import LAG, suspect
from grader.truth import Truth, Value, as_value
from grader.window import Span, best_window, nanoseconds
from grader.words import clock, duration, fill, margin, number, percent, worth
from labsim.evidence.event import Record
from labsim.evidence.evidence import Evidence
from labsim.evidence.manifest import TagInfo
from labsim.quantity import Duration, Tolerance, ToleranceField
from labsim.scenario.fields import TagPath
from labsim.text import Text, tr

_LOOK_BACK_NS = 600 * 10**9
"""How far back a late value is looked for, to name its lag."""


_NOT_TEXT, _NOT_JSON, _EMPTY = "binary", "no JSON", "empty"
_FAULTS = {
    _NOT_TEXT: NOT_TEXT,
    _NOT_JSON: tr("it is not JSON", "不是 JSON", "不是 JSON"),
    _EMPTY: tr("it is empty", "為空", "为空"),
}
"""What the kinds of unusable payload are called; any other is named by the part that is missing or cannot be read."""


class MatchesTruthParams(Params):
    """Parameters of `MatchesTruth`."""

    topic: Annotated[str, Field(min_length=1)] = Field(description="The topic (or filter) the value is published on.")
    value: str = Field(
        "", description="Where it stands in a JSON payload (`value`, `data.0`); empty: the payload is it."
    )
    tag: TagPath = Field(description="The tag whose value it has to be.")
    tolerance: ToleranceField = Field(Tolerance(relative=0.005), description="How far the value may be off.")
    age: Duration = Field(2.0, description="How old a value may be, at any moment, for whoever listens.")
    lasting: Duration = Field(60.0, alias="for", description="The length of the window that is judged.")
    coverage: Share = Field(
        0.95, description="The share of the window in which a right and fresh value must be present."
    )
    time: str | None = Field(
        None,
        description="Where the payload's time stands (ISO 8601 or Unix time); the value must be true at that time.",
    )
    time_margin: Duration = Field(0.2, description="How far the payload's time may be off.")
    unique: bool = Field(False, description="No two messages on a topic may name the same time; needs `time`.")
    in_order: bool = Field(False, description="No message may name an earlier time than one before it; needs `time`.")
    gap_free: Literal["samples", "changes"] | None = Field(
        None,
        description="Judge the series by the times it names instead of how fresh it is: a sample `every` so often, or one "
        "for each change of the tag; needs `time`.",
    )
    every: Duration | None = Field(None, description="The period of `gap_free: samples`.")
    late: Duration = Field(3600.0, description="How long after its own time a message may come, for `gap_free`.")
    outage: Duration | None = Field(
        None, description="The window must be around a stretch of at least this length in which no message came."
    )
    changes: Annotated[int, Field(ge=1)] = Field(3, description="Changes a window of `gap_free: changes` must hold.")

    @model_validator(mode="after")
    def _whole(self) -> MatchesTruthParams:
        if self.time is None and (self.unique or self.in_order or self.gap_free):
            raise ValueError("'unique', 'in_order' and 'gap_free' need 'time': where the payload's time stands")
        if (self.gap_free == "samples") != bool(self.every):
            raise ValueError("'gap_free: samples' needs 'every', its period; nothing else has it")
        if self.outage is not None and self.gap_free is None:
            raise ValueError("'outage' needs 'gap_free'")
        if self.lasting <= 0:
            raise ValueError("'for' is over 0")
        return self


@dataclass(frozen=True, slots=True)
class Message:
    """One publish, judged: until when it is right (None: it never was), what it lacks if it is not, the time it names."""

    record: Record
    value: Value | None
    right_until: int | None
    fault: str = ""
    stated: int | None = None


class MatchesTruth(Check[MatchesTruthParams]):
    """Published values are true and fresh for a while.

    A message is right while there is a moment, no later than the message and no more than `age` ago, at which its value was
    true within the tolerance. So its age counts from when it was true, not from when it was sent, and a value that is not
    sent again grows old. The next message replaces it, right or wrong. In the best window of length `for`, right messages
    must be present for `coverage` of the time. With `time`, the value must have been true at the time the payload names,
    within `time_margin`. All times are plant time; what the plant publishes itself never counts.

    With `gap_free` the series is judged by the times that its messages name, so what was kept during an outage and sent
    afterwards counts, with its own time and not later than `late`. `samples`: right samples must follow each other by no more
    than one and a half times `every`, for `coverage` of the window. `changes`: that share of the tag's changes must each have
    a right message that is stamped while the new value held. With `outage` the window lies around a stretch in which nothing
    came; without one nothing passes. `unique` and `in_order` look at the messages of the window; one that a client sends a
    second time because its acknowledgement was lost is a double, which QoS 2 avoids.

    Example::

        mqtt.matches-truth:
          topic: site1/meter1
          value: voltage
          tag: meter1.voltage_l1
          tolerance: 0.5 %
          age: 3 s
          for: 2 min
          marks: 6

    Example::

        mqtt.matches-truth:
          topic: site1/meter1
          value: voltage
          tag: meter1.voltage_l1
          time: time
          gap_free: samples
          every: 1 s
          outage: 20 s
          for: 2 min
          coverage: 99 %
          unique: true
          in_order: true
          marks: 6
    """

    name = "mqtt.matches-truth"
    sentence = tr(
        "{p.topic} carries the true value for {lasting}",
        "{p.topic} 在 {lasting} 內承載真實值",
        "{p.topic} 在 {lasting} 内承载真实值",
    )
    Params = MatchesTruthParams

    def title(self, params: MatchesTruthParams) -> Text:
        """Names topic and length."""
        return self.sentence.format(p=params, lasting=duration(params.lasting))

    def judge(self, evidence: Evidence, params: MatchesTruthParams) -> Outcome:
        """Measure how much of the best window right messages fill."""
        tag = evidence.tags[params.tag]
        expected = tr(
            "true within {margin}, at most {age} old, for {coverage} of {lasting}",
            "誤差在 {margin} 內，至多 {age} 前的值，在 {lasting} 中佔 {coverage}",
            "误差在 {margin} 内，至多 {age} 前的值，在 {lasting} 中占 {coverage}",
        ).format(
            margin=margin(params.tolerance, tag.unit),
            age=duration(params.age),
            coverage=percent(params.coverage),
            lasting=duration(params.lasting),
        )
        sent = by_clients(evidence, params.topic)
        if not sent:
            return nothing_published(evidence, params.topic, expected)
        truth = Truth(evidence, params.tag)
        messages = [_judged(evidence, r, params, tag, truth) for r in sent]
        if params.gap_free is not None:
            return _series(evidence, params, tag, truth, messages)
        spans = list(_spans(messages, evidence.end_ns))
        length = nanoseconds(params.lasting)
        best = best_window(spans, length)
        share = min(best.good_ns / length, 1.0)
        wrong = [m for m in messages if m.right_until is None]
        actual = tr(
            "{share} of {lasting}, {right} of {all} messages right",
            "在 {lasting} 中佔 {share}，{all} 條消息中 {right} 條正確",
            "在 {lasting} 中占 {share}，{all} 条消息中 {right} 条正确",
        ).format(
            share=percent(share), lasting=duration(params.lasting), right=len(messages) - len(wrong), all=len(messages)
        )
        if best.good_ns >= params.coverage * length:
            reason = tr(
                "The values from {time} on were true and fresh.",
                "自 {time} 起的值真實且及時。",
                "自 {time} 起的值真实且及时。",
            ).format(time=clock(evidence, best.start))
            inside = [m for m in messages if best.start <= m.record.t <= best.start + length]
            found = flaw(_timed(inside), params.unique, params.in_order)
            if found is not None:
                return _flawed(evidence, found, expected, actual)
            return passed(reason, expected=expected, actual=actual, evidence=[m.record for m in inside])
        if len(wrong) * 20 > len(messages):
            reason, advice = _about(evidence, wrong, params, tag, truth)
            return failed(reason, expected=expected, actual=actual, evidence=[m.record for m in wrong], help=advice)
        reason = tr(
            "The values are true, but a fresh one was present for {good} of {lasting} only.",
            "值是真實的，但在 {lasting} 中僅有 {good} 存在及時的值。",
            "值是真实的，但在 {lasting} 中仅有 {good} 存在及时的值。",
        ).format(good=duration(best.good_ns / 1e9), lasting=duration(params.lasting))
        advice = tr(
            "Look at how often a value is sent, and how long it goes on.",
            "請查看發送的頻率與持續時間。",
            "请查看发送的频率与持续时间。",
        )
        return failed(reason, expected=expected, actual=actual, evidence=[m.record for m in messages], help=advice)


def _judged(evidence: Evidence, record: Record, params: MatchesTruthParams, tag: TagInfo, truth: Truth) -> Message:
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
    age, until = nanoseconds(params.age), record.t
    if params.time is not None:
        utc = utc_ns_of(find(data, params.time))
        if utc is None:
            return Message(record, value, None, f"{params.time}?")
        stated, slack = evidence.t_of_utc(utc), nanoseconds(params.time_margin)
        last = min(stated + slack, until)  # a time ahead of the message itself proves nothing
        back = last - (stated - slack)
        moment = truth.latest_match(value, last, back, params.tolerance) if back >= 0 else None
        return Message(record, value, None if moment is None else moment + age, stated=stated)
    moment = truth.latest_match(value, until, age, params.tolerance)
    return Message(record, value, None if moment is None else moment + age)


def _timed(messages: Sequence[Message]) -> list[Timed]:
    return [Timed(m.record, m.stated, m.right_until is not None) for m in messages if m.stated is not None]


def _flawed(evidence: Evidence, found: tuple[Text, list[Record]], expected: Text, actual: Text) -> Outcome:
    sentence, records = found
    reason = sentence.format(n=len(records), time=clock(evidence, records[0].t))
    return failed(reason, expected=expected, actual=actual, evidence=records)


def _series(
    evidence: Evidence, params: MatchesTruthParams, tag: TagInfo, truth: Truth, messages: Sequence[Message]
) -> Outcome:
    """Judge the messages by the times they name."""
    length, slack, late = nanoseconds(params.lasting), nanoseconds(params.time_margin), nanoseconds(params.late)
    series = [Timed(m.record, m.stated, m.right and m.record.t - m.stated <= late + slack) for m in _timed(messages)]
    expected = tr(
        "a right value {what}, for {coverage} of {lasting}",
        "{what} 均有正確的值，在 {lasting} 中佔 {coverage}",
        "{what} 均有正确的值，在 {lasting} 中占 {coverage}",
    )
    what = (
        tr("at each change", "每次變化", "每次变化")
        if params.every is None
        else tr("every {every}", "每 {every}", "每 {every}").format(every=duration(params.every))
    )
    expected = fill(expected, what=what, coverage=percent(params.coverage), lasting=duration(params.lasting))
    windows = None
    if params.outage is not None:
        breaks = outages([m.record.t for m in messages], nanoseconds(params.outage))
        windows = [around(each, length) for each in breaks]
        if not windows:
            reason = tr(
                "There was no stretch of {outage} without a message, after which they came again.",
                "沒有出現持續 {outage} 無消息且之後恢復的時段。",
                "没有出现持续 {outage} 无消息且之后恢复的时段。",
            ).format(outage=duration(params.outage))
            return failed(reason, expected=expected, evidence=[m.record for m in messages])
    if params.every is not None:
        best = by_samples(series, nanoseconds(params.every), length, windows)
    else:
        best = by_changes(series, truth, slack, length, params.changes, windows)
    inside = [m for m in series if best.start - slack <= m.stated <= best.end + slack]
    actual = _measured(evidence, params, best)
    wrong = [m for m in messages if m.right_until is None]
    if best.total and best.share >= params.coverage:
        found = flaw(inside, params.unique, params.in_order)
        if found is not None:
            return _flawed(evidence, found, expected, actual)
        reason = tr(
            "The series from {time} on is whole.", "自 {time} 起的數據序列完整。", "自 {time} 起的数据序列完整。"
        ).format(time=clock(evidence, best.start))
        return passed(reason, expected=expected, actual=actual, evidence=[m.record for m in inside])
    if len(wrong) * 20 > len(messages):
        reason, advice = _about(evidence, wrong, params, tag, truth)
        return failed(reason, expected=expected, actual=actual, evidence=[m.record for m in wrong], help=advice)
    reason = tr(
        "The values are true at their times, but some are missing.",
        "值在其時間均為真，但有缺失。",
        "值在其时间均为真，但有缺失。",
    )
    advice = tr(
        "Keep what cannot be sent, and send it later with the time at which it was read.",
        "請保留無法發送的數據，稍後連同讀取時的時間一併發送。",
        "请保留无法发送的数据，稍后连同读取时的时间一并发送。",
    )
    return failed(reason, expected=expected, actual=actual, evidence=[m.record for m in inside or series], help=advice)


def _measured(evidence: Evidence, params: MatchesTruthParams, best: Stretch) -> Text:
    if not best.total:
        return tr("too few changes", "變化過少", "变化过少")
    if params.every is None:
        return tr(
            "{good} of {all} changes from {time} on",
            "自 {time} 起 {all} 次變化中有 {good} 次",
            "自 {time} 起 {all} 次变化中有 {good} 次",
        ).format(good=best.good, all=best.total, time=clock(evidence, best.start))
    return tr(
        "{share} of {lasting} from {time} on",
        "自 {time} 起 {lasting} 中佔 {share}",
        "自 {time} 起 {lasting} 中占 {share}",
    ).format(share=percent(best.share), lasting=duration(params.lasting), time=clock(evidence, best.start))


def _raw(data: object, text: str, path: str, tag: TagInfo) -> object:
    """The value as the payload carries it; without a path the payload is the value, as JSON or as it stands."""
    if path:
        return find(data, path)
    plain_text = data is NOT_JSON or (tag.type == "text" and not isinstance(data, str))
    return text if plain_text else data


def _spans(messages: Sequence[Message], end_ns: int) -> Iterator[Span]:
    for index, message in enumerate(messages):
        following = messages[index + 1].record.t if index + 1 < len(messages) else end_ns
        if message.right_until is not None:
            yield message.record.t, min(message.right_until, following)


def _about(
    evidence: Evidence, wrong: Sequence[Message], params: MatchesTruthParams, tag: TagInfo, truth: Truth
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


def _suspicion(value: Value, t: int, params: MatchesTruthParams, tag: TagInfo, truth: Truth) -> Text | None:
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
