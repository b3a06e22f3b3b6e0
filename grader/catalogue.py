"""The manual of the checks, made from their docstrings and parameter models: ``python -m grader.catalogue docs/checks.md``."""

from __future__ import annotations

import inspect
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

from pydantic.fields import FieldInfo

from grader.check import Check
from grader.checks import REGISTRY, load
from labsim.quantity import Tolerance
from labsim.scenario.fields import Names

_MARK = "Example::"


def prose(check: type[Check[Any]]) -> str:
    """What the docstring says before its examples, one line a paragraph."""
    text = inspect.cleandoc(check.__doc__ or "").split(_MARK)[0]
    return "\n\n".join(" ".join(paragraph.split()) for paragraph in text.strip().split("\n\n")).replace("``", "`")


def examples(check: type[Check[Any]]) -> list[str]:
    """The YAML of each example in the docstring."""
    parts = inspect.cleandoc(check.__doc__ or "").split(_MARK)[1:]
    return [textwrap.dedent(part).strip() for part in parts]


def parameters(check: type[Check[Any]]) -> Iterator[tuple[str, str, str, str]]:
    """Name, type, default and description of each parameter."""
    schema = check.Params.model_json_schema()
    for field, info in check.Params.model_fields.items():
        name = info.alias or field
        yield name, _type(info, schema["properties"][name]), _default(info), info.description or ""


def manual() -> str:
    """The whole page."""
    lines = [_HEAD.strip(), ""]
    lines += [
        f"- [`{name}`](#{name.replace('.', '')}): {prose(load(name)).split(chr(10))[0]}" for name in sorted(REGISTRY)
    ]
    for name in sorted(REGISTRY):
        check = load(name)
        lines += [
            "",
            f"## {name}",
            "",
            prose(check),
            "",
            "| parameter | type | default | meaning |",
            "| --- | --- | --- | --- |",
        ]
        lines += [f"| `{n}` | {kind} | {default} | {text} |" for n, kind, default, text in parameters(check)]
        for example in examples(check):
            item = textwrap.indent(example, "  ")[2:]
            lines += ["", "```yaml", f"- {item}", "```"]
    return "\n".join(lines) + "\n"


def _type(info: FieldInfo, schema: dict[str, Any]) -> str:
    names = [mark.kind for mark in _marks(info.annotation, info.metadata) if isinstance(mark, Names)]
    word = _word(schema)
    if not names:
        return word
    return word.replace("text", names[0])


def _marks(annotation: Any, metadata: list[Any]) -> Iterator[Any]:
    yield from metadata
    yield from getattr(annotation, "__metadata__", ())
    for inner in get_args(annotation):
        yield from _marks(inner, [])


def _word(schema: dict[str, Any]) -> str:
    """A JSON schema in a few words."""
    if "enum" in schema:
        return ", ".join(f"`{value}`" for value in schema["enum"])
    if "anyOf" in schema:
        return " or ".join(word for part in schema["anyOf"] if (word := _word(part)))
    shown = schema.get("examples")
    if shown:
        return "duration" if shown[0] == "500 ms" else "tolerance" if shown[0] == "0.5 %" else "share"
    kind = schema.get("type", "value")
    if kind == "array":
        return f"list of {_word(schema.get('items', {}))}"
    if kind == "object" or "$ref" in schema:  # a reference is to a model of its own, whose keys the description names
        values = schema.get("additionalProperties", True)
        return f"mapping to {_word(values)}" if isinstance(values, dict) else "mapping"
    words = {"string": "text", "integer": "whole number", "boolean": "true/false", "null": ""}
    return words.get(kind, str(kind))


def _default(info: FieldInfo) -> str:
    if info.is_required():
        return "required"
    value = info.default
    if value is None or value in ("", (), {}):
        return ""
    if isinstance(value, bool):
        return "`true`" if value else "`false`"
    if isinstance(value, Tolerance):
        return f"`{value}`".replace("±", "")
    form = " ".join(str(getattr(mark, "json_schema", "")) for mark in info.metadata)
    if "500 ms" in form:
        return f"`{value:g} s`"
    if "95 %" in form:
        return f"`{value * 100:g} %`"
    return f"`{value:g}`" if isinstance(value, float) else f"`{value}`"


