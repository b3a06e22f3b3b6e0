"""``labsim schema``: the JSON Schemas of what labsim reads and writes, for editors and for other programs."""

from __future__ import annotations

import json
from enum import StrEnum

import typer


class Of(StrEnum):
    """What there is a schema of."""

    SCENARIO = "scenario"
    VERDICT = "verdict"


def schema(
    of: Of = typer.Argument(Of.SCENARIO, help="scenario.yaml with every installed device and check, or the verdict."),
) -> None:
    """Print a JSON Schema: of scenario.yaml, for editors that complete and check while an author types, or of the verdict."""
    if of is Of.VERDICT:
        from importlib.resources import files

        typer.echo(files("labsim.report").joinpath("verdict.schema.json").read_text(encoding="utf-8"), nl=False)
        return
    from labsim.lab.catalogue import LabCatalogue
    from labsim.scenario.schema import scenario_schema

    typer.echo(json.dumps(scenario_schema(LabCatalogue()), ensure_ascii=False, indent=2))
