"""The report's own words, in three languages."""

from __future__ import annotations

from labsim.text import Text, tr

WORDS: dict[str, Text] = {
    "report": tr("Report", "報告", "报告"),
    "of": tr("{score} of {max} marks", "{score} / {max} 分", "{score} / {max} 分"),
    "passed": tr("passed", "通過", "通过"),
    "failed": tr("failed", "未通過", "未通过"),
    "partly": tr("partly", "部分通過", "部分通过"),
    "not_checked": tr("not checked", "尚未檢查", "尚未检查"),
    "cannot_check": tr("cannot be checked", "無法檢查", "无法检查"),
    "verdict.passed": tr("Passed", "通過", "通过"),
    "verdict.failed": tr("Not passed", "未通過", "未通过"),
    "pass_mark": tr("pass mark {n} %", "及格線 {n} %", "及格线 {n} %"),
    "excluded": tr(
        "{n} marks could not be judged and count nowhere.",
        "有 {n} 分無法判定，不計入總分。",
        "有 {n} 分无法判定，不计入总分。",
    ),
    "about": tr("About this attempt", "本次練習", "本次练习"),
    "scenario": tr("Scenario", "場景", "场景"),
    "level": tr("Level", "級別", "级别"),
    "level.junior": tr("junior", "初級", "初级"),
    "level.intermediate": tr("intermediate", "中級", "中级"),
    "level.senior": tr("senior", "高級", "高级"),
    "competences": tr("Competences", "能力項", "能力项"),
    "attempt": tr("Attempt", "練習編號", "练习编号"),
    "seed": tr("Seed", "種子", "种子"),
    "variants": tr("Drawn values", "抽取的變量", "抽取的变量"),
    "created": tr("Begun", "開始", "开始"),
    "sealed": tr("Sealed", "封存", "封存"),
    "running": tr("not sealed: the marks so far", "尚未封存：目前的得分", "尚未封存：目前的得分"),
    "exam": tr(
        "an exam: no more is told than its scenario allows",
        "考試：僅顯示場景允許的內容",
        "考试：仅显示场景允许的内容",
    ),
    "lasted": tr("Plant time", "工廠時間", "工厂时间"),
    "speed": tr("Speed", "速度", "速度"),
    "versions": tr("Versions", "版本", "版本"),
    "evidence": tr("Evidence", "證據", "证据"),
    "head": tr("Head of the evidence", "證據鏈尾哈希", "证据链尾哈希"),
    "intact": tr(
        "The evidence was verified for this report: it is intact.",
        "本報告生成時已校驗證據：完整無改動。",
        "本报告生成时已校验证据：完整无改动。",
    ),
    "broken": tr("The evidence is not as its host wrote it:", "證據與主機所寫的不一致：", "证据与主机所写的不一致："),
    "verify": tr(
        "To verify it yourself, run the command below on the attempt's folder and compare the head. The chain is described in "
        "docs/architecture.md, so that a dozen lines in any language can do the same.",
        "如需自行校驗，請對練習文件夾運行以下命令並比對鏈尾哈希。"
        "證據鏈的格式見 docs/architecture.md，任何語言十餘行代碼即可校驗。",
        "如需自行校验，请对练习文件夹运行以下命令并比对链尾哈希。"
        "证据链的格式见 docs/architecture.md，任何语言十余行代码即可校验。",
    ),
    "kept": tr("Verdicts kept", "已保存的評分", "已保存的评分"),
    "differs": tr(
        "The last kept verdict has other marks than this report, which was graded anew.",
        "最後保存的評分與本報告（重新評分）的得分不同。",
        "最后保存的评分与本报告（重新评分）的得分不同。",
    ),
    "grader": tr("grader", "評分程序", "评分程序"),
    "marks": tr("Marks", "得分", "得分"),
    "task": tr("Task", "任務", "任务"),
    "total": tr("Total", "合計", "合计"),
    "checks": tr("Checks", "檢查項", "检查项"),
    "expected": tr("expected", "應為", "应为"),
    "actual": tr("found", "實得", "实得"),
    "help": tr("next step", "下一步", "下一步"),
    "rows": tr("Evidence rows ({n})", "證據記錄（{n}）", "证据记录（{n}）"),
    "row": tr("No.", "序號", "序号"),
    "time": tr("Time (UTC)", "時間（UTC）", "时间（UTC）"),
    "plant_time": tr("plant time", "工廠時間", "工厂时间"),
    "endpoint": tr("Endpoint", "端點", "端点"),
    "client": tr("Client", "客戶端", "客户端"),
    "what": tr("What", "內容", "内容"),
    "timeline": tr("What happened when", "事件時間軸", "事件时间轴"),
    "timeline.help": tr(
        "One lane per client and protocol: bars below are connections, columns are requests (taller: more), "
        "triangles are writes, crosses are refusals and errors. Shaded bands are faults of the plant or its links.",
        "每個客戶端與協議一行：下方橫條為連接，柱為請求（越高越多），三角為寫入，叉為拒絕或錯誤。陰影帶為工廠或鏈路的故障。",
        "每个客户端与协议一行：下方横条为连接，柱为请求（越高越多），三角为写入，叉为拒绝或错误。阴影带为工厂或链路的故障。",
    ),
    "timeline.none": tr("No client ever connected.", "沒有客戶端連接過。", "没有客户端连接过。"),
    "lane.events": tr(
        "{n} events, {writes} writes, {errors} refused",
        "{n} 個事件，{writes} 次寫入，{errors} 次被拒",
        "{n} 个事件，{writes} 次写入，{errors} 次被拒",
    ),
    "lane.lab": tr("lab", "實驗", "实验"),
    "lane.more": tr("and {n} more clients", "另有 {n} 個客戶端", "另有 {n} 个客户端"),
    "faults": tr("Faults", "故障", "故障"),
    "fault.hidden": tr("hidden from the trainee", "對學員隱藏", "对学员隐藏"),
    "fault.withheld": tr(
        "Hidden faults are shown when the lab is sealed.", "隱藏的故障在封存後顯示。", "隐藏的故障在封存后显示。"
    ),
    "from": tr("from", "自", "自"),
    "to": tr("to", "至", "至"),
    "chart": tr("Delivered against true: {tag}", "所交付值與真實值：{tag}", "所交付值与真实值：{tag}"),
    "chart.desc": tr(
        "{n} values delivered, {right} of them right. Line: the true value of {tag}; dots: right; crosses: wrong.",
        "共交付 {n} 個值，其中 {right} 個正確。線：{tag} 的真實值；點：正確；叉：不正確。",
        "共交付 {n} 个值，其中 {right} 个正确。线：{tag} 的真实值；点：正确；叉：不正确。",
    ),
    "incidents": tr("Incidents", "異常事件", "异常事件"),
    "penalties": tr("Penalties", "扣分", "扣分"),
    "hints": tr("Hints used", "使用的提示", "使用的提示"),
    "cost": tr("cost", "扣分", "扣分"),
    "hints.cost": tr("hints −{n}", "提示 −{n}", "提示 −{n}"),
    "answers": tr("Answers", "回答", "回答"),
    "files": tr("Hand-in files", "交付文件", "交付文件"),
    "size": tr("bytes", "字節", "字节"),
    "none": tr("none", "無", "无"),
    "good": tr("good", "成功", "成功"),
    "no_answer": tr("no answer", "無應答", "无应答"),
    "exception": tr("exception {code}", "異常碼 {code}", "异常码 {code}"),
    "status": tr("status {code}", "狀態 {code}", "状态 {code}"),
}

