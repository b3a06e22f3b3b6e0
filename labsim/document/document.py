"""A read YAML file: its data, the place of everything in it, and the problems found so far."""

from __future__ import annotations

import pathlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from labsim.document.faults import explain
from labsim.document.position import Key, KeyPath, Position
from labsim.document.reader import read_yaml
from labsim.errors import InputError, Problem, ScenarioError

Model = TypeVar("Model", bound=BaseModel)
_LARGEST = 1_000_000


@dataclass(slots=True)
class Document:
    """A parsed YAML file.

    Attributes:
        file: Its name, as problems print it.
        text: What it was parsed from.
        data: Plain data.
        root: Position of the data; the tree below it has the shape of the data.
        problems: What is wrong, in the order of finding.
        muted: Paths whose problem is told already; nothing more is noted at or below them.
    """

    file: str
    text: str
    data: Any
    root: Position
    problems: list[Problem] = field(default_factory=list)
    muted: set[KeyPath] = field(default_factory=set)

    def problem(self, path: Iterable[Key], code: str, message: str, hint: str = "", *, key: bool = False) -> None:
        """Note a problem at ``path``; ``key`` points at the key instead of the value."""
        parts = tuple(path)
        if self.muted and any(parts[:length] in self.muted for length in range(len(parts) + 1)):
            return
        self.problems.append(Problem(self.file, *self.root.place(parts, key=key), code, message, hint))

    def validate(
        self,
        model: type[Model],
        value: Any,
        path: Iterable[Key] = (),
        context: dict[str, Any] | None = None,
        also: Iterable[str] = (),
        called: str = "",
    ) -> Model | None:
        """``value`` as a ``model``; problems are noted with their places, and None is returned when there are any.

        Args:
            model: What it should be.
            value: Plain data.
            path: Where it stands in the file.
            context: Passed on to the model's validators.
            also: Keys that may stand beside the model's own, for "did you mean".
            called: What a sentence calls the value itself; the last part of ``path`` by default.
        """
        try:
            return model.model_validate(value, context=context)
        except ValidationError as error:
            base = tuple(path)
            for fault in explain(error, value, model, called or (base[-1] if base else None), also):
                self.problem((*base, *fault.path), fault.code, fault.message, fault.hint, key=fault.at_key)
            return None

    def each(self, *pattern: Key) -> Iterator[tuple[KeyPath, Any]]:
        """KeyPath and value of everything that fits ``pattern``, where ``"*"`` stands for any key or item."""
        yield from _each(self.data, pattern, ())

    def done(self) -> None:
        """Raise all problems at once, in the order of the file.

        Raises:
            ScenarioError: there are problems.
        """
        if self.problems:
            raise ScenarioError(sorted(self.problems, key=lambda p: (p.file, p.line, p.column)))


def read_document(path: pathlib.Path, shown: str | None = None) -> Document:
    """Read one YAML file.

    Args:
        path: The file.
        shown: The name to print in problems; the path as given by default.

    Raises:
        InputError: the file cannot be read.
        ScenarioError: it is not UTF-8 or not YAML, with the place.
    """
    file = shown or str(path)
    return parse_document(read_text(path, file), file)


def read_text(path: pathlib.Path, file: str) -> str:
    """The text of a UTF-8 file with line feeds as line ends and without a byte order mark.

    Raises:
        InputError: the file cannot be read.
        ScenarioError: it is not UTF-8; the problem stands at the first byte that is not.
    """
    try:
        raw = path.read_bytes()
    except FileNotFoundError:
        raise InputError(f"{file}: there is no such file. Check the path.") from None
    except (OSError, ValueError) as error:
        raise InputError(f"{file}: cannot be read ({getattr(error, 'strerror', None) or error}).") from None
    if len(raw) > _LARGEST:
        raise InputError(f"{file}: {len(raw)} bytes are more than the {_LARGEST} a text file here may have.")
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError as error:
        before = raw[: error.start].decode("utf-8")
        line, column = before.count("\n") + 1, len(before) - before.rfind("\n")
        message = f"the byte 0x{raw[error.start]:02X} is not UTF-8."
        raise ScenarioError([Problem(file, line, column, "encoding", message, "Save the file as UTF-8.")]) from None
    return text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n")


def parse_document(text: str, file: str) -> Document:
    """Parse YAML text; see `read_document`."""
    data, root = read_yaml(text, file)
    return Document(file, text, data, root)


def _each(value: Any, pattern: tuple[Key, ...], path: KeyPath) -> Iterator[tuple[KeyPath, Any]]:
    if not pattern:
        yield path, value
        return
    head, rest = pattern[0], pattern[1:]
    if isinstance(value, Mapping):
        for name in list(value) if head == "*" else [head]:
            if name in value:
                yield from _each(value[name], rest, (*path, name))
    elif isinstance(value, list):
        for index in range(len(value)) if head == "*" else [head]:
            if isinstance(index, int) and 0 <= index < len(value):
                yield from _each(value[index], rest, (*path, index))
