"""A YAML file read with the line and column of every value, so that each problem can say where it is.

Positions live in a tree beside the data (``Position.child``), not inside it: models stay free of YAML. Lookup of a path
falls back to the deepest ancestor that is known, and never invents a place.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import BaseModel, ValidationError

from labsim.errors import InputError, Problem, ScenarioError, did_you_mean

Key = str | int
Model = TypeVar("Model", bound=BaseModel)
_Loader: type[Any] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_DEPTH = 40


@dataclass(slots=True)
class Position:
    """Where a value stands (line and column from 1), where its key stands, and the positions inside it."""

    line: int
    column: int
    key_line: int = 0
    key_column: int = 0
    inside: dict[Key, Position] = field(default_factory=dict)

    def at(self, path: Sequence[Key]) -> tuple[Position, int]:
        """The position of the deepest known part of ``path`` and how many parts were known."""
        here, depth = self, 0
        for part in path:
            if part not in here.inside:
                break
            here, depth = here.inside[part], depth + 1
        return here, depth


@dataclass(slots=True)
class Document:
    """A parsed YAML file: plain data, positions, and the problems found so far."""

    file: str
    data: Any
    root: Position
    problems: list[Problem] = field(default_factory=list)

    def problem(self, path: Sequence[Key], code: str, message: str, hint: str = "", *, key: bool = False) -> None:
        """Note a problem at ``path``; ``key`` points at the key instead of the value."""
        here, depth = self.root.at(path)
        use_key = (key and depth == len(path) and here.key_line) or (
            depth < len(path) and here.key_line and not here.line
        )
        line, column = (here.key_line, here.key_column) if use_key else (here.line, here.column)
        self.problems.append(Problem(self.file, line, column, code, message, hint))

    def validate(
        self, model: type[Model], value: Any, path: Sequence[Key] = (), context: dict[str, Any] | None = None
    ) -> Model | None:
        """``value`` as a ``model``; problems are noted with their places, and None is returned when there are any."""
        try:
            return model.model_validate(value, context=context)
        except ValidationError as error:
            for fault in error.errors():
                self._fault([*path, *_path(fault["loc"], value)], fault, model)
            return None

    def _fault(self, path: list[Key], fault: Any, model: type[BaseModel]) -> None:
        kind, name = fault["type"], path[-1] if path else ""
        if kind == "missing":
            self.problem(path[:-1], "missing-key", f"{name!r} is missing.", key=True)
        elif kind == "extra_forbidden":
            known = _fields(model, fault["loc"][:-1])
            self.problem(path, "unknown-key", f"unknown key {name!r}.", did_you_mean(str(name), known), key=True)
        elif kind == "literal_error":
            allowed = fault["ctx"]["expected"]
            near = did_you_mean(
                str(fault["input"]), [a.strip().strip("'") for a in allowed.replace(" or ", ", ").split(",")]
            )
            self.problem(path, "bad-value", f"{fault['input']!r} is not one of {allowed}.", near)
        else:
            text = fault["msg"].removeprefix("Value error, ")
            self.problem(
                path, "bad-value", f"{'.'.join(map(str, path))}: {text}" + ("" if text.endswith((".", "?")) else ".")
            )

    def done(self) -> None:
        """Raise all problems at once, in the order of the file.

        Raises:
            ScenarioError: there are problems.
        """
        if self.problems:
            raise ScenarioError(sorted(self.problems, key=lambda p: (p.file, p.line, p.column)))


def read_document(path: Path, shown: str | None = None) -> Document:
    """Read one YAML file.

    Args:
        path: The file.
        shown: The name to print in problems; the path as given by default.

    Raises:
        InputError: the file cannot be read.
        ScenarioError: it is not YAML (one problem, with its place).
    """
    file = shown or str(path)
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise InputError(
            f"{file}: there is no such file. Check the path, or see the catalogue with 'labsim list'."
        ) from None
    except UnicodeDecodeError as error:
        raise ScenarioError(
            [Problem(file, 1, 1, "encoding", f"the file is not UTF-8 ({error.reason}).", "Save it as UTF-8.")]
        ) from None
    except OSError as error:
        raise InputError(f"{file}: cannot be read ({error.strerror}).") from None
    return parse_document(text, file)


def parse_document(text: str, file: str) -> Document:
    """Parse YAML text; see `read_document`."""
    loader = _Loader(text)
    try:
        node = loader.get_single_node()
        if node is None:
            raise ScenarioError([Problem(file, 1, 1, "empty", "the file is empty.")])
        problems: list[Problem] = []
        root = _positions(node, file, problems, 0)
        data = loader.construct_document(node) if not problems else {}
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line, column = (mark.line + 1, mark.column + 1) if mark else (1, 1)
        raise ScenarioError(
            [Problem(file, line, column, "yaml", f"this is not YAML: {error.problem or error.context}.")]
        ) from None
    except yaml.YAMLError as error:
        raise ScenarioError([Problem(file, 1, 1, "yaml", f"this is not YAML: {error}.")]) from None
    except (RecursionError, ValueError) as error:
        raise ScenarioError([Problem(file, 1, 1, "yaml", f"this cannot be read as data: {error}.")]) from None
    finally:
        loader.dispose()
    if problems:
        raise ScenarioError(problems)
    return Document(file, data, root)


def _positions(node: Any, file: str, problems: list[Problem], depth: int) -> Position:
    here = Position(node.start_mark.line + 1, node.start_mark.column + 1)
    if depth > _DEPTH:
        problems.append(Problem(file, here.line, here.column, "yaml", f"nested more than {_DEPTH} levels deep."))
        return here
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            name = _scalar(key)
            child = _positions(value, file, problems, depth + 1)
            child.key_line, child.key_column = key.start_mark.line + 1, key.start_mark.column + 1
            if name in here.inside:
                first = here.inside[name]
                message = f"the key {name!r} stands twice; the first is on line {first.key_line}."
                problems.append(Problem(file, child.key_line, child.key_column, "duplicate-key", message))
            here.inside[name] = child
    elif isinstance(node, yaml.SequenceNode):
        for index, item in enumerate(node.value):
            here.inside[index] = _positions(item, file, problems, depth + 1)
    return here


def _scalar(node: Any) -> Key:
    value = getattr(node, "value", "")
    if getattr(node, "tag", "").endswith(":int"):
        try:
            return int(value, 0)
        except ValueError:
            return str(value)
    return value if isinstance(value, str) else str(value)


def _path(loc: Iterable[Key], value: Any) -> Iterator[Key]:
    """The parts of a pydantic location that are really in the data (it adds the names of union members)."""
    parts = list(loc)
    for index, part in enumerate(parts):
        if isinstance(value, dict) and part in value:
            value = value[part]
            yield part
        elif isinstance(value, (list, tuple)) and isinstance(part, int) and part < len(value):
            value = value[part]
            yield part
        elif index == len(parts) - 1 and isinstance(value, dict) and isinstance(part, str) and "[" not in part:
            yield part


def _fields(model: Any, loc: Iterable[Key]) -> list[str]:
    """Names that may stand where an unknown key was found: the fields of the model at ``loc``."""
    for part in loc:
        if isinstance(model, type) and issubclass(model, BaseModel) and isinstance(part, str):
            names = {info.alias or name: info.annotation for name, info in model.model_fields.items()}
            model = names.get(part, model)
        while not (isinstance(model, type) and issubclass(model, BaseModel)):
            inner = [a for a in getattr(model, "__args__", ()) if a is not type(None) and a not in (str, int)]
            if not inner:
                return []
            model = inner[-1]
    return (
        [info.alias or name for name, info in model.model_fields.items()]
        if isinstance(model, type) and issubclass(model, BaseModel)
        else []
    )
