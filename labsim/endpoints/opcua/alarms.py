"""Alarms of the plant as OPC UA conditions: nodes, fields and methods are a view of `labsim.plant.alarms`."""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Callable, Mapping
from typing import Any

from asyncua import ua

from labsim.endpoints.opcua.core.codec import datetime_of
from labsim.endpoints.opcua.core.condition import Act
from labsim.endpoints.opcua.core.event import Event, Path, base_fields, path
from labsim.endpoints.opcua.core.locale import Locales
from labsim.endpoints.opcua.core.nodeid import Key, node_id
from labsim.endpoints.opcua.core.status import S
from labsim.plant.alarm_spec import AlarmSpec, Level
from labsim.plant.alarms import LEVEL_NAMES, SHELVED_AT_MOST_NS, Alarm, AlarmState, Refusal, Shelving
from labsim.plant.events import Occurrence
from labsim.text import Text, tr

VT = ua.VariantType
EXCLUSIVE_LIMIT, NON_EXCLUSIVE_LIMIT, DISCRETE, OFF_NORMAL = 9341, 9906, 10523, 10637
_PROCESS_CLASS = 11164
_LIMITS: dict[Level, tuple[str, int]] = {
    "hihi": ("HighHigh", 9329), "hi": ("High", 9331), "lo": ("Low", 9333), "lolo": ("LowLow", 9335),
}  # fmt: skip
"""Name of each limit, and its state in ExclusiveLimitStateMachineType."""
_SHELVING: dict[Shelving, tuple[int, Text]] = {
    "unshelved": (2930, tr("Unshelved", "未擱置", "未搁置")),
    "timed": (2932, tr("Timed Shelved", "定時擱置", "定时搁置")),
    "one-shot": (2933, tr("One Shot Shelved", "單次擱置", "单次搁置")),
}
_STATES: dict[str, tuple[Text, Text]] = {
    "EnabledState": (tr("Enabled", "已啟用", "已启用"), tr("Disabled", "已停用", "已停用")),
    "AckedState": (tr("Acknowledged", "已確認", "已确认"), tr("Unacknowledged", "未確認", "未确认")),
    "ConfirmedState": (tr("Confirmed", "已核實", "已核实"), tr("Unconfirmed", "未核實", "未核实")),
    "ActiveState": (tr("Active", "活動", "活动"), tr("Inactive", "非活動", "非活动")),
    "HighHighState": (LEVEL_NAMES["hihi"], tr("Not high-high", "未達高高限", "未达高高限")),
    "HighState": (LEVEL_NAMES["hi"], tr("Not high", "未達高限", "未达高限")),
    "LowState": (LEVEL_NAMES["lo"], tr("Not low", "未達低限", "未达低限")),
    "LowLowState": (LEVEL_NAMES["lolo"], tr("Not low-low", "未達低低限", "未达低低限")),
}
"""What each two-state variable is called while it is true and while it is false."""
_PROCESS = tr("Process", "過程", "过程")
_CODES: dict[Refusal, int] = {
    "": 0,
    "unknown-event": S.BadEventIdUnknown,
    "disabled": S.BadConditionDisabled,
    "already-acknowledged": S.BadConditionBranchAlreadyAcked,
    "already-confirmed": S.BadConditionBranchAlreadyConfirmed,
    "not-acknowledged": S.BadInvalidState,
    "already-enabled": S.BadConditionAlreadyEnabled,
    "already-disabled": S.BadConditionAlreadyDisabled,
    "already-shelved": S.BadConditionAlreadyShelved,
    "not-shelved": S.BadConditionNotShelved,
    "bad-time": S.BadShelvingTimeOutOfRange,
}


class EventIds:
    """EventIds of the plant's occurrences: the same one whenever an occurrence is told, and back to its number.

    Args:
        server: What sets them apart from those of another server.
    """

    def __init__(self, server: str) -> None:
        self._mark = hashlib.sha256(server.encode()).digest()[:8]

    def of(self, number: int) -> bytes:
        """16 bytes for the number of an occurrence."""
        return self._mark + struct.pack(">Q", number)

    def number(self, event_id: bytes) -> int:
        """The number again; 0, which no occurrence has, for bytes that are none of ours."""
        if len(event_id) != 16 or event_id[:8] != self._mark:
            return 0
        return int(struct.unpack(">Q", event_id[8:])[0])


