"""The check of OPC UA subscriptions."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from grader.outcome import Outcome, failed, partly, passed
from grader.server import ServerCheck, ServerParams
from grader.words import clock, duration, fill, listed, margin, names, number
from labsim.evidence.event import Record
from labsim.evidence.evidence import Evidence
from labsim.quantity import Duration, Tolerance, ToleranceField
from labsim.scenario.fields import TagPath
from labsim.text import Text, tr

_SLACK_MS = 1e-6
"""Intervals travel as milliseconds in float64; parameters are seconds."""


_NO_ITEM = tr("no monitored item", "沒有監控項", "没有监控项")
_PUBLISHING = tr("publishing interval", "發佈間隔", "发布间隔")
_SAMPLING = tr("sampling interval", "採樣間隔", "采样间隔")
_QUEUE = tr("queue", "隊列", "队列")
_DEADBAND = tr("deadband", "死區", "死区")
_READS = tr("reads", "讀取", "读取")
_AT_MOST = tr("{what} ≤ {limit}", "{what} ≤ {limit}", "{what} ≤ {limit}")
_AT_LEAST = tr("{what} ≥ {limit}", "{what} ≥ {limit}", "{what} ≥ {limit}")
_IS = tr("{what} {value}", "{what} {value}", "{what} {value}")
_SETTINGS_OF = tr("{tag}: {settings}", "{tag}：{settings}", "{tag}：{settings}")


class SubscribedParams(ServerParams):
    """Parameters of `Subscribed`."""

    tags: Annotated[tuple[TagPath, ...], Field(min_length=1)] = Field(description="Tags that must be monitored.")
    publishing: Duration | None = Field(None, description="The longest publishing interval allowed, as revised.")
    sampling: Duration | None = Field(None, description="The longest sampling interval allowed, as revised.")
    queue: Annotated[int, Field(ge=1)] | None = Field(None, description="The shortest queue allowed, as revised.")
    deadband: ToleranceField | None = Field(
        None,
        description="The deadband: a number is absolute in the tag's unit, a percentage is of its range; 0 is none.",
    )
    reads_after: Annotated[int, Field(ge=0)] | None = Field(
        None, description="How often each tag may still be read by Read requests once it is subscribed."
    )


class Subscribed(ServerCheck[SubscribedParams]):
    """Tags are monitored by a subscription with the settings that are asked for.

    For every tag the monitored item that fits best counts, whenever it was created; each tag carries an equal share of the
    marks. Intervals and queue are judged as the server revised them.

    Example::

        opcua.subscribed: {tags: [mill1.spindle_speed], publishing: 500 ms, sampling: 250 ms, queue: 10, marks: 3}
    """

    name = "opcua.subscribed"
    sentence = tr("Subscribed over OPC UA: {tags}", "通過 OPC UA 訂閱：{tags}", "通过 OPC UA 订阅：{tags}")
    Params = SubscribedParams

    def title(self, params: SubscribedParams) -> Text:
        """Names the tags."""
        return self.at(params, self.sentence.format(tags=names(params.tags)))

    def judge_here(self, evidence: Evidence, params: SubscribedParams) -> Outcome:
        """Judge the best monitored item of each tag."""
        items = [r for r in evidence.of("opcua", "subscribe") if r.status == 0]
        speed = evidence.manifest.speed
        rows: list[Record] = []
        wrong: dict[str, list[Text]] = {}
        had: Text | None = None
        for tag in params.tags:
            mine = [r for r in items if tag in r.tags]
            if not mine:
                wrong[tag] = [_NO_ITEM]
                continue
            best = min(mine, key=lambda r: (len(_faults(r, params, speed)), r.seq))
            rows.append(best)
            faults = _faults(best, params, speed)
            polled = [r for r in evidence.of("opcua", "read") if tag in r.tags and r.t > best.t]
            if not faults and params.reads_after is not None and len(polled) > params.reads_after:
                faults = [_READS]
                rows += polled
            if faults:
                wrong[tag] = faults
                counted = f"{len(polled)} ×" if faults == [_READS] else ""
                had = had or fill(_SETTINGS_OF, tag=tag, settings=listed([_settings(best, speed), counted]))
        expected = _asked(params)
        if not wrong:
            reason = tr(
                "Monitored as asked from {time}.",
                "自 {time} 起按要求監控。",
                "自 {time} 起按要求监控。",
            )
            return passed(
                reason.format(time=clock(evidence, max(r.t for r in rows))),
                expected=expected,
                evidence=rows,
            )
        if not rows:
            reason = tr(
                "No monitored item was created for {tags}.", "沒有為 {tags} 創建監控項。", "没有为 {tags} 创建监控项。"
            )
            return failed(reason.format(tags=names(params.tags)), expected=expected)
        first, faults = next(iter(wrong.items()))
        reason = fill(
            tr(
                "{n} of {all} tags are subscribed as asked; {tag} differs in: {faults}.",
                "{all} 個測點中有 {n} 個按要求訂閱；{tag} 不符之處：{faults}。",
                "{all} 个测点中有 {n} 个按要求订阅；{tag} 不符之处：{faults}。",
            ),
            n=len(params.tags) - len(wrong),
            all=len(params.tags),
            tag=first,
            faults=listed(faults),
        )
        share = 1 - len(wrong) / len(params.tags)
        return partly(share, reason, expected=expected, actual=had, evidence=rows)


def deadband_of(record: Record) -> Tolerance:
    """The deadband of a monitored item: absolute, or relative to the range (OPC 10000-4 §7.22.2: 1 absolute, 2 percent)."""
    kind = str(record.detail.get("deadband_type", "0")).lower()
    value = float(record.detail.get("deadband") or 0.0)
    if kind in ("1", "absolute"):
        return Tolerance(absolute=value)
    return Tolerance(relative=value / 100) if kind in ("2", "percent") else Tolerance()


def _interval(record: Record, name: str, speed: float) -> float | None:
    """An interval of the wire as milliseconds of plant time."""
    got = record.detail.get(name)
    return got * speed if isinstance(got, (int, float)) else None


def _faults(record: Record, params: SubscribedParams, speed: float) -> list[Text]:
    had = record.detail
    asked = params.deadband
    got = deadband_of(record)
    return [
        name
        for name, wrong in (
            (_PUBLISHING, _longer(_interval(record, "publishing_ms", speed), params.publishing)),
            (_SAMPLING, _longer(_interval(record, "sampling_ms", speed), params.sampling)),
            (_QUEUE, params.queue is not None and int(had.get("queue") or 0) < params.queue),
            (
                _DEADBAND,
                asked is not None
                and (abs(got.absolute - asked.absolute) > 1e-9 or abs(got.relative - asked.relative) > 1e-9),
            ),
        )
        if wrong
    ]


def _longer(got_ms: float | None, most_s: float | None) -> bool:
    return most_s is not None and (got_ms is None or got_ms > most_s * 1000 + _SLACK_MS)


def _asked(params: SubscribedParams) -> Text | None:
    return (
        listed(
            [
                fill(_AT_MOST, what=_PUBLISHING, limit=duration(params.publishing))
                if params.publishing is not None
                else "",
                fill(_AT_MOST, what=_SAMPLING, limit=duration(params.sampling)) if params.sampling is not None else "",
                fill(_AT_LEAST, what=_QUEUE, limit=params.queue) if params.queue is not None else "",
                fill(_IS, what=_DEADBAND, value=_deadband(params.deadband)) if params.deadband is not None else "",
                fill(_AT_MOST, what=_READS, limit=params.reads_after) if params.reads_after is not None else "",
            ]
        )
        or None
    )


def _deadband(value: Tolerance) -> str:
    return margin(value).removeprefix("±") if value.absolute or value.relative else "0"


def _settings(record: Record, speed: float) -> Text:
    had = record.detail

    def shown(name: str) -> str:
        got = _interval(record, name, speed)
        return "?" if got is None else f"{number(round(got, 3))} ms"

    return listed(
        [
            fill(_IS, what=_PUBLISHING, value=shown("publishing_ms")),
            fill(_IS, what=_SAMPLING, value=shown("sampling_ms")),
            fill(_IS, what=_QUEUE, value=had.get("queue", "?")),
            fill(_IS, what=_DEADBAND, value=_deadband(deadband_of(record))),
        ]
    )
