"""Pydantic's errors as sentences, each with the path it is about.

Pydantic tells every branch of a union that did not fit; a reader wants one sentence. Branches are told apart by the labels
that pydantic puts into a location and the data does not have.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel, ValidationError

from labsim.document.position import Key, KeyPath
from labsim.errors import did_you_mean

_EXPECTED = {
    "string": "a text", "int": "a whole number", "float": "a number", "bool": "true or false", "list": "a list",
    "tuple": "a list", "set": "a list", "frozen": "a list", "dict": "a mapping of keys and values",
    "mapping": "a mapping of keys and values", "model": "a mapping of keys and values", "none": "nothing",
    "finite": "a finite number", "is": "a value of another kind", "decimal": "a number",
}  # fmt: skip
_BOUNDS = {
    "greater_than_equal": ("ge", "is less than {}, the least it may be"),
    "less_than_equal": ("le", "is more than {}, the most it may be"),
    "greater_than": ("gt", "must be more than {}"),
    "less_than": ("lt", "must be less than {}"),
    "multiple_of": ("multiple_of", "is not a multiple of {}"),
}
_FORMS = {
    r"^[a-z][a-z0-9-]*$": "lower-case letters, digits and hyphens, a letter first",
    r"^[a-z][a-z0-9_]*$": "lower-case letters, digits and underscores, a letter first",
    r"^[a-z][a-z0-9-]*(\.[a-z0-9-]+)*$": "lower-case letters, digits, hyphens and points, a letter first",
    r"^[a-z][a-z0-9-]*\.md(#[a-z0-9][a-z0-9-]*)?$": "a file and a section, such as brief.md#decode",
    r"^[a-z][a-z0-9_]*\.[a-z][a-z0-9_]*$": "a device and a tag, such as meter1.voltage",
}


@dataclass(frozen=True, slots=True)
class Fault:
    """One sentence about one place in the data; ``at_key`` when it is about the key."""

    path: KeyPath
    code: str
    message: str
    hint: str = ""
    at_key: bool = False


@dataclass(frozen=True, slots=True)
class _Raw:
    """A pydantic error with the part of its location that is in the data and the branch of a union it belongs to."""

    error: Any
    path: KeyPath
    called: str
    at_key: bool
    fork: KeyPath | None
    label: str


def explain(
    error: ValidationError, value: Any, model: type[BaseModel], name: Key | None = None, also: Iterable[str] = ()
) -> list[Fault]:
    """Every fault of ``value``, one per place.

    Args:
        error: What pydantic raised for it.
        value: The plain data.
        model: What it should have been.
        name: What the value itself is called.
        also: Keys that may stand beside the model's own.
    """
    raws = [_locate(each, value, name) for each in error.errors(include_url=False)]
    # Pydantic counts the items that are right: one wrong item of one is no list that is too short.
    raws = [raw for raw in raws if raw.error["type"] != "too_short" or not _inside(raw.path, raws)]
    forks = {raw.fork for raw in raws if raw.fork is not None}
    faults, told = [], set()
    for raw in raws:
        fork = min((f for f in forks if raw.path[: len(f)] == f and raw.fork is not None), key=len, default=None)
        if fork is None:
            faults.append(_sentence(raw, model, also))
        elif fork not in told:
            told.add(fork)
            group = [r for r in raws if r.fork is not None and r.path[: len(fork)] == fork]
            faults += _one_branch(group, fork, model, also)
    return faults


def _locate(error: Any, value: Any, name: Key | None) -> _Raw:
    path: list[Key] = []
    called = "" if name is None else str(name)
    fork: KeyPath | None = None
    label, at_key = "", False
    loc = error["loc"]
    for index, part in enumerate(loc):
        last = index == len(loc) - 1
        if (isinstance(value, dict) and part in value) or (
            isinstance(value, (list, tuple)) and isinstance(part, int) and part < len(value)
        ):
            if isinstance(value, (list, tuple)):
                called = f"{called or 'the file'}, item {int(part) + 1}"
            elif not (index + 2 == len(loc) and loc[-1] == "[key]"):  # what is wrong with a key is said of its mapping
                called = str(part) if isinstance(part, str) else f"{called} {part}"
            value = value[part]
            path.append(part)
        elif last and part == "[key]":
            at_key = True
        elif last and error["type"] in ("missing", "extra_forbidden", "invalid_key"):
            path.append(part)
        elif fork is None:
            fork, label = tuple(path), str(part)
    return _Raw(error, tuple(path), called or "the file", at_key, fork, label)


def _inside(path: KeyPath, raws: list[_Raw]) -> bool:
    """Whether another fault lies deeper in ``path``."""
    return any(len(raw.path) > len(path) and raw.path[: len(path)] == path for raw in raws)


def _one_branch(group: list[_Raw], fork: KeyPath, model: type[BaseModel], also: Iterable[str]) -> list[Fault]:
    """The branch that came furthest speaks for all; when none got inside, all expectations make one sentence."""
    deepest = max(group, key=lambda raw: len(raw.path))
    if len(deepest.path) > len(fork):
        return [_sentence(raw, model, also) for raw in group if raw.label == deepest.label]
    own = next((raw for raw in group if raw.error["type"] in ("value_error", "assertion_error")), None)
    expected = [_expected(raw.error) for raw in group]
    if own is not None or None in expected:
        return [_sentence(own or group[expected.index(None)], model, also)]
    kinds = list(dict.fromkeys(noun for noun in expected if noun))
    if {"a number", "a finite number"} & set(kinds):
        kinds = [noun for noun in kinds if noun != "a whole number"]
    nouns = ", ".join(kinds[:-1]) + (" or " if kinds[1:] else "") + kinds[-1]
    return [Fault(fork, "bad-value", f"{group[0].called}: {_mismatch(group[0].error['input'], nouns)}")]


def _sentence(raw: _Raw, model: type[BaseModel], also: Iterable[str]) -> Fault:
    error, path = raw.error, raw.path
    kind, given, ctx = error["type"], error["input"], error.get("ctx", {})
    label = raw.called
    if kind == "missing":
        if isinstance(path[-1], int):
            return Fault(path, "missing-key", f"{label}: item {path[-1] + 1} is missing.")
        return Fault(path, "missing-key", f"the key {path[-1]!r} is missing.", at_key=True)
    if kind in ("extra_forbidden", "invalid_key"):
        near = did_you_mean(str(path[-1]), [*_fields(model, error["loc"][:-1]), *also])
        return Fault(path, "unknown-key", f"unknown key {str(path[-1])!r}.", near, at_key=True)
    if kind in ("literal_error", "enum"):
        allowed = ctx["expected"].replace(" or ", ", ").split(", ")
        near = did_you_mean(_show(given).strip("'"), [word.strip("'") for word in allowed])
        if raw.at_key:
            return Fault(path, "unknown-key", f"{label}: unknown key {_show(given)}.", near, at_key=True)
        known = "" if near.startswith("Known") else f" It is one of {', '.join(w.strip(chr(39)) for w in allowed)}."
        near = f"Write one of {near[7:]}" if near.startswith("Known") else near + known
        return Fault(path, "bad-value", f"{label}: {_show(given)} is not a value it can have.", near.strip())
    noun = _expected(error)
    hint = ""
    if noun == "a text" and raw.at_key:
        return Fault(
            path, "bad-value", f"{label}: the key {_show(given)} is a number where a name is expected.", at_key=True
        )
    if noun == "a text" and isinstance(given, (int, float)):
        hint = f'Put it in quotes: "{_show(given)}".'
    elif noun == "a list" and isinstance(given, (str, int, float)):
        hint = f"Write [{given}]."
    if noun:
        text = _mismatch(given, noun)
    elif kind in _BOUNDS:
        key, words = _BOUNDS[kind]
        bound = ctx[key]
        text = f"{_show(given)} {words.format(f'{bound:g}' if isinstance(bound, float) else bound)}."
    elif kind == "string_pattern_mismatch":
        text = f"{_show(given)} is not {_FORMS.get(ctx['pattern'], 'of the form ' + ctx['pattern'])}."
    elif kind in ("too_short", "string_too_short"):
        text = "it is empty." if not given else f"it has {len(given)}, fewer than {ctx['min_length']}."
        text = "there must be at least one." if kind == "too_short" and not given else text
    elif kind in ("too_long", "string_too_long"):
        what = "items" if kind == "too_long" else "characters"
        text = f"it has {len(given)} {what}, more than {ctx['max_length']}."
    else:
        text = error["msg"].removeprefix("Value error, ").removeprefix("Assertion failed, ")
        text = text if text.endswith((".", "?", "!")) else f"{text}."
    return Fault(path, "bad-value", f"{label}: {text}", hint, at_key=raw.at_key)


def _expected(error: Any) -> str | None:
    """What a place wanted, as a noun, when the error is about the kind of value."""
    family, _, rest = error["type"].partition("_")
    if error["type"] == "none_required" or rest in ("type", "parsing", "from_float", "parsing_size", "number"):
        return _EXPECTED.get(family)
    return "a list" if error["type"] == "frozen_set_type" else None


def _mismatch(given: Any, noun: str) -> str:
    if isinstance(given, (dict, list)) or given is None:
        return f"{_show(given)} stands where {noun} is expected."
    return f"{_show(given)} is not {noun}."


def _show(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if value is None:
        return "nothing"
    if isinstance(value, (dict, BaseModel)):
        return "a mapping"
    if isinstance(value, (list, tuple)):
        return "a list"
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:56]}…'"


def _fields(model: type[BaseModel], loc: Iterable[Key]) -> list[str]:
    """Names that may stand at ``loc``: the fields of the models that can be there."""
    models = [model]
    for part in loc:
        inner = [m for each in models if part in _names(each) for m in _models(_names(each)[str(part)])]
        models = inner or [m for m in models if m.__name__ == part] or models
    return [name for each in models for name in _names(each)]


def _names(model: type[BaseModel]) -> dict[str, Any]:
    return {info.alias or name: info.annotation for name, info in model.model_fields.items()}


def _models(annotation: Any) -> list[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [found for inner in getattr(annotation, "__args__", ()) for found in _models(inner)]
