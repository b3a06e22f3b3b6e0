"""The author's form of a scenario made into the model's form, data and positions alike.

An author writes a check as one name with its parameters, and what belongs to every check among them::

    - modbus.polled: {device: meter1, every: 1 s, for: 3 min, marks: 4}

The model wants ``{id, check, marks, params: {device, every, for}}``. After `to_model` a path in the model's form finds the
place in the author's file.
"""

from __future__ import annotations

from typing import Any

from labsim.document import Document, Key, KeyPath, Position

TASK_KEYS = ("marks", "id", "depends", "title")
"""Keys in a check's mapping that are not parameters of it."""
PENALTY_KEYS = ("marks", "id")
_EXAMPLE = "Write '- name: {parameters, marks: n}'."


def to_model(document: Document) -> None:
    """Rewrite the checks and penalties of a document whose containers are its own; notes those that are no checks."""
    data = document.data
    if not isinstance(data, dict):
        return
    for path, tasks in list(document.each("tasks", "*")):
        if isinstance(tasks, dict) and isinstance(tasks.get("checks"), list):
            prefix = tasks.get("id") if isinstance(tasks.get("id"), str) else f"task-{int(path[1]) + 1}"
            _rewrite(document, (*path, "checks"), tasks["checks"], str(prefix), TASK_KEYS)
    if isinstance(data.get("penalties"), list):
        _rewrite(document, ("penalties",), data["penalties"], "penalty", PENALTY_KEYS)


def _rewrite(document: Document, path: KeyPath, checks: list[Any], prefix: str, own: tuple[str, ...]) -> None:
    places = document.root.at(path)[0].inside
    for index, check in enumerate(checks):
        item = (*path, index)
        named = {check: None} if isinstance(check, str) else check
        if not isinstance(named, dict) or len(named) != 1:
            _complain(document, item, named)
            continue
        ((name, body),) = named.items()
        body = {} if body is None else body
        if not isinstance(body, dict):
            document.problem(item, "bad-check", f"the parameters of {str(name)!r} are no mapping.", _EXAMPLE)
            document.muted.add(item)
            continue
        place = places[index]
        inside = place.inside.get(name, place).inside
        spec: dict[Key, Any] = {"id": f"{prefix}.{index + 1}", "check": str(name)}
        spec |= {key: body[key] for key in own if key in body}
        spec["params"] = {key: value for key, value in body.items() if key not in own}
        checks[index] = spec
        head = place.inside.get(name, place)
        line, column = head.key_line or head.line, head.key_column or head.column
        params = Position(line, column, inside={key: inside[key] for key in spec["params"]})
        places[index] = Position(
            line,
            column,
            inside={
                "check": Position(line, column),
                "params": params,
                **{key: inside[key] for key in own if key in inside},
            },
        )


def _complain(document: Document, item: KeyPath, check: Any) -> None:
    hint = _EXAMPLE
    if isinstance(check, dict) and check and next(iter(check.values())) is None:
        hint = f"Indent the parameters further than '{next(iter(check))}:'."
    document.problem(item, "bad-check", "a check is one name with its parameters.", hint)
    document.muted.add(item)
