"""The check of what a client publishes over MQTT, whatever it is worth."""

from __future__ import annotations

import re
from functools import partial
from itertools import pairwise
from statistics import median
from typing import Annotated, Literal

from pydantic import Field, model_validator

from grader.check import Check, Params, Share
from grader.jitter import widened
from grader.outcome import Outcome, failed, passed
from grader.pattern import Regex
from grader.pattern import fits as matches
from grader.payload import MISSING, NOT_JSON, decode, find, text_of, topic_matches
from grader.schema import JsonSchema, Validate, compile_schema
from grader.topic import TopicFilter
from grader.window import best_window, nanoseconds
from grader.words import clock, duration, fill, listed, margin, names, number
from labsim.evidence.event import PLANT, Record
from labsim.evidence.evidence import Evidence
from labsim.evidence.rows import Rows, merged
from labsim.quantity import Duration, Tolerance, ToleranceField
from labsim.text import Text, tr

NO_JSON = tr("it is not JSON", "不是 JSON", "不是 JSON")
NOT_TEXT = tr("it is not text", "不是文本", "不是文本")
_SCHEMA = tr("schema: {lack}", "結構：{lack}", "结构：{lack}")
_LACKS = tr("it has no '{key}'", "缺少 {key}", "缺少 {key}")
_NO_NUMBER = tr("it is not a number alone", "不是單獨的數字", "不是单独的数字")
_NO_FIT = tr("the text is not as asked", "文本不符合要求", "文本不符合要求")
_NUMBER = re.compile(r"\s*[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?\s*", re.ASCII)
CUT = tr("it is too long to be judged", "過長，無法判定", "过长，无法判定")


class PublishedParams(Params):
    """Parameters of `Published`."""

    topic: TopicFilter = Field(description="A topic, or a topic filter with `+` and `#`.")
    qos: Annotated[int, Field(ge=0, le=2)] | None = Field(None, description="The quality of service.")
    retain: bool | None = Field(None, description="Whether the retain flag is set.")
    at_least: Annotated[int, Field(ge=1)] = Field(1, description="How many messages must be so, over all topics.")
    format: Literal["any", "text", "number", "json"] = Field(
        "any", description="What the payload has to be; a `number` stands alone, as `21.5`."
    )
    pattern: Regex | None = Field(
        None, description="A regular expression that the whole payload must match; implies `text`."
    )
    keys: tuple[str, ...] = Field(
        (), description="Parts a JSON payload must have, as dotted paths (`value`, `meta.unit`); implies `json`."
    )
    every_topic: tuple[str, ...] = Field(
        (), description="Topics that must each be among them; they have to lie below `topic`."
    )
    schema_: JsonSchema | None = Field(
        None, alias="schema", description="A JSON Schema (draft 2020-12) that each payload must fit; implies `json`."
    )
    every: Duration | None = Field(None, description="The period at which messages must follow each other on a topic.")
    within: ToleranceField = Field(
        Tolerance(relative=0.2), description="How far a period may be off: a percentage of `every`, or seconds."
    )
    lasting: Duration = Field(60.0, alias="for", description="The length of the window that is judged for `every`.")
    share: Share = Field(0.95, description="The share of that window that regular messages must fill.")

    @model_validator(mode="after")
    def _sane(self) -> PublishedParams:
        if self.every is not None and not 0 < self.every <= self.lasting:
            raise ValueError("'every' is over 0 and 'for' is at least as long")
        return self


