"""One client's connection: the state machine from the first byte to the last, without a socket."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from labsim.endpoints.mqtt import packet as mqtt
from labsim.endpoints.mqtt.aliases import AliasesOut
from labsim.endpoints.mqtt.client import Client
from labsim.endpoints.mqtt.decode import frame, parse, parse_publish
from labsim.endpoints.mqtt.encode import (
    encode_connack,
    encode_connack5,
    encode_publish,
)  # fmt: skip
from labsim.endpoints.mqtt.evidence import Witness, describe_connect
from labsim.endpoints.mqtt.packet import LEVEL, LEVEL_5, ProtocolViolation
from labsim.endpoints.mqtt.reason import (
    KEEP_ALIVE,
    PROTOCOL_ERROR,
    QUOTA,
    SHUTTING_DOWN,
    SUCCESS,
    TAKEN_OVER,
    connack_311,
)  # fmt: skip
from labsim.endpoints.mqtt.session import Message
from labsim.endpoints.mqtt.terms import Terms
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
        self._client: Client | None = None
        self._patience: float | None = broker.limits.connect_s
        self._heard = now
        self._rest = bytearray()
        self._need = 0
        self._output: list[bytes] = []
        self._aliases_out = AliasesOut(0)
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
            assert self._client is not None, "messages come through a session"
            session = self._client.session
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
            self._keep_or_end("timeout", {"reason": "keep-alive" if self._client else "no CONNECT"})
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
        if self._client is not None:
            self._client.will = None  # it is not the client that went
        self.end(reason="the endpoint stops", code=SHUTTING_DOWN)

    def end(self, *, clean: bool = False, reason: str = "", code: int = 0) -> None:
        """Be over, also when the socket is gone; a will is published unless the client took its leave (``clean``).

        ``code`` is what a connected client of version 5 is told in a DISCONNECT [MQTT-3.14.0-1, MQTT-4.13.1-1].
        """
        if self.ended:
            return
        if code and self.level == LEVEL_5 and self._client is not None:
            self.send(self._terms.disconnect(code, reason))
        self.ended = True
        self.broker.strangers.pop(self, None)
        if not self._output:
            self.broker.touch(self)
        client = self._client
        if client is not None:
            self.broker.leave(client.session)
        why: dict[str, Any] = {"reason": reason} if reason else {}
        try:
            self.witness.note("close", clean=clean, **why)
        except EvidenceError:
            return  # there is no answer to hold back, and the sink itself pauses the lab
        if client is not None and client.will is not None:
            self.broker.leave_will(self.witness, client.will, client.session)

    def _reject(self, error: ProtocolViolation) -> None:
        more: dict[str, Any] = {"code": error.code} if self.level == LEVEL_5 else {}
        try:
            self.witness.note("reject", reason=str(error), **more)
        except EvidenceError:
            self.end()
            return
        if self._client is None and self.level == LEVEL_5:
            self.send(encode_connack5(error.code, False, {"reason_string": str(error)}))
        self.end(code=error.code, reason=str(error) if self._terms.explains else "")

    # What packets do.

    def _packets(self, data: bytes, now: float) -> int:
        """Deal with every whole packet; where the incomplete one begins."""
        at, size, limit, counters = 0, len(data), self.broker.limits.packet, self.broker.counters
        while at < size and not self.ended:
            header, client = data[at], self._client
            if client is None and header != _CONNECT_BYTE:
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
            if client is not None and header >> 4 == mqtt.PUBLISH:
                counters.publish_in += 1
                client.publish(parse_publish(header, data, start, end, self.level))
            else:
                self._packet(header, data, start, end)
            at = end
        return at

    def _packet(self, header: int, data: bytes, start: int, end: int) -> None:
        client = self._client
        if client is None and data[start : start + len(_CONNECT_5)] == _CONNECT_5:
            self.level = LEVEL_5  # so that also a malformed CONNECT is answered in the client's version
        try:
            packet = parse(header, data, start, end, self.level)
        except mqtt.UnsupportedLevel as error:
            if client is None:
                self.witness.note("connect", status=1, level=error.args[0])
                self.send(encode_connack(1))
                self.end()
                return
            raise ProtocolViolation("a second CONNECT", PROTOCOL_ERROR) from None
        if isinstance(packet, mqtt.Connect):
            if client is not None:
                raise ProtocolViolation("a second CONNECT", PROTOCOL_ERROR)  # [MQTT-3.1.0-2]
            self._connect(packet)
            return
        assert client is not None, "only a CONNECT gets here before a client is in"
        client.take(packet)

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
        self._client, self._terms = Client(self, session, terms, packet.will), terms
        self._patience, session.expiry, self.window = terms.patience, terms.expiry, terms.window
        if terms.level == LEVEL_5:
            self._aliases_out = AliasesOut(terms.aliases)
            self.send(encode_connack5(code, present, (terms.told or {}) | told))
        else:
            self.send(encode_connack(code, present=present))
        session.attach(self)

    def _keep_or_end(self, kind: str, facts: dict[str, Any] | None = None) -> None:
        """Tell an event that has no answer; a connection whose evidence cannot be kept ends."""
        try:
            self.witness.note(kind, **(facts or {}))
        except EvidenceError:
            self.end()
