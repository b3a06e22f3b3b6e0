"""A scenario's folder: ``scenario.yaml``, ``brief.<lang>.md``, ``solution.py``, ``wrong/*.py`` and what else it needs."""

from __future__ import annotations

import ast
import importlib.resources
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from pydantic import BaseModel

from labsim.document import read_document
from labsim.document.document import read_text
from labsim.errors import InputError, Problem, ScenarioError, UnknownNameError
from labsim.scenario.include import included_files
from labsim.scenario.model import ScenarioFile
from labsim.text import Text

FILE = "scenario.yaml"
_LARGEST = 50_000_000
_LEFT_OUT = {"solution.py", "wrong", "__pycache__"}


@dataclass(frozen=True, slots=True)
class Entry:
    """A scenario as the catalogue lists it."""

    id: str
    title: Text
    level: str
    minutes: int
    competences: tuple[str, ...]
    folder: Path


@dataclass(frozen=True, slots=True)
class WrongAnswer:
    """A script that does one thing wrong, and what that must cost.

    Attributes:
        path: The script.
        loses: Marks lost by task (or by penalty).
        line: Where it says so.
    """

    path: Path
    loses: Mapping[str, float]
    line: int


class _Head(BaseModel):
    """The keys of `ScenarioFile` that the catalogue shows; everything else is passed over."""

    id: str
    title: Text
    level: str
    minutes: int
    competences: tuple[str, ...] = ()


def builtin_scenarios() -> dict[str, Path]:
    """Folders of the scenarios that come with labsim, by name."""
    root = Path(str(importlib.resources.files("scenarios")))
    return {path.parent.name: path.parent for path in sorted(root.glob(f"*/{FILE}"))}


def find_scenario(name: str | Path) -> Path:
    """The folder of a scenario: one of ours by its id, else by the path of its folder or of its ``scenario.yaml``.

    Raises:
        InputError: the path exists and holds no scenario.
        UnknownNameError: nothing is called that; names the nearest of ours.
    """
    ours = builtin_scenarios()
    if str(name) in ours:
        return ours[str(name)]
    path = Path(name)
    if path.name == FILE and path.is_file():
        return path.parent
    if (path / FILE).is_file():
        return path
    if path.exists():
        raise InputError(f"{name}: there is no {FILE} here. Give the folder that holds it.")
    raise UnknownNameError("scenario", str(name), ours)


def scenario_files(folder: Path) -> dict[str, bytes]:
    """The files an attempt keeps, by path below the folder with ``/``: everything but the answers and what is hidden.

    The ready plants that the scenario includes are among them, wherever they lie.

    Raises:
        InputError: they are too many for a scenario, as when the folder is somebody's home.
    """
    found: dict[str, bytes] = {}
    size = 0
    for path in sorted(folder.rglob("*")):
        parts = path.relative_to(folder).parts
        if parts[0] in _LEFT_OUT or any(part.startswith(".") or part == "__pycache__" for part in parts):
            continue
        if any((folder / Path(*parts[:depth]) / "manifest.json").exists() for depth in range(1, len(parts))):
            continue  # an attempt that somebody keeps here
        if not path.is_file() or path.suffix == ".pyc":
            continue
        size += path.stat().st_size
        if size > _LARGEST:
            raise InputError(
                f"{folder}: the files here are more than {_LARGEST // 10**6} MB. Keep a scenario in a folder of its own."
            )
        found["/".join(parts)] = path.read_bytes()
    return found | included_files(folder, folder / FILE)


def wrong_answers(folder: Path) -> list[WrongAnswer]:
    """The scripts of ``wrong/``, each with its module constant ``LOSES = {"task": marks}``; none is run or imported.

    Raises:
        ScenarioError: scripts that do not say what they lose.
    """
    found, problems = [], []
    for path in sorted((folder / "wrong").glob("*.py")):
        try:
            found.append(_wrong_answer(path))
        except SyntaxError as error:
            message = f"this is not Python: {error.msg}."
            problems.append(Problem(str(path), error.lineno or 1, error.offset or 1, "bad-wrong-answer", message))
        except ScenarioError as error:
            problems += error.problems
    if problems:
        raise ScenarioError(problems)
    return found


def _wrong_answer(path: Path) -> WrongAnswer:
    try:
        tree = ast.parse(read_text(path, str(path)))
    except ValueError as error:  # a null byte
        raise SyntaxError(str(error)) from None
    for node in tree.body:
        targets = (
            node.targets if isinstance(node, ast.Assign) else [node.target] if isinstance(node, ast.AnnAssign) else []
        )
        if not any(isinstance(target, ast.Name) and target.id == "LOSES" for target in targets):
            continue
        assert isinstance(node, (ast.Assign, ast.AnnAssign))
        try:
            loses = ast.literal_eval(node.value) if node.value is not None else None
        except (ValueError, TypeError):
            loses = None
        if isinstance(loses, dict) and all(
            isinstance(task, str)
            and isinstance(marks, (int, float))
            and not isinstance(marks, bool)
            and 0 < marks < 1e6
            for task, marks in loses.items()
        ):
            return WrongAnswer(path, loses, node.lineno)
        message = "LOSES is not a mapping of task to marks."
        raise ScenarioError([Problem(str(path), node.lineno, node.col_offset + 1, "bad-wrong-answer", message, _FORM)])
    raise ScenarioError([Problem(str(path), 1, 1, "bad-wrong-answer", "there is no constant LOSES.", _FORM)])


_FORM = 'Write LOSES = {"task-id": marks}.'


def peek(folder: Path) -> Entry:
    """What the catalogue shows of a scenario, without judging the rest of it.

    Raises:
        InputError: the file cannot be read.
        ScenarioError: it is not YAML, or lacks what the catalogue shows.
    """
    document = read_document(folder / FILE)
    head = document.validate(_Head, document.data)
    document.done()
    assert head is not None
    return Entry(head.id, head.title, head.level, head.minutes, head.competences, folder)


assert set(_Head.model_fields) <= set(ScenarioFile.model_fields)
