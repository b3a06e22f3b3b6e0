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


def _time(title: str, default: float | None = None) -> FaultParameter:
    return FaultParameter(title=Text.of(title), unit="s", range=(0, 86400), default=default)


LINK_FAULTS: dict[str, FaultSpec] = {
    "slow": FaultSpec(
        title=tr("slow link", "鏈路緩慢", "链路缓慢"), catalogue="N01",
        about=Text.of("Everything comes later, in order."),
        parameters={"delay": _time("Delay each way"), "jitter": _time("Up to how much earlier or later")},
    ),
    "throttle": FaultSpec(
        title=tr("narrow link", "鏈路限速", "链路限速"), about=Text.of("Bytes trickle."),
        parameters={"rate": FaultParameter(title=Text.of("Bytes per second"), range=(1, 1e9))},
    ),
    "black-hole": FaultSpec(
        title=tr("black hole", "黑洞", "黑洞"), catalogue="N03", about=Text.of("Bytes are taken and nothing is answered."),
    ),
    "flap": FaultSpec(
        title=tr("flapping link", "鏈路時斷時續", "链路时断时续"), about=Text.of("A black hole by turns."),
        parameters={
            "period": _time("One turn"),
            "duty": FaultParameter(title=Text.of("Part of it in which the link works"), range=(0.01, 0.99), default=0.5),
        },
    ),
    "reset": FaultSpec(title=tr("reset", "連接重置", "连接重置"), about=Text.of("Every connection is cut with a TCP reset.")),
    "refuse": FaultSpec(title=tr("refuse", "拒絕連接", "拒绝连接"), about=Text.of("New connections are reset.")),
}  # fmt: skip
"""States of a link; `labsim.scenario.link` judges their parameters."""
