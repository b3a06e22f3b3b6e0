"""JSON Schema as the shape of payloads: compiled once for a check, and never a reason for it to raise."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Annotated, Any

from pydantic import AfterValidator

Validate = Callable[[Any], str]
"""What JSON data lacks, in the schema's terms; empty when it fits."""


def _sound(schema: Mapping[str, Any]) -> Mapping[str, Any]:
    compile_schema(schema)
    return schema


def compile_schema(schema: Mapping[str, Any]) -> Validate:
    """A validator for a schema, of the draft its ``$schema`` names (2020-12 by default). ``$ref`` reaches no network.

    Raises:
        ValueError: it is not a JSON Schema; says where.
    """
    from jsonschema import (  # type: ignore[import-untyped] # typed by a stub package that only checkers would need
        Draft202012Validator,
        SchemaError,
        validators,
    )
    from referencing import Registry

    kind = validators.validator_for(schema, default=Draft202012Validator)
    try:
        kind.check_schema(schema)
    except SchemaError as error:
        where = "/".join(map(str, error.absolute_path))
        raise ValueError(f"this is not a JSON Schema: {where + ': ' if where else ''}{error.message}") from None
    validator = kind(schema, registry=Registry())

    def validate(data: Any) -> str:
        try:
            found = min(validator.iter_errors(data), key=_nearness, default=None)
        except RecursionError:
            return "depth"
        if found is None:
            return ""
        where = ".".join(map(str, found.absolute_path))
        return f"{where} ({found.validator})" if where else str(_lacking(found))

    return validate


def _nearness(error: Any) -> tuple[int, str]:
    """The outermost error first: what a person mends first; the path makes the choice the same each time."""
    return len(error.absolute_path), "/".join(map(str, error.absolute_path)) + str(error.validator)


def _lacking(error: Any) -> str:
    """A missing part by its name, else the keyword that is not met."""
    if error.validator == "required" and isinstance(error.instance, Mapping):
        return next((f"{name}?" for name in error.validator_value if name not in error.instance), "required")
    return str(error.validator)


JsonSchema = Annotated[dict[str, Any], AfterValidator(_sound)]
"""A pydantic field of a JSON Schema, judged when the scenario is read."""
