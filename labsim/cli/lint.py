"""``labsim lint``: every problem of scenarios at once."""

from __future__ import annotations

from pathlib import Path

import typer

from labsim.cli import options as opt
from labsim.cli.output import out, print_json
from labsim.errors import InputError


def lint(
    paths: list[Path] = typer.Argument(help="Scenario folders or files, or folders of scenarios."),
    as_json: bool = opt.JSON,
) -> int:
    """Check scenarios: every problem with its file, line and column. Exit code 2 when there are any."""
    from labsim.lab.catalogue import LabCatalogue
    from labsim.lab.models import lint_models
    from labsim.scenario.load import lint_scenario

    catalogue, problems = LabCatalogue(), []
    for folder in scenario_folders(paths):
        problems += [*lint_scenario(folder, catalogue), *lint_models(folder)]
    if as_json:
        print_json({"problems": [problem.to_json() for problem in problems]})
    else:
        for problem in problems:
            out().print(str(problem), markup=False, soft_wrap=True)
        out().print(f"{len(problems)} problem{'s' * (len(problems) != 1)}" if problems else "[green]✔[/] no problems")
    return 2 if problems else 0


def scenario_folders(paths: list[Path]) -> list[Path]:
    """The scenarios that ``paths`` name: a scenario's folder, its file, an id, or a folder of scenarios."""
    from labsim.scenario.folder import find_scenario

    found: list[Path] = []
    for path in paths:
        inside = sorted(p.parent for p in path.glob("*/scenario.yaml")) if path.is_dir() else []
        if inside and not (path / "scenario.yaml").exists():
            found += inside
        else:
            found.append(path if path.suffix in (".yaml", ".yml") and path.is_file() else find_scenario(str(path)))
    if not found:
        raise InputError("there is no scenario.yaml below the given paths.")
    return found
