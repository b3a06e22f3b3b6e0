"""The briefing: the story, the tasks and their marks, before the first key is pressed."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.content import Content
from textual.widgets import Markdown, Static

from labsim.client.client import LabClient
from labsim.client.records import Lab
from labsim.tui.screens.catalogue import LEVEL_COLOURS
from labsim.tui.screens.lab import LabScreen
from labsim.tui.screens.spoken import SpokenScreen
from labsim.tui.widgets.keybar import KeyBar
from labsim.tui.widgets.outcome import number
from labsim.tui.words import WORDS
from labsim.tui.wrap import clean


class BriefingScreen(SpokenScreen[None]):
    """One page and Enter."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "enter", "key.start"),
        Binding("q", "leave", "key.leave"),
    ]

    def __init__(self, client: LabClient, lab: Lab) -> None:
        super().__init__()
        self._client, self._lab = client, lab

    def compose(self) -> ComposeResult:
        """Title, story, tasks."""
        yield Static(classes="masthead")
        with VerticalScroll(id="story"):
            yield Markdown(open_links=False)
            yield Static(id="tasklist")
        yield Static(classes="ready")
        yield KeyBar(self.lang)

    def on_mount(self) -> None:
        """The page scrolls by key."""
        super().on_mount()
        self.query_one("#story").focus()

    def speak(self) -> None:
        """Draw the page; the story is asked for again, because only the host has it in all languages."""
        super().speak()
        self._draw()
        if self._lab.lang != self.lang:
            self.beside(self._fetch, "fetch")

    async def _fetch(self) -> None:
        lab = await self.attempt(self._client.lab(self.lang))
        if lab is not None:
            self._lab = lab
            self._draw()

    def _draw(self) -> None:
        lab, info = self._lab, self._lab.scenario
        level = self.say(f"level.{info.level}") if f"level.{info.level}" in WORDS else clean(info.level)
        marks = number(sum(task.marks for task in lab.tasks))
        facts = [
            self.say("minutes", n=number(info.minutes)),
            self.say("marks", n=marks),
            clean(" ".join(info.competences)),
        ]
        self.query_one(".masthead", Static).update(
            Content("\n").join(
                [
                    Content.assemble(
                        (" labsim ", "bold $background on $primary"), "  ", (clean(info.title or info.id), "bold")
                    ),
                    Content.assemble(
                        " " * 10, (level, LEVEL_COLOURS.get(info.level, "")), ("   ".join(["", *facts]), "$dim")
                    ),
                ]
            )
        )
        self.query_one("#story").border_title = self.say("briefing.story")
        self.query_one(Markdown).update(info.brief or "")
        rows = [Content.styled(self.say("tasks.count", n=len(lab.tasks)), "bold $primary"), Content("")]
        rows += [
            Content.assemble(
                (f"{n:>2}  ", "$dim"), clean(task.title or task.id), "  ",
                (self.say("marks", n=number(task.marks)), "$dim"),
            )
            for n, task in enumerate(lab.tasks, 1)
        ]  # fmt: skip
        rows += [Content(""), Content.assemble((self.say("briefing.files"), "$dim"), " ", clean(lab.handin))]
        self.query_one("#tasklist", Static).update(Content("\n").join(rows))
        self.query_one(".ready", Static).update(Content.assemble(("▸ ", "$primary"), self.say("briefing.ready")))

    def action_enter(self) -> None:
        """Into the lab."""
        self.app.switch_screen(LabScreen(self._client, self._lab))

    def action_leave(self) -> None:
        """Into the lab, which asks how to leave it."""
        screen = LabScreen(self._client, self._lab)
        self.app.switch_screen(screen)
        screen.call_after_refresh(screen.action_leave)
