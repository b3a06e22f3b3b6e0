"""How punctual the machine itself was, from what the host measured: a trainee's timing is not judged finer than that.

A limit grows by that much, but never to more than twice what the scenario says: on a machine that is later than that a timing
cannot be judged well, and forgiving everything would judge nothing.
"""

from __future__ import annotations

from dataclasses import replace

from grader.window import nanoseconds
from labsim.evidence.evidence import Evidence
from labsim.quantity import Tolerance


def lateness_ns(evidence: Evidence) -> int:
    """How late steps of the plant began in the worst minute, at its 95th percentile, in plant nanoseconds."""

    def measure() -> int:
        measured = (float(r.detail.get("p95_ms", 0.0)) for r in evidence.of("lab", "jitter"))
        return nanoseconds(max(measured, default=0.0) / 1000)

    return evidence.memo("lateness", measure)


def longer(evidence: Evidence, limit_ns: int) -> int:
    """A longest time, by what the machine may add to it."""
    return limit_ns + min(lateness_ns(evidence), limit_ns)


def widened(evidence: Evidence, tolerance: Tolerance, period_s: float) -> Tolerance:
    """A tolerance of a period, by what the machine may add at either end of it."""
    limit = tolerance.absolute + tolerance.relative * period_s
    return replace(tolerance, absolute=tolerance.absolute + min(2 * lateness_ns(evidence) / 1e9, limit))
