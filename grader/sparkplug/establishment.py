"""Assertions of how a session begins: CONNECT and its will, bdSeq, subscriptions, the first message (§5.4)."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

from grader.payload import topic_matches
from grader.sparkplug.assertion import (
    BEFORE,
    HAS,
    IS,
    LACKS,
    SESSION,
    UNREADABLE,
    WITHOUT,
    Result,
    asserts,
    breaks,
    doubtful,
    holds,
    judged,
)
from grader.sparkplug.story import Session, Story
from labsim.evidence.event import Record
from labsim.sparkplug.datatype import DataType
from labsim.sparkplug.payload import BD_SEQ, Payload
from labsim.sparkplug.topic import Topic
from labsim.text import tr

_NUMBERS = 256
_FAR = 16
"""CONNECTs that may have been lost on the way before one that arrived."""
_SAME = tr("{what} has the bdSeq {got} again.", "{what} 的 bdSeq 又是 {got}。", "{what} 的 bdSeq 又是 {got}。")
_JUMP = tr(
    "the bdSeq of {what} goes from {before} to {got}.",
    "{what} 的 bdSeq 由 {before} 變為 {got}。",
    "{what} 的 bdSeq 由 {before} 变为 {got}。",
)
_FIRST = tr(
    "the first bdSeq is {got}: chapter 4 begins at 0, chapter 5 with any.",
    "首個 bdSeq 為 {got}：第 4 章要求從 0 開始，第 5 章不限。",
    "首个 bdSeq 为 {got}：第 4 章要求从 0 开始，第 5 章不限。",
)
_UNSIGNED = tr(
    "{what} has bdSeq as UInt64, as before the erratum of 3.0; it is Int64.",
    "{what} 的 bdSeq 為 UInt64（3.0 勘誤之前的寫法），應為 Int64。",
    "{what} 的 bdSeq 为 UInt64（3.0 勘误之前的写法），应为 Int64。",
)
_WIDE = tr(
    "the filter {got} takes in {want}, but is not it.",
    "過濾器 {got} 包含 {want}，但並非同一主題。",
    "过滤器 {got} 包含 {want}，但并非同一主题。",
)
_CONNECT, _WILL = "CONNECT", "the will"


def _connects(story: Story) -> Iterator[tuple[Session, Record]]:
    return ((session, session.connect) for session in story.sessions if session.connect is not None)


def _wills(story: Story) -> Iterator[tuple[Session, Record, dict[str, object]]]:
    for session, connect in _connects(story):
        will = connect.detail.get("will")
        if isinstance(will, dict):
            yield session, connect, will


@asserts(SESSION, "principles-persistence-clean-session-311")
def _clean_session(story: Story) -> Iterator[Result]:
    for session, connect in _connects(story):
        if session.level == 4:
            yield judged(connect, bool(connect.detail.get("clean")), LACKS, what=_CONNECT, part="Clean Session")


@asserts(SESSION, "principles-persistence-clean-session-50")
def _clean_start(story: Story) -> Iterator[Result]:
    for session, connect in _connects(story):
        if session.level == 5:
            properties = connect.detail.get("properties") or {}
            expiry = properties.get("session_expiry", 0)
            if not connect.detail.get("clean"):
                yield breaks(connect, LACKS, what=_CONNECT, part="Clean Start")
            else:
                yield judged(connect, not expiry, IS, what=_CONNECT, part="Session Expiry Interval", got=expiry, want=0)


@asserts(SESSION, "message-flow-edge-node-birth-publish-connect")
def _connected(story: Story) -> Iterator[Result]:
    for message in story.of("NBIRTH", "DBIRTH"):
        yield judged(message.record, message.session.connect is not None, WITHOUT, what=message.name, other=_CONNECT)


@asserts(SESSION, "message-flow-edge-node-birth-publish-will-message", "payloads-ndeath-will-message")
def _has_will(story: Story) -> Iterator[Result]:
    for _, connect in _connects(story):
        yield judged(connect, isinstance(connect.detail.get("will"), dict), LACKS, what=_CONNECT, part="will")


@asserts(SESSION, "message-flow-edge-node-birth-publish-will-message-topic")
def _will_topic(story: Story) -> Iterator[Result]:
    want = str(Topic(story.group, "NDEATH", story.edge))
    for _, connect, will in _wills(story):
        yield judged(connect, will.get("topic") == want, IS, what=_WILL, part="topic", got=will.get("topic"), want=want)


@asserts(SESSION, "message-flow-edge-node-birth-publish-will-message-payload")
def _will_payload(story: Story) -> Iterator[Result]:
    for session, connect, will in _wills(story):
        if not will.get("cut"):
            yield judged(connect, session.will is not None, UNREADABLE, what=_WILL)


@asserts(SESSION, "message-flow-edge-node-birth-publish-will-message-qos", "payloads-ndeath-will-message-qos")
def _will_qos(story: Story) -> Iterator[Result]:
    for _, connect, will in _wills(story):
        yield judged(connect, will.get("qos") == 1, IS, what=_WILL, part="QoS", got=will.get("qos"), want=1)


@asserts(
    SESSION, "message-flow-edge-node-birth-publish-will-message-will-retained", "payloads-ndeath-will-message-retain"
)
def _will_retain(story: Story) -> Iterator[Result]:
    for _, connect, will in _wills(story):
        yield judged(connect, not will.get("retain"), HAS, what=_WILL, part="retain")


@asserts(SESSION, "topics-ndeath-payload")
def _death_holds_bd_seq_alone(story: Story) -> Iterator[Result]:
    for record, what, payload in _deaths(story):
        names = [metric.name for metric in payload.metrics]
        if BD_SEQ not in names:
            yield breaks(record, LACKS, what=what, part=BD_SEQ)
        else:
            others = ", ".join(str(name) for name in names if name != BD_SEQ)
            yield judged(record, names == [BD_SEQ], HAS, what=what, part=others or f"{BD_SEQ} × {len(names)}")


@asserts(SESSION, "topics-ndeath-seq", "payloads-ndeath-seq")
def _death_has_no_seq(story: Story) -> Iterator[Result]:
    for record, what, payload in _deaths(story):
        yield judged(record, payload.seq is None, HAS, what=what, part="seq")


def _deaths(story: Story) -> Iterator[tuple[Record, str, Payload]]:
    """The payloads of wills, and of deaths that were published on purpose."""
    for session, connect, _ in _wills(story):
        if session.will is not None:
            yield connect, _WILL, session.will
    for message in story.of("NDEATH"):
        if message.payload is not None:
            yield message.record, "NDEATH", message.payload


def bd_seq_of(payload: Payload | None) -> int | None:
    """The bdSeq of a birth or a death; None where there is none that can be read."""
    metric = payload.get(BD_SEQ) if payload is not None else None
    try:
        found = metric.worth() if metric is not None else None
    except ValueError:
        return None
    return found if isinstance(found, int) else None


def _bd_seqs(story: Story) -> Iterator[tuple[Session, Record, Payload, int | None]]:
    for session, connect, _ in _wills(story):
        if session.will is not None:
            yield session, connect, session.will, bd_seq_of(session.will)


@asserts(
    SESSION,
    "topics-nbirth-bdseq-increment",
    "message-flow-edge-node-birth-publish-will-message-payload-bdSeq",
)  # fmt: skip
def _bd_seq_increments(story: Story) -> Iterator[Result]:
    """Counted by client id; by all CONNECTs of the node together when it has another one each time."""
    told = list(_bd_seqs(story))
    apps = {session.app for session, *_ in told}
    counted: dict[str, list[tuple[Record, int]]] = {}
    for session, connect, payload, number in told:
        metric = payload.get(BD_SEQ)
        if metric is None or number is None:
            yield breaks(connect, LACKS, what=_WILL, part=f"{BD_SEQ} (Int64)")
        elif metric.datatype == DataType.UINT64:
            yield doubtful(connect, _UNSIGNED, what=_WILL)
        elif metric.datatype != DataType.INT64:
            want = int(DataType.INT64)
            yield breaks(connect, IS, what=BD_SEQ, part="datatype", got=metric.datatype, want=want)
        else:
            ok = 0 <= number < _NUMBERS
            yield judged(connect, ok, IS, what=_WILL, part=BD_SEQ, got=number, want="0…255")
        if number is not None:
            counted.setdefault(session.app if len(apps) < len(told) else "", []).append((connect, number))
    for numbers in counted.values():
        yield from _increments(numbers)


def _increments(numbers: list[tuple[Record, int]]) -> Iterator[Result]:
    if numbers[0][1]:
        yield doubtful(numbers[0][0], _FIRST, got=numbers[0][1])
    for (_, before), (connect, number) in pairwise(numbers):
        ahead = (number - before) % _NUMBERS
        if ahead == 1:
            yield holds(connect)
        elif ahead == 0:
            yield breaks(connect, _SAME, what=_CONNECT, got=number)
        elif ahead <= _FAR or not number:  # some were lost on the way, or a node that was restarted counts from 0
            yield doubtful(connect, _JUMP, what=_CONNECT, before=before, got=number)
        else:
            yield breaks(connect, _JUMP, what=_CONNECT, before=before, got=number)


@asserts(SESSION, "topics-nbirth-bdseq-included", "payloads-nbirth-bdseq")
def _birth_has_bd_seq(story: Story) -> Iterator[Result]:
    for message in story.of("NBIRTH"):
        if message.payload is not None:
            yield judged(message.record, message.payload.get(BD_SEQ) is not None, LACKS, what="NBIRTH", part=BD_SEQ)


@asserts(SESSION, "message-flow-edge-node-birth-publish-nbirth-payload-bdSeq")
def _bd_seq_is_int64(story: Story) -> Iterator[Result]:
    for message in story.of("NBIRTH"):
        metric = message.payload.get(BD_SEQ) if message.payload is not None else None
        if metric is not None and metric.datatype == DataType.UINT64:
            yield doubtful(message.record, _UNSIGNED, what="NBIRTH")
        elif metric is not None:
            yield judged(message.record, metric.datatype == DataType.INT64, IS, what=BD_SEQ, part="datatype",
                         got=metric.datatype, want=int(DataType.INT64))  # fmt: skip


@asserts(SESSION, "topics-nbirth-bdseq-matching", "payloads-nbirth-bdseq-repeat", "payloads-ndeath-bdseq")
def _bd_seq_pairs(story: Story) -> Iterator[Result]:
    for message in story.of("NBIRTH", "NDEATH"):
        want, got = bd_seq_of(message.session.will), bd_seq_of(message.payload)
        if want is not None and got is not None:
            yield judged(message.record, got == want, IS, what=message.name, part=BD_SEQ, got=got, want=want)


@asserts(SESSION, "principles-birth-certificates-order")
def _birth_is_first(story: Story) -> Iterator[Result]:
    for session in story.sessions:
        first = next(session.published(), None)
        if first is not None and session.messages:
            kind = "NBIRTH" if session.messages[0].record is first else None
            ok = kind is not None and session.messages[0].topic.kind == "NBIRTH"
            yield judged(first, ok, BEFORE, what=first.subject, other="NBIRTH")


@asserts(SESSION, "message-flow-edge-node-ncmd-subscribe")
def _subscribes_to_commands(story: Story) -> Iterator[Result]:
    want = str(Topic(story.group, "NCMD", story.edge))
    for session in story.sessions:
        birth = next((m.record for m in session.messages if m.topic.kind == "NBIRTH"), None)
        if birth is None:
            continue
        asked = [r for r in session.records if r.kind == "subscribe" and topic_matches(r.subject, want)]
        before = [r for r in asked if r.seq < birth.seq]
        exact = next((r for r in before if r.subject == want), None)
        if exact is not None:
            yield _at_qos_1(exact)
        elif before:
            result = _at_qos_1(before[0])
            yield doubtful(before[0], _WIDE, got=before[0].subject, want=want) if result.ok else result
        elif asked:
            yield breaks(birth, BEFORE, what="NBIRTH", other=f"SUBSCRIBE {want}")
        else:
            yield breaks(birth, WITHOUT, what="NBIRTH", other=f"SUBSCRIBE {want}")


@asserts(SESSION, "message-flow-device-dcmd-subscribe")
def _subscribes_to_device_commands(story: Story) -> Iterator[Result]:
    """Only where it does: whether a device can be written to is not known from outside."""
    devices = {m.topic.device for m in story.of("DBIRTH")}
    for session in story.sessions:
        for record in session.records:
            if record.kind == "subscribe" and any(
                topic_matches(record.subject, str(Topic(story.group, "DCMD", story.edge, device))) for device in devices
            ):
                yield _at_qos_1(record)


def _at_qos_1(record: Record) -> Result:
    got = record.detail.get("qos")
    return judged(record, got == 1, IS, what=f"SUBSCRIBE {record.subject}", part="QoS", got=got, want=1)
