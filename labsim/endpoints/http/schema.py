"""JSON Schema as the shape of request bodies, compiled once for each route."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

Validate = Callable[[Any], str]
"""What JSON data lacks, as a sentence; empty when it fits."""


def compile_schema(schema: Mapping[str, Any]) -> Validate:
    """A validator for a schema of draft 2020-12; ``$ref`` reaches no network."""
    from jsonschema import Draft202012Validator  # type: ignore[import-untyped]
    from referencing import Registry

    Draft202012Validator.check_schema(schema)
    validator = Draft202012Validator(schema, registry=Registry())

    def validate(data: Any) -> str:
        try:
            found = min(validator.iter_errors(data), key=_nearness, default=None)
        except RecursionError:
            return "the body is nested too deeply"
        if found is None:
            return ""
        where = "/".join(map(str, found.absolute_path))
        message = str(found.message)[:200]
        return f"{where}: {message}" if where else message

    return validate


def _nearness(error: Any) -> tuple[int, str]:
    """The outermost error first; the path makes the choice the same each time."""
    return len(error.absolute_path), "/".join(map(str, error.absolute_path)) + str(error.validator)
