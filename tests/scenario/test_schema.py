"""The JSON Schema for editors."""

from __future__ import annotations

import json

import pytest
from jsonschema import Draft202012Validator

from labsim.document import read_document
from labsim.lab.catalogue import LabCatalogue
from labsim.scenario.folder import builtin_scenarios
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


def test_every_key_is_described():
    """Whoever writes a scenario reads in the editor what each key means; only what a check or fault brings is its own."""
    schema = scenario_schema(LabCatalogue())
    parts = [("scenario", schema), *schema["$defs"].items()]
    for name in ("CheckSpec", "Penalty"):
        parts += [(check, part) for check, part in schema["$defs"][name]["properties"].items()]
        assert all(part["description"] for part in schema["$defs"][name]["properties"].values())
    lacking = [
        f"{name}.{key}"
        for name, part in parts
        if name not in ("CheckSpec", "Penalty")
        for key, value in part.get("properties", {}).items()
        if not str(value.get("description", "")).endswith(".")
    ]
    assert lacking == []


@pytest.mark.parametrize("name", builtin_scenarios())
def test_our_scenarios_are_valid(name):
    """No editor marks anything in a scenario that lint finds good, placeholders included."""
    schema = scenario_schema(LabCatalogue())
    data = read_document(builtin_scenarios()[name] / "scenario.yaml").data
    faults = Draft202012Validator(schema).iter_errors(data)
    assert [f"{list(fault.absolute_path)}: {fault.message}" for fault in faults] == []


def test_a_description_is_the_sentence_of_the_docstring():
    """The models say it once; a base's attributes are those of its heirs too, an alias is found by its field."""
    definitions = scenario_schema()["$defs"]
    assert definitions["MqttAccount"]["properties"]["name"]["description"] == "The user name."
    assert definitions["Trigger"]["properties"]["for"]["description"].startswith("`for`: how long")
    assert "Attributes" not in json.dumps(definitions)
