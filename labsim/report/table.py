"""A verdict as CSV for spreadsheets and mark books: UTF-8 with a byte order mark, which is what Excel needs to read Chinese.

One line per check, then what hints and penalties took, then the total; the column ``score`` adds up to the total, save where
marks cannot fall below 0.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping
from typing import Any

COLUMNS = (
    "row",
    "scenario",
    "attempt",
    "seed",
    "task",
    "id",
    "check",
    "title",
    "outcome",
    "score",
    "max",
    "reason",
    "expected",
    "actual",
    "evidence",
    "head",
)
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def table(verdict: Mapping[str, Any]) -> bytes:
    """The verdict document as CSV (RFC 4180)."""
    every = {name: verdict[name] for name in ("scenario", "attempt", "seed", "head")}
    lines: list[dict[str, Any]] = []
    for task in verdict["tasks"]:
        lines += [
            {"row": "check", "task": task["id"], **check, "evidence": _numbers(check)} for check in task["checks"]
        ]
        if task["hints"]:
            lines.append({"row": "hints", "task": task["id"], "score": -task["hints"]})
    lines += [
        {"row": "penalty", "id": p["id"], "score": -p["marks"], "reason": p["reason"], "evidence": _numbers(p)}
        for p in verdict["penalties"]
    ]
    outcome = "passed" if verdict["passed"] else "failed"
    lines.append({"row": "total", "outcome": outcome, "score": verdict["score"], "max": verdict["max"]})
    out = io.StringIO(newline="")
    writer = csv.DictWriter(out, COLUMNS, restval="", extrasaction="ignore", lineterminator="\r\n")
    writer.writeheader()
    writer.writerows({name: _cell(value) for name, value in (every | line).items()} for line in lines)
    return out.getvalue().encode("utf-8-sig")


def _numbers(item: Mapping[str, Any]) -> str:
    return " ".join(map(str, item["evidence"]))


def _cell(value: Any) -> Any:
    """A text that a spreadsheet would take for a formula is marked as text: a topic is chosen by a stranger."""
    return f"'{value}" if isinstance(value, str) and value.startswith(_FORMULA) else "" if value is None else value
