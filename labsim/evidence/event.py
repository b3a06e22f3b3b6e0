"""What happened, as one record: the vocabulary that endpoints speak and the grader reads.

An event is flat and small. The journal adds sequence number, times and hash; nothing else ever changes it.

Kinds by protocol (``detail`` keys in brackets; a key that does not apply is left out):

modbus
    ``open`` [role]; ``close`` [reason]; ``reject`` [reason, bytes: hex] (not Modbus: hung up; or a
    TLS handshake that failed, then without ``client``); ``refuse`` [reason] (not let
    in: address, session limit); ``watchdog`` [state: running|expired]: ``device``, ``tags`` and ``values`` that it set;
    ``read`` and ``write`` [unit, fc, table, file, address, count, raw: hex of the registers, idle: tags that a register
    waiting for an edge left as they were, wear: {tag: new write count}, role]: ``device`` is the unit's device
    or "", ``tags`` the paths whose registers are wholly inside the request, ``values`` their true values as read or
    written (same order), ``status`` the exception code, 0 good, -1 no answer (unknown unit);
    ``request`` [unit, fc]: any other function code;
    ``poll`` [unit, fc, table, address, count, role, reads, first, last, shortest, longest]: reads like an earlier one of the
    same session that were only counted (`labsim.evidence.polls`): how many, plant time of the first and last of them, and
    the shortest and longest time between two (with the one before the first). All were good, and of ``tags``.
opcua
    ``open`` [server: the endpoint's name in the scenario]; ``close`` [reason]; ``reject`` [service, reason, server]: refused
    before a session;
    ``audit`` [service: OpenSecureChannel, renewed, lifetime_ms, policy, mode]: a secure channel or its renewal;
    ``certificate`` [thumbprint, of: client|user|server|list, action: rejected|trusted|added|removed|updated, reason,
    server]: ``subject`` is the certificate's, ``status`` why it was rejected; trusted is told once, when a rejected or new one is
    first let in by a trust list;
    ``session`` [policy, mode: None|Sign|SignAndEncrypt, identity: anonymous|username|x509, role, name, endpoint,
    server, user_thumbprint]: an activated session; ``session-close``;
    ``browse`` [nodes, devices (of each, when several)];
    ``read`` [nodes, statuses]: ``tags`` and ``values`` are of the nodes that are tags and were read good;
    ``poll`` [nodes, reads, first, last, shortest, longest]: as of modbus;
    ``write`` [node, old]: one event per node, ``tags``/``values`` of that node;
    ``subscribe`` [node, subscription, item, publishing_ms, sampling_ms, requested_sampling_ms, queue, deadband_type,
    deadband, mode; of an item on events: select: fields, where: its elements, each the operator and its operands, ``#2`` for
    element 2]: one event per monitored item; ``unsubscribe`` [subscription, items];
    ``call`` [node, method, arguments, results, name: what the device calls it]: one event per method;
    ``acknowledge`` [event_id, comment, source, condition: ``device.alarm``, active_ns: when it became active last] and
    ``condition`` [action: confirm|comment|enable|disable|shelve|unshelve, seconds, and the same]: ``device`` and ``tags``
    are the alarm's; ``history-read`` [what: raw|at-time|processed|events, nodes, from, to: simulated ns, aggregate,
    counts, statuses]: ``tags`` are those that were read good, ``values`` how many values each of them gave. ``status`` is
    the StatusCode.
mqtt
    ``open`` [transport: mqtts, ws or wss; absent for plain]; ``connect`` [level, clean, keepalive, resumed: true when a
    stored session goes on, name: a user name that proved nothing, reason: why it was refused, where the code does not say it
    all, properties, will: {topic, qos, retain, payload, size, sha256, properties, …}|absent]: ``status`` the CONNACK code;
    ``subscribe`` [qos, granted, no_local, as_published, handling, identifier: options of version 5 where they are not the
    usual] and ``unsubscribe``: ``subject`` the filter; ``publish`` [qos, retain, dup, mid, size, sha256, properties, repeat:
    true when a QoS 2 message came again and was not delivered again, will: true when the broker published it for a client
    that was lost]: ``subject`` the topic (with version 5 also where a topic alias stood for it), ``values`` the payload as
    one text (or hex with detail.binary true), cut after `PAYLOAD_KEPT` bytes (detail.cut true); ``deny`` [action:
    publish|subscribe, reason, and what such an event has]: by access list, limit or reserved topic; ``drop`` [reason, lost]:
    messages lost to ``app``, told at the 1st, 2nd, 4th, 8th…; ``disconnect`` [properties]: ``status`` the reason code;
    ``takeover``; ``timeout`` [reason]; ``reject`` [reason, code: what a client of version 5 was told]: malformed, or more
    than a limit allows; ``close`` [clean: bool, reason]. ``properties`` are those of version 5 by their short names in
    `labsim.endpoints.mqtt.properties`, bytes in hex, ``user`` a list of pairs. ``write``: what a command did to the plant, after
    the ``publish`` that carried it: ``subject`` its topic, ``status`` the store's code, ``values`` [null] when it had none.
http
    ``request`` [method, query, code: of the response, name: what the device was asked, asked: {path, query, body}, body: of a
    request that no device was asked, answer: the JSON that was given, cut: true when only its beginning is kept]: ``subject``
    the path, ``app`` the User-Agent, ``status`` 0 below 400, else the code.
ntp
    ``request`` [version, client_ns and server_ns: UTC by the clock of either, stratum, synchronised]; ``reject`` [bytes: hex].
lab
    ``host-start`` [pid, speed, mode: training|exam, versions]; ``host-stop`` [reason]; ``jitter`` [steps, median_ms, p95_ms,
    worst_ms: how late the steps of about a minute began, in plant time]; ``probe`` [probe: key, protocol, action, user,
    result: done|refused|unreachable|error, code, reason, since: number of the last record before it, clients: its addresses]:
    what the host itself tried, ``subject`` at what, ``values`` what it read or what came; ``check`` [task];
    ``hint`` [task, index, cost];
    ``answer`` [task]: ``values`` the answer; ``file`` [sha256, size | gone: true]: ``subject`` the path below handin/;
    ``setting`` [setting, by, entry: number in the timeline]: ``device``, ``values``; ``fault`` [fault, phase: begin|end,
    number, hidden, by: timeline|condition|instructor, for: seconds, parameters, entry; of a link its parameters themselves]:
    ``subject`` the target (``docs/faults.md``); ``rogue`` [fault, number, phase: open|close|act, client: the address that
    opens or closes a connection, name: what the client calls itself, result: of an act as of a probe, code, reason, did:
    what it did]: what a rogue client of the lab does, an act when it is another than the last; ``subject`` the target;
    ``pause`` [phase: begin|end];
    ``incident`` [reason, ...]: ``subject`` the file it is about; ``submit``.
"""

