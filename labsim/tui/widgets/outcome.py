"""How an outcome looks: a sign, a colour and a word, so that none of the three has to carry it alone."""

from __future__ import annotations

from typing import Any

import msgspec
from rich.cells import cell_len
from textual.content import Content

from labsim.client.records import CheckOutcome, TaskInfo, TaskOutcome
from labsim.tui.words import say
from labsim.tui.wrap import clean, wrap

SIGNS = {
    "passed": ("✔", "$success"),
    "partly": ("◐", "$warning"),
    "failed": ("✘", "$error"),
    "not_checked": ("⊘", "$dim"),
    "cannot_check": ("!", "$warning"),
    "open": ("·", "$dim"),
}


def grade(outcome: CheckOutcome | TaskOutcome | None) -> str:
    """The name of the sign of an outcome; an outcome this version does not know counts as not judged."""
    if outcome is None:
        return "open"
    if outcome.outcome == "failed" and 0 < outcome.score < outcome.max:
        return "partly"
    return outcome.outcome if outcome.outcome in SIGNS else "cannot_check"


def number(value: float) -> str:
    """Marks without needless zeros."""
    return f"{value:.2f}".rstrip("0").rstrip(".")


def fact(value: Any) -> str:
    """A value of any JSON shape in one short line."""
    if isinstance(value, str):
        text = value
    elif isinstance(value, float):
        text = f"{value:.6g}"
    else:
        text = msgspec.json.encode(value).decode("utf-8", "replace")
    return clean(text if len(text) <= 400 else text[:399] + "…")


def task_block(
    task: TaskInfo, index: int, outcome: TaskOutcome | None, lang: str, width: int, *, expanded: bool
) -> Content:
    """A task with its marks at the right edge; expanded, with its checks and their reasons."""
    name = grade(outcome)
    sign, colour = SIGNS[name]
    earned = number(outcome.score) if outcome is not None and name != "not_checked" else "–"
    marks = f"{earned}/{number(task.marks)}"
    lines = [_edge(f"{sign} ", colour, f"{index}  {task.title or task.id}", "bold", marks, colour, width)]
    state = [say(f"outcome.{name}", lang)]
    if name == "cannot_check":
        state.append(say("outcome.our-fault", lang))
    if task.answered is not None:
        state.append(say("task.answered", lang, value=fact(task.answered)))
    elif task.answer:
        state.append(say("task.asks", lang))
    if name == "open":
        lines.append(_hang("     ", " · ".join(state), "$dim", width))
    else:
        lines.append(_hang("     ", state[0], colour, width))
        lines += [_hang("     ", part, "$dim", width) for part in state[1:]]
    if expanded and outcome is not None:
        lines += [check_block(check, lang, width, indent="     ") for check in outcome.checks]
    lines.append(Content(""))
    return Content("\n").join(lines)


def check_block(check: CheckOutcome, lang: str, width: int, *, indent: str) -> Content:
    """One check: what it asks, how it went, what was expected and what was there, what to look at."""
    name = grade(check)
    sign, colour = SIGNS[name]
    earned = f"{number(check.score)}/{number(check.max)}"
    title = f"{check.title or check.check or check.id} · {say(f'outcome.{name}', lang)}"
    lines = [_edge(f"{indent}{sign} ", colour, title, "", earned, colour, width)]
    inner = indent + "  "
    if check.reason:
        lines.append(_hang(inner, check.reason, "$dim" if name == "passed" else "", width))
    facts = [
        (say(f"outcome.{side}", lang), fact(value))
        for side, value in (("expected", check.expected), ("actual", check.actual))
        if value not in (None, "")
    ]
    label = max((cell_len(word) for word, _ in facts), default=0)
    for word, value in facts:
        lines.append(_labelled(inner, word + " " * (label - cell_len(word)), value, width))
    if check.help:
        lines.append(_labelled(inner, say("outcome.help", lang), check.help, width))
    return Content("\n").join(lines)


def _edge(lead: str, lead_style: str, text: str, style: str, right: str, right_style: str, width: int) -> Content:
    """``lead`` and ``text`` on the left, ``right`` at the right edge of the first line; the text hangs below itself."""
    room = width - cell_len(lead) - cell_len(right) - 2
    first, *rest = wrap(text, room)
    gap = " " * max(1, width - cell_len(lead) - cell_len(first) - cell_len(right))
    line = Content.assemble((lead, lead_style), (first, style), gap, (right, right_style))
    hang = " " * (cell_len(lead) + 3 * (style == "bold"))
    return Content("\n").join([line, *(Content.assemble(hang, (part, style)) for part in rest)])


def _hang(indent: str, text: str, style: str, width: int) -> Content:
    return Content("\n").join(Content.assemble(indent, (line, style)) for line in wrap(text, width - cell_len(indent)))


def _labelled(indent: str, label: str, text: str, width: int) -> Content:
    first, *rest = wrap(text, width - cell_len(indent) - cell_len(label) - 1)
    head = Content.assemble(indent, (label, "$dim"), " ", first)
    return Content("\n").join([head, *(Content(indent + " " * (cell_len(label) + 1) + line) for line in rest)])
