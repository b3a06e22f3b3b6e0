"""Checks of what Modbus clients asked for and got."""

from __future__ import annotations

from collections import Counter
from itertools import islice
from typing import Annotated, Literal

from pydantic import Field, model_validator

from grader.check import Check, Params
from grader.outcome import EVIDENCE_KEPT, Outcome, failed, partly, passed
from grader.words import clock, names, number
from grader.writes import judge_writes
from labsim.evidence.event import Record
from labsim.evidence.evidence import Evidence
from labsim.evidence.rows import merged
from labsim.quantity import Tolerance, ToleranceField
from labsim.scenario.fields import DevicePath, TagPath
from labsim.text import Text, tr

Table = Literal["holding", "input", "coil", "discrete"]
NO_ANSWER = -1
REQUESTS = ("read", "write", "request")
"""Kinds of records that are one request each."""
COMPARE_MAP = tr(
    "Compare the register numbers of the datasheet with the addresses on the wire.",
    "請比較數據手冊的寄存器編號與協議地址。",
    "请比较数据手册的寄存器编号与协议地址。",
)


class ReadParams(Params):
    """Parameters of `Read`."""

    device: DevicePath | None = Field(None, description="The device to be read; may be left out when `tags` are given.")
    tags: tuple[TagPath, ...] = Field((), description="Tags that must each be read whole at least once.")
    table: Table | None = Field(None, description="Only requests to this table count.")
    fc: Annotated[int, Field(ge=1, le=127)] | None = Field(
        None, description="Only requests with this function code count."
    )
    together: bool = Field(False, description="All `tags` must come from one request.")
    at_least: Annotated[int, Field(ge=1)] = Field(
        1, description="Good requests that are needed when no `tags` are given."
    )

    @model_validator(mode="after")
    def _something(self) -> ReadParams:
        if self.device is None and not self.tags:
            raise ValueError("give 'device' or 'tags'")
        return self


class Read(Check[ReadParams]):
    """A client has read the device over Modbus and was answered without an exception.

    A tag counts as read when all of its registers lie in one request that was answered. With several `tags` each one
    carries an equal share of the marks, unless they must be read `together`.

    Example::

        modbus.read: {tags: [meter1.voltage_l1, meter1.power], fc: 3, marks: 2}
    """

    name = "modbus.read"
    sentence = tr("Read over Modbus: {what}", "通過 Modbus 讀取：{what}", "通过 Modbus 读取：{what}")
    reads = "devices"
    Params = ReadParams

    def title(self, params: ReadParams) -> Text:
        """Names the tags, or the device."""
        return self.sentence.format(what=names(params.tags) or params.device)

    def judge(self, evidence: Evidence, params: ReadParams) -> Outcome:
        """Look for good reads of each tag, or of the device."""
        devices = {params.device} if params.device else {tag.partition(".")[0] for tag in params.tags}
        asked = merged(evidence.of("modbus", "read", device) for device in sorted(devices))
        good: list[Record] = asked.good
        if params.fc is not None or params.table is not None:
            good = [r for r in good if _of_kind(r, params)]
        if not params.tags:
            if len(good) >= params.at_least:
                return passed(
                    tr("Reads answered: {n}.", "{n} 次讀取得到應答。", "{n} 次读取得到应答。").format(n=len(good)),
                    evidence=good,
                )
            return _not_read(evidence, params, names(sorted(devices)), asked, good)
        seen = {tag: list(islice((r for r in good if tag in r.tags), 3)) for tag in params.tags}
        found = [tag for tag in params.tags if seen[tag]]
        if params.together:
            wanted = set(params.tags)
            whole = list(islice((r for r in good if wanted.issubset(r.tags)), EVIDENCE_KEPT))
            if whole:
                reason = tr("One request read them all.", "一次請求讀取了全部。", "一次请求读取了全部。")
                return passed(reason, evidence=whole)
            if len(found) == len(params.tags):
                reason = tr(
                    "All of them were read, but in no request together.",
                    "全部都已讀取，但未在同一次請求中讀取。",
                    "全部都已读取，但未在同一次请求中读取。",
                )
                return failed(reason, evidence=[r for records in seen.values() for r in records[:1]])
        if not found:
            return _not_read(evidence, params, names(params.tags), asked, good)
        rows = [r for records in seen.values() for r in records]
        missing = [tag for tag in params.tags if not seen[tag]]
        if not missing:
            reason = tr("{n} of {all} tags were read.", "已讀取 {n}/{all} 個測點。", "已读取 {n}/{all} 个测点。")
            return passed(reason.format(n=len(found), all=len(params.tags)), evidence=rows)
        reason = tr(
            "{n} of {all} tags were read; not read whole: {missing}.",
            "已讀取 {n}/{all} 個測點；未完整讀取：{missing}。",
            "已读取 {n}/{all} 个测点；未完整读取：{missing}。",
        ).format(n=len(found), all=len(params.tags), missing=names(missing))
        share = 0.0 if params.together else len(found) / len(params.tags)
        return partly(share, reason, evidence=rows, help=COMPARE_MAP)


