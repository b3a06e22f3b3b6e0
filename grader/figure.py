"""Figures that a trainee states: a number in a hand-in file, in an answer, or in an MQTT message."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from pydantic import Field, model_validator

from grader.check import Params
from grader.checks.file import absent, unusable
from grader.checks.mqtt import by_clients, nothing_published
from grader.outcome import Outcome, Said, failed, passed
from grader.payload import MISSING, NOT_JSON, decode, find, text_of
from grader.suspicion import suspect
from grader.table import FileName, TableError, read_rows
from grader.truth import plain, to_number
from grader.words import quantity
from labsim.evidence.evidence import Evidence
from labsim.quantity import Tolerance
from labsim.text import tr

Source = Literal["file", "answer", "topic"]


class FigureParams(Params):
    """Where a figure is stated."""

    file: FileName | None = Field(None, description="The hand-in file that holds the figure.")
    row: str = Field("", description="The key of its row, with `file`.")
    key: str = Field("key", description="The column of the keys, with `file`.")
    column: str = Field("value", description="The column of the values, with `file`.")
    answer: bool = Field(False, description="The figure is the answer to the task.")
    task: str = Field("", description="The task whose answer it is; the task the check stands in by default.")
    topic: str | None = Field(None, description="Or the topic it is published on; the last message counts.")
    value: str = Field("", description="Where it stands in a JSON payload, with `topic`; empty: the payload is it.")

    @model_validator(mode="after")
    def _stated(self) -> FigureParams:
        if sum((self.file is not None, self.answer, self.topic is not None)) != 1:
            raise ValueError("give one of 'file', 'answer' and 'topic'")
        if self.file is not None and not self.row:
            raise ValueError("'file' needs 'row', the key of the figure's row")
        return self


@dataclass(frozen=True, slots=True)
class Figure:
    """One figure as it was stated: as it stands, as a number if it is one, when it was stated, and by which record."""

    raw: object
    number: float | None
    t: int
    seq: int


def figures(evidence: Evidence, params: FigureParams, expected: Said = None) -> list[Figure] | Outcome:
    """The figures that were stated, the last of them last; or the outcome that there is none."""
    if params.file is not None:
        handed = evidence.file(params.file)
        if handed is None:
            return absent(evidence, params.file, expected)
        try:
            rows = read_rows(handed.data, params.file, params.key, params.column)
        except TableError as error:
            return unusable(handed, error, expected)
        found = [
            Figure(r.value, _number(r.value), handed.t, handed.seq) for r in rows if plain(r.key) == plain(params.row)
        ]
        if not found:
            reason = tr("{file} has no row {row}.", "{file} 沒有 {row} 行。", "{file} 没有 {row} 行。")
            return failed(reason.format(file=params.file, row=params.row), expected=expected, evidence=[handed.seq])
        return found
    if params.answer:
        record = evidence.answer(params.task)
        if record is None:
            return failed(tr("There is no answer yet.", "尚未作答。", "尚未作答。"), expected=expected)
        raw = record.values[0] if record.values else ""
        return [Figure(raw, _number(raw), record.t, record.seq)]
    assert params.topic is not None
    sent = by_clients(evidence, params.topic)
    if not sent:
        return nothing_published(evidence, params.topic, expected)
    stated = []
    for record in sent:
        text = text_of(record)
        data = NOT_JSON if text is None else decode(text)
        raw = find(data, params.value) if params.value else text if data is NOT_JSON else data
        stated.append(Figure(None if raw is MISSING else raw, _number(raw), record.t, record.seq))
    return stated


def compared(figure: Figure, got: float | None, true: float | None, within: Tolerance, expected: Said) -> Outcome:
    """A stated figure against our own computation of it.

    Args:
        figure: As it was stated.
        got: Its number as it is compared; None when it is none.
        true: What we computed; None when there was nothing to compute it from.
        within: How far it may be off.
        expected: What was asked for.
    """
    shown = quantity(figure.raw, None)
    if true is None:
        reason = tr("There was nothing to compute it from.", "沒有可供計算的數據。", "没有可供计算的数据。")
        return failed(reason, expected=expected, actual=shown, evidence=[figure.seq])
    if got is None:
        reason = tr("It is no number.", "它不是數值。", "它不是数值。")
        return failed(reason, expected=expected, actual=shown, evidence=[figure.seq])
    if within.allows(got, true):
        reason = tr("The figure is right.", "該指標正確。", "该指标正确。")
        return passed(reason, expected=expected, actual=shown, evidence=[figure.seq])
    reason = tr("The figure is not right.", "該指標不正確。", "该指标不正确。")
    advice = suspect(got, [true], within)
    return failed(reason, expected=expected, actual=shown, evidence=[figure.seq], help=advice)


def _number(raw: object) -> float | None:
    """A number with or without a unit behind it."""
    if isinstance(raw, bool) or raw is None or raw is MISSING:
        return None
    if isinstance(raw, (int, float)):
        return float(raw)
    text = str(raw).strip().replace(" ", " ")
    whole = to_number(text)
    return whole if whole is not None else to_number(text.partition(" ")[0].rstrip("%")) or _percentage(text)


def _percentage(text: str) -> float | None:
    return to_number(text[:-1]) if text.endswith("%") else None
