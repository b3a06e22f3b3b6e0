"""What one party does at the broker, told to the sink as events of the mqtt vocabulary."""

from __future__ import annotations

import hashlib
from typing import Any

from labsim.endpoints.mqtt.packet import Asked, Connect, Will
from labsim.endpoints.mqtt.properties import describe_properties
from labsim.evidence.event import PAYLOAD_KEPT, Event, Sink


class Witness:
    """Speaks to the sink about one connection, or about the plant itself.

    Attributes:
        app: The client id, once it is known.
        user: The authenticated user.
        thumb: SHA-1 thumbprint of the client's certificate.
    """

    def __init__(self, sink: Sink, client: str = "", session: str = "", app: str = "", thumb: str = "") -> None:
        self._sink, self.client, self.session, self.app, self.user = sink, client, session, app, ""
        self.thumb = thumb

    def note(self, kind: str, subject: str = "", status: int = 0, **detail: Any) -> None:
        """Tell one event.

        Raises:
            EvidenceError: it could not be kept.
        """
        self._sink(
            Event(
                kind=kind, protocol="mqtt", client=self.client, session=self.session, app=self.app, user=self.user,
                thumb=self.thumb, subject=subject, status=status, detail=detail,
            )
        )  # fmt: skip

    def note_message(
        self, kind: str, topic: str, payload: bytes, qos: int, retain: bool, dup: bool = False, mid: int = 0,
        device: str = "", **more: Any,
    ) -> None:  # fmt: skip
        """Tell of one message: a ``publish`` or, refused by the access list, a ``deny``; see `note`."""
        text, detail = describe(payload)
        detail["qos"], detail["retain"], detail["dup"] = qos, retain, dup
        if mid:
            detail["mid"] = mid
        if more:
            detail.update(more)
        self._sink(
            Event(
                kind=kind, protocol="mqtt", client=self.client, session=self.session, app=self.app, user=self.user,
                thumb=self.thumb, device=device, subject=topic, values=[text], detail=detail,
            )
        )  # fmt: skip


def describe(payload: bytes) -> tuple[str, dict[str, Any]]:
    """A payload as evidence keeps it: text, or hex when it is not UTF-8; with size, sha256 and, if true, binary and cut."""
    size = len(payload)
    detail: dict[str, Any] = {"size": size, "sha256": hashlib.sha256(payload).hexdigest()}
    kept = payload
    if size > PAYLOAD_KEPT:
        kept = payload[:PAYLOAD_KEPT]
        detail["cut"] = True
    try:
        return kept.decode(), detail
    except UnicodeDecodeError as error:
        if size > PAYLOAD_KEPT and error.reason == "unexpected end of data":  # only a character that we cut
            return kept[: error.start].decode(), detail
    detail["binary"] = True
    return kept.hex(), detail


def describe_connect(packet: Connect) -> dict[str, Any]:
    """What a ``connect`` event holds of version 5 and of the will; never a password or authentication data."""
    facts: dict[str, Any] = {}
    shown = {name: value for name, value in packet.properties.items() if name != "authentication_data"}
    if shown:
        facts["properties"] = describe_properties(shown)
    if packet.will is not None:
        facts["will"] = describe_will(packet.will)
    return facts


def describe_will(will: Will) -> dict[str, Any]:
    """A will as the ``connect`` event holds it."""
    text, detail = describe(will.payload)
    if will.properties:
        detail["properties"] = describe_properties(will.properties)
    return {"topic": will.topic, "qos": will.qos, "retain": will.retain, "payload": text, **detail}


def describe_subscription(asked: Asked, identifier: int) -> dict[str, Any]:
    """A subscription as evidence holds it; options of version 5 only where they are not the usual."""
    facts: dict[str, Any] = {"qos": asked.qos, "granted": asked.qos}
    if asked.no_local:
        facts["no_local"] = True
    if asked.as_published:
        facts["as_published"] = True
    if asked.handling:
        facts["handling"] = asked.handling
    if identifier:
        facts["identifier"] = identifier
    return facts
