"""Check of history read over OPC UA."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from grader.outcome import Outcome, failed, partly, passed
from grader.server import ServerCheck, ServerParams
from grader.window import nanoseconds
from grader.words import duration, names
from labsim.evidence.event import Record
from labsim.evidence.evidence import Evidence
from labsim.quantity import Duration
from labsim.scenario.fields import DevicePath, TagPath
from labsim.text import Text, tr


class HistoryReadParams(ServerParams):
    """Parameters of `HistoryRead`."""

    tags: tuple[TagPath, ...] = Field((), description="Tags whose history must be read.")
    device: DevicePath | None = Field(None, description="Or the device whose events must be read, with `what: events`.")
    what: Literal["any", "raw", "at-time", "processed", "events"] = Field(
        "any", description="How it must be read; `events` are those of `device`."
    )
    aggregate: Literal["Average", "Minimum", "Maximum", "Count", "Interpolative", "TimeAverage"] | None = Field(
        None, description="The aggregate that must be asked for."
    )
    span: Duration | None = Field(
        None, description="How much plant time one read must ask for, from its start to its end."
    )
    values: Annotated[int, Field(ge=1)] = Field(
        1, description="How many values each tag (or events the device) must give, over all reads and their pages."
    )

    @model_validator(mode="after")
    def _one(self) -> HistoryReadParams:
        if (self.what == "events") != (self.device is not None) or bool(self.tags) == (self.device is not None):
            raise ValueError("give 'tags', or 'device' with 'what: events'")
        return self


class HistoryRead(ServerCheck[HistoryReadParams]):
    """A client has read the history of tags over OPC UA and got values.

    Each tag carries an equal share of the marks. A read that has no start or no end asks for no `span`. With `what: events` it
    is the events of a device that are read.

    Example::

        opcua.history-read: {tags: [mill1.spindle_temperature], what: processed, aggregate: Average, span: 10 min, marks: 2}

    Example::

        opcua.history-read: {device: mill1, what: events, values: 5, marks: 1}
    """

    name = "opcua.history-read"
    sentence = tr("History is read over OPC UA: {tags}", "通過 OPC UA 讀取歷史：{tags}", "通过 OPC UA 读取历史：{tags}")
    Params = HistoryReadParams

    def title(self, params: HistoryReadParams) -> Text:
        """Names the tags, or the device."""
        return self.at(params, self.sentence.format(tags=names(params.tags) or params.device))

    def judge_here(self, evidence: Evidence, params: HistoryReadParams) -> Outcome:
        """Add up what reads of the right kind gave for each tag."""
        if params.device is not None:
            return _events(evidence, params)
        reads = [r for r in evidence.of("opcua", "history-read") if set(params.tags) & set(r.tags)]
        right = [r for r in reads if _fits(r, params)]
        counts = dict.fromkeys(params.tags, 0)
        for record in right:
            for tag, count in zip(record.tags, record.values, strict=False):
                if tag in counts:
                    counts[tag] += int(count)
        missing = [tag for tag, count in counts.items() if count < params.values]
        if not missing:
            reason = tr("History read: {n} values.", "已讀取歷史：{n} 個值。", "已读取历史：{n} 个值。")
            return passed(reason.format(n=sum(counts.values())), evidence=right)
        if not reads:
            reason = tr("No history was read.", "未讀取任何歷史。", "未读取任何历史。")
            return failed(reason)
        reason = tr(
            "Values by reads as asked: at least {least} for {n} of {all} tags; not: {missing}.",
            "{all} 個測點中有 {n} 個按要求讀到至少 {least} 個值；未達到：{missing}。",
            "{all} 个测点中有 {n} 个按要求读到至少 {least} 个值；未达到：{missing}。",
        ).format(n=len(params.tags) - len(missing), all=len(params.tags), least=params.values, missing=names(missing))
        return partly(
            1 - len(missing) / len(params.tags),
            reason,
            expected=_asked(params),
            actual=", ".join(sorted({_kind(r) for r in reads})),
            evidence=reads,
        )


def _events(evidence: Evidence, params: HistoryReadParams) -> Outcome:
    """Whether enough events of the device were read."""
    reads = [r for r in evidence.of("opcua", "history-read") if r.device == params.device and r.status >> 30 != 2]
    right = [r for r in reads if _fits(r, params)]
    found = sum(int(count) for r in right for count in r.detail.get("counts") or ())
    reason = tr(
        "Events of {device} that were read: {n} of {least}.",
        "已讀取 {device} 的事件：{n} 個，需要 {least} 個。",
        "已读取 {device} 的事件：{n} 个，需要 {least} 个。",
    ).format(device=params.device, n=found, least=params.values)
    expected, actual = f"≥ {params.values}", str(found)
    if found >= params.values:
        return passed(reason, expected=expected, actual=actual, evidence=right)
    return failed(reason, expected=expected, actual=actual, evidence=reads)


def _fits(record: Record, params: HistoryReadParams) -> bool:
    seen = record.detail
    if params.what not in ("any", seen.get("what")):
        return False
    if params.aggregate is not None and seen.get("aggregate") != params.aggregate:
        return False
    if params.span is None:
        return True
    return "from" in seen and "to" in seen and abs(seen["to"] - seen["from"]) >= nanoseconds(params.span)


def _asked(params: HistoryReadParams) -> str | None:
    parts = [
        params.aggregate or (params.what if params.what != "any" else ""),
        duration(params.span) if params.span else "",
    ]
    return ", ".join(part for part in parts if part) or None


def _kind(record: Record) -> str:
    seen = record.detail
    span = duration(abs(seen["to"] - seen["from"]) / 1e9) if "from" in seen and "to" in seen else ""
    return " ".join(part for part in (str(seen.get("aggregate") or seen.get("what", "")), span) if part)
