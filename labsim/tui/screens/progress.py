"""The learner's progress as a page: every competence by function, with the best marks so far."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import groupby
from typing import Any

from textual.content import Content

from labsim.text import Text
from labsim.tui.words import WORDS, say
from labsim.tui.wrap import clean

_BAR = 12


def progress_page(competences: Iterable[dict[str, Any]], lang: str) -> Content:
    """The page in a language; competences come in the order of their functions."""
    rows = list(competences)
    if not any(row["attempts"] for row in rows):
        return Content(say("progress.none", lang))
    parts: list[Content] = []
    for function, group in groupby(rows, key=lambda row: Text.of(row["function"]).say(lang)):
        parts.append(Content.styled(clean(function), "bold"))
        parts += [_row(row, lang) for row in group]
        parts.append(Content(""))
    return Content("\n").join(parts)


def _row(row: dict[str, Any], lang: str) -> Content:
    level = WORDS[f"level.{row['level']}"].say(lang)
    title = (clean(Text.of(row["title"]).say(lang)), "" if row["attempts"] else "$dim")
    head = Content.assemble("  ", (f"{row['id']}  {level}  ", "$dim"), title)
    if not row["attempts"]:
        return Content.assemble(head, "\n  ", ("░" * _BAR, "$dim"), "  ", (say("progress.open", lang), "$dim"))
    full = round(row["best"] * _BAR)
    colour = "$success" if row["passed"] else "$warning"
    return Content.assemble(
        head, "\n  ", ("█" * full, colour), ("░" * (_BAR - full), "$dim"), "  ", (f"{row['best']:.0%}", colour)
    )
