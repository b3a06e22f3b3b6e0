"""Faults that any tag and any device may have: the one table behind scenarios, lint, schema, ``labsim fault`` and docs/faults.md.

Faults that only one device type has are in its interface (`labsim.plant.fault_spec`), those of links in ``docs/links.md``.
Sizes are in the tag's unit and times in seconds of plant time unless a parameter says otherwise.
"""

from __future__ import annotations

from labsim.plant.fault_spec import FaultParameter, FaultSpec
from labsim.text import Text, tr

_MUCH = (-1e9, 1e9)
_SWITCH = (0, 1)


def _size(title: str, share: float, least: float = _MUCH[0]) -> FaultParameter:
    text = f"{title}; {share * 100:g} % of the tag's range by default"
    return FaultParameter(title=Text.of(text), range=(least, _MUCH[1]), share=share)


def _number(
    title: str, default: float | None, low: float, high: float, unit: str | None = None
) -> FaultParameter:  # fmt: skip
    return FaultParameter(title=Text.of(title), default=default, range=(low, high), unit=unit)


_RAMP = {"ramp": _number("Time over which it grows to its full size", 0, 0, 86400, "s")}
_TURNS = {
    "every": _number("Mean time between two; 0 is all the time", 20, 0, 86400, "s"),
    "lasting": _number("How long each one lasts", 1, 0, 86400, "s"),
}


def _fault(
    title: Text, catalogue: str, about: str, parameters: dict[str, FaultParameter] | None = None
) -> FaultSpec:  # fmt: skip
    return FaultSpec(title=title, catalogue=catalogue, about=Text.of(about), parameters=parameters or {})


VALUE_FAULTS: dict[str, FaultSpec] = {
    "stuck": _fault(
        tr("stuck", "卡死", "卡死"), "P01 P03", "The value stands still, with the quality Good; a dead switch is one stuck at 0.",
        {"value": _number("What it stands at; where it is when the fault begins by default", None, *_MUCH)},
    ),
    "calibration": _fault(
        tr("wrong calibration", "校準錯誤", "校准错误"), "P02", "The value times `factor` plus `by`.",
        {"factor": _number("What it is multiplied by", 0.9, -1000, 1000), "by": _number("What is added", 0, *_MUCH), **_RAMP},
    ),
    "drift": _fault(
        tr("drift", "漂移", "漂移"), "P04", "The value moves away from the truth at a constant rate.",
        {
            "rate": _size("Change per minute", 0.01),
            "most": _number("How far it goes at most; without limit by default", None, 0, 1e9),
        },
    ),
    "offset": _fault(
        tr("offset", "偏移", "偏移"), "P05", "A constant difference to the truth.", {"by": _size("The difference", 0.05), **_RAMP}
    ),
    "noise": _fault(
        tr("noise", "噪聲", "噪声"), "P06", "Normal noise on every value.",
        {"deviation": _size("Standard deviation", 0.02, 0), **_RAMP},
    ),
    "spikes": _fault(
        tr("spikes", "尖峰", "尖峰"), "P07", "Single outliers, up or down.", {"by": _size("Height", 0.5), **_TURNS}
    ),
    "dropout": _fault(
        tr("dropout", "數據中斷", "数据中断"), "P08", "Values are missing: status BadNoCommunication.",
        {**_TURNS, "nan": _number("1: the value is NaN; 0: the last one stands", 0, *_SWITCH)},
    ),
    "held": _fault(
        tr("last value held", "保持最後值", "保持最后值"), "P09", "The last value is repeated with new timestamps, quality Good."
    ),
    "wire-break": _fault(
        tr("wire break", "斷線", "断线"), "P10", "What 0 mA stands for (a quarter of the range below its low end), status "
        "BadSensorFailure.",
    ),
    "saturated": _fault(
        tr("saturated", "飽和", "饱和"), "P11", "The value is at the end of its range, status UncertainSensorNotAccurate.",
        {"high": _number("1: at the high end; 0: at the low one", 1, *_SWITCH)},
    ),
    "quantised": _fault(
        tr("coarse steps", "量化粗糙", "量化粗糙"), "P12", "The value moves in steps of `digit`.",
        {"digit": _size("One step", 0.05, 1e-6)}
    ),
    "lag": _fault(
        tr("slow sensor", "響應遲緩", "响应迟缓"), "P13", "The value follows the truth slowly (first order).",
        {"tau": _number("Time constant", 60, 0.1, 86400, "s")},
    ),
    "unit-changed": _fault(
        tr("other unit", "單位改變", "单位改变"), "P14", "The value is in another unit than it was and than the interface says.",
        {"factor": _number("Other unit per unit, such as 3600, 25.4 or 4.45", 25.4, -1e6, 1e6)},
    ),
    "swapped": _fault(
        tr("swapped channels", "通道互換", "通道互换"), "P15", "The tag and another one of the device show each other's value.",
        {"with": FaultParameter(title=Text.of("Name of the other tag"), of="tag")},
    ),
    "inverted": _fault(
        tr("inverted", "極性相反", "极性相反"), "P15", "The sign is wrong; a switch shows on for off.",
    ),
    "counter-reset": _fault(
        tr("counter reset", "計數器清零", "计数器清零"), "D04", "The counter begins at 0 again, and counts on from there."
    ),
    "counter-rollover": _fault(
        tr("counter roll-over", "計數器溢出回零", "计数器溢出回零"), "D04", "The counter starts anew at its `limit`.",
        {"limit": _number("The first value that it does not show", 65536, 1, 1e12)},
    ),
    "zero-read": _fault(
        tr("zero now and then", "偶爾讀到零", "偶尔读到零"), "D05",
        "After an error of communication a value is 0, quality Good.", _TURNS,
    ),
    "float32-stall": _fault(
        tr("counter stalls", "計數器停滯", "计数器停滞"), "D06", "A totaliser in 32 bit floating point does not get beyond `at`.",
        {"at": _number("Where it stops", 16777216, 0, 1e12)},
    ),
    "saturated-16bit": _fault(
        tr("16 bit overflow", "16 位飽和", "16 位饱和"), "D07", "The value stops at the end of a 16 bit register.",
        {"top": _number("The end: 65535, or 32767 for a signed one", 65535, 0, 65535)},
    ),
    "simulation": _fault(
        tr("simulation mode", "模擬模式", "模拟模式"), "D11", "A clean sine in place of the value, quality Good.",
        {
            "centre": _number("Its middle; that of the range by default", None, *_MUCH),
            "amplitude": _size("Its amplitude", 0.25),
            "period": _number("Its period", 60, 1, 86400, "s"),
        },
    ),
    "stale": _fault(
        tr("stale", "數據陳舊", "数据陈旧"), "N08", "Value and source time stand still, with the quality Good or Uncertain.",
        {"uncertain": _number("1: status UncertainLastUsableValue; 0: Good", 0, *_SWITCH)},
    ),
}  # fmt: skip
"""Faults of one tag, by name."""