def condition_type(spec: AlarmSpec) -> Key:
    """The ObjectType of an alarm (OPC 10000-9 §5.8)."""
    if spec.kind == "limit":
        return EXCLUSIVE_LIMIT if spec.exclusive else NON_EXCLUSIVE_LIMIT
    return OFF_NORMAL if spec.kind == "off-normal" else DISCRETE


class AlarmCondition:
    """One alarm as a condition.

    Args:
        alarm: The alarm.
        key: Its node; ``name`` its ConditionName.
        source: Node of the tag it watches, or of its device; ``source_name`` what that is called.
        ids: EventIds.
        filetime: FILETIME of simulated nanoseconds.
    """

    def __init__(
        self,
        alarm: Alarm,
        key: Key,
        name: str,
        source: tuple[Key, str],
        ids: EventIds,
        filetime: Callable[[int], int],
    ) -> None:
        self.alarm, self.key, self.name, self._ids, self._filetime = alarm, key, name, ids, filetime
        self.source, self.source_name = source
        self.type = condition_type(alarm.spec)

    @property
    def retain(self) -> bool:
        """Whether somebody must still care."""
        return self.alarm.state.retain

    def act(self, act: Act, user: str, comment: str | None, event_id: bytes | None, seconds: float) -> int:
        """Do what a client asked; the StatusCode."""
        number = self._ids.number(event_id) if event_id is not None else None
        return int(_CODES[self.alarm.act(act, user=user, comment=comment, number=number, seconds=seconds)])

    def event(self) -> Event:
        """Its last event, or how it stands when there was none yet."""
        last = self.alarm.last
        return self.event_of(last) if last is not None else self._event(self.alarm.state, 0, 0, self.alarm.message())

    def event_of(self, occurrence: Occurrence) -> Event:
        """The event that an occurrence of this alarm is."""
        assert isinstance(occurrence.alarm, AlarmState)
        return self._event(occurrence.alarm, occurrence.number, occurrence.t_ns, occurrence.message)

    def value(self, where: Path, locales: Locales) -> Any:
        """What a variable of the condition's node holds."""
        if where == path("ShelvingState", "UnshelveTime"):
            return ua.Variant(self.alarm.shelved_ns / 1e6, VT.Double)
        variant = self.event().field(where, locales)
        return variant if variant is not None else ua.Variant()

    @staticmethod
    def optional(spec: AlarmSpec) -> set[Path]:
        """Optional children that the node of an alarm has."""
        found = {path("ShelvingState"), path("MaxTimeShelved"), path("OnDelay"), path("OffDelay")}
        found |= {path(state, "TransitionTime") for state in ("EnabledState", "AckedState", "ActiveState")}
        if spec.confirm:
            found |= {path("ConfirmedState"), path("ConfirmedState", "TransitionTime"), path("Confirm")}
        for level in spec.levels:
            name = _LIMITS[level][0]
            found |= {path(f"{name}Limit"), path(f"{name}Deadband"), path(f"Severity{name}")}
            if not spec.exclusive:
                found.add(path(f"{name}State"))
        return found

    def _event(self, state: AlarmState, number: int, t_ns: int, message: Text) -> Event:
        time = self._filetime(t_ns)
        fields = base_fields(
            self.type, self.source, self.source_name, time, self._ids.of(number), message, state.severity
        )  # fmt: skip
        fields |= self._condition(state, time) | self._alarm(state, time)
        return Event(self.type, self.source, time, fields)

    def _moment(self, t_ns: int) -> Any:
        return ua.Variant(datetime_of(self._filetime(t_ns)), VT.DateTime)

    def _two_state(self, name: str, on: bool, t_ns: int) -> dict[Path, Any]:
        return {
            path(name): _STATES[name][0 if on else 1],
            path(name, "Id"): ua.Variant(on, VT.Boolean),
            path(name, "TransitionTime"): self._moment(t_ns),
        }

    def _condition(self, state: AlarmState, time: int) -> dict[Path, Any]:
        """Fields of ConditionType and AcknowledgeableConditionType (OPC 10000-9 §5.5.2, §5.7.2)."""
        moment = ua.Variant(datetime_of(time), VT.DateTime)
        fields: dict[Path, Any] = {
            (): ua.Variant(node_id(self.key), VT.NodeId),
            path("ConditionClassId"): ua.Variant(node_id(_PROCESS_CLASS), VT.NodeId),
            path("ConditionClassName"): _PROCESS,
            path("ConditionName"): ua.Variant(self.name, VT.String),
            path("BranchId"): ua.Variant(ua.NodeId(), VT.NodeId),
            path("Retain"): ua.Variant(state.retain, VT.Boolean),
            path("Quality"): ua.Variant(ua.StatusCode(state.quality), VT.StatusCode),
            path("Quality", "SourceTimestamp"): moment,
            path("LastSeverity"): ua.Variant(state.last_severity, VT.UInt16),
            path("LastSeverity", "SourceTimestamp"): moment,
            path("Comment"): ua.Variant(
                ua.LocalizedText(state.comment, "" if not state.comment else None), VT.LocalizedText
            ),
            path("Comment", "SourceTimestamp"): self._moment(state.comment_ns),
            path("ClientUserId"): ua.Variant(state.user, VT.String),
        }
        fields |= self._two_state("EnabledState", state.enabled, state.enabled_ns)
        fields |= self._two_state("AckedState", state.acknowledged, max(state.acknowledged_ns, state.active_ns))
        if self.alarm.spec.confirm:
            fields |= self._two_state("ConfirmedState", state.confirmed, max(state.confirmed_ns, state.acknowledged_ns))
        return fields

    def _alarm(self, state: AlarmState, time: int) -> dict[Path, Any]:
        """Fields of AlarmConditionType and of the types below it (OPC 10000-9 §5.8)."""
        spec, shelved = self.alarm.spec, _SHELVING[state.shelving]
        left_ns = max(state.shelved_until_ns - self._now(time), 0) if state.shelving == "timed" else 0
        fields: dict[Path, Any] = {
            path("InputNode"): ua.Variant(node_id(self.source), VT.NodeId),
            path("SuppressedOrShelved"): ua.Variant(state.shelving != "unshelved", VT.Boolean),
            path("ShelvingState", "CurrentState"): shelved[1],
            path("ShelvingState", "CurrentState", "Id"): ua.Variant(node_id(shelved[0]), VT.NodeId),
            path("ShelvingState", "UnshelveTime"): ua.Variant(left_ns / 1e6, VT.Double),
            path("MaxTimeShelved"): ua.Variant(SHELVED_AT_MOST_NS / 1e6, VT.Double),
            path("OnDelay"): ua.Variant(spec.on_delay * 1000, VT.Double),
            path("OffDelay"): ua.Variant(spec.off_delay * 1000, VT.Double),
        }
        fields |= self._two_state("ActiveState", state.active, state.t_ns)
        if spec.kind == "off-normal":
            fields[path("NormalState")] = ua.Variant(ua.NodeId(), VT.NodeId)
        for level, limit in spec.levels.items():
            name = _LIMITS[level][0]
            fields[path(f"{name}Limit")] = ua.Variant(limit, VT.Double)
            fields[path(f"{name}Deadband")] = ua.Variant(spec.deadband, VT.Double)
            fields[path(f"Severity{name}")] = ua.Variant(spec.severity_of((level,)), VT.UInt16)
            if not spec.exclusive:
                fields |= self._two_state(f"{name}State", level in state.levels, state.t_ns)
        if spec.kind == "limit" and spec.exclusive:
            worst = state.levels[0] if state.levels else None
            current = node_id(_LIMITS[worst][1]) if worst is not None else ua.NodeId()
            shown: Mapping[str, str] | Any = LEVEL_NAMES[worst] if worst is not None else _none()
            fields[path("LimitState", "CurrentState")] = shown
            fields[path("LimitState", "CurrentState", "Id")] = ua.Variant(current, VT.NodeId)
        return fields

    def _now(self, time: int) -> int:
        """Plant time of a FILETIME of ours."""
        return (time - self._filetime(0)) * 100


def _none() -> Any:
    return ua.Variant(ua.LocalizedText(), VT.LocalizedText)