def _of_kind(record: Record, params: ReadParams) -> bool:
    return (params.fc is None or record.detail.get("fc") == params.fc) and (
        params.table is None or record.detail.get("table") == params.table
    )


def _not_read(evidence: Evidence, params: ReadParams, what: str, asked: list[Record], good: list[Record]) -> Outcome:
    """Why nothing was read, from what was asked instead."""
    refused = [r for r in asked if r.status > 0]
    other = [r for r in asked if r.status == 0 and not _of_kind(r, params)]
    if good:
        reason = tr(
            "Requests were answered ({n}), but none held {what} whole.",
            "{n} 次請求得到應答，但無一完整包含 {what}。",
            "{n} 次请求得到应答，但无一完整包含 {what}。",
        ).format(n=len(good), what=what)
        if not params.tags:
            reason = tr(
                "Requests answered: {n} of {least}.",
                "{n} 次請求得到應答；需要 {least} 次。",
                "{n} 次请求得到应答；需要 {least} 次。",
            ).format(n=len(good), least=params.at_least)
        return failed(reason, evidence=good, help=COMPARE_MAP)
    if other:
        kinds = names(sorted({f"FC{r.detail.get('fc', 0):02d}" for r in other}))
        reason = tr(
            "{what} was asked with {kinds} only, which is not the table in question.",
            "{what} 只以 {kinds} 讀取，並非所要求的數據表。",
            "{what} 只以 {kinds} 读取，并非所要求的数据表。",
        ).format(what=what, kinds=kinds)
        return failed(reason, actual=kinds, evidence=other, help=COMPARE_MAP)
    if refused:
        codes = Counter(r.status for r in refused)
        reason = tr(
            "Requests refused: {n}, the last at {time} with exception {code:02d}.",
            "{n} 次請求被拒絕，最後一次在 {time}，異常碼 {code:02d}。",
            "{n} 次请求被拒绝，最后一次在 {time}，异常码 {code:02d}。",
        ).format(n=len(refused), time=clock(evidence, refused[-1].t), code=refused[-1].status)
        seen = names(f"{code:02d} ×{count}" for code, count in sorted(codes.items()))
        return failed(reason, actual=seen, evidence=refused, help=COMPARE_MAP)
    silent = [r for r in evidence.of("modbus") if r.status == NO_ANSWER]
    if silent:
        units = names(sorted({str(r.detail.get("unit", "?")) for r in silent}))
        reason = tr(
            "No request reached {what}; requests to unit {units}, which nobody has: {n}.",
            "沒有請求到達 {what}；有 {n} 次發往無人使用的單元號 {units}。",
            "没有请求到达 {what}；有 {n} 次发往无人使用的单元号 {units}。",
        ).format(what=what, n=len(silent), units=units)
        return failed(reason, evidence=silent)
    reason = tr("No Modbus read reached {what}.", "沒有 Modbus 讀取到達 {what}。", "没有 Modbus 读取到达 {what}。")
    return failed(reason.format(what=what))


