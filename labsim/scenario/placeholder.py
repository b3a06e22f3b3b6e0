"""``${name}`` in scenarios and briefings: where drawn values go.

A YAML value that is nothing but ``${name}`` becomes the drawn value with its type; inside a longer text, and in briefings,
the value is inserted as text. ``$${`` writes a plain ``${``. What is inserted is never looked through again.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from labsim.document import Document, Key, KeyPath, Position
from labsim.errors import Problem, did_you_mean
from labsim.scenario.part import Drawn

SECTIONS = ("title", "plant", "flows", "crew", "endpoints", "timeline", "tasks", "penalties")
"""The parts of a scenario that placeholders are filled in."""
NAME = re.compile(r"[A-Za-z0-9_-]+")
_PLACEHOLDER = re.compile(rf"\$\$\{{|\$\{{({NAME.pattern})\}}|\$\{{")


def fill_text(text: str, drawn: Mapping[str, Drawn]) -> str:
    """The text with every known placeholder filled in."""

    def put(found: re.Match[str]) -> str:
        if found[0] == "$${":
            return "${"
        return _written(drawn[found[1]]) if found[1] in drawn else found[0]

    return _PLACEHOLDER.sub(put, text)


def names_in(text: str) -> Iterator[tuple[int, str]]:
    """Offset and name of every placeholder in a text; the name is empty when it is malformed."""
    for found in _PLACEHOLDER.finditer(text):
        if found[0] != "$${":
            yield found.start(), found[1] or ""


def unknown(name: str, known: Collection[str]) -> tuple[str, str, str] | None:
    """Code, message and hint when ``name`` is no variant; None when it is one."""
    if name in known:
        return None
    if not name:
        return (
            "bad-placeholder",
            "'${' begins a placeholder, but no name and '}' follow.",
            "Write '$${' for a plain '${'.",
        )
    near = did_you_mean(name, known) or "Declare it under 'variants', or write '$${' for a plain '${'."
    return "unknown-variant", f"there is no variant {name!r}.", near


@dataclass(slots=True)
class Filler:
    """Fills a document's placeholders.

    Args:
        source: The document as read; it stays as it is.
        drawn: Values by variant.
        broken: Variants that exist but have no value, because they are not right themselves.

    Attributes:
        used: Names that were met.
    """

    source: Document
    drawn: Mapping[str, Drawn]
    broken: Collection[str] = ()
    used: set[str] = field(default_factory=set)

    def fill(self) -> Document:
        """A new document with the placeholders of `SECTIONS` filled in; positions stay those of the source."""
        source = self.source
        result = Document(source.file, source.text, source.data, source.root, muted=set(source.muted))
        if not isinstance(source.data, dict):
            return result
        data, root = dict(source.data), Position(source.root.line, source.root.column, inside=dict(source.root.inside))
        result.data, result.root = data, root
        for section in SECTIONS:
            if section in data:
                data[section], root.inside[section] = self._value(
                    data[section], root.inside[section], (section,), result
                )
        return result

    def _value(self, value: Any, where: Position, path: KeyPath, result: Document) -> tuple[Any, Position]:
        here = Position(where.line, where.column, where.key_line, where.key_column, where.start, where.end)
        if isinstance(value, str):
            return self._scalar(value, where, path, result), here
        if isinstance(value, list):
            items = [self._value(v, where.inside[i], (*path, i), result) for i, v in enumerate(value)]
            here.inside = {index: place for index, (_, place) in enumerate(items)}
            return [item for item, _ in items], here
        if isinstance(value, dict):
            return self._mapping(value, where, here, path, result), here
        return value, here

    def _mapping(
        self, value: dict[Key, Any], where: Position, here: Position, path: KeyPath, result: Document
    ) -> dict[Key, Any]:
        data: dict[Key, Any] = {}
        for name, inner in value.items():
            place = where.inside[name]
            key: Any = name
            if isinstance(name, str) and "${" in name:
                spot = self._key(place)
                key = self._scalar(name, spot, (*path, name), result)
                key = key if isinstance(key, (int, str)) and not isinstance(key, bool) else _written(key)
            filled, position = self._value(inner, place, (*path, key), result)
            if key in data:
                result.problems.append(
                    Problem(
                        result.file,
                        place.key_line,
                        place.key_column,
                        "duplicate-key",
                        f"the key {name!r} becomes {key!r}, which stands here already.",
                    )
                )
                continue
            data[key], here.inside[key] = filled, position
        return data

    def _scalar(self, text: str, where: Position, path: KeyPath, result: Document) -> Any:
        found = list(names_in(text))
        for nth, (_, name) in enumerate(found):
            self.used.add(name)
            fault = unknown(name, {*self.drawn, *self.broken})
            if fault is not None:
                result.problems.append(Problem(result.file, *self._place(where, nth, len(found)), *fault))
            if name not in self.drawn:
                result.muted.add(path)
        whole = found[0][1] if len(found) == 1 and text == f"${{{found[0][1]}}}" else None
        return self.drawn[whole] if whole is not None and whole in self.drawn else fill_text(text, self.drawn)

    def _key(self, place: Position) -> Position:
        """A key's own position, with the rest of its line as its text."""
        text = self.source.text
        start = 0
        for _ in range(place.key_line - 1):
            start = text.index("\n", start) + 1
        end = text.find("\n", start)
        start += place.key_column - 1
        return Position(place.key_line, place.key_column, start=start, end=end if end >= 0 else len(text))

    def _place(self, where: Position, nth: int, count: int) -> tuple[int, int]:
        """Line and column of the ``nth`` placeholder of a value; those of the value when its text stands elsewhere."""
        text = self.source.text
        written = [start for start, _ in names_in(text[where.start : where.end])]
        if len(written) < count:
            return where.line, where.column
        index = where.start + written[nth]
        return text.count("\n", 0, index) + 1, index - text.rfind("\n", 0, index)


def _written(value: Drawn) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
