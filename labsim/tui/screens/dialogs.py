"""Small windows over a screen: choose one of a few, type one line, read a page."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical, VerticalScroll
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Input, Markdown, OptionList, Static
from textual.widgets.option_list import Option

from labsim.tui.words import say
from labsim.tui.wrap import clean


class Choice(ModalScreen[str | None]):
    """A question with a few answers; gives the id of the one chosen, or None."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "dismiss(None)", "key.back")]

    def __init__(self, question: str, options: Sequence[tuple[str, str]], lang: str) -> None:
        super().__init__()
        self._question, self._options, self._lang = question, options, lang

    def compose(self) -> ComposeResult:
        """Question, answers, keys."""
        with Vertical(classes="dialog"):
            yield Static(Content(clean(self._question)), classes="question")
            yield OptionList(*(Option(Content(text), id=name) for name, text in self._options))
            yield Static(Content(say("choice.keys", self._lang)), classes="note")

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        """That is the one."""
        self.dismiss(event.option.id)


class Ask(ModalScreen[str | None]):
    """A question with a line to type on; gives the line, or None. An empty line is no answer."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "dismiss(None)", "key.back")]

    def __init__(self, question: str, value: str, lang: str) -> None:
        super().__init__()
        self._question, self._value, self._lang = question, value, lang

    def compose(self) -> ComposeResult:
        """Question, line, keys."""
        with Vertical(classes="dialog"):
            yield Static(Content(clean(self._question)), classes="question")
            yield Input(self._value)
            yield Static(Content(say("ask.keys", self._lang)), classes="note")

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """That is the answer."""
        if event.value.strip():
            self.dismiss(event.value.strip())


class Sheet(ModalScreen[None]):
    """A page to read, Markdown or ready-made: a datasheet, an entry of the wire, the keys."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q,enter", "dismiss", "key.close"),
        Binding("down,j", "scroll(1)", show=False),
        Binding("up,k", "scroll(-1)", show=False),
    ]

    def __init__(self, title: str, page: str | Content, lang: str) -> None:
        super().__init__()
        self._title, self._page, self._lang = title, page, lang

    def compose(self) -> ComposeResult:
        """The page and its keys."""
        with Vertical(classes="sheet") as window:
            window.border_title = Content(clean(self._title)).markup
            window.border_subtitle = say("sheet.keys", self._lang)
            with VerticalScroll():
                if isinstance(self._page, Content):
                    yield Static(self._page)
                else:
                    yield Markdown(self._page, open_links=False)

    def on_mount(self) -> None:
        """Keys scroll the page."""
        self.query_one(VerticalScroll).focus()

    def action_scroll(self, lines: int) -> None:
        """Scroll by lines."""
        self.query_one(VerticalScroll).scroll_relative(y=lines, animate=False)
