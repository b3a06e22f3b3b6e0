"""Assertions of how a session and a device end (§5.5, §5.7, §6.4.25)."""

from __future__ import annotations

from collections.abc import Iterator

from grader.sparkplug.assertion import ENDING, WITHOUT, Result, asserts, breaks, doubtful, holds
from grader.sparkplug.story import Session, Story
from labsim.evidence.event import Record
from labsim.text import tr

_WITH_WILL = 4
"""Reason code "Disconnect with Will Message" of MQTT 5 (§3.14.2.1)."""
_PLAIN = tr(
    "DISCONNECT has reason code {got}, though an NDEATH was published before it; the specification wants 4.",
    "DISCONNECT 的原因碼為 {got}；此前雖已發佈 NDEATH，規範要求 4。",
    "DISCONNECT 的原因码为 {got}；此前虽已发布 NDEATH，规范要求 4。",
)
_NOT_4 = tr(
    "the reason code of DISCONNECT is {got}, not 4.",
    "DISCONNECT 的原因碼為 {got}，而非 4。",
    "DISCONNECT 的原因码为 {got}，而非 4。",
)


def _leaves(story: Story) -> Iterator[tuple[Session, Record, bool]]:
    """Sessions that were ended on purpose while the node was alive: the DISCONNECT, and whether an NDEATH came before it."""
    for session in story.sessions:
        left = next((r for r in session.records if r.kind == "disconnect"), None)
        if left is None or not session.born:
            continue
        before = [m for m in session.messages if m.record.seq < left.seq and not m.will]
        yield session, left, bool(before) and before[-1].topic.kind == "NDEATH"


@asserts(
    ENDING,
    "operational-behavior-edge-node-intentional-disconnect-ndeath",
    "operational-behavior-edge-node-intentional-disconnect-packet",
)  # fmt: skip
def _dies_before_it_leaves(story: Story) -> Iterator[Result]:
    for _, left, died in _leaves(story):
        by_will = left.status == _WITH_WILL
        yield holds(left) if died or by_will else breaks(left, WITHOUT, what="DISCONNECT", other="NDEATH")


@asserts(ENDING, "payloads-ndeath-will-message-publisher")
def _should_die_before_it_leaves(story: Story) -> Iterator[Result]:
    """Chapter 6 only recommends what chapter 5 demands."""
    for _, left, died in _leaves(story):
        by_will = left.status == _WITH_WILL
        yield holds(left) if died or by_will else doubtful(left, WITHOUT, what="DISCONNECT", other="NDEATH")


@asserts(ENDING, "payloads-ndeath-will-message-publisher-disconnect-mqtt311")
def _publishes_its_death(story: Story) -> Iterator[Result]:
    for session, left, died in _leaves(story):
        if session.level == 4:
            yield holds(left) if died else breaks(left, WITHOUT, what="DISCONNECT", other="NDEATH")


@asserts(ENDING, "payloads-ndeath-will-message-publisher-disconnect-mqtt50")
def _disconnects_with_will(story: Story) -> Iterator[Result]:
    for session, left, died in _leaves(story):
        if session.level != 5:
            continue
        if left.status == _WITH_WILL:
            yield holds(left)
        else:
            yield doubtful(left, _PLAIN, got=left.status) if died else breaks(left, _NOT_4, got=left.status)


@asserts(ENDING, "topics-ndeath-topic")
def _node_deaths(story: Story) -> Iterator[Result]:
    return (holds(message.record) for message in story.messages if message.topic.kind == "NDEATH")


@asserts(ENDING, "operational-behavior-device-ddeath")
def _device_deaths(story: Story) -> Iterator[Result]:
    """Whether a device is lost without one is not known from outside."""
    return (holds(message.record) for message in story.of("DDEATH"))
