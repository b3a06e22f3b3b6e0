"""Every sentence of the terminal UI, in three languages: the one file a translator needs."""

from __future__ import annotations

from typing import Any

from labsim.text import LANGUAGES, Text, tr

NAMES = {"en": "English", "zh-Hant": "繁體中文", "zh-Hans": "简体中文"}


def say(key: str, lang: str, /, **facts: Any) -> str:
    """The sentence called ``key`` with facts filled in."""
    return WORDS[key].say(lang).format(**facts)


def next_language(lang: str) -> str:
    """The language after ``lang`` in the round."""
    return LANGUAGES[(LANGUAGES.index(lang) + 1) % len(LANGUAGES)]


WORDS: dict[str, Text] = {
    # ---- keys ----
    "key.open": tr("open", "展開", "展开"),
    "key.check": tr("check", "檢查", "检查"),
    "key.check-all": tr("check all", "全部檢查", "全部检查"),
    "key.hint": tr("hint", "提示", "提示"),
    "key.answer": tr("answer", "作答", "作答"),
    "key.sheet": tr("datasheet", "數據手冊", "数据手册"),
    "key.copy": tr("copy", "複製", "复制"),
    "key.filter": tr("filter", "篩選", "筛选"),
    "key.follow": tr("follow", "跟隨", "跟随"),
    "key.detail": tr("detail", "詳情", "详情"),
    "key.tasks": tr("tasks", "任務", "任务"),
    "key.tab": tr("tab {name}", "標籤頁 {name}", "标签页 {name}"),
    "key.fault": tr("fault", "故障", "故障"),
    "key.pause": tr("pause", "暫停", "暂停"),
    "key.resume": tr("resume", "繼續", "继续"),
    "key.language": tr("language", "語言", "语言"),
    "key.commands": tr("commands", "命令", "命令"),
    "key.help": tr("help", "幫助", "帮助"),
    "key.leave": tr("leave", "離開", "离开"),
    "key.start": tr("start", "開始", "开始"),
    "key.back": tr("back", "返回", "返回"),
    "key.quit": tr("quit", "退出", "退出"),
    "key.search": tr("search", "搜索", "搜索"),
    "key.close": tr("close", "關閉", "关闭"),
    # ---- catalogue and briefing ----
    "catalogue.title": tr("Labs", "實驗", "实验"),
    "catalogue.welcome": tr(
        "Simulated equipment, your own tools, and a grader that says why.",
        "模擬設備、你自己的工具，以及會說明理由的評分。",
        "模拟设备、你自己的工具，以及会说明理由的评分。",
    ),
    "catalogue.search": tr("search by title, id or competence", "按標題、編號或能力搜索", "按标题、编号或能力搜索"),
    "catalogue.none": tr("No lab matches.", "沒有匹配的實驗。", "没有匹配的实验。"),
    "catalogue.empty": tr(
        "No scenario is installed. Start a lab with 'labsim run PATH' instead.",
        "沒有已安裝的場景。請改用 'labsim run PATH' 啟動。",
        "没有已安装的场景。请改用 'labsim run PATH' 启动。",
    ),
    "catalogue.starting": tr("Starting {title} …", "正在啟動 {title} …", "正在启动 {title} …"),
    "catalogue.best": tr("best {share}", "最好 {share}", "最好 {share}"),
    "key.progress": tr("progress", "進度", "进度"),
    "progress.title": tr("Your progress", "你的進度", "你的进度"),
    "progress.none": tr(
        "You have not finished a lab yet. Your best marks will stand here, by competence.",
        "你還沒有完成任何實驗。完成後，這裡會按能力顯示你的最好成績。",
        "你还没有完成任何实验。完成后，这里会按能力显示你的最好成绩。",
    ),
    "progress.open": tr("not attempted yet", "尚未練習", "尚未练习"),
    "level.junior": tr("junior", "初級", "初级"),
    "level.intermediate": tr("intermediate", "中級", "中级"),
    "level.senior": tr("senior", "高級", "高级"),
    "minutes": tr("{n} min", "{n} 分鐘", "{n} 分钟"),
    "marks": tr("{n} marks", "{n} 分", "{n} 分"),
    "competences": tr("competences {names}", "能力 {names}", "能力 {names}"),
    "tasks.count": tr("{n} tasks", "{n} 項任務", "{n} 项任务"),
    "briefing.story": tr("Briefing", "任務說明", "任务说明"),
    "briefing.ready": tr(
        "The plant is running. Press Enter when you are ready.",
        "工廠已在運行。準備好後按 Enter。",
        "工厂已在运行。准备好后按 Enter。",
    ),
    "briefing.files": tr("Hand your files in here:", "交付文件夾：", "交付文件夹："),
    # ---- header ----
    "head.left": tr("{time} left", "剩餘 {time}", "剩余 {time}"),
    "head.over": tr("{time} over", "超時 {time}", "超时 {time}"),
    "head.plant": tr("plant {time}", "工廠時間 {time}", "工厂时间 {time}"),
    "head.marks": tr("marks {score}/{max}", "得分 {score}/{max}", "得分 {score}/{max}"),
    "head.seed": tr("seed {seed}", "種子 {seed}", "种子 {seed}"),
    "head.late": tr("{n} steps late", "遲了 {n} 步", "迟了 {n} 步"),
    "state.running": tr("running", "運行中", "运行中"),
    "state.paused": tr("paused", "已暫停", "已暂停"),
    "state.stopped": tr("stopped", "已停止", "已停止"),
    "banner.lost": tr(
        "The lab does not answer; retrying. Nothing you did is lost.",
        "實驗沒有響應；正在重試。已做的一切都已保存。",
        "实验没有响应；正在重试。已做的一切都已保存。",
    ),
    "banner.back": tr("The lab answers again.", "實驗已恢復響應。", "实验已恢复响应。"),
    # ---- tasks and outcomes ----
    "tasks.title": tr("Tasks", "任務", "任务"),
    "outcome.open": tr("not checked yet", "尚未檢查", "尚未检查"),
    "outcome.passed": tr("passed", "通過", "通过"),
    "outcome.partly": tr("partly", "部分通過", "部分通过"),
    "outcome.failed": tr("failed", "未通過", "未通过"),
    "outcome.not_checked": tr("waits for another", "等待其他任務", "等待其他任务"),
    "outcome.cannot_check": tr("could not be checked", "無法檢查", "无法检查"),
    "outcome.our-fault": tr("our fault, costs nothing", "是我們的問題，不扣分", "是我们的问题，不扣分"),
    "outcome.expected": tr("expected", "應為", "应为"),
    "outcome.actual": tr("got", "實得", "实得"),
    "outcome.help": tr("look at", "可查看", "可查看"),
    "task.asks": tr("asks for an answer (a)", "需要作答（a）", "需要作答（a）"),
    "task.answered": tr("you answered {value}", "你的回答：{value}", "你的回答：{value}"),
    "task.no-answer": tr("This task asks no question.", "此任務不需作答。", "此任务不需作答。"),
    "task.none": tr("Select a task first.", "請先選擇任務。", "请先选择任务。"),
    "check.done": tr(
        "{title}: {outcome}, {score}/{max}", "{title}：{outcome}，{score}/{max}", "{title}：{outcome}，{score}/{max}"
    ),
    "check.all": tr("All tasks: {score} of {max} marks", "全部任務：{score}/{max} 分", "全部任务：{score}/{max} 分"),
    "checking": tr("Checking …", "檢查中 …", "检查中 …"),
    # ---- hints and answers ----
    "hints.title": tr("Hints", "提示", "提示"),
    "hints.none": tr("No hints for this task.", "此任務沒有提示。", "此任务没有提示。"),
    "hints.left": tr(
        "{n} left; the next costs {cost} (h)",
        "還有 {n} 條；下一條扣 {cost} 分（h）",
        "还有 {n} 条；下一条扣 {cost} 分（h）",
    ),
    "hints.free": tr(
        "{n} left; the next is free (h)", "還有 {n} 條；下一條不扣分（h）", "还有 {n} 条；下一条不扣分（h）"
    ),
    "hints.all": tr("All hints are open.", "提示已全部打開。", "提示已全部打开。"),
    "hints.ask": tr(
        "Open a hint for “{title}”? It costs {cost} of {marks} marks.",
        "打開「{title}」的提示？將從 {marks} 分中扣 {cost} 分。",
        "打开“{title}”的提示？将从 {marks} 分中扣 {cost} 分。",
    ),
    "hints.open": tr("Open the hint", "打開提示", "打开提示"),
    "hints.cancel": tr("Not now", "暫不", "暂不"),
    "answer.sent": tr("Your answer was kept: {value}", "已記錄你的回答：{value}", "已记录你的回答：{value}"),
    "ask.keys": tr("Enter sends · Esc cancels", "Enter 提交 · Esc 取消", "Enter 提交 · Esc 取消"),
    "choice.keys": tr(
        "↑↓ and Enter choose · Esc cancels", "↑↓ 與 Enter 選擇 · Esc 取消", "↑↓ 与 Enter 选择 · Esc 取消"
    ),
    # ---- tabs ----
    "tab.brief": tr("Brief", "說明", "说明"),
    "tab.endpoints": tr("Endpoints", "端點", "端点"),
    "tab.wire": tr("Wire", "報文", "报文"),
    "tab.devices": tr("Devices", "設備", "设备"),
    "tab.mimic": tr("Mimic", "流程畫面", "流程画面"),
    "mimic.waiting": tr("The plant is being drawn …", "正在繪製設備畫面 …", "正在绘制设备画面 …"),
    "carries.parts": tr("parts", "工件", "工件"),
    "carries.power": tr("power", "電力", "电力"),
    "carries.air": tr("air", "壓縮空氣", "压缩空气"),
    "carries.water": tr("water", "水", "水"),
    "carries.coolant": tr("coolant", "冷卻液", "冷却液"),
    "carries.signals": tr("signals", "信號", "信号"),
    "endpoints.device": tr("device", "設備", "设备"),
    "endpoints.url": tr("address", "地址", "地址"),
    "endpoints.unit": tr("unit", "單元", "单元"),
    "endpoints.user": tr("user", "用戶", "用户"),
    "endpoints.password": tr("password", "密碼", "密码"),
    "endpoints.role": tr("role", "角色", "角色"),
    "endpoints.help": tr(
        "Click a cell, or press y, to copy it.", "點擊單元格或按 y 即可複製。", "点击单元格或按 y 即可复制。"
    ),
    "endpoints.clients": tr("Connected now", "當前連接", "当前连接"),
    "endpoints.nobody": tr("Nobody is connected.", "當前沒有連接。", "当前没有连接。"),
    "copied": tr("Copied: {text}", "已複製：{text}", "已复制：{text}"),
    "devices.help": tr(
        "Enter changes a setting, d opens the datasheet.",
        "Enter 更改設置，d 打開數據手冊。",
        "Enter 更改设置，d 打开数据手册。",
    ),
    "devices.device": tr("device", "設備", "设备"),
    "devices.setting": tr("setting", "設置", "设置"),
    "devices.value": tr("value", "值", "值"),
    "devices.fixed": tr("nothing to set", "沒有可設置項", "没有可设置项"),
    "devices.none": tr("This lab has no devices.", "此實驗沒有設備。", "此实验没有设备。"),
    "devices.ask": tr("{device} · {setting}", "{device} · {setting}", "{device} · {setting}"),
    "devices.set": tr(
        "{device}: {setting} is now {value}", "{device}：{setting} 現為 {value}", "{device}：{setting} 现为 {value}"
    ),
    # ---- wire ----
    "wire.empty": tr(
        "Nothing yet. Connect with your own tool; every request will appear here in plain words.",
        "暫無內容。用你自己的工具連接；每個請求都會在此以白話顯示。",
        "暂无内容。用你自己的工具连接；每个请求都会在此以白话显示。",
    ),
    "wire.all": tr("all", "全部", "全部"),
    "wire.errors": tr("errors", "錯誤", "错误"),
    "wire.writes": tr("writes", "寫入", "写入"),
    "wire.following": tr("following", "跟隨最新", "跟随最新"),
    "wire.held": tr("held; End follows again", "已停住；按 End 恢復跟隨", "已停住；按 End 恢复跟随"),
    "wire.plant": tr("plant time", "工廠時間", "工厂时间"),
    "wire.entry": tr("Entry {seq}", "第 {seq} 條", "第 {seq} 条"),
    # ---- the instructor ----
    "pick.search": tr("type to narrow the list", "輸入文字以縮小範圍", "输入文字以缩小范围"),
    "fault.target": tr("What is to fail?", "讓什麼出故障？", "让什么出故障？"),
    "fault.which": tr("What happens to {target}?", "{target} 出什麼故障？", "{target} 出什么故障？"),
    "fault.end": tr("End every fault here", "消除此處的全部故障", "消除此处的全部故障"),
    "fault.for": tr("For how long, in plant time", "持續多久（工廠時間）", "持续多久（工厂时间）"),
    "fault.for-usual": tr("until it is ended; or 90 s, 5 min", "直到消除；或 90 s、5 min", "直到消除；或 90 s、5 min"),
    "fault.a-tag": tr("name of a tag", "測點名稱", "测点名称"),
    "fault.hidden": tr("The trainee is not told", "不告知學員", "不告知学员"),
    "fault.begin": tr("Begin the fault", "開始故障", "开始故障"),
    "fault.keys": tr(
        "↑↓ next field · Enter begins · Esc cancels",
        "↑↓ 下一項 · Enter 開始 · Esc 取消",
        "↑↓ 下一项 · Enter 开始 · Esc 取消",
    ),
    "fault.begun": tr("{target}: {fault} has begun", "{target}：{fault}已開始", "{target}：{fault}已开始"),
    "fault.ended": tr("{target}: faults ended: {n}", "{target}：已消除 {n} 個故障", "{target}：已消除 {n} 个故障"),
    "freeze.paused": tr("The plant is paused.", "工廠已暫停。", "工厂已暂停。"),
    "freeze.running": tr("The plant goes on.", "工廠繼續運行。", "工厂继续运行。"),
    "freeze.stopped": tr("The lab is stopped.", "實驗已停止。", "实验已停止。"),
    # ---- leaving and verdict ----
    "leave.ask": tr("Leave this lab?", "離開此實驗？", "离开此实验？"),
    "leave.stay": tr("Stay", "留下", "留下"),
    "leave.run": tr(
        "Leave it running; 'labsim attach' returns",
        "讓它繼續運行；用 'labsim attach' 返回",
        "让它继续运行；用 'labsim attach' 返回",
    ),
    "leave.stop": tr("Stop and grade", "停止並評分", "停止并评分"),
    "leave.grading": tr("Grading …", "評分中 …", "评分中 …"),
    "verdict.title": tr("Verdict", "評分結果", "评分结果"),
    "verdict.passed": tr("passed", "通過", "通过"),
    "verdict.failed": tr("not passed", "未通過", "未通过"),
    "verdict.penalties": tr("Penalties", "扣分", "扣分"),
    "verdict.attempt": tr("Evidence is kept in", "證據保存於", "证据保存于"),
    "verdict.head": tr("Seal", "封存碼", "封存码"),
    # ---- help and commands ----
    "help.title": tr("Keys", "按鍵", "按键"),
    "help.signs": tr("Signs", "符號", "符号"),
    "commands.search": tr("Search for a command …", "搜索命令 …", "搜索命令 …"),
    "commands.key": tr("key {key}", "按鍵 {key}", "按键 {key}"),
    "commands.language": tr("language: {name}", "語言：{name}", "语言：{name}"),
    "commands.theme": tr("theme", "配色", "配色"),
    "sheet.keys": tr("↑↓ scroll · Esc closes", "↑↓ 滾動 · Esc 關閉", "↑↓ 滚动 · Esc 关闭"),
}
