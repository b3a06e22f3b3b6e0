"""The JSON Schema for editors."""

from __future__ import annotations

import json

from labsim.scenario.schema import scenario_schema


def test_the_schema_knows_devices_checks_and_their_parameters(catalogue):
    """An editor can complete what the catalogue has."""
    schema = scenario_schema(catalogue)
    json.dumps(schema)
    assert "folder" not in schema["properties"]
    definitions = schema["$defs"]
    assert definitions["PlantDevice"]["properties"]["type"]["enum"] == ["mill", "power-meter"]
    polled = definitions["CheckSpec"]["properties"]["modbus.polled"]
    assert {"device", "every", "for", "marks", "depends", "id", "title"} <= set(polled["properties"])
    assert set(polled["required"]) == {"device", "every", "marks"}


def test_a_placeholder_may_stand_for_a_number(catalogue):
    """Where a port is a number, "${port}" is right too; the scenario's minutes are not drawn."""
    schema = scenario_schema(catalogue)
    port = schema["$defs"]["ModbusSpec"]["properties"]["port"]
    assert {"type": "string", "pattern": r"\$\{[A-Za-z0-9_-]+\}"} in port["anyOf"]
    assert schema["properties"]["minutes"]["type"] == "integer"


def test_without_a_catalogue_any_check_is_right():
    """The schema of the file alone says nothing about what is installed."""
    assert scenario_schema()["$defs"]["CheckSpec"]["maxProperties"] == 1
