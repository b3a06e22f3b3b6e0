"""Properties of MQTT 5 (§2.2.2 there): by name in a dict, judged as they are read.

Names are those of the standard in short: ``session_expiry``, ``user`` and so on. Values are int, str, bytes, bool-like bytes as
int; ``user`` is a list of pairs in the order of the packet [MQTT-3.1.3-10, MQTT-3.3.2-18].
"""

from __future__ import annotations

from typing import Any, Final

from labsim.endpoints.mqtt.field import Reader, encode_length, encode_string
from labsim.endpoints.mqtt.packet import ProtocolViolation
from labsim.endpoints.mqtt.reason import BAD_ALIAS, PROTOCOL_ERROR

Properties = dict[str, Any]

_TABLE: Final = {
    0x01: ("payload_format", "bool"),
    0x02: ("message_expiry", "long"),
    0x03: ("content_type", "text"),
    0x08: ("response_topic", "text"),
    0x09: ("correlation_data", "binary"),
    0x0B: ("subscription_identifier", "length"),
    0x11: ("session_expiry", "long"),
    0x12: ("assigned_client_id", "text"),
    0x13: ("server_keep_alive", "word"),
    0x15: ("authentication_method", "text"),
    0x16: ("authentication_data", "binary"),
    0x17: ("request_problem_information", "bool"),
    0x18: ("will_delay", "long"),
    0x19: ("request_response_information", "bool"),
    0x1A: ("response_information", "text"),
    0x1C: ("server_reference", "text"),
    0x1F: ("reason_string", "text"),
    0x21: ("receive_maximum", "word"),
    0x22: ("topic_alias_maximum", "word"),
    0x23: ("topic_alias", "word"),
    0x24: ("maximum_qos", "bool"),
    0x25: ("retain_available", "bool"),
    0x26: ("user", "pair"),
    0x27: ("maximum_packet_size", "long"),
    0x28: ("wildcard_available", "bool"),
    0x29: ("identifiers_available", "bool"),
    0x2A: ("shared_available", "bool"),
}
_IDS: Final = {name: (number, form) for number, (name, form) in _TABLE.items()}

_MESSAGE = {"payload_format", "message_expiry", "content_type", "response_topic", "correlation_data", "user"}
IN_PUBLISH: Final = frozenset(_MESSAGE | {"topic_alias"})
IN_WILL: Final = frozenset(_MESSAGE | {"will_delay"})
IN_CONNECT: Final = frozenset(
    {
        "session_expiry", "authentication_method", "authentication_data", "request_problem_information",
        "request_response_information", "receive_maximum", "topic_alias_maximum", "user", "maximum_packet_size",
    }
)  # fmt: skip
IN_SUBSCRIBE: Final = frozenset({"subscription_identifier", "user"})
IN_UNSUBSCRIBE: Final = frozenset({"user"})
IN_ACK: Final = frozenset({"reason_string", "user"})
IN_DISCONNECT: Final = frozenset({"session_expiry", "reason_string", "user"})
_NOT_ZERO = {"receive_maximum", "maximum_packet_size", "subscription_identifier"}
FORWARDED: Final = ("payload_format", "content_type", "response_topic", "correlation_data", "user")
"""What a receiver gets as the publisher gave it [MQTT-3.3.2-4, -15, -16, -17, -20]."""


def read_properties(body: Reader, allowed: frozenset[str], packet: str) -> Properties:
    """The properties that ``body`` goes on with.

    Raises:
        ProtocolViolation: a property that does not belong in ``packet``, twice, or with a value it may not have.
    """
    size = body.length()
    inner = body.part(size)
    found: Properties = {}
    while inner.left:
        number = inner.length()
        name, form = _TABLE.get(number, ("", ""))
        if not name:
            raise ProtocolViolation(f"property {number:#04x} does not exist")
        if name not in allowed:
            raise ProtocolViolation(f"the property {name} in a {packet}", PROTOCOL_ERROR)
        value = _read(inner, name, form)
        if name == "user":
            found.setdefault(name, []).append(value)
            continue
        if name in found:
            raise ProtocolViolation(f"the property {name} twice", PROTOCOL_ERROR)
        if value == 0 and name in _NOT_ZERO:
            raise ProtocolViolation(f"{name} 0", PROTOCOL_ERROR)
        if value == 0 and name == "topic_alias":
            raise ProtocolViolation("topic alias 0", BAD_ALIAS)  # [MQTT-3.3.2-8]
        found[name] = value
    return found


def _read(inner: Reader, name: str, form: str) -> Any:
    match form:
        case "bool":
            value = inner.byte()
            if value > 1:
                raise ProtocolViolation(f"{name} {value}", PROTOCOL_ERROR)
            return value
        case "word":
            return inner.word()
        case "long":
            return int.from_bytes(inner.take(4), "big")
        case "length":
            return inner.length()
        case "text":
            return inner.text(f"property {name}")
        case "binary":
            return inner.binary()
    return inner.text("name of a user property"), inner.text("value of a user property")


def encode_properties(properties: Properties) -> bytes:
    """Properties without the length before them."""
    out = bytearray()
    for name, value in properties.items():
        number, form = _IDS[name]
        for one in value if form == "pair" else (value,):
            out.append(number)
            match form:
                case "bool":
                    out.append(one)
                case "word":
                    out += one.to_bytes(2, "big")
                case "long":
                    out += one.to_bytes(4, "big")
                case "length":
                    out += encode_length(one)
                case "text":
                    out += encode_string(one)
                case "binary":
                    out += len(one).to_bytes(2, "big") + one
                case _:
                    out += encode_string(one[0]) + encode_string(one[1])
    return bytes(out)


def forwarded(properties: Properties) -> bytes:
    """What of a publisher's properties every receiver gets, encoded without length."""
    return encode_properties({name: properties[name] for name in FORWARDED if name in properties})


def describe_properties(properties: Properties) -> dict[str, Any]:
    """Properties as evidence holds them: bytes in hex, pairs as lists."""
    return {
        name: value.hex() if isinstance(value, bytes) else [list(pair) for pair in value] if name == "user" else value
        for name, value in properties.items()
    }
