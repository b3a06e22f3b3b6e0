"""The author's form of a scenario made into the model's form, data and positions alike.

An author writes a check as one name with its parameters, and what belongs to every check among them::

    - modbus.polled: {device: meter1, every: 1 s, for: 3 min, marks: 4}

The model wants ``{id, check, marks, params: {device, every, for}}``. After `to_model` a path in the model's form finds the
place in the author's file.
"""

from __future__ import annotations

import re
from typing import Any

from labsim.document import Document, Key, KeyPath, Position
from labsim.scenario.timeline import to_entries

TASK_KEYS = ("marks", "id", "depends", "title", "when", "credit")
"""Keys in a check's mapping that are not parameters of it."""
PENALTY_KEYS = ("marks", "id", "title", "when", "take", "most", "zero")
_ID = re.compile(r"[a-z][a-z0-9-]*")
_EXAMPLE = "Write '- name: {parameters, marks: n}'."


def to_model(document: Document) -> None:
    """Rewrite checks, penalties and faults of a document whose containers are its own; notes those that are no checks."""
    data = document.data
    if not isinstance(data, dict):
        return
    for path, task in list(document.each("tasks", "*")):
        if isinstance(task, dict) and isinstance(task.get("checks"), list):
            name = task.get("id")
            good = isinstance(name, str) and _ID.fullmatch(name)  # a bad id is one mistake, not one more per check
            _rewrite(document, (*path, "checks"), task["checks"], str(name) if good else "task", TASK_KEYS)
    to_entries(document)
    if isinstance(data.get("penalties"), list):
        _rewrite(document, ("penalties",), data["penalties"], "penalty", PENALTY_KEYS)


def _rewrite(document: Document, path: KeyPath, checks: list[Any], prefix: str, own: tuple[str, ...]) -> None:
    places = document.root.at(path)[0].inside
    for index, check in enumerate(checks):
        item = (*path, index)
        named = {check: None} if isinstance(check, str) else check
        name, body = next(iter(named.items())) if isinstance(named, dict) and len(named) == 1 else (None, None)
        if name is None or not isinstance(body, (dict, type(None))):
            _complain(document, item, named)
            checks[index] = {"id": f"{prefix}.{index + 1}"}  # others may depend on it
            continue
        body = body or {}
        place = places[index]
        inside = place.inside.get(name, place).inside
        spec: dict[Key, Any] = {"id": f"{prefix}.{index + 1}", "check": str(name)}
        spec |= {key: body[key] for key in own if key in body}
        spec["params"] = {str(key): value for key, value in body.items() if key not in own}
        checks[index] = spec
        _move_muted(document, (*item, name), item, own)
        head = place.inside.get(name, place)
        line, column = head.key_line or head.line, head.key_column or head.column
        params = Position(line, column, inside={str(key): inside[key] for key in body if key not in own})
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
    if isinstance(check, dict) and len(check) > 1 and next(iter(check.values())) is None:
        hint = f"Indent the parameters further than '{next(iter(check))}:'."
    document.problem(item, "bad-check", "a check is one name with a mapping of its parameters.", hint)
    document.muted.add(item)


def _move_muted(document: Document, old: KeyPath, item: KeyPath, own: tuple[str, ...]) -> None:
    """What is muted inside the author's mapping stays muted where its parts go."""
    for path in [path for path in document.muted if path[: len(old)] == old]:
        rest = path[len(old) :]
        document.muted.add((*item, *rest) if rest and rest[0] in own else (*item, "params", *rest))
