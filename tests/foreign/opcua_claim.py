"""A claim of OPC UA: how it is read, what its words stand for on the wire, and where a response is not as claimed."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import yaml
from asyncua import ua

FOLDER = Path(__file__).parent / "opcua_claims"
BESIDE = {"as", "expect", "keep", "times", "says", "steps", "unsent_by"}
ENUMERATIONS: dict[str, Any] = {
    "AttributeId": ua.AttributeIds, "TimestampsToReturn": ua.TimestampsToReturn, "MonitoringMode": ua.MonitoringMode,
    "BrowseDirection": ua.BrowseDirection, "NodeClass": ua.NodeClass, "Trigger": ua.DataChangeTrigger,
    "DeadbandType": ua.DeadbandType, "mode": ua.MessageSecurityMode, "SecurityMode": ua.MessageSecurityMode,
    "FilterOperator": ua.FilterOperator, "UaType": ua.VariantType, "TokenType": ua.UserTokenType,
    "ApplicationType": ua.ApplicationType,
}  # fmt: skip
DEVICES = {"mill1": 2, "fill1": 3}
NO_NODES = {"Value", "Text", "BrowseName", "BrowsePath", "TargetName"}


def load() -> dict[str, dict[str, Any]]:
    """Every claim by its name; what its file does before each claim stands in it."""
    found: dict[str, dict[str, Any]] = {}
    for path in sorted(FOLDER.glob("*.yaml")):
        document = yaml.safe_load(path.read_text(encoding="utf-8"))
        for name, claim in document["claims"].items():
            assert name not in found, name
            steps = claim.get("steps") or [claim]
            found[name] = claim | {"steps": [*document.get("before", []), *steps]}
    return found


def service_of(step: dict[str, Any]) -> str:
    """What a step asks for."""
    (name,) = step.keys() - BESIDE
    return str(name)


def at(found: Any, path: str) -> Any:
    """What stands at ``Results.0.MonitoredItemId``."""
    for part in path.split("."):
        found = found[int(part) if part.isdigit() else part]
    return found


def written(value: Any, kept: dict[str, Any], key: str = "") -> Any:
    """A part of a claim with kept values, numbers of enumerations and whole node ids in place of names."""
    if isinstance(value, dict):
        return {name: written(one, kept, name) for name, one in value.items()}
    if isinstance(value, list):
        return [written(one, kept, key) for one in value]
    if not isinstance(value, str):
        finite = not isinstance(value, float) or math.isfinite(value)
        return value if finite else {"inf": "Infinity", "-inf": "-Infinity"}.get(str(value), "NaN")
    if value.startswith("$"):
        return kept[value[1:]]
    if key == "Code":
        return int(getattr(ua.StatusCodes, value))
    if key in ENUMERATIONS:
        return int(ENUMERATIONS[key][value if value != "None" else "None_"])
    index = DEVICES.get(re.split(r"[./]", value)[0])
    return f"ns={index};s={value}" if index and key not in NO_NODES else value


def status_name(status: Any) -> str:
    """The name of a StatusCode; an overflow of a queue stands behind it."""
    code = int((status or {}).get("Code", 0))
    name = str(ua.status_codes.get_name_and_doc(code & 0xFFFF0000)[0])
    return name + ("+Overflow" if code & 0x480 == 0x480 else "")


def plain(found: Any) -> Any:
    """A found value in the form of a claim: names of status codes, numbers of enumerations."""
    if isinstance(found, dict):
        if found.keys() <= {"Code", "Symbol"} and found:
            return status_name(found)
        return {name: plain(one) for name, one in found.items()}
    if isinstance(found, list):
        return [plain(one) for one in found]
    if isinstance(found, str) and (number := re.fullmatch(r"[A-Z]\w*_(\d+)", found)):
        return int(number[1])  # o6 writes enumerations with their names
    return found


OPERATORS: dict[str, Callable[[Any, Any], bool]] = {
    "is_set": lambda found, wanted: (found not in (None, "", [], {})) is wanted,
    "at_least": lambda found, wanted: found is not None and found >= wanted,
    "at_most": lambda found, wanted: found is not None and found <= wanted,
    "count": lambda found, wanted: len(found or []) == wanted,
    "differs": lambda found, wanted: found != wanted,
    "among": lambda found, wanted: found in wanted,
    "has": lambda found, wanted: all(any(not differences(one, part) for part in found or []) for one in wanted),
    "each": lambda found, wanted: bool(found) and all(not differences(wanted, part) for part in found),
    "matches": lambda found, wanted: re.search(wanted, str(found)) is not None,
}


def differences(wanted: Any, found: Any, path: str = "") -> list[str]:
    """Where a response is not as claimed; what a claim does not name may be anything."""
    if isinstance(wanted, dict) and wanted and wanted.keys() <= OPERATORS.keys():
        return [
            f"{path}: {found!r:.300}, not {name} {one!r}"
            for name, one in wanted.items()
            if not OPERATORS[name](found, one)
        ]
    if isinstance(wanted, dict) and isinstance(found, dict):
        return [line for name, one in wanted.items() for line in differences(one, found.get(name), f"{path}.{name}")]
    if isinstance(wanted, list) and isinstance(found, list) and len(wanted) == len(found):
        return [line for i, one in enumerate(wanted) for line in differences(one, found[i], f"{path}.{i}")]
    if isinstance(wanted, float) and isinstance(found, int | float):
        return [] if math.isclose(wanted, found, rel_tol=1e-6) else [f"{path}: {found!r}, not {wanted!r}"]
    absent: tuple[Any, ...] = (None, "", [], {}, "Good") if wanted in ("Good", None, "", []) else ()
    return [] if wanted == found or found in absent else [f"{path}: {found!r:.300}, not {wanted!r}"]
