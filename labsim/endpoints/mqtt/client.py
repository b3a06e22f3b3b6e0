"""A client that the broker has taken in: what it asks, and what it is answered."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from labsim.endpoints.mqtt import packet as mqtt
from labsim.endpoints.mqtt.aliases import AliasesIn
from labsim.endpoints.mqtt.encode import PINGRESP, SUBSCRIPTION_FAILED, encode_ack, encode_suback, encode_unsuback
from labsim.endpoints.mqtt.evidence import describe_subscription
from labsim.endpoints.mqtt.packet import LEVEL, LEVEL_5, ProtocolViolation
from labsim.endpoints.mqtt.properties import describe_properties
from labsim.endpoints.mqtt.rate import Bucket
from labsim.endpoints.mqtt.reason import (
    NO_MATCHING_SUBSCRIBERS,
    NO_SUBSCRIPTION_EXISTED,
    PROTOCOL_ERROR,
    RATE,
    RECEIVE_MAXIMUM,
    SUCCESS,
    UNKNOWN_IDENTIFIER,
)  # fmt: skip
from labsim.endpoints.mqtt.session import Session, Subscription
from labsim.endpoints.mqtt.terms import Terms, granted_expiry
from labsim.endpoints.mqtt.topic import check_filter, shared

if TYPE_CHECKING:
    from labsim.endpoints.mqtt.connection import Connection


class Client:
    """One client between its CONNACK and the end of its connection.

    What it does is told to the sink before any of its effects.

    Args:
        connection: Carries it.
        session: What the broker keeps of it.
        terms: What was agreed on.
        will: Its last message, if it left one.

    Attributes:
        will: Published when the connection ends; None once it has taken its leave.
    """

    def __init__(self, connection: Connection, session: Session, terms: Terms, will: mqtt.Will | None) -> None:
        self.session, self.terms, self.will = session, terms, will
        self._broker, self._witness, self._level = connection.broker, connection.witness, terms.level
        self._send, self._end = connection.send, connection.end
        limits = self._broker.limits
        self._aliases_in, self._rate = AliasesIn(limits.aliases), Bucket(limits.rate, self._broker.now)

    def take(self, packet: mqtt.Packet) -> None:
        """Deal with a packet that is no CONNECT and no PUBLISH.

        Raises:
            ProtocolViolation: it may not be sent, or not now.
            EvidenceError: it could not be kept, and so has no effect and no answer.
        """
        session = self.session
        match packet:
            case mqtt.Ack(kind=mqtt.PUBACK):
                session.on_puback(packet.mid)
            case mqtt.Ack(kind=mqtt.PUBREC):
                session.on_pubrec(packet.mid, packet.code)
            case mqtt.Ack(kind=mqtt.PUBREL):
                unknown = self._level == LEVEL_5 and packet.mid not in session.received
                session.received.discard(packet.mid)
                self._send(encode_ack(mqtt.PUBCOMP, packet.mid, UNKNOWN_IDENTIFIER if unknown else 0))
            case mqtt.Ack():
                session.on_pubcomp(packet.mid)
            case mqtt.Subscribe():
                self._subscribe(packet)
            case mqtt.Unsubscribe():
                self._unsubscribe(packet)
            case mqtt.PingReq():
                self._send(PINGRESP)
            case mqtt.Disconnect():
                self._disconnect(packet)

    def publish(self, packet: mqtt.Publish) -> None:
        """Take a message in, deliver it, acknowledge it.

        Raises:
            ProtocolViolation: more than the limits let through.
            EvidenceError: it could not be kept, and so has no effect and no answer.
        """
        session, broker, witness = self.session, self._broker, self._witness
        topic, payload, qos, retain, dup, mid, properties = (
            packet.topic, packet.payload, packet.qos, packet.retain, packet.dup, packet.mid, packet.properties
        )  # fmt: skip
        if not self._rate.take(broker.now):
            raise ProtocolViolation(f"more than {self._rate.most} messages a second", RATE)
        more: dict[str, Any] = {}
        if self._level == LEVEL_5:
            topic = self._aliases_in.topic(topic, properties)
            if properties is not None:
                more["properties"] = describe_properties(properties)
        repeat = qos == 2 and mid in session.received
        if qos == 2 and not repeat and self._level == LEVEL_5 and len(session.received) >= broker.limits.receive:
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
        if self._level == LEVEL:
            code = 0
        if qos == 1:
            self._send(self.terms.ack(mqtt.PUBACK, mid, code, reason))
            return
        if code < 0x80:
            session.received.add(mid)
        self._send(self.terms.ack(mqtt.PUBREC, mid, code, reason))

    def _subscribe(self, packet: mqtt.Subscribe) -> None:
        broker, session, new = self._broker, self.session, self._level == LEVEL_5
        for asked in packet.filters:
            check_filter(asked.pattern)
            if asked.no_local and shared(asked.pattern) is not None:
                raise ProtocolViolation("No Local on a shared subscription", PROTOCOL_ERROR)  # [MQTT-3.8.3-4]
        granted, taken, why = [], [], ""
        for asked in packet.filters:
            code, reason = broker.subscription_refusal(self._witness, session, asked.pattern)
            if reason:
                code, why = code if new else SUBSCRIPTION_FAILED, reason
                self._witness.note("deny", asked.pattern, code, action="subscribe", qos=asked.qos, reason=reason)
                granted.append(code)
                continue
            self._witness.note("subscribe", asked.pattern, **describe_subscription(asked, packet.identifier))
            taken.append((asked, asked.pattern in session.subscriptions))
            wanted = Subscription(asked.qos, asked.no_local, asked.as_published, packet.identifier)
            broker.router.subscribe(session, asked.pattern, wanted)
            granted.append(asked.qos)
        told = {"reason_string": why} if why and self.terms.explains else {}
        self._send(encode_suback(packet.mid, granted, self._level, told))
        for asked, existed in taken:
            broker.deliver_retained(session, asked, packet.identifier, existed)

    def _unsubscribe(self, packet: mqtt.Unsubscribe) -> None:
        for pattern in packet.filters:
            check_filter(pattern)
        codes = []
        for pattern in packet.filters:
            self._witness.note("unsubscribe", pattern)
            there = self._broker.router.unsubscribe(self.session, pattern)
            codes.append(SUCCESS if there else NO_SUBSCRIPTION_EXISTED)
        self._send(encode_unsuback(packet.mid, codes, self._level))

    def _disconnect(self, packet: mqtt.Disconnect) -> None:
        facts: dict[str, Any] = {}
        if packet.properties:
            facts["properties"] = describe_properties(packet.properties)
        if "session_expiry" in packet.properties:
            if packet.properties["session_expiry"] and not self.terms.keeps:
                raise ProtocolViolation("a session expiry after 0 in CONNECT", PROTOCOL_ERROR)  # version 5 §3.14.2.2.2
            self.session.expiry = granted_expiry(packet.properties["session_expiry"], self._broker.limits)
        if packet.code == SUCCESS:
            self.will = None  # [MQTT-3.14.4-3]
        self._witness.note("disconnect", status=packet.code, **facts)
        self._end(clean=packet.code == SUCCESS)
