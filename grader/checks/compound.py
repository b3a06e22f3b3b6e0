"""Checks made of checks: all of them, the best of them, some of them."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, TypeVar

from pydantic import Field, model_validator

from grader.check import Check, Params
from grader.outcome import Outcome, State, partly
from grader.words import fill
from labsim.evidence.evidence import Evidence
from labsim.scenario.fields import Nested, nested_checks
from labsim.text import LANGUAGES, Text, tr

Inner = Mapping[str, Mapping[str, Any] | None] | str
"""One check as it stands in a scenario, without marks of its own."""


class CompoundParams(Params):
    """Parameters of a check made of checks."""

    checks: Annotated[tuple[Inner, ...], Nested(), Field(min_length=2)] = Field(
        description="The checks, each one name with its parameters, without marks of their own."
    )

    @model_validator(mode="after")
    def _named(self) -> CompoundParams:
        for number, item in enumerate(self.checks, 1):
            if not isinstance(item, str) and len(item) != 1:
                raise ValueError(f"check {number} is not one name with its parameters")
            if not isinstance(item, str) and "marks" in (next(iter(item.values())) or {}):
                raise ValueError(f"check {number} has marks, but the marks are of the whole")
        return self


CP = TypeVar("CP", bound=CompoundParams)


class Compound(Check[CP]):
    """Base of checks made of checks: the outcome comes from those of its parts."""

    def judge(self, evidence: Evidence, params: CP) -> Outcome:
        """Judge the parts, then combine them."""
        from grader.judging import Judging

        judging = Judging(evidence, "exam")
        inside = nested_checks(type(params), params.model_dump())
        return self.combine(params, [judging.judge(name, given) for _, name, given in inside])

    @abstractmethod
    def combine(self, params: CP, outcomes: Sequence[Outcome]) -> Outcome:
        """The outcome of the whole. Parts that could not be judged cost nothing."""

    def title(self, params: CP) -> Text:
        """The titles of the parts in a row."""
        from grader.judging import bind

        titles = []
        for _, name, given in nested_checks(type(params), params.model_dump()):
            check, model = bind(name, given, "")
            titles.append(check.title(model))
        joined = {lang: ("; " if lang == "en" else "；").join(t.say(lang) for t in titles) for lang in LANGUAGES}
        return fill(self.sentence, p=params, parts=Text(joined))


class All(Compound[CompoundParams]):
    """Several checks as one: each carries an equal share of the marks.

    With the key `credit: whole` beside it, it is all or nothing.

    Example::

        all:
          checks:
            - opcua.session: {policy: Basic256Sha256}
            - opcua.read: {tags: [mill1.spindle_speed]}
          credit: whole
          marks: 3
    """

    name = "all"
    sentence = tr("All of: {parts}", "全部：{parts}", "全部：{parts}")
    Params = CompoundParams

    def combine(self, params: CompoundParams, outcomes: Sequence[Outcome]) -> Outcome:  # noqa: ARG002 - all count
        """The mean of the parts; the first that is not met says why."""
        return _mean(_judged(outcomes), outcomes)


class AnyOf(Compound[CompoundParams]):
    """One of several ways is enough: the best of the checks counts.

    Example::

        any:
          checks:
            - opcua.read: {tags: [mill1.spindle_speed]}
            - opcua.subscribed: {tags: [mill1.spindle_speed]}
          marks: 2
    """

    name = "any"
    sentence = tr("One of: {parts}", "任一項：{parts}", "任一项：{parts}")
    Params = CompoundParams

    def combine(self, params: CompoundParams, outcomes: Sequence[Outcome]) -> Outcome:  # noqa: ARG002 - one counts
        """The best part."""
        return _mean(_best(outcomes, 1), outcomes)


class SomeParams(CompoundParams):
    """Parameters of `SomeOf`."""

    of: Annotated[int, Field(ge=1)] = Field(description="How many of the checks are enough.")

    @model_validator(mode="after")
    def _enough(self) -> SomeParams:
        if self.of > len(self.checks):
            raise ValueError(f"'of' is {self.of}, but there are {len(self.checks)} checks")
        return self


class SomeOf(Compound[SomeParams]):
    """So many of several checks are enough: the best of them count, each with an equal share of the marks.

    Example::

        some:
          of: 2
          checks:
            - modbus.read: {device: meter1, table: holding}
            - modbus.read: {device: meter1, table: input}
            - modbus.read: {device: meter1, table: coil}
          marks: 4
    """

    name = "some"
    sentence = tr("{p.of} of: {parts}", "其中 {p.of} 項：{parts}", "其中 {p.of} 项：{parts}")
    Params = SomeParams

    def combine(self, params: SomeParams, outcomes: Sequence[Outcome]) -> Outcome:
        """The best parts."""
        return _mean(_best(outcomes, params.of), outcomes)


def _judged(outcomes: Sequence[Outcome]) -> list[Outcome]:
    return [outcome for outcome in outcomes if outcome.state is not State.CANNOT_CHECK]


def _best(outcomes: Sequence[Outcome], count: int) -> list[Outcome]:
    """The best of those that could be judged; none when one that could not be might have made up what is missing."""
    judged = _judged(outcomes)
    best = sorted(judged, key=lambda outcome: -outcome.score)[:count]
    sure = len(best) == count and all(outcome.state is State.PASSED for outcome in best)
    return best if sure or len(judged) == len(outcomes) else []


def _mean(counted: Sequence[Outcome], every: Sequence[Outcome]) -> Outcome:
    if not counted:
        return next(outcome for outcome in every if outcome.state is State.CANNOT_CHECK)
    share = sum(outcome.score for outcome in counted) / len(counted)
    first = next((outcome for outcome in counted if outcome.state is not State.PASSED), None)
    met = sum(outcome.state is State.PASSED for outcome in every)
    actual = f"{met}/{len(every)}"
    evidence = [seq for outcome in counted for seq in outcome.evidence]
    if first is None:
        return partly(1.0, counted[0].reason, expected=counted[0].expected, actual=actual, evidence=evidence)
    share = min(share, 1 - 1e-9)  # a mean of shares that rounds to the whole is not the whole
    return partly(
        share, first.reason, expected=first.expected, actual=first.actual or actual, evidence=evidence, help=first.help
    )
