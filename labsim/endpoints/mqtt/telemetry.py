"""What the plant's devices publish by themselves as JSON, in plant time."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

from labsim.endpoints.mqtt.payload import device_payload, rfc3339, tag_payload
from labsim.endpoints.mqtt.topic_tree import fill_topic
from labsim.errors import InputError, UnknownNameError
from labsim.plant.device import Device
from labsim.plant.interface import MessageSpec
from labsim.plant.plant import Plant
from labsim.plant.tags import Tag, Value

Publisher = Callable[[str, bytes, int, bool, str], None]
"""Takes topic, payload, QoS, retain and the path of the device."""
TAG_TOPIC = "labsim/{device}/{tag}"
"""Where a tag is published when the scenario does not say."""


class Pulse:
    """When something that happens every so often is due next; a period that is no multiple of a step is kept on average.

    It is due at once at first. Nothing is made up for time that was skipped.
    """

    def __init__(self, every_s: float) -> None:
        self._every_ns = round(every_s * 1e9)
        self._due_ns: int | None = None

    def beats(self, now_ns: int) -> bool:
        """Whether it is due now; if so, the next time is fixed."""
        if self._due_ns is not None and now_ns < self._due_ns:
            return False
        due_ns = now_ns if self._due_ns is None else self._due_ns
        self._due_ns = max(due_ns + self._every_ns, now_ns + 1)
        return True


class _Message:
    """One message of one device: when it is due, where it goes, what it shows."""

    def __init__(self, device: Device, spec: MessageSpec, topics: Sequence[str]) -> None:
        self.device, self.qos, self.retain, self.topics = device.path, spec.qos, spec.retain, topics
        self.tags = [device.tags[name] for name in spec.tags]
        self.pulse = Pulse(spec.every)


class Telemetry:
    """Publishes the messages of some devices as their interfaces say: one JSON object per message.

    Args:
        plant: Where the values are.
        devices: Paths; a device without MQTT is silent.
        publish: Where messages go.
        topic: A template instead of the devices' own topics; ``{message}`` is the last level of the device's own.
        places: Where in the equipment hierarchy a device stands, by path.

    Raises:
        UnknownNameError: no such device.
        InputError: a topic that is none, or the same one twice.
    """

    def __init__(
        self, plant: Plant, devices: Sequence[str], publish: Publisher, *, topic: str = "",
        places: Mapping[str, str] | None = None,
    ) -> None:  # fmt: skip
        self._plant, self._publish, self._places, self._topic = plant, publish, places or {}, topic
        self._messages = [
            _Message(device, spec, self._topics(device, spec)) for device, spec in messages(plant, devices)
        ]
        _all_different(self._messages)

    def tick(self) -> None:
        """Publish what is due at the plant's last step.

        Raises:
            EvidenceError: a message could not be kept, and so was not published.
        """
        clock = self._plant.clock
        now_ns = clock.step_time_ns
        due = [message for message in self._messages if message.pulse.beats(now_ns)]
        time = rfc3339(clock.utc_ns(now_ns)) if due else ""
        for message in due:
            condition = self._plant.devices[message.device].condition
            if condition.dead:
                continue  # and says so itself when it is back
            own = rfc3339(clock.utc_ns(now_ns + condition.skew_ns)) if condition.skew_ns else time
            self._send(message, own)

    def _topics(self, device: Device, spec: MessageSpec) -> Sequence[str]:
        name = spec.topic.rsplit("/", 1)[-1]
        return [fill_topic(self._topic or spec.topic, device.path, self._places.get(device.path, ""), message=name)]

    def _send(self, message: _Message, time: str) -> None:
        payload = device_payload(self._plant.store, message.tags, time)
        self._publish(message.topics[0], payload, message.qos, message.retain, message.device)


class TagTelemetry(Telemetry):
    """Publishes each tag of those messages on a topic of its own, retained, when its value or quality has changed.

    A tag is looked at as often as the message is sent that its interface puts it in, and has its QoS.
    """

    def __init__(
        self, plant: Plant, devices: Sequence[str], publish: Publisher, *, topic: str = TAG_TOPIC,
        places: Mapping[str, str] | None = None,
    ) -> None:  # fmt: skip
        super().__init__(plant, devices, publish, topic=topic or TAG_TOPIC, places=places)
        self._said: dict[int, tuple[Value, int]] = {}

    def _topics(self, device: Device, spec: MessageSpec) -> Sequence[str]:
        name, place = spec.topic.rsplit("/", 1)[-1], self._places.get(device.path, "")
        return [fill_topic(self._topic, device.path, place, message=name, tag=tag) for tag in spec.tags]

    def _send(self, message: _Message, time: str) -> None:
        store = self._plant.store
        for tag, topic in zip(message.tags, message.topics, strict=True):
            now = (store.read(tag.row), int(store.status[tag.row]))
            if not same(now, self._said.get(tag.row)):
                self._said[tag.row] = now
                self._publish(topic, tag_payload(store, tag, time), message.qos, True, message.device)


def same(now: tuple[Value, int], before: tuple[Value, int] | None) -> bool:
    """Whether value and status are what they were; NaN is NaN."""
    if before is None or now[1] != before[1]:
        return False
    return now[0] == before[0] or (now[0] != now[0] and before[0] != before[0])


def messages(plant: Plant, devices: Sequence[str]) -> Iterator[tuple[Device, MessageSpec]]:
    """Each message that the interfaces of some devices have.

    Raises:
        UnknownNameError: no such device.
    """
    for path in devices:
        device = plant.devices.get(path)
        if device is None:
            raise UnknownNameError("device", path, plant.devices)
        for spec in device.interface.mqtt.messages if device.interface.mqtt else ():
            yield device, spec


def writable(plant: Plant, devices: Sequence[str]) -> list[Tag]:
    """The tags of some devices that a client may write."""
    return [tag for path in devices for tag in plant.devices[path].tags.values() if tag.writable]


def _all_different(found: Sequence[_Message]) -> None:
    taken: dict[str, str] = {}
    for message in found:
        for topic in message.topics:
            if topic in taken:
                raise InputError(
                    f"mqtt: {taken[topic]} and {message.device} would both publish on {topic!r}; give the template "
                    "{device}, {tag} or {message}."
                )
            taken[topic] = message.device
