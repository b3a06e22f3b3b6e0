"""Companion models that a scenario brings: judged before the lab starts, each problem with its file and line."""

from __future__ import annotations

from pathlib import Path

from labsim.document import read_document
from labsim.errors import InputError, Problem, ScenarioError
from labsim.scenario.load import FILE


def lint_models(path: Path) -> list[Problem]:
    """Every problem of the UANodeSet files of a scenario; a name that a variant fills in is not looked at.

    Raises:
        InputError: the scenario cannot be read.
    """
    file = path / FILE if path.is_dir() else path
    try:
        document = read_document(file)
    except ScenarioError:  # told by `lint_scenario`
        return []
    found: list[Problem] = []
    for where, spec in document.each("endpoints", "*", "opcua"):
        names = spec.get("nodesets") if isinstance(spec, dict) else None
        if isinstance(names, list) and names and all(isinstance(name, str) and "$" not in name for name in names):
            problems = _lint(file.parent, names)
            for index, name in enumerate(names):
                if not (file.parent / name).is_file():
                    document.problem(
                        (*where, "nodesets", index), "no-file", f"there is no file {name!r} in the scenario's folder."
                    )  # fmt: skip
            found += problems
    return [*document.problems, *found]


def _lint(folder: Path, names: list[str]) -> list[Problem]:
    """The problems of some files, laid upon each other in their order."""
    from labsim.endpoints.opcua.core.nodes import Space
    from labsim.endpoints.opcua.core.standard import standard_space
    from labsim.endpoints.opcua.namespaces import Namespaces
    from labsim.endpoints.opcua.nodeset import NodeSet, load_nodeset, merge_nodesets

    models: list[NodeSet] = []
    problems: list[Problem] = []
    for name in names:
        try:
            models.append(load_nodeset(folder / name, str(folder / name)))
        except ScenarioError as error:
            problems += error.problems
        except InputError:  # there is no such file: told where it is named
            return problems
    if not problems:
        namespaces = Namespaces((), [uri for model in models for uri in model.uris])
        try:
            merge_nodesets(Space(standard_space()), models, namespaces.index)
        except ScenarioError as error:
            problems += error.problems
    return problems
