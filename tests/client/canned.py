"""A lab as the control API would describe it, for the fake host: small, in three languages, with one of everything."""

from __future__ import annotations

from typing import Any, NamedTuple

from labsim.text import Text, tr

TITLE = tr(
    "Modbus: function codes, word order, scaling", "Modbus 點表：功能碼、字序與換算", "Modbus 点表：功能码、字序与换算"
)
BRIEF = tr(
    "Three power meters hang on one gateway. Nobody kept the notes on how they were set up.\n\n"
    "Read what they measure **and prove it**: the file you hand in is compared with what was true at that moment.\n\n"
    "| meter | unit | manual |\n| --- | --- | --- |\n| meter1 | 11 | power-meter |\n| meter2 | 12 | power-meter |\n"
    "| meter3 | 13 | power-meter |",
    "三台電力儀表接在同一個網關上。沒有人留下它們的配置記錄。\n\n"
    "讀出它們的測量值，**並證明它**：你交的檔案會與當時的真實值逐一比較。\n\n"
    "| 儀表 | 單元 | 手冊 |\n| --- | --- | --- |\n| meter1 | 11 | power-meter |\n| meter2 | 12 | power-meter |\n"
    "| meter3 | 13 | power-meter |",
    "三台电力仪表接在同一个网关上。没有人留下它们的配置记录。\n\n"
    "读出它们的测量值，**并证明它**：你提交的文件会与当时的真实值逐一比较。\n\n"
    "| 仪表 | 单元 | 手册 |\n| --- | --- | --- |\n| meter1 | 11 | power-meter |\n| meter2 | 12 | power-meter |\n"
    "| meter3 | 13 | power-meter |",
)
_TASKS: list[dict[str, Any]] = [
    {
        "id": "tables",
        "marks": 4,
        "hints": [],
        "title": tr("Read all four tables", "讀取四種數據表", "读取四种数据表"),
        "brief": tr(
            "Read at least one value from each of the four tables of meter1.",
            "從 meter1 的四種數據表各讀取至少一個值。",
            "从 meter1 的四种数据表各读取至少一个值。",
        ),
        "answer": None,
    },
    {
        "id": "orders",
        "marks": 6,
        "hints": [
            (
                tr(
                    "Four orders, one plausible mains voltage.",
                    "四種字序，只有一個電壓合理。",
                    "四种字序，只有一个电压合理。",
                ),
                1,
            ),
            (
                tr(
                    "Compare the same two registers of two meters.",
                    "比較兩台儀表的同兩個寄存器。",
                    "比较两台仪表的同两个寄存器。",
                ),
                1,
            ),
            (
                tr(
                    "The manual's chapter 4 names the setting.",
                    "手冊第 4 章寫明了該設定。",
                    "手册第 4 章写明了该设置。",
                ),
                2,
            ),
        ],
        "title": tr("Name each meter's word order", "指出每台儀表的字序", "指出每台仪表的字序"),
        "brief": tr(
            "Each meter stores a float in two registers, in an order of its own.",
            "每台儀表用兩個寄存器存放一個浮點數，字序各不相同。",
            "每台仪表用两个寄存器存放一个浮点数，字序各不相同。",
        ),
        "answer": tr("Which word order does meter3 use?", "meter3 使用哪種字序？", "meter3 使用哪种字序？"),
    },
    {
        "id": "decode",
        "marks": 8,
        "hints": [],
        "title": tr("Decode the values into map.csv", "把數值解碼到 map.csv", "把数值解码到 map.csv"),
        "brief": tr(
            "Write `map.csv` with the columns `tag`, `value`, `unit`.",
            "寫出 `map.csv`，欄位為 `tag`、`value`、`unit`。",
            "写出 `map.csv`，列为 `tag`、`value`、`unit`。",
        ),
        "answer": None,
    },
    {
        "id": "poll",
        "marks": 6,
        "hints": [],
        "title": tr("Poll all meters once a second", "每秒輪詢全部儀表一次", "每秒轮询全部仪表一次"),
        "brief": tr("Keep it up for three minutes.", "持續三分鐘。", "持续三分钟。"),
        "answer": None,
    },
    {
        "id": "limits",
        "marks": 6,
        "hints": [],
        "title": tr("Set the overvoltage limit", "設定過壓限值", "设定过压限值"),
        "brief": tr("Set it to 253 V on meter2.", "在 meter2 設為 253 V。", "在 meter2 设为 253 V。"),
        "answer": None,
    },
]


