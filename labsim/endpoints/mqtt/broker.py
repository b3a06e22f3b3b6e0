"""The broker: sessions, routing and retained messages of one address. Bytes in, bytes out, no socket, no clock.

A shell opens a `Connection` per socket and hands it what arrives, with a monotonic time in seconds. Afterwards it sends what
`Broker.outgoing` yields: everything that one segment caused, one write per connection. It calls `Broker.check` at
`Broker.deadline`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from labsim.endpoints.mqtt.access import Access
from labsim.endpoints.mqtt.connection import Connection
from labsim.endpoints.mqtt.counters import Counters
from labsim.endpoints.mqtt.encode import encode_publish
from labsim.endpoints.mqtt.evidence import Witness
from labsim.endpoints.mqtt.field import encode_string
from labsim.endpoints.mqtt.limits import Limits
from labsim.endpoints.mqtt.packet import LEVEL, Asked, Connect, Will
from labsim.endpoints.mqtt.properties import describe_properties, encode_properties, forwarded
from labsim.endpoints.mqtt.rate import Bucket
from labsim.endpoints.mqtt.reason import (
    BAD_CLIENT_ID,
    BAD_METHOD,
    BAD_PAYLOAD,
    CONNECTION_RATE,
    NOT_AUTHORISED,
    QUOTA,
    SUCCESS,
)  # fmt: skip
from labsim.endpoints.mqtt.retained import Retained
from labsim.endpoints.mqtt.routing import Route, Router, Target
from labsim.endpoints.mqtt.session import Message, Session
from labsim.endpoints.mqtt.topic import shared
from labsim.errors import EvidenceError
from labsim.evidence.event import PLANT, Sink

SYS_EVERY_S = 10.0
Tap = Callable[[str, bytes, Session | None, dict[str, Any] | None], None]
"""Takes topic, payload, the session of the client that published it (None: the plant, or a will) and its properties."""


class Broker:
    """One broker.

    Args:
        sink: Where evidence goes.
        access: Who may come in; everybody by default.
        limits: What one client may take.
        name: Begins the session names in evidence; two brokers of one lab must differ.
        sys_every: Seconds between updates of ``$SYS``; 0 for none.

    Attributes:
        sessions: By client id, connected or not.
        deadline: When `check` has something to do, in the shell's monotonic seconds; None for never.
        connected: The connection of each connected client id.
        now: The latest monotonic time that the shell has told.
        strangers: Connections that have not sent CONNECT, the oldest first.
        taps: The plant's own ears: called with every message that was delivered.
    """

    def __init__(
        self, sink: Sink, access: Access | None = None, limits: Limits | None = None, name: str = "mqtt",
        *, sys_every: float = SYS_EVERY_S,
    ) -> None:  # fmt: skip
        self.sink, self.access, self.limits, self.name = sink, access or Access(), limits or Limits(), name
        self.sessions: dict[str, Session] = {}
        self.connected: dict[str, Connection] = {}
        self.strangers: dict[Connection, None] = {}
        self.taps: list[Tap] = []
        self.router = Router(self._may_receive)
        self.retained = Retained(self.limits.retained, self.limits.retained_bytes)
        self.counters = Counters()
        self.now = 0.0
        self.deadline: float | None = None
        self._system = Retained(100, 1 << 16)
        self._sys_every = sys_every
        self._began: float | None = None
        self._sys_due: float | None = None
        self._ends: dict[str, float] = {}  # when sessions without a connection expire
        self._wills: dict[str, tuple[float, Witness, Will]] = {}  # wills that wait
        self._plant = Witness(sink, app=PLANT)
        self._touched: list[Connection] = []
        self._opened = 0
        self._assigned = 0
        self._connects = Bucket(self.limits.connects, 0.0)

    def open(
        self, client: str, now: float, *, common_name: str = "", thumb: str = "", transport: str = "mqtt"
    ) -> Connection:
        """A new connection from ``client`` (ip:port) at the monotonic time ``now``.

        ``common_name`` and ``thumb`` (SHA-1) are those of a client certificate that TLS has verified; ``transport`` is mqtt,
        mqtts, ws or wss.
        """
        self.now = now
        if self._began is None:
            self._began = now
            self._sys_due = now if self._sys_every else None
            self._reckon()
        self._opened += 1
        connection = Connection(self, f"{self.name}-{self._opened}", now, client, common_name, thumb, transport)
        if not connection.ended:
            self.strangers[connection] = None
        if len(self.strangers) > self.limits.strangers:
            next(iter(self.strangers)).push_out()
        return connection

    def outgoing(self) -> Iterator[tuple[Connection, bytes]]:
        """What to send now, once per connection; after it, close the sockets of those that have ``ended``."""
        while self._touched:  # sending may end a connection, whose will touches others
            touched, self._touched = self._touched, []
            for connection in touched:
                data = connection.take_output()
                self.counters.bytes_out += len(data)
                yield connection, data

    def publish(
        self, topic: str, payload: bytes, qos: int = 0, retain: bool = False, device: str = "",
        properties: dict[str, Any] | None = None,
    ) -> None:  # fmt: skip
        """Publish as the plant; ``device`` is the path of the device that speaks, ``properties`` are those of MQTT 5.

        Raises:
            ProtocolViolation: not a topic.
            EvidenceError: it could not be kept, and so was not published.
        """
        route = self.router.route(topic)
        self._plant.note_message("publish", topic, payload, qos, retain, device=device)
        self.deliver(route, payload, qos, retain, properties)

    def check(self, now: float) -> None:
        """End sessions that have expired, publish wills whose delay is over, bring ``$SYS`` up to date."""
        self.now = now
        for client_id in [client_id for client_id, (when, _, _) in self._wills.items() if when <= now]:
            self._release_will(client_id)
        for client_id in [client_id for client_id, when in self._ends.items() if when <= now]:
            self._forget(self.sessions[client_id])
        if self._sys_due is not None and self._sys_due <= now:
            self._sys_due = now + self._sys_every
            self._update_system()
        self._reckon()

    # What connections call.

    def touch(self, connection: Connection) -> None:
        """Remember that a connection has something to send or has ended."""
        self._touched.append(connection)

    def judge(self, packet: Connect, common_name: str) -> tuple[int, str, str]:
        """The reason code for a CONNECT, the user it proves to be, and a sentence where the code does not say it all."""
        if "authentication_method" in packet.properties:
            return BAD_METHOD, "", "no authentication method is known here"  # version 5 §4.12
        if packet.client_id == PLANT or (not packet.client_id and not packet.clean and packet.level == LEVEL):
            return BAD_CLIENT_ID, "", ""  # [MQTT-3.1.3-8]; the plant's name in evidence is nobody else's
        if not self._connects.take(self.now):
            return CONNECTION_RATE, "", f"more than {self.limits.connects} connections a second"
        code, user = self.access.judge(packet.user, packet.password, common_name)
        if code != SUCCESS:
            return code, user, ""
        if len(self.connected) >= self.limits.connections and packet.client_id not in self.connected:
            return QUOTA, user, f"at most {self.limits.connections} clients at once"
        if len(self.sessions) >= self.limits.sessions and packet.client_id not in self.sessions:
            return QUOTA, user, f"at most {self.limits.sessions} sessions"
        will = packet.will
        if will is not None and not _is_what_it_says(will.payload, will.properties):
            return BAD_PAYLOAD, user, "the will's payload is not UTF-8"
        return SUCCESS, user, ""

    def new_client_id(self) -> str:
        """A client id that nobody has [MQTT-3.1.3-6]."""
        self._assigned += 1
        while f"auto-{self._assigned}" in self.sessions:
            self._assigned += 1
        return f"auto-{self._assigned}"

    def would_resume(self, packet: Connect) -> bool:
        """Whether `enter` will find a session to go on with."""
        session = self.sessions.get(packet.client_id)
        return session is not None and not packet.clean and session.expiry != 0

    def subscription_refusal(self, witness: Witness, session: Session, pattern: str) -> tuple[int, str]:
        """Why a client may not subscribe to that, as a reason code and a sentence; (0, "") when it may."""
        share, most = shared(pattern), self.limits.subscriptions
        if not self.access.allows(witness.user, witness.app, "subscribe", share[1] if share else pattern):
            return NOT_AUTHORISED, "access list"
        if len(session.subscriptions) >= most and pattern not in session.subscriptions:
            return QUOTA, f"a session has at most {most} subscriptions"
        return 0, ""

    def refusal(
        self, witness: Witness, route: Route, payload: bytes, properties: dict[str, Any] | None = None
    ) -> tuple[int, str]:
        """Why a client may not publish that, as a reason code and a sentence; (0, "") when it may."""
        if route.reserved:
            return NOT_AUTHORISED, "topics that begin with $ are the broker's own"
        acl = self.access.acl
        if acl is not None and not acl(witness.user, witness.app, "publish", route.topic):
            return NOT_AUTHORISED, "access list"
        if properties and not _is_what_it_says(payload, properties):
            return BAD_PAYLOAD, "the payload is not UTF-8"
        return 0, ""

    def deliver(
        self, route: Route, payload: bytes, qos: int, retain: bool, properties: dict[str, Any] | None = None,
        publisher: Session | None = None,
    ) -> bool:  # fmt: skip
        """Give a message to everybody who wants it, at the lower of its own and the granted QoS [MQTT-3.8.4-6].

        Returns:
            Whether anybody wants it.
        """
        kept, expires = b"", None
        if properties:
            kept = forwarded(properties)
            if "message_expiry" in properties:
                expires = self.now + properties["message_expiry"]
        if retain:
            message = Message(route.wire, payload, qos, True, kept, expires)
            if not self.retained.keep(route.topic, message):
                self._plant.note("drop", route.topic, reason="no room for another retained message", lost=1)
        lone = b""
        for target in route.targets:
            if target.no_local and target.session is publisher:
                if target.own is None:
                    continue
                target = target.own
            outlet = target.session.outlet
            if not (qos and target.qos) and outlet is not None and outlet.level == LEVEL:
                lone = lone or encode_publish(route.wire, payload)  # one encoding for all who get it so
                outlet.send(lone)
            else:
                self._give(target, route, payload, qos, retain, kept, expires)
        for share in route.shares:
            chosen = self.router.choose(share, route.topic)
            if chosen is not None:
                self._give(chosen, route, payload, qos, retain, kept, expires)
        for tap in self.taps:
            tap(route.topic, payload, publisher, properties)
        return bool(route.targets or route.shares)

    def deliver_retained(self, session: Session, asked: Asked, identifier: int, existed: bool) -> None:
        """Give a new subscription what is retained, marked so [MQTT-3.3.1-6, -8; MQTT-3.3.1-9, -10, -11 in version 5].

        A shared subscription gets none (version 5 §4.8.2).
        """
        if asked.handling == 2 or (asked.handling == 1 and existed) or shared(asked.pattern) is not None:
            return
        identifiers = encode_properties({"subscription_identifier": identifier}) if identifier else b""
        for store in (self.retained, self._system):
            for topic, kept in store.matching(asked.pattern, self.now):
                if self._may_receive(session, topic):
                    self._send(
                        session, topic,
                        Message(
                            kept.topic, kept.payload, min(kept.qos, asked.qos), True, kept.properties, kept.expires,
                            identifiers,
                        ),
                    )  # fmt: skip

    def enter(self, connection: Connection, client_id: str, clean: bool, user: str) -> tuple[Session, bool]:
        """Make or resume the session of a client, ending an older connection of the same id [MQTT-3.1.4-2].

        Returns:
            The session, not yet attached, and whether it was there before.
        """
        older = self.connected.get(client_id)
        if older is not None:
            older.take_over()
        session = self.sessions.get(client_id)
        if session is not None and clean:
            self._forget(session)
            session = None
        self._wills.pop(client_id, None)  # [MQTT-3.1.3-9]
        self._ends.pop(client_id, None)
        present = session is not None
        if session is None:
            session = self.sessions[client_id] = Session(client_id, self.limits)
        if session.user != user:
            session.user = user
            self.router.forget_routes()
        self.connected[client_id] = connection
        self.counters.most_clients = max(self.counters.most_clients, len(self.connected))
        return session, present

    def leave(self, session: Session) -> None:
        """Detach a session from its connection, and end it if it does not outlive it [MQTT-3.1.2-6]."""
        session.outlet = None
        del self.connected[session.client_id]
        if session.expiry == 0:
            self._forget(session)
        elif session.expiry is not None:
            self._ends[session.client_id] = self.now + session.expiry
            self._reckon()

    def leave_will(self, witness: Witness, will: Will, session: Session) -> None:
        """Publish what a client left behind, at once or after its delay [MQTT-3.1.2-8; MQTT-3.1.3-9 in version 5]."""
        delay = will.properties.get("will_delay", 0)
        if delay and self.sessions.get(session.client_id) is session:
            self._wills[session.client_id] = (self.now + delay, witness, will)
            self._reckon()
        else:
            self._publish_will(witness, will)

    def dropped(self, session: Session, topic: str, reason: str) -> None:
        """Tell that a message was lost, at the 1st, 2nd, 4th, 8th… one, so that a flood does not become another one."""
        self.counters.dropped += 1
        lost = session.dropped
        if lost & (lost - 1) == 0:
            Witness(self.sink, app=session.client_id).note("drop", topic, reason=reason, lost=lost)

    def _publish_will(self, witness: Witness, will: Will) -> None:
        route = self.router.route(will.topic)
        _, reason = self.refusal(witness, route, will.payload, will.properties)
        more: dict[str, Any] = {"will": True}
        if will.properties:
            more["properties"] = describe_properties(will.properties)
        try:
            if reason:
                more |= {"action": "publish", "reason": reason}
                witness.note_message("deny", will.topic, will.payload, will.qos, will.retain, **more)
                return
            witness.note_message("publish", will.topic, will.payload, will.qos, will.retain, **more)
            self.deliver(route, will.payload, will.qos, will.retain, will.properties)
        except EvidenceError:
            return  # nothing is published that is not kept; the sink itself pauses the lab

    def _release_will(self, client_id: str) -> None:
        waiting = self._wills.pop(client_id, None)
        if waiting is not None:
            self._publish_will(waiting[1], waiting[2])

    def _forget(self, session: Session) -> None:
        del self.sessions[session.client_id]
        self._ends.pop(session.client_id, None)
        self.router.forget(session)
        self._release_will(session.client_id)  # the end of a session is the end of a will's delay

    def _give(
        self,
        target: Target,
        route: Route,
        payload: bytes,
        qos: int,
        retain: bool,
        properties: bytes,
        expires: float | None,
    ) -> None:
        flag = retain and target.as_published
        message = Message(route.wire, payload, min(qos, target.qos), flag, properties, expires, target.identifiers)
        self._send(target.session, route.topic, message)

    def _send(self, session: Session, topic: str, message: Message) -> None:
        if message.qos:
            if not session.deliver(message):
                self.dropped(session, topic, "queue full")
        elif session.outlet is not None:
            session.outlet.publish(message)

    def _reckon(self) -> None:
        """Work out the next deadline; one that has meanwhile gone only makes `check` look in vain."""
        due = [*self._ends.values(), *(when for when, _, _ in self._wills.values())]
        if self._sys_due is not None:
            due.append(self._sys_due)
        self.deadline = min(due, default=None)

    def _may_receive(self, session: Session, topic: str) -> bool:
        return self.access.allows(session.user, session.client_id, "receive", topic)

    def _update_system(self) -> None:
        """Publish the counters that have changed, retained; the broker's own words are no evidence."""
        topics = self.counters.topics(
            clients=len(self.connected),
            sessions=len(self.sessions),
            subscriptions=sum(len(session.subscriptions) for session in self.sessions.values()),
            retained=len(self.retained),
            uptime_s=int(self.now - (self._began or 0.0)),
        )
        for topic, text in topics.items():
            payload = text.encode()
            before = self._system.matching(topic, self.now)
            if not before or before[0][1].payload != payload:
                self._system.keep(topic, Message(encode_string(topic), payload, 0, True))
                self.deliver(self.router.route(topic), payload, 0, False)


def _is_what_it_says(payload: bytes, properties: dict[str, Any]) -> bool:
    """Whether a payload that calls itself UTF-8 is (version 5 §3.3.2.3.2)."""
    if properties.get("payload_format") != 1:
        return True
    try:
        payload.decode()
    except UnicodeDecodeError:
        return False
    return True
