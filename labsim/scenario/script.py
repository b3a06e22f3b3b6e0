"""The author's own checks: whether the file and the function that a ``python`` check names are there. Nothing is run."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from labsim.document import Document, KeyPath
from labsim.document.document import read_text
from labsim.errors import InputError, ScenarioError, did_you_mean

CHECK = "python"


def judge_scripts(document: Document, folder: Path) -> None:
    """Note every ``python`` check whose function is not there."""
    for path, run in _named(document):
        file, _, function = run.partition(":")
        if not function:
            continue  # not of the form, which the model has told
        try:
            tree = ast.parse(read_text(folder / file, file))
        except (InputError, ScenarioError):
            message, hint = f"there is no readable {file} in the scenario's folder.", ""
        except (SyntaxError, ValueError) as error:
            line = f" (line {error.lineno})" if isinstance(error, SyntaxError) and error.lineno else ""
            message, hint = f"{file} is no Python{line}.", ""
        else:
            known = [node.name for node in tree.body if isinstance(node, ast.FunctionDef)]
            if function in known:
                continue
            message, hint = f"{file} has no function {function!r}.", did_you_mean(function, known)
        document.problem(path, "bad-script", message, hint)


def _named(document: Document) -> Iterator[tuple[KeyPath, str]]:
    """What each ``python`` check runs, those inside other checks included."""
    for pattern in (("tasks", "*", "checks", "*"), ("penalties", "*")):
        for path, spec in document.each(*pattern):
            if isinstance(spec, dict):
                yield from _of((*path, "params"), spec.get("check"), spec.get("params"))


def _of(path: KeyPath, name: Any, params: Any) -> Iterator[tuple[KeyPath, str]]:
    if not isinstance(params, dict):
        return
    run, inside = params.get("run"), params.get("checks")
    if name == CHECK and isinstance(run, str):
        yield (*path, "run"), run
    for index, item in enumerate(inside if isinstance(inside, list) else ()):
        if isinstance(item, dict) and len(item) == 1:
            inner, given = next(iter(item.items()))
            yield from _of((*path, "checks", index, inner), inner, given)
