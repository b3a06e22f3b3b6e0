"""The check of regular polling."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, model_validator

from grader.check import Check, Params, Share
from grader.jitter import widened
from grader.outcome import Outcome, failed, passed
from grader.truth import near
from grader.window import Best, best_of, nanoseconds
from grader.words import clock, duration, margin, names, percent
from labsim.evidence.evidence import Evidence
from labsim.evidence.rows import Rows
from labsim.quantity import Duration, Tolerance, ToleranceField
from labsim.scenario.fields import DevicePath, TagPath
from labsim.text import Text, tr


class PolledParams(Params):
    """Parameters of `Polled`."""

    device: DevicePath = Field(description="The device that must be polled.")
    every: Duration = Field(description="The period from the start of a poll to the start of the next.")
    within: ToleranceField = Field(
        Tolerance(relative=0.2), description="How far a period may be off: a percentage of `every`, or seconds."
    )
    lasting: Duration = Field(alias="for", description="The length of the window that is judged.")
    jitter: Duration | None = Field(
        None,
        description="How far a period may be off the period before it; a longer break in between does not count twice.",
    )
    share: Share = Field(0.95, description="The share of the window that regular polls must fill.")
    requests_per_poll: Annotated[int, Field(ge=1)] | None = Field(None, description="Requests a poll may need at most.")
    tags: tuple[TagPath, ...] = Field((), description="Tags that each poll must read whole and without an exception.")

    @model_validator(mode="after")
    def _sane(self) -> PolledParams:
        if self.every <= 0 or self.lasting < self.every:
            raise ValueError("'every' is over 0 and 'for' is at least as long")
        if self.within.absolute + self.within.relative * self.every >= self.every / 2:
            raise ValueError("'within' is under half of 'every': polls could not be told apart")
        return self


@dataclass(frozen=True, slots=True)
class Polls:
    """Requests gathered into polls, all of one within half a period of its first.

    Attributes:
        times: Plant nanoseconds of the first request of each.
        firsts: The place of that request in the list.
        ends: Where the requests of the next begin.
    """

    times: NDArray[np.int64]
    firsts: NDArray[np.int64]
    ends: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.times)

    @property
    def sizes(self) -> NDArray[np.int64]:
        """How many requests each took."""
        return self.ends - self.firsts

    @property
    def periods(self) -> NDArray[np.float64]:
        """The seconds from each to the next."""
        return np.diff(self.times) / 1e9


def polls_of(requests: Rows, every_ns: int) -> Polls:
    """Requests in order of time, gathered into polls."""
    starts: list[int] = []
    until, half = -1, every_ns // 2
    for index, t in enumerate(requests.times.tolist()):
        if t > until:
            starts.append(index)
            until = t + half
    firsts = np.array(starts, np.int64)
    return Polls(requests.times[firsts], firsts, np.append(firsts, len(requests))[1:])


def answered(requests: Rows, polls: Polls, tags: Sequence[str]) -> NDArray[np.bool_]:
    """Of each poll, whether its good answers held every tag; without tags, whether any answer was good."""
    good = requests.statuses == 0
    found = np.ones(len(polls), bool)
    for each in [good & np.array([tag in r.tags for r in requests], bool) for tag in tags] or [good]:
        counted = np.concatenate(([0], np.cumsum(each)))
        found &= counted[polls.ends] > counted[polls.firsts]
    return found


class Polled(Check[PolledParams]):
    """A device is polled over Modbus at a steady period for a while.

    Read requests within half a period of the first belong to one poll. The time from the start of a poll to the start of the
    next counts as good when it is `every` within the tolerance, when it differs from the period before by no more than
    `jitter`, and when the poll kept to `requests_per_poll` and `tags`. In the best window of length `for`, good periods must
    fill `share` of the time. All times are plant time.

    Example::

        modbus.polled: {device: meter1, every: 1 s, within: 20 %, for: 3 min, requests_per_poll: 2, marks: 4}
    """

    name = "modbus.polled"
    sentence = tr(
        "{p.device} is polled every {every} for {lasting}",
        "每 {every} 輪詢 {p.device}，持續 {lasting}",
        "每 {every} 轮询 {p.device}，持续 {lasting}",
    )
    reads = "devices"
    Params = PolledParams

    def title(self, params: PolledParams) -> Text:
        """Names device, period and length."""
        return self.sentence.format(p=params, every=duration(params.every), lasting=duration(params.lasting))

    def judge(self, evidence: Evidence, params: PolledParams) -> Outcome:
        """Measure how much of the best window regular polls fill."""
        requests = evidence.of("modbus", "read", params.device)
        polls = polls_of(requests, nanoseconds(params.every))
        expected = tr(
            "every {every} {within} for {lasting} ({share} of the time)",
            "每 {every} {within}，持續 {lasting}（佔時間 {share}）",
            "每 {every} {within}，持续 {lasting}（占时间 {share}）",
        ).format(
            every=duration(params.every),
            within=margin(params.within, "s"),
            lasting=duration(params.lasting),
            share=percent(params.share),
        )
        late: dict[str, object] = {"within": widened(evidence, params.within, params.every)}
        if params.jitter is not None:
            late["jitter"] = widened(evidence, Tolerance(absolute=params.jitter), params.every).absolute
        params = params.model_copy(update=late)
        if len(polls) < 2:
            reason = tr(
                "Polls of {device}: {n}; a period needs two.",
                "{device} 被輪詢 {n} 次；至少兩次才有週期。",
                "{device} 被轮询 {n} 次；至少两次才有周期。",
            ).format(device=params.device, n=len(polls))
            return failed(reason, expected=expected, evidence=requests)
        even = _regular(polls, params)
        good = even & (read := answered(requests, polls, params.tags)[:-1])
        if params.requests_per_poll is not None:
            good &= polls.sizes[:-1] <= params.requests_per_poll
        length = nanoseconds(params.lasting)
        best = best_of(polls.times[:-1][good], polls.times[1:][good], length)
        share = best.good_ns / length
        inside = np.flatnonzero((polls.times >= best.start) & (polls.times <= best.start + length))
        actual = tr(
            "{share} of {lasting} from {time}, median period {median}",
            "自 {time} 起 {lasting} 中佔 {share}，週期中位數 {median}",
            "自 {time} 起 {lasting} 中占 {share}，周期中位数 {median}",
        ).format(
            share=percent(min(share, 1)),
            lasting=duration(params.lasting),
            time=clock(evidence, best.start if good.any() else int(polls.times[0])),
            median=duration(_median(polls.times[inside] if len(inside) > 1 else polls.times)),
        )
        rows = requests[int(polls.firsts[inside[0]]) if good.any() and inside.size else 0 :]
        if best.good_ns >= params.share * length:
            reason = tr(
                "{device} was polled regularly from {time}.",
                "{device} 自 {time} 起被穩定輪詢。",
                "{device} 自 {time} 起被稳定轮询。",
            ).format(device=params.device, time=clock(evidence, best.start))
            return passed(reason, expected=expected, actual=actual, evidence=rows)
        reason, advice = _why(requests, polls, best, params, even, read)
        return failed(reason, expected=expected, actual=actual, evidence=rows, help=advice)


def _regular(polls: Polls, params: PolledParams) -> NDArray[np.bool_]:
    """Whether each period is as long as asked, and near enough to the one before if that was."""
    periods = polls.periods
    good = near(params.within, periods, params.every)
    if params.jitter is None:
        return good
    steady = near(Tolerance(absolute=params.jitter), periods[1:], periods[:-1])
    good[1:] &= ~good[:-1] | steady  # the right side is worked out first, with what was good before
    return good


def _median(times: NDArray[np.int64]) -> float:
    """The median period in seconds."""
    return float(np.median(np.diff(times))) / 1e9


def _why(
    requests: Rows,
    polls: Polls,
    best: Best,
    params: PolledParams,
    even: NDArray[np.bool_],
    read: NDArray[np.bool_],
) -> tuple[Text, Text | None]:
    """What most of the polls have wrong; when nothing is wrong with most, they were too few."""
    count = len(polls) - 1
    sizes = polls.sizes[:-1]
    many = sizes[sizes > params.requests_per_poll] if params.requests_per_poll else sizes[:0]
    missing = np.flatnonzero(~read).tolist()
    uneven = int(np.count_nonzero(~even))
    jumpy = int(np.count_nonzero(~even & near(params.within, polls.periods, params.every)))
    worst = max(uneven, len(many), len(missing))
    if worst * 20 <= count:
        return tr(
            "Polling was regular, but for {good} of {lasting} only.",
            "輪詢穩定，但在 {lasting} 中僅持續 {good}。",
            "轮询稳定，但在 {lasting} 中仅持续 {good}。",
        ).format(good=duration(best.good_ns / 1e9), lasting=duration(params.lasting)), None
    if len(many) == worst:
        return tr(
            "A poll took {n:g} requests; at most {most} are allowed.",
            "一次輪詢用了 {n:g} 個請求；至多允許 {most} 個。",
            "一次轮询用了 {n:g} 个请求；至多允许 {most} 个。",
        ).format(n=float(np.median(many)), most=params.requests_per_poll), tr(
            "Registers that lie near each other can be read in one request.",
            "相鄰的寄存器可用一個請求讀取。",
            "相邻的寄存器可用一个请求读取。",
        )
    if len(missing) == worst:
        spans = zip(polls.firsts[missing].tolist(), polls.ends[missing].tolist(), strict=True)
        got = {tag for first, end in spans for r in requests[first:end] if r.status == 0 for tag in r.tags}
        lost = names(tag for tag in params.tags if tag not in got) or names(params.tags) or params.device
        return tr(
            "{n} of {all} polls did not read {tags} without an exception.",
            "{all} 次輪詢中有 {n} 次未能無異常地讀取 {tags}。",
            "{all} 次轮询中有 {n} 次未能无异常地读取 {tags}。",
        ).format(n=len(missing), all=len(polls), tags=lost), None
    if jumpy * 2 > uneven:
        return tr(
            "{n} of {all} periods differ from the one before by more than {jitter}.",
            "{all} 個週期中有 {n} 個與前一週期相差超過 {jitter}。",
            "{all} 个周期中有 {n} 个与前一周期相差超过 {jitter}。",
        ).format(n=jumpy, all=count, jitter=duration(params.jitter or 0)), tr(
            "Wait for the next beat of a clock, not for a fixed time after the work.",
            "請等待時鐘的下一拍，而不是在工作之後等待固定時長。",
            "请等待时钟的下一拍，而不是在工作之后等待固定时长。",
        )
    return tr(
        "{n} of {all} periods were off; the median was {median}.",
        "{all} 個週期中有 {n} 個超出容差；中位數為 {median}。",
        "{all} 个周期中有 {n} 个超出容差；中位数为 {median}。",
    ).format(n=uneven, all=count, median=duration(_median(polls.times))), tr(
        "A loop that sleeps a fixed time after its work drifts by the time the work takes.",
        "在工作之後再休眠固定時長的循環，其週期會加上工作所需的時間。",
        "在工作之后再休眠固定时长的循环，其周期会加上工作所需的时间。",
    )
