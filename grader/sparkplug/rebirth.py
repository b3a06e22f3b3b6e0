"""Assertions of what a node does when a host asks for its births again (§5.17)."""

from __future__ import annotations

from collections.abc import Iterator

from grader.sparkplug.assertion import COMMAND, IS, NOT_FOLLOWED, Result, asserts, breaks, holds, judged
from grader.sparkplug.establishment import bd_seq_of
from grader.sparkplug.story import Message, Session, Story
from labsim.evidence.event import Record
from labsim.sparkplug.payload import REBIRTH
from labsim.text import tr

_ON_ITS_WAY_NS = 1_000_000_000
"""How long DATA may still come that was sent before the request arrived."""
_PATIENCE_NS = 10_000_000_000
"""How long a node has for its births."""
_WENT_ON = tr(
    "{what} came between the Rebirth request and NBIRTH.",
    "在 Rebirth 請求與 NBIRTH 之間出現了 {what}。",
    "在 Rebirth 请求与 NBIRTH 之间出现了 {what}。",
)
_REQUEST = "Rebirth"


def _requests(story: Story) -> Iterator[tuple[Record, Session, list[Message], set[str]]]:
    """Each request to a living node: its session, what it published after it, and the devices that were alive."""
    for record, topic, payload in story.commands:
        asked = payload.get(REBIRTH)
        if topic.kind != "NCMD" or asked is None or asked.value != ("boolean_value", True):
            continue
        before = [m for m in story.messages if m.record.seq < record.seq and not m.will]
        if not before or not before[-1].session.born or before[-1].topic.kind == "NDEATH":
            continue
        session = before[-1].session
        if session.end is not None and session.end.seq < record.seq:
            continue
        devices: set[str] = set()
        for message in before:
            if message.topic.kind in ("NBIRTH", "DDEATH"):
                devices = set() if message.topic.kind == "NBIRTH" else devices - {message.topic.device}
            elif message.topic.kind == "DBIRTH":
                devices = devices | {message.topic.device}
        yield record, session, [m for m in session.messages if m.record.seq > record.seq and not m.will], devices


def _born_in_time(record: Record, after: list[Message]) -> Message | None:
    return next((m for m in after if m.topic.kind == "NBIRTH" and m.record.t - record.t <= _PATIENCE_NS), None)


def _over(story: Story, record: Record, session: Session) -> bool:
    """Whether the node had its time: it is up, and the session did not end before."""
    last = story.end_ns
    end = session.end.t if session.end is not None else last
    return min(last, end) - record.t > _PATIENCE_NS


@asserts(COMMAND, "operational-behavior-data-commands-rebirth-action-1")
def _stops_sending(story: Story) -> Iterator[Result]:
    for record, _, after, _ in _requests(story):
        birth = _born_in_time(record, after)
        late = [
            m for m in after
            if m.is_data and m.record.t - record.t > _ON_ITS_WAY_NS and (birth is None or m.record.seq < birth.record.seq)
        ]  # fmt: skip
        if late:
            yield breaks(late[0].record, _WENT_ON, what=late[0].name)
        elif birth is not None:
            yield holds(birth.record)


@asserts(COMMAND, "operational-behavior-data-commands-rebirth-action-2")
def _is_born_again(story: Story) -> Iterator[Result]:
    for record, session, after, devices in _requests(story):
        birth = _born_in_time(record, after)
        if birth is None:
            if _over(story, record, session):
                yield breaks(record, NOT_FOLLOWED, what=_REQUEST, other="NBIRTH")
            continue
        follow = [m for m in after if m.record.seq > birth.record.seq and m.record.t - record.t <= _PATIENCE_NS]
        until = next((n for n, m in enumerate(follow) if m.is_data), len(follow))
        born = {m.topic.device for m in follow[:until] if m.topic.kind == "DBIRTH"}
        lacking = sorted(devices - born)
        if lacking and until == len(follow) and not _over(story, record, session):
            continue  # they may still come
        yield judged(birth.record, not lacking, NOT_FOLLOWED, what=_REQUEST, other=f"DBIRTH {', '.join(lacking)}")


@asserts(COMMAND, "operational-behavior-data-commands-rebirth-action-3")
def _keeps_its_bd_seq(story: Story) -> Iterator[Result]:
    for record, session, after, _ in _requests(story):
        birth = _born_in_time(record, after)
        want = bd_seq_of(session.will)
        if birth is not None and want is not None and birth.payload is not None:
            got = bd_seq_of(birth.payload)
            yield judged(birth.record, got == want, IS, what="NBIRTH", part="bdSeq", got=got, want=want)