KINDS: dict[str, Text] = {
    "acknowledge": tr("acknowledge", "確認報警", "确认报警"),
    "answer": tr("answer", "回答", "回答"),
    "browse": tr("browse", "瀏覽", "浏览"),
    "call": tr("call", "調用方法", "调用方法"),
    "certificate": tr("certificate", "證書", "证书"),
    "check": tr("check asked", "請求檢查", "请求检查"),
    "close": tr("disconnect", "斷開", "断开"),
    "connect": tr("connect", "連接", "连接"),
    "deny": tr("denied", "拒絕", "拒绝"),
    "disconnect": tr("disconnect", "斷開", "断开"),
    "fault": tr("fault", "故障", "故障"),
    "file": tr("hand-in file", "交付文件", "交付文件"),
    "hint": tr("hint", "提示", "提示"),
    "history-read": tr("history read", "讀歷史", "读历史"),
    "host-start": tr("lab begins", "實驗開始", "实验开始"),
    "host-stop": tr("lab ends", "實驗結束", "实验结束"),
    "incident": tr("incident", "異常事件", "异常事件"),
    "open": tr("connect", "連接", "连接"),
    "pause": tr("pause", "暫停", "暂停"),
    "poll": tr("reads, counted", "讀取（計數）", "读取（计数）"),
    "probe": tr("probe of the host", "主機探測", "主机探测"),
    "publish": tr("publish", "發佈", "发布"),
    "read": tr("read", "讀取", "读取"),
    "reject": tr("rejected", "拒絕", "拒绝"),
    "request": tr("request", "請求", "请求"),
    "rogue": tr("rogue client", "惡意客戶端", "恶意客户端"),
    "session": tr("session", "會話", "会话"),
    "session-close": tr("session ends", "會話結束", "会话结束"),
    "setting": tr("setting", "設置", "设置"),
    "submit": tr("submitted", "提交", "提交"),
    "subscribe": tr("subscribe", "訂閱", "订阅"),
    "timeout": tr("timed out", "超時", "超时"),
    "unsubscribe": tr("unsubscribe", "取消訂閱", "取消订阅"),
    "watchdog": tr("watchdog", "看門狗", "看门狗"),
    "write": tr("write", "寫入", "写入"),
}
"""Kinds of events; one that is not here is shown as the journal has it."""


def word(name: str, lang: str, **facts: object) -> str:
    """A word of the report in a language, with facts filled in."""
    return WORDS[name].say(lang).format(**facts)


def kind(name: str, lang: str) -> str:
    """What a kind of event is called."""
    return KINDS[name].say(lang) if name in KINDS else name
