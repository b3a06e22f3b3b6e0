"""What each key of a scenario means: read from the docstrings of the models, so that the code and its reference cannot disagree.

A model's docstring describes its fields below ``Attributes:``, in the house's usual form. From there the sentences go into
the JSON Schema, where editors show them, and into docs/scenario-reference.md.
"""

from __future__ import annotations

import inspect
import re
from functools import cache
from typing import Any

from pydantic import BaseModel

_HEAD = "Attributes:"
_FIELD = re.compile(r"    (\w+): (.*)")


def prose(model: type[object]) -> str:
    """What a model's docstring says before its attributes, one line a paragraph."""
    text = inspect.cleandoc(model.__doc__ or "").partition(f"\n{_HEAD}\n")[0]
    return "\n\n".join(" ".join(paragraph.split()) for paragraph in text.strip().split("\n\n")).replace("``", "`")


@cache
def attributes(model: type[object]) -> dict[str, str]:
    """The sentences about a model's fields, those of its bases included."""
    found: dict[str, str] = {}
    for base in reversed(model.__mro__):
        section = inspect.cleandoc(base.__dict__.get("__doc__") or "").partition(f"\n{_HEAD}\n")[2]
        name = ""
        for line in section.splitlines():
            head = _FIELD.fullmatch(line)
            if head:
                name = head[1]
                found[name] = head[2]
            elif line.startswith("        ") and name:
                found[name] += f" {line.strip()}"
            elif line.strip():
                break  # another section of the docstring
    return {name: text.replace("``", "`") for name, text in found.items()}


def describe(schema: dict[str, Any], model: type[BaseModel]) -> None:
    """Put the sentences of a model's docstring into its JSON Schema; a description that a field has of its own stays."""
    schema["description"] = prose(model)
    said = attributes(model)
    names = {info.alias or name: name for name, info in model.model_fields.items()}
    for key, part in schema.get("properties", {}).items():
        text = said.get(names.get(key, key))
        if text and "description" not in part:
            part["description"] = text[:1].upper() + text[1:]
