"""Hints of the selected task: those opened, and what the next one costs."""

from __future__ import annotations

from textual.app import ComposeResult
from textual.containers import VerticalScroll
from textual.content import Content
from textual.widgets import Static

from labsim.client.records import TaskInfo
from labsim.tui.widgets.outcome import number
from labsim.tui.words import say
from labsim.tui.wrap import wrap


class HintsPanel(VerticalScroll, can_focus=False):
    """What is known of the hints of one task."""

    _chosen: TaskInfo | None = None
    _lang = "en"

    def compose(self) -> ComposeResult:
        """One text."""
        yield Static()

    def show(self, task: TaskInfo | None, lang: str) -> None:
        """Draw the hints of ``task``."""
        self._chosen, self._lang = task, lang
        self.border_title = say("hints.title", lang)
        self._draw()

    def on_resize(self) -> None:
        """Lines are broken for the width there is."""
        self._draw()

    def _draw(self) -> None:
        lines: list[Content] = []
        width = self.scrollable_content_region.width
        if self._chosen is not None and width > 8:
            for hint in self._chosen.hints.opened:
                first, *more = wrap(hint.text, width - 2)
                lines += [Content.assemble(("▸ ", "$primary"), first), *(Content("  " + line) for line in more)]
            lines.append(Content.styled(_rest(self._chosen, self._lang), "$dim"))
        self.query_one(Static).update(Content("\n").join(lines))


def _rest(task: TaskInfo, lang: str) -> str:
    hints = task.hints
    if not hints.total:
        return say("hints.none", lang)
    if hints.next_cost is None:
        return say("hints.all", lang)
    if not hints.next_cost:
        return say("hints.free", lang, n=hints.left)
    return say("hints.left", lang, n=hints.left, cost=number(hints.next_cost))
