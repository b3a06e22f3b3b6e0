"""The datasheet of a device type, made from its interface: what a vendor's manual says, and nothing about one device.

Addresses, word order and other settings stand here as they leave the factory; what a seat has drawn is for the trainee to find.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping

from labsim.plant import status
from labsim.plant.alarm_spec import AlarmSpec
from labsim.plant.alarms import LEVEL_NAMES
from labsim.plant.interface import Interface, MqttSpec, OpcuaSpec, SettingSpec, TagSpec
from labsim.plant.register_spec import ModbusSpec, RegisterSpec, Table
from labsim.plant.signature import ArgumentSpec, FieldSpec, MethodSpec
from labsim.plant.tags import INTEGER_RANGE
from labsim.text import Text, tr

_TABLES: dict[Table, tuple[str, Text]] = {
    "holding": ("03, 06, 16", tr("Holding registers", "保持寄存器", "保持寄存器")),
    "input": ("04", tr("Input registers", "輸入寄存器", "输入寄存器")),
    "coil": ("01, 05, 15", tr("Coils", "線圈", "线圈")),
    "discrete": ("02", tr("Discrete inputs", "離散量輸入", "离散量输入")),
}
_ALONE = {"holding": "03", "coil": "01"}  # function codes of a table in which nothing can be written
_WORDS: dict[str, Text] = {
    "nameplate": tr("Nameplate", "銘牌", "铭牌"),
    "manufacturer": tr("Manufacturer", "製造商", "制造商"),
    "model": tr("Model", "型號", "型号"),
    "revision": tr("Revision", "版本", "版本"),
    "serial": tr("Serial number", "序列號", "序列号"),
    "own": tr("each device has its own", "每台設備各不相同", "每台设备各不相同"),
    "settings": tr("Settings", "設定", "设置"),
    "factory": tr(
        "As they leave the factory; the device in front of you may be set differently.",
        "以下為出廠設定；您面前的設備可能不同。",
        "以下为出厂设置；您面前的设备可能不同。",
    ),
    "setting": tr("Setting", "設定", "设置"),
    "meaning": tr("Meaning", "含義", "含义"),
    "allowed": tr("Values", "可取值", "可取值"),
    "default": tr("Default", "預設", "默认"),
    "any": tr("any", "任意", "任意"),
    "to": tr("{low} to {high}", "{low} 至 {high}", "{low} 至 {high}"),
    "values": tr("Values", "數據點", "数据点"),
    "tag": tr("Tag", "標籤", "标签"),
    "type": tr("Type", "類型", "类型"),
    "unit": tr("Unit", "單位", "单位"),
    "range": tr("Range", "範圍", "范围"),
    "access": tr("Access", "存取", "访问"),
    "codes": tr("Coded values", "編碼值", "编码值"),
    "number": tr("Number", "編號", "编号"),
    "length": tr("Length", "長度", "长度"),
    "scale": tr("Scale", "比例", "比例"),
    "invalid": tr("When invalid", "無效時", "无效时"),
    "nan": tr("NaN", "NaN", "NaN"),
    "stop": tr(". ", "。", "。"),
    "last": tr("last value", "最後值", "最后值"),
    "constant": tr("always {value}", "恆為 {value}", "恒为 {value}"),
    "numbering": tr(
        "Numbers are as printed on the device: number {numbering} is address 0 on the wire. The setting `base_register`, if "
        "there is one, is added to every address.",
        "編號按本手冊的寫法：編號 {numbering} 即線上地址 0。若有設定 `base_register`，則加到每個地址上。",
        "编号按本手册的写法：编号 {numbering} 即线上地址 0。若有设置 `base_register`，则加到每个地址上。",
    ),
    "scaled": tr(
        "The number in the register is the value times the scale. Integers are two's complement; values of several registers "
        "stand in the word order of the setting `word_order` (230.5 as f32: ABCD 43 66 80 00, CDAB 80 00 43 66, "
        "BADC 66 43 00 80, DCBA 00 80 66 43).",
        "寄存器中的數 = 數值 × 比例。整數為二進制補碼；跨多個寄存器的數值按設定 `word_order` 的順序排列（230.5 的 f32："
        "ABCD 43 66 80 00、CDAB 80 00 43 66、BADC 66 43 00 80、DCBA 00 80 66 43）。",
        "寄存器中的数 = 数值 × 比例。整数为二进制补码；跨多个寄存器的数值按设置 `word_order` 的顺序排列（230.5 的 f32："
        "ABCD 43 66 80 00、CDAB 80 00 43 66、BADC 66 43 00 80、DCBA 00 80 66 43）。",
    ),
    "functions": tr("function", "功能碼", "功能码"),
    "exceptions": tr("Exceptions", "異常碼", "异常码"),
    "e01": tr("01: the function is not supported", "01：不支持該功能碼", "01：不支持该功能码"),
    "e02": tr("02: an address outside the tables below", "02：地址不在下列表內", "02：地址不在下列表内"),
    "e03": tr(
        "03: a count of 0 or of more than {most} registers, or a value out of range",
        "03：數量為 0 或超過 {most} 個寄存器，或數值超出範圍",
        "03：数量为 0 或超过 {most} 个寄存器，或数值超出范围",
    ),
    "same": tr(
        "Functions 03 and 04 read the same table.", "功能碼 03 與 04 讀取同一張表。", "功能码 03 与 04 读取同一张表。"
    ),
    "read_only": tr(
        "0{code}: a write to a register that is read only",
        "0{code}：寫入唯讀寄存器",
        "0{code}：写入只读寄存器",
    ),
    "give": tr(
        "A read that begins or ends inside a value gives the part it asked for.",
        "讀取在數值中間開始或結束時，返回所請求的那一部分。",
        "读取在数值中间开始或结束时，返回所请求的那一部分。",
    ),
    "refuse": tr(
        "A read that begins or ends inside a value is refused with exception 02.",
        "讀取在數值中間開始或結束時，以異常碼 02 拒絕。",
        "读取在数值中间开始或结束时，以异常码 02 拒绝。",
    ),
    "identity": tr("Function 43/14 gives the objects:", "功能碼 43/14 提供以下對象：", "功能码 43/14 提供以下对象："),
    "namespace": tr("Namespace", "命名空間", "命名空间"),
    "below": tr(
        "Below {folder}, as an object of type {type}:",
        "位於 {folder} 之下，對象類型為 {type}：",
        "位于 {folder} 之下，对象类型为 {type}：",
    ),
    "alarms": tr("Alarms", "報警", "报警"),
    "alarm": tr("Alarm", "報警", "报警"),
    "when": tr("Active", "觸發條件", "触发条件"),
    "severity": tr("Severity", "嚴重度", "严重度"),
    "confirmation": tr("To be confirmed", "需核實", "需核实"),
    "deadband": tr("deadband {size}", "回差 {size}", "回差 {size}"),
    "on_delay": tr("after {seconds} s", "持續 {seconds} s 後", "持续 {seconds} s 后"),
    "off_delay": tr("back after {seconds} s", "恢復 {seconds} s 後解除", "恢复 {seconds} s 后解除"),
    "is": tr("`{tag}` is {values}", "`{tag}` 為 {values}", "`{tag}` 为 {values}"),
    "is_not": tr("`{tag}` is not {values}", "`{tag}` 不為 {values}", "`{tag}` 不为 {values}"),
    "exclusive": tr("one limit at a time", "限值互斥", "限值互斥"),
    "methods": tr("Methods", "方法", "方法"),
    "method": tr("Method", "方法", "方法"),
    "call": tr("Call", "調用名", "调用名"),
    "inputs": tr("Inputs", "輸入參數", "输入参数"),
    "outputs": tr("Outputs", "輸出參數", "输出参数"),
    "events": tr("Events", "事件", "事件"),
    "event": tr("Event", "事件", "事件"),
    "fields": tr("Fields", "字段", "字段"),
    "publishes": tr(
        "The device publishes by itself; `{device}` stands for its name in the plant.",
        "設備自行發佈；`{device}` 代表它在工廠中的名稱。",
        "设备自行发布；`{device}` 代表它在工厂中的名称。",
    ),
    "announces": tr(
        "Each event goes out when it happens, with `time`, `event` and `fields`. Where `sent` stands beside `time`, it is told "
        "later than it was: `time` is when it was.",
        "每個事件發生時即發佈，帶有 `time`、`event` 與 `fields`。若同時有 `sent`，則為補傳：`time` 為其實際發生的時間。",
        "每个事件发生时即发布，带有 `time`、`event` 与 `fields`。若同时有 `sent`，则为补传：`time` 为其实际发生的时间。",
    ),
    "per_tag": tr(
        "A plant may publish each value on a topic of its own instead, retained, when it has changed, and may take commands: "
        'each value with access rw then has a topic for `{"value": …, "id": …}` or the bare value, and answers on the topic '
        "with `/reply` behind it, with `result` (accepted or refused), `reason`, `id` and the `value` it has now.",
        "工廠也可改為將每個數值發佈到各自的主題（保留，變化時發佈），並可接受命令：存取為 rw 的每個數值各有一個主題，"
        '接受 `{"value": …, "id": …}` 或單獨的數值，並在其後加 `/reply` 的主題上應答：`result`（accepted 或 refused）、'
        "`reason`、`id` 與目前的 `value`。",
        "工厂也可改为将每个数值发布到各自的主题（保留，变化时发布），并可接受命令：访问为 rw 的每个数值各有一个主题，"
        '接受 `{"value": …, "id": …}` 或单独的数值，并在其后加 `/reply` 的主题上应答：`result`（accepted 或 refused）、'
        "`reason`、`id` 与当前的 `value`。",
    ),
    "sparkplug": tr(
        "In a plant that speaks Sparkplug B the device is a Sparkplug device of its name. Its metrics are the values of these "
        "messages and those with access rw, called like the tags, of the types Boolean, Int8 to UInt64, Float (f32), Double "
        "(f64) and String (text), with `engUnit` in the DBIRTH and `Quality` where it is not good. They are looked at as often "
        "as their message is sent, and go out when they have changed; a DCMD writes.",
        "在使用 Sparkplug B 的工廠中，設備即同名的 Sparkplug 設備。其度量為上述消息中的數值及存取為 rw 的數值，名稱同標籤，"
        "類型為 Boolean、Int8 至 UInt64、Float（f32）、Double（f64）與 String（text）；DBIRTH 帶有 `engUnit`，品質不佳時帶有 "
        "`Quality`。按消息的週期檢查，變化時發送；以 DCMD 寫入。",
        "在使用 Sparkplug B 的工厂中，设备即同名的 Sparkplug 设备。其度量为上述消息中的数值及访问为 rw 的数值，名称同标签，"
        "类型为 Boolean、Int8 至 UInt64、Float（f32）、Double（f64）与 String（text）；DBIRTH 带有 `engUnit`，质量不佳时带有 "
        "`Quality`。按消息的周期检查，变化时发送；以 DCMD 写入。",
    ),
    "topic": tr("Topic", "主題", "主题"),
    "every": tr("Every", "週期", "周期"),
    "retained": tr("Retained", "保留", "保留"),
    "yes": tr("yes", "是", "是"),
    "no": tr("no", "否", "否"),
    "example": tr("For example, on `{topic}`:", "例如，主題 `{topic}`：", "例如，主题 `{topic}`："),
}


def manual(interface: Interface, lang: str = "en") -> str:
    """The datasheet of ``interface`` as Markdown in ``lang``; the same for every seat."""
    say = _Say(lang)
    parts = [f"# {say(interface.title)} ({interface.type})\n\n{say(interface.about)}", _nameplate(interface, say)]
    if interface.settings:
        parts.append(_settings(interface.settings, say))
    parts.append(_tags(interface.tags, say))
    if interface.alarms:
        parts.append(_alarms(interface.alarms, say))
    if interface.modbus is not None:
        parts.append(_modbus(interface, interface.modbus, say))
    if interface.opcua is not None:
        parts.append(_opcua(interface, interface.opcua, say))
    if interface.mqtt is not None:
        parts.append(_mqtt(interface, interface.mqtt, say))
    return "\n\n".join(parts) + "\n"


class _Say:
    """Words in one language."""

    def __init__(self, lang: str) -> None:
        self.lang = lang

    def __call__(self, text: str | Text, **facts: object) -> str:
        sentence = (_WORDS[text] if isinstance(text, str) else text).say(self.lang)
        return sentence.format(**facts) if facts else sentence

    def meaning(self, spec: SettingSpec | TagSpec | MethodSpec) -> str:
        """Title, and what there is to say about it."""
        return self(spec.title) + (self("stop") + self(spec.about) if spec.about else "")


def _table(head: Iterable[str], rows: Iterable[Iterable[object]]) -> str:
    lines = [list(head), *([str(cell).replace("|", "\\|") for cell in row] for row in rows)]
    lines.insert(1, ["---"] * len(lines[0]))
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _span(span: tuple[float, float] | None, say: _Say) -> str:
    return say("to", low=f"{span[0]:.15g}", high=f"{span[1]:.15g}") if span else ""


def _nameplate(interface: Interface, say: _Say) -> str:
    plate = interface.identification
    rows = [(say(name), getattr(plate, name)) for name in ("manufacturer", "model", "revision")]
    serial = say("own") if "{" in plate.serial else plate.serial
    head, *body = [*rows, (say("serial"), serial)]
    return f"## {say('nameplate')}\n\n{_table(head, body)}"


def _settings(settings: dict[str, SettingSpec], say: _Say) -> str:
    def row(name: str, spec: SettingSpec) -> tuple[str, ...]:
        allowed = ", ".join(spec.choices) or _span(spec.range, say) or say("any")
        unit = f" {spec.unit}" if spec.unit else " s" if spec.type == "duration" else ""
        default = spec.parse(spec.default)
        shown = f"{default:.15g}" if isinstance(default, float) else str(default)
        return f"`{name}`", say.meaning(spec), allowed, shown + unit

    head = [say(word) for word in ("setting", "meaning", "allowed", "default")]
    return f"## {say('settings')}\n\n{say('factory')}\n\n" + _table(head, (row(*item) for item in settings.items()))


def _tags(tags: dict[str, TagSpec], say: _Say) -> str:
    def row(name: str, spec: TagSpec) -> tuple[str, ...]:
        return f"`{name}`", say.meaning(spec), spec.type, spec.unit or "", _span(spec.range, say), spec.access

    head = [say(word) for word in ("tag", "meaning", "type", "unit", "range", "access")]
    text = f"## {say('values')}\n\n" + _table(head, (row(*item) for item in tags.items()))
    coded = [
        f"- `{name}`: " + ", ".join(f"{number} {say(label)}" for number, label in spec.labels.items())
        for name, spec in tags.items()
        if spec.labels
    ]
    return text + (f"\n\n### {say('codes')}\n\n" + "\n".join(coded) if coded else "")


def _modbus(interface: Interface, modbus: ModbusSpec, say: _Say) -> str:
    exceptions = [
        say("e01"),
        say("e02"),
        say("e03", most=modbus.max_registers),
        say("read_only", code=modbus.read_only),
    ]
    parts = [
        "## Modbus TCP",
        say("numbering", numbering=modbus.numbering),
        say("scaled"),
        f"### {say('exceptions')}",
        "\n".join(f"- {line}" for line in exceptions),
        say(modbus.half_values),
    ]
    if modbus.same_tables:
        parts.append(say("same"))
    for table, (codes, title) in _TABLES.items():
        registers = sorted((r for r in modbus.registers if r.table == table), key=lambda register: register.doc)
        if registers:
            if all(register.access == "r" for register in registers):
                codes = _ALONE.get(table, codes)
            parts += [
                f"### {say(title)} ({say('functions')} {codes})",
                _registers(interface, registers, table in ("coil", "discrete"), say),
            ]
    if modbus.identification:
        objects = [
            f"- {number}: {text.replace('{serial}', '…')}" for number, text in sorted(modbus.identification.items())
        ]
        parts.append(say("identity") + "\n\n" + "\n".join(objects))
    return "\n\n".join(parts)


def _registers(interface: Interface, registers: list[RegisterSpec], bits: bool, say: _Say) -> str:
    def row(register: RegisterSpec) -> list[str]:
        tag = interface.tags[register.tag] if register.tag is not None else None
        title = say(register.title or (tag.title if tag else Text()))
        if tag is None:
            title = f"{title}, {say('constant', value=register.constant)}".lstrip(", ")
        if bits:
            return [str(register.doc), title, register.access]
        unit = (tag.unit or "") if tag else ""
        scale = f"{register.scale:g}" if register.scale != 1 else ""
        return [
            str(register.doc),
            title,
            register.type,
            str(register.size),
            unit,
            scale,
            register.access,
            invalid(register),
        ]

    def invalid(register: RegisterSpec) -> str:
        if register.tag is None:
            return ""
        if register.invalid == "sentinel" and register.type in INTEGER_RANGE:
            low, high = INTEGER_RANGE[register.type]
            return str(low or high)
        return say(register.invalid if register.invalid == "last" else "nan")

    numbers = () if bits else ("type", "length", "unit", "scale")
    columns: list[str] = ["number", "meaning", *numbers, "access", *(() if bits else ("invalid",))]
    return _table(map(say, columns), map(row, registers))


def _opcua(interface: Interface, opcua: OpcuaSpec, say: _Say) -> str:
    lines: list[str] = []
    shown: set[str] = set()
    for place, name in sorted(opcua.nodes.items()):
        *folders, leaf = place.split("/")
        for depth, folder in enumerate(folders):
            path = "/".join(folders[: depth + 1])
            if path not in shown:
                shown.add(path)
                lines.append("  " * depth + folder)
        tag = interface.tags[name]
        facts = " ".join(filter(None, (tag.type, tag.unit, tag.access)))
        lines.append("  " * len(folders) + f"{leaf}  ({facts}: {say(tag.title)})")
    tree = "\n".join(lines)
    below = say("below", folder=f"`Objects/{opcua.folder}`", type=f"`{opcua.type_name}`")
    parts = [f"## OPC UA\n\n{say('namespace')}: `{opcua.namespace}`\n\n{below}\n\n```text\n{tree}\n```"]
    if opcua.methods:
        head = [say(word) for word in ("method", "call", "meaning", "inputs", "outputs")]
        methods = (
            (f"`{place}`", f"`{m.call}`", say.meaning(m), _fields(m.inputs, say), _fields(m.outputs, say))
            for place, m in opcua.methods.items()
        )
        parts.append(f"### {say('methods')}\n\n{_table(head, methods)}")
    if opcua.events:
        head = [say(word) for word in ("event", "meaning", "severity", "fields")]
        events = (
            (f"`{name}EventType`", say(event.title), event.severity, _fields(event.fields, say))
            for name, event in opcua.events.items()
        )
        parts.append(f"### {say('events')}\n\n{_table(head, events)}")
    return "\n\n".join(parts)


def _fields(fields: Mapping[str, FieldSpec | ArgumentSpec], say: _Say) -> str:
    def kind(one: FieldSpec | ArgumentSpec) -> str:
        return f"{one.type}[]" if isinstance(one, ArgumentSpec) and one.array else one.type

    return "<br>".join(f"`{name}` ({kind(one)}): {say(one.title)}" for name, one in fields.items())


def _alarms(alarms: dict[str, AlarmSpec], say: _Say) -> str:
    def when(alarm: AlarmSpec) -> str:
        if alarm.kind != "limit":
            values = alarm.active or alarm.normal
            shown = ", ".join(str(value).lower() for value in values)
            parts = [say("is" if alarm.active else "is_not", tag=alarm.tag, values=shown)]
        else:
            parts = [
                f"`{alarm.tag}` {'>' if level in ('hi', 'hihi') else '<'} {limit:g} ({say(LEVEL_NAMES[level])})"
                for level, limit in alarm.levels.items()
            ]
            parts += [say("exclusive")] if alarm.exclusive else []
            parts += [say("deadband", size=f"{alarm.deadband:g}")] if alarm.deadband else []
        parts += [say("on_delay", seconds=f"{alarm.on_delay:g}")] if alarm.on_delay else []
        parts += [say("off_delay", seconds=f"{alarm.off_delay:g}")] if alarm.off_delay else []
        return "<br>".join(parts)

    def severity(alarm: AlarmSpec) -> str:
        if not isinstance(alarm.severity, dict):
            return str(alarm.severity)
        return "<br>".join(f"{alarm.severity[level]} ({say(LEVEL_NAMES[level])})" for level in alarm.levels)

    head = [say(word) for word in ("alarm", "meaning", "when", "severity", "confirmation")]
    rows = (
        (f"`{name}`", say(alarm.title), when(alarm), severity(alarm), say("yes" if alarm.confirm else "no"))
        for name, alarm in alarms.items()
    )
    return f"## {say('alarms')}\n\n{_table(head, rows)}"


def _mqtt(interface: Interface, mqtt: MqttSpec, say: _Say) -> str:
    messages = mqtt.messages
    head = [say("topic"), say("every"), "QoS", say("retained"), say("values")]
    rows = [
        (f"`{m.topic}`", f"{m.every:g} s", m.qos, say("yes" if m.retain else "no"), ", ".join(m.tags)) for m in messages
    ]
    first = messages[0]
    values = {
        name: {
            "value": interface.tags[name].first,
            "unit": interface.tags[name].unit,
            "quality": status.name(status.GOOD),
        }
        for name in first.tags
    }
    lines = ",\n".join(f'    "{name}": {json.dumps(value, ensure_ascii=False)}' for name, value in values.items())
    payload = '{\n  "time": "2026-01-31T08:00:00.100Z",\n  "values": {\n' + lines + "\n  }\n}"
    example = say("example", topic=first.topic)
    text = f"## MQTT\n\n{say('publishes')}\n\n{_table(head, rows)}\n\n{example}\n\n```json\n{payload}\n```"
    if mqtt.events:
        head = [say("topic"), say("event"), "QoS", say("retained"), say("fields")]
        assert interface.opcua is not None
        told = [
            (
                f"`{m.topic}`",
                m.event,
                m.qos,
                say("yes" if m.retain else "no"),
                ", ".join(interface.opcua.events[m.event].fields),
            )
            for m in mqtt.events
        ]
        text += f"\n\n{say('announces')}\n\n{_table(head, told)}"
    return f"{text}\n\n{say('per_tag')}\n\n### Sparkplug B\n\n{say('sparkplug')}"
