"""The check of an OEE figure against our own computation from the history, by ISO 22400-2."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from grader.check import Check
from grader.faults import common, length, merged, without
from grader.figure import FigureParams, compared, figures
from grader.mean import growth
from grader.outcome import Outcome, failed, partly, passed
from grader.stretch import not_yet, stretch
from grader.truth import Truth, Value, as_value, real
from grader.window import Span, nanoseconds
from grader.words import clock, margin, percent
from labsim.evidence.evidence import Evidence
from labsim.quantity import Duration, Tolerance, ToleranceField
from labsim.scenario.fields import TagPath
from labsim.scenario.marking import Window
from labsim.text import Text, tr


class OeeParams(FigureParams):
    """Parameters of `Oee`."""

    figure: Literal["availability", "effectiveness", "quality", "oee"] = Field("oee", description="Which figure it is.")
    state: TagPath = Field(description="The tag of the machine's state.")
    producing: Annotated[tuple[str | int | bool, ...], Field(min_length=1)] = Field(
        description="The values (or labels) of the state in which it produces."
    )
    unplanned: tuple[str | int | bool, ...] = Field(
        (), description="Values of the state that are no planned busy time, such as a break."
    )
    span: Window = Field(Window(), description="The shift; the whole lab by default.")
    breaks: tuple[Window, ...] = Field((), description="Planned breaks in it, which are no planned busy time.")
    ideal: Duration | None = Field(None, description="The planned run time per part.")
    produced: TagPath | None = Field(None, description="The counter of all parts.")
    good: TagPath | None = Field(None, description="The counter of good parts.")
    scrap: TagPath | None = Field(None, description="The counter of scrap, where there is none of all parts.")
    over: Duration | None = Field(
        None, description="With `topic`: every message is judged, over the stretch of this length before it."
    )
    share: Annotated[float, Field(gt=0, le=1)] = Field(
        0.95, description="The share of messages that must be right, with `over`."
    )
    fraction: bool = Field(False, description="The figure is stated as a fraction of 1; in percent by default.")
    within: ToleranceField = Field(Tolerance(absolute=1.0), description="How far it may be off, in percentage points.")

    @model_validator(mode="after")
    def _enough(self) -> OeeParams:
        needs = {
            "availability": True,
            "effectiveness": self.ideal is not None and self._counts,
            "quality": self.good is not None and self._counts,
            "oee": self.ideal is not None and self.good is not None and self._counts,
        }
        if not needs[self.figure]:
            raise ValueError(
                f"'{self.figure}' needs 'ideal' (the run time per part) and counters: 'good' with 'produced' or 'scrap'"
            )
        if self.over is not None and self.topic is None:
            raise ValueError("'over' needs 'topic'")
        return self

    @property
    def _counts(self) -> bool:
        return self.produced is not None or (self.good is not None and self.scrap is not None)


class Oee(Check[OeeParams]):
    """An OEE figure is right: availability, effectiveness (performance), quality rate, or their product.

    By ISO 22400-2: availability = actual production time ÷ planned busy time; effectiveness = planned run time per item ×
    produced quantity ÷ actual production time; quality rate = good quantity ÷ produced quantity; OEE is their product. Planned
    busy time is the shift without its breaks; times come from the recorded state, quantities from the growth of the counters,
    also over resets. With `over` each message must fit the stretch before it.

    Example::

        kpi.oee:
          file: oee.csv
          row: oee
          figure: oee
          state: mill1.machinery_item_state
          producing: [3]
          ideal: 12 s
          produced: mill1.parts_completed
          good: mill1.parts_good
          span: {from: 2 min, to: 22 min}
          breaks: [{from: 8 min, to: 10 min}]
          within: 1
          marks: 3
    """

    name = "kpi.oee"
    judges = "handed"
    sentence = tr("The figure is right: {p.figure}", "指標正確：{p.figure}", "指标正确：{p.figure}")
    Params = OeeParams

    def judge(self, evidence: Evidence, params: OeeParams) -> Outcome:
        """Compute the figure and compare."""
        expected = tr("a figure {margin}", "一個指標，容差 {margin}", "一个指标，容差 {margin}").format(
            margin=margin(params.within, "%")
        )
        stated = figures(evidence, params, expected)
        if isinstance(stated, Outcome):
            return stated
        if params.over is not None:
            return _running(evidence, params, expected)
        span = stretch(params.span, evidence)
        if span is None:
            return not_yet()
        low, high = span[0], min(span[1], evidence.end_ns)
        true, last = _figure(evidence, params, (low, high)), stated[-1]
        got = None if last.number is None else last.number * (100 if params.fraction else 1)
        return compared(last, got, true, params.within, expected)


def _running(evidence: Evidence, params: OeeParams, expected: Text) -> Outcome:
    """Judge every message over the stretch before it."""
    back = nanoseconds(params.over or 0)
    stated = figures(evidence, params, expected)
    assert not isinstance(stated, Outcome)
    judged, wrong = 0, []
    for figure in stated:
        true = _figure(evidence, params, (max(figure.t - back, 0), figure.t)) if figure.t >= back else None
        if true is None:
            continue
        judged += 1
        got = None if figure.number is None else figure.number * (100 if params.fraction else 1)
        if got is None or not params.within.allows(got, true):
            wrong.append(figure)
    actual = f"{judged - len(wrong)}/{judged}"
    if not judged:
        reason = tr(
            "No message came late enough to be judged.", "沒有足夠晚的消息可供判定。", "没有足够晚的消息可供判定。"
        )
        return failed(reason, expected=expected, evidence=[figure.seq for figure in stated])
    right = 1 - len(wrong) / judged
    if right >= params.share:
        reason = tr("Figures that are right: {share}.", "正確的指標：{share}。", "正确的指标：{share}。")
        rows = [figure.seq for figure in stated]
        return passed(reason.format(share=percent(right)), expected=expected, actual=actual, evidence=rows)
    reason = tr(
        "Figures that are right: {share}; the one of {time} is not.",
        "正確的指標：{share}；{time} 的不正確。",
        "正确的指标：{share}；{time} 的不正确。",
    ).format(share=percent(right), time=clock(evidence, wrong[0].t))
    return partly(right * 0.99, reason, expected=expected, actual=actual, evidence=[figure.seq for figure in wrong])


def _figure(evidence: Evidence, params: OeeParams, span: Span) -> float | None:
    """The figure of a stretch in percent."""
    tag = evidence.tags[params.state]
    truth = Truth(evidence, real(evidence, params.state))

    def in_states(states: tuple[str | int | bool, ...]) -> list[Span]:
        wanted: set[Value | None] = {as_value(state, tag) for state in states}
        return merged((s.start, s.end) for s in truth.steps(*span) if s.value in wanted)

    off = [(nanoseconds(one.from_), span[1] if one.to is None else nanoseconds(one.to)) for one in params.breaks]
    planned = without([span], merged([*off, *in_states(params.unplanned)]))
    busy, production = length(planned), length(common(in_states(params.producing), planned))
    if not busy:
        return None
    availability = production / busy
    if params.figure == "availability":
        return availability * 100
    produced = _count(evidence, params.produced, span)
    good = _count(evidence, params.good, span)
    if produced is None and good is not None:
        produced = good + (_count(evidence, params.scrap, span) or 0.0)
    if not produced or not production:
        return None
    effectiveness = (params.ideal or 0.0) * 1e9 * produced / production
    quality = (good or 0.0) / produced
    match params.figure:
        case "effectiveness":
            return effectiveness * 100
        case "quality":
            return quality * 100
        case "oee":
            return availability * effectiveness * quality * 100


def _count(evidence: Evidence, path: str | None, span: Span) -> float | None:
    return None if path is None else growth(Truth(evidence, real(evidence, path)), *span)