class _Check(NamedTuple):
    name: str
    title: Text
    outcome: str
    score: float
    max: float
    reason: Text
    expected: str | None = None
    actual: str | None = None
    help: Text = Text()


_EXAMINED = {
    "tables": [
        _Check(
            "modbus.read",
            tr("Tables read", "已讀取的資料表", "已读取的数据表"),
            "passed",
            4,
            4,
            tr("All four tables were read.", "四種數據表均已讀取。", "四种数据表均已读取。"),
        )
    ],
    "orders": [
        _Check(
            "answer.is",
            tr("Word order of meter1", "meter1 的字序", "meter1 的字序"),
            "passed",
            3,
            3,
            tr("The answer is right.", "回答正確。", "回答正确。"),
        ),
        _Check(
            "answer.is",
            tr("Word order of meter3", "meter3 的字序", "meter3 的字序"),
            "failed",
            0,
            3,
            tr("The wire showed another order.", "報文顯示的是另一種字序。", "报文显示的是另一种字序。"),
            "BADC",
            "ABCD",
            tr("journal 11 and 12, manual chapter 4", "記錄 11、12，手冊第 4 章", "记录 11、12，手册第 4 章"),
        ),
    ],
    "decode": [
        _Check(
            "file.values",
            tr("Values in map.csv", "map.csv 中的數值", "map.csv 中的数值"),
            "failed",
            0,
            8,
            tr(
                "There is no map.csv in the hand-in folder.", "交付文件夾中沒有 map.csv。", "交付文件夹中没有 map.csv。"
            ),
        )
    ],
    "poll": [
        _Check(
            "modbus.polled",
            tr("Polling period", "輪詢週期", "轮询周期"),
            "not_checked",
            0,
            6,
            tr("Waits for the values of map.csv.", "等待 map.csv 的數值。", "等待 map.csv 的数值。"),
        )
    ],
    "limits": [
        _Check(
            "plant.setting",
            tr("Limit of meter2", "meter2 的限值", "meter2 的限值"),
            "cannot_check",
            0,
            6,
            tr("The history ends before the check.", "歷史在檢查前結束。", "历史在检查前结束。"),
        )
    ],
}
_MANUAL = tr(
    "# power-meter\n\nRegisters are numbered from **40001**.",
    "# 電力儀表\n\n寄存器從 **40001** 開始編號。",
    "# 电力仪表\n\n寄存器从 **40001** 开始编号。",
)


