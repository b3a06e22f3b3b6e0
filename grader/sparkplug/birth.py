"""Assertions of what a BIRTH holds (§5.4, §5.6, §6.4.6, §6.4.19, §6.4.20)."""

from __future__ import annotations

from collections.abc import Iterator

from grader.sparkplug.assertion import (
    BEFORE,
    HAS,
    IS,
    LACKS,
    MONITOR,
    SESSION,
    UNREADABLE,
    Result,
    asserts,
    breaks,
    doubtful,
    holds,
    judged,
)
from grader.sparkplug.story import Message, Story, definitions
from labsim.sparkplug.datatype import DataType
from labsim.sparkplug.payload import BD_SEQ, REBIRTH, Metric
from labsim.text import tr

_NUMBERS = range(256)
_NOT_ZERO = tr(
    "the seq of NBIRTH is {got}: chapter 4 wants 0, chapters 5 and 6 take 0 to 255.",
    "NBIRTH 的 seq 為 {got}：第 4 章要求 0，第 5、6 章允許 0 至 255。",
    "NBIRTH 的 seq 为 {got}：第 4 章要求 0，第 5、6 章允许 0 至 255。",
)
_PARTLY = tr(
    "{part} of {what} has no alias, others have one.",
    "{what} 的 {part} 沒有 alias，其他度量有。",
    "{what} 的 {part} 没有 alias，其他度量有。",
)
_ALIKE = tr(
    "{part} and {other} differ in case only.", "{part} 與 {other} 僅大小寫不同。", "{part} 与 {other} 仅大小写不同。"
)
_TWICE = tr(
    "{part} and {other} share the alias {got}.",
    "{part} 與 {other} 共用 alias {got}。",
    "{part} 与 {other} 共用 alias {got}。",
)
_LATE = tr(
    "{what} came after data: a device that joins late is one reading.",
    "{what} 在數據之後發佈：後來加入的設備可如此理解。",
    "{what} 在数据之后发布：后来加入的设备可如此理解。",
)


def label(metric: Metric) -> str:
    """How a metric is called in a sentence."""
    return metric.name if metric.name is not None else f"alias {metric.alias}" if metric.alias is not None else "?"


@asserts(SESSION, "message-flow-edge-node-birth-publish-nbirth-payload")
def _nbirth_readable(story: Story) -> Iterator[Result]:
    return _readable(story, "NBIRTH")


@asserts(SESSION, "message-flow-device-birth-publish-dbirth-payload")
def _dbirth_readable(story: Story) -> Iterator[Result]:
    return _readable(story, "DBIRTH")


def _readable(story: Story, kind: str) -> Iterator[Result]:
    for message in story.of(kind):
        if not message.cut:
            yield judged(message.record, message.payload is not None, UNREADABLE, what=message.name)


@asserts(SESSION, "payloads-sequence-num-req-nbirth", "message-flow-edge-node-birth-publish-nbirth-payload-seq")
@asserts(MONITOR, "payloads-nbirth-seq")
def _nbirth_seq(story: Story) -> Iterator[Result]:
    for message in story.of("NBIRTH"):
        if message.payload is not None:
            got = message.payload.seq
            if got is None:
                yield breaks(message.record, LACKS, what="NBIRTH", part="seq")
            else:
                yield judged(message.record, got in _NUMBERS, IS, what="NBIRTH", part="seq", got=got, want="0…255")


@asserts(SESSION, "topics-nbirth-seq-num")
def _nbirth_seq_is_zero(story: Story) -> Iterator[Result]:
    for message in story.of("NBIRTH"):
        if message.payload is None:
            continue
        got = message.payload.seq
        if got is None:
            yield breaks(message.record, LACKS, what="NBIRTH", part="seq")
        elif got in _NUMBERS:
            yield doubtful(message.record, _NOT_ZERO, got=got) if got else holds(message.record)
        else:
            yield breaks(message.record, IS, what="NBIRTH", part="seq", got=got, want="0…255")


@asserts(SESSION, "topics-nbirth-metrics")
def _nbirth_metrics(story: Story) -> Iterator[Result]:
    return _complete(story, "NBIRTH")


@asserts(SESSION, "topics-dbirth-metrics")
def _dbirth_metrics(story: Story) -> Iterator[Result]:
    return _complete(story, "DBIRTH")


