"""The last line: which keys do what here, in the language of the moment; each can be clicked."""

from __future__ import annotations

from textual import events
from textual.app import RenderResult
from textual.binding import Binding
from textual.content import Content
from textual.style import Style
from textual.widget import Widget

from labsim.tui.words import WORDS, say

_MINOR = ("sheet", "copy", "filter")
"""What is also said where it is used, and gives way first."""


def spoken(description: str, lang: str) -> str:
    """What a binding does. Its description is a key of `WORDS`, ``tab.*`` for those that go to a tab."""
    if description.startswith("tab."):
        return say("key.tab", lang, name=say(description, lang))
    return say(description, lang) if description in WORDS else description


class KeyBar(Widget, can_focus=False):
    """Keys of the screen and of what has the focus; where there is no room minor ones give way, then others from the end on.

    Those that leave, change the language and help stay.
    """

    def __init__(self, lang: str) -> None:
        super().__init__()
        self._lang = lang

    def on_mount(self) -> None:
        """Follow the focus."""
        self.screen.bindings_updated_signal.subscribe(self, lambda _screen: self.refresh())

    def show(self, lang: str) -> None:
        """Speak another language."""
        self._lang = lang
        self.refresh()

    def bindings(self) -> list[Binding]:
        """Bindings worth a place, those of the screen first and those of the app last."""
        seen: dict[str, Binding] = {}
        last: dict[str, Binding] = {}
        for node, binding, enabled, _ in self.screen.active_bindings.values():
            if binding.show and enabled:
                (last if node is self.app else seen).setdefault(binding.action, binding)
        return [*seen.values(), *last.values()]

    def render(self) -> RenderResult:
        """One line of keys."""
        pieces = [self._piece(binding) for binding in self.bindings()]
        keep = sum(binding.action.startswith(("leave", "app.quit", "language", "help")) for binding in self.bindings())
        minor = [n for n, binding in enumerate(self.bindings()) if binding.action in _MINOR]
        while len(pieces) > keep and sum(piece.cell_length + 2 for piece in pieces) > self.size.width:
            pieces.pop(minor.pop() if minor else -keep - 1)
        return Content(" ") + Content("  ").join(pieces)

    def on_click(self, event: events.Click) -> None:
        """A click on a key is that key."""
        if key := event.style.meta.get("press"):
            self.app.simulate_key(key)

    def _piece(self, binding: Binding) -> Content:
        key, does = self.app.get_key_display(binding), spoken(binding.description, self._lang)
        piece = Content.assemble((key, "bold $primary"), " ", (does, "$soft"))
        return piece.stylize(Style.from_meta({"press": binding.key}))
