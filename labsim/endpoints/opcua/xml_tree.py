"""XML from a stranger as a tree with line numbers: no document types, no entities, bounded in size, depth and elements."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from xml.parsers import expat

from labsim.errors import Problem, ScenarioError

LARGEST, DEEPEST, MOST = 30_000_000, 60, 1_000_000
"""Bytes of a file, levels of elements, elements."""


@dataclass(slots=True)
class Element:
    """One element: its local name, attributes, text and children, and the line it begins in."""

    name: str
    attributes: dict[str, str]
    line: int
    text: str = ""
    children: list[Element] = field(default_factory=list)

    def all(self, name: str) -> Iterator[Element]:
        """Children of a name."""
        return (child for child in self.children if child.name == name)

    def first(self, name: str) -> Element | None:
        """The first child of a name."""
        return next(self.all(name), None)

    def said(self, name: str, default: str = "") -> str:
        """Text of the first child of a name."""
        child = self.first(name)
        return child.text.strip() if child is not None else default


def read_xml(data: bytes, file: str) -> Element:
    """The root element.

    Raises:
        ScenarioError: not well formed, too large, or with a document type or an entity.
    """
    if len(data) > LARGEST:
        raise _problem(file, 0, "too-large", f"the file is larger than {LARGEST // 10**6} MB.")
    reader = _Reader(file)
    try:
        reader.parser.Parse(data, True)
    except expat.ExpatError as error:
        raise _problem(file, error.lineno, "xml", f"this is no XML: {expat.errors.messages[error.code]}.") from None
    return reader.root


class _Reader:
    """Builds the tree as expat goes through the file."""

    def __init__(self, file: str) -> None:
        self._file, self._stack, self._count = file, [Element("", {}, 0)], 0
        self.parser = parser = expat.ParserCreate(namespace_separator="}")
        parser.buffer_text = True
        parser.StartElementHandler, parser.EndElementHandler = self._start, self._end
        parser.CharacterDataHandler = self._text
        # entities can only be declared in a document type; without one nothing can be expanded or fetched
        parser.StartDoctypeDeclHandler = self._refuse
        parser.EntityDeclHandler = self._refuse

    @property
    def root(self) -> Element:
        return self._stack[0].children[0]

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        self._count += 1
        line = self.parser.CurrentLineNumber
        if len(self._stack) > DEEPEST or self._count > MOST:
            raise _problem(self._file, line, "too-large", f"more than {DEEPEST} levels or {MOST} elements.")
        plain = {key.rpartition("}")[2]: value for key, value in attributes.items()}
        element = Element(name.rpartition("}")[2], plain, line)
        self._stack[-1].children.append(element)
        self._stack.append(element)

    def _end(self, _name: str) -> None:
        self._stack.pop()

    def _text(self, text: str) -> None:
        self._stack[-1].text += text

    def _refuse(self, *_: object) -> None:
        raise _problem(
            self._file, self.parser.CurrentLineNumber, "doctype", "document types and entities are refused.",
            "Take the DOCTYPE out.",
        )  # fmt: skip


def _problem(file: str, line: int, code: str, message: str, hint: str = "") -> ScenarioError:
    return ScenarioError([Problem(file, line, 1 if line else 0, code, message, hint)])