def _complete(story: Story, kind: str) -> Iterator[Result]:
    for message, metric in every_metric(story, kind):
        lack = (
            "name" if metric.name is None else "datatype" if metric.datatype is None
            else "value" if metric.value is None and not metric.is_null else ""
        )  # fmt: skip
        yield judged(message.record, not lack, LACKS, what=f"{message.name}: {label(metric)}", part=lack)


@asserts(SESSION, "operational-behavior-data-publish-nbirth-values")
def _nbirth_values(story: Story) -> Iterator[Result]:
    return _values(story, "NBIRTH")


@asserts(SESSION, "operational-behavior-data-publish-dbirth-values")
def _dbirth_values(story: Story) -> Iterator[Result]:
    return _values(story, "DBIRTH")


def _values(story: Story, kind: str) -> Iterator[Result]:
    for message, metric in every_metric(story, kind):
        what = f"{message.name}: {label(metric)}"
        if metric.value is None and not metric.is_null:
            yield breaks(message.record, LACKS, what=what, part="value, is_null")
        else:
            yield judged(
                message.record, metric.value is None or not metric.is_null, HAS, what=what, part="value, is_null"
            )


@asserts(SESSION, "payloads-metric-datatype-req")
def _births_have_data_types(story: Story) -> Iterator[Result]:
    for message, metric in every_metric(story, "NBIRTH", "DBIRTH"):
        what = f"{message.name}: {label(metric)}"
        yield judged(message.record, metric.datatype is not None, LACKS, what=what, part="datatype")


@asserts(SESSION, "payloads-name-birth-data-requirement")
def _metrics_have_timestamps(story: Story) -> Iterator[Result]:
    for message, metric in every_metric(story):
        what = f"{message.name}: {label(metric)}"
        yield judged(message.record, metric.timestamp is not None, LACKS, what=what, part="timestamp")


@asserts(SESSION, "payloads-alias-uniqueness")
def _aliases_are_unique(story: Story) -> Iterator[Result]:
    taken: dict[int, tuple[str, str]] = {}
    for message in story.of("NBIRTH", "DBIRTH"):
        if message.topic.kind == "NBIRTH":
            taken = {}
        taken = {alias: owner for alias, owner in taken.items() if owner[0] != message.topic.device}
        for metric in message.metrics:
            if metric.alias is None:
                continue
            owner = taken.setdefault(metric.alias, (message.topic.device, label(metric)))
            mine = owner == (message.topic.device, label(metric))
            yield judged(message.record, mine, _TWICE, part=label(metric), other=owner[1], got=metric.alias)


@asserts(SESSION, "payloads-alias-birth-requirement")
def _births_have_names_and_aliases(story: Story) -> Iterator[Result]:
    used = any(metric.alias is not None for _, metric in every_metric(story, "NBIRTH", "DBIRTH"))
    for message, metric in every_metric(story, "NBIRTH", "DBIRTH"):
        if not used:
            continue
        if metric.name is None:
            yield breaks(message.record, LACKS, what=f"{message.name}: {label(metric)}", part="name")
        elif metric.alias is None and not _needs_no_alias(metric):
            yield doubtful(message.record, _PARTLY, what=message.name, part=metric.name)
        else:
            yield holds(message.record)


@asserts(SESSION, "case-sensitivity-metric-names")
def _names_differ_by_more_than_case(story: Story) -> Iterator[Result]:
    for message in story.of("NBIRTH", "DBIRTH"):
        seen: dict[str, str] = {}
        for metric in message.metrics:
            if metric.name is not None:
                other = seen.setdefault(metric.name.casefold(), metric.name)
                same = other == metric.name
                yield holds(message.record) if same else doubtful(message.record, _ALIKE, part=metric.name, other=other)


@asserts(SESSION, "topics-nbirth-rebirth-metric", "payloads-nbirth-rebirth-req")
def _rebirth_is_offered(story: Story) -> Iterator[Result]:
    for message, metric in _rebirths(story):
        if metric is None:
            yield breaks(message.record, LACKS, what="NBIRTH", part=REBIRTH)
        else:
            ok = metric.datatype == DataType.BOOLEAN and metric.value == ("boolean_value", False)
            got = f"{metric.datatype}, {metric.value[1] if metric.value else None}"
            yield judged(message.record, ok, IS, what="NBIRTH", part=REBIRTH, got=got, want="11, False")


