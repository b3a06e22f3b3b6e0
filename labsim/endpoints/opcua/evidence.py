"""What happens in the core, told to the sink as events of the opcua vocabulary."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from labsim.endpoints.opcua.calls import Calls
from labsim.endpoints.opcua.core import nodes
from labsim.endpoints.opcua.core.happening import (
    CERTIFICATE,
    CLOSE,
    ERROR,
    OPEN,
    SESSION_END,
    CertificateFact,
    ChannelFact,
    Happening,
    HistoryFact,
    ItemFact,
    ReadFacts,
    ReadSubject,
)
from labsim.endpoints.opcua.core.item import MODE_NAMES as MONITORING_MODES
from labsim.endpoints.opcua.core.nodeid import Key, text_of
from labsim.endpoints.opcua.core.policy import MODE_NAMES, MODE_NONE, short_name
from labsim.endpoints.opcua.core.status import name_of
from labsim.evidence.encoding import Template, template, who
from labsim.evidence.event import Event, Sink
from labsim.evidence.polls import Polls
from labsim.plant.tags import Tag, Value

_QUIET = {
    "FindServers", "GetEndpoints", "CreateSession", "Cancel", "RegisterNodes", "UnregisterNodes", "CreateSubscription",
    "SetPublishingMode", "TransferSubscriptions", "SetTriggering",
}  # fmt: skip
"""Services that change nothing a grader asks about; only their refusals are told."""


@dataclass(slots=True, eq=False)
class _Reading:
    """A Read as evidence names it. A compiled one is the same object each time.

    Attributes:
        nodes: Texts of all nodes; ``device`` the one they all belong to.
        tags: Those that are tags, with their place among the nodes; ``paths`` in the same order.
        singles: Places of those that are f32, whose numbers are told as they are answered.
        kinds: What makes a value of a column's number, for each tag; empty when every tag is a float.
        behind: Tags that a variable is made of, with the place of the variable.
        template: Of the events of a compiled Read, once there was one that had to be kept again.
    """

    nodes: list[str]
    device: str
    tags: list[tuple[int, Tag]]
    paths: list[str]
    singles: list[int]
    kinds: list[type]
    behind: list[tuple[int, Tag]]
    template: Template | None = None
    _last: tuple[bytes, bytes, bytes] = (b"", b"", b"")  # numbers, who read them, and what was told

    def body(self, numbers: NDArray[np.float64], reader: bytes) -> bytes:
        """A compiled Read as a line begins. A plant's values change ten times a second, a client may ask more often."""
        assert self.template is not None
        raw = numbers.tobytes()
        before, by, body = self._last
        if raw != before or reader is not by:
            body = self.template.body(reader, self.values(numbers))
            self._last = raw, reader, body
        return body

    def values(self, numbers: Sequence[Any] | NDArray[np.float64]) -> list[Any]:
        """Numbers of the store's column, one for each tag, in the tags' own types."""
        column = np.array(numbers)
        if self.singles:
            column[self.singles] = column[self.singles].astype(np.float32)
        plain: list[float] = column.tolist()
        return [kind(one) for kind, one in zip(self.kinds, plain, strict=True)] if self.kinds else plain


