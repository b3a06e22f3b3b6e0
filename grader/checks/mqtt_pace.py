"""Checks of how often and how soon something is published."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Annotated

from pydantic import Field, model_validator

from grader.check import Check, Params, Share
from grader.checks.mqtt import by_clients, nothing_published
from grader.jitter import longer, widened
from grader.outcome import Outcome, failed, partly, passed
from grader.payload import MISSING, NOT_JSON, decode, find, text_of
from grader.topic import TopicFilter
from grader.truth import Truth, Value, as_value, matches, real
from grader.window import Span, best_window, nanoseconds
from grader.words import clock, duration, margin, percent
from labsim.evidence.event import Record
from labsim.evidence.evidence import Evidence
from labsim.quantity import Duration, Tolerance, ToleranceField
from labsim.scenario.fields import TagPath
from labsim.text import Text, tr

_LOOK_NS = 120 * 10**9
"""How long after a change a message is looked for at all."""


class RateParams(Params):
    """Parameters of `Rate`."""

    topic: TopicFilter = Field(description="The topic, or a filter for several.")
    most: Annotated[int, Field(ge=1)] = Field(description="Messages that may come within `per`.")
    per: Duration = Field(1.0, description="The length of the window, in plant time; it is laid everywhere.")
    each: bool = Field(False, description="The limit is of each topic by itself.")
    at_least: Annotated[int, Field(ge=1)] = Field(10, description="Messages that must be there for it to count.")


class Rate(Check[RateParams]):
    """Clients publish no faster than they may.

    Nowhere may more than `most` messages fall into a window of length `per`. It passes only once there were `at_least`
    messages. A backlog that is sent after an outage counts too.

    Example::

        mqtt.rate: {topic: site1/#, most: 20, per: 1 s, at_least: 100, marks: 2}
    """

    name = "mqtt.rate"
    judges = "absence"
    sentence = tr(
        "At most {p.most} messages within {per} on {p.topic}",
        "{p.topic} 上每 {per} 至多 {p.most} 條消息",
        "{p.topic} 上每 {per} 至多 {p.most} 条消息",
    )
    Params = RateParams

    def title(self, params: RateParams) -> Text:
        """Names the limit."""
        return self.sentence.format(p=params, per=duration(params.per))

    def judge(self, evidence: Evidence, params: RateParams) -> Outcome:
        """Look for the fullest window."""
        expected = f"≤ {params.most} / {duration(params.per)}"
        sent = by_clients(evidence, params.topic)
        if not sent:
            return nothing_published(evidence, params.topic, expected)
        groups: dict[str, list[Record]] = {}
        for record in sent:
            groups.setdefault(record.subject if params.each else "", []).append(record)
        worst = max((fullest(rows, nanoseconds(params.per)) for rows in groups.values()), key=len)
        actual = f"{len(worst)} / {duration(params.per)}"
        if len(worst) > params.most:
            reason = tr(
                "{n} messages came within {per} from {time}.",
                "自 {time} 起 {per} 內有 {n} 條消息。",
                "自 {time} 起 {per} 内有 {n} 条消息。",
            ).format(n=len(worst), per=duration(params.per), time=clock(evidence, worst[0].t))
            return failed(reason, expected=expected, actual=actual, evidence=worst, times=1)
        if len(sent) < params.at_least:
            return _too_few(len(sent), params.at_least, sent)
        reason = tr(
            "The fullest window held {n} messages.", "最密集的窗口有 {n} 條消息。", "最密集的窗口有 {n} 条消息。"
        )
        return passed(reason.format(n=len(worst)), expected=expected, actual=actual, evidence=worst)


def fullest(rows: Sequence[Record], length_ns: int) -> list[Record]:
    """The records, in order of time, of the fullest window of a length."""
    best, first = (0, 0), 0
    for last, record in enumerate(rows):
        while record.t - rows[first].t >= length_ns:
            first += 1
        best = max(best, (first, last + 1), key=lambda span: span[1] - span[0])
    return list(rows[best[0] : best[1]])


def _too_few(had: int, needed: int, rows: Sequence[Record]) -> Outcome:
    reason = tr("Messages: {n} of {least}.", "{n} 條消息，需要 {least} 條。", "{n} 条消息，需要 {least} 条。")
    return failed(reason.format(n=had, least=needed), expected=f"≥ {needed}", actual=str(had), evidence=rows)


class ByExceptionParams(Params):
    """Parameters of `ByException`."""

    topic: TopicFilter = Field(description="The topic, or a filter for several.")
    value: str = Field("", description="Where the value stands in a JSON payload; empty: the payload is it.")
    heartbeat: Duration = Field(description="When nothing changes, a message must still come this often.")
    within: ToleranceField = Field(Tolerance(relative=0.2), description="How far that period may be off.")
    deadband: ToleranceField = Field(Tolerance(), description="A value this near to the last one sent is no change.")
    lasting: Duration = Field(alias="for", description="The length of the window that is judged.")
    coverage: Share = Field(0.95, description="The share of the window that must be so.")

    @model_validator(mode="after")
    def _sane(self) -> ByExceptionParams:
        if not 0 < self.heartbeat <= self.lasting:
            raise ValueError("'heartbeat' is over 0 and 'for' is at least as long")
        return self


class ByException(Check[ByExceptionParams]):
    """Values are published when they change, and otherwise once in a while as a sign of life.

    On each topic, in the best window of length `for`, messages follow each other within the heartbeat, and one that comes
    sooner carries another value than the one before; the time before a needless one does not count. Whether every change was
    published is what `mqtt.latency` and `mqtt.matches-truth` judge. Each topic carries an equal share of the marks.

    Example::

        mqtt.by-exception: {topic: site1/+/state, value: value, heartbeat: 60 s, for: 5 min, marks: 3}
    """

    name = "mqtt.by-exception"
    sentence = tr(
        "{p.topic} is sent on change, and every {beat} at least",
        "{p.topic} 在變化時發送，且至少每 {beat} 一次",
        "{p.topic} 在变化时发送，且至少每 {beat} 一次",
    )
    Params = ByExceptionParams

    def title(self, params: ByExceptionParams) -> Text:
        """Names topic and heartbeat."""
        return self.sentence.format(p=params, beat=duration(params.heartbeat))

    def judge(self, evidence: Evidence, params: ByExceptionParams) -> Outcome:
        """Measure the best window of each topic."""
        length = nanoseconds(params.lasting)
        expected = f"{duration(params.heartbeat)} {margin(params.within, 's')}, {percent(params.coverage)}"
        sent = by_clients(evidence, params.topic)
        if not sent:
            return nothing_published(evidence, params.topic, expected)
        groups: dict[str, list[Record]] = {}
        for record in sent:
            groups.setdefault(record.subject, []).append(record)
        within = widened(evidence, params.within, params.heartbeat)
        slack = within.absolute + within.relative * params.heartbeat
        needless: dict[str, list[Record]] = {}
        shares = {}
        for topic, rows in groups.items():
            needless[topic] = []
            best = best_window(list(_paced(rows, params, slack, needless[topic])), length)
            shares[topic] = min(best.good_ns / length, 1.0)
        wrong = [topic for topic, share in shares.items() if share < params.coverage]
        share = 1 - len(wrong) / len(shares)
        worst = min(shares, key=lambda topic: shares[topic])
        actual = f"{worst}: {percent(shares[worst])}"
        if not wrong:
            reason = tr("Topics that keep to it: {n}.", "{n} 個主題符合。", "{n} 个主题符合。").format(n=len(shares))
            return passed(reason, expected=expected, actual=actual, evidence=groups[worst])
        idle = needless[worst]
        if len(idle) * 10 > len(groups[worst]):
            reason = tr(
                "{topic}: messages without a change: {n} of {all}.",
                "{topic}：{all} 條消息中有 {n} 條沒有變化。",
                "{topic}：{all} 条消息中有 {n} 条没有变化。",
            ).format(topic=worst, n=len(idle), all=len(groups[worst]))
            return partly(share, reason, expected=expected, actual=actual, evidence=idle)
        reason = tr(
            "{topic}: longer than {beat} without a message, or not for {lasting}.",
            "{topic}：超過 {beat} 沒有消息，或未持續 {lasting}。",
            "{topic}：超过 {beat} 没有消息，或未持续 {lasting}。",
        ).format(topic=worst, beat=duration(params.heartbeat), lasting=duration(params.lasting))
        return partly(share, reason, expected=expected, actual=actual, evidence=groups[worst])


def _paced(rows: Sequence[Record], params: ByExceptionParams, slack: float, needless: list[Record]) -> Iterator[Span]:
    """Stretches between two messages that keep to the rule; those that come needlessly are added to ``needless``."""
    beat = params.heartbeat
    for before, after in pairwise(rows):
        gap = (after.t - before.t) / 1e9
        if gap > beat + slack:
            continue
        if gap < beat - slack and _same(before, after, params):
            needless.append(after)
            continue
        yield before.t, after.t


def _same(before: Record, after: Record, params: ByExceptionParams) -> bool:
    one, other = _raw(before, params.value), _raw(after, params.value)
    if isinstance(one, (int, float)) and isinstance(other, (int, float)):
        return params.deadband.allows(float(other), float(one))
    return one == other


def _raw(record: Record, path: str) -> object:
    text = text_of(record)
    data = NOT_JSON if text is None else decode(text)
    found = find(data, path) if path else data
    return text if found in (MISSING, NOT_JSON) else found


class LatencyParams(Params):
    """Parameters of `Latency`."""

    topic: TopicFilter = Field(description="The topic the value is published on.")
    value: str = Field("", description="Where it stands in a JSON payload; empty: the payload is it.")
    tag: TagPath = Field(description="The tag whose changes must be published.")
    real: bool = Field(False, description="Changes of what was physically true, not of what a faulty sensor showed.")
    within: Duration = Field(description="How soon after a change a message with the new value must come.")
    share: Share = Field(0.95, description="The share of the changes that must come so soon.")
    tolerance: ToleranceField = Field(Tolerance(relative=0.005), description="How far a published value may be off.")
    deadband: ToleranceField = Field(
        Tolerance(), description="A value this near to the last that counted is no change."
    )
    at_least: Annotated[int, Field(ge=1)] = Field(10, description="Changes that must be there for it to count.")


class Latency(Check[LatencyParams]):
    """A change in the plant is soon published.

    Each change of the tag by more than `deadband`, from the first message on, wants a message with a value that was true at
    some moment since the change; the time from the change to that message is its latency. `share` of the changes must be
    published within `within` (at 95 %, this is the 95th percentile). A change in the last stretch of that length is not
    judged. All times are plant time, widened by how late the machine itself was.

    Example::

        mqtt.latency: {topic: site1/mill1/state, value: value, tag: mill1.machinery_item_state, within: 2 s, marks: 3}
    """

    name = "mqtt.latency"
    sentence = tr(
        "A change of {p.tag} is published within {within}",
        "{p.tag} 的變化在 {within} 內發佈",
        "{p.tag} 的变化在 {within} 内发布",
    )
    Params = LatencyParams

    def title(self, params: LatencyParams) -> Text:
        """Names tag and time."""
        return self.sentence.format(p=params, within=duration(params.within))

    def judge(self, evidence: Evidence, params: LatencyParams) -> Outcome:
        """Measure each change."""
        expected = f"≤ {duration(params.within)}, {percent(params.share)}"
        sent = by_clients(evidence, params.topic)
        if not sent:
            return nothing_published(evidence, params.topic, expected)
        tag = evidence.tags[params.tag]
        truth = Truth(evidence, real(evidence, params.tag) if params.real else params.tag, evidence.start_ns)
        said = [(r, as_value(_raw(r, params.value), tag)) for r in sent]
        times = [r.t for r, _ in said]
        within = longer(evidence, nanoseconds(params.within))
        waits: list[int | None] = []
        rows: list[Record] = []
        for start in _changes(truth, params.deadband, sent[0].t):
            if start + within > truth.end:
                break
            near = said[bisect_left(times, start) : bisect_left(times, start + max(_LOOK_NS, 2 * within))]
            found = next(
                (
                    r
                    for r, value in near
                    if value is not None and truth.latest_match(value, r.t, r.t - start, params.tolerance) is not None
                ),
                None,
            )
            waits.append(None if found is None else found.t - start)
            if found is not None and found.t - start > within:
                rows.append(found)
        if len(waits) < params.at_least:
            reason = tr(
                "Changes that could be judged: {n} of {least}.",
                "可判定的變化：{n} 次，需要 {least} 次。",
                "可判定的变化：{n} 次，需要 {least} 次。",
            ).format(n=len(waits), least=params.at_least)
            return failed(reason, expected=expected, actual=str(len(waits)), evidence=sent)
        soon = sum(wait is not None and wait <= within for wait in waits)
        known = sorted(wait for wait in waits if wait is not None)
        place = min(int(params.share * len(waits)), len(waits) - 1)
        reached = duration(known[place] / 1e9) if place < len(known) else "–"
        actual = tr(
            "{share} in time, {quantile} at {wanted}",
            "及時 {share}，{wanted} 分位 {quantile}",
            "及时 {share}，{wanted} 分位 {quantile}",
        ).format(share=percent(soon / len(waits)), quantile=reached, wanted=percent(params.share))
        if soon >= params.share * len(waits) - 1e-9:
            reason = tr(
                "Changes published in time: {n} of {all}.",
                "{all} 次變化中有 {n} 次及時發佈。",
                "{all} 次变化中有 {n} 次及时发布。",
            )
            return passed(reason.format(n=soon, all=len(waits)), expected=expected, actual=actual, evidence=sent)
        reason = tr(
            "Changes published in time: {n} of {all}; never: {never}.",
            "{all} 次變化中有 {n} 次及時發佈；從未發佈：{never} 次。",
            "{all} 次变化中有 {n} 次及时发布；从未发布：{never} 次。",
        ).format(n=soon, all=len(waits), never=sum(wait is None for wait in waits))
        return failed(reason, expected=expected, actual=actual, evidence=rows or sent)


def _changes(truth: Truth, deadband: Tolerance, start: int) -> list[int]:
    """When the tag changed by more than the deadband, from a moment on."""
    last: Value | None = None
    found = []
    for step in reversed(list(truth.steps())):
        if last is not None and not matches(step.value, last, deadband):
            if step.start >= start:
                found.append(step.start)
            last = step.value
        elif last is None:
            last = step.value
    return found
