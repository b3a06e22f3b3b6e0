"""The catalogue: every lab there is, and what the one under the cursor asks of you."""

from __future__ import annotations

from typing import Any, ClassVar

from rich.cells import cell_len
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.events import Resize
from textual.widgets import Input, OptionList, Static
from textual.widgets.option_list import Option

from labsim.text import Text
from labsim.tui.screens.dialogs import Sheet
from labsim.tui.screens.progress import progress_page
from labsim.tui.screens.spoken import SpokenScreen
from labsim.tui.widgets.keybar import KeyBar
from labsim.tui.widgets.outcome import number
from labsim.tui.words import WORDS
from labsim.tui.wrap import clean, wrap

LEVEL_COLOURS = {"junior": "$success", "intermediate": "$warning", "senior": "$error"}


class Shelf(OptionList):
    """The list; Enter starts what is under the cursor."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("enter", "select", "key.start")]


class CatalogueScreen(SpokenScreen[None]):
    """A list to choose from, narrowed by what is typed into the search line."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("slash", "search", "key.search"),
        Binding("p", "progress", "key.progress"),
        Binding("escape", "list", "key.back", show=False),
        Binding("q", "app.quit", "key.quit"),
    ]

    def __init__(self, catalogue: list[dict[str, Any]]) -> None:
        super().__init__()
        self._all = [entry for entry in catalogue if entry.get("id")]
        self._found = self._all
        self._reached: dict[str, Any] = {}

    def compose(self) -> ComposeResult:
        """Banner, search, list, keys."""
        yield Static(classes="masthead")
        with Vertical(id="shelf"):
            yield Input(compact=True)
            yield Shelf()
        yield KeyBar(self.lang)

    def on_mount(self) -> None:
        """Start in the list."""
        super().on_mount()
        self.query_one(OptionList).focus()

    def on_screen_resume(self) -> None:
        """Back from a lab: its marks may have changed what is reached."""
        self._reached = self.labsim.progress()["labs"]
        self._fill()

    def title_of(self, entry: dict[str, Any]) -> str:
        """The title in the language of the moment, when the catalogue holds it."""
        title = entry.get("title")
        return clean(Text.of(title).say(self.lang) if isinstance(title, (str, dict)) and title else str(entry["id"]))

    def speak(self) -> None:
        """Draw the list."""
        super().speak()
        self.query_one(".masthead", Static).update(
            Content.assemble(
                (" labsim ", "bold $background on $primary"), "  ", (self.say("catalogue.welcome"), "$dim")
            )
        )
        self.query_one(Input).placeholder = self.say("catalogue.search")
        self.query_one("#shelf").border_title = self.say("catalogue.title")
        self._fill()

    def _fill(self) -> None:
        options = self.query_one(OptionList)
        at = options.highlighted or 0
        width = options.scrollable_content_region.width - 4
        if width < 20:
            return
        if not self._found:
            nothing = self.say("catalogue.none" if self._all else "catalogue.empty")
            options.set_options([Option(Content.styled(nothing, "$dim"), disabled=True)])
            return
        options.set_options(Option(self._card(entry, width), id=str(entry["id"])) for entry in self._found)
        options.highlighted = min(at, len(self._found) - 1)

    def _card(self, entry: dict[str, Any], width: int) -> Content:
        level = str(entry.get("level", ""))
        word = self.say(f"level.{level}") if f"level.{level}" in WORDS else clean(level)
        minutes = entry.get("minutes")
        time = self.say("minutes", n=number(minutes)) if isinstance(minutes, (int, float)) else ""
        right = Content.assemble((word, LEVEL_COLOURS.get(level, "")), "  ", (time.rjust(8), "$dim"))
        first, *rest = wrap(self.title_of(entry), width - right.cell_length - 2)
        gap = " " * max(1, width - cell_len(first) - right.cell_length)
        skills = entry.get("competences")
        small = clean("  ".join([str(entry["id"]), *(map(str, skills) if isinstance(skills, (list, tuple)) else ())]))
        lines = [Content.assemble((first, "bold"), gap, right), *(Content.styled(line, "bold") for line in rest)]
        lines += [Content.assemble((small, "$dim"), self._best(entry, width - cell_len(small))), Content("")]
        return Content("\n").join(lines)

    def _best(self, entry: dict[str, Any], room: int) -> Content:
        """The best marks so far, at the right end of a line; nothing before the first attempt."""
        reached = self._reached.get(str(entry["id"]))
        if reached is None:
            return Content("")
        text = self.say("catalogue.best", share=f"{reached['best']:.0%}")
        return Content.styled(text.rjust(max(room, 2)), "$success" if reached["passed"] else "$warning")

    def on_resize(self, _event: Resize) -> None:
        """Cards are as wide as the list."""
        self.call_after_refresh(self._fill)

    def on_input_changed(self, event: Input.Changed) -> None:
        """Narrow the list."""
        asked = event.value.casefold().split()
        self._found = [entry for entry in self._all if all(word in str(entry).casefold() for word in asked)]
        self._fill()

    def on_input_submitted(self) -> None:
        """From the search into the list."""
        self.action_list()

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        """Start that lab."""
        if event.option.id is not None:
            self._start(event.option.id)

    def action_search(self) -> None:
        """Go to the search line."""
        self.query_one(Input).focus()

    def action_progress(self) -> None:
        """Show how far each competence has come."""
        page = progress_page(self.labsim.progress()["competences"], self.lang)
        self.app.push_screen(Sheet(self.say("progress.title"), page, self.lang))

    def action_list(self) -> None:
        """Go to the list."""
        self.query_one(OptionList).focus()

    def _start(self, scenario: str) -> None:
        entry = next(entry for entry in self._all if str(entry["id"]) == scenario)
        self.labsim.start_lab(scenario, self.title_of(entry))
