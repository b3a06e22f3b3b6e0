"""Every word on every screen changes with the language, while the app runs."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from fake_host import FakeHost, entry

from labsim.text import tr
from labsim.tui.words import WORDS

Sit = Callable[..., Any]


def _english(seen: str, lang: str) -> set[str]:
    """English sentences of the UI left on a screen; a word that the other language also writes so does not count."""
    kept = " ".join(text[lang] for text in WORDS.values())
    found = set()
    for text in WORDS.values():
        for word in re.findall(r"[A-Za-z]{4,}", re.sub(r"\{.*?\}|'.*?'", " ", text["en"])):
            if word not in kept and re.search(rf"(?<![\w./-]){word}(?![\w./-])", seen):
                found.add(word)
    return found


async def test_the_lab_speaks_every_language(host: FakeHost, sit: Sit) -> None:
    """After l no English word of the UI is left on any tab, in the header, the tasks, or the last line."""
    said = tr("You read.", "你讀取了。", "你读取了。")
    await host.push(entry(1, dict(said), advice=dict(tr("Count from 0.", "從 0 數起。", "从 0 数起。"))))
    async with sit(host) as seat:
        await seat.press("C")
        await seat.until(lambda: len(seat.lab.outcomes) == 5)
        seat.app.clear_notifications()
        for lang, word, wire in (("zh-Hant", "全部檢查", "你讀取了。"), ("zh-Hans", "全部检查", "你读取了。")):
            await seat.press("l")
            await seat.until(lambda lang=lang: seat.lab.lab.lang == lang)
            checks = {"zh-Hant": "四種數據表均已讀取。", "zh-Hans": "四种数据表均已读取。"}
            await seat.until(
                lambda lang=lang, checks=checks: seat.lab.outcomes["tables"].checks[0].reason == checks[lang]
            )
            assert word in seat.seen
            for tab in "12453":
                await seat.press(tab)
                await seat.until(lambda: not seat.app.query("Toast"))
                assert _english(seat.seen, lang) == set()
            assert wire in seat.seen
            await seat.press("t")
            assert _english(seat.seen, lang) == set()
        await seat.press("l")
        await seat.until(lambda: "check all" in seat.seen and seat.lab.lab.lang == "en")


@pytest.mark.parametrize("lang", ["zh-Hant", "zh-Hans"])
async def test_the_other_screens_speak_too(host: FakeHost, sit: Sit, lang: str) -> None:
    """Catalogue, briefing, dialogs, help and verdict have no English word of the UI either."""
    async with sit(host, attached=False) as seat:
        await seat.press(*"l" * (1 if lang == "zh-Hant" else 2))
        assert _english(seat.seen, lang) == set()
        await seat.press("down", "enter")
        await seat.until_screen("BriefingScreen")
        assert _english(seat.seen, lang) == set()
        await seat.press("l", "l", "l")
        await seat.until(lambda: ("讀出" if lang == "zh-Hant" else "读出") in seat.seen)
        await seat.press("enter")
        await seat.until_screen("LabScreen")
        for key, screen in (("question_mark", "Sheet"), ("h", "Choice"), ("a", "Ask"), ("q", "Choice")):
            await seat.press("down", key)
            await seat.until_screen(screen)
            assert _english(seat.seen, lang) == set()
            await seat.press("escape", "up")
            await seat.until_screen("LabScreen")
        await seat.press("ctrl+p")
        await seat.until(lambda: WORDS["key.check-all"][lang] in seat.seen)
        assert _english(seat.seen, lang) <= {"English"}
