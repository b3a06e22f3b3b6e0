"""A client that speaks bytes, with a codec of its own: it knows nothing of the broker's."""

from __future__ import annotations

import socket
from types import SimpleNamespace

PATIENCE_S = 20
_FORMS = {
    1: 1, 2: 4, 3: "s", 8: "s", 9: "b", 11: "v", 17: 4, 18: "s", 19: 2, 21: "s", 22: "b", 23: 1, 24: 4, 25: 1, 26: "s",
    28: "s", 31: "s", 33: 2, 34: 2, 35: 2, 36: 1, 37: 1, 38: "p", 39: 4, 40: 1, 41: 1, 42: 1,
}  # fmt: skip
"""Width or form of each property by its identifier (§2.2.2.2)."""


def number(value: int) -> bytes:
    """A variable byte integer."""
    out = b""
    while True:
        value, digit = divmod(value, 128)
        out += bytes((digit | (128 if value else 0),))
        if not value:
            return out


def text(value: str | bytes) -> bytes:
    """A string or binary data with its length."""
    raw = value if isinstance(value, bytes) else value.encode()
    return len(raw).to_bytes(2, "big") + raw


def props(*pairs: tuple) -> bytes:
    """Properties as ``(identifier, value)``, with their length."""
    body = b""
    for key, value in pairs:
        form = _FORMS.get(key, 1)
        body += bytes((key,))
        if form == "v":
            body += number(value)
        elif form == "p":
            body += text(value[0]) + text(value[1])
        elif form in ("s", "b"):
            body += text(value)
        else:
            body += value.to_bytes(form, "big")
    return number(len(body)) + body


def packet(header: int, body: bytes = b"") -> bytes:
    """A fixed header and its body."""
    return bytes((header,)) + number(len(body)) + body


class Cursor:
    """Reads what a server sent."""

    def __init__(self, data: bytes) -> None:
        self.data, self.at = data, 0

    def take(self, size: int) -> bytes:
        """The next bytes."""
        assert self.at + size <= len(self.data), "the server sent a packet that ends inside a field"
        self.at += size
        return self.data[self.at - size : self.at]

    def word(self) -> int:
        """Two bytes."""
        return int.from_bytes(self.take(2), "big")

    def number(self) -> int:
        """A variable byte integer."""
        value = shift = 0
        while True:
            byte = self.take(1)[0]
            value |= (byte & 127) << shift
            shift += 7
            if byte < 128:
                return value

    def props(self) -> dict:
        """Properties by identifier, each a list of values."""
        found: dict = {}
        end = self.number() + self.at
        while self.at < end:
            key = self.number()
            form = _FORMS[key]
            if form == "v":
                value = self.number()
            elif form == "p":
                value = (self.take(self.word()).decode(), self.take(self.word()).decode())
            elif form == "s":
                value = self.take(self.word()).decode()
            elif form == "b":
                value = self.take(self.word())
            else:
                value = int.from_bytes(self.take(form), "big")
            found.setdefault(key, []).append(value)
        assert self.at == end
        return found

    def rest(self) -> bytes:
        """Everything left."""
        return self.take(len(self.data) - self.at)


KINDS = {2: "connack", 3: "publish", 4: "puback", 5: "pubrec", 6: "pubrel", 7: "pubcomp", 9: "suback", 11: "unsuback",
         13: "pong", 14: "disconnect", 15: "auth"}  # fmt: skip


