"""How punctual the machine itself is: what a timing tolerance has to be widened by, kept in evidence once a minute."""

from __future__ import annotations

from typing import Any

_MINUTE_STEPS = 600
"""Steps of a wall minute at speed 1."""


class Jitter:
    """Collects how late steps began.

    Args:
        speed: Plant seconds per wall second; a minute here is one of the wall.
    """

    def __init__(self, speed: float) -> None:
        self._most = max(round(_MINUTE_STEPS * speed), 1)
        self._late_ns: list[int] = []

    def add(self, behind_ns: int) -> dict[str, Any] | None:
        """Count one step; the detail of a ``jitter`` event when a minute is full."""
        self._late_ns.append(max(behind_ns, 0))
        return self.take() if len(self._late_ns) >= self._most else None

    def take(self) -> dict[str, Any] | None:
        """What was collected since the last time; None when nothing was."""
        late, self._late_ns = sorted(self._late_ns), []
        if not late:
            return None
        middle, high = late[len(late) // 2], late[min(len(late) * 95 // 100, len(late) - 1)]
        return {
            "steps": len(late),
            "median_ms": round(middle / 1e6, 3),
            "p95_ms": round(high / 1e6, 3),
            "worst_ms": round(late[-1] / 1e6, 3),
        }
