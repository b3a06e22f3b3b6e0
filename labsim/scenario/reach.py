"""Marks that nobody can reach, whatever a trainee does."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from labsim.document import Document, KeyPath
from labsim.errors import did_you_mean
from labsim.quantity import parse_duration

_Node = tuple[str, str]
_TOLD = {"dependency-cycle", "duplicate-id"}
"""Problems that make circles already told, or that make some up."""


def judge_reach(document: Document) -> None:
    """Checks and tasks that wait for each other, answers that cannot be given, windows longer than the lab."""
    tasks = [(path, task) for path, task in document.each("tasks", "*") if isinstance(task, dict)]
    checks = [
        (path, task, spec)
        for task_path, task in tasks
        for path, spec in document.each(*task_path, "checks", "*")
        if isinstance(spec, dict)
    ]
    if not _TOLD & {problem.code for problem in document.problems}:
        _waiting(document, tasks, checks)
    _answers(document, tasks, checks)
    _windows(document, checks)


def _waiting(
    document: Document,
    tasks: list[tuple[KeyPath, dict[str, Any]]],
    checks: list[tuple[KeyPath, dict[str, Any], dict[str, Any]]],
) -> None:
    """A circle over tasks and checks together: a check waits for one of a task that waits for the check's own."""
    after: dict[_Node, list[_Node]] = {}
    for _, task in tasks:
        after["task", str(task.get("id"))] = []
    for _, task, spec in checks:
        own, home = ("check", str(spec.get("id"))), ("task", str(task.get("id")))
        after[home].append(own)
        after[own] = [("task", name) for name in _names(task)] + [("check", name) for name in _names(spec)]
    for path, _, spec in checks:
        circle = _circle(("check", str(spec.get("id"))), after)
        if circle:
            way = " → ".join(name for _, name in circle)
            place = (*path, "depends") if _names(spec) else path
            document.problem(place, "dependency-cycle", f"this check waits for itself: {way}.")
            return  # one circle at a time: mending it may mend the others


def _names(item: dict[str, Any]) -> list[str]:
    names = item.get("depends")
    return [name for name in names if isinstance(name, str)] if isinstance(names, list) else []


def _circle(start: _Node, after: dict[_Node, list[_Node]]) -> list[_Node]:
    """A way along the edges from ``start`` back to it; empty when there is none."""
    trail, seen = [(start, [start])], set[_Node]()
    while trail:
        node, way = trail.pop()
        for following in after.get(node, ()):
            if following == start:
                return [*way, start]
            if following not in seen:
                seen.add(following)
                trail.append((following, [*way, following]))
    return []


def _answers(
    document: Document,
    tasks: list[tuple[KeyPath, dict[str, Any]]],
    checks: list[tuple[KeyPath, dict[str, Any], dict[str, Any]]],
) -> None:
    """An ``answer`` check of a task that asks for no answer: none can be given."""
    asks = {str(task.get("id")): task.get("answer") is not None for _, task in tasks}
    for path, task, spec in checks:
        params = spec.get("params")
        if spec.get("check") != "answer" or not isinstance(params, dict):
            continue
        name = str(params.get("task") or task.get("id"))
        place = (*path, "params", "task") if params.get("task") else (*path, "check")
        if name not in asks:
            document.problem(place, "unknown-dependency", f"there is no task {name!r}.", did_you_mean(name, asks))
        elif not asks[name]:
            message = f"the task {name!r} asks for no answer, so none can be given."
            document.problem(place, "unreachable-marks", message, "Give the task 'answer:', the question.")


def _windows(document: Document, checks: list[tuple[KeyPath, dict[str, Any], dict[str, Any]]]) -> None:
    """A check over a stretch of time that is longer than the lab."""
    minutes = document.data.get("minutes") if isinstance(document.data, dict) else None
    if not isinstance(minutes, int) or isinstance(minutes, bool):
        return
    for path, spec in _timed(checks):
        try:
            lasting = parse_duration(spec["params"]["for"])
        except ValueError:
            continue  # its own problem is told by the check's model
        if lasting > minutes * 60:
            message = f"for: {spec['params']['for']} is longer than the {minutes} minutes of the lab."
            document.problem((*path, "params", "for"), "unreachable-marks", message)


def _timed(
    checks: list[tuple[KeyPath, dict[str, Any], dict[str, Any]]],
) -> Iterator[tuple[KeyPath, dict[str, Any]]]:
    for path, _, spec in checks:
        if isinstance(spec.get("params"), dict) and isinstance(spec["params"].get("for"), (str, int, float)):
            yield path, spec
