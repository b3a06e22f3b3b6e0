"""What changed between two verdicts of one attempt: for whoever marks anew, and has to say what that did."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def differences(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Every check, task and penalty whose marks or outcome differ between two ``verdict`` documents, then the whole.

    Each is ``{"what": check|task|penalty|verdict, "id", "from": {"outcome", "score", "max"}|null, "to": the same|null}``;
    null where a verdict does not have it.
    """
    one, other = _parts(before), _parts(after)
    found = []
    for place in dict.fromkeys([*one, *other]):
        old, new = one.get(place), other.get(place)
        if old != new:
            found.append({"what": place[0], "id": place[1], "from": old, "to": new})
    return found


def _parts(verdict: Mapping[str, Any]) -> dict[tuple[str, str], dict[str, Any]]:
    parts: dict[tuple[str, str], dict[str, Any]] = {}
    for task in verdict.get("tasks", ()):
        for check in task.get("checks", ()):
            parts["check", check["id"]] = _worth(check)
        parts["task", task["id"]] = _worth(task)
    for penalty in verdict.get("penalties", ()):
        parts["penalty", penalty["id"]] = {"outcome": "taken", "score": -penalty["marks"], "max": 0}
    word = "passed" if verdict.get("passed") else "failed"
    parts["verdict", str(verdict.get("scenario", ""))] = {
        "outcome": word, "score": verdict.get("score"), "max": verdict.get("max"),
    }  # fmt: skip
    return parts


def _worth(part: Mapping[str, Any]) -> dict[str, Any]:
    return {key: part.get(key) for key in ("outcome", "score", "max")}
