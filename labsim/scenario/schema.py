"""The JSON Schema of ``scenario.yaml``, for editors that complete and check while the author writes."""

from __future__ import annotations

from typing import Any

from labsim.scenario.catalogue import Catalogue
from labsim.scenario.fields import nested_keys
from labsim.scenario.form import PENALTY_KEYS, TASK_KEYS
from labsim.scenario.include import ready_plants
from labsim.scenario.model import ScenarioFile
from labsim.scenario.placeholder import SECTIONS

_ANYWHERE = r"\$\{[A-Za-z0-9_-]+\}"
_PLACEHOLDER = {"type": "string", "pattern": _ANYWHERE}
_PLAIN = ("integer", "number", "boolean")
_INNER = "InnerCheck"
"""A check inside a check, which has no marks of its own."""


def scenario_schema(catalogue: Catalogue | None = None) -> dict[str, Any]:
    """A JSON Schema (draft 2020-12); with a catalogue, device types and checks with their parameters are in it."""
    schema = ScenarioFile.model_json_schema()
    definitions = schema["$defs"]
    for name, own in (("CheckSpec", TASK_KEYS), ("Penalty", PENALTY_KEYS)):
        general = definitions.pop(name)["properties"]
        definitions[name] = _check_schema(catalogue, {key: general[key] for key in own}, definitions)
    definitions[_INNER] = _check_schema(catalogue, {}, definitions)
    _open_timeline(definitions["TimelineEntry"], catalogue)
    if catalogue is not None:
        kind = definitions["PlantDevice"]["properties"]["type"]
        kind |= {"enum": sorted(catalogue.device_types())}
        del kind["pattern"]
        schema["properties"]["include"]["items"]["examples"] = list(ready_plants())
    _allow_includes(schema)
    for name in (
        "CheckSpec",
        "Penalty",
        _INNER,
        "EndpointSpec",
        "ModbusSpec",
        "OpcuaSpec",
        "OpcuaSecurity",
        "OpcuaLimits",
        "MqttSpec",
        "SparkplugSpec",
        "MqttAccount",
        "MqttTls",
        "MqttWeb",
        "MqttLimits",
        "TimelineEntry",
        "Trigger",
        "FlowSpec",
        "Hint",
    ):
        definitions[name] = _open_to_placeholders(definitions[name])
    for section in SECTIONS:
        schema["properties"][section] = _open_to_placeholders(schema["properties"][section])
    schema["$schema"] = "https://json-schema.org/draft/2020-12/schema"
    schema["title"] = "labsim scenario"
    return schema


def _allow_includes(schema: dict[str, Any]) -> None:
    """With ``include`` there may be no ``plant``, and its devices need no ``type``, for a ready plant may bring both."""
    device = schema["$defs"]["PlantDevice"]
    typed = device.pop("required")
    schema["required"].remove("plant")
    schema["if"] = {"not": {"required": ["include"]}}
    schema["then"] = {
        "required": ["plant"],
        "properties": {"plant": {"additionalProperties": {"required": typed}}},
    }


def _open_timeline(entry: dict[str, Any], catalogue: Catalogue | None) -> None:
    """Put the parameters of faults beside the keys of an entry, where an author writes them."""
    properties = entry["properties"]
    del properties["params"]
    if catalogue is None:
        entry["additionalProperties"] = True
        return
    for name, schema in catalogue.fault_schema().items():
        known = properties.get(name)
        if known is None:
            properties[name] = schema
        elif name == "fault":
            properties[name] = {**schema, "description": known["description"]}
        else:
            more = schema.pop("description", "")
            said = " ".join(filter(None, (known.pop("description", ""), more)))
            properties[name] = {"description": said, "anyOf": [known, schema]}


def _check_schema(catalogue: Catalogue | None, general: dict[str, Any], definitions: dict[str, Any]) -> dict[str, Any]:
    """One name with its parameters and the general keys."""
    names: dict[str, Any] = {}
    for check in sorted(catalogue.checks()) if catalogue is not None else ():
        model = catalogue.check_params(check) if catalogue is not None else None
        params = model.model_json_schema() if model is not None else {}
        definitions.update({name: _open_to_placeholders(part) for name, part in params.pop("$defs", {}).items()})
        params.setdefault("type", "object")
        params["description"] = catalogue.check_about(check) if catalogue is not None else ""
        params["properties"] = {**params.get("properties", {}), **general}
        params["required"] = [*params.get("required", []), *(["marks"] if "marks" in general else [])]
        for key in nested_keys(model) if model is not None else ():
            params["properties"][key]["items"] = {"anyOf": [{"$ref": f"#/$defs/{_INNER}"}, {"type": "string"}]}
        names[check] = params
    closed = (
        {"properties": names, "additionalProperties": False} if names else {"additionalProperties": {"type": "object"}}
    )
    return {"type": "object", "minProperties": 1, "maxProperties": 1, **closed}


def _open_to_placeholders(schema: Any) -> Any:
    """The schema with every number, boolean and choice also allowed to be a placeholder, and every text to hold one."""
    if isinstance(schema, list):
        return [_open_to_placeholders(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    if schema.get("type") in _PLAIN or "enum" in schema or "const" in schema:
        shown = {key: schema[key] for key in ("title", "description", "default") if key in schema}
        return {**shown, "anyOf": [{k: v for k, v in schema.items() if k not in shown}, dict(_PLACEHOLDER)]}
    opened = {
        key: value if key in ("default", "examples") else _open_to_placeholders(value) for key, value in schema.items()
    }
    if isinstance(opened.get("pattern"), str):
        opened["pattern"] = _or_placeholder(opened["pattern"])
    if "patternProperties" in opened:
        opened["patternProperties"] = {_or_placeholder(p): part for p, part in opened["patternProperties"].items()}
    return opened


def _or_placeholder(pattern: str) -> str:
    return pattern if pattern.startswith(_ANYWHERE) else f"{_ANYWHERE}|{pattern}"
