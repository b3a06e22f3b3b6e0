"""Checks of what the plant itself did."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, model_validator

from grader.check import Check, Params
from grader.faults import common
from grader.outcome import Outcome, failed, passed
from grader.truth import Truth, Value, as_value, matches, near
from grader.window import Span, nanoseconds
from grader.words import clock, duration, margin, names, quantity, worth
from labsim.evidence.event import Record
from labsim.evidence.evidence import Evidence
from labsim.evidence.manifest import TagInfo
from labsim.quantity import Duration, Tolerance, ToleranceField
from labsim.scenario.fields import TagPath
from labsim.text import Text, tr


class Condition(Params):
    """What a tag is compared with: a range, or a value within a tolerance."""

    tag: TagPath = Field(description="The tag.")
    low: float | None = Field(None, description="The lowest value that fits.")
    high: float | None = Field(None, description="The highest value that fits.")
    value: float | bool | str | None = Field(None, description="The value that fits, instead of `low` and `high`.")
    tolerance: ToleranceField = Field(Tolerance(), description="How far `value` may be off.")

    @model_validator(mode="after")
    def _one(self) -> Condition:
        if (self.value is None) == (self.low is None and self.high is None):
            raise ValueError("give 'low' and 'high' (or one of them), or 'value'")
        if self.low is not None and self.high is not None and self.low > self.high:
            raise ValueError("'low' is above 'high'")
        return self

    def met(self, true: Value, tag: TagInfo) -> bool:
        """Whether a true value fits."""
        if self.value is not None:
            wanted = as_value(self.value, tag)
            return wanted is not None and matches(wanted, true, self.tolerance)
        if isinstance(true, str):
            return False
        return (self.low is None or true >= self.low) and (self.high is None or true <= self.high)

    def all_met(self, true: NDArray[Any], tag: TagInfo) -> NDArray[np.bool_]:
        """`met` of many values at once."""
        if tag.type == "text":
            return np.array([self.met(value, tag) for value in true], bool)
        if self.value is not None:
            wanted = as_value(self.value, tag)
            return np.zeros(true.shape, bool) if wanted is None else near(self.tolerance, wanted, true)
        inside = np.ones(true.shape, bool)
        if self.low is not None:
            inside &= true >= self.low
        if self.high is not None:
            inside &= true <= self.high
        return inside

    def said(self, tag: TagInfo) -> str:
        """The condition as a person reads it."""
        if self.value is not None:
            exact = not (self.tolerance.absolute or self.tolerance.relative)
            return quantity(self.value, tag.unit) + ("" if exact else f" {margin(self.tolerance, tag.unit)}")
        if self.low is None or self.high is None:
            return f"≥ {quantity(self.low, tag.unit)}" if self.low is not None else f"≤ {quantity(self.high, tag.unit)}"
        return f"{quantity(self.low, None)} … {quantity(self.high, tag.unit)}"


class HeldParams(Condition):
    """Parameters of `Held`."""

    lasting: Duration = Field(alias="for", description="How long it must hold without a break.")
    after_write: bool = Field(
        True,
        description="Count only from the first accepted write by a client, so that an untouched plant never passes.",
    )
    writes: tuple[TagPath, ...] = Field(
        (), description="The tags whose write counts for that; `tag` itself by default."
    )
    also: tuple[Condition, ...] = Field(
        (), description="Conditions that must hold at the same time: `tag` with `low`, `high` or `value`, each."
    )


class Held(Check[HeldParams]):
    """The plant is brought to a value and stays there.

    There must be one unbroken stretch of `for` (plant time) in which the tag's true value fits and its status is Good, and
    what `also` names does too.
    With `after_write` it may begin only once a client has written the tag, or one of `writes`, and was not refused.

    Example::

        plant.held: {tag: oven1.temperature, value: 245, tolerance: 2, for: 30 s, writes: [oven1.setpoint], marks: 4}

    Example::

        plant.held:
          tag: tank1.level
          low: 2
          high: 3
          also: [{tag: pump1.running, value: true}]
          after_write: false
          for: 5 min
          marks: 4
    """

    name = "plant.held"
    sentence = tr("{p.tag} is held for {lasting}", "{p.tag} 保持 {lasting}", "{p.tag} 保持 {lasting}")
    Params = HeldParams

    def title(self, params: HeldParams) -> Text:
        """Names tag and length."""
        return self.sentence.format(p=params, lasting=duration(params.lasting))

    def judge(self, evidence: Evidence, params: HeldParams) -> Outcome:
        """Look for the longest stretch that fits."""
        tag = evidence.tags[params.tag]
        expected = f"{params.said(tag)}, {duration(params.lasting)}"
        start, rows = evidence.start_ns, list[Record]()
        if params.after_write:
            paths = params.writes or (params.tag,)
            rows = [
                r
                for r in evidence.of(kind="write")
                if r.protocol in ("modbus", "opcua") and r.status == 0 and set(paths) & set(r.tags)
            ]
            if not rows:
                reason = tr("No client wrote {tags}.", "沒有客戶端寫入 {tags}。", "没有客户端写入 {tags}。")
                return failed(reason.format(tags=names(paths)), expected=expected)
            start = rows[0].t
        truth = Truth(evidence, params.tag, start)
        spans = fitting(truth, params, tag)
        for other in params.also:
            spans = common(spans, fitting(Truth(evidence, other.tag, start), other, evidence.tags[other.tag]))
        longest = max(spans, key=lambda span: (span[1] - span[0], -span[0]), default=(0, 0))
        held_ns = longest[1] - longest[0]
        actual = duration(held_ns / 1e9)
        if spans and held_ns >= nanoseconds(params.lasting):
            reason = tr("{tag} held from {time}.", "{tag} 自 {time} 起保持。", "{tag} 自 {time} 起保持。")
            return passed(
                reason.format(tag=params.tag, time=clock(evidence, longest[0])),
                expected=expected,
                actual=actual,
                evidence=rows,
            )
        last = truth.at(truth.end)
        if not spans:
            reason = tr(
                "{tag} never fitted; it stands at {value}.",
                "{tag} 從未符合；目前為 {value}。",
                "{tag} 从未符合；目前为 {value}。",
            ).format(tag=params.tag, value="?" if last is None else worth(last, tag))
            shown = None if last is None else worth(last, tag)
            return failed(reason, expected=expected, actual=shown, evidence=rows)
        reason = tr(
            "{tag} fitted for {held} at most, from {time}.",
            "{tag} 最長符合 {held}，自 {time} 起。",
            "{tag} 最长符合 {held}，自 {time} 起。",
        ).format(tag=params.tag, held=actual, time=clock(evidence, longest[0]))
        return failed(reason, expected=expected, actual=actual, evidence=rows)


def fitting(truth: Truth, condition: Condition, tag: TagInfo) -> list[Span]:
    """The unbroken stretches in which the condition is met with good quality, in order."""
    starts, ends, values, statuses = truth.table()
    fits = condition.all_met(values, tag) & (statuses >> 30 == 0)
    edges = np.flatnonzero(np.diff(fits, prepend=False, append=False))
    spans: list[Span] = []
    for start, end in zip(starts[edges[::2]].tolist(), ends[edges[1::2] - 1].tolist(), strict=True):
        if spans and spans[-1][1] == start:  # what did not fit in between lasted no time
            spans[-1] = (spans[-1][0], end)
        else:
            spans.append((start, end))
    return spans


class NeverParams(Condition):
    """Parameters of `Never`."""

    after: Duration = Field(0.0, description="Plant time before which it does not matter.")


class Never(Check[NeverParams]):
    """Something never happens to the plant. An untouched plant passes, so use it for penalties, or behind `depends`.

    Any moment counts, whatever the tag's status.

    Example::

        plant.never: {tag: spindle1.tripped, value: true, marks: 10}
    """

    name = "plant.never"
    judges = "absence"
    sentence = tr("{what} does not happen", "不發生 {what}", "不发生 {what}")
    Params = NeverParams

    def title(self, params: NeverParams) -> Text:
        """Names tag and condition."""
        value = params.value if params.value is not None else ""
        bounds = (
            f">= {params.low:g}" if params.low is not None else "",
            f"<= {params.high:g}" if params.high is not None else "",
        )
        said = f"= {quantity(value, None)}" if params.value is not None else " ".join(b for b in bounds if b)
        return self.sentence.format(what=f"{params.tag} {said}")

    def judge(self, evidence: Evidence, params: NeverParams) -> Outcome:
        """Look for the first moment at which it happened."""
        tag = evidence.tags[params.tag]
        start = nanoseconds(params.after)
        if evidence.end_ns < start:
            return passed(tr("It did not happen.", "未曾發生。", "未曾发生。"))
        starts, ends, values, _ = Truth(evidence, params.tag, max(start, evidence.start_ns)).table()
        hits = np.flatnonzero(params.all_met(values, tag))
        if not hits.size:
            return passed(tr("It did not happen.", "未曾發生。", "未曾发生。"))
        first, value = int(starts[hits[0]]), values[hits[:1]].tolist()[0]
        rows = [r for r in evidence.of(kind="write", device=tag.device) if r.t <= first][-5:]
        reason = tr("{tag} was {value} at {time}.", "{tag} 在 {time} 為 {value}。", "{tag} 在 {time} 为 {value}。")
        shown = worth(value, tag)
        times = int(np.count_nonzero(ends[hits[:-1]] != starts[hits[1:]])) + 1
        return failed(
            reason.format(tag=params.tag, value=shown, time=clock(evidence, first)),
            actual=shown,
            evidence=rows,
            times=times,
        )
