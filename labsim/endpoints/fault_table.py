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
    "opcua": {
        "restart": FaultSpec(
            title=tr("server restarted", "服務器重啟", "服务器重启"), catalogue="N19",
            about=Text.of(
                "The server restarts and has its namespaces in another order: node ids with a remembered index point elsewhere. "
                "When it ends, the server restarts in the old order."
            ),
        ),
        "certificate-expired": FaultSpec(
            title=tr("certificate expired", "證書過期", "证书过期"), catalogue="N17",
            about=Text.of("The server's certificate is out of date; new channels have it."),
        ),
        "certificate-changed": FaultSpec(
            title=tr("new certificate", "證書已更換", "证书已更换"), catalogue="N18",
            about=Text.of("The server has a new certificate that no client trusts; new channels have it."),
        ),
    },
    "mqtt": {
        "retained-stale": FaultSpec(
            title=tr("retained messages stale", "保留消息陳舊", "保留消息陈旧"), catalogue="N11",
            about=Text.of("Messages stay retained from the beginning of the fault: who subscribes gets an old value first."),
        ),
        "sequence-gap": FaultSpec(
            title=tr("sequence gap", "序號缺失", "序号缺失"), catalogue="N13",
            about=Text.of("Data messages of the Sparkplug edge node are lost: their numbers are missing."),
            parameters={"messages": FaultParameter(title=Text.of("How many are lost"), range=(1, 255), default=1)},
        ),
        "restart-without-birth": FaultSpec(
            title=tr("restart without birth", "重啟而無上線消息", "重启而无上线消息"), catalogue="N13",
            about=Text.of("The Sparkplug edge node begins its sequence anew without a birth, until a host asks for one."),
        ),
    },
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
