"""A window to choose one of many: type a part of it, then choose."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Input, OptionList, Static
from textual.widgets.option_list import Option

from labsim.tui.words import say
from labsim.tui.wrap import clean


class Pick(ModalScreen[str | None]):
    """A list that narrows as one types; gives the id of the one chosen, or None.

    Args:
        question: What is asked.
        options: Id, text, and a quieter text beside it, of each.
        lang: Language of the window.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "dismiss(None)", "key.back"),
        Binding("down", "move(1)", show=False, priority=True),
        Binding("up", "move(-1)", show=False, priority=True),
    ]

    def __init__(self, question: str, options: Sequence[tuple[str, str, str]], lang: str) -> None:
        super().__init__()
        self._question, self._options, self._lang = question, options, lang

    def compose(self) -> ComposeResult:
        """Question, line to type on, list, keys."""
        with Vertical(classes="dialog pick"):
            yield Static(Content(clean(self._question)), classes="question")
            yield Input(placeholder=say("pick.search", self._lang))
            yield OptionList()
            yield Static(Content(say("choice.keys", self._lang)), classes="note")

    def on_mount(self) -> None:
        """Type at once."""
        self._narrow("")
        self.query_one(Input).focus()

    def on_input_changed(self, event: Input.Changed) -> None:
        """Narrow the list."""
        self._narrow(event.value)

    def on_input_submitted(self) -> None:
        """Enter chooses what is marked."""
        self.query_one(OptionList).action_select()

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        """That is the one."""
        self.dismiss(event.option.id)

    def action_move(self, steps: int) -> None:
        """Mark the next or the one before, while the typing goes on."""
        choices = self.query_one(OptionList)
        if steps > 0:
            choices.action_cursor_down()
        else:
            choices.action_cursor_up()

    def _narrow(self, typed: str) -> None:
        words = typed.lower().split()
        found = [
            Option(Content.assemble(clean(text), "  ", (clean(beside), "$dim")), id=name)
            for name, text, beside in self._options
            if all(word in f"{name} {text} {beside}".lower() for word in words)
        ]
        choices = self.query_one(OptionList)
        choices.clear_options().add_options(found)
        choices.highlighted = 0 if found else None
