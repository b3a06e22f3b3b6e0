"""What a scenario says about an MQTT broker, and how devices speak there."""

from __future__ import annotations

import re
from typing import Annotated, Literal

from pydantic import Field, model_validator

from labsim.scenario.broker import BrokerUrl
from labsim.scenario.part import Account, Part, Path_, Port
from labsim.scenario.topics import CommandTemplate, SparkplugId, TopicTemplate, fields_of

TopicFilter = Annotated[
    str, Field(min_length=1, max_length=1000, pattern=r"^(?:(?:\+|[^+#/\x00]*)/)*(?:\+|#|[^+#/\x00]*)$")
]


class TopicRights(Part):
    """Topic filters that a client may publish to and subscribe to; without one, everything.

    ``%u`` stands for the user name, ``%c`` for the client id.

    Attributes:
        publish: Topic filters it may publish to; without them, any.
        subscribe: Topic filters it may subscribe to; without them, any.
    """

    publish: tuple[TopicFilter, ...] | None = None
    subscribe: tuple[TopicFilter, ...] | None = None


class MqttAccount(Account, TopicRights):
    """A user of an MQTT broker; ``certificate`` lets a client certificate with its name stand for the password.

    Attributes:
        password: The password; may be left out with ``certificate``.
        certificate: A client certificate with this name stands for the password.
    """

    password: str = ""
    certificate: bool = False

    @model_validator(mode="after")
    def _provable(self) -> MqttAccount:
        if not self.password and not self.certificate:
            raise ValueError("a user needs a 'password' or 'certificate: true'")
        if self.certificate and not re.fullmatch(r"[A-Za-z0-9._-]{1,64}", self.name):
            raise ValueError("the name in a certificate has letters, digits, '.', '_' and '-' only")
        return self


class MqttTls(Part):
    """A TLS listener; ``clients`` says whether a client must bring a certificate of the lab's own authority.

    Attributes:
        port: TCP port.
        clients: Whether a client must bring a certificate of the lab's own authority.
    """

    port: Port = 8883
    clients: Literal["none", "optional", "required"] = "none"


class MqttWeb(Part):
    """A WebSocket listener, behind TLS when ``tls``.

    Attributes:
        port: TCP port.
        tls: Whether it is behind TLS.
    """

    port: Port = 8083
    tls: bool = False


class MqttLimits(Part):
    """What one client may take; what goes beyond is refused with a reason code.

    Attributes:
        packet: The largest packet, in bytes.
        connections: Connections at once.
        subscriptions: Subscriptions of one client.
        queue: Messages kept for a client that reads slowly or is away.
        receive: QoS 1 and 2 messages on their way to the broker at once (Receive Maximum).
        aliases: Topic aliases of one connection.
        rate: Messages of one client in a second.
        keepalive: The longest keep-alive, in seconds.
        expiry: How long a session may be kept, in seconds.
    """

    packet: Annotated[int, Field(ge=128, le=1 << 28, strict=True)] | None = None
    connections: Annotated[int, Field(ge=1, le=10_000, strict=True)] | None = None
    subscriptions: Annotated[int, Field(ge=1, le=100_000, strict=True)] | None = None
    queue: Annotated[int, Field(ge=1, le=1_000_000, strict=True)] | None = None
    receive: Annotated[int, Field(ge=1, le=65_535, strict=True)] | None = None
    aliases: Annotated[int, Field(ge=0, le=65_535, strict=True)] | None = None
    rate: Annotated[int, Field(ge=1, le=1_000_000, strict=True)] | None = None
    keepalive: Annotated[int, Field(ge=1, le=65_535, strict=True)] | None = None
    expiry: Annotated[int, Field(ge=0, le=1 << 31, strict=True)] | None = None


class SparkplugSpec(Part):
    """The edge node that an endpoint's devices are; it waits for ``primary_host`` if there is one.

    Attributes:
        group: The group id.
        edge: The edge node id.
        primary_host: The host application whose STATE the edge node waits for.
        alias: Whether metrics have aliases.
    """

    group: SparkplugId
    edge: SparkplugId
    primary_host: SparkplugId | None = None
    alias: bool = True


class MqttSpec(Part):
    """An MQTT broker; ``devices`` publish their own telemetry there. ``anonymous`` may be rights instead of true.

    ``style`` is what they publish: a JSON object per message of the device (``device``), one per tag (``tag``), or Sparkplug
    B (``sparkplug``, with the block of the same name). ``topic`` and ``commands`` are templates of topics. With ``broker`` it
    is somebody else's broker, which has its own door and limits, behind a tap that listens on ``port``.

    Attributes:
        broker: The URL of somebody else's broker, behind a tap that listens on ``port``; our own without it.
        port: TCP port.
        devices: Devices that publish there.
        style: What they publish: a JSON object per message (``device``) or per tag (``tag``), or Sparkplug B.
        topic: Template of the topics; see docs/payloads.md.
        commands: Template of the topics on which writable tags take commands.
        sparkplug: With ``style: sparkplug``: the edge node.
        anonymous: Whether clients without a user may connect, or what they may do.
        users: The users.
        tls: A TLS listener besides.
        websocket: A WebSocket listener besides.
        limits: What one client may take.
    """

    broker: BrokerUrl | None = None
    port: Port = 1883
    devices: tuple[Path_, ...] = ()
    style: Literal["device", "tag", "sparkplug"] = "device"
    topic: TopicTemplate | None = None
    commands: CommandTemplate | None = None
    sparkplug: SparkplugSpec | None = None
    anonymous: bool | TopicRights = True
    users: tuple[MqttAccount, ...] = ()
    tls: MqttTls | None = None
    websocket: MqttWeb | None = None
    limits: MqttLimits = MqttLimits()

    @model_validator(mode="after")
    def _certificates_can_come(self) -> MqttSpec:
        if any(user.certificate for user in self.users) and (self.tls is None or self.tls.clients == "none"):
            raise ValueError("a user with 'certificate' needs 'tls: {clients: optional}' or 'required'")
        return self

    @model_validator(mode="after")
    def _one_style(self) -> MqttSpec:
        if (self.style == "sparkplug") != (self.sparkplug is not None):
            raise ValueError("'style: sparkplug' and 'sparkplug: {group, edge}' belong together")
        if self.topic is not None and self.style == "sparkplug":
            raise ValueError("Sparkplug has its own topics: leave 'topic' out")
        if self.topic is not None and ("tag" in fields_of(self.topic)) != (self.style == "tag"):
            raise ValueError("{tag} belongs into the 'topic' of 'style: tag', and only there")
        return self

    @model_validator(mode="after")
    def _own_or_other(self) -> MqttSpec:
        if self.broker is not None:
            for name in ("tls", "websocket", "limits", "anonymous"):
                if name in self.model_fields_set:
                    raise ValueError(f"{name!r} is for our own broker: with 'broker' it is set up there")
            if any(user.publish is not None or user.subscribe is not None for user in self.users):
                raise ValueError("rights of users are set up at the broker itself when there is a 'broker'")
        return self

    @property
    def further_ports(self) -> tuple[int, ...]:
        """Ports of the listeners besides the plain one: TLS, then WebSocket."""
        return tuple(listener.port for listener in (self.tls, self.websocket) if listener is not None)
