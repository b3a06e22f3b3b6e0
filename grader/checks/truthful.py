"""The check that published values are true and fresh."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, model_validator

from grader.check import Check, Share
from grader.checks.message import Message, Messages, ValueParams, about, all_judged
from grader.checks.mqtt import by_clients, nothing_published
from grader.checks.series import Stretch, Timed, around, by_changes, by_samples, flaw, outages
from grader.jitter import longer
from grader.outcome import Outcome, failed, passed
from grader.truth import Truth, real
from grader.window import best_of, nanoseconds
from grader.words import clock, duration, fill, margin, percent
from labsim.evidence.event import Record
from labsim.evidence.evidence import Evidence
from labsim.evidence.manifest import TagInfo
from labsim.quantity import Duration
from labsim.text import Text, tr


class MatchesTruthParams(ValueParams):
    """Parameters of `MatchesTruth`."""

    lasting: Duration = Field(60.0, alias="for", description="The length of the window that is judged.")
    coverage: Share = Field(
        0.95, description="The share of the window in which a right and fresh value must be present."
    )
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
        truth = Truth(evidence, real(evidence, params.tag) if params.real else params.tag)
        age = longer(evidence, nanoseconds(params.age))
        messages = all_judged(evidence, sent, params, tag, truth, age)
        if params.gap_free is not None:
            return _series(evidence, params, tag, truth, messages.every())
        length = nanoseconds(params.lasting)
        best = best_of(*_fresh(messages, evidence.end_ns), length)
        share = min(best.good_ns / length, 1.0)
        wrong = np.flatnonzero(messages.right_until < 0).tolist()
        actual = tr(
            "{share} of {lasting}, {right} of {all} messages right",
            "在 {lasting} 中佔 {share}，{all} 條消息中 {right} 條正確",
            "在 {lasting} 中占 {share}，{all} 条消息中 {right} 条正确",
        ).format(share=percent(share), lasting=duration(params.lasting), right=len(sent) - len(wrong), all=len(sent))
        if best.good_ns >= params.coverage * length:
            reason = tr(
                "The values from {time} on were true and fresh.",
                "自 {time} 起的值真實且及時。",
                "自 {time} 起的值真实且及时。",
            ).format(time=clock(evidence, best.start))
            inside = np.flatnonzero((sent.times >= best.start) & (sent.times <= best.start + length)).tolist()
            both = params.unique, params.in_order
            found = flaw(_timed(messages.at(inside)), *both) if any(both) else None
            if found is not None:
                return _flawed(evidence, found, expected, actual)
            return passed(reason, expected=expected, actual=actual, evidence=(sent[place] for place in inside))
        if len(wrong) * 20 > len(sent):
            reason, advice = about(evidence, messages.at(wrong), params, tag, truth)
            rows = (sent[place] for place in wrong)
            return failed(reason, expected=expected, actual=actual, evidence=rows, help=advice)
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
        return failed(reason, expected=expected, actual=actual, evidence=sent, help=advice)


def _timed(messages: Sequence[Message]) -> list[Timed]:
    return [Timed(m.record, m.stated, m.value, m.right_until is not None) for m in messages if m.stated is not None]


def _flawed(evidence: Evidence, found: tuple[Text, list[Record]], expected: Text, actual: Text) -> Outcome:
    sentence, records = found
    reason = sentence.format(n=len(records), time=clock(evidence, records[0].t))
    return failed(reason, expected=expected, actual=actual, evidence=records)


def _series(
    evidence: Evidence, params: MatchesTruthParams, tag: TagInfo, truth: Truth, messages: Sequence[Message]
) -> Outcome:
    """Judge the messages by the times they name."""
    length, slack, late = nanoseconds(params.lasting), nanoseconds(params.time_margin), nanoseconds(params.late)
    series = [
        Timed(m.record, m.stated, m.value, m.right and m.record.t - m.stated <= late + slack) for m in _timed(messages)
    ]
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
        best = by_changes(series, truth, params.tolerance, slack, length, params.changes, windows)
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
        reason, advice = about(evidence, wrong, params, tag, truth)
        return failed(reason, expected=expected, actual=actual, evidence=[m.record for m in wrong], help=advice)
    tardy = [m for m in _timed(messages) if m.right and m.record.t - m.stated > late + slack]
    if len(tardy) * 20 > len(messages):
        worst = max(m.record.t - m.stated for m in tardy)
        reason = tr(
            "Values came later than {late} after their own time: {n}, the latest by {worst}.",
            "{n} 個值在其時間之後超過 {late} 才到達，最遲 {worst}。",
            "{n} 个值在其时间之后超过 {late} 才到达，最迟 {worst}。",
        ).format(late=duration(params.late), n=len(tardy), worst=duration(worst / 1e9))
        return failed(reason, expected=expected, actual=actual, evidence=[m.record for m in tardy])
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


def _fresh(messages: Messages, end_ns: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """From when to when right messages are fresh: until they are too old, or the next one comes."""
    came = np.append(messages.records.times, end_ns)
    right = messages.right_until >= 0
    return came[:-1][right], np.minimum(messages.right_until, came[1:])[right]
