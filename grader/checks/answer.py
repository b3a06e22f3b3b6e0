"""The check of an answer that was typed in."""

from __future__ import annotations

import re
import unicodedata

from pydantic import Field, model_validator

from grader.check import Check, Params
from grader.checks.file import EXACT, Constant, same_constant
from grader.outcome import Outcome, failed, passed
from grader.pattern import Regex
from grader.suspicion import suspect
from grader.truth import Truth, as_value, plain, to_number
from grader.window import nanoseconds
from grader.words import clock, duration, margin, number
from labsim.evidence.evidence import Evidence
from labsim.quantity import Duration, Tolerance, ToleranceField
from labsim.scenario.fields import TagPath
from labsim.text import Text, tr

_NUMBER_AND_UNIT = re.compile(r"\s*([-+]?(?:\d+\.?\d*|\.\d+)(?:e[-+]?\d+)?)\s*(\S*)\s*", re.IGNORECASE)
_ASKED_MOST = 1000


class AnswerParams(Params):
    """Parameters of `Answer`."""

    task: str = Field("", description="The task whose answer it is; the task the check stands in by default.")
    equals: Constant | None = Field(None, description="The right answer: a text, a number or a truth value.")
    one_of: tuple[Constant, ...] = Field((), description="Several answers that are all right.")
    number: float | None = Field(None, description="A number, with `tolerance` and `unit`.")
    regex: Regex | None = Field(None, description="A regular expression that the whole answer must match.")
    tag: TagPath | None = Field(
        None, description="The tag whose value it is, as it was within `age` before the answer."
    )
    age: Duration = Field(60.0, description="How old a value of `tag` may be when it is answered.")
    tolerance: ToleranceField = Field(Tolerance(relative=0.005), description="How far `number` or `tag` may be off.")
    unit: str | None = Field(None, description="The unit; an answer may leave it out, but not name another.")

    @model_validator(mode="after")
    def _one(self) -> AnswerParams:
        given = [self.equals is not None, bool(self.one_of), self.number is not None, self.regex is not None]
        if sum([*given, self.tag is not None]) != 1:
            raise ValueError("give exactly one of 'equals', 'one_of', 'number', 'regex' and 'tag'")
        return self


class Answer(Check[AnswerParams]):
    """The last answer to a task is right.

    Text is compared without regard to case, width and white space. The right answer is never shown.

    Example::

        answer: {number: 50.0, tolerance: 0.1, unit: Hz, marks: 2}

    Example::

        answer: {one_of: [CDAB, word swap], marks: 1}
    """

    name = "answer"
    judges = "handed"
    sentence = tr("The question is answered", "回答問題", "回答问题")
    Params = AnswerParams

    def judge(self, evidence: Evidence, params: AnswerParams) -> Outcome:
        """Compare the last answer."""
        record = evidence.answer(params.task)
        expected = _asked(evidence, params)
        if record is None:
            return failed(tr("There is no answer yet.", "尚未作答。", "尚未作答。"), expected=expected)
        raw = record.values[0] if record.values else ""
        said = number(raw)[:_ASKED_MOST]
        if params.number is not None or params.tag is not None:
            unit = params.unit or (evidence.tags[params.tag].unit if params.tag else None)
            raw, other = _without_unit(raw, unit)
            if other is not None:
                reason = tr("The answer is in {got}.", "答案的單位為 {got}。", "答案的单位为 {got}。")
                return failed(reason.format(got=other), expected=expected, actual=said, evidence=[record])
        right, advice = _judge(evidence, params, raw, record.t)
        if right:
            reason = tr("The answer of {time} is right.", "{time} 的答案正確。", "{time} 的答案正确。")
            return passed(
                reason.format(time=clock(evidence, record.t)), expected=expected, actual=said, evidence=[record]
            )
        reason = tr("The answer of {time} is not right.", "{time} 的答案不正確。", "{time} 的答案不正确。")
        return failed(
            reason.format(time=clock(evidence, record.t)),
            expected=expected,
            actual=said,
            evidence=[record],
            help=advice,
        )


def _judge(evidence: Evidence, params: AnswerParams, raw: object, t: int) -> tuple[bool, Text | None]:
    if params.tag is not None:
        tag, age = evidence.tags[params.tag], nanoseconds(params.age)
        got = as_value(raw, tag)
        if got is None:
            return False, None
        truth = Truth(evidence, params.tag)
        if truth.latest_match(got, t, age, params.tolerance) is not None:
            return True, None
        recent = [step.value for step in truth.steps(t - age, t) if isinstance(step.value, float)]
        return False, suspect(got, recent, params.tolerance, tag.unit) if isinstance(got, float) else None
    if params.number is not None:
        if same_constant(raw, params.number, params.tolerance):
            return True, None
        got_number = to_number(str(raw))
        return False, None if got_number is None else suspect(got_number, [params.number], params.tolerance)
    if params.regex is not None:
        return re.fullmatch(params.regex, str(raw)[:_ASKED_MOST].strip(), re.IGNORECASE) is not None, None
    choices = params.one_of if params.equals is None else (params.equals,)
    return any(same_constant(raw, choice, EXACT) for choice in choices), None


def _without_unit(raw: object, unit: str | None) -> tuple[object, str | None]:
    """A written answer without its unit, and the unit if it is another than the one asked for."""
    found = _NUMBER_AND_UNIT.fullmatch(unicodedata.normalize("NFKC", raw)) if isinstance(raw, str) else None
    if found is None or not found[2]:
        return raw, None
    same = unit is not None and plain(found[2]) == plain(unit)
    return found[1], None if same or unit is None else found[2]


def _asked(evidence: Evidence, params: AnswerParams) -> Text:
    if params.tag is not None:
        tag = evidence.tags[params.tag]
        return tr(
            "the value {margin}, as it was within {age} before the answer",
            "答題前 {age} 內的值，容差 {margin}",
            "答题前 {age} 内的值，容差 {margin}",
        ).format(margin=margin(params.tolerance, tag.unit), age=duration(params.age))
    if params.number is not None:
        return tr("a number {margin}", "一個數值，容差 {margin}", "一个数值，容差 {margin}").format(
            margin=margin(params.tolerance, params.unit)
        )
    return tr("an answer", "一個答案", "一个答案")
