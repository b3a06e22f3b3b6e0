"""The JSON Schema for editors."""

from __future__ import annotations

import json

from jsonschema import Draft202012Validator

from labsim.lab.catalogue import LabCatalogue
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


def test_a_scenario_with_a_ready_plant_fits_the_schema(catalogue):
    """With ``include``, an editor asks for no plant and for no type; without, for both."""
    schema = scenario_schema(catalogue)
    whole = {
        "labsim": 1, "id": "a", "title": "A", "level": "junior", "minutes": 5, "endpoints": [],
        "tasks": [{"id": "a", "title": "A", "marks": 1, "checks": [{"plant.never": {"tag": "a.b", "marks": 1}}]}],
    }  # fmt: skip
    flows = {"flows": [{"from": "a.parts_out", "to": "b.parts_in", "buffer": "${size}"}], "crew": 2}
    good = Draft202012Validator(schema)
    assert good.is_valid({**whole, **flows, "include": ["pack"]})
    assert good.is_valid({**whole, "include": ["pack"], "plant": {"fill1": {"settings": {}}}})
    assert not good.is_valid(whole)
    assert not good.is_valid({**whole, "plant": {"fill1": {"settings": {}}}})
    assert not good.is_valid({**whole, "include": ["pack"], "flows": [{"from": "a.b"}]})


def test_checks_inside_a_check_are_completed_too():
    """They have the same parameters and no marks."""
    definitions = scenario_schema(LabCatalogue())["$defs"]
    inside = definitions["CheckSpec"]["properties"]["any"]["properties"]["checks"]["items"]
    assert {"$ref": "#/$defs/InnerCheck"} in inside["anyOf"]
    inner = definitions["InnerCheck"]["properties"]["opcua.read"]
    assert "tags" in inner["properties"]
    assert "marks" not in inner["properties"]
    low = definitions["Condition"]["properties"]["low"]
    assert any("pattern" in str(branch) for branch in low["anyOf"])
