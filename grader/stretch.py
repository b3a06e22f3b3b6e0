"""The stretch of plant time that a `Window` means in an attempt, also when it counts from a fault."""

from __future__ import annotations

from grader.outcome import Outcome, failed
from grader.window import Span, nanoseconds
from labsim.evidence.evidence import Evidence
from labsim.scenario.marking import Window
from labsim.text import tr


def stretch(window: Window, evidence: Evidence) -> Span | None:
    """From and to in nanoseconds of plant time, to the attempt's end by default; None before the fault it counts from."""
    zero = 0
    if window.after is not None:
        faults = evidence.of("lab", "fault")
        begun = (r.t for r in faults if r.subject == window.after and r.detail.get("phase") == "begin")
        first = next(begun, None)
        if first is None:
            return None
        zero = first
    end = evidence.end_ns if window.to is None else zero + nanoseconds(window.to)
    return zero + nanoseconds(window.from_), end


def not_yet() -> Outcome:
    """What a check comes to before the fault that its time counts from."""
    return failed(
        tr(
            "What this is to be judged after has not happened yet.",
            "作為判定前提的事件尚未發生。",
            "作为判定前提的事件尚未发生。",
        )
    )
