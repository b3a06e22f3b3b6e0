"""``labsim schema``: the JSON Schema of ``scenario.yaml``, for editors that complete and check while an author types."""

from __future__ import annotations

import json

import typer


def schema() -> None:
    """Print the JSON Schema of scenario.yaml, with the parameters of every installed check."""
    from labsim.lab.catalogue import LabCatalogue
    from labsim.scenario.schema import scenario_schema

    typer.echo(json.dumps(scenario_schema(LabCatalogue()), ensure_ascii=False, indent=2))
