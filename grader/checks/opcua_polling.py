"""The check that values come by subscription and not by polling."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

from pydantic import Field, model_validator

from grader.cut import until_end
from grader.outcome import Outcome, failed, partly, passed
from grader.server import ServerCheck, ServerParams
from grader.window import nanoseconds
from grader.words import clock, duration, names
from labsim.evidence.event import Record
from labsim.evidence.evidence import Evidence
from labsim.quantity import Duration
from labsim.scenario.fields import TagPath
from labsim.text import Text, tr


class NotPolledParams(ServerParams):
    """Parameters of `NotPolled`."""

    tags: Annotated[tuple[TagPath, ...], Field(min_length=1)] = Field(
        description="Tags whose values must come by subscription."
    )
    reads: Annotated[int, Field(ge=0)] = Field(3, description="Read requests of a tag that are no polling yet.")
    within: Duration = Field(60.0, description="The length of the window in which no more than `reads` may fall.")

    @model_validator(mode="after")
    def _sane(self) -> NotPolledParams:
        if self.within <= 0:
            raise ValueError("'within' is over 0")
        return self


class NotPolled(ServerCheck[NotPolledParams]):
    """Tags come by subscription over OPC UA and are not polled by Read requests.

    Nowhere may more than `reads` requests of a tag fall into a window of length `within`, whichever session they came from; a
    look at a value now and then is no polling. A tag counts only if a monitored item of it was created too (also before the
    stretch of `when`), so that an untouched lab scores nothing. Each tag carries an equal share of the marks. All times are
    plant time.

    Example::

        opcua.not-polled: {tags: [mill1.spindle_speed], reads: 3, within: 1 min, marks: 2}
    """

    name = "opcua.not-polled"
    judges = "absence"
    sentence = tr(
        "Not polled but subscribed over OPC UA: {tags}",
        "通過 OPC UA 訂閱而非輪詢：{tags}",
        "通过 OPC UA 订阅而非轮询：{tags}",
    )
    Params = NotPolledParams

    def title(self, params: NotPolledParams) -> Text:
        """Names the tags."""
        return self.at(params, self.sentence.format(tags=names(params.tags)))

    def judge_here(self, evidence: Evidence, params: NotPolledParams) -> Outcome:
        """Look for the window with the most reads of each tag."""
        items = [r for r in until_end(evidence).of("opcua", "subscribe") if r.status >> 30 == 0]
        monitored = {tag for r in items for tag in r.tags}
        expected = tr(
            "monitored, and ≤ {n} reads in {window}",
            "已監控，且 {window} 內讀取 ≤ {n} 次",
            "已监控，且 {window} 内读取 ≤ {n} 次",
        ).format(n=params.reads, window=duration(params.within))
        missing = [tag for tag in params.tags if tag not in monitored]
        busy = {
            tag: _busiest([r for r in evidence.of("opcua", "read") if tag in r.tags], nanoseconds(params.within))
            for tag in params.tags
        }
        polled = [tag for tag in params.tags if len(busy[tag]) > params.reads]
        wrong = {*missing, *polled}
        share = 1 - len(wrong) / len(params.tags)
        mine = [r for r in items if set(r.tags) & set(params.tags)]
        if not wrong:
            reason = tr("All values came by subscription.", "所有數值均由訂閱取得。", "所有数值均由订阅取得。")
            most = max(len(rows) for rows in busy.values())
            return passed(reason, expected=expected, actual=str(most), evidence=mine)
        if not polled:
            reason = tr("Never subscribed: {tags}.", "從未訂閱：{tags}。", "从未订阅：{tags}。").format(
                tags=names(missing)
            )
            if len(missing) == len(params.tags):
                return failed(reason, expected=expected)
            return partly(share, reason, expected=expected, evidence=mine)
        worst = max(polled, key=lambda tag: len(busy[tag]))
        rows = busy[worst]
        reason = tr(
            "{tag} was read {n} times in {window} from {time}.",
            "{tag} 自 {time} 起在 {window} 內被讀取 {n} 次。",
            "{tag} 自 {time} 起在 {window} 内被读取 {n} 次。",
        ).format(tag=worst, n=len(rows), window=duration(params.within), time=clock(evidence, rows[0].t))
        advice = tr(
            "Create a subscription with a monitored item per node; the server then tells each change by itself.",
            "創建訂閱並為每個節點添加監控項；服務器會主動報告每次變化。",
            "创建订阅并为每个节点添加监控项；服务器会主动报告每次变化。",
        )
        return partly(share, reason, expected=expected, actual=str(len(rows)), evidence=rows, help=advice)


def _busiest(reads: Sequence[Record], length_ns: int) -> list[Record]:
    """The reads, in order of time, in the fullest window."""
    best, first = (0, 0), 0
    for last, record in enumerate(reads):
        while record.t - reads[first].t >= length_ns:
            first += 1
        best = max(best, (first, last + 1), key=lambda span: span[1] - span[0])
    return list(reads[slice(*best)])
