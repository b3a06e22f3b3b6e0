"""Bytes from a client to packets.

Everything a client may send is judged here as far as one packet alone allows; what depends on the state of the connection is
`connection`'s.
"""

from __future__ import annotations

from labsim.endpoints.mqtt import properties as props
from labsim.endpoints.mqtt.field import Reader
from labsim.endpoints.mqtt.packet import (
    AUTH,
    CONNECT,
    DISCONNECT,
    LEVEL,
    LEVEL_5,
    PINGREQ,
    PUBACK,
    PUBCOMP,
    PUBLISH,
    PUBREC,
    PUBREL,
    SUBSCRIBE,
    UNSUBSCRIBE,
    Ack,
    Asked,
    Connect,
    Disconnect,
    Packet,
    PingReq,
    ProtocolViolation,
    Publish,
    Subscribe,
    Unsubscribe,
    UnsupportedLevel,
    Will,
)  # fmt: skip
from labsim.endpoints.mqtt.properties import read_properties
from labsim.endpoints.mqtt.reason import FROM_CLIENT, MALFORMED, PROTOCOL_ERROR, TOO_LARGE
from labsim.endpoints.mqtt.topic import check_topic

_FLAGS = {PUBREL: 2, SUBSCRIBE: 2, UNSUBSCRIBE: 2}
_ACKS = {PUBACK, PUBREC, PUBREL, PUBCOMP}


def frame(data: bytes, at: int, limit: int) -> tuple[int, int] | None:
    """Where the body of the packet that begins at ``at`` starts and ends; None while its fixed header is incomplete.

    The end may lie beyond ``data``: the rest is still to come.

    Raises:
        ProtocolViolation: a remaining length of more than four bytes (§2.2.3), or a packet of more than ``limit`` bytes.
    """
    length, shift, place = 0, 0, at + 1  # nearly always one byte of length
    for byte in data[place : at + 5]:
        place += 1
        length |= (byte & 0x7F) << shift
        if byte < 0x80:
            if place + length - at > limit:
                raise ProtocolViolation(f"a packet of {place + length - at} bytes; the limit is {limit}", TOO_LARGE)
            return place, place + length
        shift += 7
    if place == at + 5:
        raise ProtocolViolation("the remaining length takes more than four bytes")
    return None


def parse(header: int, data: bytes, start: int, end: int, level: int = LEVEL) -> Packet:
    """The packet whose first byte is ``header`` and whose body is ``data[start:end]``, sent in version ``level``.

    Raises:
        ProtocolViolation: malformed, or of a kind that only a server sends.
        UnsupportedLevel: a CONNECT of another version.
    """
    kind = header >> 4
    if kind == PUBLISH:
        return parse_publish(header, data, start, end, level)
    if header & 0x0F != _FLAGS.get(kind, 0):
        raise ProtocolViolation(f"reserved flags {header & 0x0F:04b} in packet type {kind}")  # [MQTT-2.2.2-2]
    body = Reader(data, start, end)
    packet: Packet
    if kind in _ACKS:
        packet = _ack(kind, body, level)
    elif kind == PINGREQ:
        packet = PingReq()
    elif kind == SUBSCRIBE:
        packet = _subscribe(body, level)
    elif kind == UNSUBSCRIBE:
        packet = _unsubscribe(body, level)
    elif kind == CONNECT:
        packet = _connect(body)
    elif kind == DISCONNECT:
        packet = _disconnect(body, level)
    else:
        code = PROTOCOL_ERROR if kind != AUTH or level == LEVEL_5 else MALFORMED
        raise ProtocolViolation(f"packet type {kind} does not come from a client", code)
    if body.left:
        raise ProtocolViolation(f"{body.left} bytes too many in packet type {kind}")
    return packet


def parse_publish(header: int, data: bytes, start: int, end: int, level: int = LEVEL) -> Publish:
    """A PUBLISH, straight from the buffer because it is nearly all of the traffic; see `parse`."""
    qos = header >> 1 & 3
    if end - start < 2:
        raise ProtocolViolation("a PUBLISH without a topic")
    place = start + 2 + (data[start] << 8 | data[start + 1])
    body = place + 2 if qos else place
    if body > end:
        raise ProtocolViolation("a PUBLISH shorter than its topic says")
    mid = 0
    if qos:
        mid = data[place] << 8 | data[place + 1]
        if qos == 3:
            raise ProtocolViolation("QoS 3")  # [MQTT-3.3.1-4]
        if not mid:
            raise ProtocolViolation("packet identifier 0", PROTOCOL_ERROR if level == LEVEL_5 else MALFORMED)
    elif header & 8:
        raise ProtocolViolation("DUP on QoS 0")  # [MQTT-3.3.1-2]
    try:
        topic = data[start + 2 : place].decode()
    except UnicodeDecodeError:
        raise ProtocolViolation("the topic is not UTF-8") from None  # [MQTT-1.5.3-1]
    found = None
    if level == LEVEL_5:
        if body >= end:
            raise ProtocolViolation("a PUBLISH without its properties")
        if data[body]:
            reader = Reader(data, body, end)
            found = read_properties(reader, props.IN_PUBLISH, "PUBLISH")
            if "response_topic" in found:
                check_topic(found["response_topic"])  # [MQTT-3.3.2-14]
            body = end - reader.left
        else:
            body += 1
    return Publish(topic, data[body:end], qos, header & 1 == 1, header & 8 == 8, mid, found)


