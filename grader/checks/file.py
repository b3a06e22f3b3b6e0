"""The check of values in a hand-in file."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import Field, model_validator

from grader.check import Check, Params
from grader.outcome import Outcome, Said, failed, partly, passed
from grader.payload import utc_ns_of
from grader.readings import Readings
from grader.suspicion import suspect
from grader.table import FileName, Row, TableError, read_rows
from grader.truth import Truth, Value, as_value, matches, plain, real, to_number
from grader.window import nanoseconds
from grader.words import duration, fill, margin, names, quantity
from labsim.evidence.event import Record
from labsim.evidence.evidence import Evidence, HandIn
from labsim.quantity import Duration, Tolerance, ToleranceField
from labsim.scenario.fields import NameplatePath, TagPath
from labsim.text import Text, tr

Constant = bool | int | float | str
EXACT = Tolerance(relative=1e-9)
"""What a number that does not change may be off: what is lost in writing it down."""


class FileValuesParams(Params):
    """Parameters of `FileValues`."""

    file: FileName = Field(
        description="The file below the hand-in folder: `.csv` or `.xlsx` with a header line, `.json` or `.yaml`."
    )
    key: str = Field("key", description="The column (or JSON name) that says which value a row is.")
    value: str = Field("value", description="The column (or JSON name) of the value.")
    expect: Mapping[str, TagPath] = Field({}, description="The tag of each key whose value comes from the plant.")
    nameplates: Mapping[str, NameplatePath] = Field(
        {}, description="The field of a device's nameplate for each key, such as `mill1.serial`; the seat's own."
    )
    constants: Mapping[str, Constant] = Field(
        {}, description="The value of each key that does not change; a number has to be right within `near`."
    )
    near: ToleranceField = Field(
        EXACT, description="How far a number of `constants` may be off; not at all by default."
    )
    real: bool = Field(
        False, description="Hold `expect` against what was physically true, not against what a faulty sensor showed."
    )
    truth: Literal["when-read", "at-time"] = Field(
        "when-read",
        description="Which truth a row of `expect` is held against: any that a client read, or the one at the row's time.",
    )
    time: str = Field(
        "time", description="The column of the time, for `at-time`: ISO 8601, UTC unless it says otherwise."
    )
    time_margin: Duration = Field(1.0, description="How far a row's time may be off, for `at-time`.")
    tolerance: ToleranceField = Field(
        Tolerance(relative=0.005),
        description="How far a value of `expect` may be off; not less than half a count of a scaled register.",
    )
    at_least: Annotated[int, Field(ge=1)] = Field(1, description="Rows that each key needs.")

    @model_validator(mode="after")
    def _something(self) -> FileValuesParams:
        if not self.expect and not self.constants and not self.nameplates:
            raise ValueError("give 'expect', 'nameplates' or 'constants'")
        if self.real and self.truth != "at-time":
            raise ValueError("'real' needs 'truth: at-time': what is true is not what was read")
        named = [*self.expect, *self.nameplates, *self.constants]
        if twice := sorted(key for key in set(named) if named.count(key) > 1):
            raise ValueError(f"{twice[0]!r} stands in two of 'expect', 'nameplates' and 'constants'")
        return self


def absent(evidence: Evidence, file: str, expected: Said) -> Outcome:
    """The file was not handed in: say what was, since a slip in the name is the usual reason."""
    reason = tr("There is no {file} in the hand-in folder.", "交付文件夾中沒有 {file}。", "交付文件夹中没有 {file}。")
    return failed(reason.format(file=file), expected=expected, actual=names(evidence.files()) or None)


def unusable(handed: HandIn, error: TableError, expected: Said) -> Outcome:
    """The file is not what can be read."""
    reason = tr("{file} cannot be used: {why}.", "無法使用 {file}：{why}。", "无法使用 {file}：{why}。")
    return failed(reason.format(file=handed.path, why=error.reason), expected=expected, evidence=[handed.seq])


@dataclass(frozen=True, slots=True)
class Fault:
    """Why a key is wrong, as a reason and a next step, and what was written."""

    reason: Text
    said: str = ""
    advice: Text | None = None


class FileValues(Check[FileValuesParams]):
    """A hand-in file holds the right value for each key.

    Every key carries an equal share of the marks; it is right when it has rows and all of them are right. What counts is the
    file as it was at the last check. With `truth: when-read` a value is right when it was the tag's true value at an instant
    at which a client of this attempt read the tag over Modbus or OPC UA, or while a client had subscribed to it. With
    `truth: at-time` it must have been true within `time_margin` (plant time) of the time in its row. Keys and text are
    compared without regard to case and width.

    Example::

        file.values:
          file: map.csv
          key: tag
          value: value
          expect: {voltage: meter1.voltage_l1, power: meter1.power}
          constants: {word_order: CDAB}
          tolerance: 0.5 %
          marks: 6
    """

    name = "file.values"
    judges = "handed"
    sentence = tr("{p.file} holds the right values", "{p.file} 中的值正確", "{p.file} 中的值正确")
    Params = FileValuesParams

    def judge(self, evidence: Evidence, params: FileValuesParams) -> Outcome:
        """Judge each key of the file."""
        constants = {**{key: plate(evidence, path) for key, path in params.nameplates.items()}, **params.constants}
        every = [*params.expect, *constants]
        expected = _asked(params, len(every))
        handed = evidence.file(params.file)
        if handed is None:
            return absent(evidence, params.file, expected)
        timed = params.time if params.expect and params.truth == "at-time" else None
        try:
            rows = read_rows(handed.data, params.file, params.key, params.value, timed)
        except TableError as error:
            return unusable(handed, error, expected)
        by_key: dict[str, list[Row]] = {}
        for row in rows:
            by_key.setdefault(plain(row.key), []).append(row)
        faults: dict[str, Fault] = {}
        used: list[Record] = []
        for key in every:
            mine = by_key.get(plain(key), [])
            if len(mine) < params.at_least:
                faults[key] = Fault(
                    tr("rows: {n} of {least}", "{n} 行，需要 {least} 行", "{n} 行，需要 {least} 行").format(
                        n=len(mine), least=params.at_least
                    )
                )
                continue
            judged = (
                _follows(evidence, params, key, mine, used)
                if key in params.expect
                else _constant(constants[key], params, mine)
            )
            if judged is not None:
                faults[key] = judged
        right = len(every) - len(faults)
        rest = [handed.seq, *(r.seq for r in used)]
        if not faults:
            reason = tr(
                "The values of {file} are right ({n}).", "{file} 的 {n} 個值均正確。", "{file} 的 {n} 个值均正确。"
            )
            return passed(reason.format(n=right, file=params.file), expected=expected, actual=str(right), evidence=rest)
        first = next(iter(faults))
        reason = tr(
            "{right} of {all} values are right; not right: {keys}. {first}: {why}.",
            "{all} 個值中有 {right} 個正確；不正確：{keys}。{first}：{why}。",
            "{all} 个值中有 {right} 个正确；不正确：{keys}。{first}：{why}。",
        )
        said = fill(reason, right=right, all=len(every), keys=names(faults), first=first, why=faults[first].reason)
        shown = [f"{key}: {fault.said}" for key, fault in faults.items() if fault.said]
        advice = next((fault.advice for fault in faults.values() if fault.advice), None)
        return partly(
            right / len(every), said, expected=expected, actual=names(shown) or None, evidence=rest, help=advice
        )


def _follows(
    evidence: Evidence, params: FileValuesParams, key: str, rows: Sequence[Row], used: list[Record]
) -> Fault | None:
    """Why the rows of a key that follows a tag are wrong; None when they are right. Adds the evidence it ``used``."""
    tag = evidence.tags[params.expect[key]]
    seen = Readings(evidence, tag.path)
    truth = None
    if params.truth == "at-time":
        truth = Truth(evidence, real(evidence, tag.path) if params.real else tag.path)
    if truth is None:
        if not seen.any:
            return Fault(tr("no client read this value", "沒有客戶端讀取該值", "没有客户端读取该值"))
        used += seen.records[-3:]
    for row in rows:
        got, said = as_value(row.value, tag), _said(row.value, tag.unit)
        if got is None or row.value == "":
            why = tr("row {n} holds no usable value", "第 {n} 行沒有可用的值", "第 {n} 行没有可用的值")
            return Fault(why.format(n=row.number), said)
        if truth is not None:
            fault = _at_time(evidence, params, row, got, truth)
        elif seen.saw(got, params.tolerance):
            fault = None
        else:
            why = tr(
                "row {n} was true at none of the reads ({reads})",
                "第 {n} 行在 {reads} 次讀取時均不為真",
                "第 {n} 行在 {reads} 次读取时均不为真",
            ).format(n=row.number, reads=len(seen.records))
            fault = Fault(why, advice=_look(got, seen.numbers(), params.tolerance, tag.unit))
        if fault is not None:
            return Fault(fault.reason, said, fault.advice)
    return None


def _at_time(evidence: Evidence, params: FileValuesParams, row: Row, got: Value, truth: Truth) -> Fault | None:
    """Why a row was not true at the time it names; None when it was."""
    utc = utc_ns_of(row.time)
    if utc is None:
        why = tr("row {n} has no time in ISO 8601", "第 {n} 行沒有 ISO 8601 時間", "第 {n} 行没有 ISO 8601 时间")
        return Fault(why.format(n=row.number))
    t, slack = evidence.t_of_utc(utc), nanoseconds(params.time_margin)
    if not -slack <= t <= evidence.end_ns + slack:
        why = tr("row {n} names a time outside the lab", "第 {n} 行的時間不在實驗期間", "第 {n} 行的时间不在实验期间")
        return Fault(why.format(n=row.number))
    if truth.latest_match(got, t + slack, 2 * slack, params.tolerance) is not None:
        return None
    why = tr("row {n} was not true at its time", "第 {n} 行在其時間不為真", "第 {n} 行在其时间不为真")
    near = [step.value for step in truth.steps(t - slack, t + slack) if isinstance(step.value, float)]
    return Fault(why.format(n=row.number), advice=_look(got, near, params.tolerance, truth.tag.unit))


def plate(evidence: Evidence, path: str) -> str:
    """What stands on a device of this attempt."""
    device, _, name = path.partition(".")
    return str(getattr(evidence.manifest.devices[device], name))


def _constant(want: Constant, params: FileValuesParams, rows: Sequence[Row]) -> Fault | None:
    for row in rows:
        if not same_constant(row.value, want, params.near):
            why = tr("row {n} is not right", "第 {n} 行不正確", "第 {n} 行不正确")
            got = to_number(str(row.value))
            numeric = isinstance(want, (int, float)) and not isinstance(want, bool) and got is not None
            advice = suspect(got, [float(want)], params.near) if numeric and got is not None else None
            return Fault(why.format(n=row.number), _said(row.value, None), advice)
    return None


def same_constant(got: object, want: Constant, tolerance: Tolerance) -> bool:
    """Whether a written value is a constant: numbers within the tolerance, text without regard to case and width."""
    if isinstance(want, bool):
        return plain(str(got)) in (("true", "1", "on", "yes") if want else ("false", "0", "off", "no"))
    if isinstance(want, (int, float)):
        if isinstance(got, bool):
            return False
        number_ = to_number(str(got))
        return number_ is not None and matches(number_, float(want), tolerance)
    return plain(str(got)) == plain(want)


def _look(got: Value, truths: Iterable[float], tolerance: Tolerance, unit: str | None) -> Text | None:
    return suspect(got, truths, tolerance, unit) if isinstance(got, float) else None


def _said(value: object, unit: str | None) -> str:
    return "null" if value is None else quantity(value, unit if isinstance(value, (int, float)) else None)


def _asked(params: FileValuesParams, count: int) -> Text:
    near = margin(params.tolerance)
    if not params.expect:
        return tr("values: {n}", "{n} 個值", "{n} 个值").format(n=count)
    if params.truth == "at-time":
        return tr(
            "values: {n}, true {margin} within {slack} of their time",
            "{n} 個值，在其時間 {slack} 之內為真，容差 {margin}",
            "{n} 个值，在其时间 {slack} 之内为真，容差 {margin}",
        ).format(n=count, margin=near, slack=duration(params.time_margin))
    return tr(
        "values: {n}, true {margin} when they were read",
        "{n} 個值，在讀取時為真，容差 {margin}",
        "{n} 个值，在读取时为真，容差 {margin}",
    ).format(n=count, margin=near)
