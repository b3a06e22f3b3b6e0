"""The check of the order in which a Modbus client works: look, command, look again."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import Counter, defaultdict
from typing import Annotated

from pydantic import Field, model_validator

from grader.check import Check, Params
from grader.checks.plant import Condition
from grader.outcome import Outcome, failed, passed
from grader.truth import as_value, matches
from grader.window import nanoseconds
from grader.words import clock, duration, fill, listed, quantity
from grader.writes import judge_writes, written
from labsim.evidence.event import Record
from labsim.evidence.evidence import Evidence
from labsim.quantity import Duration, Tolerance, ToleranceField
from labsim.scenario.fields import TagPath
from labsim.text import Text, tr

_UNSEEN = tr(
    "{tag} was not read in the {fresh} before it", "此前 {fresh} 內未讀取 {tag}", "此前 {fresh} 内未读取 {tag}"
)
_UNFIT = tr("{tag} was read as {value} before it", "此前讀到 {tag} 為 {value}", "此前读到 {tag} 为 {value}")
_NOT_BACK = tr("{tag} was not read back within {limit}", "{limit} 內未回讀 {tag}", "{limit} 内未回读 {tag}")


class OrderParams(Params):
    """Parameters of `Order`."""

    tag: TagPath = Field(description="The tag that is written: the command or setpoint.")
    value: float | bool | str | None = Field(None, description="Only writes of this value count; all when left out.")
    tolerance: ToleranceField = Field(Tolerance(relative=1e-6), description="How far the value may be off.")
    read_back: Duration | None = Field(None, description="After each write, how soon `feedback` must have been read.")
    feedback: TagPath | None = Field(None, description="The tag that is read back; `tag` itself by default.")
    permissive: Condition | None = Field(
        None, description="What the client must have seen before each write: a tag with `value`, or `low` and `high`."
    )
    fresh: Duration = Field(5.0, description="How long before the write the permissive may have been read.")
    at_least: Annotated[int, Field(ge=1)] = Field(1, description="How many writes there must be.")
    last: Annotated[int, Field(ge=1)] | None = Field(
        None, description="Only so many of the latest writes count, so that a trainee may try first; all by default."
    )

    @model_validator(mode="after")
    def _something(self) -> OrderParams:
        if self.read_back is None and self.permissive is None:
            raise ValueError("give 'read_back', 'permissive' or both")
        if self.last is not None and self.last < self.at_least:
            raise ValueError("'last' is at least 'at_least'")
        return self


class Order(Check[OrderParams]):
    """A client reads before it commands, and reads back after it has.

    Every write of the tag that the device took must keep the order. With `permissive`, the latest good read of its tag, not
    more than `fresh` before the write, must have shown a value that fits. With `read_back`, a good read of `feedback` must
    follow within that time. Only reads from the computer that wrote count: what somebody else's screen polls is not what the
    client knew. Without an accepted write nothing passes. All times are plant time.

    Example::

        modbus.order:
          tag: pump1.start
          value: true
          permissive: {tag: pump1.suction_valve_open, value: true}
          fresh: 2 s
          feedback: pump1.running
          read_back: 3 s
          marks: 4
    """

    name = "modbus.order"
    sentence = tr(
        "Around each write of {p.tag} the client looks: {what}",
        "每次寫入 {p.tag} 前後都有查看：{what}",
        "每次写入 {p.tag} 前后都有查看：{what}",
    )
    Params = OrderParams

    def title(self, params: OrderParams) -> Text:
        """Names the tags that are looked at."""
        before = (
            tr("{tag} before", "之前 {tag}", "之前 {tag}").format(tag=params.permissive.tag)
            if params.permissive
            else ""
        )
        after = tr("{tag} after", "之後 {tag}", "之后 {tag}").format(tag=params.feedback or params.tag)
        return fill(self.sentence, p=params, what=listed([before, after if params.read_back is not None else ""]))

    def judge(self, evidence: Evidence, params: OrderParams) -> Outcome:
        """Judge each accepted write by the reads around it."""
        every = [r for r in evidence.of("modbus", "write") if params.tag in r.tags]
        whether = judge_writes(evidence, params.tag, params.value, params.tolerance, every)
        if whether.score < 1:
            return whether
        writes = [r for r in every if r.status == 0 and _is_meant(evidence, params, r)]
        writes = writes[-params.last :] if params.last else writes
        before = _Looks(evidence, params.permissive.tag) if params.permissive else None
        after = _Looks(evidence, params.feedback or params.tag) if params.read_back is not None else None
        faults: dict[int, Text] = {}
        rows: list[Record] = []
        for write in writes:
            fault = _before(evidence, params, write, before, rows) if before else None
            rows.append(write)
            fault = fault or (_after(params, write, after, rows) if after else None)
            if fault:
                faults[write.seq] = fault
        expected, right = _asked(evidence, params), len(writes) - len(faults)
        actual = f"{right}/{len(writes)}"
        if faults:
            commonest = Counter(fault["en"] for fault in faults.values()).most_common(1)[0][0]
            last = next(w for w in reversed(writes) if w.seq in faults and faults[w.seq]["en"] == commonest)
            reason = fill(
                tr(
                    "{n} of {all} writes of {tag} were out of order; the one at {time}: {fault}.",
                    "{tag} 的 {all} 次寫入中有 {n} 次不合順序；{time} 的一次：{fault}。",
                    "{tag} 的 {all} 次写入中有 {n} 次不合顺序；{time} 的一次：{fault}。",
                ),
                n=len(faults),
                all=len(writes),
                tag=params.tag,
                time=clock(evidence, last.t),
                fault=faults[last.seq],
            )
            return failed(reason, expected=expected, actual=actual, evidence=[last, *rows])
        if len(writes) < params.at_least:
            reason = tr(
                "Writes in order: {n} of {least}.",
                "{n} 次寫入合乎順序；需要 {least} 次。",
                "{n} 次写入合乎顺序；需要 {least} 次。",
            )
            return failed(
                reason.format(n=right, least=params.at_least), expected=expected, actual=actual, evidence=rows
            )
        reason = tr(
            "Every write of {tag} was in order ({n}).",
            "{tag} 的 {n} 次寫入均合乎順序。",
            "{tag} 的 {n} 次写入均合乎顺序。",
        )
        return passed(reason.format(tag=params.tag, n=len(writes)), expected=expected, actual=actual, evidence=rows)


class _Looks:
    """The good reads of one tag, by the computer they came from."""

    def __init__(self, evidence: Evidence, path: str) -> None:
        self.path = path
        self._reads: defaultdict[str, list[Record]] = defaultdict(list)
        for record in evidence.of("modbus", "read"):
            if record.status == 0 and path in record.tags:
                self._reads[_computer(record)].append(record)

    def before(self, write: Record) -> Record | None:
        """The last one before a write."""
        reads = self._reads[_computer(write)]
        index = bisect_left(reads, write.seq, key=lambda r: r.seq)
        return reads[index - 1] if index else None

    def after(self, write: Record) -> Record | None:
        """The first one after a write."""
        reads = self._reads[_computer(write)]
        index = bisect_right(reads, write.seq, key=lambda r: r.seq)
        return reads[index] if index < len(reads) else None


def _computer(record: Record) -> str:
    return record.client.rpartition(":")[0]


def _is_meant(evidence: Evidence, params: OrderParams, record: Record) -> bool:
    if params.value is None:
        return True
    tag = evidence.tags[params.tag]
    got, wanted = as_value(written(record, params.tag), tag), as_value(params.value, tag)
    return got is not None and wanted is not None and matches(got, wanted, params.tolerance)


def _before(evidence: Evidence, params: OrderParams, write: Record, looks: _Looks, rows: list[Record]) -> Text | None:
    assert params.permissive is not None
    seen = looks.before(write)
    if seen is None or write.t - seen.t > nanoseconds(params.fresh):
        return _UNSEEN.format(tag=looks.path, fresh=duration(params.fresh))
    rows.append(seen)
    tag = evidence.tags[looks.path]
    value = as_value(written(seen, looks.path), tag)
    if value is None or not params.permissive.met(value, tag):
        return _UNFIT.format(tag=looks.path, value=quantity(written(seen, looks.path), tag.unit))
    return None


def _after(params: OrderParams, write: Record, looks: _Looks, rows: list[Record]) -> Text | None:
    assert params.read_back is not None
    seen = looks.after(write)
    if seen is None or seen.t - write.t > nanoseconds(params.read_back):
        return _NOT_BACK.format(tag=looks.path, limit=duration(params.read_back))
    rows.append(seen)
    return None


def _asked(evidence: Evidence, params: OrderParams) -> str:
    parts = []
    if params.permissive is not None:
        tag = evidence.tags[params.permissive.tag]
        parts.append(f"{tag.path} {params.permissive.said(tag)} (≤ {duration(params.fresh)})")
    parts.append(params.tag)
    if params.read_back is not None:
        parts.append(f"{params.feedback or params.tag} (≤ {duration(params.read_back)})")
    return " → ".join(parts)
