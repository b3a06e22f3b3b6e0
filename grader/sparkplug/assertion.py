"""Assertions of the specification: what each says of a story, and the report over all of them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from importlib import import_module

import msgspec

from grader.sparkplug.story import Story
from labsim.evidence.event import Record
from labsim.text import Text, tr

MONITOR, SESSION, DATA, COMPLEX = "Monitor", "SessionEstablishment", "SendData", "SendComplexData"
ENDING, COMMAND, HOST = "SessionTermination", "ReceiveCommand", "PrimaryHost"
SETS = (MONITOR, SESSION, DATA, COMPLEX, ENDING, COMMAND, HOST)
_MODULES = ("topics", "establishment", "birth", "data", "order", "complex", "ending", "rebirth", "primary_host")
_SHOWN = 5

LACKS = tr("{what} has no {part}.", "{what} 沒有 {part}。", "{what} 没有 {part}。")
HAS = tr("{what} has {part}, which it must not have.", "{what} 含有不應有的 {part}。", "{what} 含有不应有的 {part}。")
IS = tr(
    "{part} of {what} is {got}, not {want}.",
    "{what} 的 {part} 為 {got}，而非 {want}。",
    "{what} 的 {part} 为 {got}，而非 {want}。",
)
BEFORE = tr("{what} came before {other}.", "{what} 先於 {other}。", "{what} 先于 {other}。")
WITHOUT = tr("{what} came without {other}.", "{what} 之前沒有 {other}。", "{what} 之前没有 {other}。")
NOT_FOLLOWED = tr("{other} did not follow {what}.", "{what} 之後沒有 {other}。", "{what} 之后没有 {other}。")
UNBORN = tr(
    "{part} in {what} stands in no BIRTH that is in force.",
    "{what} 中的 {part} 不在有效的 BIRTH 之中。",
    "{what} 中的 {part} 不在有效的 BIRTH 之中。",
)
UNREADABLE = tr("{what} is no Sparkplug payload.", "{what} 不是 Sparkplug 載荷。", "{what} 不是 Sparkplug 载荷。")


class Verdict(StrEnum):
    """What became of an assertion."""

    PASS = "PASS"  # noqa: S105 - the compatibility kit's word, no password
    FAIL = "FAIL"
    NOT_EXECUTED = "NOT EXECUTED"


class Result(msgspec.Struct, frozen=True, gc=False):
    """What one record says about an assertion; a ``warning`` holds, but somebody might read the specification otherwise."""

    record: Record
    ok: bool = True
    why: Text | None = None
    warning: bool = False


def holds(record: Record) -> Result:
    """The assertion holds here."""
    return Result(record)


def breaks(record: Record, form: Text, **facts: object) -> Result:
    """It does not, and why."""
    return Result(record, False, form.format(**facts))


def doubtful(record: Record, form: Text, **facts: object) -> Result:
    """It holds by one reading, or is only recommended; what there is to say."""
    return Result(record, True, form.format(**facts), True)


def judged(record: Record, ok: bool, form: Text, **facts: object) -> Result:
    """`holds` or `breaks`."""
    return holds(record) if ok else breaks(record, form, **facts)


Rule = Callable[[Story], Iterable[Result]]


@dataclass(frozen=True, slots=True)
class Assertion:
    """One assertion: its id, the set it belongs to, and the rule that it shares with those that say the same."""

    id: str
    set: str
    rule: Rule


_ASSERTIONS: dict[str, Assertion] = {}


def asserts(of: str, *ids: str) -> Callable[[Rule], Rule]:
    """Enter a rule for assertions of one set."""

    def enter(rule: Rule) -> Rule:
        for name in ids:
            assert name not in _ASSERTIONS, name
            _ASSERTIONS[name] = Assertion(name, of, rule)
        return rule

    return enter


def assertions() -> list[Assertion]:
    """All that are judged."""
    for module in _MODULES:
        import_module(f"grader.sparkplug.{module}")
    return list(_ASSERTIONS.values())


@dataclass(frozen=True, slots=True)
class Finding:
    """One assertion, judged: first what broke it, else what bears it out.

    Attributes:
        why: What is wrong, or what there is to remark; empty when nothing is.
        evidence: ``seq`` of the records behind it, a few of them.
        warnings: How many records are right by one reading only.
    """

    id: str
    set: str
    verdict: Verdict
    why: Text
    evidence: tuple[int, ...]
    warnings: int = 0


def judge(story: Story, sets: Iterable[str] = SETS) -> list[Finding]:
    """A finding for each assertion of some sets."""
    asked = [assertion for name in SETS if name in set(sets) for assertion in assertions() if assertion.set == name]
    summed = {rule: _sum_up(rule(story)) for rule in {assertion.rule for assertion in asked}}
    return [Finding(assertion.id, assertion.set, *summed[assertion.rule]) for assertion in asked]


def _sum_up(results: Iterable[Result]) -> tuple[Verdict, Text, tuple[int, ...], int]:
    """Verdict, reason, records and number of warnings; of many results only the first few of each kind are kept."""
    kept: tuple[list[Result], ...] = ([], [], [])  # broken, warned, good
    warnings = 0
    for result in results:
        warnings += result.warning
        of_its_kind = kept[0 if not result.ok else 1 if result.warning else 2]
        if len(of_its_kind) < _SHOWN:
            of_its_kind.append(result)
    shown = next(filter(None, kept), [])
    verdict = Verdict.FAIL if kept[0] else Verdict.PASS if shown else Verdict.NOT_EXECUTED
    why = shown[0].why if shown and shown[0].why is not None else Text()
    return verdict, why, tuple(dict.fromkeys(result.record.seq for result in shown)), warnings


def tally(findings: Iterable[Finding]) -> Iterator[tuple[str, int, int, int]]:
    """Passed, failed and not executed, for each set that there is."""
    every = list(findings)
    for name in SETS:
        mine = [finding.verdict for finding in every if finding.set == name]
        if mine:
            yield name, mine.count(Verdict.PASS), mine.count(Verdict.FAIL), mine.count(Verdict.NOT_EXECUTED)
