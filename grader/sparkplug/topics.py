"""Assertions of topics and ids: the namespace, who sends with a device id, who has which name (§4.1)."""

from __future__ import annotations

from collections.abc import Iterator

from grader.sparkplug.assertion import HAS, IS, LACKS, MONITOR, Result, asserts, breaks, doubtful, holds, judged
from grader.sparkplug.story import Story
from labsim.evidence.event import Record
from labsim.sparkplug.topic import NAMESPACE
from labsim.text import tr

_TWICE = tr(
    "{other} was alive when {what} was published by {who}.",
    "{who} 發佈 {what} 時，{other} 仍在線。",
    "{who} 发布 {what} 时，{other} 仍在线。",
)
_ALIKE = tr(
    "{got} and {other} differ in case only.", "{got} 與 {other} 僅大小寫不同。", "{got} 与 {other} 仅大小写不同。"
)
_MISSHAPEN = tr("{what} is no topic of Sparkplug.", "{what} 不是 Sparkplug 主題。", "{what} 不是 Sparkplug 主题。")


@asserts(MONITOR, "topic-structure")
def _topics_have_the_form(story: Story) -> Iterator[Result]:
    yield from (holds(message.record) for message in story.messages)
    for record in _strange(story):
        levels = record.subject.split("/")
        if levels[0] == NAMESPACE and not _device_is_amiss(levels):
            yield breaks(record, _MISSHAPEN, what=record.subject)


@asserts(MONITOR, "topic-structure-namespace-a")
def _topics_have_the_namespace(story: Story) -> Iterator[Result]:
    yield from (holds(message.record) for message in story.messages)
    for record in _strange(story):
        got = record.subject.split("/")[0]
        if got != NAMESPACE:
            yield breaks(record, IS, what=record.subject, part="namespace", got=got, want=NAMESPACE)


@asserts(MONITOR, "topic-structure-namespace-device-id-associated-message-types")
def _device_messages_name_it(story: Story) -> Iterator[Result]:
    yield from (holds(message.record) for message in story.messages if message.topic.device)
    for record in _strange(story):
        levels = record.subject.split("/")
        if _device_is_amiss(levels) and levels[2][0] == "D":
            yield breaks(record, LACKS, what=record.subject, part="device id")


@asserts(MONITOR, "topic-structure-namespace-device-id-non-associated-message-types")
def _node_messages_name_no_device(story: Story) -> Iterator[Result]:
    yield from (holds(message.record) for message in story.messages if not message.topic.device)
    for record in _strange(story):
        levels = record.subject.split("/")
        if _device_is_amiss(levels) and levels[2][0] == "N":
            yield breaks(record, HAS, what=record.subject, part="device id")


def _strange(story: Story) -> Iterator[Record]:
    return (record for session in story.sessions for record in session.strange if not _of_another(record, story))


def _of_another(record: Record, story: Story) -> bool:
    """Whether it is a right message of another node, or a command, which the session sends as well."""
    levels = record.subject.split("/")
    return len(levels) > 3 and levels[0] == NAMESPACE and (
        (levels[1], levels[3]) != (story.group, story.edge) or levels[2].endswith("CMD")
    )  # fmt: skip


def _device_is_amiss(levels: list[str]) -> bool:
    kinds = {"N": 5, "D": 4}
    known = len(levels) > 2 and levels[2] in ("NBIRTH", "NDEATH", "NDATA", "DBIRTH", "DDEATH", "DDATA")
    return levels[0] == NAMESPACE and known and all(levels) and len(levels) == kinds[levels[2][0]]


@asserts(
    MONITOR,
    "topic-structure-namespace-valid-group-id",
    "topic-structure-namespace-valid-edge-node-id",
    "topic-structure-namespace-valid-device-id",
)  # fmt: skip
def _ids_are_valid(story: Story) -> Iterator[Result]:
    """Every topic that got past the broker and has the right number of levels."""
    return (holds(message.record) for message in story.messages)


@asserts(MONITOR, "topic-structure-namespace-unique-edge-node-descriptor", "payloads-nbirth-edge-node-descriptor")
def _node_is_alone(story: Story) -> Iterator[Result]:
    for message in story.of("NBIRTH"):
        record = message.record
        other = next(
            (
                session.app
                for session in story.sessions
                if session is not message.session and session.app != message.session.app and session.born
                and any(m.topic.kind == "NBIRTH" and m.record.seq < record.seq for m in session.messages)
                and (session.end is None or session.end.seq > record.seq)
            ),
            None,
        )  # fmt: skip
        yield judged(record, other is None, _TWICE, what="NBIRTH", who=message.session.app, other=other)


@asserts(MONITOR, "case-sensitivity-sparkplug-ids")
def _ids_differ_by_more_than_case(story: Story) -> Iterator[Result]:
    seen: dict[str, str] = {}
    for message in story.of("DBIRTH"):
        device = message.topic.device
        other = seen.setdefault(device.casefold(), device)
        yield holds(message.record) if other == device else doubtful(message.record, _ALIKE, got=device, other=other)
