"""What a rogue client may do, by the protocol of the endpoint it comes to: for scenarios, lint, schema and ``labsim fault``.

Times are in seconds of plant time. A client comes from 127.0.0.``host`` where the computer has the address.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from labsim.errors import InputError
from labsim.plant.fault_spec import FaultParameter, FaultSpec
from labsim.text import Text, tr

VICTIM, INTO = "victim", "into"
"""Parameters that name a tag of the plant, as ``device.tag``."""
DEVICE = "victim_device"
"""The parameter that names a device."""


def _number(title: str, default: float | None, low: float, high: float, unit: str | None = None) -> FaultParameter:
    return FaultParameter(title=Text.of(title), default=default, range=(low, high), unit=unit)


def _text(title: str) -> FaultParameter:
    return FaultParameter(title=Text.of(title), of="text")


_VICTIM = {VICTIM: _text("The tag that is written, as device.tag")}
_VALUE = {"value": _number("What is written", None, -1e12, 1e12)}
_USER = {
    "user": _text("User name; the first account of the endpoint that may write by default"),
    "password": _text("Password; that of the account by default"),
}
_LOGIN = {"user": _text("User name that is tried; the first account of the endpoint by default")}
_CLIENT = {"client_id": _text("What the client calls itself; a name of its own by default")}


def _every(seconds: float) -> dict[str, FaultParameter]:
    return {"every": _number("Time between two acts; 0: once", seconds, 0, 86400, "s")}


def _attack(title: Text, catalogue: str, about: str, *parameters: Mapping[str, FaultParameter]) -> FaultSpec:
    """One row; every attack has the last number of its address."""
    whole = {name: one for part in parameters for name, one in part.items()}
    host = {"host": _number("Last number of its address 127.0.0.N", 66, 2, 254)}
    return FaultSpec(title=title, catalogue=catalogue, about=Text.of(about), parameters=whole | host)


def _with_user(spec: FaultSpec) -> FaultSpec:
    return spec.model_copy(update={"parameters": spec.parameters | _USER})


_MEASUREMENTS = _attack(
    tr("false measurements", "偽造測量值", "伪造测量值"), "C02",
    "A measurement that others hand to a controller is overwritten again and again with values near `value`.",
    _VICTIM, _VALUE, {"spread": _number("How far they scatter", 0, 0, 1e12)}, _every(1),
)  # fmt: skip
_REPLAY = _attack(
    tr("record and play", "錄製重放", "录制重放"), "C03",
    "Values of `victim` are recorded and then written again and again in place of what is true.",
    _VICTIM, {INTO: _text("The tag they are written to; the recorded one by default")},
    {"record": _number("How long is recorded", 30, 0.1, 86400, "s")}, _every(1),
)  # fmt: skip
_SAFETY = _attack(
    tr("safety setting changed", "安全設置被改", "安全设置被改"), "C07",
    "A limit or a switch that protects people or the machine is written.", _VICTIM, _VALUE, _every(0),
)  # fmt: skip
_FLOOD = _attack(
    tr("session flood", "會話洪泛", "会话洪泛"), "C12",
    "Connections are opened, ten at a time, and held, until the server takes no more.",
    {"sessions": _number("Connections at most", 50, 1, 200)}, _every(1),
)  # fmt: skip
_BRUTE = _attack(
    tr("password guessing", "密碼暴力破解", "密码暴力破解"), "C08", "One password after another is tried, until one is right.",
    _LOGIN, _every(1),
)  # fmt: skip
_DEFAULT = _attack(
    tr("default password", "默認密碼", "默认密码"), "C05",
    "The passwords that makers deliver with are tried; where one lets in, `victim` is written.",
    _LOGIN, _VICTIM, _VALUE, _every(0),
)  # fmt: skip

ROGUE_FAULTS: dict[str, dict[str, FaultSpec]] = {
    "modbus": {
        "write": _attack(
            tr("unauthorised writes", "未授權寫入", "未授权写入"), "C01",
            "A foreign master writes a register, with FC06 or FC05 where one is enough and FC16 where not.",
            _VICTIM, _VALUE, _every(5),
        ),
        "false-measurements": _MEASUREMENTS,
        "replay": _REPLAY,
        "safety-change": _SAFETY,
        "scan": _attack(
            tr("register scan", "寄存器掃描", "寄存器扫描"), "C10",
            "Holding registers are read one by one, whether they are there or not: many exceptions 02.",
            {
                "unit": _number("Unit id; the first of the endpoint by default", None, 0, 255),
                "first": _number("First address", 0, 0, 65535), "last": _number("Last address", 65535, 0, 65535),
                "burst": _number("Requests at a time", 10, 1, 100),
            },
            _every(1),
        ),
        "counter-reset": _attack(
            tr("counter reset over the wire", "計數器遭遠程清零", "计数器遭远程清零"), "C11",
            "A counter is set to 0 with one FC16.", _VICTIM, _every(0),
        ),
        "session-flood": _FLOOD,
    },
    "opcua": {
        "write": _attack(
            tr("unauthorised writes", "未授權寫入", "未授权写入"), "C01",
            "A foreign client writes a tag, as a user when one is given.",
            _VICTIM, _VALUE, {name: _text(f"{name.capitalize()}; none by default") for name in _USER}, _every(5),
        ),
        "false-measurements": _with_user(_MEASUREMENTS),
        "replay": _with_user(_REPLAY),
        "takeover": _attack(
            tr("operator station taken over", "操作站被控", "操作站被控"), "C04",
            "Somebody logs in as an operator and changes a set-point.", _VICTIM, _VALUE, _USER, _every(0),
        ),
        "default-password": _DEFAULT,
        "alarms-off": _attack(
            tr("alarms switched off", "報警被停用", "报警被停用"), "C06",
            "Every alarm of a device is disabled, and a command is given when `victim` and `value` are.",
            {DEVICE: _text("The device whose alarms are disabled")}, _VICTIM, _VALUE, _USER, _every(5),
        ),
        "safety-change": _with_user(_SAFETY),
        "brute-force": _BRUTE,
        "session-flood": _FLOOD,
    },
    "mqtt": {
        "spoofed-publish": _attack(
            tr("spoofed publish", "偽造發佈", "伪造发布"), "C09",
            "A foreign client publishes where others do, or a command to `victim`.",
            {"topic": _text("The topic"), "payload": _text("What is published")}, _VICTIM, _VALUE, _CLIENT,
            {name: _text(f"{name.capitalize()}; none by default") for name in _USER},
            {"retain": _number("1: retained", 0, 0, 1)}, _every(5),
        ),
        "default-password": _DEFAULT,
        "brute-force": _BRUTE,
        "session-flood": _FLOOD,
        "duplicate-client-id": _attack(
            tr("duplicate client id", "客戶端標識重複", "客户端标识重复"), "N12",
            "A second client comes with the client id of another: the broker hangs up on whoever was there.",
            {"client_id": _text("The client id")}, _every(2),
        ),
        "twin-edge-node": _attack(
            tr("two edge nodes with one id", "邊緣節點標識重複", "边缘节点标识重复"), "N14",
            "A second Sparkplug edge node with the id of ours is born and sends data: bdSeq and seq interleave.", _every(1),
        ),
        "late-ndeath": _attack(
            tr("late NDEATH", "遲到的 NDEATH", "迟到的 NDEATH"), "N15",
            "The NDEATH of an earlier session of our Sparkplug edge node comes while the node is alive.",
            {"bd_seq": _number("Its bdSeq", 255, 0, 255)}, _every(0),
        ),
        "old-state": _attack(
            tr("old STATE message", "過期的 STATE 消息", "过期的 STATE 消息"), "N16",
            "A host's STATE of long ago says that it is offline.",
            {
                "application": _text("The host application; the primary host of the edge node by default"),
                "age": _number("How old it is", 3600, 1, 1e9, "s"),
            },
            _every(0),
        ),
    },
}  # fmt: skip
"""By protocol and name."""

_NEEDED = {
    "write": (VICTIM, "value"), "false-measurements": (VICTIM, "value"), "replay": (VICTIM,),
    "safety-change": (VICTIM, "value"), "counter-reset": (VICTIM,), "takeover": (VICTIM, "value"), "alarms-off": (DEVICE,),
    "duplicate-client-id": ("client_id",),
}  # fmt: skip


def parse_attack(protocol: str, attack: str, given: Mapping[str, Any]) -> dict[str, float | str]:
    """The parameters of an attack, complete.

    Raises:
        UnknownNameError: a parameter that it does not have.
        InputError: a value that a parameter does not take, or a parameter that lacks.
    """
    found = ROGUE_FAULTS[protocol][attack].parse(given)
    lacking = [name for name in _NEEDED.get(attack, ()) if name not in found]
    if lacking:
        raise InputError(f"{attack} needs {' and '.join(repr(name) for name in lacking)}.")
    if attack == "spoofed-publish" and ("topic" in found, "payload" in found) != (VICTIM not in found,) * 2:
        raise InputError("spoofed-publish takes 'topic' and 'payload', or 'victim' and 'value'.")
    if VICTIM in found and "value" not in found and attack not in ("replay", "counter-reset"):
        raise InputError(f"{attack} with 'victim' needs 'value'.")
    if float(found.get("last", 0)) < float(found.get("first", 0)):
        raise InputError("'last' is before 'first'.")
    return found