class WroteParams(Params):
    """Parameters of `Wrote`."""

    tag: TagPath = Field(description="The tag that must be written.")
    value: float | bool | str | None = Field(None, description="The value, in the tag's unit; any when left out.")
    tolerance: ToleranceField = Field(Tolerance(relative=1e-6), description="How far the value may be off.")
    fc: Annotated[int, Field(ge=1, le=127)] | None = Field(
        None, description="Only writes with this function code count (5, 6, 15, 16, 22, 23)."
    )
    along: tuple[TagPath, ...] = Field((), description="Tags that the same request must have written, too.")


class Wrote(Check[WroteParams]):
    """A client has written a tag over Modbus, and the device took the value.

    Any accepted write of the right value counts, whenever it was. That a value stays is what `plant.held` judges.

    Example::

        modbus.wrote: {tag: coolant1.setpoint, value: 18.5, tolerance: 0.05, fc: 6, marks: 3}
    """

    name = "modbus.wrote"
    sentence = tr("{p.tag} is written over Modbus", "通過 Modbus 寫入 {p.tag}", "通过 Modbus 写入 {p.tag}")
    Params = WroteParams

    def judge(self, evidence: Evidence, params: WroteParams) -> Outcome:
        """Look for an accepted write of the value."""
        writes = [
            r
            for r in evidence.of("modbus", "write")
            if {params.tag, *params.along} <= set(r.tags) and (params.fc is None or r.detail.get("fc") == params.fc)
        ]
        return judge_writes(evidence, params.tag, params.value, params.tolerance, writes)


class ExceptionParams(Params):
    """Parameters of `MetException`."""

    device: DevicePath = Field(description="The device that answered with the exception.")
    code: Annotated[int, Field(ge=1, le=11)] = Field(description="The exception code.")
    fc: Annotated[int, Field(ge=1, le=127)] | None = Field(
        None, description="Only requests with this function code count."
    )


class MetException(Check[ExceptionParams]):
    """A client has met an exception of the device, as somebody who explores it on purpose does.

    Example::

        modbus.exception: {device: meter1, code: 2, marks: 1}
    """

    name = "modbus.exception"
    sentence = tr(
        "{p.device} answers a request with an exception", "{p.device} 以異常應答請求", "{p.device} 以异常应答请求"
    )
    Params = ExceptionParams

    def judge(self, evidence: Evidence, params: ExceptionParams) -> Outcome:
        """Look for a request that was answered with the code."""
        asked = [
            r
            for r in evidence.of("modbus", device=params.device)
            if r.status > 0 and (params.fc is None or r.detail.get("fc") == params.fc)
        ]
        met = [r for r in asked if r.status == params.code]
        if met:
            reason = tr(
                "Exception {code:02d} was met at {time}.",
                "在 {time} 遇到異常碼 {code:02d}。",
                "在 {time} 遇到异常码 {code:02d}。",
            )
            return passed(reason.format(code=params.code, time=clock(evidence, met[0].t)), evidence=met)
        if asked:
            codes = names(sorted({f"{r.status:02d}" for r in asked}))
            reason = tr(
                "{device} answered with exception {codes}, which is not the one asked for.",
                "{device} 的異常碼為 {codes}，並非所要求的異常。",
                "{device} 的异常码为 {codes}，并非所要求的异常。",
            )
            return failed(reason.format(device=params.device, codes=codes), actual=codes, evidence=asked)
        reason = tr(
            "{device} answered no request with an exception.",
            "{device} 未以異常應答任何請求。",
            "{device} 未以异常应答任何请求。",
        )
        return failed(reason.format(device=params.device), actual=number(0))
