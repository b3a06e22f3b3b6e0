"""Judging the writes of one tag, whatever protocol they came by."""

from __future__ import annotations

from grader.outcome import Outcome, failed, passed
from grader.suspicion import suspect
from grader.truth import as_value, matches
from grader.words import clock, margin, quantity
from labsim.evidence.event import Record
from labsim.evidence.evidence import Evidence
from labsim.quantity import Tolerance
from labsim.text import tr


def judge_writes(
    evidence: Evidence, path: str, value: float | bool | str | None, tolerance: Tolerance, writes: list[Record]
) -> Outcome:
    """Judge the writes of one tag: accepted, and of the right value. Shared by every protocol that can write."""
    tag = evidence.tags[path]
    wanted = None if value is None else as_value(value, tag)
    expected = None if value is None else f"{quantity(value, tag.unit)} {margin(tolerance, tag.unit)}"
    taken = [r for r in writes if r.status == 0]
    if not writes:
        return failed(
            tr("Nothing wrote {tag}.", "沒有寫入 {tag}。", "没有写入 {tag}。").format(tag=path), expected=expected
        )
    if not taken:
        last = writes[-1]
        reason = tr(
            "Writes to {tag} refused: {n}, the last at {time}.",
            "對 {tag} 的 {n} 次寫入被拒絕，最後一次在 {time}。",
            "对 {tag} 的 {n} 次写入被拒绝，最后一次在 {time}。",
        ).format(n=len(writes), tag=path, time=clock(evidence, last.t))
        return failed(reason, expected=expected, actual=f"0x{last.status & 0xFFFFFFFF:X}", evidence=writes)
    got = [(r, as_value(written(r, path), tag)) for r in taken]
    right = [r for r, v in got if wanted is None or (v is not None and matches(v, wanted, tolerance))]
    last, actual = taken[-1], quantity(written(taken[-1], path), tag.unit)
    if not right:
        reason = tr(
            "Writes to {tag}: {n}, the last with {actual} at {time}.",
            "{tag} 被寫入 {n} 次，最後一次為 {actual}（{time}）。",
            "{tag} 被写入 {n} 次，最后一次为 {actual}（{time}）。",
        ).format(tag=path, n=len(taken), actual=actual, time=clock(evidence, last.t))
        last_value = got[-1][1]
        both = isinstance(last_value, float) and isinstance(wanted, float)
        advice = suspect(last_value, [wanted], tolerance, tag.unit) if both else None  # type: ignore[arg-type,list-item] # both
        return failed(reason, expected=expected, actual=actual, evidence=taken, help=advice)
    reason = tr("{tag} was written at {time}.", "{tag} 於 {time} 寫入。", "{tag} 于 {time} 写入。")
    return passed(
        reason.format(tag=path, time=clock(evidence, right[0].t)),
        expected=expected,
        actual=quantity(written(right[0], path), tag.unit),
        evidence=right,
    )


def written(record: Record, path: str) -> object:
    """The value a record carries for a tag, or "" when it carries none."""
    index = record.tags.index(path)
    return record.values[index] if index < len(record.values) else ""