def _ack(kind: int, body: Reader, level: int) -> Ack:
    mid = body.mid()
    if level != LEVEL_5 or not body.left:
        return Ack(kind, mid)
    code = body.byte()
    if code not in FROM_CLIENT[kind << 4]:
        raise ProtocolViolation(f"reason code {code:#04x} in packet type {kind}", PROTOCOL_ERROR)
    if body.left:
        read_properties(body, props.IN_ACK, f"packet of type {kind}")
    return Ack(kind, mid, code)


def _connect(body: Reader) -> Connect:
    name, level = body.binary(), body.byte()
    if name != b"MQTT" or level not in (LEVEL, LEVEL_5):
        if name not in (b"MQTT", b"MQIsdp"):
            raise ProtocolViolation("the protocol name is not MQTT")  # [MQTT-3.1.2-1]
        raise UnsupportedLevel(level)
    flags, keepalive = body.byte(), body.word()
    has_will, will_qos, will_retain = flags & 0x04, flags >> 3 & 3, flags & 0x20
    has_password, has_user = flags & 0x40, flags & 0x80
    if flags & 0x01:
        raise ProtocolViolation("the reserved flag of CONNECT is set")  # [MQTT-3.1.2-3]
    if will_qos == 3 or (not has_will and (will_qos or will_retain)):
        raise ProtocolViolation("will flags that contradict each other")  # [MQTT-3.1.2-11, -13, -14, -15]
    if has_password and not has_user and level == LEVEL:
        raise ProtocolViolation("a password without a user name")  # [MQTT-3.1.2-22], gone in version 5
    new = level == LEVEL_5
    properties = read_properties(body, props.IN_CONNECT, "CONNECT") if new else {}
    if "authentication_data" in properties and "authentication_method" not in properties:
        raise ProtocolViolation("authentication data without a method", PROTOCOL_ERROR)
    client_id = body.text("client identifier")
    will = None
    if has_will:
        of_will = read_properties(body, props.IN_WILL, "will") if new else {}
        will = Will(body.text("will topic"), body.binary(), will_qos, bool(will_retain), of_will)
        check_topic(will.topic)
        if "response_topic" in of_will:
            check_topic(of_will["response_topic"])
    user = body.text("user name") if has_user else None
    password = body.binary() if has_password else None
    return Connect(client_id, bool(flags & 0x02), keepalive, will, user, password, level, properties)


def _subscribe(body: Reader, level: int) -> Subscribe:
    mid, filters, identifier = body.mid(), [], 0
    if level == LEVEL_5:
        identifier = read_properties(body, props.IN_SUBSCRIBE, "SUBSCRIBE").get("subscription_identifier", 0)
    while body.left:
        pattern, options = body.text("topic filter"), body.byte()
        qos, handling = options & 3, options >> 4 & 3
        if qos == 3 or options & (0xC0 if level == LEVEL_5 else 0xFC):
            # [MQTT-3.8.3-4]; in version 5 [MQTT-3.8.3-5]
            raise ProtocolViolation(f"subscription options {options:#04x}", PROTOCOL_ERROR if qos == 3 else MALFORMED)
        if handling == 3:
            raise ProtocolViolation("retain handling 3", PROTOCOL_ERROR)
        filters.append(Asked(pattern, qos, bool(options & 4), bool(options & 8), handling))
    if not filters:
        raise ProtocolViolation("a SUBSCRIBE without a filter", PROTOCOL_ERROR)  # [MQTT-3.8.3-3]
    return Subscribe(mid, tuple(filters), identifier)


def _unsubscribe(body: Reader, level: int) -> Unsubscribe:
    mid, filters = body.mid(), []
    if level == LEVEL_5:
        read_properties(body, props.IN_UNSUBSCRIBE, "UNSUBSCRIBE")
    while body.left:
        filters.append(body.text("topic filter"))
    if not filters:
        raise ProtocolViolation("an UNSUBSCRIBE without a filter", PROTOCOL_ERROR)  # [MQTT-3.10.3-2]
    return Unsubscribe(mid, tuple(filters))


def _disconnect(body: Reader, level: int) -> Disconnect:
    if level != LEVEL_5 or not body.left:
        return Disconnect()
    code = body.byte()
    if code not in FROM_CLIENT[DISCONNECT << 4]:
        raise ProtocolViolation(f"reason code {code:#04x} in DISCONNECT", PROTOCOL_ERROR)
    return Disconnect(code, read_properties(body, props.IN_DISCONNECT, "DISCONNECT") if body.left else {})
