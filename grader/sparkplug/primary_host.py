"""Assertions of a node that has a primary host application: it comes and goes with it (§5.5, §5.10)."""

from __future__ import annotations

from collections.abc import Iterator

from grader.payload import topic_matches
from grader.sparkplug.assertion import HOST, NOT_FOLLOWED, WITHOUT, Result, asserts, breaks, holds, judged
from grader.sparkplug.story import Message, Session, Story
from labsim.evidence.event import Record
from labsim.sparkplug.topic import HostState, state_topic
from labsim.text import tr

_PATIENCE_NS = 10_000_000_000
"""How long a node has to go."""
_WAITED = "message-flow-edge-node-birth-publish-phid"
_OTHER = tr(
    "NBIRTH came while {host} was not online, but {other} was.",
    "NBIRTH 發佈時在線的是 {other}，而非 {host}。",
    "NBIRTH 发布时在线的是 {other}，而非 {host}。",
)
_OFFLINE = tr("NBIRTH came while {host} was offline.", "NBIRTH 發佈時 {host} 離線。", "NBIRTH 发布时 {host} 离线。")
_STALE = tr(
    "NBIRTH came after an online of {host} that is older than its last state.",
    "NBIRTH 所依據的 {host} 上線消息早於其最近狀態。",
    "NBIRTH 所依据的 {host} 上线消息早于其最近状态。",
)
_LEFT = tr(
    "the node left for an offline of {host} that is older than its last state.",
    "節點因一條早於 {host} 最近狀態的離線消息而退出。",
    "节点因一条早于 {host} 最近状态的离线消息而退出。",
)


def _state(story: Story, seq: int, host: str) -> tuple[HostState | None, HostState | None]:
    """A host's state at a record: as its timestamps have it, and as its last message says."""
    true = last = None
    for record, name, state in story.states:
        if name == host and record.seq < seq:
            last = state
            if true is None or state.timestamp >= true.timestamp:
                true = state
    return true, last


def _online(state: HostState | None) -> bool:
    return state is not None and state.online


def _births(story: Story) -> Iterator[tuple[Message, HostState | None, HostState | None]]:
    if story.host:
        for message in story.of("NBIRTH"):
            yield message, *_state(story, message.record.seq, story.host)


@asserts(HOST, "operational-behavior-primary-application-state-with-multiple-servers-state-subs")
def _listens_to_its_host(story: Story) -> Iterator[Result]:
    want = state_topic(story.host)
    for session in story.sessions if story.host else ():
        birth = next((m.record for m in session.messages if m.topic.kind == "NBIRTH"), None)
        if birth is not None:
            heard = any(
                r.kind == "subscribe" and topic_matches(r.subject, want) and r.seq < birth.seq for r in session.records
            )  # fmt: skip
            yield judged(birth, heard, WITHOUT, what="NBIRTH", other=f"SUBSCRIBE {want}")


@asserts(HOST, f"{_WAITED}-wait", "operational-behavior-edge-node-birth-sequence-wait")
def _waits(story: Story) -> Iterator[Result]:
    """Online by either count of the timestamps; `waits_by_timestamp` is about those."""
    for message, true, last in _births(story):
        yield judged(message.record, _online(true) or _online(last), _OFFLINE, host=story.host)


@asserts(HOST, f"{_WAITED}-wait-id")
def _waits_for_the_right_one(story: Story) -> Iterator[Result]:
    others = {name for _, name, _ in story.states if name != story.host}
    for message, true, last in _births(story):
        if _online(true) or _online(last):
            yield holds(message.record)
            continue
        other = next((name for name in sorted(others) if _online(_state(story, message.record.seq, name)[0])), None)
        if other is not None:
            yield breaks(message.record, _OTHER, host=story.host, other=other)


@asserts(HOST, f"{_WAITED}-wait-online")
def _waits_for_online(story: Story) -> Iterator[Result]:
    for message, true, last in _births(story):
        if true is not None:
            yield judged(message.record, _online(true) or _online(last), _OFFLINE, host=story.host)


@asserts(HOST, f"{_WAITED}-wait-timestamp")
def _waits_by_timestamp(story: Story) -> Iterator[Result]:
    for message, true, last in _births(story):
        if _online(true) or _online(last):
            yield judged(message.record, _online(true), _STALE, host=story.host)


def _offlines(story: Story) -> Iterator[tuple[Record, Session, bool]]:
    """Each offline of the host while the node is alive: the session, and whether the timestamp counts."""
    for record, name, state in story.states:
        if not story.host or name != story.host or state.online:
            continue
        alive = [
            session
            for session in story.sessions
            if any(m.topic.kind == "NBIRTH" and m.record.seq < record.seq for m in session.messages)
            and not any(m.topic.kind == "NDEATH" and m.record.seq < record.seq for m in session.messages)
            and (session.end is None or session.end.seq > record.seq)
        ]
        true, _ = _state(story, record.seq, name)
        if alive and _online(true):
            yield record, alive[-1], true is None or state.timestamp >= true.timestamp


def _over(story: Story, record: Record) -> bool:
    return story.end_ns - record.t > _PATIENCE_NS


def _end(record: Record, session: Session) -> Record | None:
    """How the session ended in time after a record."""
    end = session.end
    return end if end is not None and 0 <= end.t - record.t <= _PATIENCE_NS else None


@asserts(HOST, f"{_WAITED}-offline")
def _dies_with_its_host(story: Story) -> Iterator[Result]:
    for record, session, counts in _offlines(story):
        died = any(m.topic.kind == "NDEATH" and 0 <= m.record.t - record.t <= _PATIENCE_NS for m in session.messages)
        if counts and (died or _over(story, record)):
            yield judged(record, died, NOT_FOLLOWED, what=f"STATE {story.host} online: false", other="NDEATH")


@asserts(
    HOST,
    "operational-behavior-edge-node-termination-host-offline",
    "operational-behavior-primary-application-state-with-multiple-servers-walk",
)  # fmt: skip
def _leaves_with_its_host(story: Story) -> Iterator[Result]:
    for record, session, counts in _offlines(story):
        left = _end(record, session)
        if counts and (left is not None or _over(story, record)):
            yield judged(
                record, left is not None, NOT_FOLLOWED, what=f"STATE {story.host} online: false", other="DISCONNECT"
            )


@asserts(HOST, "operational-behavior-edge-node-termination-host-offline-reconnect")
def _comes_again(story: Story) -> Iterator[Result]:
    for record, session, counts in _offlines(story):
        if counts and _end(record, session) is not None:
            again = next(
                (s.connect for s in story.sessions if s.connect is not None and s.connect.seq > record.seq), None
            )
            if again is not None:
                yield holds(again)


@asserts(HOST, "operational-behavior-edge-node-termination-host-offline-timestamp")
def _stays_for_old_news(story: Story) -> Iterator[Result]:
    for record, session, counts in _offlines(story):
        later = any(
            name == story.host and not state.online and record.seq < other.seq and other.t - record.t <= _PATIENCE_NS
            for other, name, state in story.states
        )  # fmt: skip
        if not counts and not later:
            yield judged(record, _end(record, session) is None, _LEFT, host=story.host)
