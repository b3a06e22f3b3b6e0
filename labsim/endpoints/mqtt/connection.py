"""One client's connection: the state machine from the first byte to the last, without a socket."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from labsim.endpoints.mqtt import packet as mqtt
from labsim.endpoints.mqtt.evidence import Witness, describe_will
from labsim.endpoints.mqtt.packet import ProtocolViolation
from labsim.endpoints.mqtt.session import Session
from labsim.endpoints.mqtt.topic import check_filter, check_topic
from labsim.errors import EvidenceError

if TYPE_CHECKING:
    from labsim.endpoints.mqtt.broker import Broker

_CONNECT_BYTE = 0x10


class Connection:
    """One connection; made by `Broker.open`.

    What it does is told to the sink before any of its effects: an event that cannot be kept has no answer, and the
    connection ends.

    Attributes:
        ended: Nothing more is taken in; the shell sends the output that is left and closes the socket.
        witness: Speaks to the sink for it.
    """

    def __init__(self, broker: Broker, client: str, name: str, now: float) -> None:
        self.broker, self.witness, self.ended = broker, Witness(broker.sink, client, name), False
        self._session: Session | None = None
        self._will: mqtt.Will | None = None
        self._patience: float | None = broker.limits.connect_s
        self._heard = now
        self._rest = bytearray()
        self._need = 0
        self._output: list[bytes] = []
        self._keep_or_end("open")

    @property
    def deadline(self) -> float | None:
        """When it ends if nothing comes, in the shell's monotonic seconds; None for never."""
        return None if self._patience is None or self.ended else self._heard + self._patience

    def send(self, data: bytes) -> None:
        """Add to the output; the shell sends it when the segment has been dealt with."""
        if not self._output:
            self.broker.touch(self)
        self._output.append(data)

    def take_output(self) -> bytes:
        """The output so far, which is then the shell's."""
        data = self._output[0] if len(self._output) == 1 else b"".join(self._output)
        self._output.clear()
        return data

    # What the shell reports.

    def receive(self, data: bytes, now: float) -> None:
        """Take in a segment: any number of packets, whole or in part (§4.2)."""
        if self.ended:
            return
        if self._rest:
            self._rest += data
            if len(self._rest) < self._need:
                return
            data = bytes(self._rest)
            self._rest.clear()
        try:
            at = self._packets(data, now)
        except ProtocolViolation as error:
            self._keep_or_end("reject", reason=str(error))
            self.end()
        except EvidenceError:
            self.end()
        else:
            self._rest += data[at:]

    def check(self, now: float) -> None:
        """End the connection if its deadline has passed [MQTT-3.1.2-24]."""
        deadline = self.deadline
        if deadline is not None and now >= deadline:
            self._keep_or_end("timeout", reason="keep-alive" if self._session else "no CONNECT")
            self.end()

    def cut(self) -> None:
        """End the connection because its client does not read what is sent to it."""
        self._keep_or_end("drop", reason="the client does not read")
        self.end()

    def take_over(self) -> None:
        """End the connection because its client id has come again."""
        self._keep_or_end("takeover")
        self.end()

    def stop(self) -> None:
        """End the connection because the endpoint stops."""
        self._will = None  # it is not the client that went
        self.end(reason="the endpoint stops")

    def end(self, *, clean: bool = False, reason: str = "") -> None:
        """Be over, also when the socket is gone; a will is published unless the client took its leave (``clean``)."""
        if self.ended:
            return
        self.ended = True
        if not self._output:
            self.broker.touch(self)
        if self._session is not None:
            self.broker.leave(self._session)
        why: dict[str, Any] = {"reason": reason} if reason else {}
        try:
            self.witness.note("close", clean=clean, **why)
        except EvidenceError:
            return  # there is no answer to hold back, and the sink itself stops the lab
        if self._will is not None:
            self.broker.publish_will(self.witness, self._will)

    # What packets do.

    def _packets(self, data: bytes, now: float) -> int:
        """Deal with every whole packet; where the incomplete one begins."""
        at, size, limit = 0, len(data), self.broker.limits.packet
        while at < size and not self.ended:
            header = data[at]
            if self._session is None and header != _CONNECT_BYTE:
                raise ProtocolViolation("the first packet is not a CONNECT")  # [MQTT-3.1.0-1]
            found = mqtt.frame(data, at, limit)
            if found is None:
                self._need = 0
                break
            start, end = found
            if end > size:
                self._need = end - at
                break
            self._heard = now
            if header >> 4 == mqtt.PUBLISH:
                self._publish(mqtt.parse_publish(header, data, start, end))
            else:
                self._packet(header, data, start, end)
            at = end
        return at

    def _packet(self, header: int, data: bytes, start: int, end: int) -> None:
        session = self._session
        try:
            packet = mqtt.parse(header, data, start, end)
        except mqtt.UnsupportedLevel as error:
            if session is None:
                self._refuse_level(error.args[0])
                return
            raise ProtocolViolation("a second CONNECT") from None
        if isinstance(packet, mqtt.Connect):
            if session is not None:
                raise ProtocolViolation("a second CONNECT")  # [MQTT-3.1.0-2]
            self._connect(packet)
            return
        assert session is not None, "only a CONNECT gets here before a session is there"
        match packet:
            case mqtt.Ack(kind=mqtt.PUBACK):
                session.on_puback(packet.mid)
            case mqtt.Ack(kind=mqtt.PUBREC):
                session.on_pubrec(packet.mid)
            case mqtt.Ack(kind=mqtt.PUBREL):
                session.received.discard(packet.mid)
                self.send(mqtt.encode_ack(mqtt.PUBCOMP, packet.mid))
            case mqtt.Ack():
                session.on_pubcomp(packet.mid)
            case mqtt.Subscribe():
                self._subscribe(session, packet)
            case mqtt.Unsubscribe():
                self._unsubscribe(session, packet)
            case mqtt.PingReq():
                self.send(mqtt.PINGRESP)
            case mqtt.Disconnect():
                self._will = None  # [MQTT-3.14.4-3]
                self.witness.note("disconnect")
                self.end(clean=True)

    def _refuse_level(self, level: int) -> None:
        code, answer = mqtt.encode_bad_level(level)
        self.witness.note("connect", status=code, level=level)
        self.send(answer)
        self.end()

    def _connect(self, packet: mqtt.Connect) -> None:
        broker, witness = self.broker, self.witness
        facts: dict[str, Any] = {}
        if packet.will is not None:
            check_topic(packet.will.topic)
            facts["will"] = describe_will(packet.will)
        code, user = broker.judge(packet)
        witness.app, witness.user = packet.client_id, user
        if code == mqtt.ACCEPTED and not packet.client_id:
            witness.app = broker.new_client_id()
        if packet.user is not None and not user:
            facts["name"] = packet.user  # what it called itself, which proves nothing
        if code == mqtt.ACCEPTED and broker.would_resume(packet):
            facts["resumed"] = True
        witness.note(
            "connect", status=code, level=mqtt.LEVEL, clean=packet.clean, keepalive=packet.keepalive, **facts
        )  # fmt: skip
        if code != mqtt.ACCEPTED:
            self.send(mqtt.encode_connack(code))
            self.end()  # [MQTT-3.2.2-5]; what follows is not looked at [MQTT-3.1.4-5]
            return
        session, present = broker.enter(self, witness.app, packet.clean)
        self._session, self._will = session, packet.will
        self._patience = packet.keepalive * 1.5 if packet.keepalive else None
        self.send(mqtt.encode_connack(code, present=present))
        session.attach(self)

    def _publish(self, packet: mqtt.Publish) -> None:
        session, broker, witness = self._session, self.broker, self.witness
        assert session is not None, "only a CONNECT gets here before there is a session"
        topic, payload, qos, retain, dup, mid = (
            packet.topic, packet.payload, packet.qos, packet.retain, packet.dup, packet.mid
        )  # fmt: skip
        route = broker.router.route(topic)
        reason = broker.refusal(witness, route)
        if reason:  # acknowledged all the same: 3.1.1 has no other answer but to hang up [MQTT-3.3.5-2]
            witness.note_message("deny", topic, payload, qos, retain, dup, mid, action="publish", reason=reason)
        elif qos == 2 and mid in session.received:
            witness.note_message("publish", topic, payload, qos, retain, dup, mid, repeat=True)
        else:
            witness.note_message("publish", topic, payload, qos, retain, dup, mid)
            broker.deliver(route, payload, qos, retain)
        if qos == 1:
            self.send(mqtt.encode_ack(mqtt.PUBACK, mid))
        elif qos == 2:
            session.received.add(mid)
            self.send(mqtt.encode_ack(mqtt.PUBREC, mid))

    def _subscribe(self, session: Session, packet: mqtt.Subscribe) -> None:
        broker, granted = self.broker, []
        for pattern, _ in packet.filters:
            check_filter(pattern)
        for pattern, qos in packet.filters:
            reason = broker.subscription_refusal(self.witness, session, pattern)
            if reason:
                self.witness.note("deny", pattern, mqtt.SUBSCRIPTION_FAILED, action="subscribe", qos=qos, reason=reason)
                granted.append(mqtt.SUBSCRIPTION_FAILED)
            else:
                self.witness.note("subscribe", pattern, qos=qos, granted=qos)
                broker.router.subscribe(session, pattern, qos)
                granted.append(qos)
        self.send(mqtt.encode_suback(packet.mid, granted))
        for (pattern, _), qos in zip(packet.filters, granted, strict=True):
            if qos != mqtt.SUBSCRIPTION_FAILED:
                broker.deliver_retained(session, pattern, qos)

    def _unsubscribe(self, session: Session, packet: mqtt.Unsubscribe) -> None:
        for pattern in packet.filters:
            check_filter(pattern)
        for pattern in packet.filters:
            self.witness.note("unsubscribe", pattern)
            self.broker.router.unsubscribe(session, pattern)
        self.send(mqtt.encode_unsuback(packet.mid))

    def _keep_or_end(self, kind: str, reason: str = "") -> None:
        """Tell an event that has no answer; a connection whose evidence cannot be kept ends."""
        try:
            if reason:
                self.witness.note(kind, reason=reason)
            else:
                self.witness.note(kind)
        except EvidenceError:
            self.end()