def parse(header: int, body: bytes, level: int) -> SimpleNamespace:
    """A packet of a server."""
    found, cursor = SimpleNamespace(kind=KINDS[header >> 4], code=0, props={}, flags=header & 15), Cursor(body)
    match found.kind:
        case "connack":
            found.present, found.code = cursor.take(1)[0], cursor.take(1)[0]
            found.props = cursor.props() if level == 5 and cursor.at < len(body) else {}
        case "publish":
            found.qos, found.retain, found.dup = header >> 1 & 3, bool(header & 1), bool(header & 8)
            found.topic = cursor.take(cursor.word()).decode()
            found.mid = cursor.word() if found.qos else 0
            found.props = cursor.props() if level == 5 else {}
            found.payload = cursor.rest()
        case "puback" | "pubrec" | "pubrel" | "pubcomp":
            found.mid = cursor.word()
            found.code = cursor.take(1)[0] if cursor.at < len(body) else 0
            found.props = cursor.props() if cursor.at < len(body) else {}
        case "suback" | "unsuback":
            found.mid = cursor.word()
            found.props = cursor.props() if level == 5 else {}
            found.codes = list(cursor.rest())
        case "disconnect":
            found.code = cursor.take(1)[0] if body else 0
            found.props = cursor.props() if cursor.at < len(body) else {}
    assert cursor.at == len(body), f"bytes too many in {found}"
    return found


