"""What the plant's devices publish by themselves, in plant time."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime

import msgspec

from labsim.endpoints.mqtt.packet import ProtocolViolation
from labsim.endpoints.mqtt.topic import check_topic
from labsim.errors import InputError, UnknownNameError
from labsim.plant import status
from labsim.plant.plant import Plant
from labsim.plant.tags import Tag

Publisher = Callable[[str, bytes, int, bool, str], None]
"""Takes topic, payload, QoS, retain and the path of the device."""


class _Message:
    """One message of one device: where it goes, what it shows, when it is due next (plant nanoseconds; None at first)."""

    def __init__(self, device: str, topic: str, every_ns: int, qos: int, retain: bool, tags: list[Tag]) -> None:
        self.device, self.topic, self.every_ns, self.qos, self.retain = device, topic, every_ns, qos, retain
        self.tags = [(tag.row, tag.name, tag.unit.symbol if tag.unit else None) for tag in tags]
        self.due_ns: int | None = None


class Telemetry:
    """Publishes the messages of some devices.

    A message goes out at the first tick and then every so often; a period that is no multiple of the plant's step is kept on
    average. Nothing is made up for time that was skipped.

    Args:
        plant: Where the values are.
        devices: Paths; a device without MQTT is silent.
        publish: Where messages go.

    Raises:
        UnknownNameError: no such device.
        InputError: a topic that is none.
    """

    def __init__(self, plant: Plant, devices: Sequence[str], publish: Publisher) -> None:
        self._plant, self._publish = plant, publish
        self._messages = [message for path in devices for message in _messages(plant, path)]

    def tick(self) -> None:
        """Publish what is due at the plant's last step.

        Raises:
            EvidenceError: a message could not be kept, and so was not published.
        """
        clock = self._plant.clock
        now_ns = clock.step_time_ns
        time = ""
        for message in self._messages:
            if message.due_ns is not None and now_ns < message.due_ns:
                continue
            time = time or rfc3339(clock.utc_ns(now_ns))
            self._publish(message.topic, self._payload(message, time), message.qos, message.retain, message.device)
            due_ns = now_ns if message.due_ns is None else message.due_ns
            message.due_ns = max(due_ns + message.every_ns, now_ns + 1)

    def _payload(self, message: _Message, time: str) -> bytes:
        store = self._plant.store
        values = {
            name: {"value": store.read(row), "unit": unit, "quality": status.name(int(store.status[row]))}
            for row, name, unit in message.tags
        }
        return msgspec.json.encode({"time": time, "values": values})  # NaN becomes null


def rfc3339(utc_ns: int) -> str:
    """A UTC time as ``2026-01-31T08:00:00.100Z``, cut to milliseconds."""
    seconds, rest_ns = divmod(utc_ns, 1_000_000_000)
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%S}.{rest_ns // 1_000_000:03d}Z"


def _messages(plant: Plant, path: str) -> list[_Message]:
    device = plant.devices.get(path)
    if device is None:
        raise UnknownNameError("device", path, plant.devices)
    found = []
    for spec in device.interface.mqtt.messages if device.interface.mqtt else ():
        topic = spec.topic.replace("{device}", path)
        try:
            check_topic(topic)
        except ProtocolViolation as error:
            raise InputError(f"{path}: the message topic {topic!r} cannot be published to: {error}.") from None
        tags = [device.tags[name] for name in spec.tags]
        found.append(_Message(path, topic, round(spec.every * 1e9), spec.qos, spec.retain, tags))
    return found