class CannedLab:
    """The lab's state: what was asked of it changes what it says next."""

    def __init__(self, attempt: str = "attempts/modbus-mapping-7") -> None:
        self.attempt = attempt
        self.opened: dict[str, int] = {}
        self.answers: dict[str, Any] = {}
        self.settings: dict[str, dict[str, Any]] = {
            f"meter{n}": {"baud_rate": 9600, "display": "voltage"} for n in (1, 2, 3)
        }
        self.state, self.t, self.verdict = "running", 2208.0, None
        self.mode = "training"
        self.trouble: str | None = None
        self.level = 2
        self.wrong: list[dict[str, Any]] = []

    def lab(self, lang: str) -> dict[str, Any]:
        """``GET /lab``."""
        url = "127.0.0.1"
        return {
            "scenario": {
                "id": "modbus-mapping",
                "title": TITLE.say(lang),
                "level": "junior",
                "minutes": 75,
                "competences": ["NET-J1", "NET-J2"],
                "brief": BRIEF.say(lang),
            },
            "seed": 7,
            "attempt": self.attempt,
            "handin": f"{self.attempt}/handin",
            "speed": 1.0,
            "mode": self.mode,
            "state": self.state,
            "trouble": self.trouble,
            "t": self.t,
            "lang": lang,
            "late_steps": 0,
            "verdict": self.verdict,
            "endpoints": [
                *(
                    {
                        "device": f"meter{n}",
                        "protocol": "modbus",
                        "url": f"modbus://{url}:5020",
                        "unit": 10 + n,
                        "users": [],
                    }
                    for n in (1, 2, 3)
                ),
                {
                    "device": None,
                    "protocol": "opcua",
                    "url": f"opc.tcp://{url}:4840",
                    "unit": None,
                    "users": [
                        {"name": "operator", "password": "fill-7301", "role": "Operator"},
                        {"name": "engineer", "password": "mill-2284", "role": "Engineer"},
                    ],
                },
                {"device": None, "protocol": "mqtt", "url": f"mqtt://{url}:1883", "unit": None, "users": []},
                {
                    "device": "mes1",
                    "protocol": "http",
                    "url": f"http://{url}:8080/mes1/v1",
                    "unit": None,
                    "users": [{"name": "line", "password": "4711", "role": "Operator"}],
                },
                {"device": "time1", "protocol": "ntp", "url": f"ntp://{url}:10123", "unit": None, "users": []},
            ],
            "devices": [
                {
                    "path": path,
                    "type": "power-meter",
                    "title": tr("Power meter", "電力儀表", "电力仪表").say(lang),
                    "settings": values,
                }
                for path, values in self.settings.items()
            ],
            "clients": [
                {"protocol": "modbus", "client": "127.0.0.1:51544", "app": ""},
                {"protocol": "mqtt", "client": "127.0.0.1:51602", "app": "gateway1"},
            ],
            "tasks": [self._task(task, lang) for task in _TASKS],
        }

    def _task(self, task: dict[str, Any], lang: str) -> dict[str, Any]:
        opened = self.opened.get(task["id"], 0)
        hints = [{"text": text.say(lang), "cost": cost} for text, cost in task["hints"]]
        return {
            "id": task["id"],
            "title": task["title"].say(lang),
            "brief": task["brief"].say(lang),
            "marks": task["marks"],
            "answer": task["answer"].say(lang) if task["answer"] else None,
            "answered": self.answers.get(task["id"]),
            "hints": {
                "total": len(hints),
                "opened": hints[:opened],
                "next_cost": hints[opened]["cost"] if opened < len(hints) else None,
            },
        }

    def check(self, task: str | None, lang: str) -> dict[str, Any]:
        """``POST /check``: one task's outcomes, or all."""
        tasks = []
        for known in _TASKS:
            if task not in (None, known["id"]):
                continue
            checks = [
                {
                    "id": f"{known['id']}.{n}",
                    "check": found.name,
                    "outcome": found.outcome,
                    "score": found.score,
                    "max": found.max,
                    "reason": found.reason.say(lang),
                    "expected": found.expected,
                    "actual": found.actual,
                    "evidence": [n],
                    "title": found.title.say(lang),
                    "help": found.help.say(lang),
                }
                for n, found in enumerate(_EXAMINED[known["id"]], 1)
            ]
            states = [check["outcome"] for check in checks]
            outcome = next((s for s in ("failed", "cannot_check", "not_checked") if s in states), "passed")
            score, most = sum(c["score"] for c in checks), sum(c["max"] for c in checks)
            tasks.append(
                {
                    "id": known["id"],
                    "title": known["title"].say(lang),
                    "outcome": outcome,
                    "score": score,
                    "max": most,
                    "checks": checks,
                }
            )
        score, most = sum(t["score"] for t in tasks), sum(t["max"] for t in tasks)
        return {
            "scenario": "modbus-mapping",
            "seed": 7,
            "attempt": self.attempt,
            "score": score,
            "max": most,
            "passed": score >= most * 0.6,
            "tasks": tasks,
            "versions": {},
            "head": "4f1d6c2a9be07753" * 4,
            "penalties": [{"id": "noise", "marks": 1, "reason": "An unknown unit was polled.", "evidence": [3]}],
        }

    def hint(self, task: str, lang: str) -> dict[str, Any] | None:
        """``POST /hint``; None when none is left."""
        hints = next(t["hints"] for t in _TASKS if t["id"] == task)
        opened = self.opened.get(task, 0)
        if opened >= len(hints):
            return None
        self.opened[task] = opened + 1
        text, cost = hints[opened]
        return {"task": task, "text": text.say(lang), "cost": cost, "left": len(hints) - opened - 1}

    def mimic(self, lang: str) -> dict[str, Any]:
        """``GET /mimic``: a packaging line with its meter."""
        running, speed = tr("Execute", "執行", "执行"), tr("Actual speed", "實際速度", "实际速度")

        def station(
            device: str, title: Text, alarms: list[dict[str, Any]], value: float | None = 27.0
        ) -> dict[str, Any]:
            shown = {
                "tag": "speed",
                "title": speed.say(lang),
                "value": value,
                "unit": "1/min",
                "low": 0.0,
                "high": 60.0,
            }
            return {
                "device": device,
                "type": device[:-1],
                "title": title.say(lang),
                "place": None,
                "state": {"tag": "state_current", "value": 6, "label": running.say(lang)},
                "values": [{**shown, "quality": "Good" if value is not None else "BadSensorFailure"}],
                "alarms": alarms,
            }

        starved = {"alarm": "starved", "title": tr("Starved", "待料", "待料").say(lang), "severity": 300}
        meter = station("line_meter", tr("Line meter", "產線電表", "产线电表"), [])
        return {
            "t": self.t,
            "stations": [
                station("load1", tr("Loading machine", "上料機", "上料机"), []),
                station("fill1", tr("Filling machine", "灌裝機", "灌装机"), [starved]),
                station("seal1", tr("Sealing machine", "封口機", "封口机"), [], None),
                {**meter, "state": None, "values": []},
            ],
            "flows": [
                {
                    "from": "load1.parts_out",
                    "to": "fill1.parts_in",
                    "carries": "parts",
                    "level": self.level,
                    "capacity": 12,
                },
                {"from": "fill1.parts_out", "to": "seal1.parts_in", "carries": "parts", "level": 5, "capacity": 8},
                *(
                    {
                        "from": "line_meter.load_out",
                        "to": f"{name}.power",
                        "carries": "power",
                        "level": None,
                        "capacity": None,
                    }
                    for name in ("load1", "fill1", "seal1")
                ),
            ],
        }

    def faults(self, target: str | None, lang: str) -> dict[str, Any]:
        """``GET /faults``."""
        if target is None:
            return {"targets": ["meter1.voltage_l1", "link.modbus", *self.settings]}
        size = tr("Change per hour", "每小時變化", "每小时变化").say(lang)
        drift = {
            "fault": "drift",
            "title": tr("drift", "漂移", "漂移").say(lang),
            "about": tr("The value moves away.", "數值逐漸偏移。", "数值逐渐偏移。").say(lang),
            "catalogue": "P04",
            "parameters": {
                "rate": {"title": size, "unit": "V", "range": [-100.0, 100.0], "default": 2.0, "of": "number"}
            },
        }
        dead = {
            "fault": "dead",
            "title": tr("no answer", "無應答", "无应答").say(lang),
            "about": tr("The device does not answer.", "設備不應答。", "设备不应答。").say(lang),
            "catalogue": "N04",
            "parameters": {},
        }
        return {"target": target, "faults": [drift] if "." in target else [dead]}

    def fault(self, body: dict[str, Any]) -> str | None:
        """``POST /fault``; the sentence of a refusal."""
        if str(body.get("rate", "0")).isalpha():
            return f"rate: {body['rate']!r} is not a number from -100 to 100."
        self.wrong.append(body)
        return None

    def manual(self, type_: str, lang: str) -> dict[str, Any]:
        """``GET /manual``."""
        return {"type": type_, "markdown": _MANUAL.say(lang)}