SWITCH_FAULTS = ("stuck", "inverted", "held", "dropout", "stale", "zero-read", "swapped")
"""Those that a tag which is on or off may have; one that is a text has none."""

DEVICE_FAULTS: dict[str, FaultSpec] = {
    "dead": _fault(
        tr("no answer", "無應答", "无应答"), "N04",
        "The device does not answer: Modbus exception 0B, BadNoCommunication in OPC UA, nothing over MQTT and DDEATH in "
        "Sparkplug; writes are refused.",
        {"silent": _number("1: a Modbus request gets no answer at all; 0: a gateway answers 0B", 0, *_SWITCH)},
    ),
    "stale": _fault(
        tr("stale gateway", "網關數據陳舊", "网关数据陈旧"), "N08",
        "Values and source times of all tags stand still while the server goes on.",
        {"uncertain": _number("1: status UncertainLastUsableValue; 0: Good", 0, *_SWITCH)},
    ),
    "slow": _fault(
        tr("slow answers", "響應緩慢", "响应缓慢"), "N01", "Modbus requests are answered late, one after the other.",
        {
            "delay": _number("How late", 0.8, 0, 60, "s"),
            "jitter": _number("Up to how much later by chance", 0, 0, 60, "s"),
        },
    ),
    "word-swap": _fault(
        tr("word order changed", "字序改變", "字序改变"), "D01",
        "The 16-bit words of all numbers come in the reverse order, as after an update of the firmware (Modbus).",
    ),
    "map-moved": _fault(
        tr("register map moved", "寄存器表移位", "寄存器表移位"), "D02 D03",
        "The whole register map has moved (Modbus): by 1 it is the neighbour's value.",
        {"by": _number("Registers", 1, -10000, 10000)},
    ),
    "clock-skew": _fault(
        tr("clock wrong", "時鐘偏差", "时钟偏差"), "N05", "Source times are ahead of the server's (or behind), and drift.",
        {
            "by": _number("How far ahead", 25, -1e6, 1e6, "s"),
            "rate": _number("Seconds further ahead per hour", 0, -3600, 3600),
        },
    ),
    "clock-jump": _fault(
        tr("clock jumped", "時鐘跳變", "时钟跳变"), "N06",
        "The device's clock jumps: source times go back, or an hour is missing.",
        {"by": _number("How far; negative is back", -86, -1e6, 1e6)},
    ),
    "alarm-stall": _fault(
        tr("alarms stalled", "報警停滯", "报警停滞"), "N09", "The device tells no new alarms; those that stand stay as they are."
    ),
    "alarm-flood": _fault(
        tr("alarm flood", "報警泛濫", "报警泛滥"), "N10", "Every alarm of the device comes and goes without end.",
        {"rate": _number("Changes of each alarm per second", 5, 0.01, 10)},
    ),
}  # fmt: skip
"""Faults of one device, by name; a fault of its type may have the same name and is meant then."""