class Reporter:
    """The core's observer: turns each happening into events and hands them to the sink.

    Args:
        sink: Where events go; what it raises goes up, so that no answer leaves.
        tags: The tag of each variable that shows one.
        devices: The device of each node that belongs to one.
        calls: What calls are about.
        origin: FILETIME of plant time 0.
        sources: The tags of each variable that is made of some.
        read: The value of a row of the store.
        server: What the server is called.
    """

    def __init__(
        self,
        sink: Sink,
        tags: Mapping[Key, Tag],
        devices: Mapping[Key, str],
        calls: Calls | None = None,
        origin: int = 0,
        sources: Mapping[Key, Sequence[Tag]] | None = None,
        read: Callable[[int], Value] = lambda _row: 0,
        server: str = "",
    ) -> None:
        self._server = server
        self._known: dict[Key, dict[str, Any]] = {}
        self._writes: dict[Key, Template | None] = {}
        self._sources, self._value_of = sources or {}, read
        self._sink, self._tags, self._devices = Polls.of(sink), tags, devices
        self.gather, self.settle = self._sink.gather, self._sink.settle
        self._calls, self._origin = calls or Calls(), origin
        self._tell: dict[str, Callable[[Happening], object]] = {
            OPEN: lambda happening: self._send(happening, "open", server=self._server),
            CLOSE: lambda happening: self._send(happening, "close", reason=happening.reason),
            ERROR: self._reject,
            "OpenSecureChannel": self._channel,
            CERTIFICATE: self._certificate,
            "ActivateSession": self._session,
            "CloseSession": lambda happening: self._send(happening, "session-close"),
            SESSION_END: lambda happening: self._send(happening, "session-close", reason=happening.reason),
            "Read": self._read,
            "Write": self._write,
            "Browse": self._browse,
            "BrowseNext": self._browse,
            "TranslateBrowsePathsToNodeIds": self._browse,
            "CreateMonitoredItems": self._subscribe,
            "ModifyMonitoredItems": self._subscribe,
            "SetMonitoringMode": self._subscribe,
            "ModifySubscription": self._subscribe,
            "DeleteMonitoredItems": self._unsubscribe,
            "DeleteSubscriptions": self._unsubscribe,
            "Call": self._call,
            "HistoryRead": self._history_read,
        }

    def __call__(self, happening: Happening) -> None:
        """Tell one happening.

        Raises:
            EvidenceError: it could not be kept.
        """
        tell = self._tell.get(happening.service)
        # A request refused as a whole has no facts: it is told as such, whatever service it was.
        if tell is None or (happening.status and not happening.facts and happening.service != ERROR):
            if happening.status or happening.service not in _QUIET:
                self._reject(happening)
            return
        tell(happening)

    def _send(
        self,
        happening: Happening,
        kind: str,
        *,
        status: int | None = None,
        device: str = "",
        subject: str = "",
        tags: list[str] | None = None,
        values: list[Any] | None = None,
        **detail: Any,
    ) -> Event:
        return self._keep(happening, kind, detail, device, subject, tags, values, status)

    def _keep(
        self,
        happening: Happening,
        kind: str,
        detail: dict[str, Any],
        device: str = "",
        subject: str = "",
        tags: list[str] | None = None,
        values: list[Any] | None = None,
        status: int | None = None,
    ) -> Event:
        connection, session = happening.connection, happening.session
        identity = session.identity if session is not None else None
        event = Event(
            kind=kind,
            protocol="opcua",
            client=connection.peer if connection is not None else session.peer if session is not None else "",
            session=session.id_text if session is not None else connection.id if connection is not None else "",
            app=session.application if session is not None else "",
            user=identity.name if identity is not None else "",
            thumb=session.thumbprint if session is not None else connection.channel.thumbprint if connection else "",
            device=device,
            subject=subject,
            tags=tags or [],
            values=values or [],
            status=happening.status if status is None else status,
            detail=detail,
        )
        self._sink(event)
        return event

    def _reject(self, happening: Happening) -> None:
        service = happening.service
        if service == ERROR:
            opened = happening.connection is not None and happening.connection.channel.id
            service = "transport" if opened else "OpenSecureChannel"
        self._send(
            happening, "reject", service=service, reason=happening.reason or name_of(happening.status),
            server=self._server,
        )  # fmt: skip

    def _channel(self, happening: Happening) -> None:
        """A channel without security says no more than the connection it is on."""
        fact: ChannelFact = happening.facts
        channel = happening.connection.channel if happening.connection is not None else None
        if channel is not None and channel.mode != MODE_NONE:
            self._send(
                happening, "audit", service="OpenSecureChannel", renewed=fact.renewed, lifetime_ms=fact.lifetime,
                policy=channel.policy_name, mode=MODE_NAMES[channel.mode],
            )  # fmt: skip

    def _certificate(self, happening: Happening) -> None:
        fact: CertificateFact = happening.facts
        about: dict[str, Any] = {"reason": happening.reason} if happening.reason else {}
        self._send(
            happening, "certificate", subject=fact.subject, thumbprint=fact.thumbprint, of=fact.of, action=fact.action,
            server=self._server, **about,
        )  # fmt: skip

    def _session(self, happening: Happening) -> None:
        session = happening.session
        assert session is not None
        assert session.identity is not None
        policy, mode = session.security
        proven: dict[str, Any] = {}
        if session.identity.thumbprint:
            proven["user_thumbprint"] = session.identity.thumbprint
        self._send(
            happening, "session", policy=short_name(policy), mode=MODE_NAMES[mode], identity=session.identity.kind,
            role=session.identity.role, name=session.name, endpoint=session.endpoint_url, server=self._server, **proven,
        )  # fmt: skip

    def _browse(self, happening: Happening) -> None:
        keys: Sequence[Key] = happening.facts or ()
        device = self._device_of(keys)
        owners = [self._devices.get(key, "") for key in keys]
        several: dict[str, Any] = {"devices": owners} if not device and any(owners) else {}
        self._send(happening, "browse", device=device, nodes=[text_of(key) for key in keys], **several)

    def _device_of(self, keys: Sequence[Key]) -> str:
        """The device all keys belong to; empty when they belong to several or none."""
        found = {self._devices.get(key, "") for key in keys}
        return found.pop() if len(found) == 1 else ""

    def _reading(self, subject: ReadSubject) -> _Reading:
        if subject.memo is None:
            tags = [
                (at, self._tags[key])
                for at, (key, attribute) in enumerate(zip(subject.keys, subject.attributes, strict=True))
                if attribute == nodes.VALUE and key in self._tags
            ]
            kinds = [_KINDS.get(tag.type, int) for _, tag in tags]
            texts = [text_of(key) for key in subject.keys]
            subject.memo = _Reading(
                nodes=texts,
                device=self._device_of(subject.keys),
                tags=tags,
                paths=[tag.path for _, tag in tags],
                singles=[at for at, (_, tag) in enumerate(tags) if tag.type == "f32"],
                kinds=kinds if set(kinds) != {float} else [],
                behind=[
                    (at, tag)
                    for at, (key, attribute) in enumerate(zip(subject.keys, subject.attributes, strict=True))
                    if attribute == nodes.VALUE
                    for tag in self._sources.get(key, ())
                ],
            )
        reading: _Reading = subject.memo
        return reading

    def _read(self, happening: Happening) -> None:
        facts: ReadFacts = happening.facts
        subject, statuses, session = facts.subject, facts.statuses, happening.session
        if statuses is None and session is not None and subject.memo is not None:  # a compiled read that comes again
            reading: _Reading = subject.memo
            counted = self._sink.again(session.id_text, reading)
            if counted:
                return
            if counted is False and reading.template is not None and (reader := session.memo) is not None:
                self._sink.encoded(reading.body(facts.values, reader))  # type: ignore[arg-type]  # of a compiled read: a column
                return
        if statuses is not None and any(statuses):
            self._told_read(happening, facts)
            return
        # A compiled read is the same subject each time, any other one is known by what it asks for.
        reading = self._reading(subject)
        asked = reading if statuses is None else (tuple(subject.keys), tuple(subject.attributes))
        if session is None or not self._sink.again(session.id_text, asked):
            self._sink.begin(self._told_read(happening, facts), asked)

    def _told_read(self, happening: Happening, facts: ReadFacts) -> Event:
        reading, statuses = self._reading(facts.subject), facts.statuses
        if statuses is None:  # a compiled read: every node is a tag, and good
            values, named = reading.values(facts.values), {"nodes": reading.nodes, "statuses": [0] * len(reading.nodes)}
            event = self._keep(happening, "read", named, reading.device, tags=reading.paths, values=values)
            if reading.template is None:
                reading.template = template(event)
            if happening.session is not None:
                happening.session.memo = who(event)
            return event
        good = [one for one in reading.tags if statuses[one[0]] >> 30 == 0]
        behind = [tag for at, tag in reading.behind if statuses[at] >> 30 == 0]
        return self._send(
            happening,
            "read",
            device=reading.device,
            tags=[tag.path for _, tag in good] + [tag.path for tag in behind],
            values=[facts.values[at] for at, _ in good] + [self._value_of(tag.row) for tag in behind],
            nodes=reading.nodes,
            statuses=list(statuses),
        )

    def _about(self, key: Key) -> dict[str, Any]:
        """What an event about one node says of it."""
        known = self._known.get(key)
        if known is None:
            tags = [self._tags[key]] if key in self._tags else self._sources.get(key, ())
            named = {"device": self._devices.get(key, ""), "subject": text_of(key), "node": text_of(key)}
            known = named | {"tags": [tag.path for tag in tags]}
            if tags:  # there are only so many
                self._known[key] = known
        return known

    def _write(self, happening: Happening) -> None:
        session = happening.session
        assert session is not None
        for fact in happening.facts:
            key, value, old = fact.key, fact.value, fact.old
            usual = (
                not fact.status and fact.attribute == nodes.VALUE and type(value) in _NUMBERS and type(old) in _NUMBERS
            )
            if usual and session.memo is not None and (known := self._writes.get(key)) is not None:
                self._sink.encoded(known.body(session.memo, [value], old), session.id_text)
                continue
            about = self._about(key)
            if fact.attribute != nodes.VALUE:
                about = about | {"tags": []}
            event = self._send(happening, "write", status=fact.status, values=[_shown(value)], old=_shown(old), **about)
            if usual and key in self._known:
                self._writes[key], session.memo = template(event, "old"), who(event)

    def _subscribe(self, happening: Happening) -> None:
        facts: Sequence[ItemFact] = happening.facts or ()
        for fact in facts:
            filter_: dict[str, Any] = (
                {} if fact.events is None else {"select": fact.events.select, "where": fact.events.where}
            )
            self._send(
                happening, "subscribe", status=fact.status, **self._about(fact.key), subscription=fact.subscription,
                item=fact.item, publishing_ms=fact.publishing, sampling_ms=fact.sampling,
                requested_sampling_ms=fact.requested_sampling, queue=fact.queue, deadband_type=fact.deadband_type,
                deadband=fact.deadband, mode=MONITORING_MODES[fact.mode], **filter_,
            )  # fmt: skip

    def _call(self, happening: Happening) -> None:
        for fact in happening.facts or ():
            kind, about = self._calls.told(fact, self._devices.get(fact.object, ""))
            self._send(happening, kind, status=fact.status, **about)

    def _history_read(self, happening: Happening) -> None:
        facts: Sequence[HistoryFact] = happening.facts or ()
        by_read: dict[tuple[str, int, int, str], list[HistoryFact]] = {}
        for fact in facts:
            if fact.kind != "release":
                by_read.setdefault((fact.kind, fact.start, fact.end, fact.aggregate), []).append(fact)
        for (kind, start, end, aggregate), alike in by_read.items():
            keys = [fact.key for fact in alike]
            named: dict[str, Any] = {"aggregate": aggregate} if aggregate else {}
            if start:
                named["from"] = self._plant_time(start)
            if end:
                named["to"] = self._plant_time(end)
            good = [fact for fact in alike if fact.key in self._tags and fact.status >> 30 == 0]
            self._send(
                happening, "history-read", status=max(fact.status for fact in alike), device=self._device_of(keys),
                tags=[self._tags[fact.key].path for fact in good], values=[fact.count for fact in good],
                what=kind, nodes=[text_of(key) for key in keys], counts=[fact.count for fact in alike],
                statuses=[fact.status for fact in alike], **named,
            )  # fmt: skip

    def _plant_time(self, filetime: int) -> int:
        """Simulated nanoseconds of a FILETIME."""
        return (filetime - self._origin) * 100

    def _unsubscribe(self, happening: Happening) -> None:
        for fact in happening.facts or ():
            self._send(happening, "unsubscribe", subscription=fact.subscription, items=fact.items)


_KINDS: dict[str, type] = {"f64": float, "f32": float, "bool": bool}
"""What makes a value of a store's number, by type of tag; of all others an int."""
_NUMBERS = (float, int, bool)


def _shown(value: Any) -> Any:
    """A value as JSON can hold it."""
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    return [_shown(one) for one in value] if isinstance(value, (list, tuple)) else str(value)
