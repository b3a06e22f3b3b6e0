"""What a check found: passed, failed, not checked or cannot check, with the facts behind it.

Reasons speak as an examiner does: one sentence what happened, never the answer, never praise.
"""

from __future__ import annotations

import traceback
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any

from labsim.evidence.event import Record
from labsim.text import Text, tr

EVIDENCE_KEPT = 50
Said = Text | str | None
"""A fact shown beside a reason: in three languages, or the same in all of them (a number, a topic)."""


class State(StrEnum):
    """Whether a check passed, failed, waits for another one, or could not be judged through a fault of ours."""

    PASSED = "passed"
    FAILED = "failed"
    NOT_CHECKED = "not_checked"
    CANNOT_CHECK = "cannot_check"


@dataclass(frozen=True, slots=True)
class Outcome:
    """The result of one check.

    Attributes:
        state: What kind of result it is; part of the marks is still ``failed``, with a score over 0.
        score: Share of the marks, 0 to 1.
        reason: What happened, in one sentence.
        expected: What was asked for.
        actual: What was found.
        evidence: ``seq`` of the journal records behind it, in order; the first `EVIDENCE_KEPT` that the check names.
        help: Where to look next; empty when there is nothing to add.
        times: How often it happened, for what must never happen; a penalty may be taken for each time.
    """

    state: State
    score: float
    reason: Text
    expected: Said = None
    actual: Said = None
    evidence: tuple[int, ...] = ()
    help: Text = field(default_factory=Text)
    times: int = 1


def partly(
    share: float,
    reason: Text,
    *,
    expected: Said = None,
    actual: Said = None,
    evidence: Iterable[Record | int] = (),
    help: Text | None = None,  # noqa: A002 - the word the verdict uses
) -> Outcome:
    """A share of the marks: passed at 1, failed below."""
    share = min(max(share, 0.0), 1.0)
    first: dict[int, None] = {}
    for item in evidence:
        first[item if isinstance(item, int) else item.seq] = None
        if len(first) == EVIDENCE_KEPT:
            break
    state = State.PASSED if share >= 1 else State.FAILED
    return Outcome(state, share, reason, expected, actual, tuple(sorted(first)), help or Text())


def passed(
    reason: Text, *, expected: Said = None, actual: Said = None, evidence: Iterable[Record | int] = ()
) -> Outcome:
    """All of the marks."""
    return partly(1, reason, expected=expected, actual=actual, evidence=evidence)


def failed(
    reason: Text,
    *,
    expected: Said = None,
    actual: Said = None,
    evidence: Iterable[Record | int] = (),
    help: Text | None = None,  # noqa: A002 - the word the verdict uses
    times: int = 1,
) -> Outcome:
    """None of the marks."""
    outcome = partly(0, reason, expected=expected, actual=actual, evidence=evidence, help=help)
    return outcome if times == 1 else replace(outcome, times=times)


def waits_for(name: str) -> Outcome:
    """Not checked, because ``name`` has not passed yet."""
    reason = tr(
        "Not checked yet: {name} has to pass first.", "尚未檢查：須先通過 {name}。", "尚未检查：须先通过 {name}。"
    )
    return Outcome(State.NOT_CHECKED, 0, reason.format(name=name))


def broken(error: BaseException) -> Outcome:
    """Cannot check: the check itself failed. The trace ends in ``actual`` for whoever mends it."""
    reason = tr(
        "This could not be checked. The fault is ours; it costs no marks.",
        "此項無法檢查。這是我們的問題，不扣分。",
        "此项无法检查。这是我们的问题，不扣分。",
    )
    frames = traceback.extract_tb(error.__traceback__)[-2:]
    where = " < ".join(
        f"{frame.filename.replace(chr(92), '/').rsplit('/', 1)[-1]}:{frame.lineno}" for frame in frames[::-1]
    )
    return Outcome(
        State.CANNOT_CHECK,
        0,
        reason,
        actual=f"{type(error).__name__}: {error}"[:300] + (f" ({where})" if where else ""),
    )


def to_json(outcome: Outcome) -> dict[str, Any]:
    """An outcome as plain data, in all its languages."""
    return {
        "state": outcome.state.value,
        "score": outcome.score,
        "reason": outcome.reason,
        "expected": outcome.expected,
        "actual": outcome.actual,
        "evidence": list(outcome.evidence),
        "help": outcome.help,
        "times": outcome.times,
    }


def from_json(data: Mapping[str, Any]) -> Outcome:
    """An outcome from plain data."""

    def said(value: Any) -> Said:
        return Text(value) if isinstance(value, Mapping) else value

    return Outcome(
        State(data["state"]),
        float(data["score"]),
        Text(data["reason"]),
        said(data["expected"]),
        said(data["actual"]),
        tuple(data["evidence"]),
        Text(data["help"]),
        int(data["times"]),
    )
