"""The check of a report of faults: which device, what kind, when."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated

from pydantic import Field, model_validator

from grader.check import Check, Params
from grader.checks.file import absent, unusable
from grader.checks.mqtt import by_clients, nothing_published
from grader.faults import BESIDE_PLANT, Injected, injected
from grader.outcome import Outcome, Said, failed, partly, passed
from grader.payload import MISSING, NOT_JSON, decode, find, text_of, utc_ns_of
from grader.suspicion import misclocked
from grader.table import FileName, TableError, read_columns
from grader.truth import plain
from grader.window import nanoseconds
from grader.words import clock, duration, names, number
from labsim.evidence.evidence import Evidence
from labsim.quantity import Duration
from labsim.text import Text, tr

_HOUR_NS = 3600 * 10**9


_FIRST = tr("the first report is right", "首份報告正確", "首份报告正确")
_EVERY = tr("every fault, and nothing else", "每個故障，且別無其他", "每个故障，且别无其他")


class ReportedParams(Params):
    """Parameters of `Reported`."""

    file: FileName | None = Field(None, description="The file of the report, one row per fault.")
    topic: str | None = Field(None, description="Or the topic of the reports, one JSON message per fault.")
    device: str = Field("device", description="The column (or part) of the device: its name, or `device.tag`.")
    kind: str | None = Field(
        "kind", description="The column (or part) of the kind of fault; null when it is not asked for."
    )
    kinds: Mapping[str, tuple[str, ...]] = Field(
        {}, description="Words that are right for each fault beside its own name: `{stuck: [frozen, 卡死]}`."
    )
    faults: tuple[str, ...] = Field((), description="Only faults of these names have to be reported; all by default.")
    links: bool = Field(
        False, description="Faults of links, endpoints and rogue clients have to be reported too, as `link.mqtt`."
    )
    time: str | None = Field(
        None, description="The column (or part) of the time at which it began; not asked for by default."
    )
    time_margin: Duration = Field(30.0, description="How far that time may be off.")
    within: Duration | None = Field(None, description="How soon after the beginning a message must come, with `topic`.")
    first: bool = Field(
        False, description="It is enough that one fault is reported rightly, and that the first report is right."
    )
    false_most: Annotated[int, Field(ge=0)] = Field(0, description="Reports of what is no fault that cost nothing.")

    @model_validator(mode="after")
    def _one(self) -> ReportedParams:
        if (self.file is None) == (self.topic is None):
            raise ValueError("give 'file' or 'topic'")
        if self.within is not None and self.topic is None:
            raise ValueError("'within' needs 'topic': a file says nothing of when it was written")
        return self


@dataclass(frozen=True, slots=True)
class Report:
    """One report: the device, the kind and the time it names, when it came (plant nanoseconds), and where it stands."""

    device: str
    kind: str
    began: int | None
    came: int | None
    seq: int


class Reported(Check[ReportedParams]):
    """The faults that were injected are reported: the right device, the right kind, in time, and nothing else.

    Each fault that began has to have a report that names its device (or its tag) and its kind, the fault's own name or one of
    `kinds`. The share of the marks is the share of faults reported, less as much for each report beyond `false_most` that is
    of no fault; the same report again costs nothing.

    Example::

        fault.reported:
          file: report.csv
          device: device
          kind: kind
          kinds: {stuck: [frozen, 卡死], clock-skew: [clock, 時鐘, 时钟]}
          marks: 5

    Example::

        fault.reported: {topic: site1/maintenance/report, within: 5 min, first: true, marks: 3}
    """

    name = "fault.reported"
    judges = "handed"
    sentence = tr("The faults are found and reported", "找出並報告故障", "找出并报告故障")
    Params = ReportedParams

    def judge(self, evidence: Evidence, params: ReportedParams) -> Outcome:
        """Hold reports against faults."""
        faults = [
            one
            for one in injected(evidence)
            if (params.links or not one.target.startswith(BESIDE_PLANT))
            and (not params.faults or one.name in params.faults)
        ]
        expected = _FIRST if params.first else _EVERY  # how many there are is not given away
        reports = _reports(evidence, params, expected)
        if isinstance(reports, Outcome):
            return reports
        seqs = [report.seq for report in reports]
        if not faults:
            reason = tr("Nothing was broken.", "沒有發生故障。", "没有发生故障。")
            return failed(reason, actual=str(len(reports)), evidence=seqs)
        if params.first:
            return _first(evidence, params, faults, reports, expected)
        found = [one for one in faults if any(_is_of(report, one, params) for report in reports)]
        false = {(plain(r.device), plain(r.kind)) for r in reports if not any(_is_of(r, one, params) for one in faults)}
        cost = max(len(false) - params.false_most, 0)
        share = max(len(found) - cost, 0) / len(faults)
        actual = tr(
            "{found} found, {false} wrong", "找到 {found} 個，錯報 {false} 個", "找到 {found} 个，错报 {false} 个"
        )
        actual = actual.format(found=len(found), false=len(false))
        if share >= 1:
            reason = tr("All faults are reported.", "故障均已報告。", "故障均已报告。")
            return passed(reason, expected=expected, actual=actual, evidence=seqs)
        untimed = params.model_copy(update={"time": None})
        off = {  # right but for the time
            f"{report.device} {report.kind}".strip(): report.began - fault.start
            for report in reports
            for fault in faults
            if report.began is not None and _is_of(report, fault, untimed) and not _is_of(report, fault, params)
        }
        if params.time is not None and off and len(off) >= len(false):
            by = max(off.values(), key=abs)
            reason = tr(
                "The faults are right, but not the times at which they began: {what}, off by up to {by}.",
                "故障正確，但其開始的時間不正確：{what}，最多相差 {by}。",
                "故障正确，但其开始的时间不正确：{what}，最多相差 {by}。",
            ).format(what=names(sorted(off)), by=duration(abs(by) / 1e9))
            advice = misclocked(by) if abs(by) >= _HOUR_NS // 4 else None
            return partly(share, reason, expected=expected, actual=actual, evidence=seqs, help=advice)
        if cost:
            shown = names(sorted(" ".join(part for part in pair if part) for pair in false))
            reason = tr(
                "Reported, but no such fault: {what}.",
                "報告了並不存在的故障：{what}。",
                "报告了并不存在的故障：{what}。",
            )
            return partly(share, reason.format(what=shown), expected=expected, actual=actual, evidence=seqs)
        reason = tr(
            "Not all faults are reported rightly.", "並非所有故障都得到正確報告。", "并非所有故障都得到正确报告。"
        )
        return partly(share, reason, expected=expected, actual=actual, evidence=seqs)


def _first(
    evidence: Evidence, params: ReportedParams, faults: list[Injected], reports: list[Report], expected: Said
) -> Outcome:
    if not reports:
        reason = tr("There is no report.", "沒有報告。", "没有报告。")
        return failed(reason, expected=expected)
    first = reports[0]
    shown = " ".join(part for part in (first.device, first.kind) if part)
    if any(_is_of(first, one, params) for one in faults):
        reason = tr("The first report, of {time}, is right.", "{time} 的首份報告正確。", "{time} 的首份报告正确。")
        return passed(
            reason.format(time="–" if first.came is None else clock(evidence, first.came)),
            expected=expected,
            actual=shown,
            evidence=[first.seq],
        )
    late = params.within is not None and any(
        _is_of(first, one, params.model_copy(update={"within": None})) for one in faults
    )
    reason = (
        tr("The first report came too late.", "首份報告過遲。", "首份报告过迟。")
        if late
        else tr("The first report is not right.", "首份報告不正確。", "首份报告不正确。")
    )
    if late and params.within is not None:
        expected = duration(params.within)
    return failed(reason, expected=expected, actual=shown, evidence=[first.seq])


def _is_of(report: Report, fault: Injected, params: ReportedParams) -> bool:
    """Whether a report is of a fault."""
    device = plain(report.device)
    beside = {plain(fault.target), plain(fault.device), *(plain(tag) for tag in fault.record.tags)}
    if device not in beside:
        return False
    if params.kind is not None:
        words = {plain(fault.name), *(plain(word) for word in params.kinds.get(fault.name, ()))}
        if plain(report.kind) not in words:
            return False
    if params.time is not None:
        slack = nanoseconds(params.time_margin)
        if report.began is None or abs(report.began - fault.start) > slack:
            return False
    if report.came is not None and report.came < fault.start:
        return False
    return params.within is None or (
        report.came is not None and report.came <= fault.start + nanoseconds(params.within)
    )


def _reports(evidence: Evidence, params: ReportedParams, expected: Text) -> list[Report] | Outcome:
    def time(raw: object) -> int | None:
        utc = utc_ns_of(raw)
        return None if utc is None else evidence.t_of_utc(utc)

    if params.file is not None:
        handed = evidence.file(params.file)
        if handed is None:
            return absent(evidence, params.file, expected)
        columns = [name for name in (params.device, params.kind, params.time) if name is not None]
        try:
            rows = read_columns(handed.data, params.file, columns)
        except TableError as error:
            return unusable(handed, error, expected)
        found = []
        for _, cells in rows:
            row = dict(zip(columns, cells, strict=True))
            kind = "" if params.kind is None else str(row[params.kind] or "")
            began = None if params.time is None else time(row[params.time])
            if row[params.device]:
                found.append(Report(str(row[params.device]), kind, began, None, handed.seq))
        return found
    assert params.topic is not None
    sent = by_clients(evidence, params.topic)
    if not sent:
        return nothing_published(evidence, params.topic, expected)
    reports = []
    for record in sent:
        text = text_of(record)
        data = NOT_JSON if text is None else decode(text)
        device = find(data, params.device)
        said = MISSING if params.kind is None else find(data, params.kind)
        if data is NOT_JSON or device is MISSING:
            continue
        began = None if params.time is None else time(find(data, params.time))
        reports.append(Report(number(device), "" if said is MISSING else number(said), began, record.t, record.seq))
    return reports
