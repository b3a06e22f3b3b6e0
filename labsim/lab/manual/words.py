"""The words of datasheets, in three languages."""

from __future__ import annotations

from labsim.text import Text, tr

WORDS: dict[str, Text] = {
    "nameplate": tr("Nameplate", "銘牌", "铭牌"),
    "manufacturer": tr("Manufacturer", "製造商", "制造商"),
    "model": tr("Model", "型號", "型号"),
    "revision": tr("Revision", "版本", "版本"),
    "serial": tr("Serial number", "序列號", "序列号"),
    "own": tr("each device has its own", "每台設備各不相同", "每台设备各不相同"),
    "settings": tr("Settings", "設置", "设置"),
    "factory": tr(
        "As they leave the factory; the device in front of you may be set differently.",
        "以下為出廠設置；你面前的設備可能不同。",
        "以下为出厂设置；你面前的设备可能不同。",
    ),
    "setting": tr("Setting", "設置", "设置"),
    "meaning": tr("Meaning", "含義", "含义"),
    "allowed": tr("Values", "可取值", "可取值"),
    "default": tr("Default", "默認", "默认"),
    "any": tr("any", "任意", "任意"),
    "to": tr("{low} to {high}", "{low} 至 {high}", "{low} 至 {high}"),
    "values": tr("Values", "數據點", "数据点"),
    "tag": tr("Tag", "測點", "测点"),
    "type": tr("Type", "類型", "类型"),
    "unit": tr("Unit", "單位", "单位"),
    "range": tr("Range", "範圍", "范围"),
    "access": tr("Access", "訪問", "访问"),
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
        "編號按本手冊的寫法：編號 {numbering} 即協議地址 0。若有設置 `base_register`，則加到每個地址上。",
        "编号按本手册的写法：编号 {numbering} 即协议地址 0。若有设置 `base_register`，则加到每个地址上。",
    ),
    "scaled": tr(
        "The number in the register is the value times the scale. Integers are two's complement; values of several registers "
        "stand in the word order of the setting `word_order` (230.5 as f32: ABCD 43 66 80 00, CDAB 80 00 43 66, "
        "BADC 66 43 00 80, DCBA 00 80 66 43).",
        "寄存器中的數 = 數值 × 比例。整數為二進制補碼；跨多個寄存器的數值按設置 `word_order` 的順序排列（230.5 的 f32："
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
        "0{code}：寫入只讀寄存器",
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
    "deadband": tr("deadband {size}", "死區 {size}", "死区 {size}"),
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
    "vda5050": tr(
        "By itself the device speaks VDA 5050 version 2.1.0 instead of these messages; … stands for its serial number. The state "
        "goes out when it changes and at least every 30 s, the factsheet when it is asked for. The fields of the state are:",
        "設備默認使用 VDA 5050 2.1.0，而非上述消息；… 代表其序列號。狀態在變化時發送，至少每 30 s 一次；規格表按請求發送。"
        "狀態字段如下：",
        "设备默认使用 VDA 5050 2.1.0，而非上述消息；… 代表其序列号。状态在变化时发送，至少每 30 s 一次；规格表按请求发送。"
        "状态字段如下：",
    ),
    "direction": tr("Direction", "方向", "方向"),
    "from_device": tr("from the device", "設備發出", "设备发出"),
    "to_device": tr("to the device", "發往設備", "发往设备"),
    "field": tr("Field", "字段", "字段"),
    "per_tag": tr(
        "A plant may publish each value on a topic of its own instead, retained, when it has changed, and may take commands: "
        'each value with access rw then has a topic for `{"value": …, "id": …}` or the bare value, and answers on the topic '
        "with `/reply` behind it, with `result` (accepted or refused), `reason`, `id` and the `value` it has now.",
        "工廠也可改為將每個數值發佈到各自的主題（保留，變化時發佈），並可接受命令：訪問為 rw 的每個數值各有一個主題，"
        '接受 `{"value": …, "id": …}` 或單獨的數值，並在其後加 `/reply` 的主題上應答：`result`（accepted 或 refused）、'
        "`reason`、`id` 與當前的 `value`。",
        "工厂也可改为将每个数值发布到各自的主题（保留，变化时发布），并可接受命令：访问为 rw 的每个数值各有一个主题，"
        '接受 `{"value": …, "id": …}` 或单独的数值，并在其后加 `/reply` 的主题上应答：`result`（accepted 或 refused）、'
        "`reason`、`id` 与当前的 `value`。",
    ),
    "sparkplug": tr(
        "In a plant that speaks Sparkplug B the device is a Sparkplug device of its name. Its metrics are the values of these "
        "messages and those with access rw, called like the tags, of the types Boolean, Int8 to UInt64, Float (f32), Double "
        "(f64) and String (text), with `engUnit` in the DBIRTH and `Quality` where it is not good. They are looked at as often "
        "as their message is sent, and go out when they have changed; a DCMD writes.",
        "在使用 Sparkplug B 的工廠中，設備即同名的 Sparkplug 設備。其度量為上述消息中的數值及訪問為 rw 的數值，名稱同測點，"
        "類型為 Boolean、Int8 至 UInt64、Float（f32）、Double（f64）與 String（text）；DBIRTH 帶有 `engUnit`，質量不佳時帶有 "
        "`Quality`。按消息的週期檢查，變化時發送；以 DCMD 寫入。",
        "在使用 Sparkplug B 的工厂中，设备即同名的 Sparkplug 设备。其度量为上述消息中的数值及访问为 rw 的数值，名称同测点，"
        "类型为 Boolean、Int8 至 UInt64、Float（f32）、Double（f64）与 String（text）；DBIRTH 带有 `engUnit`，质量不佳时带有 "
        "`Quality`。按消息的周期检查，变化时发送；以 DCMD 写入。",
    ),
    "topic": tr("Topic", "主題", "主题"),
    "every": tr("Every", "週期", "周期"),
    "retained": tr("Retained", "保留", "保留"),
    "yes": tr("yes", "是", "是"),
    "no": tr("no", "否", "否"),
    "example": tr("For example, on `{topic}`:", "例如，主題 `{topic}`：", "例如，主题 `{topic}`："),
    "ports": tr("Connections", "連接口", "连接口"),
    "port": tr("Connection", "連接口", "连接口"),
    "way": tr("Way", "方向", "方向"),
    "carries": tr("Carries", "介質", "介质"),
    "in": tr("in", "入", "入"),
    "out": tr("out", "出", "出"),
    "parts": tr("parts", "工件", "工件"),
    "power": tr("power", "電力", "电力"),
    "air": tr("compressed air", "壓縮空氣", "压缩空气"),
    "water": tr("water", "水", "水"),
    "signals": tr("signals", "信號", "信号"),
    "coolant": tr("coolant", "冷卻液", "冷却液"),
    "route": tr("Route", "路由", "路由"),
    "takes": tr("Takes", "參數", "参数"),
    "roles": tr("Only for", "僅限角色", "仅限角色"),
    "rest": tr(
        "JSON in UTF-8 both ways; `{device}` stands for its name in the plant. The server describes itself at `/openapi.json`.",
        "收發均為 UTF-8 的 JSON；`{device}` 代表它在工廠中的名稱。服務器在 `/openapi.json` 提供自身的描述。",
        "收发均为 UTF-8 的 JSON；`{device}` 代表它在工厂中的名称。服务器在 `/openapi.json` 提供自身的描述。",
    ),
    "ntp": tr(
        "The device answers clients of the NTP versions 1 to 4 over UDP (RFC 5905).",
        "設備經 UDP 應答 NTP 版本 1 至 4 的客戶端（RFC 5905）。",
        "设备经 UDP 应答 NTP 版本 1 至 4 的客户端（RFC 5905）。",
    ),
    "own_functions": tr(
        "The device has the functions {codes} and no others.",
        "設備僅支持功能碼 {codes}。",
        "设备仅支持功能码 {codes}。",
    ),
    "holes_zero": tr(
        "A read over a gap between two registers gives 0 for the gap.",
        "讀取範圍跨過空缺時，空缺處返回 0。",
        "读取范围跨过空缺时，空缺处返回 0。",
    ),
    "effect": tr("A write", "寫入效果", "写入效果"),
    "edge": tr("acts on a change only", "僅在變化時生效", "仅在变化时生效"),
    "command": tr("acts once and reads 0", "執行一次，讀回為 0", "执行一次，读回为 0"),
    "eeprom": tr(
        "goes to EEPROM, {limit} times at most", "寫入 EEPROM，最多 {limit} 次", "写入 EEPROM，最多 {limit} 次"
    ),
    "order": tr("Word order", "字序", "字序"),
    "raw_offset": tr("plus {offset}", "加 {offset}", "加 {offset}"),
    "refused": tr("refused", "拒絕", "拒绝"),
    "queues": tr("Queues (function 24)", "隊列（功能碼 24）", "队列（功能码 24）"),
    "files": tr(
        "File {number} (functions 20 and 21)", "文件 {number}（功能碼 20、21）", "文件 {number}（功能码 20、21）"
    ),
    "pointer": tr("Pointer", "指針", "指针"),
    "most": tr("At most", "最多", "最多"),
    "states": tr("State machines", "狀態機", "状态机"),
    "states_of": tr("State machine", "狀態機", "状态机"),
    "made_of": tr("Structures", "結構體變量", "结构体变量"),
}