class Published(Check[PublishedParams]):
    """A client publishes messages on a topic, with the flags and the shape that are asked for.

    What the plant publishes by itself never counts. Whether the values are right is what `mqtt.matches-truth` judges. With
    `every`, messages that fit must also follow each other at that period on each topic (of `every_topic`, if given): in the
    best window of length `for`, periods within the tolerance must fill `share` of the time. All times are plant time.

    Example::

        mqtt.published: {topic: site1/dock/+/door, qos: 1, retain: true, keys: [value, time], at_least: 3, marks: 2}

    Example::

        mqtt.published: {topic: site1/dock1/state, pattern: 'open|closed', retain: true, marks: 1}

    Example::

        mqtt.published:
          topic: site1/meter1
          every: 1 s
          for: 2 min
          schema:
            type: object
            required: [value, time]
            properties: {value: {type: number}, time: {type: string}}
            additionalProperties: false
          marks: 3
    """

    name = "mqtt.published"
    sentence = tr("Messages are published on {p.topic}", "在 {p.topic} 上發佈消息", "在 {p.topic} 上发布消息")
    Params = PublishedParams

    def judge(self, evidence: Evidence, params: PublishedParams) -> Outcome:
        """Count the messages that have everything; else say what the others lacked."""
        sent = by_clients(evidence, params.topic)
        fits = compile_schema(params.schema_) if params.schema_ is not None else None
        faults = _all_faults(sent, params, fits)
        right = [r for r in sent if r.seq not in faults] if faults else sent
        expected, actual = _asked(params), str(len(right))
        met = {r.subject for r in right} if params.every_topic else set()
        lacking = [topic for topic in params.every_topic if topic not in met]
        if len(right) >= params.at_least and not lacking:
            uneven = _uneven(evidence, params, right, expected)
            if uneven is not None:
                return uneven
            reason = tr(
                "Messages that fit: {n}, the first at {time}.",
                "{n} 條消息符合，第一條在 {time}。",
                "{n} 条消息符合，第一条在 {time}。",
            )
            return passed(
                reason.format(n=len(right), time=clock(evidence, right[0].t)),
                expected=expected,
                actual=actual,
                evidence=right,
            )
        if not sent:
            return nothing_published(evidence, params.topic, expected)
        bad = [r for r in sent if r.seq in faults]
        if bad:
            last = bad[-1]
            reason = fill(
                tr(
                    "{n} of {all} messages on {topic} fit; the one at {time} does not: {faults}.",
                    "{topic} 上的 {all} 條消息中有 {n} 條符合；{time} 的一條不符合：{faults}。",
                    "{topic} 上的 {all} 条消息中有 {n} 条符合；{time} 的一条不符合：{faults}。",
                ),
                n=len(right),
                all=len(sent),
                topic=params.topic,
                time=clock(evidence, last.t),
                faults=listed(faults[last.seq]),
            )
            shown = f"{last.subject}: {number(text_of(last) if text_of(last) is not None else 'binary')}"
            return failed(reason, expected=expected, actual=f"{shown}, {_flags(last)}", evidence=[*right[:5], *bad])
        if lacking:
            reason = tr("No message on {topics} fits.", "{topics} 上沒有符合的消息。", "{topics} 上没有符合的消息。")
            return failed(reason.format(topics=names(lacking)), expected=expected, actual=actual, evidence=right)
        reason = tr(
            "Messages that fit: {n} of {least}.",
            "{n} 條消息符合；需要 {least} 條。",
            "{n} 条消息符合；需要 {least} 条。",
        )
        return failed(
            reason.format(n=len(right), least=params.at_least), expected=expected, actual=actual, evidence=right
        )


def by_clients(evidence: Evidence, pattern: str) -> Rows:
    """Accepted publishes on matching topics that a client sent: not the plant's, not a will, no QoS 2 message twice."""
    topics = [topic for topic in evidence.of("mqtt", "publish").by_subject if topic_matches(pattern, topic)]
    return merged(evidence.memo(("by-clients", topic), partial(_sent, evidence, topic)) for topic in topics)


def _sent(evidence: Evidence, topic: str) -> Rows:
    return Rows(
        record
        for record in evidence.of("mqtt", "publish").by_subject[topic]
        if record.app != PLANT
        and record.status == 0
        and not record.detail.get("repeat")
        and not record.detail.get("will")
    )


def nothing_published(evidence: Evidence, pattern: str, expected: Text | str | None) -> Outcome:
    """Nothing came on the topic: say where messages did come, since a slip in the topic is the usual reason."""
    other = by_clients(evidence, "#")
    denied = [r for r in evidence.of("mqtt", "deny") if topic_matches(pattern, r.subject)]
    if denied:
        reason = tr(
            "Messages on {topic} refused by the broker: {n}.",
            "消息代理拒絕了 {topic} 上的 {n} 條消息。",
            "消息代理拒绝了 {topic} 上的 {n} 条消息。",
        )
        return failed(reason.format(n=len(denied), topic=pattern), expected=expected, evidence=denied)
    if other:
        topics = list(dict.fromkeys(r.subject for r in other))
        reason = tr(
            "No client published on {topic}; messages on other topics: {n}.",
            "沒有客戶端在 {topic} 上發佈；有 {n} 條消息發往其他主題。",
            "没有客户端在 {topic} 上发布；有 {n} 条消息发往其他主题。",
        )
        advice = tr(
            "Topics are compared letter by letter, a leading slash included.",
            "主題逐字比較，包括開頭的斜線。",
            "主题逐字比较，包括开头的斜线。",
        )
        return failed(
            reason.format(topic=pattern, n=len(other)),
            expected=expected,
            actual=names(topics),
            evidence=other,
            help=advice,
        )
    reason = tr("No client published on {topic}.", "沒有客戶端在 {topic} 上發佈。", "没有客户端在 {topic} 上发布。")
    return failed(reason.format(topic=pattern), expected=expected)


