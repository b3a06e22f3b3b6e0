"""YAML text to plain data and positions, straight from the parser's events.

Scalars follow the core schema of YAML 1.2 (§10.3.2), not PyYAML's YAML 1.1: ``yes``, ``no``, ``on``, ``12:30`` and
``2026-01-01`` are texts, ``1e3`` is a number. A number with a leading zero stays a text, because the two versions read it
differently. Keys are whole numbers or texts. Nesting and the size after aliases are bounded, so a small file cannot become
a large one.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import yaml

from labsim.document.position import Key, Position
from labsim.document.syntax import syntax_problem
from labsim.errors import Problem, ScenarioError, did_you_mean

DEPTH = 40
WEIGHT = 200_000
"""Most values a file may hold after its aliases are filled in; a long text counts as several."""

_Loader: type[Any] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_UNPRINTABLE = re.compile("[^\t\n\x20-\x7e\xa0-\u2027\u202a-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff]")
_INTEGER = re.compile(r"[-+]?(0|[1-9][0-9]*)|0o[0-7]+|0x[0-9a-fA-F]+")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|(0|[1-9][0-9]*)(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_WORDS: dict[str, Any] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL")),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
    **dict.fromkeys((".inf", ".Inf", ".INF", "+.inf", "+.Inf", "+.INF"), float("inf")),
    **dict.fromkeys(("-.inf", "-.Inf", "-.INF"), float("-inf")),
    **dict.fromkeys((".nan", ".NaN", ".NAN"), float("nan")),
}
_LONGEST_INTEGER = 30
_TEXT_TAGS = ("!", "tag:yaml.org,2002:str")


class _Stop(Exception):  # noqa: N818 - not an error of its own: it carries one problem out of the recursion
    """Reading cannot go on."""


def read_yaml(text: str, file: str) -> tuple[Any, Position]:
    """Plain data (dict, list, str, int, float, bool, None) and the positions of everything in it.

    Args:
        text: The file's text with line feeds as line ends.
        file: Its name, for problems.

    Raises:
        ScenarioError: it is not YAML, or not data; syntax gives one problem, everything else all of them.
    """
    strange = _UNPRINTABLE.search(text)
    if strange:
        line, column = text.count("\n", 0, strange.start()) + 1, strange.start() - text.rfind("\n", 0, strange.start())
        message = f"the character U+{ord(strange[0]):04X} cannot stand in YAML."
        raise ScenarioError([Problem(file, line, column, "yaml", message, "Delete it, or write it as an escape.")])
    builder = _Builder(file, yaml.parse(text, Loader=_Loader))
    try:
        data, root = builder.document()
    except yaml.MarkedYAMLError as error:
        raise ScenarioError([syntax_problem(error, text, file)]) from None
    except yaml.YAMLError as error:
        raise ScenarioError([Problem(file, 1, 1, "yaml", f"this is not YAML: {error}.")]) from None
    except _Stop:
        raise ScenarioError(builder.problems) from None
    if builder.problems:
        raise ScenarioError(builder.problems)
    return data, root


class _Builder:
    """Builds data and positions from events; notes what is wrong and goes on where it can."""

    def __init__(self, file: str, events: Iterator[Any]) -> None:
        self.file, self.events = file, events
        self.problems: list[Problem] = []
        self.anchors: dict[str, tuple[Any, Position, int]] = {}
        self.open: set[str] = set()
        self.weight = 0

    def note(self, mark: Any, code: str, message: str, hint: str = "") -> None:
        self.problems.append(Problem(self.file, mark.line + 1, mark.column + 1, code, message, hint))

    def stop(self, mark: Any, message: str) -> _Stop:
        self.note(mark, "yaml", message)
        return _Stop()

    def document(self) -> tuple[Any, Position]:
        next(self.events)  # the stream begins
        start = next(self.events)
        if isinstance(start, yaml.StreamEndEvent):
            raise self.stop(start.start_mark, "the file is empty.")
        data, root = self.node(next(self.events), 0)
        next(self.events)  # the document ends
        after = next(self.events)
        if not isinstance(after, yaml.StreamEndEvent):
            raise self.stop(after.start_mark, "a second document begins here; a file holds one.")
        return data, root

    def node(self, event: Any, depth: int) -> tuple[Any, Position]:
        mark = event.start_mark
        if depth > DEPTH:
            raise self.stop(mark, f"values are nested more than {DEPTH} levels deep here.")
        if isinstance(event, yaml.AliasEvent):
            return self.alias(event)
        end: Any = event.end_mark
        before = self.weight
        here = Position(mark.line + 1, mark.column + 1)
        if event.anchor:
            self.open.add(event.anchor)
        data: Any
        if isinstance(event, yaml.ScalarEvent):
            data = self.scalar(event)
            self.weigh(mark, 1 + len(event.value) // 64)
            here.start, here.end = mark.index, end.index
        elif isinstance(event, yaml.SequenceStartEvent):
            self.weigh(mark, 1)
            data = self.sequence(here, depth)
        else:
            self.weigh(mark, 1)
            data = self.mapping(here, depth)
        if event.tag and not isinstance(event, yaml.ScalarEvent):
            self.note(mark, "yaml", f"the tag {event.tag!r} means nothing here.", "Delete it.")
        if event.anchor:
            self.open.discard(event.anchor)
            self.anchors[event.anchor] = (data, here, self.weight - before)
        return data, here

    def weigh(self, mark: Any, weight: int) -> None:
        self.weight += weight
        if self.weight > WEIGHT:
            raise self.stop(mark, f"the file holds more than {WEIGHT} values once its aliases are filled in.")

    def alias(self, event: Any) -> tuple[Any, Position]:
        mark, name = event.start_mark, event.anchor
        if name in self.open:
            self.note(mark, "yaml", f"*{name} stands inside what it names.")
            return None, Position(mark.line + 1, mark.column + 1)
        if name not in self.anchors:
            self.note(mark, "yaml", f"nothing above is named &{name}.", did_you_mean(name, self.anchors))
            return None, Position(mark.line + 1, mark.column + 1)
        data, where, weight = self.anchors[name]
        self.weigh(mark, weight)
        return data, Position(mark.line + 1, mark.column + 1, inside=where.inside)

    def sequence(self, here: Position, depth: int) -> list[Any]:
        data: list[Any] = []
        while not isinstance(event := next(self.events), yaml.SequenceEndEvent):
            value, here.inside[len(data)] = self.node(event, depth + 1)
            data.append(value)
        return data

    def mapping(self, here: Position, depth: int) -> dict[Key, Any]:
        data: dict[Key, Any] = {}
        merged: list[tuple[Any, Position, Any]] = []
        first: dict[str, int] = {}
        while not isinstance(event := next(self.events), yaml.MappingEndEvent):
            mark = event.start_mark
            if not isinstance(event, yaml.ScalarEvent):
                self.node(event, depth + 1)
                self.note(mark, "yaml", "a key is a word or a whole number.")
                self.node(next(self.events), depth + 1)
                continue
            self.weigh(mark, 1 + len(event.value) // 64)
            value, child = self.node(next(self.events), depth + 1)
            child.key_line, child.key_column = mark.line + 1, mark.column + 1
            if event.value == "<<" and event.implicit[0]:
                merged.append((value, child, mark))
                continue
            scalar = self.scalar(event)
            name: Key = scalar if isinstance(scalar, int) and not isinstance(scalar, bool) else event.value
            if str(name) in first:
                message = f"the key {event.value!r} stands twice; the first is on line {first[str(name)]}."
                self.note(mark, "duplicate-key", message, "Delete or rename one.")
                continue
            first[str(name)] = mark.line + 1
            data[name], here.inside[name] = value, child
        for value, child, mark in merged:
            self.merge(data, here, value, child, mark)
        return data

    def merge(self, data: dict[Key, Any], here: Position, value: Any, where: Position, mark: Any) -> None:
        """``<<``: keys of other mappings, unless the mapping has them itself; of several, the first counts."""
        sources = (
            [(item, where.inside[index]) for index, item in enumerate(value)]
            if isinstance(value, list)
            else [(value, where)]
        )
        for source, place in sources:
            if not isinstance(source, dict):
                self.note(mark, "yaml", "'<<' takes in the keys of a mapping, such as *name.")
                continue
            for name, item in source.items():
                if name not in data:
                    data[name], here.inside[name] = item, place.inside[name]

    def scalar(self, event: Any) -> Any:
        text: str = event.value
        if event.tag and event.tag not in _TEXT_TAGS:
            self.note(event.start_mark, "yaml", f"the tag {event.tag!r} means nothing here.", "Delete it.")
        if event.tag or not event.implicit[0]:
            return text
        if text in _WORDS:
            return _WORDS[text]
        if _INTEGER.fullmatch(text):
            if len(text) > _LONGEST_INTEGER:
                self.note(event.start_mark, "yaml", "the number is too long.", "Put it in quotes if it is a text.")
                return 0
            return int(text, 0)
        return float(text) if _FLOAT.fullmatch(text) else text
