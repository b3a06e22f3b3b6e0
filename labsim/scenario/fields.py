"""Field types for check parameters that name a part of the plant, so that the loader can judge them where they stand."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated, Any, get_args, get_origin

from pydantic import BaseModel, Field

from labsim.document import KeyPath


class Names:
    """Marks a string field as a name; ``kind`` is ``device``, ``tag``, ``alarm``, ``method`` or ``nameplate``.

    The loader looks for it in a model's fields.
    """

    def __init__(self, kind: str) -> None:
        self.kind = kind


DevicePath = Annotated[str, Names("device"), Field(min_length=1)]
"""KeyPath of a device in the scenario's plant, such as ``meter1``."""

TRUE = ".true"
"""What the path of a tag ends with where its true value is meant and not what its sensor or a fault shows."""
TagPath = Annotated[str, Names("tag"), Field(pattern=r"^[a-z][a-z0-9_]*\.[a-z][a-z0-9_]*(\.true)?$")]
"""KeyPath of a tag, such as ``meter1.voltage_l1``, or of its true value, ``meter1.voltage_l1.true``."""

AlarmPath = Annotated[str, Names("alarm"), Field(pattern=r"^[a-z][a-z0-9_]*\.[a-z][a-z0-9_]*$")]
"""KeyPath of an alarm, such as ``mill1.spindle_temperature``."""

MethodPath = Annotated[str, Names("method"), Field(pattern=r"^[a-z][a-z0-9_]*\.[a-z][a-z0-9_]*$")]
"""KeyPath of a method by what the device calls it, such as ``mill1.start_job``."""


PLATE = ("type", "manufacturer", "model", "revision", "serial", "hardware_revision", "device_revision")
"""What stands on a nameplate."""
NameplatePath = Annotated[str, Names("nameplate"), Field(pattern=r"^[a-z][a-z0-9_]*\.[a-z][a-z0-9_]*$")]
"""KeyPath of what stands on a device, such as ``mill1.serial``."""


class Nested:
    """Marks a field that holds checks inside a check: a list of one name with its parameters each."""


def nested_keys(model: type[BaseModel]) -> list[str]:
    """The keys of a check that hold checks."""
    return [
        info.alias or name
        for name, info in model.model_fields.items()
        if any(isinstance(mark, Nested) for mark in info.metadata)
    ]


def nested_checks(model: type[BaseModel], data: Any) -> Iterator[tuple[KeyPath, str, Any]]:
    """KeyPath of the parameters, name and parameters of every check that stands inside a check."""
    for key in nested_keys(model) if isinstance(data, Mapping) else ():
        items = data.get(key, ())
        for index, item in enumerate(items if isinstance(items, (list, tuple)) else ()):
            if isinstance(item, str):
                yield (key, index), item, {}
            elif isinstance(item, Mapping) and len(item) == 1:
                inner, params = next(iter(item.items()))
                yield (key, index, inner), str(inner), {} if params is None else params


def named_parts(model: type[BaseModel], data: Any) -> Iterator[tuple[KeyPath, str, str]]:
    """KeyPath, kind and value of every name that ``data`` gives for fields of ``model``, also in lists, mappings and models."""
    yield from dict.fromkeys(_walk(model, (), data, ()))


def _walk(kind: Any, marks: Sequence[Any], value: Any, path: KeyPath) -> Iterator[tuple[KeyPath, str, str]]:
    if isinstance(value, str):
        yield from ((path, mark.kind, value) for mark in marks if isinstance(mark, Names))
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        if isinstance(value, dict):
            for name, info in kind.model_fields.items():
                key = info.alias or name
                if key in value:
                    yield from _walk(info.annotation, info.metadata, value[key], (*path, key))
        return
    origin, inner = get_origin(kind), get_args(kind)
    if origin is Annotated:
        yield from _walk(inner[0], inner[1:], value, path)
    elif origin in (list, tuple, set, frozenset, Sequence):
        for index, item in enumerate(value if isinstance(value, list) else ()):
            for part in inner:
                yield from _walk(part, (), item, (*path, index))
    elif origin in (dict, Mapping):
        for key, item in value.items() if isinstance(value, dict) else ():
            yield from _walk(inner[0], (), key, (*path, key))
            yield from _walk(inner[1], (), item, (*path, key))
    else:  # a union: whichever member the value is for
        for part in inner:
            yield from _walk(part, (), value, path)
