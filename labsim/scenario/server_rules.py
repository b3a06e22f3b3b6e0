"""Whether there is the OPC UA server that a check names."""

from __future__ import annotations

from labsim.document import Document
from labsim.errors import did_you_mean
from labsim.scenario.nesting import every_check
from labsim.scenario.opcua import OpcuaSpec

_FAMILY, _KEY = "opcua.", "server"


def judge_servers(document: Document) -> None:
    """Note every check of an OPC UA server that the scenario does not have."""
    specs = [spec for _, spec in document.each("endpoints", "*", "opcua") if isinstance(spec, dict)]
    names = [str(spec.get("name", OpcuaSpec.model_fields["name"].default)) for spec in specs]
    for path, check, params in every_check(document):
        wanted = params.get(_KEY)
        if not check.startswith(_FAMILY) or not isinstance(wanted, str) or wanted in names:
            continue
        document.problem(
            (*path, _KEY), "unknown-server", f"there is no OPC UA server {wanted!r}.", did_you_mean(wanted, names)
        )