@asserts(SESSION, "operational-behavior-data-commands-rebirth-name")
def _rebirth_has_its_name(story: Story) -> Iterator[Result]:
    for message, metric in _rebirths(story):
        yield judged(message.record, metric is not None, LACKS, what="NBIRTH", part=REBIRTH)


@asserts(SESSION, "operational-behavior-data-commands-rebirth-name-aliases")
def _rebirth_has_no_alias(story: Story) -> Iterator[Result]:
    for message, metric in _rebirths(story):
        if metric is not None:
            yield judged(message.record, metric.alias is None, HAS, what=REBIRTH, part="alias")


@asserts(SESSION, "operational-behavior-data-commands-rebirth-datatype")
def _rebirth_is_boolean(story: Story) -> Iterator[Result]:
    for message, metric in _rebirths(story):
        if metric is not None:
            want = int(DataType.BOOLEAN)
            yield judged(message.record, metric.datatype == want, IS, what=REBIRTH, part="datatype",
                         got=metric.datatype, want=want)  # fmt: skip


@asserts(SESSION, "operational-behavior-data-commands-rebirth-value")
def _rebirth_is_false(story: Story) -> Iterator[Result]:
    for message, metric in _rebirths(story):
        if metric is not None:
            got = metric.value[1] if metric.value else None
            yield judged(
                message.record, not got and got is not None, IS, what=REBIRTH, part="value", got=got, want=False
            )


def _rebirths(story: Story) -> Iterator[tuple[Message, Metric | None]]:
    return ((m, m.payload.get(REBIRTH)) for m in story.of("NBIRTH") if m.payload is not None)


@asserts(SESSION, "message-flow-device-birth-publish-nbirth-wait")
def _device_waits_for_node(story: Story) -> Iterator[Result]:
    for message in story.of("DBIRTH"):
        born = any(
            m.topic.kind == "NBIRTH" and m.record.seq < message.record.seq for m in message.session.messages
        )  # fmt: skip
        yield judged(message.record, born, BEFORE, what=message.name, other="NBIRTH")


@asserts(SESSION, "message-flow-device-birth-publish-dbirth-match-edge-node-topic")
def _device_is_of_the_node(story: Story) -> Iterator[Result]:
    """A DBIRTH for another node that this session has not brought to life."""
    yield from (holds(message.record) for message in story.of("DBIRTH"))
    for session in story.sessions:
        born = {r.subject.split("/NBIRTH/")[-1] for r in session.published() if "/NBIRTH/" in r.subject}
        for record in session.published():
            levels = record.subject.split("/")
            if len(levels) != 5 or levels[2] != "DBIRTH" or levels[3] in born or not session.born:
                continue
            got, want = f"{levels[1]}/{levels[3]}", f"{story.group}/{story.edge}"
            if got != want:
                yield breaks(record, IS, what="DBIRTH", part="group/edge", got=got, want=want)


@asserts(SESSION, "payloads-dbirth-order")
def _devices_follow_at_once(story: Story) -> Iterator[Result]:
    data, died = False, set[str]()
    for message in story.of("NBIRTH", "DBIRTH", "NDATA", "DDATA", "DDEATH"):
        kind, device = message.topic.kind, message.topic.device
        if kind == "NBIRTH":
            data, died = False, set()
        elif message.is_data:
            data = True
        elif kind == "DDEATH":
            died.add(device)
        elif not data or device in died:
            yield holds(message.record)
        else:
            yield doubtful(message.record, _LATE, what=message.name)


def every_metric(story: Story, *kinds: str) -> Iterator[tuple[Message, Metric]]:
    """Each metric of the node's messages of these kinds; without any, of births and data."""
    kinds = kinds or ("NBIRTH", "DBIRTH", "NDATA", "DDATA")
    return ((message, metric) for message in story.of(*kinds) for metric in message.metrics)


def _needs_no_alias(metric: Metric) -> bool:
    """What no DATA message repeats: bdSeq, node controls, template definitions."""
    name = metric.name or ""
    return name == BD_SEQ or name.startswith("Node Control/") or bool(definitions([metric]))
