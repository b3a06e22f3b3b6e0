"""Faults of endpoints: what can go wrong with a server itself, by protocol, for scenarios, lint, schema and ``labsim fault``."""

from __future__ import annotations

from labsim.plant.fault_spec import FaultParameter, FaultSpec
from labsim.text import Text, tr

ENDPOINT_FAULTS: dict[str, dict[str, FaultSpec]] = {
    "modbus": {
        "connection-limit": FaultSpec(
            title=tr("connection limit", "連接數限制", "连接数限制"), catalogue="N02",
            about=Text.of("No more than so many connections are let in; those that are there stay."),
            parameters={
                "sessions": FaultParameter(title=Text.of("Connections"), range=(0, 1000), default=1),
                "hang": FaultParameter(title=Text.of("1: the others are left to hang; 0: refused"), range=(0, 1), default=0),
            },
        ),
    },
    "opcua": {},
    "mqtt": {},
}  # fmt: skip
"""By protocol and name."""
