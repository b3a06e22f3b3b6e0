"""The check of an energy figure against our own computation from the history."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from grader.check import Check
from grader.checks.plant import Condition, fitting
from grader.faults import common
from grader.figure import Figure, FigureParams, compared, figures
from grader.mean import growth, integral
from grader.outcome import Outcome, failed, passed
from grader.payload import utc_ns_of
from grader.stretch import not_yet, stretch
from grader.truth import Truth, real
from grader.window import Span, nanoseconds
from grader.words import clock, duration, margin
from labsim.evidence.evidence import Evidence
from labsim.quantity import Duration, Tolerance, ToleranceField
from labsim.scenario.fields import TagPath
from labsim.scenario.marking import Window
from labsim.text import Text, tr

_ENERGY = {"Wh": 1e-3, "kWh": 1.0, "MWh": 1e3, "J": 1 / 3.6e6, "kJ": 1 / 3600, "MJ": 1 / 3.6}
"""kWh by unit of a counter."""
_POWER = {"W": 1e-3, "kW": 1.0, "MW": 1e3}
"""kW by unit of a power."""
_PARTS_NS = 100_000_000


class EnergyParams(FigureParams):
    """Parameters of `Energy`."""

    tags: Annotated[tuple[TagPath, ...], Field(min_length=1)] = Field(
        description="The meters: energy counters (Wh, kWh, MWh) or powers (W, kW), which are integrated; added up."
    )
    figure: Literal["energy", "peak", "peak-time", "mean", "share"] = Field(
        "energy",
        description="`energy` in kWh; `peak`: the highest mean power of an `interval`, in kW; `peak-time`: when that "
        "interval begins; `mean` power in kW; `share`: the part of the energy used `during` a condition, in percent.",
    )
    span: Window = Field(Window(), description="The stretch of plant time it is about; the whole lab by default.")
    interval: Duration = Field(900.0, description="The length of an interval of the demand.")
    aligned: bool = Field(
        True, description="Intervals follow each other from the start of `span`; else they begin anywhere."
    )
    during: Condition | None = Field(
        None, description="The condition of `share`: `tag` with `value`, or `low` and `high`."
    )
    per: tuple[TagPath, ...] = Field((), description="Counters of parts: the figure is per part.")
    times: float = Field(1.0, description="What the figure is multiplied by, such as a factor of carbon in kg/kWh.")
    rollover: float | None = Field(
        None, description="Where a counter goes on at 0; else running back means it was reset."
    )
    real: bool = Field(True, description="Use what was physically true, not what a faulty meter showed.")
    within: ToleranceField = Field(Tolerance(relative=0.01), description="How far the figure may be off.")
    time_margin: Duration = Field(5.0, description="How far `peak-time` may be off.")

    @model_validator(mode="after")
    def _fits(self) -> EnergyParams:
        if (self.figure == "share") != (self.during is not None):
            raise ValueError("'share' and 'during' belong together")
        if self.per and self.figure != "energy":
            raise ValueError("'per' belongs to 'figure: energy'")
        if self.interval <= 0:
            raise ValueError("'interval' is over 0")
        return self


class Energy(Check[EnergyParams]):
    """An energy figure is right: consumption, demand peak, share, per part, carbon.

    It is computed anew from the history: the growth of counters (also over resets and rollovers) or the integral of powers
    over the stretch. The demand of an interval is its energy over its length; the peak is the highest of the intervals that
    lie wholly in the stretch. The figure comes from a hand-in file, the answer of the task, or the last message on a topic.

    Example::

        kpi.energy:
          file: energy.csv
          key: figure
          row: demand_peak
          tags: [meter1.active_energy_delivered]
          figure: peak
          interval: 15 min
          span: {from: 0 min, to: 60 min}
          within: 1 %
          marks: 2

    Example::

        kpi.energy: {answer: true, tags: [meter1.active_energy_delivered], per: [mill1.parts_good], within: 2 %, marks: 2}
    """

    name = "kpi.energy"
    judges = "handed"
    sentence = tr("The energy figure is right: {p.figure}", "能耗指標正確：{p.figure}", "能耗指标正确：{p.figure}")
    Params = EnergyParams

    def judge(self, evidence: Evidence, params: EnergyParams) -> Outcome:
        """Compute the figure and compare."""
        expected = _asked(params)
        stated = figures(evidence, params, expected)
        if isinstance(stated, Outcome):
            return stated
        last = stated[-1]
        span = stretch(params.span, evidence)
        if span is None:
            return not_yet()
        low, high = span[0], min(span[1], evidence.end_ns)
        meters = [_Meter(evidence, path, params) for path in params.tags]
        if params.figure == "peak-time":
            return _time(evidence, params, meters, (low, high), last, expected)
        true = _true(evidence, params, meters, (low, high))
        return compared(last, last.number, true, params.within, expected)


class _Meter:
    """One counter or power as kWh of any stretch."""

    def __init__(self, evidence: Evidence, path: str, params: EnergyParams) -> None:
        tag = evidence.tags[path]
        self.truth = Truth(evidence, real(evidence, path) if params.real else path)
        self.rollover = params.rollover
        self.power = _POWER.get(tag.unit or "")
        self.factor = self.power if self.power is not None else _ENERGY.get(tag.unit or "", 1.0)

    def kwh(self, t0: int, t1: int) -> float:
        if self.power is not None:
            return integral(self.truth, t0, t1) * self.factor / 3600
        return (growth(self.truth, t0, t1, self.rollover) or 0.0) * self.factor


def _kwh(meters: list[_Meter], t0: int, t1: int) -> float:
    return sum(meter.kwh(t0, t1) for meter in meters)


def _true(evidence: Evidence, params: EnergyParams, meters: list[_Meter], span: Span) -> float | None:
    low, high = span
    if high <= low:
        return None
    energy = _kwh(meters, low, high)
    match params.figure:
        case "energy":
            if not params.per:
                return energy * params.times
            parts = sum(growth(Truth(evidence, real(evidence, path)), low, high) or 0.0 for path in params.per)
            return energy * params.times / parts if parts else None
        case "mean":
            return energy * 3600e9 / (high - low) * params.times
        case "peak":
            peak = _peak(meters, span, params)
            return None if peak is None else peak[0] * params.times
        case "share":
            assert params.during is not None
            tag = evidence.tags[params.during.tag]
            spans = common(fitting(Truth(evidence, real(evidence, tag.path), low, high), params.during, tag), [span])
            used = sum(_kwh(meters, a, b) for a, b in spans)
            return used / energy * 100 if energy else None
    return None


def _peak(meters: list[_Meter], span: Span, params: EnergyParams) -> tuple[float, int] | None:
    """The highest mean power in kW of an interval that lies wholly in the stretch, and when it begins."""
    low, high = span
    length = nanoseconds(params.interval)
    step = length if params.aligned else max(length // 100, _PARTS_NS)
    starts = range(low, high - length + 1, step)
    best = None
    for start in starts:
        power = _kwh(meters, start, start + length) * 3600e9 / length
        if best is None or power > best[0]:
            best = power, start
    return best


def _time(
    evidence: Evidence, params: EnergyParams, meters: list[_Meter], span: Span, last: Figure, expected: Text
) -> Outcome:
    peak, utc = _peak(meters, span, params), utc_ns_of(last.raw)
    shown = str(last.raw)[:40]
    if peak is None or utc is None:
        reason = tr("There is no time to compare.", "沒有可比較的時間。", "没有可比较的时间。")
        return failed(reason, expected=expected, actual=shown, evidence=[last.seq])
    if abs(evidence.t_of_utc(utc) - peak[1]) <= nanoseconds(params.time_margin):
        reason = tr("The time is right.", "時間正確。", "时间正确。")
        return passed(reason, expected=expected, actual=shown, evidence=[last.seq])
    reason = tr("The peak was not at {time}.", "峰值不在 {time}。", "峰值不在 {time}。")
    said = reason.format(time=clock(evidence, evidence.t_of_utc(utc)))
    return failed(said, expected=expected, actual=shown, evidence=[last.seq])


def _asked(params: EnergyParams) -> Text:
    if params.figure == "peak-time":
        return tr("a time within {slack}", "誤差 {slack} 內的時間", "误差 {slack} 内的时间").format(
            slack=duration(params.time_margin)
        )
    unit = {"peak": "kW", "mean": "kW", "share": "%"}.get(params.figure, "kWh") if params.times == 1 else None
    return tr("a number {margin}{unit}", "一個數值，容差 {margin}{unit}", "一个数值，容差 {margin}{unit}").format(
        margin=margin(params.within, unit), unit=f" ({unit})" if unit else ""
    )
