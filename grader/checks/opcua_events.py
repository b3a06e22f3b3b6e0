"""Check of subscriptions to events over OPC UA: of which object, with which fields, from which severity."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field

from grader.outcome import Outcome, failed, partly, passed
from grader.server import ServerCheck, ServerParams
from grader.words import clock, listed, names
from labsim.evidence.event import Record
from labsim.evidence.evidence import Evidence
from labsim.scenario.fields import DevicePath
from labsim.text import Text, tr

_ORDER = {"GreaterThanOrEqual": 0, "GreaterThan": 1, "LessThanOrEqual": 0, "LessThan": 1}


class ListenedParams(ServerParams):
    """Parameters of `Listened`."""

    device: DevicePath | None = Field(
        None, description="The device whose events are watched; without it those of any device, or of the whole server."
    )
    fields: tuple[str, ...] = Field(
        (), description="Fields that the events must carry, by their browse names, such as Severity or ActiveState/Id."
    )
    severity: Annotated[int, Field(ge=1, le=1000)] | None = Field(
        None, description="The severity from which on events are told: the where clause must say just that."
    )
    queue: Annotated[int, Field(ge=1)] | None = Field(None, description="The shortest queue allowed, as revised.")


class Listened(ServerCheck[ListenedParams]):
    """A client watches events with the filter that is asked for.

    The monitored item on events that fits best counts. Its where clause is read as the client wrote it: the severity that it asks
    for must be the bound that all its conditions together leave. Each of fields, severity and queue carries an equal share.

    Example::

        opcua.listened: {device: mill1, fields: [EventType, Severity, Message], severity: 500, marks: 3}
    """

    name = "opcua.listened"
    sentence = tr("Events are watched over OPC UA", "通過 OPC UA 監視事件", "通过 OPC UA 监视事件")
    of_device = tr(
        "Events of {device} are watched over OPC UA",
        "通過 OPC UA 監視 {device} 的事件",
        "通过 OPC UA 监视 {device} 的事件",
    )
    Params = ListenedParams

    def title(self, params: ListenedParams) -> Text:
        """Names the device."""
        return self.at(params, self.of_device.format(device=params.device) if params.device else self.sentence)

    def judge_here(self, evidence: Evidence, params: ListenedParams) -> Outcome:
        """Judge the best monitored item on events."""
        items = [
            r
            for r in evidence.of("opcua", "subscribe")
            if r.status == 0 and "select" in r.detail and (params.device is None or r.device == params.device)
        ]
        expected = _asked(params)
        if not items:
            reason = tr(
                "No monitored item on events was created there.", "沒有在此創建事件監控項。", "没有在此创建事件监控项。"
            )
            return failed(reason, expected=expected)
        best = min(items, key=lambda r: (len(_faults(r, params)), r.seq))
        faults, asked = _faults(best, params), max(1, len(_wanted(params)))
        if not faults:
            reason = tr("Watched as asked from {time}.", "自 {time} 起按要求監視。", "自 {time} 起按要求监视。")
            return passed(reason.format(time=clock(evidence, best.t)), expected=expected, evidence=[best])
        reason = tr(
            "Events are watched, but not as asked: {faults}.",
            "已監視事件，但不符合要求：{faults}。",
            "已监视事件，但不符合要求：{faults}。",
        )
        return partly(
            1 - len(faults) / asked,
            reason.format(faults=listed(faults)),
            expected=expected,
            actual=_had(best),
            evidence=[best],
        )


def bounds(where: list[list[Any]]) -> tuple[int, int]:
    """The least and the greatest severity that pass a where clause, by its first element and what that joins with And.

    Conditions of other fields, and what stands below Or and Not, are taken to let everything through.
    """
    low, high = 0, 1000
    todo, seen = [0], set[int]()
    while todo:
        at = todo.pop()
        if at in seen or at >= len(where):
            continue
        seen.add(at)
        kind, *operands = where[at]
        if kind == "And":
            todo += [int(one[1:]) for one in operands if isinstance(one, str) and one[:1] == "#" and one[1:].isdigit()]
        elif kind in _ORDER and len(operands) == 2:
            up = kind.startswith("Greater")
            if operands[1] == "Severity":  # 500 <= Severity
                operands, up = operands[::-1], not up
            value = _whole(operands[1])
            if operands[0] == "Severity" and value is not None:
                edge = value + (_ORDER[kind] if up else -_ORDER[kind])
                low, high = (max(low, edge), high) if up else (low, min(high, edge))
        elif kind == "Between" and operands[0] == "Severity":
            first, last = _whole(operands[1]), _whole(operands[2])
            if first is not None and last is not None:
                low, high = max(low, first), min(high, last)
    return low, high


def _whole(value: Any) -> int | None:
    return int(value) if isinstance(value, (int, float)) and not isinstance(value, bool) and abs(value) < 1e9 else None


def _wanted(params: ListenedParams) -> list[str]:
    return [
        name
        for name, asked in (
            ("fields", params.fields),
            ("severity", params.severity is not None),
            ("queue", params.queue is not None),
        )
        if asked
    ]


_FIELDS = tr("fields {names}", "字段 {names}", "字段 {names}")
_MISSING = tr("the fields {names} are missing", "缺少字段 {names}", "缺少字段 {names}")
_SEVERITY = tr("severity {least} and above", "嚴重度 {least} 及以上", "严重度 {least} 及以上")
_BETWEEN = tr("severity {least} to {most}", "嚴重度 {least} 至 {most}", "严重度 {least} 至 {most}")
_QUEUE = tr("queue {n}", "隊列 {n}", "队列 {n}")


def _told(record: Record) -> Text:
    """Which severities an item lets through."""
    low, high = bounds(record.detail.get("where") or [])
    return _SEVERITY.format(least=low) if high >= 1000 else _BETWEEN.format(least=low, most=high)


def _faults(record: Record, params: ListenedParams) -> list[Text]:
    detail, faults = record.detail, list[Text]()
    missing = [one for one in params.fields if one not in detail["select"]]
    if missing:
        faults.append(_MISSING.format(names=names(missing)))
    if params.severity is not None:
        low, high = bounds(detail.get("where") or [])
        if max(low, 1) != params.severity or high < 1000:
            faults.append(_told(record))
    if params.queue is not None and int(detail.get("queue") or 0) < params.queue:
        faults.append(_QUEUE.format(n=detail.get("queue", 0)))
    return faults


def _asked(params: ListenedParams) -> Text | None:
    wanted = [
        _FIELDS.format(names=names(params.fields)) if params.fields else "",
        _SEVERITY.format(least=params.severity) if params.severity is not None else "",
        _QUEUE.format(n=f"≥ {params.queue}") if params.queue is not None else "",
    ]
    return listed(wanted) or None


def _had(record: Record) -> Text:
    detail = record.detail
    return listed(
        [_FIELDS.format(names=names(detail["select"])), _told(record), _QUEUE.format(n=detail.get("queue", "?"))]
    )
