"""Assertions that each kind of message has alike: topic, QoS, retain, timestamp, seq; and what a DATA message holds."""

from __future__ import annotations

from collections.abc import Iterator

from grader.sparkplug.assertion import (
    COMPLEX,
    DATA,
    ENDING,
    HAS,
    IS,
    LACKS,
    MONITOR,
    SESSION,
    UNBORN,
    UNREADABLE,
    Result,
    asserts,
    breaks,
    doubtful,
    holds,
    judged,
)
from grader.sparkplug.birth import every_metric, label
from grader.sparkplug.story import Message, Story
from labsim.evidence.event import Record
from labsim.sparkplug.payload import Metric
from labsim.text import tr

_NEAR_MS = 600_000
"""How far a clock may be off before its times are no UTC: less than the smallest offset of a time zone."""
_EARLIEST_MS = 946_684_800_000
"""2000-01-01, before which no plant was measured in milliseconds."""
_BOTH = tr(
    "{part} in {what} has a name beside its alias.",
    "{what} 中的 {part} 除 alias 外還帶有名稱。",
    "{what} 中的 {part} 除 alias 外还带有名称。",
)
_BY_NAME = tr(
    "{part} in {what} goes by its name, though it has an alias.",
    "{what} 中的 {part} 已有 alias，仍以名稱發送。",
    "{what} 中的 {part} 已有 alias，仍以名称发送。",
)
_EXTRA = tr(
    "{part} in {what} repeats its datatype.",
    "{what} 中的 {part} 重複了 datatype。",
    "{what} 中的 {part} 重复了 datatype。",
)
_NOT_UTC = tr(
    "the timestamp of {what} is {off} away from UTC.",
    "{what} 的時間戳與 UTC 相差 {off}。",
    "{what} 的时间戳与 UTC 相差 {off}。",
)
_UNCHANGED = tr("{part} in {what} has not changed.", "{what} 中的 {part} 沒有變化。", "{what} 中的 {part} 没有变化。")
_SETS = {"NBIRTH": SESSION, "DBIRTH": SESSION, "NDATA": DATA, "DDATA": DATA, "DDEATH": ENDING}
_FLOW = {
    "NBIRTH": "message-flow-edge-node-birth-publish-nbirth",
    "DBIRTH": "message-flow-device-birth-publish-dbirth",
}


def _alike(kind: str) -> None:
    """Enter the assertions that a kind of message has like all others."""
    name, of = kind.lower(), _SETS[kind]
    flow = _FLOW.get(kind)

    def ids(*own: str, also: str) -> list[str]:
        return [*own, *([f"{flow}-{also}"] if flow else [])]

    asserts(of, *ids(f"topics-{name}-topic", also="topic"))(lambda story: (holds(m.record) for m in story.of(kind)))
    asserts(of, f"topics-{name}-mqtt")(lambda story: (_mqtt(m) for m in story.of(kind)))
    if kind == "DDEATH":
        asserts(of, "payloads-ddeath-timestamp")(lambda story: _timestamps(story, kind))
        return
    asserts(of, *ids(f"payloads-{name}-qos", also="qos"))(lambda story: (_qos(m) for m in story.of(kind)))
    asserts(of, *ids(f"payloads-{name}-retain", also="retained"))(lambda story: (_retain(m) for m in story.of(kind)))
    asserts(of, f"topics-{name}-timestamp", f"payloads-{name}-timestamp")(lambda story: _timestamps(story, kind))


for _kind in _SETS:
    _alike(_kind)


def _mqtt(message: Message) -> Result:
    result = _qos(message)
    return result if not result.ok else _retain(message)


def _qos(message: Message) -> Result:
    got = message.record.detail.get("qos", 0)
    return judged(message.record, got == 0, IS, what=message.name, part="QoS", got=got, want=0)


def _retain(message: Message) -> Result:
    return judged(message.record, not message.record.detail.get("retain"), HAS, what=message.name, part="retain")


def _timestamps(story: Story, kind: str) -> Iterator[Result]:
    for message in story.of(kind):
        if message.payload is not None:
            there = message.payload.timestamp is not None
            yield judged(message.record, there, LACKS, what=message.name, part="timestamp")


@asserts(COMPLEX, "payloads-sequence-num-always-included")
def _always_numbered(story: Story) -> Iterator[Result]:
    for message in story.messages:
        if message.topic.kind != "NDEATH" and message.payload is not None:
            yield judged(message.record, message.payload.seq is not None, LACKS, what=message.name, part="seq")


@asserts(DATA, "topics-ndata-payload")
def _ndata_readable(story: Story) -> Iterator[Result]:
    return _readable(story, "NDATA")


@asserts(DATA, "topics-ddata-payload")
def _ddata_readable(story: Story) -> Iterator[Result]:
    return _readable(story, "DDATA")


def _readable(story: Story, kind: str) -> Iterator[Result]:
    for message in story.of(kind):
        if message.payload is None:
            if not message.cut:
                yield breaks(message.record, UNREADABLE, what=message.name)
        else:
            yield judged(message.record, bool(message.metrics), LACKS, what=message.name, part="metrics")


