"""Commands to the plant over MQTT: who may write is the broker's word, what may be written the store's."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from labsim.endpoints.mqtt.payload import read_command, reply_payload, rfc3339
from labsim.endpoints.mqtt.telemetry import writable
from labsim.endpoints.mqtt.topic_tree import fill_topic
from labsim.errors import InputError, UnknownNameError
from labsim.evidence.event import Event, Sink
from labsim.plant import status
from labsim.plant.plant import Plant
from labsim.plant.tags import Tag, TagStore, Value

Answerer = Callable[[str, bytes, int, bool, str, dict[str, Any]], None]
"""Takes topic, payload, QoS, retain, the path of the device, and properties of MQTT 5."""


class Writer:
    """Writes values that came over MQTT into the store and tells the sink.

    Args:
        store: The plant's tag store.
        sink: Where evidence goes.
    """

    def __init__(self, store: TagStore, sink: Sink) -> None:
        self._store, self._sink = store, sink

    def write(self, tag: Tag, value: Value, topic: str, app: str, user: str) -> int:
        """Write as the client ``app``; the status code of the store.

        Raises:
            EvidenceError: it could not be kept.
        """
        code = self._store.write(tag.row, value)
        self.note(tag, value, code, topic, app, user)
        return code

    def note(self, tag: Tag, value: Value | None, code: int, topic: str, app: str, user: str) -> None:
        """Tell of a write; ``value`` None for one that had no value to take."""
        self._sink(
            Event(
                kind="write", protocol="mqtt", app=app, user=user, device=tag.device, subject=topic, tags=[tag.path],
                values=[value], status=code,
            )
        )  # fmt: skip


class Commands:
    """A topic for each writable tag, on which it takes commands and answers them.

    The answer goes to the response topic that the command names (MQTT 5), with its correlation data, or else to the topic of
    the command with ``/reply`` behind it, with the command's ``id``.

    Args:
        plant: Whose tags are written.
        devices: Paths of the devices that take commands.
        template: Topic of a command, with ``{device}`` and ``{tag}``.
        answer: Where answers go.
        writer: Writes.
        places: Where in the equipment hierarchy a device stands, by path.

    Raises:
        UnknownNameError: no such device.
        InputError: a topic that is none, or one topic for two tags.
    """

    def __init__(
        self, plant: Plant, devices: Sequence[str], template: str, answer: Answerer, writer: Writer,
        places: Mapping[str, str] | None = None,
    ) -> None:  # fmt: skip
        self._plant, self._answer, self._writer = plant, answer, writer
        self._tags: dict[str, Tag] = {}
        for path in devices:
            if path not in plant.devices:
                raise UnknownNameError("device", path, plant.devices)
        for tag in writable(plant, devices):
            topic = fill_topic(template, tag.device, (places or {}).get(tag.device, ""), tag=tag.name)
            if topic in self._tags:
                taken = self._tags[topic].path
                raise InputError(f"mqtt: {taken} and {tag.path} would both take commands on {topic!r}.")
            self._tags[topic] = tag

    @property
    def topics(self) -> tuple[str, ...]:
        """Every topic on which a command is taken."""
        return tuple(self._tags)

    def hear(self, topic: str, payload: bytes, app: str, user: str, properties: Mapping[str, Any]) -> None:
        """Take a message of a client; one on no command topic is nothing to it, an empty one clears a retained one.

        Raises:
            EvidenceError: what it did could not be kept.
        """
        tag = self._tags.get(topic)
        if tag is None or not payload:
            return
        try:
            command = read_command(payload, tag)
        except ValueError as error:
            code, command_id = status.BAD_TYPE_MISMATCH, error.args[1] if len(error.args) == 2 else None
            self._writer.note(tag, None, code, topic, app, user)
        else:
            code, command_id = self._writer.write(tag, command.value, topic, app, user), command.id
        clock = self._plant.clock
        reply = reply_payload(command_id, code, self._plant.store.read(tag.row), rfc3339(clock.utc_ns(clock.now_ns())))
        echoed = {key: properties[key] for key in ("correlation_data",) if key in properties}
        where = str(properties.get("response_topic", ""))
        if not where or where.startswith("$"):  # the broker's own topics are nobody's to answer on
            where = f"{topic}/reply"
        self._answer(where, reply, 1, False, tag.device, echoed)
