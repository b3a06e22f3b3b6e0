"""The terminal UI: the catalogue, a briefing, the lab, the verdict; a client of the host like any other."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from functools import partial
from typing import Any, ClassVar

from rich.cells import cell_len
from textual import work
from textual.app import App, SystemCommand
from textual.binding import Binding, BindingType
from textual.color import Color
from textual.command import CommandPalette
from textual.content import Content
from textual.screen import Screen

from labsim.client.client import LabClient
from labsim.client.records import Lab, Verdict
from labsim.errors import LabsimError
from labsim.text import LANGUAGES
from labsim.tui.screens.briefing import BriefingScreen
from labsim.tui.screens.catalogue import CatalogueScreen
from labsim.tui.screens.dialogs import Sheet
from labsim.tui.screens.lab import LabScreen
from labsim.tui.screens.spoken import SpokenScreen
from labsim.tui.screens.verdict import VerdictScreen
from labsim.tui.theme import LABSIM
from labsim.tui.widgets.keybar import spoken
from labsim.tui.widgets.outcome import SIGNS
from labsim.tui.words import NAMES, next_language, say

Start = Callable[[str], Awaitable[str]]
"""Starts a host for a scenario id; gives the URL of its control API."""
Progress = Callable[[], dict[str, Any]]
"""The learner's record now: ``{"labs": {id: {"best", "passed", "attempts"}}, "competences": [{"id", "level", "function", "title",
"best", "passed", "attempts"}]}``; texts by language, ``best`` a share or None."""


def _no_record() -> dict[str, Any]:
    return {"labs": {}, "competences": []}


class LabsimApp(App[int]):
    """The app.

    Args:
        catalogue: ``[{"id", "title", "level", "minutes", "competences"}]``; a title is a text or one per language.
        start: Starts a host for a scenario.
        url: Control URL of a running lab to attach to; without one the catalogue opens.
        lang: One of `labsim.text.LANGUAGES`.
        progress: Gives the learner's record.
    """

    CSS_PATH = "labsim.tcss"
    TITLE = "labsim"
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (100, "-wide")]  # noqa: RUF012 - Textual declares it without ClassVar
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("l", "language", "key.language"),
        Binding("question_mark", "help", "key.help", key_display="?"),
        Binding("ctrl+p", "command_palette", "key.commands", show=False),
    ]

    def __init__(
        self,
        catalogue: list[dict[str, Any]],
        start: Start,
        url: str | None = None,
        lang: str = "en",
        progress: Progress = _no_record,
    ) -> None:
        super().__init__()
        self.register_theme(LABSIM)
        self.theme = LABSIM.name
        self._catalogue, self._start, self._url = catalogue, start, url
        self.progress = progress
        self.lang = lang if lang in LANGUAGES else "en"
        self._client: LabClient | None = None
        self._starting = False
        self._passed: bool | None = None

    def get_css_variables(self) -> dict[str, str]:
        """Two quieter inks, made from whatever theme is chosen."""
        variables = super().get_css_variables()
        ink, paper = Color.parse(variables["foreground"]), Color.parse(variables["background"])
        return {**variables, "dim": ink.blend(paper, 0.4).hex, "soft": ink.blend(paper, 0.2).hex}

    async def on_mount(self) -> None:
        """Open the catalogue, or the lab to attach to."""
        await self.push_screen(CatalogueScreen(self._catalogue))
        if self._url is not None:
            self.open_lab(self._url)

    async def on_unmount(self) -> None:
        """Let go of the host."""
        if self._client is not None:
            await self._client.aclose()

    # ---- labs ----

    @work(group="lab")
    async def start_lab(self, scenario: str, title: str) -> None:
        """Start a host for a scenario and read its briefing; one at a time."""
        if self._starting:
            return
        self._starting = True
        self.notify(say("catalogue.starting", self.lang, title=title), markup=False)
        try:
            await self._enter(await self._start(scenario), BriefingScreen)
        except LabsimError as error:
            self.notify(str(error), severity="error", timeout=10, markup=False)
        finally:
            self._starting = False

    @work(group="lab")
    async def open_lab(self, url: str) -> None:
        """Attach to a running lab."""
        try:
            await self._enter(url, LabScreen)
        except LabsimError as error:
            self.notify(str(error), severity="error", timeout=30, markup=False)

    async def _enter(self, url: str, screen: Callable[[LabClient, Lab], Screen[None]]) -> None:
        client = LabClient(url)
        try:
            lab = await client.lab(self.lang)
        except LabsimError:
            await client.aclose()
            raise
        if self._client is not None:
            await self._client.aclose()
        self._client = client
        self.clear_notifications()
        await self.push_screen(screen(client, lab))

    def show_verdict(self, verdict: Verdict) -> None:
        """Show the final verdict of the lab; a dialog over the lab goes with it."""
        lab = next((screen for screen in self.screen_stack if isinstance(screen, LabScreen)), None)
        if lab is None:
            return
        self._passed = verdict.passed
        while self.screen is not lab:
            self.pop_screen()
        self.switch_screen(VerdictScreen(verdict, lab.lab.scenario.title, lab.lab.tasks))

    def close_lab(self) -> None:
        """Back to the catalogue; out, when the app was opened on one lab."""
        if self._url is not None:
            self.exit(0 if self._passed in (None, True) else 1)
        else:
            self.pop_screen()

    # ---- keys ----

    def action_language(self) -> None:
        """Speak the next language."""
        self.speak(next_language(self.lang))

    def speak(self, lang: str) -> None:
        """Speak a language, on every screen."""
        self.lang = lang
        for screen in self.screen_stack:
            if isinstance(screen, SpokenScreen):
                screen.speak()

    def action_help(self) -> None:
        """Show every key of this screen, and every sign."""
        keys = [Content.assemble((_cell(key, 8), "bold $primary"), does) for key, does, _ in self._keys()]
        signs = [
            Content.assemble((_cell(sign, 8), colour), say(f"outcome.{name}", self.lang))
            for name, (sign, colour) in SIGNS.items()
        ]
        head = Content.styled(say("help.signs", self.lang), "bold")
        page = Content("\n").join([Content(""), *keys, Content(""), head, Content(""), *signs])
        self.push_screen(Sheet(say("help.title", self.lang), page, self.lang))

    def action_command_palette(self) -> None:
        """Search the commands."""
        if not isinstance(self.screen, CommandPalette):
            self.push_screen(CommandPalette(placeholder=say("commands.search", self.lang), id="--command-palette"))

    def get_system_commands(self, screen: Screen[Any]) -> Iterable[SystemCommand]:
        """Every key of the screen as a command, every language, and the colours."""
        for key, does, press in self._keys(screen):
            if press != "ctrl+p":
                yield SystemCommand(does, say("commands.key", self.lang, key=key), partial(self.simulate_key, press))
        for lang in LANGUAGES:
            name = say("commands.language", self.lang, name=NAMES[lang])
            yield SystemCommand(name, lang, partial(self.speak, lang))
        yield SystemCommand(say("commands.theme", self.lang), self.theme, self.action_change_theme)

    def _keys(self, screen: Screen[Any] | None = None) -> Iterable[tuple[str, str, str]]:
        """Keys of labsim on a screen: as printed, what it does, as pressed."""
        seen = set()
        for _, binding, enabled, _ in (screen or self.screen).active_bindings.values():
            does = spoken(binding.description, self.lang)
            if enabled and does != binding.description and binding.action not in seen:
                seen.add(binding.action)
                yield self.get_key_display(binding), does, binding.key


def _cell(text: str, width: int) -> str:
    return text + " " * (width - cell_len(text))


def run(
    catalogue: list[dict[str, Any]],
    start: Start,
    url: str | None = None,
    lang: str = "en",
    progress: Progress = _no_record,
) -> int:
    """Run the terminal UI; the exit code: 0 good, 1 the lab was graded and not passed, 3 a bug of ours."""
    app = LabsimApp(catalogue, start, url, lang, progress)
    left = app.run()
    return 3 if app.return_code else left or 0
