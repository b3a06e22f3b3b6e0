"""Draws the pictures of the docs: the real terminal UI on a canned lab, exported as SVG; the mimic is of a real plant.

Run ``python docs/images/make.py [en|zh-Hant|zh-Hans]`` from the root of the repository.
"""

from __future__ import annotations

import asyncio
import html
import os
import re
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from rich.cells import cell_len

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parents[1] / "tests" / "client"))

from fake_host import FakeHost, entry  # noqa: E402 - found by the line above

from labsim.cli.catalogue import entries  # noqa: E402 - sorted with the line above
from labsim.lab.lab import Lab  # noqa: E402 - sorted with the line above
from labsim.lab.mimic import mimic_document  # noqa: E402 - sorted with the line above
from labsim.lab.options import Options  # noqa: E402 - sorted with the line above
from labsim.text import Text, tr  # noqa: E402 - sorted with the line above
from labsim.tui.app import LabsimApp  # noqa: E402 - sorted with the line above

CELL = 12.2
"""Width of a cell in the export, in its own units."""
_TEXT = re.compile(r'<text (class="[^"]*" )x="([^"]*)"( y="[^"]*" )textLength="[^"]*"( clip-path="[^"]*")>(.*?)</text>')
_RUN = re.compile(r"[\u2e80-\uffef]+| +|[^ \u2e80-\uffef]+(?: [^ \u2e80-\uffef]+)*")
START_NS = 1_795_788_090 * 10**9


def _feed() -> list[dict[str, Any]]:
    """A trainee's first minutes: the usual mistakes, and the advice they get."""
    read = tr(
        "You read {count} holding registers at address {address} from {device} (unit {unit}) → {found}",
        "你從 {device}（單元 {unit}）讀取保持寄存器，地址 {address}，數量 {count} → {found}",
        "你从 {device}（单元 {unit}）读取保持寄存器，地址 {address}，数量 {count} → {found}",
    )
    refused = tr("exception 02, no such address", "異常碼 02：地址不存在", "异常码 02：地址不存在")
    silent = tr(
        "You asked unit 19; nobody answered.", "你詢問了單元 19；沒有設備應答。", "你询问了单元 19；没有设备应答。"
    )
    rows: list[dict[str, Any]] = [
        {
            "kind": "open",
            "text": tr(
                "127.0.0.1:51544 connected over Modbus.",
                "127.0.0.1:51544 以 Modbus 連入。",
                "127.0.0.1:51544 以 Modbus 连入。",
            ),
        },
        {
            "level": "error",
            "text": _say(read, "meter1", 11, 40001, 2, refused),
            "advice": tr(
                "The manual numbers this table from 40001; on the wire the first register is 0.",
                "手冊從 40001 開始為此表編號；協議中的第一個寄存器是 0。",
                "手册从 40001 开始为此表编号；协议中的第一个寄存器是 0。",
            ),
        },
        {"text": _say(read, "meter1", 11, 0, 2, Text.of("4366 8000"))},
        {
            "level": "error",
            "device": "",
            "text": silent,
            "advice": tr(
                "Nobody has this unit id here; a real bus stays silent too.",
                "這裡沒有該單元號；真實總線上同樣沒有應答。",
                "这里没有该单元号；真实总线上同样没有应答。",
            ),
        },
        {
            "protocol": "mqtt",
            "kind": "connect",
            "text": tr("gateway1 connected over MQTT.", "gateway1 以 MQTT 連入。", "gateway1 以 MQTT 连入。"),
        },
        *(
            {"device": f"meter{n}", "text": _say(read, f"meter{n}", 10 + n, 0, 2, Text.of(raw))}
            for _ in range(12)
            for n, raw in ((2, "8000 4366"), (3, "6643 0080"))
        ),
        {
            "protocol": "mqtt",
            "kind": "subscribe",
            "text": tr(
                "gateway1 subscribed to plant/+/telemetry (QoS 1).",
                "gateway1 訂閱了 plant/+/telemetry（QoS 1）。",
                "gateway1 订阅了 plant/+/telemetry（QoS 1）。",
            ),
        },
        {
            "protocol": "opcua",
            "kind": "session",
            "text": tr(
                "operator opened a session (Basic256Sha256, SignAndEncrypt).",
                "operator 打開了會話（Basic256Sha256，SignAndEncrypt）。",
                "operator 打开了会话（Basic256Sha256，SignAndEncrypt）。",
            ),
        },
        {
            "protocol": "opcua",
            "kind": "write",
            "level": "write",
            "device": "meter2",
            "text": tr(
                "You wrote 253.0 to meter2.voltage_limit → good",
                "你向 meter2.voltage_limit 寫入 253.0 → 成功",
                "你向 meter2.voltage_limit 写入 253.0 → 成功",
            ),
        },
        {
            "protocol": "opcua",
            "kind": "read",
            "device": "meter1",
            "text": tr("You read meter1.voltage_l1.", "你讀取了 meter1.voltage_l1。", "你读取了 meter1.voltage_l1。"),
            "advice": tr(
                "You read this node every 500 ms. A subscription would tell you when it changes.",
                "你每 500 ms 讀一次這個節點。訂閱會在它變化時通知你。",
                "你每 500 ms 读一次这个节点。订阅会在它变化时通知你。",
            ),
        },
    ]
    return [entry(n, **{"w": START_NS + n * 2 * 10**9, **row}) for n, row in enumerate(rows, 1)]


