"""The broker: sessions, routing and retained messages of one address. Bytes in, bytes out, no socket, no clock.

A shell opens a `Connection` per socket and hands it what arrives, with a monotonic time in seconds. Afterwards it sends what
`Broker.outgoing` yields: everything that one segment caused, one write per connection.
"""

from __future__ import annotations

from collections.abc import Iterator

from labsim.endpoints.mqtt.access import Access
from labsim.endpoints.mqtt.connection import Connection
from labsim.endpoints.mqtt.evidence import Witness
from labsim.endpoints.mqtt.limits import Limits
from labsim.endpoints.mqtt.packet import ACCEPTED, BAD_CLIENT_ID, UNAVAILABLE, Connect, Will, encode_publish
from labsim.endpoints.mqtt.retained import Retained
from labsim.endpoints.mqtt.routing import Route, Router
from labsim.endpoints.mqtt.session import Message, Session
from labsim.errors import EvidenceError
from labsim.evidence.event import PLANT, Sink


class Broker:
    """One broker.

    Args:
        sink: Where evidence goes.
        access: Who may come in; everybody by default.
        limits: What one client may take.
        name: Begins the session names in evidence; two brokers of one lab must differ.

    Attributes:
        sessions: By client id, connected or not.
        connected: The connection of each connected client id.
    """

    def __init__(
        self, sink: Sink, access: Access | None = None, limits: Limits | None = None, name: str = "mqtt"
    ) -> None:
        self.sink, self.access, self.limits, self.name = sink, access or Access(), limits or Limits(), name
        self.sessions: dict[str, Session] = {}
        self.connected: dict[str, Connection] = {}
        self.router = Router()
        self.retained = Retained(self.limits.retained, self.limits.retained_bytes)
        self._plant = Witness(sink, app=PLANT)
        self._touched: list[Connection] = []
        self._opened = 0
        self._assigned = 0

    def open(self, client: str, now: float) -> Connection:
        """A new connection from ``client`` (ip:port) at the monotonic time ``now``."""
        self._opened += 1
        return Connection(self, client, f"{self.name}-{self._opened}", now)

    def outgoing(self) -> Iterator[tuple[Connection, bytes]]:
        """What to send now, once per connection; after it, close the sockets of those that have ``ended``."""
        while self._touched:  # sending may end a connection, whose will touches others
            touched, self._touched = self._touched, []
            for connection in touched:
                yield connection, connection.take_output()

    def publish(self, topic: str, payload: bytes, qos: int = 0, retain: bool = False, device: str = "") -> None:
        """Publish as the plant; ``device`` is the path of the device that speaks.

        Raises:
            ProtocolViolation: not a topic.
            EvidenceError: it could not be kept, and so was not published.
        """
        route = self.router.route(topic)
        self._plant.note_message("publish", topic, payload, qos, retain, device=device)
        self.deliver(route, payload, qos, retain)

    # What connections call.

    def touch(self, connection: Connection) -> None:
        """Remember that a connection has something to send or has ended."""
        self._touched.append(connection)

    def judge(self, packet: Connect) -> tuple[int, str]:
        """The CONNACK code for a CONNECT, and the user it proves to be."""
        if (not packet.client_id and not packet.clean) or packet.client_id == PLANT:
            return BAD_CLIENT_ID, ""  # [MQTT-3.1.3-8]; the plant's name in evidence is nobody else's
        code, user = self.access.judge(packet.user, packet.password)
        if code != ACCEPTED:
            return code, user
        no_room = len(self.connected) >= self.limits.connections and packet.client_id not in self.connected
        if no_room or (len(self.sessions) >= self.limits.sessions and packet.client_id not in self.sessions):
            return UNAVAILABLE, user
        return ACCEPTED, user

    def new_client_id(self) -> str:
        """A client id that nobody has [MQTT-3.1.3-6]."""
        self._assigned += 1
        while f"auto-{self._assigned}" in self.sessions:
            self._assigned += 1
        return f"auto-{self._assigned}"

    def would_resume(self, packet: Connect) -> bool:
        """Whether `enter` will find a session to go on with."""
        session = self.sessions.get(packet.client_id)
        return session is not None and not packet.clean and not session.clean

    def subscription_refusal(self, witness: Witness, session: Session, pattern: str) -> str:
        """Why a client may not subscribe to that, or ""."""
        acl, most = self.access.acl, self.limits.subscriptions
        if acl is not None and not acl(witness.user, witness.app, "subscribe", pattern):
            return "access list"
        if len(session.subscriptions) >= most and pattern not in session.subscriptions:
            return f"a session has at most {most} subscriptions"
        return ""

    def refusal(self, witness: Witness, route: Route) -> str:
        """Why a client may not publish there, or ""."""
        if route.reserved:
            return "topics that begin with $ are the broker's own"
        acl = self.access.acl
        if acl is not None and not acl(witness.user, witness.app, "publish", route.topic):
            return "access list"
        return ""

    def deliver(self, route: Route, payload: bytes, qos: int, retain: bool) -> None:
        """Give a message to everybody who wants it, at the lower of its own and the granted QoS [MQTT-3.8.4-6]."""
        if retain and not self.retained.keep(route, payload, qos):
            self._plant.note("drop", route.topic, reason="no room for another retained message", lost=1)
        lone = b""
        for session, granted in route.targets:
            if qos and granted:
                if not session.deliver(Message(route.wire, payload, min(qos, granted), False)):
                    self._dropped(session, route)
            elif session.outlet is not None:
                lone = lone or encode_publish(route.wire, payload)
                session.outlet.send(lone)

    def deliver_retained(self, session: Session, pattern: str, granted: int) -> None:
        """Give a new subscription what is retained, marked so [MQTT-3.3.1-6, -8]."""
        for kept in self.retained.matching(pattern):
            qos = min(kept.qos, granted)
            if qos:
                if not session.deliver(Message(kept.topic, kept.payload, qos, True)):
                    self._dropped(session, self.router.route(kept.topic[2:].decode()))
            elif session.outlet is not None:
                session.outlet.send(encode_publish(kept.topic, kept.payload, retain=True))

    def enter(self, connection: Connection, client_id: str, clean: bool) -> tuple[Session, bool]:
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
        present = session is not None
        if session is None:
            session = self.sessions[client_id] = Session(client_id, self.limits)
        session.clean = clean
        self.connected[client_id] = connection
        return session, present

    def leave(self, session: Session) -> None:
        """Detach a session from its connection, and end it if it was a clean one [MQTT-3.1.2-6]."""
        session.outlet = None
        del self.connected[session.client_id]
        if session.clean:
            self._forget(session)

    def publish_will(self, witness: Witness, will: Will) -> None:
        """Publish what a client left behind [MQTT-3.1.2-8]."""
        route = self.router.route(will.topic)
        reason = self.refusal(witness, route)
        try:
            if reason:
                witness.note_message(
                    "deny", will.topic, will.payload, will.qos, will.retain, will=True, action="publish", reason=reason
                )
                return
            witness.note_message("publish", will.topic, will.payload, will.qos, will.retain, will=True)
            self.deliver(route, will.payload, will.qos, will.retain)
        except EvidenceError:
            return  # nothing is published that is not kept; the sink itself stops the lab

    def _forget(self, session: Session) -> None:
        del self.sessions[session.client_id]
        self.router.forget(session)

    def _dropped(self, session: Session, route: Route) -> None:
        """Tell that a queue overflowed at the 1st, 2nd, 4th, 8th… message, so that a flood does not become another one."""
        lost = session.dropped
        if lost & (lost - 1) == 0:
            Witness(self.sink, app=session.client_id).note("drop", route.topic, reason="queue full", lost=lost)
