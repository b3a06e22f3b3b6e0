"""The two Chinese scripts: one wording, that of the mainland."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[1]
FOLDERS = ("labsim", "devices", "grader", "scenarios", "docs")
IN_BRACKETS = re.compile("（台灣：[^）]*）")
QUOTES = str.maketrans("「」", "“”")
HAN = re.compile("[\u4e00-\u9fff]")

TAIWAN = {
    "中繼資料": "元數據",
    "串列埠": "串口",
    "位元": "位、字節",
    "位址": "地址",
    "佇列": "隊列",
    "使用者": "用戶",
    "例外碼": "異常碼",
    "信任清單": "信任列表",
    "偵測": "檢測",
    "偵錯": "調試",
    "儀錶": "儀表",
    "儲存": "存儲、保存、單元格",
    "公分": "厘米",
    "公尺": "米",
    "公釐": "毫米",
    "函式": "函數",
    "匯入": "導入",
    "匯出": "導出",
    "匯流排": "總線",
    "協定": "協議",
    "取樣": "採樣",
    "可程式": "可編程",
    "名稱空間": "命名空間",
    "呼叫": "調用",
    "品質": "質量",
    "唯讀": "只讀",
    "執行緒": "線程",
    "外掛": "插件",
    "字串": "字符串",
    "字元": "字符",
    "存取": "訪問",
    "安全性原則": "安全策略",
    "工具機": "機床",
    "布林": "布爾",
    "帳戶": "賬戶",
    "帳號": "賬號",
    "幫浦": "泵",
    "座標": "坐標",
    "感測": "傳感",
    "憑證": "證書",
    "捲動": "滾動",
    "掃瞄": "掃描",
    "搜尋": "搜索",
    "擷取": "採集",
    "支援": "支持",
    "效能": "性能",
    "數位化": "數字化",
    "數位輸": "數字輸",
    "整體設備效率": "設備綜合效率",
    "時間戳記": "時間戳",
    "暫存器": "寄存器",
    "最佳化": "優化",
    "校正": "校準",
    "模組": "模塊",
    "檔案": "文件",
    "欄位": "字段",
    "水錶": "水表",
    "滑鼠": "鼠標",
    "營運": "運營",
    "物件": "對象",
    "發布": "發佈",
    "監視項目": "監控項",
    "硬碟": "硬盤",
    "硬體": "硬件",
    "磁碟": "磁盤",
    "程式": "程序",
    "稼動": "可用",
    "範本": "模板",
    "簽章": "簽名",
    "網路": "網絡",
    "網際": "互聯",
    "自訂": "自定義",
    "致動": "執行",
    "萬用字元": "通配符",
    "螢幕": "屏幕",
    "視窗": "窗口",
    "警報": "報警",
    "變數": "變量",
    "資料": "數據、文件夾",
    "資訊": "信息",
    "軟體": "軟件",
    "酬載": "載荷",
    "轉送": "轉發",
    "迴圈": "循環",
    "逾時": "超時",
    "連接埠": "端口",
    "連線": "連接",
    "遠端": "遠程",
    "選單": "菜單",
    "金鑰": "密鑰",
    "閘道": "網關",
    "雜湊": "哈希",
    "雜訊": "噪聲",
    "電錶": "電表",
    "韌體": "固件",
    "頻寬": "帶寬",
    "預知保養": "預測性維護",
    "預設": "默認",
    "類比": "模擬",
    "馬達": "電機",
    "點選": "點擊",
}
"""What is said in Taiwan only, and what labsim says."""


def files(*endings: str) -> Iterator[tuple[str, str]]:
    """Every file of these endings, by its path from the root."""
    for path in sorted(path for folder in FOLDERS for path in (ROOT / folder).rglob("*")):
        if path.name.endswith(endings) and HAN.search(text := path.read_text(encoding="utf-8")):
            yield path.relative_to(ROOT).as_posix(), text


def pairs() -> Iterator[tuple[str, str, str]]:
    """Every text in both scripts, Traditional first, with the file it stands in."""
    for path, text in files(".py"):
        for node in ast.walk(ast.parse(text)):
            match node:
                case ast.Call(func=ast.Name("tr"), args=[_, ast.Constant() | ast.JoinedStr() as here, there]):
                    yield path, ast.unparse(here), ast.unparse(there)
    for path, text in files(".yaml"):
        for document in yaml.safe_load_all(text):
            for hant, hans in _texts(document):
                yield path, hant, hans
    briefs = dict(files(".zh-Hant.md", ".zh-Hans.md"))
    for path, text in briefs.items():
        if path.endswith(".zh-Hant.md"):
            yield path, text.replace("zh-Hant", "zh-Hans"), briefs[path.replace("zh-Hant", "zh-Hans")]


def _texts(value: Any) -> Iterator[tuple[str, str]]:
    if isinstance(value, dict) and isinstance(value.get("zh-Hant"), str):
        yield value["zh-Hant"], value["zh-Hans"]
    elif isinstance(value, dict | list):
        for item in value.values() if isinstance(value, dict) else value:
            yield from _texts(item)


def test_no_text_has_the_terms_of_taiwan() -> None:
    """Traditional Chinese is the mainland's wording in the other script; a term of Taiwan stands in brackets （台灣：…） only."""
    found = [
        f"{path}: {term}, which is {TAIWAN[term]} here"
        for path, text in files(".py", ".yaml", ".j2", ".md")
        for term in TAIWAN
        if term in IN_BRACKETS.sub("", text)
    ]
    assert found == []


def test_both_scripts_have_the_same_sentence() -> None:
    """Character by character: what is no Chinese character is equal but for the quotation marks, 「」 and “”."""
    both = list(pairs())
    assert len(both) > 3000
    form = [
        (path, hant, hans)
        for path, hant, hans in both
        if HAN.sub("字", IN_BRACKETS.sub("", hant)).translate(QUOTES) != HAN.sub("字", hans)
    ]
    assert form == []