def _uneven(evidence: Evidence, params: PublishedParams, right: list[Record], expected: str) -> Outcome | None:
    """The topic on which messages did not follow each other at the period that is asked for, if there is one."""
    every = params.every
    if every is None:
        return None
    length, within = nanoseconds(params.lasting), widened(evidence, params.within, every)
    by_topic: dict[str, list[Record]] = {topic: [] for topic in params.every_topic}
    for record in right:
        if not params.every_topic or record.subject in by_topic:
            by_topic.setdefault(record.subject, []).append(record)
    for topic, sent in by_topic.items():
        pairs = list(pairwise(r.t for r in sent))
        best = best_window([(a, b) for a, b in pairs if within.allows((b - a) / 1e9, every)], length)
        if best.good_ns >= params.share * length:
            continue
        reason = tr(
            "On {topic} messages came every {every} for {good} of {lasting} only.",
            "{topic} 上的消息在 {lasting} 中僅有 {good} 以每 {every} 一條的間隔到達。",
            "{topic} 上的消息在 {lasting} 中仅有 {good} 以每 {every} 一条的间隔到达。",
        ).format(
            topic=topic, every=duration(every), good=duration(best.good_ns / 1e9), lasting=duration(params.lasting)
        )
        if not pairs:
            return failed(reason, expected=expected, actual=f"{len(sent)}", evidence=sent)
        middle = tr("median period {median}", "週期中位數 {median}", "周期中位数 {median}")
        actual = middle.format(median=duration(median(b - a for a, b in pairs) / 1e9))
        return failed(reason, expected=expected, actual=actual, evidence=sent)
    return None


def _all_faults(sent: list[Record], params: PublishedParams, fits: Validate | None) -> dict[int, list[Text | str]]:
    """What messages lack, by their number; those that lack nothing are left out."""
    if params.qos is None and params.retain is None and not _asks_of_payload(params):
        return {}
    return {r.seq: faults for r in sent if (faults := _faults(r, params, fits))}


def _asks_of_payload(params: PublishedParams) -> bool:
    return params.format != "any" or bool(params.keys) or params.schema_ is not None or params.pattern is not None


def _faults(record: Record, params: PublishedParams, fits: Validate | None) -> list[Text | str]:
    faults: list[Text | str] = []
    if params.qos is not None and record.detail.get("qos", 0) != params.qos:
        faults.append(f"QoS {record.detail.get('qos', 0)}")
    if params.retain is not None and bool(record.detail.get("retain")) != params.retain:
        faults.append(f"retain {number(bool(record.detail.get('retain')))}")
    if not _asks_of_payload(params):
        return faults
    text = text_of(record)
    if text is None:
        return [*faults, NOT_TEXT]
    if record.detail.get("cut") and (params.format != "text" or params.pattern is not None):
        return [*faults, CUT]
    if params.pattern is not None and not matches(params.pattern, text):
        faults.append(_NO_FIT)
    if params.format == "number" and not _NUMBER.fullmatch(text):
        faults.append(_NO_NUMBER)
    if params.format == "json" or params.keys or fits is not None:
        data = decode(text)
        if data is NOT_JSON:
            return [*faults, NO_JSON]
        faults += [_LACKS.format(key=key) for key in params.keys if find(data, key) is MISSING]
        if fits is not None and (lack := fits(data)):
            faults.append(_SCHEMA.format(lack=lack))
    return faults


def _asked(params: PublishedParams) -> str:
    parts = [
        f"≥ {params.at_least}",
        f"QoS {params.qos}" if params.qos is not None else "",
        f"retain {number(params.retain)}" if params.retain is not None else "",
        f"JSON {names(params.keys)}" if params.keys else "" if params.format == "any" else params.format,
        "JSON Schema" if params.schema_ is not None else "",
        params.pattern or "",
        "" if params.every is None else f"{duration(params.every)} {margin(params.within, 's')}",
    ]
    return ", ".join(part.strip() for part in parts if part)


def _flags(record: Record) -> str:
    return f"QoS {record.detail.get('qos', 0)}, retain {number(bool(record.detail.get('retain')))}"
