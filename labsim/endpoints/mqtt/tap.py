"""The evidence tap: what passes between clients and a broker that is not ours, told as our own broker would tell it.

Bytes in, events out, no socket. Whoever carries the bytes hands each segment to `Tapped` before it sends it on, unchanged; so a
message is evidence before the broker has it, and an answer before the client has it. What the wire does not show (messages
that the broker drops, what an access list of MQTT 3.1.1 refuses) is not told.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Collection, Iterable
from typing import Any

from labsim.endpoints.mqtt import packet as mqtt
from labsim.endpoints.mqtt.aliases import AliasesIn
from labsim.endpoints.mqtt.decode import parse, parse_publish
from labsim.endpoints.mqtt.evidence import Witness, describe_subscription, describe_will
from labsim.endpoints.mqtt.field import Reader
from labsim.endpoints.mqtt.packet import LEVEL, LEVEL_5, ProtocolViolation
from labsim.endpoints.mqtt.properties import describe_properties, read_properties
from labsim.endpoints.mqtt.splitter import Splitter
from labsim.evidence.event import Sink

_AUTHORS = 1000
_EARLY = 1000
_CONNECT_BYTE = 0x10
_CONNACK, _SUBACK = 2, 9
_FROM_BROKER = frozenset({_CONNACK, mqtt.PUBACK, mqtt.PUBREC, _SUBACK, mqtt.DISCONNECT})
_IN_CONNACK = frozenset(
    {
        "session_expiry", "receive_maximum", "maximum_qos", "retain_available", "maximum_packet_size",
        "assigned_client_id", "topic_alias_maximum", "reason_string", "user", "wildcard_available",
        "identifiers_available", "shared_available", "server_keep_alive", "response_information", "server_reference",
        "authentication_method", "authentication_data",
    }
)  # fmt: skip
_IN_SUBACK = frozenset({"reason_string", "user"})
_TAKEN_OVER, _KEEP_ALIVE = 0x8E, 0x8D


class Tap:
    """Everything that is known of one broker's clients.

    Args:
        sink: Where evidence goes.
        users: Names of the accounts that the broker is said to have; any other name proves nothing.
        name: Begins the session names in evidence.
    """

    def __init__(self, sink: Sink, users: Collection[str] = (), name: str = "mqtt") -> None:
        self.sink, self.users, self.name = sink, frozenset(users), name
        self.current: dict[str, Tapped] = {}  # the last that came with a client id
        self.received: dict[str, set[int]] = {}  # QoS 2 messages not yet released, by client id
        self.wills: dict[str, tuple[float, Callable[[], None]]] = {}  # those with a delay, by client id
        self._authors: OrderedDict[tuple[str, int], tuple[str, str]] = OrderedDict()
        self._opened = 0

    def open(self, client: str, now: float) -> Tapped:
        """A new connection from ``client`` (ip:port) at the monotonic time ``now``.

        Raises:
            EvidenceError: it could not be kept; as from every method here and of `Tapped`.
        """
        self._opened += 1
        return Tapped(self, client, f"{self.name}-{self._opened}", now)

    def check(self, now: float) -> None:
        """Tell of wills whose delay is over (version 5 §3.1.3.2.2)."""
        for client_id, (due, tell) in list(self.wills.items()):
            if due <= now:
                del self.wills[client_id]
                tell()

    def note_author(self, topic: str, payload: bytes, app: str, user: str) -> None:
        """Remember who published something."""
        self._authors[topic, hash(payload)] = (app, user)
        if len(self._authors) > _AUTHORS:
            self._authors.popitem(last=False)

    def author(self, topic: str, payload: bytes) -> tuple[str, str]:
        """Client id and user of who published that last; empty for a stranger."""
        return self._authors.get((topic, hash(payload)), ("", ""))


class Tapped:
    """One connection; made by `Tap.open`."""

    def __init__(self, tap: Tap, client: str, name: str, now: float) -> None:
        self._tap, self._witness = tap, Witness(tap.sink, client, name)
        self._up: Splitter | None = Splitter()
        self._down: Splitter | None = Splitter(_FROM_BROKER)
        self._level, self._heard, self._told = LEVEL, now, 0
        self._asked: mqtt.Connect | None = None  # the CONNECT, until it is answered
        self._older: Tapped | None = None  # who had its client id before
        self._strange: int | None = None  # level of a CONNECT that we do not know
        self._session: mqtt.Connect | None = None  # the same, once it is accepted
        self._will: mqtt.Will | None = None
        self._patience = 0.0  # silence that a broker may end, in seconds; 0 for any
        self._begun = self._clean = self._ended = False
        self._aliases = AliasesIn(0xFFFF)
        self._early: list[tuple[int, bytes]] = []  # what came before the CONNECT was answered
        self._subscribes: dict[int, mqtt.Subscribe] = {}
        self._waiting: dict[int, Callable[..., None]] = {}  # messages whose reason code is still to come
        self._witness.note("open")

    # What its carrier reports.

    def client_sent(self, data: bytes, now: float) -> None:
        """A segment from the client, which goes to the broker next."""
        if self._up is None or self._ended:
            return
        if not self._begun and data and data[0] != _CONNECT_BYTE:
            self._up = None
            self._witness.note("reject", reason="the first packet is not a CONNECT")
            return
        self._begun = True
        self._take(self._up.split(data), now)

    def _take(self, packets: Iterable[tuple[int, bytes]], now: float | None = None) -> None:
        try:
            for header, body in packets:
                if self._up is None:
                    return
                self._heard = now or self._heard
                if self._asked is None:
                    self._from_client(header, body)
                elif len(self._early) == _EARLY:
                    raise ProtocolViolation(f"more than {_EARLY} packets before the CONNECT is answered")
                else:
                    self._early.append((header, body))
        except ProtocolViolation as error:
            self._up = None  # what the broker makes of it is the broker's
            self._witness.note("reject", reason=str(error))

    def broker_sent(self, data: bytes, now: float) -> None:
        """A segment from the broker, which goes to the client next."""
        if self._down is None or self._ended:
            return
        try:
            for header, body in self._down.split(data):
                self._from_broker(header >> 4, Reader(body, 0, len(body)), now)
        except ProtocolViolation:
            self._down = None  # no fault of the client's, and the client will say so itself

    def client_gone(self, now: float) -> None:
        """The client's socket is closed."""
        self._end("", now)

    def broker_gone(self, now: float) -> None:
        """The broker has closed the connection: for another with the same client id, for silence, or for its own reasons."""
        if self._ended or self._clean:
            self._end("", now)
            return
        reason = ""
        app = self._witness.app
        taken_over = bool(app) and self._session is not None and self._tap.current.get(app) is not self
        if self._told == _TAKEN_OVER or taken_over:
            self._witness.note("takeover")
        elif self._told == _KEEP_ALIVE or (self._patience and now - self._heard >= self._patience):
            self._witness.note("timeout", reason="keep-alive")
        elif self._session is not None and self._up is not None:
            reason = "closed by the broker"
        self._end(reason, now)

    def stop(self, now: float) -> None:
        """The endpoint stops; it is not the client that went."""
        self._will = None
        self._end("the endpoint stops", now)

    def _end(self, reason: str, now: float) -> None:
        if self._ended:
            return
        self._ended = True
        app = self._witness.app
        for tell in self._waiting.values():
            tell()  # sent and never answered
        self._waiting.clear()
        if self._asked is not None:
            self._note_connect(self._asked, -1, "the broker did not answer")
        if self._tap.current.get(app) is self:
            del self._tap.current[app]
        why: dict[str, Any] = {"reason": reason} if reason else {}
        self._witness.note("close", clean=self._clean, **why)
        will, session = self._will, self._session
        if will is None or session is None:
            return
        kept = session.properties.get("session_expiry", 0) if self._level == LEVEL_5 else 0
        delay = min(will.properties.get("will_delay", 0), kept)
        if delay:
            self._tap.wills[app] = (now + delay, lambda: self._note_will(will))
        else:
            self._note_will(will)

    @property
    def _who(self) -> str:
        """The client id; for a client whose id only the broker knows, its connection."""
        return self._witness.app or self._witness.session

    # From the client.

    def _from_client(self, header: int, body: bytes) -> None:
        kind = header >> 4
        if (self._session is None) != (kind == mqtt.CONNECT):
            raise ProtocolViolation("a second CONNECT" if self._session else "the first packet is not a CONNECT")
        if kind == mqtt.PUBLISH:
            self._publish(parse_publish(header, body, 0, len(body), self._level))
            return
        if kind == mqtt.AUTH:
            return
        try:
            packet = parse(header, body, 0, len(body), self._level)
        except mqtt.UnsupportedLevel as error:
            self._strange, self._up = error.args[0], None
            return
        match packet:
            case mqtt.Connect():
                self._connect(packet)
            case mqtt.Subscribe():
                self._subscribes[packet.mid] = packet
            case mqtt.Unsubscribe():
                for pattern in packet.filters:
                    self._witness.note("unsubscribe", pattern)
            case mqtt.Ack(kind=mqtt.PUBREL):
                self._tap.received.get(self._who, set()).discard(packet.mid)
            case mqtt.Disconnect():
                facts: dict[str, Any] = {}
                if packet.properties:
                    facts["properties"] = describe_properties(packet.properties)
                self._clean = packet.code == 0
                if self._clean:
                    self._will = None  # [MQTT-3.14.4-3]
                self._witness.note("disconnect", status=packet.code, **facts)

    def _connect(self, packet: mqtt.Connect) -> None:
        self._asked, self._level, self._witness.app = packet, packet.level, packet.client_id
        if packet.client_id:
            self._older = self._tap.current.get(packet.client_id)
            self._tap.current[packet.client_id] = self

    def _publish(self, packet: mqtt.Publish) -> None:
        topic = packet.topic
        facts: dict[str, Any] = {}
        if self._level == LEVEL_5:
            topic = self._aliases.topic(topic, packet.properties)
            if packet.properties is not None:
                facts["properties"] = describe_properties(packet.properties)
        repeat = False
        if packet.qos == 2:
            received = self._tap.received.setdefault(self._who, set())
            repeat = packet.mid in received
            received.add(packet.mid)
        if repeat:
            facts["repeat"] = True
        else:
            self._tap.note_author(topic, packet.payload, self._witness.app, self._witness.user)

        def tell(code: int = 0) -> None:
            refused: dict[str, Any] = {"action": "publish", "reason": f"reason code {code:#04x}"} if code else {}
            kind = "deny" if code else "publish"
            self._witness.note_message(
                kind, topic, packet.payload, packet.qos, packet.retain, packet.dup, packet.mid, **refused, **facts
            )  # fmt: skip

        if packet.qos and self._level == LEVEL_5 and not repeat:
            self._waiting[packet.mid] = tell  # version 5 says in the acknowledgement whether it is taken
        else:
            tell()

    # From the broker.

    def _from_broker(self, kind: int, body: Reader, now: float) -> None:
        match kind:
            case 2:
                self._connack(body, now)
            case mqtt.PUBACK | mqtt.PUBREC:
                tell = self._waiting.pop(body.mid(), None)
                code = body.byte() if body.left else 0
                if tell is not None:
                    tell(code if code >= 0x80 else 0)
            case 9:
                self._suback(body)
            case mqtt.DISCONNECT:
                self._told = body.byte() if body.left else 0

    def _connack(self, body: Reader, now: float) -> None:
        present, code = body.byte() & 1, body.byte()
        properties = read_properties(body, _IN_CONNACK, "CONNACK") if self._level == LEVEL_5 and body.left else {}
        asked, self._asked = self._asked, None
        if asked is None:
            if self._strange is not None:
                self._witness.note("connect", status=code, level=self._strange)
            return
        app = self._witness.app = asked.client_id or properties.get("assigned_client_id", "")
        if code == 0 and asked.user is not None and asked.user in self._tap.users:
            self._witness.user = asked.user
        self._note_connect(asked, code, resumed=bool(present))
        if code:
            self._up = None
            if self._older is not None and self._tap.current.get(app) is self:
                self._tap.current[app] = self._older
            return
        self._session, self._will = asked, asked.will
        self._patience = float(properties.get("server_keep_alive", asked.keepalive))
        if app:
            self._tap.current[app] = self
        older, self._older = self._older, None
        if older is not None and not older._ended:  # noqa: SLF001 - another of its kind
            older.broker_gone(now)
        _, tell = self._tap.wills.pop(app, (0.0, None))
        if not present:
            self._tap.received.pop(app, None)
            if tell is not None:
                tell()  # with its session ends the delay of a will; else it has come back in time [MQTT-3.1.3-9]
        early, self._early = self._early, []
        self._take(early)

    def _note_connect(self, packet: mqtt.Connect, code: int, reason: str = "", *, resumed: bool = False) -> None:
        facts: dict[str, Any] = {}
        if packet.properties:
            shown = {name: value for name, value in packet.properties.items() if name != "authentication_data"}
            facts["properties"] = describe_properties(shown)
        if packet.will is not None:
            facts["will"] = describe_will(packet.will)
        if packet.user is not None and not self._witness.user:
            facts["name"] = packet.user
        if resumed:
            facts["resumed"] = True
        if reason:
            facts["reason"] = reason
        self._witness.note(
            "connect", status=code, level=packet.level, clean=packet.clean, keepalive=packet.keepalive, **facts
        )  # fmt: skip

    def _suback(self, body: Reader) -> None:
        asked = self._subscribes.pop(body.mid(), None)
        if self._level == LEVEL_5:
            read_properties(body, _IN_SUBACK, "SUBACK")
        if asked is None:
            return
        for one in asked.filters:
            code = body.byte()
            if code >= 0x80:
                reason = "refused by the broker"
                self._witness.note("deny", one.pattern, code, action="subscribe", qos=one.qos, reason=reason)
            else:
                facts = describe_subscription(one, asked.identifier) | {"granted": code}
                self._witness.note("subscribe", one.pattern, **facts)

    def _note_will(self, will: mqtt.Will) -> None:
        more: dict[str, Any] = {"will": True}
        if will.properties:
            more["properties"] = describe_properties(will.properties)
        self._tap.note_author(will.topic, will.payload, self._witness.app, self._witness.user)
        self._witness.note_message("publish", will.topic, will.payload, will.qos, will.retain, **more)
