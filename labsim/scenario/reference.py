"""The reference of every key of a scenario, made from the models.

``python -m labsim.scenario.reference docs/scenario-reference.md`` writes the page.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from types import UnionType
from typing import Annotated, Any, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from labsim.scenario.form import PENALTY_KEYS, TASK_KEYS
from labsim.scenario.manual import attributes, prose
from labsim.scenario.model import CheckSpec, EndpointSpec, Penalty, ScenarioFile
from labsim.scenario.problems import CARE, PROBLEMS
from labsim.scenario.timeline import TimelineEntry

_WORDS = {"string": "text", "integer": "whole number", "number": "number", "boolean": "true/false", "null": ""}
_OWN: dict[type[BaseModel], tuple[str, ...]] = {CheckSpec: TASK_KEYS, Penalty: PENALTY_KEYS}
"""Of checks and penalties only the keys that an author writes; the name and its parameters stand in docs/checks.md."""
_WITHOUT: dict[type[BaseModel], set[str]] = {TimelineEntry: {"params"}}
"""Fields that are no keys: the parameters of a fault stand beside the keys of its entry."""
_TITLES: dict[type[BaseModel], str] = {ScenarioFile: "The file", EndpointSpec: "Endpoint"}


def reference() -> str:
    """The whole page."""
    models = list(_models(ScenarioFile, {}))
    lines = [_HEAD.strip(), ""]
    lines += [f"- [{title(model)}](#{anchor(model)})" for model in models]
    lines += ["- [Problems that lint tells](#problems-that-lint-tells)"]
    for model in models:
        lines += ["", f"## {title(model)}", "", prose(model), "", *_table(model)]
    lines += ["", "## Problems that lint tells", "", _PROBLEMS_HEAD.strip(), "", "| code | means |", "| --- | --- |"]
    lines += [f"| `{code}`{' ·' if code in CARE else ''} | {sentence} |" for code, sentence in PROBLEMS.items()]
    return "\n".join(lines) + "\n"


def title(model: type[BaseModel]) -> str:
    """What a model is called on the page: its name without ``Spec``, in words."""
    if model in _TITLES:
        return _TITLES[model]
    name = model.__name__.removesuffix("Spec")
    words = "".join(f" {c.lower()}" if c.isupper() else c for c in name[1:])
    return (
        (name[:1] + words)
        .replace("Mqtt", "MQTT")
        .replace("Opcua", "OPC UA")
        .replace("Http", "HTTP")
        .replace("Ntp", "NTP")
    )


def anchor(model: type[BaseModel]) -> str:
    """The anchor of a model's section, as Markdown readers make it of its heading."""
    return title(model).lower().replace(" ", "-")


def _table(model: type[BaseModel]) -> Iterator[str]:
    yield "| key | value | default | meaning |"
    yield "| --- | --- | --- | --- |"
    schema, said = model.model_json_schema(), attributes(model)
    own = schema if "properties" in schema else schema["$defs"][model.__name__]  # a model that holds itself
    properties = own["properties"]
    for field, info in model.model_fields.items():
        name = info.alias or field
        if field in _WITHOUT.get(model, ()) or (model in _OWN and name not in _OWN[model]):
            continue
        meaning = info.description or said.get(field, "")
        meaning = (meaning[:1].upper() + meaning[1:]).replace("|", "\\|")
        yield f"| `{name}` | {_value(info, properties[name])} | {_default(info)} | {meaning} |"


def _value(info: FieldInfo, schema: dict[str, Any]) -> str:
    """What may stand there: a link to the model whose keys it has, or a few words."""
    inner = list(dict.fromkeys(_inside(info.annotation)))
    word = _word(schema)
    links = " or ".join(f"[{title(model)}](#{anchor(model)})" for model in inner)
    if not links:
        return word
    if "list of" in word:
        return f"list of {links}"
    if "mapping to" in word:
        return f"mapping to {links}"
    others = [part for part in word.split(" or ") if part and part != "mapping"]
    return " or ".join([*others, links])


