"""The check of how many requests of a Modbus client go wrong."""

from __future__ import annotations

from collections import Counter
from typing import Annotated, NamedTuple

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, model_validator

from grader.check import Check, Params
from grader.checks.modbus import REQUESTS
from grader.outcome import Outcome, failed, passed
from grader.pattern import Portion
from grader.window import nanoseconds
from grader.words import clock, duration, listed, names, number, percent
from labsim.evidence.evidence import Evidence
from labsim.evidence.rows import Rows
from labsim.quantity import Duration
from labsim.scenario.fields import DevicePath
from labsim.text import Text, tr

_MINUTE_NS = 60 * 10**9


class ExceptionsParams(Params):
    """Parameters of `Exceptions`."""

    device: DevicePath | None = Field(
        None, description="The device that is asked; all by default, requests to unit ids that nobody has included."
    )
    codes: tuple[Annotated[int, Field(ge=1, le=255)], ...] = Field(
        (), description="Only these exception codes count; by default all, and requests without an answer."
    )
    at_most: Portion | None = Field(None, description="The largest share of the requests that may go wrong.")
    per_minute: Annotated[float, Field(ge=0)] | None = Field(None, description="How many may go wrong in a minute.")
    lasting: Duration | None = Field(
        None, alias="for", description="The length of the window that is judged; from first to last request by default."
    )
    at_least: Annotated[int, Field(ge=1)] = Field(20, description="How many requests the window must hold.")

    @model_validator(mode="after")
    def _something(self) -> ExceptionsParams:
        if self.at_most is None and self.per_minute is None:
            raise ValueError("give 'at_most', 'per_minute' or both")
        if self.lasting == 0:
            raise ValueError("'for' is over 0")
        return self


class _Stretch(NamedTuple):
    """Requests ``first`` to ``end`` of a list: how many of them went wrong, and the minutes they took."""

    first: int
    end: int
    wrong: int
    minutes: float

    @property
    def share(self) -> float:
        return self.wrong / (self.end - self.first)


class Exceptions(Check[ExceptionsParams]):
    """A client works without meeting exceptions all the time.

    Requests that were answered with an exception, or not at all, may be no more than `at_most` of all requests and no more
    than `per_minute`. With `for`, the best window of that length counts, so a trainee may explore first; it must lie wholly
    inside the attempt and hold `at_least` requests. A stretch under a minute counts as a minute. Without requests nothing
    passes. All times are plant time.

    Example::

        modbus.exceptions: {device: meter1, at_most: 1 %, for: 3 min, at_least: 100, marks: 2}
    """

    name = "modbus.exceptions"
    sentence = tr(
        "Few Modbus requests go wrong: {limits}", "Modbus 請求少有失敗：{limits}", "Modbus 请求少有失败：{limits}"
    )
    reads = "devices"
    Params = ExceptionsParams

    def title(self, params: ExceptionsParams) -> Text:
        """Names the limits."""
        return self.sentence.format(limits=_limits(params))

    def judge(self, evidence: Evidence, params: ExceptionsParams) -> Outcome:
        """Find the stretch with the fewest requests that went wrong."""
        requests = evidence.of("modbus", REQUESTS, params.device)
        expected = _limits(params)
        if len(requests) < params.at_least:
            reason = tr(
                "Modbus requests: {n} of the {least} that are needed.",
                "Modbus 請求共 {n} 次；需要 {least} 次。",
                "Modbus 请求共 {n} 次；需要 {least} 次。",
            )
            return failed(reason.format(n=len(requests), least=params.at_least), expected=expected, evidence=requests)
        best = _best(evidence, params, requests)
        if best is None:
            reason = tr(
                "No stretch of {lasting} holds {least} requests.",
                "沒有一段 {lasting} 包含 {least} 次請求。",
                "没有一段 {lasting} 包含 {least} 次请求。",
            ).format(lasting=duration(params.lasting or 0), least=params.at_least)
            return failed(reason, expected=expected, evidence=requests)
        inside = requests[best.first : best.end]
        wrong = [inside[i] for i in np.flatnonzero(_wrong(requests, params)[best.first : best.end]).tolist()]
        reason = tr(
            "From {time} on, {wrong} of {all} requests went wrong.",
            "自 {time} 起，{all} 次請求中有 {wrong} 次失敗。",
            "自 {time} 起，{all} 次请求中有 {wrong} 次失败。",
        ).format(time=clock(evidence, inside[0].t), wrong=len(wrong), all=len(inside))
        actual = listed(
            [
                percent(best.share),
                tr("{n} a minute", "每分鐘 {n} 次", "每分钟 {n} 次").format(n=number(best.wrong / best.minutes)),
                names(_code(status, count) for status, count in sorted(Counter(r.status for r in wrong).items())),
            ]
        )
        if _keeps(best, params):
            return passed(reason, expected=expected, actual=actual, evidence=inside)
        advice = tr(
            "A polling list that asks for addresses the device does not have goes wrong every time.",
            "若輪詢表包含設備沒有的地址，則每次都會失敗。",
            "若轮询表包含设备没有的地址，则每次都会失败。",
        )
        return failed(reason, expected=expected, actual=actual, evidence=wrong, help=advice)


def _wrong(requests: Rows, params: ExceptionsParams) -> NDArray[np.bool_]:
    """Whether each of them went wrong."""
    return np.isin(requests.statuses, params.codes) if params.codes else requests.statuses != 0


def _best(evidence: Evidence, params: ExceptionsParams, requests: Rows) -> _Stretch | None:
    """The stretch in which the smallest share went wrong; of several, the one with most requests, of these the first."""
    wrong = np.concatenate(([0], np.cumsum(_wrong(requests, params))))
    times = requests.times
    if params.lasting is None:
        minutes = int(times[-1] - times[0]) / _MINUTE_NS
        return _Stretch(0, len(requests), int(wrong[-1]), max(minutes, 1.0))
    length = nanoseconds(params.lasting)
    ends = np.searchsorted(times, times + length, side="right")
    counts = ends - np.arange(len(times))
    firsts = np.flatnonzero((times + length <= evidence.end_ns) & (counts >= params.at_least))
    if not firsts.size:
        return None
    share = (wrong[ends] - wrong[:-1])[firsts] / counts[firsts]
    firsts = firsts[share == share.min()]
    first = int(firsts[np.argmax(counts[firsts])])
    end = int(ends[first])
    return _Stretch(first, end, int(wrong[end] - wrong[first]), max(length / _MINUTE_NS, 1.0))


def _keeps(stretch: _Stretch, params: ExceptionsParams) -> bool:
    few = params.at_most is None or stretch.share <= params.at_most + 1e-12
    return few and (params.per_minute is None or stretch.wrong / stretch.minutes <= params.per_minute + 1e-9)


def _limits(params: ExceptionsParams) -> str:
    parts = [
        f"≤ {percent(params.at_most)}" if params.at_most is not None else "",
        f"≤ {params.per_minute:g}/min" if params.per_minute is not None else "",
    ]
    return ", ".join(part for part in parts if part)


def _code(status: int, count: int) -> str:
    return f"{status:02d} ×{count}" if status > 0 else f"– ×{count}"
