"""Which fields of an OPC UA event are asked for, and what came back by name (OPC 10000-5 §6.4.2, OPC 10000-9 §5.5)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from asyncua import ua

from labsim.probe.variant import plain_value

_BASE, _CONDITION = ua.ObjectIds.BaseEventType, ua.ObjectIds.ConditionType
_FIELDS = {
    "Time": _BASE, "Severity": _BASE, "SourceName": _BASE, "Message": _BASE, "EventType": _BASE, "EventId": _BASE,
    "ConditionName": _CONDITION, "Retain": _CONDITION, "BranchId": _CONDITION,
    "ActiveState/Id": ua.ObjectIds.AlarmConditionType, "AckedState/Id": ua.ObjectIds.AcknowledgeableConditionType,
    "ConfirmedState/Id": ua.ObjectIds.AcknowledgeableConditionType, "Comment": _CONDITION,
}  # fmt: skip
_CONDITION_ID = "ConditionId"


def event_filter() -> ua.EventFilter:
    """All fields of every event."""
    clauses = [
        ua.SimpleAttributeOperand(
            ua.NodeId(kind), [ua.QualifiedName(part) for part in name.split("/")], ua.AttributeIds.Value
        )
        for name, kind in _FIELDS.items()
    ]
    clauses.append(ua.SimpleAttributeOperand(ua.NodeId(_CONDITION), [], ua.AttributeIds.NodeId))
    return ua.EventFilter(SelectClauses=clauses)


def event_of(fields: Sequence[ua.Variant]) -> dict[str, Any]:
    """The fields that the event has, as JSON can hold them; those of a state by its name: ``ActiveState``."""
    found = {}
    for name, variant in zip([*_FIELDS, _CONDITION_ID], fields, strict=False):
        value = variant.Value
        if value is not None and not (name == "BranchId" and value.is_null()):
            found[name.removesuffix("/Id")] = plain_value(value)
    return found
