"""The check of a hand-in file as a series in time, against the history."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated

from pydantic import Field, model_validator

from grader.check import Check, Params, Share
from grader.checks.file import absent, unusable
from grader.checks.series import by_changes, by_samples
from grader.mean import Statistic, statistic
from grader.outcome import Outcome, partly, passed
from grader.payload import utc_ns_of
from grader.stretch import not_yet, stretch
from grader.suspicion import suspect
from grader.table import FileName, TableError, read_columns
from grader.truth import Truth, Value, as_value, real
from grader.window import Span, nanoseconds
from grader.words import clock, duration, margin, names, percent, quantity
from labsim.evidence.evidence import Evidence
from labsim.quantity import Duration, Tolerance, ToleranceField
from labsim.scenario.fields import TagPath
from labsim.scenario.marking import Window
from labsim.text import Text, tr


class FileSeriesParams(Params):
    """Parameters of `FileSeries`."""

    file: FileName = Field(description="The file: one row per time, as `.csv`, `.xlsx`, `.json` or `.yaml`.")
    time: str = Field(
        "time", description="The column of the time: ISO 8601 (UTC unless it says otherwise) or Unix time."
    )
    columns: Annotated[Mapping[str, TagPath], Field(min_length=1)] = Field(
        description="The tag of each column of values."
    )
    real: bool = Field(False, description="Hold it against what was physically true, not what a faulty sensor showed.")
    of: Statistic = Field(
        "value",
        description="What a value is: the tag's at that time, or of the interval of length `every` that begins then: its "
        "time-weighted `mean`, `min`, `max`, or the `change` of a counter.",
    )
    every: Duration | None = Field(None, description="The period of the rows, or the length of an interval.")
    changes: Annotated[int, Field(ge=1)] | None = Field(
        None,
        description="Instead of `every`: a row for each change of the tag, and changes that must be there at least.",
    )
    span: Window | None = Field(
        None,
        description="The stretch of plant time that must be there: `{from: 5 min, to: 10 min}`, or after a fault: "
        "`{after: link.mqtt, to: 1 min}`.",
    )
    lasting: Duration | None = Field(
        None, alias="for", description="Instead of `span`: the length of the best stretch."
    )
    only: bool = Field(False, description="No row may lie outside `span`.")
    coverage: Share = Field(0.95, description="The share of the stretch (or of the changes) that right rows must fill.")
    unique: bool = Field(True, description="No two rows may name the same time.")
    in_order: bool = Field(False, description="No row may name an earlier time than the one before it.")
    tolerance: ToleranceField = Field(Tolerance(relative=0.005), description="How far a value may be off.")
    time_margin: Duration = Field(0.2, description="How far a time may be off.")

    @model_validator(mode="after")
    def _whole(self) -> FileSeriesParams:
        if (self.every is None) == (self.changes is None):
            raise ValueError("give 'every' or 'changes'")
        if (self.span is None) == (self.lasting is None):
            raise ValueError("give 'span' or 'for'")
        if self.of != "value" and self.every is None:
            raise ValueError(f"'of: {self.of}' needs 'every', the length of an interval")
        if self.only and self.span is None:
            raise ValueError("'only' needs 'span'")
        if self.lasting == 0 or self.every == 0:
            raise ValueError("'for' and 'every' are over 0")
        return self


@dataclass(frozen=True, slots=True)
class Row:
    """One row: its number, the plant time it names, its cells."""

    number: int
    stated: int
    cells: Sequence[object]


@dataclass(frozen=True, slots=True)
class Cell:
    """One value of a row: the plant time it belongs to, and whether it was true then."""

    stated: int
    value: Value
    right: bool


class FileSeries(Check[FileSeriesParams]):
    """A hand-in file holds a series that is true at its times, without gaps and doubles.

    Every column carries an equal share of the marks. Rows that are true within `tolerance` and `time_margin` must follow each
    other by no more than one and a half times `every` for `coverage` of the stretch, or each change of the tag within it must
    have a row stamped while the new value held. A value of an interval belongs to the time at which the interval begins. Rows
    that name a time twice spoil the whole, unless `unique` is false. All times are plant time.

    Example::

        file.series:
          file: log.csv
          time: SourceTimestamp
          columns: {speed: mill1.spindle_speed}
          changes: 20
          for: 2 min
          coverage: 100 %
          marks: 4

    Example::

        file.series:
          file: hourly.xlsx
          columns: {meter1: meter1.active_energy_delivered}
          of: change
          every: 10 min
          span: {from: 0 min, to: 60 min}
          tolerance: 1 %
          marks: 3
    """

    name = "file.series"
    judges = "handed"
    sentence = tr(
        "{p.file} is a true and whole series", "{p.file} 是真實完整的數據序列", "{p.file} 是真实完整的数据序列"
    )
    Params = FileSeriesParams

    def judge(self, evidence: Evidence, params: FileSeriesParams) -> Outcome:
        """Judge each column of the file."""
        expected = _asked(params)
        handed = evidence.file(params.file)
        if handed is None:
            return absent(evidence, params.file, expected)
        try:
            read = read_columns(handed.data, params.file, [params.time, *params.columns])
        except TableError as error:
            return unusable(handed, error, expected)
        timed = [(n, utc_ns_of(cells[0]), cells[1:]) for n, cells in read]
        undated = [n for n, utc, _ in timed if utc is None]
        rows = [Row(n, evidence.t_of_utc(utc), cells) for n, utc, cells in timed if utc is not None]
        span = stretch(params.span, evidence) if params.span is not None else None
        if params.span is not None and span is None:
            return not_yet()
        flaw = _flaw(evidence, params, span, rows)
        judged = {
            column: _column(evidence, params, span, column, place, rows) for place, column in enumerate(params.columns)
        }
        right = [column for column, (why, _, _) in judged.items() if why is None]
        actual = names(f"{column}: {share}" for column, (_, share, _) in judged.items())
        if flaw is not None or (undated and len(right) < len(judged)):
            reason = flaw or tr(
                "Row {n} has no time that can be read.", "第 {n} 行沒有可讀的時間。", "第 {n} 行没有可读的时间。"
            ).format(n=undated[0])
            return partly(0, reason, expected=expected, actual=actual, evidence=[handed.seq])
        if len(right) == len(judged):
            reason = tr("The series of {file} is whole.", "{file} 的數據序列完整。", "{file} 的数据序列完整。")
            return passed(reason.format(file=params.file), expected=expected, actual=actual, evidence=[handed.seq])
        first, (why, _, advice) = next((c, found) for c, found in judged.items() if found[0] is not None)
        reason = tr("{column}: {why}", "{column}：{why}", "{column}：{why}").format(column=first, why=why)
        return partly(
            len(right) / len(judged), reason, expected=expected, actual=actual, evidence=[handed.seq], help=advice
        )


def _flaw(evidence: Evidence, params: FileSeriesParams, span: Span | None, rows: Sequence[Row]) -> Text | None:
    """What spoils the file as a whole."""
    seen: set[int] = set()
    for before, row in zip([None, *rows], rows, strict=False):
        if params.unique and row.stated in seen:
            form = tr("Row {n} names {time} again.", "第 {n} 行重複了 {time}。", "第 {n} 行重复了 {time}。")
            return form.format(n=row.number, time=clock(evidence, row.stated))
        seen.add(row.stated)
        if params.in_order and before is not None and row.stated < before.stated:
            form = tr("Row {n} is older than the one before.", "第 {n} 行早於前一行。", "第 {n} 行早于前一行。")
            return form.format(n=row.number)
        if params.only and span is not None:
            low, high = span
            slack = nanoseconds(params.time_margin)
            if not low - slack <= row.stated <= high + slack:
                form = tr("Row {n} lies outside the stretch.", "第 {n} 行在時段之外。", "第 {n} 行在时段之外。")
                return form.format(n=row.number)
    return None


def _column(
    evidence: Evidence, params: FileSeriesParams, span: Span | None, column: str, place: int, rows: Sequence[Row]
) -> tuple[Text | None, str, Text | None]:
    """Why a column is not right (None when it is), the share that is there, and advice."""
    tag = evidence.tags[params.columns[column]]
    truth = Truth(evidence, real(evidence, tag.path) if params.real else tag.path)
    slack = nanoseconds(params.time_margin)
    messages: list[Cell] = []
    wrong: list[tuple[Row, Value]] = []
    for row in rows:
        value = as_value(row.cells[place], tag) if row.cells[place] not in (None, "") else None
        if value is None:
            continue
        if params.of == "value":
            good = truth.latest_match(value, row.stated + slack, 2 * slack, params.tolerance) is not None
        else:
            length = nanoseconds(params.every or 0)
            want = statistic(truth, params.of, row.stated, row.stated + length)
            good = want is not None and isinstance(value, float) and params.tolerance.allows(value, want)
        if row.stated > evidence.end_ns + slack or row.stated < -slack:
            good = False
        messages.append(Cell(row.stated, value, good))
        if not good:
            wrong.append((row, value))
    windows: list[Span] | None = None
    length = nanoseconds(params.lasting or 0)
    if span is not None:
        windows, length = [span], span[1] - span[0]
    if params.every is not None:
        every = nanoseconds(params.every)
        if params.of != "value" and windows is not None:
            windows = [(low, max(high - every, low + 1)) for low, high in windows]  # the last interval begins there
        messages.sort(key=lambda m: m.stated)
        best = by_samples(messages, every, length, windows)
    else:
        best = by_changes(messages, truth, params.tolerance, slack, length, params.changes or 1, windows)
    shown = percent(best.share) if best.total else "0 %"
    if best.total and best.share >= params.coverage - 1e-9 and len(wrong) * 20 <= len(messages):
        return None, shown, None
    if len(wrong) * 20 > len(messages):
        row, value = wrong[0]
        near = [step.value for step in truth.steps(row.stated - slack, row.stated + slack)]
        numbers = [one for one in near if isinstance(one, float)]
        advice = suspect(value, numbers, params.tolerance, tag.unit) if isinstance(value, float) else None
        form = tr(
            "rows that are not true at their time: {n}, the first is row {row} with {value}.",
            "{n} 行在其時間不為真，第一處是第 {row} 行，值為 {value}。",
            "{n} 行在其时间不为真，第一处是第 {row} 行，值为 {value}。",
        )
        said = form.format(n=len(wrong), row=row.number, value=quantity(value, tag.unit))
        return said, shown, advice
    if not best.total:
        return tr("the tag changed too little.", "測點變化過少。", "测点变化过少。"), shown, None
    return tr("some of it is missing.", "有缺失。", "有缺失。"), shown, None


def _asked(params: FileSeriesParams) -> Text:
    what = (
        tr("a row for each change", "每次變化一行", "每次变化一行")
        if params.every is None
        else tr("a row every {every}", "每 {every} 一行", "每 {every} 一行").format(every=duration(params.every))
    )
    return tr(
        "{what}, true {margin}, for {coverage} of the stretch",
        "{what}，容差 {margin}，佔時段的 {coverage}",
        "{what}，容差 {margin}，占时段的 {coverage}",
    ).format(what=what, margin=margin(params.tolerance), coverage=percent(params.coverage))