def _say(text: Text, device: str, unit: int, address: int, count: int, found: Text) -> Text:
    facts = {"device": device, "unit": unit, "address": address, "count": count}
    return Text({lang: sentence.format(found=found.say(lang), **facts) for lang, sentence in text.items()})


def by_cells(svg: str) -> str:
    """The picture with every run of text where its cells are.

    The export counts characters, which squeezes Chinese into half its room and lets renderers that trim space lose
    indents; here narrow and wide runs stand apart, each at the cell where it begins.
    """

    def lay(found: re.Match[str]) -> str:
        head, x, middle, tail, text = found.groups()
        at, runs = float(x), []
        for run in _RUN.findall(html.unescape(text).replace("\xa0", " ")):
            cells = cell_len(run)
            if run.strip():
                size = f'textLength="{cells * CELL:.1f}"'
                runs.append(
                    f'<text {head}x="{at:.1f}"{middle}{size}{tail}>{html.escape(run).replace(" ", "&#160;")}</text>'
                )
            at += cells * CELL
        return "".join(runs)

    return _TEXT.sub(lay, svg)


REACHED = {"first-contact": (1.0, True), "modbus-mapping": (0.87, True), "opcua-subscribe": (0.45, False)}
"""Best marks of somebody who has done three labs."""
PLANT = """\
labsim: 1
id: picture
title: Picture
level: junior
minutes: 5
include: [pack]
endpoints:
  - opcua: {port: 0, devices: [load1, fill1, seal1, line_meter, line_oee]}
tasks:
  - {id: a, title: A, marks: 1, checks: [{plant.never: {tag: line_meter.voltage_l2, low: 1, marks: 1}}]}
"""


async def _plant(lang: str) -> dict[str, Any]:
    """``GET /mimic`` of a packaging line after three minutes."""
    with tempfile.TemporaryDirectory() as folder:
        scenario = Path(folder) / "picture"
        scenario.mkdir()
        (scenario / "scenario.yaml").write_text(PLANT, encoding="utf-8")
        async with Lab(scenario, Options(seed="9", attempt=Path(folder) / "attempt", port_base=0)) as lab:
            for _ in range(1800):
                lab.plant.advance()
            return mimic_document(lab, lang)


async def draw(lang: str) -> None:
    """Write the pictures of one language."""

    async def until(true: Callable[[], bool]) -> None:
        for _ in range(500):
            if true():
                break
            await pilot.pause()
        await pilot.pause()

    def keep(name: str) -> None:
        suffix = "" if lang == "en" else f".{lang}"
        picture = by_cells(app.export_screenshot(title="labsim"))
        (HERE / f"{name}{suffix}.svg").write_text(picture, encoding="utf-8", newline="\n")

    labs = {name: {"best": best, "passed": passed, "attempts": 1} for name, (best, passed) in REACHED.items()}
    app = LabsimApp(
        entries(None), lambda _: asyncio.sleep(0, ""), None, lang, lambda: {"labs": labs, "competences": []}
    )
    async with app.run_test(size=(120, 36)) as pilot:
        await until(lambda: type(app.screen).__name__ == "CatalogueScreen")
        keep("catalogue")

    async with FakeHost() as host:
        host.lab.answers["orders"] = "ABCD"
        host.lab.opened["orders"] = 1
        app = LabsimApp([], lambda _: asyncio.sleep(0, host.url), host.url, lang)
        async with app.run_test(size=(120, 36)) as pilot:
            await until(lambda: type(app.screen).__name__ == "LabScreen")
            screen: Any = app.screen
            await host.push(*_feed())
            await pilot.press("C", "down", "3")
            await until(lambda: len(screen.outcomes) == 5 and len(screen.query_one("Wire").log_.rows) > 6)
            app.clear_notifications()
            await pilot.press("t")
            await until(lambda: not app.query("Toast"))
            screen.draw()  # the clock as it was told, so that the same lab is the same picture
            keep("lab-screen")

    async with FakeHost() as host:
        told, plant = host.lab.lab, await _plant(lang)
        title = tr("The packaging line", "包裝線", "包装线").say(lang)
        host.lab.lab = lambda lang: told(lang) | {"scenario": told(lang)["scenario"] | {"title": title}}  # type: ignore[method-assign]
        host.lab.mimic = lambda _lang: plant  # type: ignore[method-assign] # a plant worth a picture
        app = LabsimApp([], lambda _: asyncio.sleep(0, host.url), host.url, lang)
        async with app.run_test(size=(120, 24)) as pilot:
            await until(lambda: type(app.screen).__name__ == "LabScreen")
            screen = app.screen
            await pilot.press("5")
            await until(lambda: "load1" in str(screen.query_one("MimicView Static").render()))
            screen.draw()
            keep("mimic")


if __name__ == "__main__":
    os.environ["TZ"] = "UTC"
    if hasattr(time, "tzset"):
        time.tzset()
    for language in sys.argv[1:] or ["en", "zh-Hant"]:
        asyncio.run(draw(language))
