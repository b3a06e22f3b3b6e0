"""What is to be done: the brief of the selected task, and below it the story of the scenario."""

from __future__ import annotations

from typing import Any

from textual.app import ComposeResult
from textual.containers import VerticalScroll
from textual.widgets import Markdown

from labsim.client.records import Lab, TaskInfo
from labsim.tui.widgets.outcome import number
from labsim.tui.words import say


def brief_markdown(lab: Lab, task: TaskInfo | None, lang: str) -> str:
    """The page as Markdown."""
    parts = []
    if task is not None and task.brief:
        parts += [f"### {task.title} · {say('marks', lang, n=number(task.marks))}", task.brief]
    if task is not None and task.answer:
        parts += [f"> **{task.answer}**"]
    if parts:
        parts.append("---")
    parts += [f"# {lab.scenario.title or lab.scenario.id}", lab.scenario.brief or ""]
    return "\n\n".join(parts)


class Brief(VerticalScroll):
    """A scrolling page."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self._shown = ""

    def compose(self) -> ComposeResult:
        """One page."""
        yield Markdown(open_links=False)

    def show(self, lab: Lab, task: TaskInfo | None, lang: str) -> None:
        """Draw the page; the same page is left alone, so that it does not jump while it is read."""
        page = brief_markdown(lab, task, lang)
        if page != self._shown:
            self._shown = page
            self.query_one(Markdown).update(page)  # not awaited and never cancelled: it keeps its own order
            self.scroll_home(animate=False)