from __future__ import annotations

from typing import Any, Literal, Protocol, TypeAlias

import msgspec

ProtocolName = Literal["opcua", "modbus", "mqtt", "http", "ntp", "lab"]
PAYLOAD_KEPT = 65_536
PLANT = "plant"
"""``app`` of a message that the plant published by itself."""


class Event(msgspec.Struct, kw_only=True, omit_defaults=True, gc=False):
    """One thing that a client, the plant or the lab did.

    Attributes:
        kind: What happened; see the module's table.
        protocol: Where.
        client: The peer as ``ip:port``; empty for the lab itself.
        session: The connection or session it belongs to, unique in the attempt's epoch.
        app: What the client calls itself: application URI, MQTT client id; empty where the protocol has no name.
        user: The authenticated user name; empty for anonymous.
        thumb: SHA-1 thumbprint of the client's certificate, when one was proven.
        device: Path of the device it was about.
        subject: Node id, topic, filter, file: whatever names the thing.
        tags: Paths of the tags it touched.
        values: Their values, in the order of ``tags``; a payload for MQTT.
        status: 0 good; else the protocol's own code.
        detail: What only this protocol knows.
    """

    kind: str
    protocol: ProtocolName
    client: str = ""
    session: str = ""
    app: str = ""
    user: str = ""
    thumb: str = ""
    device: str = ""
    subject: str = ""
    tags: list[str] = []
    values: list[Any] = []
    status: int = 0
    detail: dict[str, Any] = {}


class Record(Event, kw_only=True, omit_defaults=True, gc=False):
    """An event as it stands in the journal.

    Attributes:
        seq: Number in the attempt, from 1, without gaps over all epochs.
        t: Simulated nanoseconds.
        w: Wall time, UTC nanoseconds.
        m: Monotonic nanoseconds of the host.
    """

    seq: int
    t: int
    w: int
    m: int


Entry: TypeAlias = Event | bytes
"""An event, or its JSON as `labsim.evidence.encoding.encode` gives it."""


class Sink(Protocol):
    """Where endpoints put events. When it returns, the event is kept; the reply may leave.

    Raises:
        EvidenceError: it could not be kept; the endpoint must not answer.
    """

    def __call__(self, event: Event, /) -> None:
        """Keep one event."""
        ...
