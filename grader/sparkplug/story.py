"""What one edge node did, read from the journal: its sessions, its messages, the births in force, what others sent to it."""

from __future__ import annotations

from bisect import bisect
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from weakref import WeakKeyDictionary

from labsim.evidence.event import PLANT, Record
from labsim.evidence.evidence import Evidence
from labsim.sparkplug.payload import DataSet, Metric, Payload, Template, decode
from labsim.sparkplug.topic import KINDS, HostState, Topic, decode_state, parse_topic, state_topic

_FROM_NODE = frozenset(kind for kind in KINDS if not kind.endswith("CMD"))


@dataclass(frozen=True)
class Birth:
    """What a BIRTH has told of a node or a device."""

    metrics: tuple[Metric, ...]

    def find(self, metric: Metric) -> Metric | None:
        """The metric of the birth that another one means: by its alias, or by its name."""
        if metric.alias is not None:
            found = self._by_alias.get(metric.alias)
            if found is not None or metric.name is None:
                return found
        return self._by_name.get(metric.name)

    @cached_property
    def _by_alias(self) -> dict[int | None, Metric]:
        return {metric.alias: metric for metric in reversed(self.metrics) if metric.alias is not None}

    @cached_property
    def _by_name(self) -> dict[str | None, Metric]:
        return {metric.name: metric for metric in reversed(self.metrics)}


@dataclass(eq=False)
class Message:
    """One message of the node.

    Attributes:
        payload: What it holds; None when it is no payload, or too long to have been kept (`cut`).
        will: The broker published it for a node that was lost.
        birth: The birth in force for its node or device, the message itself included; None when there is none, or it was cut.
        last_seq: The seq before it, and None where that is not known: after a birth, or after one without.
    """

    record: Record
    topic: Topic
    session: Session
    payload: Payload | None
    cut: bool = False
    will: bool = False
    birth: Birth | None = None
    last_seq: int | None = None

    @cached_property
    def name(self) -> str:
        """How it is called in a sentence."""
        return f"{self.topic.kind} {self.topic.device}".rstrip()

    @property
    def is_birth(self) -> bool:
        """NBIRTH or DBIRTH."""
        return self.topic.kind in ("NBIRTH", "DBIRTH")

    @property
    def is_data(self) -> bool:
        """NDATA or DDATA."""
        return self.topic.kind in ("NDATA", "DDATA")

    @property
    def metrics(self) -> list[Metric]:
        """Its metrics; none when it cannot be read."""
        return self.payload.metrics if self.payload is not None else []


@dataclass(eq=False)
class Session:
    """One connection of the node.

    Attributes:
        connect: Its CONNECT.
        records: Everything it did, in order.
        messages: What it published for this node, in order, wills included.
        strange: What it published below ``sp.v1…`` on topics that are none of Sparkplug.
    """

    app: str
    connect: Record | None = None
    records: list[Record] = field(default_factory=list)
    messages: list[Message] = field(default_factory=list)
    strange: list[Record] = field(default_factory=list)

    @property
    def level(self) -> int:
        """Version of the protocol: 4 or 5."""
        return int(self.connect.detail.get("level", 4)) if self.connect is not None else 4

    @property
    def will(self) -> Payload | None:
        """The payload of the will it brought; None when there is none that can be read."""
        will = self.connect.detail.get("will") if self.connect is not None else None
        return _payload(will.get("payload", ""), will)[0] if isinstance(will, dict) else None

    @property
    def born(self) -> bool:
        """Whether it has published an NBIRTH."""
        return any(message.topic.kind == "NBIRTH" for message in self.messages)

    @property
    def end(self) -> Record | None:
        """What ended it on the wire; None while it lasts."""
        return next((r for r in self.records if r.kind == "close"), None)

    def published(self) -> Iterator[Record]:
        """Everything it published itself, of Sparkplug or not."""
        return (r for r in self.records if r.kind == "publish" and not r.detail.get("will"))


@dataclass(frozen=True)
class Story:
    """Everything that is judged.

    Attributes:
        origin_ns: UTC nanoseconds of plant time 0.
        end_ns: Plant time of the last record of the attempt.
        sessions: The node's connections, in order.
        messages: Its messages over all sessions, in order.
        commands: NCMD and DCMD that others sent to it and that were delivered, with their payloads.
        host: The primary host application; "" when it has none.
        states: What the hosts said of themselves, by host and in order.
    """

    origin_ns: int
    end_ns: int
    group: str
    edge: str
    host: str
    sessions: tuple[Session, ...]
    messages: tuple[Message, ...]
    commands: tuple[tuple[Record, Topic, Payload], ...]
    states: tuple[tuple[Record, str, HostState], ...]

    def of(self, *kinds: str) -> Iterator[Message]:
        """Its own messages of these kinds, wills left out."""
        return (m for m in self.messages if m.topic.kind in kinds and not m.will)

    @cached_property
    def structured(self) -> list[tuple[Message, Metric]]:
        """Metrics of its births and data with properties, a data set or a template."""
        return [
            (message, metric)
            for message in self.of("NBIRTH", "DBIRTH", "NDATA", "DDATA")
            for metric in message.metrics
            if metric.properties is not None
            or (metric.value is not None and isinstance(metric.value[1], (DataSet, Template)))
        ]


_READ: WeakKeyDictionary[Evidence, dict[tuple[str, str, str], Story]] = WeakKeyDictionary()
"""What was read of evidence that is still in use: several checks look at the same node."""


