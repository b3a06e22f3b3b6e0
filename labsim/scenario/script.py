"""The author's own checks: whether the file and the function that a ``python`` check names are there. Nothing is run."""

from __future__ import annotations

import ast
from pathlib import Path

from labsim.document import Document
from labsim.document.document import read_text
from labsim.errors import InputError, ScenarioError, did_you_mean
from labsim.scenario.nesting import every_check

CHECK = "python"


def judge_scripts(document: Document, folder: Path) -> None:
    """Note every ``python`` check whose function is not there."""
    for path, name, params in every_check(document):
        run = params.get("run")
        file, _, function = run.partition(":") if isinstance(run, str) and name == CHECK else ("", "", "")
        if not function:
            continue  # another check, or not of the form, which the model has told
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
        document.problem((*path, "run"), "bad-script", message, hint)
