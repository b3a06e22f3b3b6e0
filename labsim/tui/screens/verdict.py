"""The verdict: marks per task and every reason, once the lab is graded and sealed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.content import Content
from textual.events import Resize
from textual.widgets import Static

from labsim.client.records import TaskInfo, Verdict
from labsim.tui.screens.spoken import SpokenScreen
from labsim.tui.widgets.keybar import KeyBar
from labsim.tui.widgets.outcome import number, task_block
from labsim.tui.wrap import clean


class VerdictScreen(SpokenScreen[None]):
    """A page to read to the end; it stays until it is closed."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("enter,escape,q", "leave", "key.back")]

    def __init__(self, verdict: Verdict, title: str, tasks: Sequence[TaskInfo]) -> None:
        super().__init__()
        self._verdict, self._title, self._tasks = verdict, title, tasks

    def compose(self) -> ComposeResult:
        """Total, tasks, where the evidence is."""
        yield Static(classes="masthead")
        with VerticalScroll(id="reasons"):
            yield Static()
        yield KeyBar(self.lang)

    def on_mount(self) -> None:
        """The page scrolls by key."""
        super().on_mount()
        self.query_one("#reasons").focus()

    def on_resize(self, _event: Resize) -> None:
        """Lines are broken for the width there is."""
        self.call_after_refresh(self.speak)

    def speak(self) -> None:
        """Draw the page. Reasons are in the language the lab was graded in."""
        super().speak()
        verdict = self._verdict
        good = verdict.passed
        sign, word, colour = ("✔", "passed", "$success") if good else ("✘", "failed", "$error")
        self.query_one(".masthead", Static).update(
            Content.assemble(
                (" labsim ", "bold $background on $primary"), "  ", (clean(self._title or verdict.scenario), "bold"),
                "   ", (f"{number(verdict.score)}/{number(verdict.max)}", "bold"),
                "   ", (f"{sign} {self.say(f'verdict.{word}')}", f"bold {colour}"),
            )
        )  # fmt: skip
        page = self.query_one("#reasons")
        page.border_title = self.say("verdict.title")
        width = min(page.scrollable_content_region.width - 4, 100)
        if width < 20:
            return
        known = {task.id: task for task in self._tasks}
        blocks = []
        for n, outcome in enumerate(verdict.tasks, 1):
            task = known.get(outcome.id) or TaskInfo(outcome.id, title=outcome.title, marks=outcome.max)
            blocks.append(task_block(task, n, outcome, self.lang, width, expanded=True))
        if verdict.penalties:
            lines = [Content.styled(self.say("verdict.penalties"), "bold")]
            lines += [
                Content.assemble((f"−{number(p.marks)} ", "$error"), clean(p.reason or p.id)) for p in verdict.penalties
            ]
            lines.append(Content(""))
            blocks.append(Content("\n").join(lines))
        last = [("verdict.attempt", verdict.attempt), ("verdict.head", verdict.head[:16])]
        lines = [Content.assemble((self.say(key), "$dim"), " ", clean(value)) for key, value in last if value]
        blocks.append(Content("\n").join(lines))
        self.query_one("#reasons Static", Static).update(Content("\n").join(blocks))

    def action_leave(self) -> None:
        """Back to the catalogue, or out."""
        self.labsim.close_lab()
