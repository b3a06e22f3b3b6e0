"""The check that a trainee's edge node keeps to Sparkplug B."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, model_validator

from grader.check import Check, Params, Share
from grader.outcome import Outcome, failed, partly
from grader.sparkplug.assertion import Finding, Verdict, assertions, judge, tally
from grader.sparkplug.story import read_story
from grader.words import names
from labsim.errors import did_you_mean
from labsim.evidence.evidence import Evidence
from labsim.sparkplug.topic import check_id
from labsim.text import LANGUAGES, Text, tr

SetName = Literal[
    "Monitor",
    "SessionEstablishment",
    "SendData",
    "SendComplexData",
    "SessionTermination",
    "ReceiveCommand",
    "PrimaryHost",
]
Id = Annotated[str, AfterValidator(check_id)]
_TOLD = 4
"""Broken assertions that are named with their reasons."""


class ConformantParams(Params):
    """Parameters of `Conformant`."""

    group: Id = Field(description="The group id.")
    edge: Id = Field(description="The edge node id.")
    host: Annotated[str, AfterValidator(lambda host: check_id(host) if host else host)] = Field(
        "", description="The primary host application that the node waits for; needed for `PrimaryHost`."
    )
    sets: Annotated[tuple[SetName, ...], Field(min_length=1)] = Field(
        ("Monitor", "SessionEstablishment", "SendData"),
        description="Sets of assertions, named as the classes of the compatibility kit; at least one assertion of each must "
        "have been put to the test.",
    )
    executed: tuple[str, ...] = Field(
        (), description="Ids of assertions (without `tck-id-`) that must have been put to the test, besides."
    )
    strict: bool = Field(
        False, description="Whether what holds by one reading only, or is only recommended, counts as broken."
    )
    partial: bool = Field(
        False,
        description="Whether part of the marks is given: the mean over the sets of the share of assertions that hold.",
    )
    share: Share = Field(1.0, description="The share of assertions, over all sets, that must hold to pass.")

    @model_validator(mode="after")
    def _whole(self) -> ConformantParams:
        known = {assertion.id: assertion.set for assertion in assertions()}
        for name in self.executed:
            if name not in known:
                raise ValueError(f"there is no assertion {name!r}. {did_you_mean(name, known)}".strip())
            if known[name] not in self.sets:
                raise ValueError(f"{name!r} is of the set {known[name]}, which 'sets' leaves out")
        if ("PrimaryHost" in self.sets) != bool(self.host):
            raise ValueError("'host' and the set PrimaryHost belong together")
        return self


class Conformant(Check[ConformantParams]):
    """An edge node that a client made keeps to Sparkplug B 3.0, judged assertion by assertion.

    The assertions are those of the specification, in the sets of its compatibility kit. Each is *PASS*, *FAIL* or *NOT
    EXECUTED* when nothing happened that it speaks of; the sets of a task are those that the task gives occasion for. Where the
    specification contradicts itself both readings pass, with a warning. docs/sparkplug.md lists what is judged, and how.
    What the plant publishes itself never counts.

    Example::

        sparkplug.conformant:
          group: Plant1
          edge: Line1
          sets: [Monitor, SessionEstablishment, SendData, ReceiveCommand]
          executed: [operational-behavior-data-commands-rebirth-action-2]
          partial: true
          marks: 8
    """

    name = "sparkplug.conformant"
    sentence = tr(
        "The edge node {p.group}/{p.edge} keeps to Sparkplug B",
        "邊緣節點 {p.group}/{p.edge} 符合 Sparkplug B",
        "边缘节点 {p.group}/{p.edge} 符合 Sparkplug B",
    )
    Params = ConformantParams

    def judge(self, evidence: Evidence, params: ConformantParams) -> Outcome:
        """Judge every assertion of the sets, and sum them up."""
        story = read_story(evidence, params.group, params.edge, params.host)
        expected = ", ".join(params.sets)
        if not story.sessions:
            return _nobody(evidence, params, expected)
        findings = judge(story, params.sets)
        broken = [f for f in findings if _is_broken(f, params.strict)]
        tried = [f for f in findings if f.verdict is not Verdict.NOT_EXECUTED]
        idle = [name for name, good, bad, _ in tally(findings) if not good + bad]
        idle += [name for name in params.executed if name not in {f.id for f in tried}]
        actual = ", ".join(f"{name} {good} PASS {bad} FAIL {none} –" for name, good, bad, none in tally(findings))
        holding = 1 - len(broken) / len(tried) if tried else 0.0
        if holding >= params.share and not idle:
            reason = tr(
                "Assertions that hold: {good} of {all}; with a warning: {warned}.",
                "{all} 項斷言中 {good} 項成立；其中有警告的 {warned} 項。",
                "{all} 项断言中 {good} 项成立；其中有警告的 {warned} 项。",
            ).format(good=len(tried) - len(broken), all=len(tried), warned=sum(bool(f.warnings) for f in tried))
            return partly(1, reason, expected=expected, actual=actual, evidence=_seqs(tried), help=_remarks(tried))
        score = _score(findings, params) if params.partial else 0.0
        shown = [f for f in tried if f in broken]
        if shown:
            reason = tr(
                "Assertions broken: {n} of {all}: {ids}.",
                "{all} 項斷言中 {n} 項不成立：{ids}。",
                "{all} 项断言中 {n} 项不成立：{ids}。",
            ).format(n=len(shown), all=len(tried), ids=names(f.id for f in shown))
        else:
            reason = tr("Not put to the test: {ids}.", "未執行：{ids}。", "未执行：{ids}。").format(ids=names(idle))
        # a set in which nothing happened must not round up to full marks
        score = min(score, 0.99)
        return partly(score, reason, expected=expected, actual=actual, evidence=_seqs(shown), help=_told(shown))


def _is_broken(finding: Finding, strict: bool) -> bool:
    return finding.verdict is Verdict.FAIL or (strict and finding.warnings > 0)


def _score(findings: Sequence[Finding], params: ConformantParams) -> float:
    """The mean over the sets of the share of assertions that hold; a set without any counts nothing."""
    shares = []
    for name in dict.fromkeys(params.sets):
        tried = [f for f in findings if f.set == name and f.verdict is not Verdict.NOT_EXECUTED]
        good = sum(not _is_broken(f, params.strict) for f in tried)
        shares.append(good / len(tried) if tried else 0.0)
    return sum(shares) / len(shares)


def _nobody(evidence: Evidence, params: ConformantParams, expected: str) -> Outcome:
    """No such node: say which there are, since a slip in the ids is the usual reason."""
    others = sorted(
        {
            f"{levels[1]}/{levels[3]}"
            for r in evidence.of("mqtt", "publish")
            if r.app != "plant" and len(levels := r.subject.split("/")) > 3 and levels[0].lower() == "spbv1.0"
        }
    )
    who = f"{params.group}/{params.edge}"
    if others:
        reason = tr(
            "No client was the edge node {who}; there was {others}.",
            "沒有客戶端作為邊緣節點 {who}；出現的是 {others}。",
            "没有客户端作为边缘节点 {who}；出现的是 {others}。",
        ).format(who=who, others=names(others))
    else:
        reason = tr(
            "No client was the edge node {who}.", "沒有客戶端作為邊緣節點 {who}。", "没有客户端作为边缘节点 {who}。"
        )
        reason = reason.format(who=who)
    return failed(reason, expected=expected)


def _seqs(findings: Sequence[Finding]) -> list[int]:
    return [seq for finding in findings for seq in finding.evidence]


def _told(findings: Sequence[Finding]) -> Text:
    """What is wrong, each reason once with the first assertion that it breaks."""
    reasons: dict[str, Finding] = {}
    for finding in findings:
        reasons.setdefault(finding.why.say(), finding)
    first = list(reasons.values())[:_TOLD]
    return Text(
        {lang: " ".join(f"{f.id}: {f.why.say(lang)}" for f in first if f.why) for lang in LANGUAGES} if first else {}
    )


def _remarks(findings: Sequence[Finding]) -> Text:
    return _told([finding for finding in findings if finding.warnings])
