"""Acts of clients that must have everything that is asked for, and how often: calls, requests."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from grader.outcome import Outcome, failed, passed
from grader.words import clock, fill, listed
from labsim.evidence.event import Record
from labsim.evidence.evidence import Evidence
from labsim.text import Text, tr


def judge_acts(
    evidence: Evidence,
    acts: Sequence[Record],
    lacking: Callable[[Record], Sequence[Text | str]],
    *,
    named: Text,
    least: int,
    expected: str | None,
    shown: Callable[[Record], str | None],
) -> Outcome:
    """Count the acts that lack nothing; when there is none, say what the nearest lacks.

    Args:
        evidence: Where they are from.
        acts: At least one.
        lacking: What an act lacks.
        named: What such acts are called, in the plural.
        least: So many must lack nothing.
        expected: What was asked for.
        shown: An act as a person reads it.
    """
    lacks = {act.seq: lacking(act) for act in acts}
    whole = [act for act in acts if not lacks[act.seq]]
    if len(whole) >= least:
        reason = tr("Done as asked at {time}.", "於 {time} 按要求完成。", "于 {time} 按要求完成。")
        reason = reason.format(time=clock(evidence, whole[0].t))
        return passed(reason, expected=expected, actual=shown(whole[0]), evidence=whole)
    if whole:
        few = tr(
            "As asked for: {n} of {least} {acts}.",
            "符合要求的{acts}：{n}/{least} 次。",
            "符合要求的{acts}：{n}/{least} 次。",
        )
        reason = fill(few, n=len(whole), least=least, acts=named)
        return failed(reason, expected=expected, actual=shown(whole[0]), evidence=acts)
    nearest = min(acts, key=lambda act: (len(lacks[act.seq]), act.seq))
    none = tr(
        "None of the {acts} ({n}) fits; the nearest, at {time}, differs in: {lacks}.",
        "{n} 次{acts}均不符合；最接近的一次（{time}）不符之處：{lacks}。",
        "{n} 次{acts}均不符合；最接近的一次（{time}）不符之处：{lacks}。",
    )
    reason = fill(none, n=len(acts), acts=named, time=clock(evidence, nearest.t), lacks=listed(lacks[nearest.seq]))
    return failed(reason, expected=expected, actual=shown(nearest), evidence=acts)
