"""The events of the plant's devices as messages of their own, as they happen."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping, Sequence

from labsim.endpoints.mqtt.payload import event_payload, rfc3339
from labsim.endpoints.mqtt.telemetry import Publisher
from labsim.endpoints.mqtt.topic_tree import fill_topic
from labsim.errors import UnknownNameError
from labsim.plant.events import Occurrence
from labsim.plant.interface import EventMessageSpec
from labsim.plant.plant import Plant


class Announcements:
    """Publishes what some devices tell, where their interfaces have a message for it.

    Args:
        plant: Whose events.
        devices: Paths; a device without such messages is silent.
        publish: Where messages go.
        topic: A template instead of the devices' own topics; the last level of the device's own is both ``{message}`` and
            ``{tag}``.
        places: Where in the equipment hierarchy a device stands, by path.

    Raises:
        UnknownNameError: no such device.
        InputError: a topic that is none.
    """

    def __init__(
        self, plant: Plant, devices: Sequence[str], publish: Publisher, *, topic: str = "",
        places: Mapping[str, str] | None = None,
    ) -> None:  # fmt: skip
        self._clock, self._publish = plant.clock, publish
        self._topics: dict[tuple[str, str], tuple[EventMessageSpec, str]] = {}
        self._told: deque[Occurrence] = deque()
        for path in devices:
            device = plant.devices.get(path)
            if device is None:
                raise UnknownNameError("device", path, plant.devices)
            for spec in device.interface.mqtt.events if device.interface.mqtt else ():
                name = spec.topic.rsplit("/", 1)[-1]
                place = (places or {}).get(path, "")
                made = fill_topic(topic or spec.topic, path, place, message=name, tag=name)
                self._topics[path, spec.event] = spec, made
        if self._topics:
            plant.events.listen(self._told.append)

    def tick(self) -> None:
        """Publish what was told since the last tick.

        Raises:
            EvidenceError: a message could not be kept, and so was not published.
        """
        while self._told:
            one = self._told.popleft()
            found = self._topics.get((one.device, one.name))
            if found is None or one.alarm is not None:
                continue
            spec, topic = found
            sent = rfc3339(self._clock.utc_ns(one.t_ns))
            time = sent
            if spec.age is not None:
                time = rfc3339(self._clock.utc_ns(one.t_ns - round(float(one.fields[spec.age]) * 1e9)))
            payload = event_payload(one.name, one.fields, time, sent if spec.age is not None else None)
            self._publish(topic, payload, spec.qos, spec.retain, one.device)
