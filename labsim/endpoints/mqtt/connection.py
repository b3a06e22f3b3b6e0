"""One client's connection: the state machine from the first byte to the last, without a socket."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from labsim.endpoints.mqtt import packet as mqtt
from labsim.endpoints.mqtt.aliases import AliasesIn, AliasesOut
from labsim.endpoints.mqtt.decode import frame, parse, parse_publish
from labsim.endpoints.mqtt.encode import (
    PINGRESP,
    SUBSCRIPTION_FAILED,
    encode_ack,
    encode_connack,
    encode_connack5,
    encode_publish,
    encode_suback,
    encode_unsuback,
)  # fmt: skip
from labsim.endpoints.mqtt.evidence import Witness, describe_connect, describe_subscription
from labsim.endpoints.mqtt.packet import LEVEL, LEVEL_5, ProtocolViolation
from labsim.endpoints.mqtt.properties import describe_properties
from labsim.endpoints.mqtt.rate import Bucket
from labsim.endpoints.mqtt.reason import (
    KEEP_ALIVE,
    NO_MATCHING_SUBSCRIBERS,
    NO_SUBSCRIPTION_EXISTED,
    PROTOCOL_ERROR,
    QUOTA,
    RATE,
    RECEIVE_MAXIMUM,
    SHUTTING_DOWN,
    SUCCESS,
    TAKEN_OVER,
    UNKNOWN_IDENTIFIER,
    connack_311,
)  # fmt: skip
from labsim.endpoints.mqtt.session import Message, Session, Subscription
from labsim.endpoints.mqtt.terms import Terms, granted_expiry
from labsim.endpoints.mqtt.topic import check_filter, shared
from labsim.errors import EvidenceError

if TYPE_CHECKING:
    from labsim.endpoints.mqtt.broker import Broker

_CONNECT_BYTE = 0x10
_CONNECT_5 = b"\x00\x04MQTT\x05"


class Connection:
    """One connection; made by `Broker.open`.

    What it does is told to the sink before any of its effects: an event that cannot be kept has no answer, and the
    connection ends.

    Attributes:
        ended: Nothing more is taken in; the shell sends the output that is left and closes the socket.
        witness: Speaks to the sink for it.
        level: Version of the protocol, 4 until the CONNECT says otherwise.
        window: How many messages of QoS 1 and 2 may be on their way to the client.
    """

    def __init__(
        self, broker: Broker, name: str, now: float, client: str = "", common_name: str = "", thumb: str = "",
        transport: str = "mqtt",
    ) -> None:  # fmt: skip
        self.broker, self.witness, self.ended = broker, Witness(broker.sink, client, name, thumb=thumb), False
        self.level, self.window = LEVEL, broker.limits.window
        self._terms = Terms()
        self._common_name = common_name
        self._session: Session | None = None
        self._will: mqtt.Will | None = None
        self._patience: float | None = broker.limits.connect_s
        self._heard = now
        self._rest = bytearray()
        self._need = 0
        self._output: list[bytes] = []
        self._aliases_in = AliasesIn(broker.limits.aliases)
        self._aliases_out = AliasesOut(0)
        self._rate = Bucket(broker.limits.rate, now)
        self._keep_or_end("open", {} if transport == "mqtt" else {"transport": transport})

    @property
    def deadline(self) -> float | None:
        """When it ends if nothing comes, in the shell's monotonic seconds; None for never."""
        return None if self._patience is None or self.ended else self._heard + self._patience

    @property
    def now(self) -> float:
        """The broker's time."""
        return self.broker.now

    def send(self, data: bytes) -> None:
        """Add to the output; the shell sends it when the segment has been dealt with."""
        if not self._output:
            self.broker.touch(self)
        self._output.append(data)

    def publish(self, message: Message, mid: int = 0, *, dup: bool = False) -> bool:
        """Add a message to the output; False when it is larger than the client takes [MQTT-3.1.2-24 in version 5]."""
        if self.level == LEVEL:
            self.send(encode_publish(message.topic, message.payload, message.qos, mid, retain=message.retain, dup=dup))
            return True
        data = self._aliases_out.encode(message, mid, dup, self.now, self._terms.largest)
        if data is None:
            session = self._session
            assert session is not None, "messages come through a session"
            session.dropped += 1
            self.broker.dropped(session, message.topic[2:].decode(), "larger than the client takes")
            return False
        self.send(data)
        return True

    def take_output(self) -> bytes:
        """The output so far, which is then the shell's."""
        self.broker.counters.packets_out += len(self._output)
        data = self._output[0] if len(self._output) == 1 else b"".join(self._output)
        self._output.clear()
        return data

    # What the shell reports.

    def receive(self, data: bytes, now: float) -> None:
        """Take in a segment: any number of packets, whole or in part (§4.2)."""
        if self.ended:
            return
        self.broker.now = now
        self.broker.counters.bytes_in += len(data)
        if self._rest:
            self._rest += data
            if len(self._rest) < self._need:
                return
            data = bytes(self._rest)
            self._rest.clear()
        try:
            at = self._packets(data, now)
        except ProtocolViolation as error:
            self._reject(error)
        except EvidenceError:
            self.end()
        else:
            self._rest += data[at:]

    def check(self, now: float) -> None:
        """End the connection if its deadline has passed [MQTT-3.1.2-24]."""
        deadline = self.deadline
        if deadline is not None and now >= deadline:
            self.broker.now = now
            self._keep_or_end("timeout", {"reason": "keep-alive" if self._session else "no CONNECT"})
            self.end(code=KEEP_ALIVE)

    def cut(self) -> None:
        """End the connection because its client does not read what is sent to it."""
        self._keep_or_end("drop", {"reason": "the client does not read"})
        self.end(code=QUOTA)

    def refuse(self, reason: str) -> None:
        """End the connection because what came below MQTT was not as MQTT wants it."""
        if not self.ended:
            self._keep_or_end("reject", {"reason": reason})
            self.end()

    def push_out(self) -> None:
        """End the connection, which has not sent CONNECT, because too many such have come after it."""
        self.end(reason="too many connections without a CONNECT")

    def take_over(self) -> None:
        """End the connection because its client id has come again."""
        self._keep_or_end("takeover")
        self.end(code=TAKEN_OVER)

    def stop(self) -> None:
        """End the connection because the endpoint stops."""
        self._will = None  # it is not the client that went
        self.end(reason="the endpoint stops", code=SHUTTING_DOWN)

    def end(self, *, clean: bool = False, reason: str = "", code: int = 0) -> None:
        """Be over, also when the socket is gone; a will is published unless the client took its leave (``clean``).

        ``code`` is what a connected client of version 5 is told in a DISCONNECT [MQTT-3.14.0-1, MQTT-4.13.1-1].
        """
        if self.ended:
            return
        if code and self.level == LEVEL_5 and self._session is not None:
            self.send(self._terms.disconnect(code, reason))
        self.ended = True
        self.broker.strangers.pop(self, None)
        if not self._output:
            self.broker.touch(self)
        session = self._session
        if session is not None:
            self.broker.leave(session)
        why: dict[str, Any] = {"reason": reason} if reason else {}
        try:
            self.witness.note("close", clean=clean, **why)
        except EvidenceError:
            return  # there is no answer to hold back, and the sink itself stops the lab
        if self._will is not None and session is not None:
            self.broker.leave_will(self.witness, self._will, session)

    def _reject(self, error: ProtocolViolation) -> None:
        more: dict[str, Any] = {"code": error.code} if self.level == LEVEL_5 else {}
        try:
            self.witness.note("reject", reason=str(error), **more)
        except EvidenceError:
            self.end()
            return
        if self._session is None and self.level == LEVEL_5:
            self.send(encode_connack5(error.code, False, {"reason_string": str(error)}))
        self.end(code=error.code, reason=str(error) if self._terms.explains else "")

    # What packets do.

    def _packets(self, data: bytes, now: float) -> int:
        """Deal with every whole packet; where the incomplete one begins."""
        at, size, limit, counters = 0, len(data), self.broker.limits.packet, self.broker.counters
        while at < size and not self.ended:
            header = data[at]
            if self._session is None and header != _CONNECT_BYTE:
                raise ProtocolViolation("the first packet is not a CONNECT")  # [MQTT-3.1.0-1]
            found = frame(data, at, limit)
            if found is None:
                self._need = 0
                break
            start, end = found
            if end > size:
                self._need = end - at
                break
            self._heard = now
            counters.packets_in += 1
            if header >> 4 == mqtt.PUBLISH:
                counters.publish_in += 1
                self._publish(parse_publish(header, data, start, end, self.level))
            else:
                self._packet(header, data, start, end)
            at = end
        return at

    def _packet(self, header: int, data: bytes, start: int, end: int) -> None:
        session = self._session
        if session is None and data[start : start + len(_CONNECT_5)] == _CONNECT_5:
            self.level = LEVEL_5  # so that also a malformed CONNECT is answered in the client's version
        try:
            packet = parse(header, data, start, end, self.level)
        except mqtt.UnsupportedLevel as error:
            if session is None:
                self.witness.note("connect", status=1, level=error.args[0])
                self.send(encode_connack(1))
                self.end()
                return
            raise ProtocolViolation("a second CONNECT", PROTOCOL_ERROR) from None
        if isinstance(packet, mqtt.Connect):
            if session is not None:
                raise ProtocolViolation("a second CONNECT", PROTOCOL_ERROR)  # [MQTT-3.1.0-2]
            self._connect(packet)
            return
        assert session is not None, "only a CONNECT gets here before a session is there"
        match packet:
            case mqtt.Ack(kind=mqtt.PUBACK):
                session.on_puback(packet.mid)
            case mqtt.Ack(kind=mqtt.PUBREC):
                session.on_pubrec(packet.mid, packet.code)
            case mqtt.Ack(kind=mqtt.PUBREL):
                unknown = self.level == LEVEL_5 and packet.mid not in session.received
                session.received.discard(packet.mid)
                self.send(encode_ack(mqtt.PUBCOMP, packet.mid, UNKNOWN_IDENTIFIER if unknown else 0))
            case mqtt.Ack():
                session.on_pubcomp(packet.mid)
            case mqtt.Subscribe():
                self._subscribe(session, packet)
            case mqtt.Unsubscribe():
                self._unsubscribe(session, packet)
            case mqtt.PingReq():
                self.send(PINGRESP)
            case mqtt.Disconnect():
                self._disconnect(session, packet)

    def _connect(self, packet: mqtt.Connect) -> None:
        broker, witness, facts = self.broker, self.witness, describe_connect(packet)
        terms = Terms.of(packet, broker.limits)
        code, user, why = broker.judge(packet, self._common_name)
        witness.app, witness.user = packet.client_id, user
        told: dict[str, Any] = {}
        if code == SUCCESS and not packet.client_id:
            witness.app = told["assigned_client_id"] = broker.new_client_id()
        if packet.user is not None and not user:
            facts["name"] = packet.user  # what it called itself, which proves nothing
        if code == SUCCESS and broker.would_resume(packet):
            facts["resumed"] = True
        if why:
            facts["reason"] = why
        status = code if packet.level == LEVEL_5 else connack_311(code)
        witness.note(
            "connect", status=status, level=packet.level, clean=packet.clean, keepalive=packet.keepalive, **facts
        )  # fmt: skip
        if code != SUCCESS:
            more = {"reason_string": why} if why else {}
            self.send(encode_connack5(code, False, more) if packet.level == LEVEL_5 else encode_connack(status))
            self.end()  # [MQTT-3.2.2-5]; what follows is not looked at [MQTT-3.1.4-5]
            return
        broker.strangers.pop(self, None)
        session, present = broker.enter(self, witness.app, packet.clean, user)
        self._session, self._will, self._terms = session, packet.will, terms
        self._patience, session.expiry, self.window = terms.patience, terms.expiry, terms.window
        if terms.level == LEVEL_5:
            self._aliases_out = AliasesOut(terms.aliases)
            self.send(encode_connack5(code, present, (terms.told or {}) | told))
        else:
            self.send(encode_connack(code, present=present))
        session.attach(self)

    def _publish(self, packet: mqtt.Publish) -> None:
        session, broker, witness = self._session, self.broker, self.witness
        assert session is not None, "only a CONNECT gets here before there is a session"
        topic, payload, qos, retain, dup, mid, properties = (
            packet.topic, packet.payload, packet.qos, packet.retain, packet.dup, packet.mid, packet.properties
        )  # fmt: skip
        if not self._rate.take(broker.now):
            raise ProtocolViolation(f"more than {self._rate.most} messages a second", RATE)
        more: dict[str, Any] = {}
        if self.level == LEVEL_5:
            topic = self._aliases_in.topic(topic, properties)
            if properties is not None:
                more["properties"] = describe_properties(properties)
        repeat = qos == 2 and mid in session.received
        if qos == 2 and not repeat and self.level == LEVEL_5 and len(session.received) >= broker.limits.receive:
            raise ProtocolViolation(f"more than {broker.limits.receive} messages not released", RECEIVE_MAXIMUM)
        route = broker.router.route(topic)
        code, reason = broker.refusal(witness, route, payload, properties)
        if repeat:
            code, reason = 0, ""
            witness.note_message("publish", topic, payload, qos, retain, dup, mid, repeat=True, **more)
        elif reason:  # 3.1.1 acknowledges it all the same: it has no other answer but to hang up [MQTT-3.3.5-2]
            witness.note_message(
                "deny", topic, payload, qos, retain, dup, mid, action="publish", reason=reason, **more
            )  # fmt: skip
        else:
            witness.note_message("publish", topic, payload, qos, retain, dup, mid, **more)
            if not broker.deliver(route, payload, qos, retain, properties, session):
                code = NO_MATCHING_SUBSCRIBERS
        if not qos:
            return
        if self.level == LEVEL:
            code = 0
        if qos == 1:
            self.send(self._terms.ack(mqtt.PUBACK, mid, code, reason))
            return
        if code < 0x80:
            session.received.add(mid)
        self.send(self._terms.ack(mqtt.PUBREC, mid, code, reason))

    def _subscribe(self, session: Session, packet: mqtt.Subscribe) -> None:
        broker, new = self.broker, self.level == LEVEL_5
        for asked in packet.filters:
            check_filter(asked.pattern)
            if asked.no_local and shared(asked.pattern) is not None:
                raise ProtocolViolation("No Local on a shared subscription", PROTOCOL_ERROR)  # [MQTT-3.8.3-4]
        granted, taken, why = [], [], ""
        for asked in packet.filters:
            code, reason = broker.subscription_refusal(self.witness, session, asked.pattern)
            if reason:
                code, why = code if new else SUBSCRIPTION_FAILED, reason
                self.witness.note("deny", asked.pattern, code, action="subscribe", qos=asked.qos, reason=reason)
                granted.append(code)
                continue
            self.witness.note("subscribe", asked.pattern, **describe_subscription(asked, packet.identifier))
            taken.append((asked, asked.pattern in session.subscriptions))
            wanted = Subscription(asked.qos, asked.no_local, asked.as_published, packet.identifier)
            broker.router.subscribe(session, asked.pattern, wanted)
            granted.append(asked.qos)
        told = {"reason_string": why} if why and self._terms.explains else {}
        self.send(encode_suback(packet.mid, granted, self.level, told))
        for asked, existed in taken:
            broker.deliver_retained(session, asked, packet.identifier, existed)

    def _unsubscribe(self, session: Session, packet: mqtt.Unsubscribe) -> None:
        for pattern in packet.filters:
            check_filter(pattern)
        codes = []
        for pattern in packet.filters:
            self.witness.note("unsubscribe", pattern)
            there = self.broker.router.unsubscribe(session, pattern)
            codes.append(SUCCESS if there else NO_SUBSCRIPTION_EXISTED)
        self.send(encode_unsuback(packet.mid, codes, self.level))

    def _disconnect(self, session: Session, packet: mqtt.Disconnect) -> None:
        facts: dict[str, Any] = {}
        if packet.properties:
            facts["properties"] = describe_properties(packet.properties)
        if "session_expiry" in packet.properties:
            if packet.properties["session_expiry"] and not self._terms.keeps:
                raise ProtocolViolation("a session expiry after 0 in CONNECT", PROTOCOL_ERROR)  # version 5 §3.14.2.2.2
            session.expiry = granted_expiry(packet.properties["session_expiry"], self.broker.limits)
        if packet.code == SUCCESS:
            self._will = None  # [MQTT-3.14.4-3]
        self.witness.note("disconnect", status=packet.code, **facts)
        self.end(clean=packet.code == SUCCESS)

    def _keep_or_end(self, kind: str, facts: dict[str, Any] | None = None) -> None:
        """Tell an event that has no answer; a connection whose evidence cannot be kept ends."""
        try:
            self.witness.note(kind, **(facts or {}))
        except EvidenceError:
            self.end()