_HEAD = """
# Checks

A check judges the evidence of an attempt: what clients did on the wire, what was true in the plant, what was handed in. It
is written in a task of a scenario by its name, with its parameters and these keys that every check has:

| key | meaning |
| --- | --- |
| `marks` | what it is worth; the checks of a task add up to the task's marks |
| `id` | its name in the verdict; `<task>.<n>` unless given |
| `depends` | ids of checks that must pass first; until then it is *not checked* and says which one it waits for |
| `title` | replaces its own sentence on the mark sheet |
| `when` | the time it is judged over: `ever`, `at-end`, or `{from: 5 min, to: 20 min}`; may stand at a task (see below) |
| `credit` | what a share of it earns: `share` (the default), `whole` (all or nothing), or steps: `{60 %: 50 %, 90 %: 100 %}` |

## How marks come about

- **Outcomes.** *passed*, *failed* (some checks give a share of their marks, by item), *not checked* (a check or task it
  depends on has not passed), *cannot check* (the check itself failed, through a fault of ours).
- **The grader is never the reason for a lost mark.** The marks of a check that cannot be judged leave the score and the
  maximum alike (`excluded` in the verdict says how many), so the percentage is of what could be judged. Nothing waits for
  such a check, and such a penalty takes nothing.
- **When.** Most checks judge what was done: it stays done. Those that judge how things stand (a file, an answer, the retained
  store) can have been right earlier: with `ever`, the default in training, an earlier success at a check stays one; with
  `at-end`, the default in an exam, the end counts. Those that judge what never happens always look at the end. In a stretch of
  time `{from, to}` of the plant only what clients did in it counts; what was handed in, answered or stored before still
  stands. With `after: endpoint.opcua` the time is counted from the first fault of that target.
- **Hints** cost their marks once, from their own task, never below 0.
- **Penalties** are checks outside the tasks: one that does not pass takes its marks from the total, never below 0. With
  `take: each` they are taken for each time it happened, `most` at most; with `zero: <task>` the task earns nothing either.
  When one task is marked alone, penalties are left out.
- **Training and exam.** `mode: exam` in a scenario (or `labsim run --exam`) changes the default of `when`, closes the hints,
  and tells the candidate no more than `feedback` allows: `marks` of each task, `outcomes` of each check (the default), or
  `reasons`. The attempt folder always keeps the full verdict.
- **A check of your own** is a Python function beside the scenario ([`python`](#python)). It and the checks of other packages
  run in a process of their own with a time limit: one that raises, hangs or exits *cannot check*, and harms no other.
- **Rounding.** The marks of each check are rounded to hundredths, then added.
- **Passed** means that the score reaches `pass_mark` percent of the maximum.
- **Nothing is given away.** `expected` says what kind of value is asked for and how near it has to be. It never shows the
  value of an answer or a hand-in file; a wrong value is named with what it looks like. A value published over MQTT is shown
  beside the truth of that moment, which is over.

## Time

All times and durations are *plant time*: at speed 10 a period of `1 s` is 100 ms on the wall clock. The truth at a moment is
the value of the last step (100 ms) at or before it. Times in reasons are the UTC times that clients saw. Checks that judge a
stretch of time look for the **best window** of the length they are given, so a trainee may try again; share and coverage are
measured in time, not in messages. A tolerance of a value is exactly what the scenario declares; one of a time is widened by
how late the machine itself was in its worst minute (the 95th percentile of the host's `jitter` events), to twice as much
at most.

Tolerances: a number is absolute, in the tag's unit; a percentage is relative to the true value. `NaN` equals only `NaN`, and
JSON `null` counts as `NaN`. The text of an enumeration's label, in any language, counts as its number.

## The checks
"""


if __name__ == "__main__":
    if len(sys.argv) > 1:
        Path(sys.argv[1]).write_text(manual(), encoding="utf-8", newline="\n")
    else:
        sys.stdout.buffer.write(manual().encode())
