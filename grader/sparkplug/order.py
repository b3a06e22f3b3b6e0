"""Assertions of sequence: seq over node and devices, births before data, values by their time (§5.16, §6.4.20 to §6.4.26)."""

from __future__ import annotations

from collections.abc import Iterator

from grader.sparkplug.assertion import (
    BEFORE,
    DATA,
    ENDING,
    IS,
    LACKS,
    MONITOR,
    SESSION,
    Result,
    asserts,
    breaks,
    holds,
    judged,
)
from grader.sparkplug.birth import label
from grader.sparkplug.story import Message, Story
from labsim.text import tr

_NUMBERS = 256
_BACKWARDS = tr("{part} in {what} runs back in time.", "{what} 中的 {part} 時間倒退。", "{what} 中的 {part} 时间倒退。")
_EARLY = tr(
    "{what} came before the BIRTH of {other}.", "{what} 先於 {other} 的 BIRTH。", "{what} 先于 {other} 的 BIRTH。"
)


@asserts(MONITOR, "payloads-sequence-num-incrementing")
def _every_seq_follows(story: Story) -> Iterator[Result]:
    return _following(story, "DBIRTH", "NDATA", "DDATA", "DDEATH")


@asserts(MONITOR, "payloads-dbirth-seq-inc", "message-flow-device-birth-publish-dbirth-payload-seq")
def _dbirth_follows(story: Story) -> Iterator[Result]:
    return _following(story, "DBIRTH")


@asserts(MONITOR, "payloads-ndata-seq-inc")
def _ndata_follows(story: Story) -> Iterator[Result]:
    return _following(story, "NDATA")


@asserts(MONITOR, "payloads-ddata-seq-inc")
def _ddata_follows(story: Story) -> Iterator[Result]:
    return _following(story, "DDATA")


@asserts(MONITOR, "payloads-ddeath-seq-inc")
def _ddeath_follows(story: Story) -> Iterator[Result]:
    return _following(story, "DDEATH")


def _following(story: Story, *kinds: str) -> Iterator[Result]:
    """One more than the one before, 0 after 255; after a message whose seq is not known any will do."""
    for message in story.of(*kinds):
        got = message.payload.seq if message.payload is not None else None
        if message.last_seq is not None and got is not None:
            want = (message.last_seq + 1) % _NUMBERS
            yield judged(message.record, got == want, IS, what=message.name, part="seq", got=got, want=want)


@asserts(SESSION, "payloads-dbirth-seq")
def _dbirth_numbered(story: Story) -> Iterator[Result]:
    return _numbered(story, "DBIRTH")


@asserts(DATA, "payloads-ndata-seq")
def _ndata_numbered(story: Story) -> Iterator[Result]:
    return _numbered(story, "NDATA")


@asserts(DATA, "payloads-ddata-seq")
def _ddata_numbered(story: Story) -> Iterator[Result]:
    return _numbered(story, "DDATA")


@asserts(ENDING, "payloads-ddeath-seq", "payloads-ddeath-seq-number")
def _ddeath_numbered(story: Story) -> Iterator[Result]:
    return _numbered(story, "DDEATH")


def _numbered(story: Story, kind: str) -> Iterator[Result]:
    for message in story.of(kind):
        if message.payload is not None:
            yield judged(message.record, message.payload.seq is not None, LACKS, what=message.name, part="seq")


@asserts(SESSION, "topics-dbirth-seq")
def _dbirth_in_line(story: Story) -> Iterator[Result]:
    return _in_line(story, "DBIRTH")


@asserts(DATA, "topics-ndata-seq-num")
def _ndata_in_line(story: Story) -> Iterator[Result]:
    return _in_line(story, "NDATA")


@asserts(DATA, "topics-ddata-seq-num")
def _ddata_in_line(story: Story) -> Iterator[Result]:
    return _in_line(story, "DDATA")


@asserts(ENDING, "topics-ddeath-seq-num")
def _ddeath_in_line(story: Story) -> Iterator[Result]:
    return _in_line(story, "DDEATH")


def _in_line(story: Story, kind: str) -> Iterator[Result]:
    """Chapter 4 says both in one sentence: there is a seq, and it follows."""
    yield from (result for result in _numbered(story, kind) if not result.ok)
    yield from _following(story, kind)


@asserts(SESSION, "payloads-ndata-order")
def _ndata_waits(story: Story) -> Iterator[Result]:
    """The NBIRTH must be out; a DBIRTH that follows later may be of a device that joins late."""
    for message, born in _lives(story):
        if message.topic.kind == "NDATA":
            yield judged(message.record, "" in born, BEFORE, what=message.name, other="NBIRTH")


@asserts(SESSION, "payloads-ddata-order")
def _ddata_waits(story: Story) -> Iterator[Result]:
    for message, born in _lives(story):
        if message.topic.kind != "DDATA":
            continue
        other = f"DBIRTH {message.topic.device}" if "" in born else "NBIRTH"
        ready = "" in born and message.topic.device in born
        yield judged(message.record, ready, BEFORE, what=message.name, other=other)


def _lives(story: Story) -> Iterator[tuple[Message, set[str]]]:
    """Each message with who is alive at it: "" for the node, the names of devices."""
    born: set[str] = set()
    session = None
    for message in story.messages:
        kind, device = message.topic.kind, message.topic.device
        if message.will:
            continue
        if message.session is not session:
            session, born = message.session, set()
        if kind in ("NBIRTH", "NDEATH"):
            born = {""} if kind == "NBIRTH" else set()
        elif kind == "DBIRTH":
            born = born | {device}
        yield message, born
        if kind == "DDEATH":
            born = born - {device}


@asserts(MONITOR, "operational-behavior-data-publish-nbirth-order")
def _node_values_in_order(story: Story) -> Iterator[Result]:
    return _chronological(story, "NBIRTH", "NDATA")


@asserts(MONITOR, "operational-behavior-data-publish-dbirth-order")
def _device_values_in_order(story: Story) -> Iterator[Result]:
    return _chronological(story, "DBIRTH", "DDATA")


def _chronological(story: Story, *kinds: str) -> Iterator[Result]:
    """The values of one metric in one payload; different metrics may have changed in any order."""
    for message in story.of(*kinds):
        latest: dict[tuple[str | None, int | None], int] = {}
        back = None
        for metric in message.metrics:
            if metric.is_historical or metric.timestamp is None:
                continue
            key = (metric.name, metric.alias)
            if metric.timestamp < latest.get(key, 0):
                back = metric
            latest[key] = metric.timestamp
        if back is not None:
            yield breaks(message.record, _BACKWARDS, what=message.name, part=label(back))
        elif message.payload is not None:
            yield holds(message.record)
