"""The plant's picture, drawn anew about once a second while it is looked at."""

from __future__ import annotations

from textual.app import ComposeResult
from textual.containers import VerticalScroll
from textual.content import Content
from textual.widgets import Static

from labsim.client.picture import Mimic
from labsim.tui.widgets.mimic_layout import mimic_lines
from labsim.tui.words import say


class MimicView(VerticalScroll):
    """A scrolling picture; what does not fit below can be scrolled to."""

    _mimic: Mimic | None = None
    _lang = "en"

    def compose(self) -> ComposeResult:
        """One picture."""
        yield Static()

    def show(self, mimic: Mimic | None, lang: str) -> None:
        """Draw the plant as it is now; None: as it was."""
        self._mimic, self._lang = mimic or self._mimic, lang
        self._draw()

    def on_resize(self) -> None:
        """Boxes are laid for the width there is."""
        self._draw()

    def _draw(self) -> None:
        if self._mimic is None:
            page = Content.styled(say("mimic.waiting", self._lang), "$dim")
        elif not self._mimic.stations:
            page = Content.styled(say("devices.none", self._lang), "$dim")
        else:
            page = Content("\n").join(mimic_lines(self._mimic, self._lang, self.scrollable_content_region.width))
        self.query_one(Static).update(page)
