"""Calls as evidence names them: a method of a device, an act on an alarm, or any other."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from asyncua import ua

from labsim.endpoints.opcua.alarms import AlarmCondition
from labsim.endpoints.opcua.core import condition
from labsim.endpoints.opcua.core.happening import CallFact
from labsim.endpoints.opcua.core.nodeid import Key, text_of
from labsim.endpoints.opcua.core.plain import Packed
from labsim.plant.alarms import Action

_ACTS: dict[Key, Action] = {
    condition.ACKNOWLEDGE: "acknowledge",
    condition.CONFIRM: "confirm",
    condition.ADD_COMMENT: "comment",
    condition.ENABLE: "enable",
    condition.DISABLE: "disable",
    **dict.fromkeys((condition.TIMED_SHELVE, condition.ONE_SHOT_SHELVE, 2949, 2948), "shelve"),
    **dict.fromkeys((condition.UNSHELVE, 2947), "unshelve"),
}
"""What a method does to an alarm: the methods of AlarmConditionType, and those that ShelvedStateMachineType declares."""


@dataclass(frozen=True, slots=True)
class Calls:
    """What calls are about.

    Attributes:
        names: What a device calls a method, by its node.
        alarms: Conditions by their node.
    """

    names: Mapping[Key, str] = field(default_factory=dict)
    alarms: Mapping[Key, AlarmCondition] = field(default_factory=dict)

    def told(self, fact: CallFact, device: str) -> tuple[str, dict[str, Any]]:
        """Kind of the event, and what stands in it; ``device`` is that of the object."""
        found, action = self.alarms.get(fact.object), _ACTS.get(fact.method)
        if found is not None and action is not None:
            return self._act(fact, found, action)
        about: dict[str, Any] = {
            "device": device,
            "subject": text_of(fact.method),
            "node": text_of(fact.object),
            "method": text_of(fact.method),
            "arguments": [shown(one) for one in fact.arguments],
            "results": [shown(one) for one in fact.results],
        }
        if fact.method in self.names:
            about["name"] = self.names[fact.method]
        return "call", about

    @staticmethod
    def _act(fact: CallFact, found: AlarmCondition, action: Action) -> tuple[str, dict[str, Any]]:
        alarm, given = found.alarm, fact.arguments
        about: dict[str, Any] = {
            "device": alarm.device,
            "subject": text_of(found.key),
            "tags": [alarm.tag.path],
            "source": text_of(found.source),
            "condition": alarm.path,
        }
        if len(given) == 2 and isinstance(given[1], ua.LocalizedText):
            about |= {"event_id": shown(given[0]), "comment": given[1].Text}
        if alarm.state.active_ns:
            about["active_ns"] = alarm.state.active_ns
        if action == "acknowledge":
            return "acknowledge", about
        if action == "shelve" and given and isinstance(given[0], (int, float)):
            about["seconds"] = given[0] / 1000
        return "condition", about | {"action": action}


def shown(value: Any) -> Any:
    """A value as JSON can hold it; bytes in hexadecimal."""
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, ua.LocalizedText):
        return value.Text
    if isinstance(value, Packed):
        return value.plain
    if isinstance(value, dict):
        return value
    return [shown(one) for one in value] if isinstance(value, (list, tuple)) else str(value)