@asserts(MONITOR, "topics-nbirth-metric-reqs", "operational-behavior-data-publish-nbirth")
def _nbirth_has_all(story: Story) -> Iterator[Result]:
    return _born(story, "NDATA")


@asserts(MONITOR, "topics-dbirth-metric-reqs", "operational-behavior-data-publish-dbirth")
def _dbirth_has_all(story: Story) -> Iterator[Result]:
    return _born(story, "DDATA")


def _born(story: Story, kind: str) -> Iterator[Result]:
    for message in story.of(kind):
        for metric in message.metrics:
            if message.birth is not None and (metric.name is not None or metric.alias is not None):
                known = message.birth.find(metric) is not None
                yield judged(message.record, known, UNBORN, what=message.name, part=label(metric))


@asserts(COMPLEX, "payloads-name-requirement")
def _metrics_are_named(story: Story) -> Iterator[Result]:
    for message in (m for m in story.messages if m.topic.kind != "NDEATH"):
        for metric in message.metrics:
            named = metric.name is not None or metric.alias is not None
            yield judged(message.record, named, LACKS, what=f"{message.name}: {label(metric)}", part="name, alias")


@asserts(COMPLEX, "payloads-alias-data-cmd-requirement")
def _data_goes_by_alias(story: Story) -> Iterator[Result]:
    for message, metric, known in _data(story):
        if metric.alias is not None and metric.name is not None:
            yield doubtful(message.record, _BOTH, what=message.name, part=metric.name)
        elif metric.alias is not None:
            yield holds(message.record)
        elif known is not None and known.alias is not None:
            yield doubtful(message.record, _BY_NAME, what=message.name, part=label(metric))


@asserts(COMPLEX, "payloads-metric-datatype-not-req")
def _data_leaves_types_out(story: Story) -> Iterator[Result]:
    for message, metric, _ in _data(story):
        if metric.datatype is None:
            yield holds(message.record)
        else:
            yield doubtful(message.record, _EXTRA, what=message.name, part=label(metric))


@asserts(MONITOR, "payloads-timestamp-in-UTC")
def _payload_times_are_utc(story: Story) -> Iterator[Result]:
    for message in (m for m in story.messages if m.topic.kind != "NDEATH"):
        if message.payload is not None and message.payload.timestamp is not None:
            off = _off_ms(story, message.record, message.payload.timestamp)
            yield judged(message.record, abs(off) <= _NEAR_MS, _NOT_UTC, what=message.name, off=_length(off))


@asserts(DATA, "payloads-metric-timestamp-in-UTC")
def _metric_times_are_utc(story: Story) -> Iterator[Result]:
    """A value may be old, so only times to come and times before there were plants are wrong for sure."""
    for message, metric in every_metric(story):
        if metric.timestamp is not None:
            off = _off_ms(story, message.record, metric.timestamp)
            ok = off <= _NEAR_MS and metric.timestamp >= _EARLIEST_MS
            what = f"{message.name}: {label(metric)}"
            yield judged(message.record, ok, _NOT_UTC, what=what, off=_length(off))


def _off_ms(story: Story, record: Record, ms: int) -> int:
    """How far a time is from when the message came, by the wall or by the plant's clock, whichever is nearer."""
    moments = (record.w // 1_000_000, (story.origin_ns + record.t) // 1_000_000)
    return min((ms - moment for moment in moments), key=abs)


def _length(ms: int) -> str:
    hours = ms / 3_600_000
    return f"{hours:+.2f} h" if abs(hours) < 1000 else f"{hours / 8766:+.0f} a"


@asserts(MONITOR, "operational-behavior-data-publish-nbirth-change")
def _ndata_is_news(story: Story) -> Iterator[Result]:
    return _news(story, "NBIRTH", "NDATA")


@asserts(MONITOR, "operational-behavior-data-publish-dbirth-change")
def _ddata_is_news(story: Story) -> Iterator[Result]:
    return _news(story, "DBIRTH", "DDATA")


@asserts(MONITOR, "principles-rbe-recommended")
def _all_data_is_news(story: Story) -> Iterator[Result]:
    return _news(story, "NBIRTH", "DBIRTH", "NDATA", "DDATA")


def _news(story: Story, *kinds: str) -> Iterator[Result]:
    """Data that says what was said before is only advised against."""
    said: dict[tuple[str, str], object] = {}
    for message in story.of(*kinds):
        for metric in message.metrics:
            known = message.birth.find(metric) if message.birth is not None else None
            if known is None or known.name is None:
                continue
            key, now = (message.topic.device, known.name), repr((metric.value, metric.is_null))
            before, said[key] = said.get(key), now
            if message.is_data and not metric.is_historical and metric.properties is None:
                same = before == now
                yield (
                    doubtful(message.record, _UNCHANGED, what=message.name, part=known.name)
                    if same
                    else holds(message.record)
                )


def _data(story: Story) -> Iterator[tuple[Message, Metric, Metric | None]]:
    """Each metric of each DATA message, and what its BIRTH said of it."""
    for message in story.of("NDATA", "DDATA"):
        for metric in message.metrics:
            yield message, metric, message.birth.find(metric) if message.birth is not None else None
