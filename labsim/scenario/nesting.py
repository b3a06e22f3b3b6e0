"""Every check of a scenario, those inside other checks included, in the model's form."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from labsim.document import Document, KeyPath

INSIDE = "checks"
"""The parameter that holds the checks of a check made of checks."""


def every_check(document: Document) -> Iterator[tuple[KeyPath, str, dict[str, Any]]]:
    """KeyPath of the parameters, name and parameters of each; what has not the shape of a check is passed over."""
    for pattern in (("tasks", "*", "checks", "*"), ("penalties", "*")):
        for path, spec in document.each(*pattern):
            if isinstance(spec, dict):
                yield from _of((*path, "params"), spec.get("check"), spec.get("params"))


def _of(path: KeyPath, name: Any, params: Any) -> Iterator[tuple[KeyPath, str, dict[str, Any]]]:
    if not isinstance(params, dict) or not isinstance(name, str):
        return
    yield path, name, params
    inside = params.get(INSIDE)
    for index, item in enumerate(inside if isinstance(inside, list) else ()):
        if isinstance(item, dict) and len(item) == 1:
            inner, given = next(iter(item.items()))
            yield from _of((*path, INSIDE, index, inner), inner, given)