def read_story(evidence: Evidence, group: str, edge: str, host: str = "") -> Story:
    """The story of one edge node; the plant's own messages are nobody's work and left out."""
    known = _READ.setdefault(evidence, {})
    story = known.get((group, edge, host))
    if story is None:
        story = known[group, edge, host] = _read(evidence, group, edge, host)
    return story


def _read(evidence: Evidence, group: str, edge: str, host: str) -> Story:
    records = [r for r in evidence.of("mqtt") if r.app != PLANT]
    starts = [r.seq for r in evidence.of("lab", "host-start")]
    topic = Topic(group, "NDEATH", edge)

    def key(record: Record) -> tuple[int, str]:
        return bisect(starts, record.seq), record.session  # a session's name is unique between two starts of the host

    ours = {key(r) for r in records if r.session and _is_from(r, topic)}
    sessions: dict[tuple[int, str], Session] = {}
    messages: list[Message] = []
    for record in records:
        if key(record) not in ours:
            continue
        session = sessions.setdefault(key(record), Session(record.app))
        session.records.append(record)
        if record.kind == "connect":
            session.connect, session.app = record, record.app
        elif record.kind == "publish" and not record.detail.get("repeat"):
            message = _message(record, topic, session)
            if message is not None:
                session.messages.append(message)
                messages.append(message)
            elif _looks_like(record.subject):
                session.strange.append(record)
    _follow(messages)
    commands, states = _sent_to(evidence.of("mqtt", "publish"), topic)  # the plant may be a host
    return Story(
        evidence.utc_ns(0),
        evidence.end_ns,
        group,
        edge,
        host,
        tuple(sessions.values()),
        tuple(messages),
        commands,
        states,
    )


def definitions(metrics: list[Metric] | tuple[Metric, ...]) -> dict[str, Template]:
    """The template definitions among metrics, by name."""
    found: dict[str, Template] = {}
    for metric in metrics:
        value = metric.value[1] if metric.value is not None else None
        if isinstance(value, Template) and value.is_definition and metric.name:
            found[metric.name] = value
    return found


def payload_of(record: Record) -> tuple[Payload | None, bool]:
    """The payload of a publish, and whether it was too long to have been kept whole."""
    return _payload(record.values[0] if record.values else "", record.detail)


def _payload(kept: object, detail: dict[str, object]) -> tuple[Payload | None, bool]:
    if detail.get("cut"):
        return None, True
    try:
        data = bytes.fromhex(str(kept)) if detail.get("binary") else str(kept).encode()
        return decode(data), False
    except ValueError:
        return None, False


def _is_from(record: Record, topic: Topic) -> bool:
    """Whether a record shows its session to be one of the node's: by what it publishes, or by its will."""
    if record.kind == "connect":
        will = record.detail.get("will")
        return isinstance(will, dict) and str(will.get("topic")) == str(topic)
    if record.kind != "publish" or not _looks_like(record.subject):
        return False
    levels = record.subject.split("/")
    return len(levels) > 3 and (levels[1], levels[3]) == (topic.group, topic.edge) and not levels[2].endswith("CMD")


def _looks_like(topic: str) -> bool:
    """Whether a topic wants to be one of Sparkplug: ``spBv1.0``, ``spAv1.0``, ``SPBV1.0`` and the like."""
    return topic[:2].lower() == "sp" and topic[3:5].lower() == "v1"


def _message(record: Record, of: Topic, session: Session) -> Message | None:
    """A message of the node; None for one of another node, one to a node, or none at all."""
    try:
        topic = parse_topic(record.subject)
    except ValueError:
        return None
    if topic.kind not in _FROM_NODE or (topic.group, topic.edge) != (of.group, of.edge):
        return None
    payload, cut = payload_of(record)
    return Message(record, topic, session, payload, cut, bool(record.detail.get("will")))


def _follow(messages: list[Message]) -> None:
    """Fill in the birth that is in force at each message, and the seq before it."""
    births: dict[str, Birth | None] = {}
    last: int | None = None
    alive: Session | None = None
    for message in messages:
        kind, device = message.topic.kind, message.topic.device
        if kind == "NDEATH":
            if message.session is alive:  # the late death of an older session is not this one's
                births, last = {}, None
            continue
        if kind == "NBIRTH":
            births, last, alive = {}, None, message.session
        message.last_seq = last
        last = message.payload.seq if message.payload is not None else None
        if message.is_birth:
            births[device] = Birth(tuple(message.metrics)) if message.payload is not None else None
        message.birth = births.get(device)
        if kind == "DDEATH":
            births.pop(device, None)


def _sent_to(
    records: list[Record], node: Topic
) -> tuple[tuple[tuple[Record, Topic, Payload], ...], tuple[tuple[Record, str, HostState], ...]]:
    commands: list[tuple[Record, Topic, Payload]] = []
    states: list[tuple[Record, str, HostState]] = []
    for record in records:
        if record.status or record.detail.get("repeat"):
            continue
        host = record.subject.rsplit("/", 1)[-1]
        if record.subject == state_topic(host) and record.values:
            try:
                states.append((record, host, decode_state(str(record.values[0]).encode())))
            except ValueError:
                continue  # a host that cannot say its state has said nothing
            continue
        try:
            topic = parse_topic(record.subject)
        except ValueError:
            continue
        payload, _ = payload_of(record)
        if topic.kind.endswith("CMD") and (topic.group, topic.edge) == (node.group, node.edge) and payload is not None:
            commands.append((record, topic, payload))
    return tuple(commands), tuple(states)