class Peer:
    """One connection to a broker, with every act of a client as bytes."""

    def __init__(self, port: int, level: int) -> None:
        self.level = level
        self.socket = socket.create_connection(("127.0.0.1", port), PATIENCE_S)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._buffer = b""

    def send(self, *packets: bytes) -> Peer:
        """Bytes as they are; a broker that has hung up already is found out by `ends`."""
        try:
            self.socket.sendall(b"".join(packets))
        except (BrokenPipeError, ConnectionResetError):
            return self
        return self

    def _fill(self, size: int) -> bool:
        while len(self._buffer) < size:
            try:
                data = self.socket.recv(65536)
            except ConnectionResetError:
                data = b""
            if not data:
                return False
            self._buffer += data
        return True

    def get(self) -> SimpleNamespace | None:
        """The next packet; None when the broker has closed."""
        size = 2
        while True:
            if not self._fill(size):
                assert not self._buffer, "the broker closed inside a packet"
                return None
            if self._buffer[size - 1] < 128:
                break
            size += 1
        cursor = Cursor(self._buffer)
        header, length = cursor.take(1)[0], cursor.number()
        assert self._fill(size + length)
        body, self._buffer = self._buffer[size : size + length], self._buffer[size + length :]
        return parse(header, body, self.level)

    def expect(self, kind: str) -> SimpleNamespace:
        """The next packet, which is of this kind."""
        found = self.get()
        assert found is not None, f"closed, not {kind}"
        assert found.kind == kind, found
        return found

    def sync(self) -> list[SimpleNamespace]:
        """Everything that comes before the answer to a ping."""
        self.send(b"\xc0\x00")
        found = []
        while (one := self.get()) is not None and one.kind != "pong":
            found.append(one)
        assert one is not None, f"closed after {found}"
        return found

    def messages(self) -> list[SimpleNamespace]:
        """The PUBLISH packets that have come until now."""
        return [one for one in self.sync() if one.kind == "publish"]

    def ends(self) -> list[SimpleNamespace]:
        """What the broker says before it closes; it does not if this runs out of patience."""
        found = []
        while (one := self.get()) is not None:
            found.append(one)
        return found

    def refused(self, code: int) -> bool:
        """Whether it is closed, in version 5 after a DISCONNECT with this code."""
        said = self.ends()
        return [(one.kind, one.code) for one in said] == ([("disconnect", code)] if self.level == 5 else [])

    def connect_bytes(
        self, client_id: str | bytes, *, clean: bool = True, keepalive: int = 0, properties: bytes = b"\0", will=None,
        user=None, password=None, flags=None, name: str = "MQTT", level=None, extra: bytes = b"",
    ) -> bytes:  # fmt: skip
        """CONNECT; ``will`` as (topic, payload, QoS, retain[, properties])."""
        level = level or self.level
        computed, tail = 2 * clean, text(client_id)
        if will:
            topic, payload, qos, retain, *more = will
            computed |= 4 | qos << 3 | retain << 5
            tail += (more[0] if more else b"\0") if level == 5 else b""
            tail += text(topic) + text(payload)
        if user is not None:
            computed |= 128
            tail += text(user)
        if password is not None:
            computed |= 64
            tail += text(password)
        head = text(name) + bytes((level, computed if flags is None else flags)) + keepalive.to_bytes(2, "big")
        return packet(0x10, head + (properties if level == 5 else b"") + tail + extra)

    def connect(self, client_id: str | bytes = "", **options) -> SimpleNamespace:
        """CONNECT and the CONNACK."""
        self.send(self.connect_bytes(client_id, **options))
        return self.expect("connack")

    def publish_bytes(
        self, topic: str | bytes, payload: bytes = b"x", qos: int = 0, mid: int = 1, *, retain=False, dup=False,
        properties: bytes = b"\0",
    ) -> bytes:  # fmt: skip
        """PUBLISH."""
        body = text(topic) + (mid.to_bytes(2, "big") if qos else b"") + (properties if self.level == 5 else b"")
        return packet(0x30 | dup << 3 | qos << 1 | retain, body + payload)

    def publish(
        self, topic: str, payload: bytes = b"x", qos: int = 0, mid: int = 1, **options
    ) -> SimpleNamespace | None:
        """PUBLISH, with its first acknowledgement; of QoS 0, after the broker has taken it."""
        self.send(self.publish_bytes(topic, payload, qos, mid, **options))
        if not qos:
            assert self.sync() == []
            return None
        return self.expect("puback" if qos == 1 else "pubrec")

    def deliver(self, topic: str, payload: bytes = b"x", qos: int = 0, mid: int = 1, **options) -> None:
        """PUBLISH and all of its acknowledgements: some brokers pass a QoS 2 message on at its PUBREL only."""
        self.publish(topic, payload, qos, mid, **options)
        if qos == 2:
            self.ack("pubrel", mid).expect("pubcomp")

    def subscribe_bytes(self, *filters: tuple[str | bytes, int], mid: int = 1, properties: bytes = b"\0") -> bytes:
        """SUBSCRIBE with filters as (filter, options)."""
        head = mid.to_bytes(2, "big") + (properties if self.level == 5 else b"")
        return packet(0x82, head + b"".join(text(f) + bytes((options,)) for f, options in filters))

    def subscribe(self, *filters: tuple[str | bytes, int], **options) -> SimpleNamespace:
        """SUBSCRIBE and the SUBACK."""
        self.send(self.subscribe_bytes(*filters, **options))
        return self.expect("suback")

    def unsubscribe_bytes(self, *filters: str | bytes, mid: int = 1) -> bytes:
        """UNSUBSCRIBE."""
        head = mid.to_bytes(2, "big") + (b"\0" if self.level == 5 else b"")
        return packet(0xA2, head + b"".join(map(text, filters)))

    def unsubscribe(self, *filters: str | bytes, mid: int = 1) -> SimpleNamespace:
        """UNSUBSCRIBE and the UNSUBACK."""
        self.send(self.unsubscribe_bytes(*filters, mid=mid))
        return self.expect("unsuback")

    def ack(self, name: str, mid: int, code: int | None = None) -> Peer:
        """PUBACK, PUBREC, PUBREL or PUBCOMP."""
        header = {"puback": 0x40, "pubrec": 0x50, "pubrel": 0x62, "pubcomp": 0x70}[name]
        return self.send(packet(header, mid.to_bytes(2, "big") + (b"" if code is None else bytes((code,)))))

    def disconnect(self, code: int | None = None, properties: bytes = b"") -> None:
        """DISCONNECT, and wait until the broker has closed."""
        self.send(packet(0xE0, b"" if code is None else bytes((code,)) + properties))
        self.socket.shutdown(socket.SHUT_WR)
        assert self.ends() == []
        self.socket.close()

    def vanish(self) -> None:
        """Lose the connection without a word, and wait until the broker knows."""
        self.socket.shutdown(socket.SHUT_WR)
        self.ends()
        self.socket.close()
