"""Every word that a command prints around a trainee's lab, in three languages: the one file a translator needs."""

from __future__ import annotations

from typing import Any

from rich.table import Table

from labsim.text import Text, tr

_NAMES = frozenset(("id", "name", "type"))
"""Columns of what a person types again: never broken."""


def say(key: str, lang: str, /, **facts: Any) -> str:
    """The sentence called ``key`` with facts filled in."""
    return WORDS[key].say(lang).format(**facts)


def table(lang: str, *columns: str, right: tuple[str, ...] = ()) -> Table:
    """An empty table with these columns, headed in ``lang``; ``""`` has no head, those of ``right`` hold numbers."""
    made = Table(box=None, padding=(0, 2, 0, 0), header_style="dim")
    for column in columns:
        # Chinese has no blanks to break at: without "fold" the end of a title would be cut off.
        made.add_column(
            say(column, lang) if column else "",
            justify="right" if column in right else "left",
            overflow="fold",
            no_wrap=column in _NAMES,
        )
    return made


WORDS: dict[str, Text] = {
    # ---- heads of tables ----
    "id": tr("id", "編號", "编号"),
    "type": tr("type", "類型", "类型"),
    "name": tr("name", "名稱", "名称"),
    "title": tr("title", "標題", "标题"),
    "level": tr("level", "級別", "级别"),
    "minutes": tr("minutes", "分鐘", "分钟"),
    "competence": tr("competence", "能力項", "能力项"),
    "competences": tr("competences", "能力項", "能力项"),
    "protocol": tr("protocol", "協議", "协议"),
    "protocols": tr("protocols", "協議", "协议"),
    "device": tr("device", "設備", "设备"),
    "devices": tr("devices", "設備", "设备"),
    "url": tr("url", "地址", "地址"),
    "unit": tr("unit", "單元", "单元"),
    "user": tr("user", "用戶", "用户"),
    "password": tr("password", "密碼", "密码"),
    "place": tr("place", "位置", "位置"),
    "from": tr("from", "從", "从"),
    "to": tr("to", "到", "到"),
    "buffer": tr("buffer", "緩衝區", "缓冲区"),
    "best": tr("best", "最佳", "最佳"),
    "attempts": tr("attempts", "次數", "次数"),
    "finished": tr("finished", "完成時間", "完成时间"),
    "lab": tr("lab", "實驗", "实验"),
    "score": tr("score", "得分", "得分"),
    # ---- levels ----
    "level.junior": tr("junior", "初級", "初级"),
    "level.intermediate": tr("intermediate", "中級", "中级"),
    "level.senior": tr("senior", "高級", "高级"),
    # ---- a verdict ----
    "passed": tr("passed", "通過", "通过"),
    "failed": tr("failed", "未通過", "未通过"),
    "partly": tr("partly", "部分通過", "部分通过"),
    "not_checked": tr("not checked", "尚未檢查", "尚未检查"),
    "cannot_check": tr("cannot be checked", "無法檢查", "无法检查"),
    "penalty": tr("penalty", "扣分", "扣分"),
    "expected": tr("expected", "預期", "预期"),
    "actual": tr("actual", "實際", "实际"),
    "help": tr("help", "建議", "建议"),
    "not_passed": tr("not passed", "未通過", "未通过"),
    "marks": tr("{score} of {max} marks", "{score} / {max} 分", "{score} / {max} 分"),
    "stands_on": tr("seed {seed}  evidence {head}", "種子 {seed}  證據 {head}", "种子 {seed}  证据 {head}"),
    "kept_as": tr("kept as {file}", "已保存為 {file}", "已保存为 {file}"),
    "attempt": tr("attempt {folder}", "練習 {folder}", "练习 {folder}"),
    "no_difference": tr(
        "no mark differs from verdict {number}", "與評分 {number} 相比沒有分數變化", "与评分 {number} 相比没有分数变化"
    ),
    "differs": tr("differs from verdict {number}", "與評分 {number} 的差異", "与评分 {number} 的差异"),
    "change.verdict": tr("total", "總分", "总分"),
    "change.task": tr("task", "任務", "任务"),
    "change.check": tr("check", "檢查", "检查"),
    "change.penalty": tr("penalty", "扣分", "扣分"),
    # ---- whether the evidence is intact ----
    "signed": tr("signed by the key {key} {whose}", "已用密鑰 {key} 簽名{whose}", "已用密钥 {key} 签名{whose}"),
    "key.own": tr("(yours)", "（你的密鑰）", "（你的密钥）"),
    "key.given": tr("(the one given)", "（指定的密鑰）", "（指定的密钥）"),
    "key.carried": tr(
        "(the attempt carries it; give --key to hold it against one you know)",
        "（密鑰隨練習附帶；可用 --key 與已知的密鑰核對）",
        "（密钥随练习附带；可用 --key 与已知的密钥核对）",
    ),
    "signed_by_nobody": tr(
        "signed by nobody: that it is intact shows only against a head known from elsewhere",
        "沒有簽名：只有與別處留存的證據碼對照，才能確認完整",
        "没有签名：只有与别处留存的证据码对照，才能确认完整",
    ),
    "verdict_unsigned": tr("verdict {number} is not signed", "評分 {number} 沒有簽名", "评分 {number} 没有签名"),
    "verdict_signed": tr(
        "verdict {number}{about} is signed by the key {key}",
        "評分 {number}{about} 已用密鑰 {key} 簽名",
        "评分 {number}{about} 已用密钥 {key} 签名",
    ),
    "verdict_of_another": tr(
        "verdict {number}{about} is signed by the key {key}, which is not the one that ran the lab",
        "評分 {number}{about} 已用密鑰 {key} 簽名，該密鑰不是運行實驗時所用的密鑰",
        "评分 {number}{about} 已用密钥 {key} 签名，该密钥不是运行实验时所用的密钥",
    ),
    "records": tr("records: {n}", "{n} 條記錄", "{n} 条记录"),
    "begun": tr("begun {when}", "開始於 {when}", "开始于 {when}"),
    "sealed": tr("sealed {when}", "封存於 {when}", "封存于 {when}"),
    "unsealed": tr("not sealed", "尚未封存", "尚未封存"),
    "comma": tr(", ", "，", "，"),
    "intact": tr("the evidence is intact", "證據完整，沒有改動", "证据完整，没有改动"),
    "not_intact": tr(
        "the evidence is not as its host wrote it",
        "證據與實驗程序寫下的不一致",
        "证据与实验程序写下的不一致",
    ),
    # ---- a lab that runs ----
    "seed_attempt": tr("seed {seed}  attempt {attempt}", "種子 {seed}  練習 {attempt}", "种子 {seed}  练习 {attempt}"),
    "how_to_check": tr(
        "check with: labsim check {attempt}    end with Ctrl-C",
        "檢查：labsim check {attempt}    按 Ctrl-C 結束",
        "检查：labsim check {attempt}    按 Ctrl-C 结束",
    ),
    "checking": tr("checking …", "正在檢查……", "正在检查……"),
    "cost": tr("cost {cost}, {left} left", "扣 {cost} 分，還有 {left} 個提示", "扣 {cost} 分，还有 {left} 个提示"),
    "answered": tr("kept: {task} = {value}", "已保存：{task} = {value}", "已保存：{task} = {value}"),
    "state.paused": tr("paused at {t} s", "已在 {t} 秒暫停", "已在 {t} 秒暂停"),
    "state.running": tr("running at {t} s", "已在 {t} 秒繼續", "已在 {t} 秒继续"),
    # ---- the learner's record ----
    "no_record": tr(
        "You have not finished a lab yet. Choose one with 'labsim list' and start it with 'labsim run'.",
        "還沒有完成的實驗。用「labsim list」選擇，用「labsim run」開始。",
        "还没有完成的实验。用“labsim list”选择，用“labsim run”开始。",
    ),
    "open_competences": tr(
        "{n} of {all} competences have no attempt yet.",
        "{all} 個能力項中有 {n} 個尚未練習。",
        "{all} 个能力项中有 {n} 个尚未练习。",
    ),
}