def _word(schema: dict[str, Any]) -> str:
    """A JSON schema in a few words."""
    if "enum" in schema:
        return ", ".join(f"`{_plain(value)}`" for value in schema["enum"])
    if "const" in schema:
        return f"`{_plain(schema['const'])}`"
    if "anyOf" in schema:
        parts = dict.fromkeys(word for part in schema["anyOf"] if (word := _word(part)))
        return "text, or one per language" if set(parts) == {"text", "languages"} else " or ".join(parts)
    examples = schema.get("examples")
    if examples and examples[0] == "500 ms":
        return "duration"
    kind = schema.get("type", "value")
    if isinstance(kind, list):
        return " or ".join(filter(None, (_WORDS.get(each, each) for each in kind)))
    if kind == "array":
        if "prefixItems" in schema:
            return f"[{', '.join(_word(part) for part in schema['prefixItems'])}]"
        return f"list of {_word(schema.get('items', {}))}"
    if "$ref" in schema:
        return "mapping"
    if kind == "object":
        if set(schema.get("properties", ())) >= {"en", "zh-Hans"}:
            return "languages"
        values = schema.get("additionalProperties") or next(iter(schema.get("patternProperties", {}).values()), None)
        return f"mapping to {_word(values)}" if isinstance(values, dict) and values else "mapping"
    return "any value" if kind == "value" else _WORDS.get(str(kind), str(kind))


def _default(info: FieldInfo) -> str:
    if info.is_required():
        return "required"
    value = info.get_default(call_default_factory=True)
    if value is None or value in ("", (), {}) or isinstance(value, BaseModel):
        return ""
    if isinstance(value, tuple):
        return ", ".join(f"`{_plain(item)}`" for item in value)
    return f"`{_plain(value)}`"


def _plain(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else f"{value:g}" if isinstance(value, float) else str(value)


def _models(model: type[BaseModel], seen: dict[type[BaseModel], None]) -> Iterator[type[BaseModel]]:
    """A model and those inside it, each once, in the order of their keys."""
    if model in seen:
        return
    seen[model] = None
    yield model
    for info in model.model_fields.values():
        for inner in _inside(info.annotation):
            yield from _models(inner, seen)


def _inside(kind: Any) -> Iterator[type[BaseModel]]:
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        yield kind
    elif get_origin(kind) is Annotated:
        yield from _inside(get_args(kind)[0])
    elif get_origin(kind) is not None or isinstance(kind, UnionType):
        for part in get_args(kind):
            yield from _inside(part)


_HEAD = """
# Reference of scenario.yaml

Every key, made from the models that read them. An editor that knows JSON Schema shows the same while you type: write the
schema once with `labsim schema > scenario.schema.json` and put this line at the top of `scenario.yaml` (VS Code with the YAML
extension of Red Hat, and every editor with yaml-language-server):

```yaml
# yaml-language-server: $schema=scenario.schema.json
```

The schema knows the device types, checks and faults that are installed here. [checks.md](checks.md) has every check with its
parameters, [faults.md](faults.md) every fault, `labsim manual TYPE` every setting and tag of a device.

A *duration* is `500 ms`, `30 s`, `3 min`, `1 h` or a number of seconds, in plant time. A *text* may be one per language:
`{en: …, zh-Hant: …, zh-Hans: …}`. Where variants are drawn, `${name}` may stand for a value or inside a text, also in
briefings; `$${` writes a plain `${`.

A scenario is a folder: `scenario.yaml`; `brief.en.md`, `brief.zh-Hant.md` and `brief.zh-Hans.md`, with a section for each task
under a heading that ends in `{#its-name}`; `solution.py`; `wrong/*.py`, each with `LOSES = {"task": marks}`.
[instructor.md](instructor.md) builds one step by step.
"""
_PROBLEMS_HEAD = """
`labsim lint` tells every problem at once, with file, line and column. Those with · keep nobody from running a draft.
"""


if __name__ == "__main__":
    if len(sys.argv) > 1:
        Path(sys.argv[1]).write_text(reference(), encoding="utf-8", newline="\n")
    else:
        sys.stdout.buffer.write(reference().encode())
